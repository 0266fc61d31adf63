-- Decisions, one row each: several people may decide a request.
create table approval_decisions (
    workspace_id uuid not null,
    approval_id uuid not null,
    id uuid not null,
    -- The level that it was made at, from 0.
    level integer not null,
    decision text not null,
    by_email text not null,
    by_name text not null,
    comment text,
    -- By the clock of the person who decided; shown, never trusted.
    decided_at timestamptz,
    at timestamptz not null,
    -- Sending a decision again under its key is answered again.
    idempotency_key text,
    primary key (workspace_id, approval_id, id)
);

insert into approval_decisions (workspace_id, approval_id, id, level, decision, by_email, by_name, comment, decided_at,
    at, idempotency_key)
select workspace_id, id, id, 0, decision->>'decision', decision->>'by', coalesce(decision->>'name', decision->>'by'),
    decision->>'comment', (decision->>'decided_at')::timestamptz,
    coalesce((decision->>'at')::timestamptz, closed_at, asked_at), decision_key
from approvals where decision is not null;

alter table approvals drop column decision, drop column decision_key;
