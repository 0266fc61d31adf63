-- Which connector serves a name of `context.load`: one at most.
create table connector_loads (
    workspace_id uuid not null references workspaces,
    name text not null,
    connector_id uuid not null references connectors on delete cascade,
    primary key (workspace_id, name)
);
create index connector_loads_by_connector on connector_loads (connector_id);

-- Answers that were kept under an earlier number count no more: it grows when somebody purges them.
alter table connectors add column purges integer not null default 0;

-- A purge changes nothing of what was approved.
drop trigger connectors_count_environment_change on connectors;
create trigger connectors_count_environment_change after insert or update of revision or delete on connectors
    for each row execute function count_environment_change();

-- Servers remember which names a workflow loads that somebody serves, as long as this version stands.
create function count_catalog_change() returns trigger language plpgsql as $$
begin
    update workspaces set catalog_version = catalog_version + 1
    where id in (select workspace_id from changed);
    return null;
end
$$;
create trigger made_loads_change_the_catalog after insert on connector_loads
    referencing new table as changed for each statement execute function count_catalog_change();
create trigger deleted_loads_change_the_catalog after delete on connector_loads
    referencing old table as changed for each statement execute function count_catalog_change();
