-- The environment_version that a change of the calendar made: what was looked at later has been counted in it already.
alter table calendars add column environment_version bigint not null default 0;

drop trigger calendars_counted on calendars;
update calendars c set environment_version = w.environment_version from workspaces w where w.id = c.workspace_id;
alter table calendars alter column environment_version drop default;

create function count_calendar_change() returns trigger language plpgsql as $$
begin
    update workspaces set environment_version = environment_version + 1
    where id = new.workspace_id
    returning environment_version into new.environment_version;
    return new;
end
$$;
create trigger calendars_counted before insert or update on calendars
    for each row execute function count_calendar_change();
create trigger deleted_calendars_counted after delete on calendars
    for each row execute function count_environment_change();
