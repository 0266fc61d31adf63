-- What was last seen, what is to be sent, and what was told, by server and person.

create table kept (
    scope text not null,
    key text not null,
    body text not null,
    at text not null,
    primary key (scope, key)
);

create table outbox (
    id text primary key,
    scope text not null,
    item text not null,
    created_at text not null
);

-- Requests for which a notification was raised, so that none is raised twice.
create table alerted (
    scope text not null,
    id text not null,
    primary key (scope, id)
);

create table settings (
    key text primary key,
    value text not null
);
