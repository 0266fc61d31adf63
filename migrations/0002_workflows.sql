-- Workflows and their revisions.

create table workflows (
    workspace_id uuid not null references workspaces,
    workflow_id text not null,
    name text not null,
    enabled boolean not null,
    revision integer not null,
    -- For a schedule that is enabled: when it is due next.
    next_due timestamptz,
    archived_at timestamptz,
    updated_at timestamptz not null,
    primary key (workspace_id, workflow_id)
);
create index workflows_due on workflows (next_due) where next_due is not null;

create table workflow_revisions (
    workspace_id uuid not null,
    workflow_id text not null,
    revision integer not null,
    format text not null,
    source text not null,
    document jsonb not null,
    version text,
    created_at timestamptz not null,
    created_by text not null,
    primary key (workspace_id, workflow_id, revision),
    foreign key (workspace_id, workflow_id) references workflows
);
