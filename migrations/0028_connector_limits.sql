-- Whether calls of a connector are made: after so many failures in a row none is until then, and the first one after that finds
-- out for all.
alter table connectors
    add column failures integer not null default 0,
    add column held_until timestamptz,
    -- Until when the call that finds out must be over.
    add column probing_until timestamptz,
    -- Why none is made, as part of a sentence.
    add column held_because text;

-- Calls of connectors that bound how many run at once, over all servers. A server that dies leaves its leases to run out.
create table connector_leases (
    connector_id uuid not null references connectors on delete cascade,
    id uuid not null,
    until timestamptz not null,
    primary key (connector_id, id)
);

-- How many calls a connector may still make at once of its rate; the row is also the lock that orders those who ask.
create table connector_rates (
    connector_id uuid primary key references connectors on delete cascade,
    tokens double precision not null,
    filled_at timestamptz not null
);

-- How many calls there were in ten minutes, for the health that is shown.
create table connector_rollups (
    connector_id uuid not null references connectors on delete cascade,
    since timestamptz not null,
    calls integer not null,
    failures integer not null,
    -- How many took up to so long: one number for each power of 1.1, in milliseconds.
    took integer[] not null,
    primary key (connector_id, since)
);

-- The last calls of each connector, for people who look.
create table connector_calls (
    id uuid primary key,
    connector_id uuid not null references connectors on delete cascade,
    at timestamptz not null,
    operation text not null,
    -- The run that called; null for one that somebody tried.
    execution_id uuid,
    status integer,
    error text,
    took_ms integer not null
);
create index connector_calls_by_connector on connector_calls (connector_id, at desc);
