-- Requests that several people decide: what became of their levels, absences, calendars, and what is put off.

-- Counts every change of people, absences and calendars, so that a decision is judged by what is true when it is written.
alter table workspaces
    add column environment_version bigint not null default 1,
    -- Up to when absences that begin and end were counted.
    add column environment_at timestamptz not null default now();

-- What a run had to know of its workspace to take an input.
alter table journal add column environment json;

alter table approvals
    -- What became of a request since it was asked; none for those of earlier versions.
    add column progress jsonb,
    -- The environment_version at which it was last looked at.
    add column checked_version bigint not null default 0,
    add column expires_at timestamptz,
    add column amount numeric;
update approvals set expires_at = (request->>'expires_at')::timestamptz,
    amount = case when request->>'amount' ~ '^-?[0-9]{1,30}([.][0-9]{1,20})?$' then (request->>'amount')::numeric end
where status = 'pending';
create index approvals_unchecked on approvals (workspace_id, checked_version) where status = 'pending';
create index approvals_amount on approvals
    (workspace_id, (amount is null), (coalesce(request->>'currency', '')), (-coalesce(amount, 0)), id)
    where status = 'pending';
create index approvals_due on approvals (workspace_id, expires_at, id) where status = 'pending';

alter table approval_decisions
    add column n integer not null default 0,
    add column edits jsonb,
    -- In what the person decided, as it was true then.
    add column capacities jsonb,
    add column veto boolean not null default false,
    add column seen text not null default '',
    add column by_edit boolean not null default false,
    add column retracted_at timestamptz,
    -- Sending a retraction again under its key is answered again.
    add column retraction_key text,
    add column superseded_at timestamptz;
create index approval_decisions_person on approval_decisions (workspace_id, by_email, approval_id);

create table absences (
    id uuid primary key,
    workspace_id uuid not null references workspaces,
    user_id uuid not null references users,
    from_at timestamptz not null,
    until_at timestamptz not null,
    delegate_id uuid references users,
    note text,
    created_at timestamptz not null,
    created_by text not null,
    check (from_at < until_at)
);
create index absences_person on absences (workspace_id, user_id, until_at);
create index absences_delegate on absences (workspace_id, delegate_id, until_at) where delegate_id is not null;
create index absences_begin on absences (workspace_id, from_at);
create index absences_end on absences (workspace_id, until_at);

create table calendars (
    workspace_id uuid not null references workspaces,
    name text not null,
    calendar jsonb not null,
    etag uuid not null,
    updated_at timestamptz not null,
    updated_by text not null,
    primary key (workspace_id, name)
);

create table snoozes (
    workspace_id uuid not null references workspaces,
    user_id uuid not null references users,
    approval_id uuid not null references approvals,
    until_at timestamptz not null,
    primary key (workspace_id, user_id, approval_id)
);

-- Whatever changes people, absences or calendars is counted here, so that no path to them can forget it.
create function count_environment_change() returns trigger language plpgsql as $$
begin
    update workspaces set environment_version = environment_version + 1
    where id = case when tg_op = 'DELETE' then old.workspace_id else new.workspace_id end;
    return null;
end
$$;
create trigger memberships_counted after insert or update or delete on memberships
    for each row execute function count_environment_change();
create trigger absences_counted after insert or update or delete on absences
    for each row execute function count_environment_change();
create trigger calendars_counted after insert or update or delete on calendars
    for each row execute function count_environment_change();
