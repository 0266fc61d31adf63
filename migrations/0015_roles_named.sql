-- What a workspace calls its roles in sentences; a role without a row is called as its id reads.
create table role_names (
    workspace_id uuid not null references workspaces,
    role text not null,
    name text not null,
    primary key (workspace_id, role)
);
