-- How members want to be told, where they said so.
create table notification_preferences (
    workspace_id uuid not null,
    user_id uuid not null references users,
    preferences jsonb not null,
    updated_at timestamptz not null,
    primary key (workspace_id, user_id)
);

-- Requests that people are to be told of, or that changed since they were. A row is gone once nothing more is to be told.
create table outreach (
    workspace_id uuid not null,
    approval_id uuid not null,
    next_at timestamptz not null,
    -- Counts the changes of the request, so that one which comes while it is looked at isn't lost.
    changes bigint not null default 0,
    attempts integer not null default 0,
    primary key (workspace_id, approval_id)
);
create index outreach_due on outreach (next_at);

-- Requests that are open now: those who want mail only of what is urgent are told as the deadlines come near.
insert into outreach (workspace_id, approval_id, next_at)
select workspace_id, id, greatest(now(), expires_at - interval '2 h') from approvals
where status = 'pending' and expires_at is not null;

alter table deliveries
    -- By which way it goes.
    add column channel text not null default 'mail',
    -- The member whom it is for.
    add column user_id uuid references users,
    -- What it is: a workflow's own words, a request as it stands, or what was held through quiet hours.
    add column kind text not null default 'message',
    -- What a member is sent once by one way: a request at one of its levels, a notice.
    add column dedup_key text,
    -- Whether it waits for quiet hours to end, and goes out with what else waits.
    add column in_quiet_hours boolean not null default false;
create unique index deliveries_dedup on deliveries (workspace_id, user_id, channel, dedup_key) where dedup_key is not null;
-- What waits in quiet hours is gathered by its member, and what a request closes over is found by it.
create index deliveries_quiet on deliveries (workspace_id, user_id, channel) where status = 'pending' and in_quiet_hours;
create index deliveries_request on deliveries (workspace_id, approval_id) where status = 'pending';

-- When the other ways of a notice than the app are looked at; none once they were.
alter table notices add column next_at timestamptz;
create index notices_due on notices (next_at) where next_at is not null;
