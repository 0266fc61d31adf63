-- Workspaces, people, their sessions, keys and secrets, and the audit log.

create table workspaces (
    id uuid primary key,
    name text not null unique,
    -- Counts every change of what starts runs, so that a server knows when its memory of it is old.
    catalog_version bigint not null default 1,
    created_at timestamptz not null
);

create table users (
    id uuid primary key,
    email text not null,
    name text not null,
    password_hash text,
    created_at timestamptz not null
);
create unique index users_email_key on users (lower(email));

create table memberships (
    workspace_id uuid not null references workspaces,
    user_id uuid not null references users,
    roles text[] not null,
    active boolean not null default true,
    created_at timestamptz not null,
    primary key (workspace_id, user_id)
);
create index memberships_user on memberships (user_id);
create index memberships_roles on memberships using gin (roles) where active;

create table refresh_tokens (
    hash bytea primary key,
    -- All tokens that descend from one sign-in.
    family uuid not null,
    user_id uuid not null references users,
    workspace_id uuid not null references workspaces,
    issued_at timestamptz not null,
    expires_at timestamptz not null,
    -- Set when the successor is first used: from then on this one is spent.
    spent_at timestamptz,
    revoked_at timestamptz,
    predecessor bytea
);
create index refresh_tokens_family on refresh_tokens (family);

create table sign_in_codes (
    hash bytea primary key,
    user_id uuid not null references users,
    expires_at timestamptz not null,
    used_at timestamptz
);

create table sign_in_failures (
    -- `account:` or `address:` and which.
    subject text primary key,
    failures integer not null,
    last_at timestamptz not null
);

create table api_keys (
    id uuid primary key,
    workspace_id uuid not null references workspaces,
    name text not null,
    hash bytea not null unique,
    scopes text[] not null,
    workflows text[],
    expires_at timestamptz,
    revoked_at timestamptz,
    created_at timestamptz not null,
    created_by text not null
);
create index api_keys_workspace on api_keys (workspace_id, id);

create table secrets (
    workspace_id uuid not null references workspaces,
    name text not null,
    sealed bytea not null,
    updated_at timestamptz not null,
    primary key (workspace_id, name)
);

create table audit (
    id uuid primary key,
    workspace_id uuid not null references workspaces,
    at timestamptz not null,
    actor text not null,
    action text not null,
    subject text not null,
    address text,
    detail jsonb not null
);
create index audit_workspace on audit (workspace_id, id desc);
create index audit_subject on audit (workspace_id, subject, id desc);
create index audit_actor on audit (workspace_id, actor, id desc);

create table idempotency (
    workspace_id uuid not null references workspaces,
    actor text not null,
    key text not null,
    -- Of method, path and body.
    request_hash bytea not null,
    status smallint not null,
    body text not null,
    created_at timestamptz not null,
    primary key (workspace_id, actor, key)
);
create index idempotency_age on idempotency (created_at);
