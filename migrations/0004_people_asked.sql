-- Requests for decisions, messages to people, and messages to the world.

create table approvals (
    id uuid primary key,
    workspace_id uuid not null,
    execution_id uuid not null,
    workflow_id text not null,
    status text not null,
    withdrawn_because text,
    -- The request as the machine made it; what is searched stands beside it.
    request jsonb not null,
    subject text,
    entity_id text,
    approvers text[] not null,
    seen text not null,
    asked_at timestamptz not null,
    closed_at timestamptz,
    decision jsonb,
    -- The Idempotency-Key of the decision, so that sending it again is answered again.
    decision_key text
);
create index approvals_workspace on approvals (workspace_id, id desc);
create index approvals_status on approvals (workspace_id, status, id desc);
create index approvals_asked on approvals using gin (approvers) where status = 'pending';
create index approvals_execution on approvals (execution_id);
create index approvals_entity on approvals (workspace_id, entity_id text_pattern_ops);
create index approvals_subject on approvals using gin (to_tsvector('simple', subject)) where subject is not null;

create table notices (
    id uuid primary key,
    workspace_id uuid not null,
    user_id uuid not null references users,
    execution_id uuid,
    approval_id uuid,
    subject text,
    message text not null,
    at timestamptz not null,
    read_at timestamptz
);
create index notices_person on notices (workspace_id, user_id, id desc);

create table deliveries (
    id uuid primary key,
    workspace_id uuid not null,
    execution_id uuid not null,
    approval_id uuid,
    recipient text not null,
    subject text,
    message text not null,
    status text not null,
    reason text,
    attempts integer not null default 0,
    next_at timestamptz,
    created_at timestamptz not null,
    delivered_at timestamptz
);
create index deliveries_workspace on deliveries (workspace_id, id desc);
create index deliveries_status on deliveries (workspace_id, status, id desc);
create index deliveries_due on deliveries (next_at) where status = 'pending';
