-- Other systems that workflows call by named operations.
create table connectors (
    -- Another one for each that is made, also under a name that was there before.
    id uuid primary key,
    workspace_id uuid not null references workspaces,
    name text not null,
    -- The revision that calls use.
    revision integer not null,
    unique (workspace_id, name)
);

create table connector_revisions (
    connector_id uuid not null references connectors on delete cascade,
    revision integer not null,
    -- The settings as an administrator wrote them.
    spec jsonb not null,
    -- The text of an OpenAPI document; null for other kinds.
    document text,
    -- What they offer: operations and the schemas that these share. Large, and only read as a whole.
    catalog text not null,
    -- What is shown of that without reading it: {base_url, operation_count, offered_auth}.
    overview jsonb not null,
    findings jsonb not null,
    created_at timestamptz not null,
    created_by text not null,
    primary key (connector_id, revision)
);

-- Which connector serves a kind of record: one at most.
create table connector_entities (
    workspace_id uuid not null references workspaces,
    entity text not null,
    connector_id uuid not null references connectors on delete cascade,
    primary key (workspace_id, entity)
);
create index connector_entities_by_connector on connector_entities (connector_id);

-- What a connector offers is part of what was approved.
create trigger connectors_count_environment_change after insert or update or delete on connectors
    for each row execute function count_environment_change();
