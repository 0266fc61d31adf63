-- How many runs descend from one event from outside, by the events that runs publish.

-- The event from outside from which a published one descends; null for one that came from outside itself.
alter table events add column root uuid;

create table event_families (
    root uuid primary key,
    workspace_id uuid not null,
    -- How many runs its descendants started.
    runs integer not null
);
