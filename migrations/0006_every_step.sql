-- What the whole language needs: runs that call others, stored rules, webhooks, and waits found by what must
-- be equal.

-- The servers that have a run's calls in flight: more than one where several found something for it to do
-- while others' calls were out. It is taken over when one of them is dead.
alter table executions add column owners uuid[];
update executions set owners = array[owner] where owner is not null;
drop index executions_owner;
alter table executions drop column owner;
create index executions_owned on executions (id) where owners is not null;

-- Runs that other runs called.
create table calls (
    child uuid primary key,
    workspace_id uuid not null,
    parent uuid not null,
    workflow_id text not null,
    -- Where in the parent.
    place json not null,
    awaited boolean not null,
    -- The change of the child (its seq) of which the parent is still to hear.
    owed integer,
    -- Why the child is to end, until it has.
    stop text
);
create index calls_parent on calls (parent);
create index calls_owed on calls (child) where owed is not null;
create index calls_stop on calls (child) where stop is not null;

-- Stored conditions, each version as it was written.
create table rules (
    workspace_id uuid not null,
    rule_id text not null,
    version integer not null,
    archived_at timestamptz,
    primary key (workspace_id, rule_id)
);
create table rule_versions (
    workspace_id uuid not null,
    rule_id text not null,
    version integer not null,
    document jsonb not null,
    created_at timestamptz not null,
    created_by text not null,
    primary key (workspace_id, rule_id, version),
    foreign key (workspace_id, rule_id) references rules
);

-- The rules that a revision asks, as they stood at its publishing: from a rule's id to its version.
alter table workflow_revisions add column rules jsonb not null default '{}';

-- One of the pairs that must be equal in an awaited event: its path, and its value as `wait_key` writes it.
alter table waits
    add column key_path text not null default '',
    add column key_value text not null default '';
drop index waits_event;
create index waits_key on waits (workspace_id, event, key_path, key_value);

-- A workflow's own URL, by a token that can't be guessed.
create table webhooks (
    workspace_id uuid not null,
    workflow_id text not null,
    token text not null unique,
    -- Calls with a wrong signature.
    refused bigint not null default 0,
    primary key (workspace_id, workflow_id),
    foreign key (workspace_id, workflow_id) references workflows
);
create table webhook_secrets (
    id uuid primary key,
    workspace_id uuid not null,
    workflow_id text not null,
    sealed bytea not null,
    created_at timestamptz not null,
    created_by text not null
);
create index webhook_secrets_workflow on webhook_secrets (workspace_id, workflow_id, id);
create table webhook_deliveries (
    id uuid primary key,
    workspace_id uuid not null,
    workflow_id text not null,
    message_id text,
    verdict text not null,
    reason text,
    at timestamptz not null
);
create index webhook_deliveries_workflow on webhook_deliveries (workspace_id, workflow_id, id desc);
