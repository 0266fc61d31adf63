-- How many runs of a workflow began in each two minutes, so that a day's runs are counted without reading each. Written a
-- minute after the two are over; what is newer is counted from `executions`. A run may fail long after it began, so `failed`
-- is written anew every two minutes.
create table run_counts (
    workspace_id uuid not null,
    workflow_id text not null,
    slice timestamptz not null,
    started bigint not null,
    failed bigint not null default 0,
    primary key (workspace_id, workflow_id, slice)
);
create index run_counts_slice on run_counts (slice);

-- Up to when the slices are written: at most one row.
create table run_counts_progress (
    only_row boolean primary key default true check (only_row),
    counted_until timestamptz not null
);

-- Runs that failed are few; they are counted from the index alone.
create index executions_failed on executions (workspace_id, workflow_id, id) where result = 'failed';
