-- Events, executions and their journal, timers and waits.

-- Every event, by an id of the server's own that follows time.
create table events (
    id uuid primary key,
    workspace_id uuid not null,
    event_id text not null,
    type text not null,
    source text,
    time timestamptz not null,
    requester jsonb,
    payload jsonb not null,
    depth integer not null,
    -- A workflow published it, and the runs that it starts are still to be started.
    pending boolean not null
);
create index events_type on events (workspace_id, type, id);
create index events_pending on events (id) where pending;

-- The senders' ids, unique for good: events may be partitioned and dropped, this may not.
create table event_ids (
    workspace_id uuid not null,
    event_id text not null,
    event uuid not null,
    content_hash bytea not null,
    primary key (workspace_id, event_id)
);

create table executions (
    id uuid primary key,
    workspace_id uuid not null,
    workflow_id text not null,
    revision integer not null,
    machine_version integer not null,
    status text not null,
    result text,
    decision text,
    subject text,
    amount text,
    currency text,
    reason text,
    event_id text not null,
    requester jsonb,
    started_at timestamptz not null,
    ended_at timestamptz,
    waits_for jsonb not null,
    error jsonb,
    -- How many journal rows there are. Whoever changes a run names the seq that he read.
    seq integer not null,
    -- The run's state after `state_seq` rows of the journal; later rows are applied on loading.
    state jsonb not null,
    state_seq integer not null,
    -- The server that performs the calls in flight, and the fence that its outcomes carry.
    owner uuid,
    epoch integer not null
);
create index executions_workspace on executions (workspace_id, id desc);
create index executions_workflow on executions (workspace_id, workflow_id, id desc);
create index executions_open on executions (workspace_id, status, id desc) where status <> 'ended';
create index executions_result on executions (workspace_id, result, id desc) where result is not null;
create index executions_event on executions (workspace_id, event_id text_pattern_ops);
create index executions_subject on executions using gin (to_tsvector('simple', subject)) where subject is not null;
create index executions_owner on executions (owner) where owner is not null;

create table journal (
    execution_id uuid not null,
    seq integer not null,
    at timestamptz not null,
    stamp uuid not null,
    input jsonb not null,
    facts jsonb not null,
    primary key (execution_id, seq)
);

create table timers (
    execution_id uuid not null,
    timer text not null,
    workspace_id uuid not null,
    due_at timestamptz not null,
    primary key (execution_id, timer)
);
create index timers_due on timers (due_at);

create table waits (
    execution_id uuid not null,
    place text not null,
    workspace_id uuid not null,
    -- The awaited type, or a prefix with `.*`.
    event text not null,
    -- Only events after this one count.
    since uuid not null,
    awaited jsonb not null,
    primary key (execution_id, place)
);
create index waits_event on waits (workspace_id, event);

-- The servers that live. One that doesn't renew its row has lost what it owned.
create table servers (
    id uuid primary key,
    alive_until timestamptz not null
);
