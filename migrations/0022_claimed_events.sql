-- Events that came before a run started, and that it took all the same (`since` of a wait): each is taken so by one run only.
create table event_claims (
    -- The event's own id, `events.id`; events may be dropped before their claims.
    event uuid primary key,
    workspace_id uuid not null references workspaces,
    execution_id uuid not null
);
