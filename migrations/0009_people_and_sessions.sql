-- People as each workspace has them: addresses in one form, names by workspace, invitations; and sessions as rows.

-- Addresses are kept as they are compared: trimmed, in small letters. Where two accounts would become the same, both
-- stay as they are and are found as they are written.
update users u set email = lower(btrim(u.email, E' \t\n\r\f\v'))
where u.email <> lower(btrim(u.email, E' \t\n\r\f\v'))
  and not exists (
      select 1 from users other
      where other.id <> u.id
        and lower(btrim(other.email, E' \t\n\r\f\v')) = lower(btrim(u.email, E' \t\n\r\f\v'))
  );

-- Requests that were asked before are found by the same form.
update approvals a
set approvers = array(
    select case
        when who like 'user:%' then 'user:' || lower(btrim(substr(who, 6), E' \t\n\r\f\v'))
        when who not like '%:%' and who like '%@%' then lower(btrim(who, E' \t\n\r\f\v'))
        else who
    end
    from unnest(a.approvers) with ordinality as entry(who, n) order by n
)
where exists (
    select 1 from unnest(a.approvers) as who
    where (who like 'user:%' or who not like '%:%') and (who <> lower(who) or who ~ '(^|:)\s|\s$')
);

-- What a workspace calls a member; without it they are called as their account says.
alter table memberships add column name text;

create table invitations (
    id uuid primary key,
    workspace_id uuid not null references workspaces,
    user_id uuid not null references users,
    name text not null,
    roles text[] not null,
    invited_by text not null,
    invited_at timestamptz not null,
    -- pending, accepted or declined
    status text not null default 'pending',
    answered_at timestamptz
);
create unique index invitations_open on invitations (user_id, workspace_id) where status = 'pending';

-- A session is what one sign-in began: its refresh tokens name it as their family, its access tokens too. Whoever
-- uses or ends it holds this row.
create table sessions (
    id uuid primary key,
    workspace_id uuid not null references workspaces,
    user_id uuid not null references users,
    started_at timestamptz not null,
    ended_at timestamptz
);
create index sessions_person on sessions (user_id) where ended_at is null;

insert into sessions (id, workspace_id, user_id, started_at, ended_at)
select family, (array_agg(workspace_id))[1], (array_agg(user_id))[1], min(issued_at),
       case when bool_and(revoked_at is not null) then max(revoked_at) end
from refresh_tokens group by family;

create index refresh_tokens_person on refresh_tokens (user_id) where revoked_at is null;

-- Tries to sign in are forgotten soon, a few with each new one.
create index sign_in_failures_age on sign_in_failures (last_at);
