-- A database as a server of migration 8 left it, killed while a call waited for its next attempt: made by that server, with
-- the sample data and five workflows more, and dumped by pg_dump. Nothing in it is secret.
CREATE TABLE public._sqlx_migrations (
    version bigint NOT NULL,
    description text NOT NULL,
    installed_on timestamp with time zone DEFAULT now() NOT NULL,
    success boolean NOT NULL,
    checksum bytea NOT NULL,
    execution_time bigint NOT NULL
);
CREATE TABLE public.api_keys (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    name text NOT NULL,
    hash bytea NOT NULL,
    scopes text[] NOT NULL,
    workflows text[],
    expires_at timestamp with time zone,
    revoked_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    created_by text NOT NULL
);
CREATE TABLE public.approvals (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    execution_id uuid NOT NULL,
    workflow_id text NOT NULL,
    status text NOT NULL,
    withdrawn_because text,
    request jsonb NOT NULL,
    subject text,
    entity_id text,
    approvers text[] NOT NULL,
    seen text NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    decision jsonb,
    decision_key text
);
CREATE TABLE public.audit (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    address text,
    detail jsonb NOT NULL
);
CREATE TABLE public.calls (
    child uuid NOT NULL,
    workspace_id uuid NOT NULL,
    parent uuid NOT NULL,
    workflow_id text NOT NULL,
    place json NOT NULL,
    awaited boolean NOT NULL,
    owed integer,
    stop text
);
CREATE TABLE public.deliveries (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    execution_id uuid NOT NULL,
    approval_id uuid,
    recipient text NOT NULL,
    subject text,
    message text NOT NULL,
    status text NOT NULL,
    reason text,
    attempts integer DEFAULT 0 NOT NULL,
    next_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    delivered_at timestamp with time zone
);
CREATE TABLE public.event_ids (
    workspace_id uuid NOT NULL,
    event_id text NOT NULL,
    event uuid NOT NULL,
    content_hash bytea NOT NULL
);
CREATE TABLE public.events (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    event_id text NOT NULL,
    type text NOT NULL,
    source text,
    "time" timestamp with time zone NOT NULL,
    requester jsonb,
    payload json NOT NULL,
    depth integer NOT NULL,
    pending boolean NOT NULL
);
CREATE TABLE public.executions (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    workflow_id text NOT NULL,
    revision integer NOT NULL,
    machine_version integer NOT NULL,
    status text NOT NULL,
    result text,
    decision text,
    subject text,
    amount text,
    currency text,
    reason text,
    event_id text NOT NULL,
    requester jsonb,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    waits_for jsonb NOT NULL,
    error jsonb,
    seq integer NOT NULL,
    state json,
    state_seq integer NOT NULL,
    epoch integer NOT NULL,
    owners uuid[]
)
WITH (fillfactor='75');
CREATE TABLE public.idempotency (
    workspace_id uuid NOT NULL,
    actor text NOT NULL,
    key text NOT NULL,
    request_hash bytea NOT NULL,
    status smallint NOT NULL,
    body text NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE public.journal (
    execution_id uuid NOT NULL,
    seq integer NOT NULL,
    at timestamp with time zone NOT NULL,
    stamp uuid NOT NULL,
    input json NOT NULL,
    facts json NOT NULL,
    first_fact integer
);
CREATE TABLE public.memberships (
    workspace_id uuid NOT NULL,
    user_id uuid NOT NULL,
    roles text[] NOT NULL,
    active boolean DEFAULT true NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE public.notices (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    user_id uuid NOT NULL,
    execution_id uuid,
    approval_id uuid,
    subject text,
    message text NOT NULL,
    at timestamp with time zone NOT NULL,
    read_at timestamp with time zone
);
CREATE TABLE public.refresh_tokens (
    hash bytea NOT NULL,
    family uuid NOT NULL,
    user_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    spent_at timestamp with time zone,
    revoked_at timestamp with time zone,
    predecessor bytea
);
CREATE TABLE public.rule_versions (
    workspace_id uuid NOT NULL,
    rule_id text NOT NULL,
    version integer NOT NULL,
    document jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    created_by text NOT NULL,
    format text NOT NULL,
    source text NOT NULL
);
CREATE TABLE public.rules (
    workspace_id uuid NOT NULL,
    rule_id text NOT NULL,
    version integer NOT NULL,
    archived_at timestamp with time zone
);
CREATE TABLE public.secrets (
    workspace_id uuid NOT NULL,
    name text NOT NULL,
    sealed bytea NOT NULL,
    updated_at timestamp with time zone NOT NULL
);
CREATE TABLE public.servers (
    id uuid NOT NULL,
    alive_until timestamp with time zone NOT NULL
);
CREATE TABLE public.sign_in_codes (
    hash bytea NOT NULL,
    user_id uuid NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone
);
CREATE TABLE public.sign_in_failures (
    subject text NOT NULL,
    failures integer NOT NULL,
    last_at timestamp with time zone NOT NULL
);
CREATE TABLE public.timers (
    execution_id uuid NOT NULL,
    timer text NOT NULL,
    workspace_id uuid NOT NULL,
    due_at timestamp with time zone NOT NULL
);
CREATE TABLE public.users (
    id uuid NOT NULL,
    email text NOT NULL,
    name text NOT NULL,
    password_hash text,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE public.waits (
    execution_id uuid NOT NULL,
    place text NOT NULL,
    workspace_id uuid NOT NULL,
    event text NOT NULL,
    since uuid NOT NULL,
    awaited jsonb NOT NULL,
    key_path text DEFAULT ''::text NOT NULL,
    key_value text DEFAULT ''::text NOT NULL
);
CREATE TABLE public.webhook_deliveries (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    workflow_id text NOT NULL,
    message_id text,
    verdict text NOT NULL,
    reason text,
    at timestamp with time zone NOT NULL
);
CREATE TABLE public.webhook_secrets (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    workflow_id text NOT NULL,
    sealed bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    created_by text NOT NULL
);
CREATE TABLE public.webhooks (
    workspace_id uuid NOT NULL,
    workflow_id text NOT NULL,
    token text NOT NULL,
    refused bigint DEFAULT 0 NOT NULL
);
CREATE TABLE public.workflow_revisions (
    workspace_id uuid NOT NULL,
    workflow_id text NOT NULL,
    revision integer NOT NULL,
    format text NOT NULL,
    source text NOT NULL,
    document jsonb NOT NULL,
    version text,
    created_at timestamp with time zone NOT NULL,
    created_by text NOT NULL,
    rules jsonb DEFAULT '{}'::jsonb NOT NULL
);
CREATE TABLE public.workflows (
    workspace_id uuid NOT NULL,
    workflow_id text NOT NULL,
    name text NOT NULL,
    enabled boolean NOT NULL,
    revision integer NOT NULL,
    next_due timestamp with time zone,
    archived_at timestamp with time zone,
    updated_at timestamp with time zone NOT NULL
);
CREATE TABLE public.workspaces (
    id uuid NOT NULL,
    name text NOT NULL,
    catalog_version bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone NOT NULL
);
INSERT INTO public._sqlx_migrations VALUES (1, 'people', '2026-11-27 02:15:07.082697+00', true, '\x04d9913b2f9a7e801dfb5789b00d76c72b52ac684b510e5a93c6e56316601e94b6cb9770919fd3b12f882fc10b2380d3', 28542969);
INSERT INTO public._sqlx_migrations VALUES (2, 'workflows', '2026-11-27 02:15:07.11209+00', true, '\x3644eb8046cd86d1e136a6a9c54c9f74b4f91dc2b4e66b82537db106965fedaaec8b2f7c086410fd9a322ef1088708f3', 6614124);
INSERT INTO public._sqlx_migrations VALUES (3, 'engine', '2026-11-27 02:15:07.119069+00', true, '\x346f84e16c0a2f02564571d51595a86b169d9744c0d22532b5623dc62aba646ab51ba98b23b4d6cc89e1f3308de1ba44', 13331332);
INSERT INTO public._sqlx_migrations VALUES (4, 'people asked', '2026-11-27 02:15:07.132805+00', true, '\x6937571214f3a80a275412afdcb4fcbcdc9500b9b6926d1b4a1e10662c2d84d5de956f1fc51353a51be15354a8f4a774', 6672642);
INSERT INTO public._sqlx_migrations VALUES (5, 'written once', '2026-11-27 02:15:07.139786+00', true, '\x34a42071da264ec39e7eadf18c70a8271e06f16e6f6b3445a7dcd42c05bffcd94aa1bae45db2828db019e93a71195db2', 8799193);
INSERT INTO public._sqlx_migrations VALUES (6, 'every step', '2026-11-27 02:15:07.148925+00', true, '\x175400994027ccbefe925f43604af5fc7fbb4a36f289a49a3d3f7d53210a484d25b56423217c5eed8d1f038481846877', 11543394);
INSERT INTO public._sqlx_migrations VALUES (7, 'rules as written', '2026-11-27 02:15:07.160867+00', true, '\x693facd7477e525076962639596940b3523ca7dfe9d67488df4c75edbaba85c056f1aab664f400da408a4cd32424eca7', 899607);
INSERT INTO public._sqlx_migrations VALUES (8, 'traces from their middle', '2026-11-27 02:15:07.161969+00', true, '\xd892d84c310be15a9f2966aa39db2c9b4d3dd19a2c7db4919740a92fea26313dc0a5be4dd5f9d8668f54835dc7be226c', 638609);
INSERT INTO public.api_keys VALUES ('01a21ac8-f56e-77f6-9a55-2d5dffa68b80', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'Web shop', '\x19e065a0cfc0fd2f2f5d680c058e73fdab5ac33f8d2e51e12b1c64a48c448f4d', '{events:write,executions:read}', NULL, NULL, NULL, '2026-11-27 02:15:07.374739+00', 'sample data');
INSERT INTO public.approvals VALUES ('01a21ac9-0759-76c6-9753-22a71e1ac0b6', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '01a21ac9-0759-76c6-9753-22a6b301e8f8', 'big_order', 'pending', NULL, '{"why": [], "data": {"customer": "Kestrel"}, "form": [], "place": {"step": "review", "visit": 1}, "amount": "7000", "entity": "order", "forbid": ["requester"], "levels": [{"name": "finance", "quorum": 1, "approvers": ["role:finance"]}], "reason": "7000 is much", "subject": "Order O-3", "currency": "EUR", "entity_id": "O-3", "requester": {"kind": "person", "name": "Mia Falk", "email": "mia.falk@example.com"}, "expires_at": "2036-11-24T02:15:11.961316Z", "approval_id": "01a21ac9-0759-76c6-9753-22a71e1ac0b6", "if_approved": ["Order O-3 is allowed."], "if_rejected": ["Order O-3 is blocked."]}', 'Order O-3', 'O-3', '{role:finance}', 'sha256:da8b92ed5ad3a103de780e32653f4a200b87fd7fba8ca5db1d085a915ed64869', '2026-11-27 02:15:11.961316+00', NULL, NULL, NULL);
INSERT INTO public.approvals VALUES ('01a21ac9-0780-7314-95ef-86dfaf698a61', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '01a21ac9-0780-7314-95ef-86dec481b7ee', 'checks', 'pending', NULL, '{"why": [], "data": {}, "form": [], "place": {"step": "ask_money", "visit": 1, "within": [{"step": "both", "visit": 1, "branch": "money"}]}, "amount": null, "entity": "check", "forbid": ["requester"], "levels": [{"name": "finance", "quorum": 1, "approvers": ["role:finance"]}], "reason": "Is there money?", "subject": "Winter coats", "currency": null, "entity_id": "Winter coats", "requester": {"kind": "person", "name": "Mia Falk", "email": "mia.falk@example.com"}, "expires_at": null, "approval_id": "01a21ac9-0780-7314-95ef-86dfaf698a61", "if_approved": ["This branch passes."], "if_rejected": ["This branch fails."]}', 'Winter coats', 'Winter coats', '{role:finance}', 'sha256:0bef6d72f3f9251283a24247a9e8db6d1d6c0ca3529ff7948a7e3d4afd80940d', '2026-11-27 02:15:12.000148+00', NULL, NULL, NULL);
INSERT INTO public.approvals VALUES ('01a21ac9-0792-75ca-9998-21faa244c4d7', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '01a21ac9-0780-7314-95ef-86dfaf698a62', 'stock_check', 'pending', NULL, '{"why": [], "data": {}, "form": [], "place": {"step": "ask", "visit": 1}, "amount": null, "entity": "stock", "forbid": ["requester"], "levels": [{"name": "stock", "quorum": 1, "approvers": ["role:sales_manager"]}], "reason": "Look in the store", "subject": null, "currency": null, "entity_id": "Winter coats", "requester": {"kind": "person", "name": "Mia Falk", "email": "mia.falk@example.com"}, "expires_at": null, "approval_id": "01a21ac9-0792-75ca-9998-21faa244c4d7", "if_approved": ["The run is allowed."], "if_rejected": ["The run is blocked."]}', NULL, 'Winter coats', '{role:sales_manager}', 'sha256:ec35162f28b1917b30dc6e01f00e4bd8612c6b25f60dab348ae3b4cecf566af8', '2026-11-27 02:15:12.01869+00', NULL, NULL, NULL);
INSERT INTO public.approvals VALUES ('01a21ac9-072c-72e6-97e3-39b6ff89e34c', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '01a21ac9-072c-72e6-97e3-39b517662bac', 'big_order', 'approved', NULL, '{"why": [], "data": {"customer": "Kestrel"}, "form": [], "place": {"step": "review", "visit": 1}, "amount": "900", "entity": "order", "forbid": ["requester"], "levels": [{"name": "finance", "quorum": 1, "approvers": ["role:finance"]}], "reason": "900 is much", "subject": "Order O-1", "currency": "EUR", "entity_id": "O-1", "requester": {"kind": "person", "name": "Mia Falk", "email": "mia.falk@example.com"}, "expires_at": "2036-11-24T02:15:11.916390Z", "approval_id": "01a21ac9-072c-72e6-97e3-39b6ff89e34c", "if_approved": ["Order O-1 is allowed."], "if_rejected": ["Order O-1 is blocked."]}', 'Order O-1', 'O-1', '{role:finance}', 'sha256:0604ccd18971b85db1e2decf2cc19af9f8da141d14131add19d2d9272249ae63', '2026-11-27 02:15:11.91639+00', '2026-11-27 02:15:13.55117+00', '{"at": "2026-11-27T02:15:13.547155Z", "by": "cy.roth@example.com", "name": "Cy Roth", "comment": "Fine", "decision": "approve"}', 'k-1');
INSERT INTO public.approvals VALUES ('01a21ac9-0751-77c2-a8c8-097d7ad176fd', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '01a21ac9-0751-77c2-a8c8-097ca0089fb7', 'big_order', 'rejected', NULL, '{"why": [], "data": {"customer": "Kestrel"}, "form": [], "place": {"step": "review", "visit": 1}, "amount": "5000", "entity": "order", "forbid": ["requester"], "levels": [{"name": "finance", "quorum": 1, "approvers": ["role:finance"]}], "reason": "5000 is much", "subject": "Order O-2", "currency": "EUR", "entity_id": "O-2", "requester": {"kind": "person", "name": "Mia Falk", "email": "mia.falk@example.com"}, "expires_at": "2036-11-24T02:15:11.953961Z", "approval_id": "01a21ac9-0751-77c2-a8c8-097d7ad176fd", "if_approved": ["Order O-2 is allowed."], "if_rejected": ["Order O-2 is blocked."]}', 'Order O-2', 'O-2', '{role:finance}', 'sha256:329a158cf6a97a023a745b19ee59c6e2af5ac20cdd21758a88550f84a4502665', '2026-11-27 02:15:11.953961+00', '2026-11-27 02:15:13.570078+00', '{"at": "2026-11-27T02:15:13.569101Z", "by": "bo.ek@example.com", "name": "Bo Ek", "comment": "Too much", "decision": "reject"}', NULL);
INSERT INTO public.audit VALUES ('01a21ac9-0575-73e9-8c58-d87d43eeb8d0', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '2026-11-27 02:15:11.476201+00', 'ina.berg@example.com', 'session.started', 'ina.berg@example.com', '127.0.0.1', '{"with": "password"}');
INSERT INTO public.audit VALUES ('01a21ac9-05d1-7066-9227-69cbb4256c4d', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '2026-11-27 02:15:11.568069+00', 'bo.ek@example.com', 'session.started', 'bo.ek@example.com', '127.0.0.1', '{"with": "password"}');
INSERT INTO public.audit VALUES ('01a21ac9-0610-72b7-b5e9-499ef49f5cb7', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '2026-11-27 02:15:11.631119+00', 'ada.lind@example.com', 'session.started', 'ada.lind@example.com', '127.0.0.1', '{"with": "password"}');
INSERT INTO public.audit VALUES ('01a21ac9-0640-70ba-ab10-e9227c3a816a', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '2026-11-27 02:15:11.680043+00', 'cy.roth@example.com', 'session.started', 'cy.roth@example.com', '127.0.0.1', '{"with": "password"}');
INSERT INTO public.audit VALUES ('01a21ac9-067a-7083-8d6e-907848a4342d', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '2026-11-27 02:15:11.737709+00', 'mia.falk@example.com', 'session.started', 'mia.falk@example.com', '127.0.0.1', '{"with": "password"}');
INSERT INTO public.audit VALUES ('01a21ac9-069e-7485-aea8-3dc2a5939b45', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '2026-11-27 02:15:11.774666+00', 'ada.lind@example.com', 'workflow.published', 'big_order', '127.0.0.1', '{"enabled": true, "revision": 1}');
INSERT INTO public.audit VALUES ('01a21ac9-06bb-70e0-8857-ecfc7334f648', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '2026-11-27 02:15:11.804005+00', 'ada.lind@example.com', 'workflow.published', 'wait_for_payment', '127.0.0.1', '{"enabled": true, "revision": 1}');
INSERT INTO public.audit VALUES ('01a21ac9-06e0-721f-ae71-ae45f35d73ad', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '2026-11-27 02:15:11.840149+00', 'ada.lind@example.com', 'workflow.published', 'stock_check', '127.0.0.1', '{"enabled": true, "revision": 1}');
INSERT INTO public.audit VALUES ('01a21ac9-06f9-768a-a1aa-0b50584a0e4e', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '2026-11-27 02:15:11.865229+00', 'ada.lind@example.com', 'workflow.published', 'checks', '127.0.0.1', '{"enabled": true, "revision": 1}');
INSERT INTO public.audit VALUES ('01a21ac9-0712-72c7-97c3-439d3608f75d', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '2026-11-27 02:15:11.890824+00', 'ada.lind@example.com', 'workflow.published', 'slow_call', '127.0.0.1', '{"enabled": true, "revision": 1}');
INSERT INTO public.audit VALUES ('01a21ac9-0d8b-7531-874d-e4babbaa05b1', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '2026-11-27 02:15:13.547187+00', 'cy.roth@example.com', 'approval.decided', '01a21ac9-072c-72e6-97e3-39b6ff89e34c', '127.0.0.1', '{"decision": "approve", "execution_id": "01a21ac9-072c-72e6-97e3-39b517662bac"}');
INSERT INTO public.audit VALUES ('01a21ac9-0da1-715f-9d89-3a3d606a787b', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '2026-11-27 02:15:13.569128+00', 'bo.ek@example.com', 'approval.decided', '01a21ac9-0751-77c2-a8c8-097d7ad176fd', '127.0.0.1', '{"decision": "reject", "execution_id": "01a21ac9-0751-77c2-a8c8-097ca0089fb7"}');
INSERT INTO public.audit VALUES ('01a21ac9-1399-703c-9532-e4fcbac64b76', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '2026-11-27 02:15:15.096801+00', 'ina.berg@example.com', 'session.started', 'ina.berg@example.com', '127.0.0.1', '{"with": "password"}');
INSERT INTO public.audit VALUES ('01a21ac9-13d8-7177-9bb8-8fcc577952f9', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '2026-11-27 02:15:15.158612+00', 'bo.ek@example.com', 'session.started', 'bo.ek@example.com', '127.0.0.1', '{"with": "password"}');
INSERT INTO public.audit VALUES ('01a21ac9-1411-7592-84f1-40b391f7d7e4', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '2026-11-27 02:15:15.216078+00', 'ada.lind@example.com', 'session.started', 'ada.lind@example.com', '127.0.0.1', '{"with": "password"}');
INSERT INTO public.audit VALUES ('01a21ac9-1451-751a-b777-4f3af82b76c7', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '2026-11-27 02:15:15.279501+00', 'cy.roth@example.com', 'session.started', 'cy.roth@example.com', '127.0.0.1', '{"with": "password"}');
INSERT INTO public.audit VALUES ('01a21ac9-148e-769b-8c6e-e46c0fc7bbc1', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '2026-11-27 02:15:15.340473+00', 'mia.falk@example.com', 'session.started', 'mia.falk@example.com', '127.0.0.1', '{"with": "password"}');
INSERT INTO public.calls VALUES ('01a21ac9-0780-7314-95ef-86dfaf698a62', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '01a21ac9-0780-7314-95ef-86dec481b7ee', 'stock_check', '{"step":"ask_stock","visit":1,"within":[{"step":"both","visit":1,"branch":"stock"}]}', true, NULL, NULL);
INSERT INTO public.event_ids VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'e-O-1', '01a21ac9-072c-72e6-97e3-39b45deb03af', '\x5f548d0c0874d47302d1be7a3b262f314194df1883abd2249d95c598c1a3599a');
INSERT INTO public.event_ids VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'e-O-2', '01a21ac9-0751-77c2-a8c8-097b7ab95390', '\x09a79397936367542f8bbae810cbf3ab2af02504c6f0e4f60650949f6febc9a2');
INSERT INTO public.event_ids VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'e-O-3', '01a21ac9-0759-76c6-9753-22a53ed225f1', '\x37d9b4ff8ac70d08203e1278f9382ecb651cea0965450810afa473ee105a1929');
INSERT INTO public.event_ids VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'e-I-1', '01a21ac9-0764-7715-93a3-b6c552d11cda', '\x1cbf6a12a3431848aab4e95002ee67e0f91cfd9986bdc08ee38524bc8ad6c206');
INSERT INTO public.event_ids VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'e-I-2', '01a21ac9-0770-71ae-bf2d-81c2ecc9ff80', '\xad4f4ebfd861518a3e6790190d229b69257b000cac9ed2ea0188c7652f845fb0');
INSERT INTO public.event_ids VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'e-P-2', '01a21ac9-0779-7238-a3a3-d90ff684a217', '\x6056e404d6846a5ef632fef2b9b69e7203313bc7a83aaaa0782fdb5678e6006f');
INSERT INTO public.event_ids VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'e-C-1', '01a21ac9-0780-7314-95ef-86dda8a0830f', '\xc8760db24c7fb15c525dd9ca63cf48918f0cb2fdb1297633221df9870b470e6c');
INSERT INTO public.event_ids VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'e-S-1', '01a21ac9-078e-756a-8e3f-96a1e78cec7a', '\xda4aa9ed1b4ea1a6d2076147c4acce228d6ec2a23a3879a197bf682b84b9fa8e');
INSERT INTO public.event_ids VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '01a21ac9-0780-7314-95ef-86dec481b7ee:ask_stock:1:both.1.stock:call', '01a21ac9-0792-75ca-9998-21f9accfb874', '\x');
INSERT INTO public.event_ids VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '01a21ac9-072c-72e6-97e3-39b6ff89e34c:decided', '01a21ac9-0d8f-7714-88f8-a03ad7e6e570', '\x');
INSERT INTO public.event_ids VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '01a21ac9-0751-77c2-a8c8-097d7ad176fd:decided', '01a21ac9-0da2-7257-8869-6e8dffb56447', '\x');
INSERT INTO public.events VALUES ('01a21ac9-072c-72e6-97e3-39b45deb03af', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'e-O-1', 'order.placed', NULL, '2026-11-27 02:15:11.906633+00', '{"kind": "person", "name": "Mia Falk", "email": "mia.falk@example.com"}', '{"order":{"customer":"Kestrel","id":"O-1","total":900}}', 0, false);
INSERT INTO public.events VALUES ('01a21ac9-0751-77c2-a8c8-097b7ab95390', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'e-O-2', 'order.placed', NULL, '2026-11-27 02:15:11.953876+00', '{"kind": "person", "name": "Mia Falk", "email": "mia.falk@example.com"}', '{"order":{"customer":"Kestrel","id":"O-2","total":5000}}', 0, false);
INSERT INTO public.events VALUES ('01a21ac9-0759-76c6-9753-22a53ed225f1', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'e-O-3', 'order.placed', NULL, '2026-11-27 02:15:11.961241+00', '{"kind": "person", "name": "Mia Falk", "email": "mia.falk@example.com"}', '{"order":{"customer":"Kestrel","id":"O-3","total":7000}}', 0, false);
INSERT INTO public.events VALUES ('01a21ac9-0764-7715-93a3-b6c552d11cda', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'e-I-1', 'invoice.sent', NULL, '2026-11-27 02:15:11.972023+00', '{"kind": "person", "name": "Mia Falk", "email": "mia.falk@example.com"}', '{"invoice":{"id":"I-1"}}', 0, false);
INSERT INTO public.events VALUES ('01a21ac9-0770-71ae-bf2d-81c2ecc9ff80', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'e-I-2', 'invoice.sent', NULL, '2026-11-27 02:15:11.984887+00', '{"kind": "person", "name": "Mia Falk", "email": "mia.falk@example.com"}', '{"invoice":{"id":"I-2"}}', 0, false);
INSERT INTO public.events VALUES ('01a21ac9-0779-7238-a3a3-d90ff684a217', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'e-P-2', 'invoice.paid', NULL, '2026-11-27 02:15:11.992976+00', '{"kind": "person", "name": "Mia Falk", "email": "mia.falk@example.com"}', '{"invoice":{"id":"I-2"},"paid_on":"Monday"}', 0, false);
INSERT INTO public.events VALUES ('01a21ac9-0780-7314-95ef-86dda8a0830f', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'e-C-1', 'check.asked', NULL, '2026-11-27 02:15:12.00007+00', '{"kind": "person", "name": "Mia Falk", "email": "mia.falk@example.com"}', '{"name":"Winter coats"}', 0, false);
INSERT INTO public.events VALUES ('01a21ac9-078e-756a-8e3f-96a1e78cec7a', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'e-S-1', 'slow.asked', NULL, '2026-11-27 02:15:12.014826+00', '{"kind": "person", "name": "Mia Falk", "email": "mia.falk@example.com"}', '{}', 0, false);
INSERT INTO public.events VALUES ('01a21ac9-0792-75ca-9998-21f9accfb874', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '01a21ac9-0780-7314-95ef-86dec481b7ee:ask_stock:1:both.1.stock:call', 'manual', 'execution:01a21ac9-0780-7314-95ef-86dec481b7ee', '2026-11-27 02:15:12.018667+00', '{"kind": "person", "name": "Mia Falk", "email": "mia.falk@example.com"}', '{"name":"Winter coats"}', 1, false);
INSERT INTO public.events VALUES ('01a21ac9-0d8f-7714-88f8-a03ad7e6e570', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '01a21ac9-072c-72e6-97e3-39b6ff89e34c:decided', 'approval.decided', 'execution:01a21ac9-072c-72e6-97e3-39b517662bac', '2026-11-27 02:15:13.55117+00', '{"kind": "person", "name": "Mia Falk", "email": "mia.falk@example.com"}', '{"approval_id":"01a21ac9-072c-72e6-97e3-39b6ff89e34c","at":"2026-11-27T02:15:13.551170Z","by":"cy.roth@example.com","comment":"Fine","decision":"approved","edits":null,"entity":"order","entity_id":"O-1","execution_id":"01a21ac9-072c-72e6-97e3-39b517662bac","step":"review"}', 1, false);
INSERT INTO public.events VALUES ('01a21ac9-0da2-7257-8869-6e8dffb56447', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '01a21ac9-0751-77c2-a8c8-097d7ad176fd:decided', 'approval.decided', 'execution:01a21ac9-0751-77c2-a8c8-097ca0089fb7', '2026-11-27 02:15:13.570078+00', '{"kind": "person", "name": "Mia Falk", "email": "mia.falk@example.com"}', '{"approval_id":"01a21ac9-0751-77c2-a8c8-097d7ad176fd","at":"2026-11-27T02:15:13.570078Z","by":"bo.ek@example.com","comment":"Too much","decision":"rejected","edits":null,"entity":"order","entity_id":"O-2","execution_id":"01a21ac9-0751-77c2-a8c8-097ca0089fb7","step":"review"}', 1, false);
INSERT INTO public.executions VALUES ('01a21ac9-0759-76c6-9753-22a6b301e8f8', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'big_order', 1, 2, 'waiting', 'pending_approval', NULL, 'Order O-3', '7000', 'EUR', '7000 is much', 'e-O-3', '{"kind": "person", "name": "Mia Falk", "email": "mia.falk@example.com"}', '2026-11-27 02:15:11.961316+00', NULL, '[{"what": "a decision of one of finance", "until": "2036-11-24T02:15:11.961316Z", "step_id": "review"}]', NULL, 1, '{"v":"1","execution_id":"01a21ac9-0759-76c6-9753-22a6b301e8f8","started_at":"2026-11-27T02:15:11.961316Z","event_id":"e-O-3","requester":{"kind":"person","name":"Mia Falk","email":"mia.falk@example.com"},"depth":0,"context":{"event":{"id":"e-O-3","order":{"customer":"Kestrel","id":"O-3","total":7000},"source":null,"time":"2026-11-27T02:15:11.961241Z","type":"order.placed"},"order":{"customer":"Kestrel","id":"O-3","total":7000},"steps":{}},"subject":"Order O-3","amount":"7000","currency":"EUR","frames":[{"place":{"step":"review","visit":1},"entered_at":"2026-11-27T02:15:11.961316Z","doing":{"asking":{"approval_id":"01a21ac9-0759-76c6-9753-22a71e1ac0b6"}}}],"visits":{"review":1},"requests":{"01a21ac9-0759-76c6-9753-22a71e1ac0b6":{"place":{"step":"review","visit":1},"asked_at":"2026-11-27T02:15:11.961316Z","waits":true,"blocks":false,"asked":"one of finance","expires_at":"2036-11-24T02:15:11.961316Z","entity":"order","entity_id":"O-3"}},"reason":"7000 is much","worked_ms":0,"entered":1,"told":1}', 1, 1, NULL);
INSERT INTO public.executions VALUES ('01a21ac9-0764-7715-93a3-b6c6631000ed', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'wait_for_payment', 1, 2, 'waiting', NULL, NULL, 'Invoice I-1', NULL, NULL, NULL, 'e-I-1', '{"kind": "person", "name": "Mia Falk", "email": "mia.falk@example.com"}', '2026-11-27 02:15:11.972103+00', NULL, '[{"what": "the event invoice.paid with invoice.id I-1", "until": "2036-11-24T02:15:11.972103Z", "step_id": "paid"}]', NULL, 1, '{"v":"1","execution_id":"01a21ac9-0764-7715-93a3-b6c6631000ed","started_at":"2026-11-27T02:15:11.972103Z","event_id":"e-I-1","requester":{"kind":"person","name":"Mia Falk","email":"mia.falk@example.com"},"depth":0,"context":{"event":{"id":"e-I-1","invoice":{"id":"I-1"},"source":null,"time":"2026-11-27T02:15:11.972023Z","type":"invoice.sent"},"invoice":{"id":"I-1"},"steps":{}},"subject":"Invoice I-1","frames":[{"place":{"step":"paid","visit":1},"entered_at":"2026-11-27T02:15:11.972103Z","doing":{"awaiting":{"awaited":{"place":{"step":"paid","visit":1},"event":"invoice.paid","matches":{"invoice.id":"I-1"}},"until":"2036-11-24T02:15:11.972103Z"}}}],"visits":{"paid":1},"worked_ms":0,"entered":1,"told":1}', 1, 1, NULL);
INSERT INTO public.executions VALUES ('01a21ac9-072c-72e6-97e3-39b517662bac', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'big_order', 1, 2, 'ended', 'allowed', 'allowed', 'Order O-1', '900', 'EUR', 'Approved by cy.roth@example.com', 'e-O-1', '{"kind": "person", "name": "Mia Falk", "email": "mia.falk@example.com"}', '2026-11-27 02:15:11.91639+00', '2026-11-27 02:15:13.55117+00', '[]', NULL, 2, '{"v":"1","execution_id":"01a21ac9-072c-72e6-97e3-39b517662bac","started_at":"2026-11-27T02:15:11.916390Z","event_id":"e-O-1","requester":{"kind":"person","name":"Mia Falk","email":"mia.falk@example.com"},"depth":0,"context":{"event":{"id":"e-O-1","order":{"customer":"Kestrel","id":"O-1","total":900},"source":null,"time":"2026-11-27T02:15:11.906633Z","type":"order.placed"},"order":{"customer":"Kestrel","id":"O-1","total":900},"steps":{}},"subject":"Order O-1","amount":"900","currency":"EUR","frames":[{"place":{"step":"review","visit":1},"entered_at":"2026-11-27T02:15:11.916390Z","doing":{"asking":{"approval_id":"01a21ac9-072c-72e6-97e3-39b6ff89e34c"}}}],"visits":{"review":1},"requests":{"01a21ac9-072c-72e6-97e3-39b6ff89e34c":{"place":{"step":"review","visit":1},"asked_at":"2026-11-27T02:15:11.916390Z","waits":true,"blocks":false,"asked":"one of finance","expires_at":"2036-11-24T02:15:11.916390Z","entity":"order","entity_id":"O-1"}},"reason":"900 is much","worked_ms":0,"entered":1,"told":1}', 1, 1, NULL);
INSERT INTO public.executions VALUES ('01a21ac9-0751-77c2-a8c8-097ca0089fb7', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'big_order', 1, 2, 'ended', 'blocked', 'blocked', 'Order O-2', '5000', 'EUR', 'Not approved', 'e-O-2', '{"kind": "person", "name": "Mia Falk", "email": "mia.falk@example.com"}', '2026-11-27 02:15:11.953961+00', '2026-11-27 02:15:13.570078+00', '[]', NULL, 2, '{"v":"1","execution_id":"01a21ac9-0751-77c2-a8c8-097ca0089fb7","started_at":"2026-11-27T02:15:11.953961Z","event_id":"e-O-2","requester":{"kind":"person","name":"Mia Falk","email":"mia.falk@example.com"},"depth":0,"context":{"event":{"id":"e-O-2","order":{"customer":"Kestrel","id":"O-2","total":5000},"source":null,"time":"2026-11-27T02:15:11.953876Z","type":"order.placed"},"order":{"customer":"Kestrel","id":"O-2","total":5000},"steps":{}},"subject":"Order O-2","amount":"5000","currency":"EUR","frames":[{"place":{"step":"review","visit":1},"entered_at":"2026-11-27T02:15:11.953961Z","doing":{"asking":{"approval_id":"01a21ac9-0751-77c2-a8c8-097d7ad176fd"}}}],"visits":{"review":1},"requests":{"01a21ac9-0751-77c2-a8c8-097d7ad176fd":{"place":{"step":"review","visit":1},"asked_at":"2026-11-27T02:15:11.953961Z","waits":true,"blocks":false,"asked":"one of finance","expires_at":"2036-11-24T02:15:11.953961Z","entity":"order","entity_id":"O-2"}},"reason":"5000 is much","worked_ms":0,"entered":1,"told":1}', 1, 1, NULL);
INSERT INTO public.executions VALUES ('01a21ac9-0780-7314-95ef-86dfaf698a62', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'stock_check', 1, 2, 'waiting', 'pending_approval', NULL, NULL, NULL, NULL, 'Look in the store', '01a21ac9-0780-7314-95ef-86dec481b7ee:ask_stock:1:both.1.stock:call', '{"kind": "person", "name": "Mia Falk", "email": "mia.falk@example.com"}', '2026-11-27 02:15:12.01869+00', NULL, '[{"what": "a decision of one of sales_manager", "until": null, "step_id": "ask"}]', NULL, 1, '{"v":"1","execution_id":"01a21ac9-0780-7314-95ef-86dfaf698a62","started_at":"2026-11-27T02:15:12.018690Z","event_id":"01a21ac9-0780-7314-95ef-86dec481b7ee:ask_stock:1:both.1.stock:call","requester":{"kind":"person","name":"Mia Falk","email":"mia.falk@example.com"},"depth":1,"context":{"event":{"id":"01a21ac9-0780-7314-95ef-86dec481b7ee:ask_stock:1:both.1.stock:call","name":"Winter coats","payload":{"name":"Winter coats"},"source":"execution:01a21ac9-0780-7314-95ef-86dec481b7ee","time":"2026-11-27T02:15:12.018667Z","type":"manual"},"name":"Winter coats","steps":{}},"frames":[{"place":{"step":"ask","visit":1},"entered_at":"2026-11-27T02:15:12.018690Z","doing":{"asking":{"approval_id":"01a21ac9-0792-75ca-9998-21faa244c4d7"}}}],"visits":{"ask":1},"requests":{"01a21ac9-0792-75ca-9998-21faa244c4d7":{"place":{"step":"ask","visit":1},"asked_at":"2026-11-27T02:15:12.018690Z","waits":true,"blocks":false,"asked":"one of sales_manager","expires_at":null,"entity":"stock","entity_id":"Winter coats"}},"reason":"Look in the store","worked_ms":0,"entered":1,"told":1}', 1, 1, NULL);
INSERT INTO public.executions VALUES ('01a21ac9-0770-71ae-bf2d-81c353b03972', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'wait_for_payment', 1, 2, 'ended', 'allowed', 'allowed', 'Invoice I-2', NULL, NULL, 'Paid on Monday', 'e-I-2', '{"kind": "person", "name": "Mia Falk", "email": "mia.falk@example.com"}', '2026-11-27 02:15:11.984979+00', '2026-11-27 02:15:12.026052+00', '[]', NULL, 2, '{"v":"1","execution_id":"01a21ac9-0770-71ae-bf2d-81c353b03972","started_at":"2026-11-27T02:15:11.984979Z","event_id":"e-I-2","requester":{"kind":"person","name":"Mia Falk","email":"mia.falk@example.com"},"depth":0,"context":{"event":{"id":"e-I-2","invoice":{"id":"I-2"},"source":null,"time":"2026-11-27T02:15:11.984887Z","type":"invoice.sent"},"invoice":{"id":"I-2"},"steps":{}},"subject":"Invoice I-2","frames":[{"place":{"step":"paid","visit":1},"entered_at":"2026-11-27T02:15:11.984979Z","doing":{"awaiting":{"awaited":{"place":{"step":"paid","visit":1},"event":"invoice.paid","matches":{"invoice.id":"I-2"}},"until":"2036-11-24T02:15:11.984979Z"}}}],"visits":{"paid":1},"worked_ms":0,"entered":1,"told":1}', 1, 1, NULL);
INSERT INTO public.executions VALUES ('01a21ac9-078e-756a-8e3f-96a241a4eef8', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'slow_call', 1, 2, 'running', NULL, NULL, NULL, NULL, NULL, NULL, 'e-S-1', '{"kind": "person", "name": "Mia Falk", "email": "mia.falk@example.com"}', '2026-11-27 02:15:12.014903+00', NULL, '[{"what": "attempt 2", "until": "2026-11-27T02:20:12.022728Z", "step_id": "fetch"}]', NULL, 2, '{"v":"1","execution_id":"01a21ac9-078e-756a-8e3f-96a241a4eef8","started_at":"2026-11-27T02:15:12.014903Z","event_id":"e-S-1","requester":{"kind":"person","name":"Mia Falk","email":"mia.falk@example.com"},"depth":0,"context":{"event":{"id":"e-S-1","source":null,"time":"2026-11-27T02:15:12.014826Z","type":"slow.asked"},"steps":{}},"frames":[{"place":{"step":"fetch","visit":1},"entered_at":"2026-11-27T02:15:12.014903Z","doing":{"backing_off":{"index":0,"attempt":2,"until":"2026-11-27T02:20:12.022728Z"}}}],"visits":{"fetch":1},"worked_ms":0,"entered":1,"told":2}', 2, 1, NULL);
INSERT INTO public.executions VALUES ('01a21ac9-0780-7314-95ef-86dec481b7ee', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'checks', 1, 2, 'waiting', 'pending_approval', NULL, 'Winter coats', NULL, NULL, 'Is there money?', 'e-C-1', '{"kind": "person", "name": "Mia Falk", "email": "mia.falk@example.com"}', '2026-11-27 02:15:12.000148+00', NULL, '[{"what": "a decision of one of finance", "until": null, "step_id": "ask_money"}, {"what": "the workflow stock_check", "until": null, "step_id": "ask_stock"}]', NULL, 2, '{"v":"1","execution_id":"01a21ac9-0780-7314-95ef-86dec481b7ee","started_at":"2026-11-27T02:15:12.000148Z","event_id":"e-C-1","requester":{"kind":"person","name":"Mia Falk","email":"mia.falk@example.com"},"depth":0,"context":{"event":{"id":"e-C-1","name":"Winter coats","source":null,"time":"2026-11-27T02:15:12.000070Z","type":"check.asked"},"name":"Winter coats","steps":{}},"subject":"Winter coats","frames":[{"place":{"step":"both","visit":1},"entered_at":"2026-11-27T02:15:12.000148Z","doing":{"branching":{"strategy":"all_must_pass","until":null,"branches":[{"id":"money","stands":{"open":{"held":0,"visits":{"ask_money":1},"frame":{"place":{"step":"ask_money","visit":1,"within":[{"step":"both","visit":1,"branch":"money"}]},"entered_at":"2026-11-27T02:15:12.000148Z","doing":{"asking":{"approval_id":"01a21ac9-0780-7314-95ef-86dfaf698a61"}}}}}},{"id":"stock","stands":{"open":{"held":0,"visits":{"ask_stock":1},"frame":{"place":{"step":"ask_stock","visit":1,"within":[{"step":"both","visit":1,"branch":"stock"}]},"entered_at":"2026-11-27T02:15:12.000148Z","doing":{"running":{"execution_id":"01a21ac9-0780-7314-95ef-86dfaf698a62","workflow_id":"stock_check","input":{"name":"Winter coats"},"awaited":true,"begun":true,"waiting":true,"seq":1,"until":null}}}}}}]}}}],"visits":{"both":1},"requests":{"01a21ac9-0780-7314-95ef-86dfaf698a61":{"place":{"step":"ask_money","visit":1,"within":[{"step":"both","visit":1,"branch":"money"}]},"asked_at":"2026-11-27T02:15:12.000148Z","waits":true,"blocks":false,"asked":"one of finance","expires_at":null,"entity":"check","entity_id":"Winter coats"}},"reason":"Is there money?","worked_ms":0,"entered":3,"told":3}', 2, 1, NULL);
INSERT INTO public.journal VALUES ('01a21ac9-072c-72e6-97e3-39b517662bac', 0, '2026-11-27 02:15:11.91639+00', '01a21ac9-072c-72e6-97e3-39b6ff89e34b', '{"input":"start","execution_id":"01a21ac9-072c-72e6-97e3-39b517662bac","event":{"type":"order.placed","id":"e-O-1","time":"2026-11-27T02:15:11.906633Z","requester":{"kind":"person","name":"Mia Falk","email":"mia.falk@example.com"},"payload":{"order":{"customer":"Kestrel","id":"O-1","total":900}}},"depth":0}', '[{"seq":0,"at":"2026-11-27T02:15:11.916390Z","step_id":"review","visit":1,"branch":null,"item":null,"attempt":1,"state":"waiting","duration_ms":null,"reason":"Asks one of finance","input":{"approval_id":"01a21ac9-072c-72e6-97e3-39b6ff89e34c","approvers":["role:finance"],"data":{"customer":"Kestrel"},"expires_at":"2036-11-24T02:15:11.916390Z"},"output":null}]', 0);
INSERT INTO public.journal VALUES ('01a21ac9-0751-77c2-a8c8-097ca0089fb7', 0, '2026-11-27 02:15:11.953961+00', '01a21ac9-0751-77c2-a8c8-097d7ad176fc', '{"input":"start","execution_id":"01a21ac9-0751-77c2-a8c8-097ca0089fb7","event":{"type":"order.placed","id":"e-O-2","time":"2026-11-27T02:15:11.953876Z","requester":{"kind":"person","name":"Mia Falk","email":"mia.falk@example.com"},"payload":{"order":{"customer":"Kestrel","id":"O-2","total":5000}}},"depth":0}', '[{"seq":0,"at":"2026-11-27T02:15:11.953961Z","step_id":"review","visit":1,"branch":null,"item":null,"attempt":1,"state":"waiting","duration_ms":null,"reason":"Asks one of finance","input":{"approval_id":"01a21ac9-0751-77c2-a8c8-097d7ad176fd","approvers":["role:finance"],"data":{"customer":"Kestrel"},"expires_at":"2036-11-24T02:15:11.953961Z"},"output":null}]', 0);
INSERT INTO public.journal VALUES ('01a21ac9-0759-76c6-9753-22a6b301e8f8', 0, '2026-11-27 02:15:11.961316+00', '01a21ac9-0759-76c6-9753-22a71e1ac0b5', '{"input":"start","execution_id":"01a21ac9-0759-76c6-9753-22a6b301e8f8","event":{"type":"order.placed","id":"e-O-3","time":"2026-11-27T02:15:11.961241Z","requester":{"kind":"person","name":"Mia Falk","email":"mia.falk@example.com"},"payload":{"order":{"customer":"Kestrel","id":"O-3","total":7000}}},"depth":0}', '[{"seq":0,"at":"2026-11-27T02:15:11.961316Z","step_id":"review","visit":1,"branch":null,"item":null,"attempt":1,"state":"waiting","duration_ms":null,"reason":"Asks one of finance","input":{"approval_id":"01a21ac9-0759-76c6-9753-22a71e1ac0b6","approvers":["role:finance"],"data":{"customer":"Kestrel"},"expires_at":"2036-11-24T02:15:11.961316Z"},"output":null}]', 0);
INSERT INTO public.journal VALUES ('01a21ac9-0764-7715-93a3-b6c6631000ed', 0, '2026-11-27 02:15:11.972103+00', '01a21ac9-0764-7715-93a3-b6c74138d711', '{"input":"start","execution_id":"01a21ac9-0764-7715-93a3-b6c6631000ed","event":{"type":"invoice.sent","id":"e-I-1","time":"2026-11-27T02:15:11.972023Z","requester":{"kind":"person","name":"Mia Falk","email":"mia.falk@example.com"},"payload":{"invoice":{"id":"I-1"}}},"depth":0}', '[{"seq":0,"at":"2026-11-27T02:15:11.972103Z","step_id":"paid","visit":1,"branch":null,"item":null,"attempt":1,"state":"waiting","duration_ms":null,"reason":"Waits for the event invoice.paid with invoice.id I-1","input":null,"output":null}]', 0);
INSERT INTO public.journal VALUES ('01a21ac9-0770-71ae-bf2d-81c353b03972', 0, '2026-11-27 02:15:11.984979+00', '01a21ac9-0770-71ae-bf2d-81c476956314', '{"input":"start","execution_id":"01a21ac9-0770-71ae-bf2d-81c353b03972","event":{"type":"invoice.sent","id":"e-I-2","time":"2026-11-27T02:15:11.984887Z","requester":{"kind":"person","name":"Mia Falk","email":"mia.falk@example.com"},"payload":{"invoice":{"id":"I-2"}}},"depth":0}', '[{"seq":0,"at":"2026-11-27T02:15:11.984979Z","step_id":"paid","visit":1,"branch":null,"item":null,"attempt":1,"state":"waiting","duration_ms":null,"reason":"Waits for the event invoice.paid with invoice.id I-2","input":null,"output":null}]', 0);
INSERT INTO public.journal VALUES ('01a21ac9-0780-7314-95ef-86dec481b7ee', 0, '2026-11-27 02:15:12.000148+00', '01a21ac9-0780-7314-95ef-86dfaf698a60', '{"input":"start","execution_id":"01a21ac9-0780-7314-95ef-86dec481b7ee","event":{"type":"check.asked","id":"e-C-1","time":"2026-11-27T02:15:12.000070Z","requester":{"kind":"person","name":"Mia Falk","email":"mia.falk@example.com"},"payload":{"name":"Winter coats"}},"depth":0}', '[{"seq":0,"at":"2026-11-27T02:15:12.000148Z","step_id":"both","visit":1,"branch":null,"item":null,"attempt":1,"state":"entered","duration_ms":null,"reason":"2 branches, all must pass","input":null,"output":null},{"seq":1,"at":"2026-11-27T02:15:12.000148Z","step_id":"ask_money","visit":1,"branch":"money","item":null,"within":[{"step_id":"both","visit":1,"branch":"money"}],"attempt":1,"state":"waiting","duration_ms":null,"reason":"Asks one of finance","input":{"approval_id":"01a21ac9-0780-7314-95ef-86dfaf698a61","approvers":["role:finance"],"data":{},"expires_at":null},"output":null},{"seq":2,"at":"2026-11-27T02:15:12.000148Z","step_id":"ask_stock","visit":1,"branch":"stock","item":null,"within":[{"step_id":"both","visit":1,"branch":"stock"}],"attempt":1,"state":"entered","duration_ms":null,"reason":"Runs stock_check","input":{"execution_id":"01a21ac9-0780-7314-95ef-86dfaf698a62","input":{"name":"Winter coats"},"workflow_id":"stock_check"},"output":null}]', 0);
INSERT INTO public.journal VALUES ('01a21ac9-078e-756a-8e3f-96a241a4eef8', 0, '2026-11-27 02:15:12.014903+00', '01a21ac9-078e-756a-8e3f-96a3bd8380a7', '{"input":"start","execution_id":"01a21ac9-078e-756a-8e3f-96a241a4eef8","event":{"type":"slow.asked","id":"e-S-1","time":"2026-11-27T02:15:12.014826Z","requester":{"kind":"person","name":"Mia Falk","email":"mia.falk@example.com"}},"depth":0}', '[{"seq":0,"at":"2026-11-27T02:15:12.014903Z","step_id":"fetch","visit":1,"branch":null,"item":null,"attempt":1,"state":"entered","duration_ms":null,"reason":"Calls GET http://127.0.0.1:1/slow","input":{"method":"GET","url":"http://127.0.0.1:1/slow"},"output":null}]', 0);
INSERT INTO public.journal VALUES ('01a21ac9-0780-7314-95ef-86dfaf698a62', 0, '2026-11-27 02:15:12.01869+00', '01a21ac9-0792-75ca-9998-21faa244c4d6', '{"input":"start","execution_id":"01a21ac9-0780-7314-95ef-86dfaf698a62","event":{"type":"manual","id":"01a21ac9-0780-7314-95ef-86dec481b7ee:ask_stock:1:both.1.stock:call","source":"execution:01a21ac9-0780-7314-95ef-86dec481b7ee","time":"2026-11-27T02:15:12.018667Z","requester":{"kind":"person","name":"Mia Falk","email":"mia.falk@example.com"},"payload":{"name":"Winter coats"}},"depth":1}', '[{"seq":0,"at":"2026-11-27T02:15:12.018690Z","step_id":"ask","visit":1,"branch":null,"item":null,"attempt":1,"state":"waiting","duration_ms":null,"reason":"Asks one of sales_manager","input":{"approval_id":"01a21ac9-0792-75ca-9998-21faa244c4d7","approvers":["role:sales_manager"],"data":{},"expires_at":null},"output":null}]', 0);
INSERT INTO public.journal VALUES ('01a21ac9-078e-756a-8e3f-96a241a4eef8', 1, '2026-11-27 02:15:12.022728+00', '01a21ac9-0796-7418-8c10-f210a80d176a', '{"input":"effect_done","place":{"step":"fetch","visit":1},"index":0,"attempt":1,"took_ms":4,"outcome":{"outcome":"unanswered","error":"connection","message":"No connection"}}', '[{"seq":1,"at":"2026-11-27T02:15:12.022728Z","step_id":"fetch","visit":1,"branch":null,"item":null,"attempt":1,"state":"retrying","duration_ms":4.0,"reason":"No connection; tries again in 5 min","input":null,"output":null}]', 1);
INSERT INTO public.journal VALUES ('01a21ac9-0770-71ae-bf2d-81c353b03972', 1, '2026-11-27 02:15:12.026052+00', '01a21ac9-079a-75da-a832-81a47296df7e', '{"input":"event_arrived","place":{"step":"paid","visit":1},"event":{"type":"invoice.paid","id":"e-P-2","time":"2026-11-27T02:15:11.992976Z","requester":{"kind":"person","name":"Mia Falk","email":"mia.falk@example.com"},"payload":{"invoice":{"id":"I-2"},"paid_on":"Monday"}}}', '[{"seq":1,"at":"2026-11-27T02:15:12.026052Z","step_id":"paid","visit":1,"branch":null,"item":null,"attempt":1,"state":"done","duration_ms":41.073,"reason":"invoice.paid came","input":{"invoice":{"id":"I-2"},"paid_on":"Monday"},"output":{"next":"done"}},{"seq":2,"at":"2026-11-27T02:15:12.026052Z","step_id":"done","visit":1,"branch":null,"item":null,"attempt":1,"state":"done","duration_ms":0.0,"reason":"Allowed: Paid on Monday","input":null,"output":{"next":null}}]', 1);
INSERT INTO public.journal VALUES ('01a21ac9-0780-7314-95ef-86dec481b7ee', 1, '2026-11-27 02:15:12.04296+00', '01a21ac9-07aa-77c5-80f9-f78642608d18', '{"input":"child","place":{"step":"ask_stock","visit":1,"within":[{"step":"both","visit":1,"branch":"stock"}]},"seq":1,"stands":"waiting"}', '[]', NULL);
INSERT INTO public.journal VALUES ('01a21ac9-072c-72e6-97e3-39b517662bac', 1, '2026-11-27 02:15:13.55117+00', '01a21ac9-0d8f-7714-88f8-a039f21f31ab', '{"input":"decided","approval_id":"01a21ac9-072c-72e6-97e3-39b6ff89e34c","decision":{"verb":"approve","by":"cy.roth@example.com","name":"Cy Roth","comment":"Fine"}}', '[{"seq":1,"at":"2026-11-27T02:15:13.551170Z","step_id":"review","visit":1,"branch":null,"item":null,"attempt":1,"state":"done","duration_ms":1634.78,"reason":"Cy Roth approved: “Fine”","input":null,"output":{"by":"cy.roth@example.com","decision":"approved","next":"accept"}},{"seq":2,"at":"2026-11-27T02:15:13.551170Z","step_id":"accept","visit":1,"branch":null,"item":null,"attempt":1,"state":"done","duration_ms":0.0,"reason":"Allowed: Approved by cy.roth@example.com","input":null,"output":{"next":null}}]', 1);
INSERT INTO public.journal VALUES ('01a21ac9-0751-77c2-a8c8-097ca0089fb7', 1, '2026-11-27 02:15:13.570078+00', '01a21ac9-0da2-7257-8869-6e8c12fddb9e', '{"input":"decided","approval_id":"01a21ac9-0751-77c2-a8c8-097d7ad176fd","decision":{"verb":"reject","by":"bo.ek@example.com","name":"Bo Ek","comment":"Too much"}}', '[{"seq":1,"at":"2026-11-27T02:15:13.570078Z","step_id":"review","visit":1,"branch":null,"item":null,"attempt":1,"state":"done","duration_ms":1616.117,"reason":"Bo Ek rejected: “Too much”","input":null,"output":{"by":"bo.ek@example.com","decision":"rejected","next":"refuse"}},{"seq":2,"at":"2026-11-27T02:15:13.570078Z","step_id":"refuse","visit":1,"branch":null,"item":null,"attempt":1,"state":"done","duration_ms":0.0,"reason":"Blocked: Not approved","input":null,"output":{"next":null}}]', 1);
INSERT INTO public.memberships VALUES ('01a21ac8-f4a3-70c6-a952-44df7e14a7e4', '01a21ac8-f4a6-7564-bbde-c50a3ca4fd54', '{admin}', true, '2026-11-27 02:15:07.199414+00');
INSERT INTO public.memberships VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '01a21ac8-f4ca-76cf-a81f-7355c0182833', '{operator,sales_manager}', true, '2026-11-27 02:15:07.237816+00');
INSERT INTO public.memberships VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '01a21ac8-f4e7-70ef-a660-8b89f4637b64', '{operator,sales_manager,finance}', true, '2026-11-27 02:15:07.25973+00');
INSERT INTO public.memberships VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '01a21ac8-f4fc-76eb-bd07-b3a2f239707f', '{operator,finance}', true, '2026-11-27 02:15:07.283163+00');
INSERT INTO public.memberships VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '01a21ac8-f513-73e8-ac9b-38ff67519553', '{admin,support}', true, '2026-11-27 02:15:07.317393+00');
INSERT INTO public.memberships VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '01a21ac8-f535-75e9-b4f1-2c90d984566c', '{author}', true, '2026-11-27 02:15:07.353155+00');
INSERT INTO public.memberships VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '01a21ac8-f55a-7583-9c27-31319bc150d0', '{viewer}', true, '2026-11-27 02:15:07.374344+00');
INSERT INTO public.refresh_tokens VALUES ('\xcadcd6195238bb795102076b2c55d24c80a2f8cf21ed077a09c014405863a266', '01a21ac9-0574-7145-838a-fe647718b822', '01a21ac8-f4ca-76cf-a81f-7355c0182833', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '2026-11-27 02:15:11.476201+00', '2026-12-27 02:15:11.476201+00', NULL, NULL, NULL);
INSERT INTO public.refresh_tokens VALUES ('\x35de84d5c02b63d6423b3836ed6b8aa5d8fd28592d9651c4d6c5b7267bfc4e6c', '01a21ac9-05d0-702c-8528-1e7a86a46a04', '01a21ac8-f4e7-70ef-a660-8b89f4637b64', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '2026-11-27 02:15:11.568069+00', '2026-12-27 02:15:11.568069+00', NULL, NULL, NULL);
INSERT INTO public.refresh_tokens VALUES ('\x7564f3dfb0b27d6fa6e50c481013badeb1dafe968cf80adfe62c16da55ab3424', '01a21ac9-060f-74df-adbb-48b82ae5e14a', '01a21ac8-f535-75e9-b4f1-2c90d984566c', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '2026-11-27 02:15:11.631119+00', '2026-12-27 02:15:11.631119+00', NULL, NULL, NULL);
INSERT INTO public.refresh_tokens VALUES ('\xc28d9ecf1362633033df65a69fe827d659a738b280b2a7e490f05f709df6f5b9', '01a21ac9-0640-70ba-ab10-e9210a99ec9e', '01a21ac8-f4fc-76eb-bd07-b3a2f239707f', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '2026-11-27 02:15:11.680043+00', '2026-12-27 02:15:11.680043+00', NULL, NULL, NULL);
INSERT INTO public.refresh_tokens VALUES ('\x941ff68eb17fb435d57db0efb70dca77086a277adc7dafac3bd8df35af803544', '01a21ac9-0679-724d-9825-60614faf6b9a', '01a21ac8-f513-73e8-ac9b-38ff67519553', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '2026-11-27 02:15:11.737709+00', '2026-12-27 02:15:11.737709+00', NULL, NULL, NULL);
INSERT INTO public.refresh_tokens VALUES ('\xc6f65ea56fc569737f47881de837aff9755a770eece7d7fc6349ff3c9ff3390f', '01a21ac9-1398-743a-baa8-06ed2a390425', '01a21ac8-f4ca-76cf-a81f-7355c0182833', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '2026-11-27 02:15:15.096801+00', '2026-12-27 02:15:15.096801+00', NULL, NULL, NULL);
INSERT INTO public.refresh_tokens VALUES ('\x53622a3a90f085d7deb6affcffaf0dfd0dbc9938ace6d9786d53d48e3dfb9928', '01a21ac9-13d6-72cd-a64e-7edcaa779938', '01a21ac8-f4e7-70ef-a660-8b89f4637b64', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '2026-11-27 02:15:15.158612+00', '2026-12-27 02:15:15.158612+00', NULL, NULL, NULL);
INSERT INTO public.refresh_tokens VALUES ('\x715162dfdaf4c46140229138f80f2a09c7d21452671d1745e051c321f9c98edf', '01a21ac9-1410-7204-8ce3-759f45b55820', '01a21ac8-f535-75e9-b4f1-2c90d984566c', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '2026-11-27 02:15:15.216078+00', '2026-12-27 02:15:15.216078+00', NULL, NULL, NULL);
INSERT INTO public.refresh_tokens VALUES ('\x6a5cae8910193610cdd0335343aa52ec94c8c1b167f2301a4fa0d6a5ddba7f2d', '01a21ac9-144f-702a-a696-3944e6a18f05', '01a21ac8-f4fc-76eb-bd07-b3a2f239707f', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '2026-11-27 02:15:15.279501+00', '2026-12-27 02:15:15.279501+00', NULL, NULL, NULL);
INSERT INTO public.refresh_tokens VALUES ('\x9c9dc509d0f74afbd538ac7eb660ceb78671edd1edc6b1b6413935ed0e66114f', '01a21ac9-148c-7198-af34-2ee7a256bbd0', '01a21ac8-f513-73e8-ac9b-38ff67519553', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '2026-11-27 02:15:15.340473+00', '2026-12-27 02:15:15.340473+00', NULL, NULL, NULL);
INSERT INTO public.secrets VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'shop_token', '\x4efdf2284d91823d4a8cf5b296e6284d676167adb46dd799a5dffc6e6f27314730e02bf0f273a6bb8bec467b6a63c7cdce755b7127ffff5ba9', '2026-11-27 02:15:07.376222+00');
INSERT INTO public.servers VALUES ('01a21ac8-f614-71e7-8528-e4c959ef19c4', '2026-11-27 02:15:22.713408+00');
INSERT INTO public.timers VALUES ('01a21ac9-0759-76c6-9753-22a6b301e8f8', '{"timer":"expiry","approval_id":"01a21ac9-0759-76c6-9753-22a71e1ac0b6"}', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '2036-11-24 02:15:11.961316+00');
INSERT INTO public.timers VALUES ('01a21ac9-0764-7715-93a3-b6c6631000ed', '{"timer":"wait_over","place":{"step":"paid","visit":1}}', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '2036-11-24 02:15:11.972103+00');
INSERT INTO public.timers VALUES ('01a21ac9-078e-756a-8e3f-96a241a4eef8', '{"timer":"retry","place":{"step":"fetch","visit":1},"index":0}', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', '2026-11-27 02:20:12.022728+00');
INSERT INTO public.users VALUES ('01a21ac8-f4a6-7564-bbde-c50a3ca4fd54', 'admin@example.com', 'Administrator', '$argon2id$v=19$m=19456,t=2,p=1$HWnHy1yWqP/J4slYkCo9Lw$eyZpmJLKmZplzjjAiVH/XdzKF/SHC+XCML1I1QKvTGw', '2026-11-27 02:15:07.198466+00');
INSERT INTO public.users VALUES ('01a21ac8-f4ca-76cf-a81f-7355c0182833', 'ina.berg@example.com', 'Ina Berg', '$argon2id$v=19$m=19456,t=2,p=1$I578gMM8GLLdJjvTzr4M/w$WRjWY61cAUaa+M0U93hDXIb/7iuStshs8hrs/pVfIwg', '2026-11-27 02:15:07.236874+00');
INSERT INTO public.users VALUES ('01a21ac8-f4e7-70ef-a660-8b89f4637b64', 'bo.ek@example.com', 'Bo Ek', '$argon2id$v=19$m=19456,t=2,p=1$gayaoeHj2Tvenldcr+TCNg$NWYhn7LUZ+sfuJU82hxS7T+l1oX3tCYfln6LMa1Ti6o', '2026-11-27 02:15:07.258964+00');
INSERT INTO public.users VALUES ('01a21ac8-f4fc-76eb-bd07-b3a2f239707f', 'cy.roth@example.com', 'Cy Roth', '$argon2id$v=19$m=19456,t=2,p=1$jW9Gegt3Va/qG9R4+Y6XIw$Pf6N7qBPes/sFIxhduwbb613sDQVDV8USnkdj4Crzn0', '2026-11-27 02:15:07.28252+00');
INSERT INTO public.users VALUES ('01a21ac8-f513-73e8-ac9b-38ff67519553', 'mia.falk@example.com', 'Mia Falk', '$argon2id$v=19$m=19456,t=2,p=1$/G+5ClFmvIV8NeVY6fxw/A$VZEp/h0KNt3DiYlycZUvzPPQtKyP0VKUh6Bbiw3T1FI', '2026-11-27 02:15:07.315607+00');
INSERT INTO public.users VALUES ('01a21ac8-f535-75e9-b4f1-2c90d984566c', 'ada.lind@example.com', 'Ada Lind', '$argon2id$v=19$m=19456,t=2,p=1$Zva8m3LjnZtzFrks5hPJxA$o2adPTzGaE5JADbWG68u3liUJqTeSqdgkWjSTZfeLMY', '2026-11-27 02:15:07.352555+00');
INSERT INTO public.users VALUES ('01a21ac8-f55a-7583-9c27-31319bc150d0', 'per.dahl@example.com', 'Per Dahl', '$argon2id$v=19$m=19456,t=2,p=1$Jt3jXo99b4eZct4HRPFmrw$0RFmD/jqpFqyee1CoybAjQTHX4g0lfQKzgJr03a92pM', '2026-11-27 02:15:07.373571+00');
INSERT INTO public.waits VALUES ('01a21ac9-0764-7715-93a3-b6c6631000ed', 'paid:1', '01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'invoice.paid', '01a21ac9-0764-7715-93a3-b6c6631000ed', '{"event": "invoice.paid", "place": {"step": "paid", "visit": 1}, "matches": {"invoice.id": "I-1"}}', 'invoice.id', 'tI-1');
INSERT INTO public.workflow_revisions VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'high_value_order', 1, 'yaml', '# Small orders pass at once. Large ones wait for a sales manager; then the shop is told.
workflow_id: high_value_order
name: High-value order
description: Orders of 10,000 and more wait for a sales manager
tags: [orders, approval]
version: 1.0.0
enabled: true
trigger: { type: event, event: order.checkout.initiated }
subject: "Order {{ order.id }}, {{ order.customer }}"
amount: "{{ order.total }}"
currency: "{{ order.currency }}"
timeout: 30m
steps:
  - id: check_value
    type: condition
    condition: { field: order.total, operator: gte, value: 10000 }
    on_true: ask_manager
    on_false: allow
  - id: ask_manager
    type: action
    action: { type: require_approval, reason: "Order over 10,000" }
    execute:
      - type: create_approval_request
        entity: order
        entity_id: "{{ order.id }}"
        data:
          approver_role: sales_manager
          expires_in: 24h
          customer: "{{ order.customer }}"
          items: "{{ order.items }}"
      - type: notify
        recipients: ["role:sales_manager"]
        message: "Order {{ order.id }} of {{ order.total | money(order.currency) }} waits for you."
    on_approved: release_order
    on_rejected: cancel_order
    on_expired: cancel_order
    on_changes_requested: cancel_order
  - id: release_order
    name: "Tells the shop: order {{ order.id }} is approved."
    type: execute
    execute:
      - type: webhook
        url: "http://127.0.0.1:7401/orders/{{ order.id }}/approve"
        headers: { Authorization: "Bearer {{ secrets.shop_token }}" }
        body: { approved_by: "{{ approval.by }}", comment: "{{ approval.comment }}" }
    retry: { max_attempts: 5, backoff: exponential, delay: 2s }
    timeout: 10s
    next: allow
  - id: cancel_order
    name: "Tells the shop: order {{ order.id }} is refused."
    type: execute
    execute:
      - type: webhook
        url: "http://127.0.0.1:7401/orders/{{ order.id }}/refuse"
        headers: { Authorization: "Bearer {{ secrets.shop_token }}" }
        body: { decision: "{{ approval.decision }}", comment: "{{ approval.comment }}" }
    retry: { max_attempts: 5, backoff: exponential, delay: 2s }
    timeout: 10s
    next: refuse
  - { id: allow, type: action, action: { type: allow } }
  - { id: refuse, type: action, action: { type: block } }
tests:
  - name: a small order passes at once
    given: { payload: { order: { id: A1, customer: Ada Lind, total: 129.5, currency: EUR } } }
    expect: { result: allowed, path: [check_value, allow] }
  - name: a large one waits for a manager
    given: { payload: { order: { id: A1, customer: Ada Lind, total: 12400, currency: EUR } } }
    expect: { status: waiting, result: pending_approval, reason: "Order over 10,000" }
  - name: an approved one is released, though the shop answers only the second time
    given:
      payload: { order: { id: A1, customer: Ada Lind, total: "12400.10", currency: EUR } }
      script:
        - { decide: approve, by: bo.ek@example.com }
        - { effect: release_order, response: { status: 503 } }
        - { effect: release_order, response: { status: 200 } }
    expect: { result: allowed, path: [check_value, ask_manager, release_order, allow] }
  - name: a refused one is cancelled
    given:
      payload: { order: { id: A1, customer: Ada Lind, total: 12400, currency: EUR } }
      script: [{ decide: reject, comment: "No such customer" }]
    expect: { result: blocked, path: [check_value, ask_manager, cancel_order, refuse] }
  - name: one that nobody decides is cancelled after a day
    given:
      payload: { order: { id: A1, customer: Ada Lind, total: 12400, currency: EUR } }
      script: [{ advance: 24h }]
    expect: { result: blocked, path: [check_value, ask_manager, cancel_order, refuse] }
', '{"name": "High-value order", "tags": ["orders", "approval"], "steps": [{"id": "check_value", "type": "condition", "on_true": "ask_manager", "on_false": "allow", "condition": {"field": "order.total", "value": 10000, "operator": "gte"}}, {"id": "ask_manager", "type": "action", "action": {"type": "require_approval", "reason": "Order over 10,000"}, "execute": [{"data": {"items": "{{ order.items }}", "customer": "{{ order.customer }}", "expires_in": "24h", "approver_role": "sales_manager"}, "type": "create_approval_request", "entity": "order", "entity_id": "{{ order.id }}"}, {"type": "notify", "message": "Order {{ order.id }} of {{ order.total | money(order.currency) }} waits for you.", "recipients": ["role:sales_manager"]}], "on_expired": "cancel_order", "on_approved": "release_order", "on_rejected": "cancel_order", "on_changes_requested": "cancel_order"}, {"id": "release_order", "name": "Tells the shop: order {{ order.id }} is approved.", "next": "allow", "type": "execute", "retry": {"delay": "2s", "backoff": "exponential", "max_attempts": 5}, "execute": [{"url": "http://127.0.0.1:7401/orders/{{ order.id }}/approve", "body": {"comment": "{{ approval.comment }}", "approved_by": "{{ approval.by }}"}, "type": "webhook", "headers": {"Authorization": "Bearer {{ secrets.shop_token }}"}}], "timeout": "10s"}, {"id": "cancel_order", "name": "Tells the shop: order {{ order.id }} is refused.", "next": "refuse", "type": "execute", "retry": {"delay": "2s", "backoff": "exponential", "max_attempts": 5}, "execute": [{"url": "http://127.0.0.1:7401/orders/{{ order.id }}/refuse", "body": {"comment": "{{ approval.comment }}", "decision": "{{ approval.decision }}"}, "type": "webhook", "headers": {"Authorization": "Bearer {{ secrets.shop_token }}"}}], "timeout": "10s"}, {"id": "allow", "type": "action", "action": {"type": "allow"}}, {"id": "refuse", "type": "action", "action": {"type": "block"}}], "tests": [{"name": "a small order passes at once", "given": {"payload": {"order": {"id": "A1", "total": 129.5, "currency": "EUR", "customer": "Ada Lind"}}}, "expect": {"path": ["check_value", "allow"], "result": "allowed"}}, {"name": "a large one waits for a manager", "given": {"payload": {"order": {"id": "A1", "total": 12400, "currency": "EUR", "customer": "Ada Lind"}}}, "expect": {"reason": "Order over 10,000", "result": "pending_approval", "status": "waiting"}}, {"name": "an approved one is released, though the shop answers only the second time", "given": {"script": [{"by": "bo.ek@example.com", "decide": "approve"}, {"effect": "release_order", "response": {"status": 503}}, {"effect": "release_order", "response": {"status": 200}}], "payload": {"order": {"id": "A1", "total": "12400.10", "currency": "EUR", "customer": "Ada Lind"}}}, "expect": {"path": ["check_value", "ask_manager", "release_order", "allow"], "result": "allowed"}}, {"name": "a refused one is cancelled", "given": {"script": [{"decide": "reject", "comment": "No such customer"}], "payload": {"order": {"id": "A1", "total": 12400, "currency": "EUR", "customer": "Ada Lind"}}}, "expect": {"path": ["check_value", "ask_manager", "cancel_order", "refuse"], "result": "blocked"}}, {"name": "one that nobody decides is cancelled after a day", "given": {"script": [{"advance": "24h"}], "payload": {"order": {"id": "A1", "total": 12400, "currency": "EUR", "customer": "Ada Lind"}}}, "expect": {"path": ["check_value", "ask_manager", "cancel_order", "refuse"], "result": "blocked"}}], "amount": "{{ order.total }}", "enabled": true, "subject": "Order {{ order.id }}, {{ order.customer }}", "timeout": "30m", "trigger": {"type": "event", "event": "order.checkout.initiated"}, "version": "1.0.0", "currency": "{{ order.currency }}", "description": "Orders of 10,000 and more wait for a sales manager", "workflow_id": "high_value_order"}', '1.0.0', '2026-11-27 02:15:07.377119+00', 'sample data', '{}');
INSERT INTO public.workflow_revisions VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'refund', 1, 'yaml', '# Refunds: small ones of known customers pass, the rest is for finance to decide.
workflow_id: refund
name: Refund
description: Finance decides refunds of 500 and more, and any to a customer with three in 90 days
tags: [refunds, approval]
enabled: true
trigger: { type: event, event: refund.requested }
subject: "Refund to {{ refund.customer }}, order {{ refund.order_id }}"
amount: "{{ refund.amount }}"
currency: "{{ refund.currency }}"
steps:
  - id: needs_a_look
    type: condition
    condition:
      or:
        - { field: refund.amount, operator: gte, value: 500 }
        - { field: refund.count_90d, operator: gte, value: 3 }
    on_true: ask_finance
    on_false: pay
  - id: ask_finance
    type: approval
    approval:
      entity: order
      entity_id: "{{ refund.order_id }}"
      reason: "{{ refund.cause }}"
      show:
        customer: "{{ refund.customer }}"
        cause: "{{ refund.cause }}"
        refunds in 90 days: "{{ refund.count_90d }}"
      levels:
        - { name: finance, approvers: ["role:finance"], expires_in: 2d }
    on_approved: pay
    on_rejected: tell_support
    on_expired: tell_support
    on_changes_requested: tell_support
  - id: pay
    name: "The shop pays {{ refund.amount | money(refund.currency) }} back to {{ refund.customer }}."
    type: execute
    execute:
      - type: webhook
        url: "http://127.0.0.1:7401/orders/{{ refund.order_id }}/refund"
        headers: { Authorization: "Bearer {{ secrets.shop_token }}" }
        body: { amount: "{{ refund.amount }}", currency: "{{ refund.currency }}" }
    retry: { max_attempts: 5, backoff: exponential, delay: 2s }
    next: allow
  - id: tell_support
    type: execute
    execute:
      - type: notify
        recipients: ["role:support"]
        message: "The refund for order {{ refund.order_id }} was not approved: {{ approval.comment }}"
    next: refuse
  - { id: allow, type: action, action: { type: allow } }
  - { id: refuse, type: action, action: { type: block, reason: "The refund was not approved" } }
tests:
  - name: a small refund is paid
    given: { payload: { refund: { order_id: A1, customer: Ada Lind, amount: 20, currency: EUR, count_90d: 0 } } }
    expect: { result: allowed, path: [needs_a_look, pay, allow] }
  - name: a third one in 90 days is asked about, however small
    given:
      payload: { refund: { order_id: A1, customer: Ada Lind, amount: 20, currency: EUR, count_90d: 3, cause: Broken } }
    expect: { status: waiting }
  - name: support hears of a rejection
    given:
      payload: { refund: { order_id: A1, customer: Ada Lind, amount: 900, currency: EUR, cause: Broken } }
      script: [{ decide: reject, comment: "Ask for photos first" }]
    expect: { result: blocked, path: [needs_a_look, ask_finance, tell_support, refuse] }
', '{"name": "Refund", "tags": ["refunds", "approval"], "steps": [{"id": "needs_a_look", "type": "condition", "on_true": "ask_finance", "on_false": "pay", "condition": {"or": [{"field": "refund.amount", "value": 500, "operator": "gte"}, {"field": "refund.count_90d", "value": 3, "operator": "gte"}]}}, {"id": "ask_finance", "type": "approval", "approval": {"show": {"cause": "{{ refund.cause }}", "customer": "{{ refund.customer }}", "refunds in 90 days": "{{ refund.count_90d }}"}, "entity": "order", "levels": [{"name": "finance", "approvers": ["role:finance"], "expires_in": "2d"}], "reason": "{{ refund.cause }}", "entity_id": "{{ refund.order_id }}"}, "on_expired": "tell_support", "on_approved": "pay", "on_rejected": "tell_support", "on_changes_requested": "tell_support"}, {"id": "pay", "name": "The shop pays {{ refund.amount | money(refund.currency) }} back to {{ refund.customer }}.", "next": "allow", "type": "execute", "retry": {"delay": "2s", "backoff": "exponential", "max_attempts": 5}, "execute": [{"url": "http://127.0.0.1:7401/orders/{{ refund.order_id }}/refund", "body": {"amount": "{{ refund.amount }}", "currency": "{{ refund.currency }}"}, "type": "webhook", "headers": {"Authorization": "Bearer {{ secrets.shop_token }}"}}]}, {"id": "tell_support", "next": "refuse", "type": "execute", "execute": [{"type": "notify", "message": "The refund for order {{ refund.order_id }} was not approved: {{ approval.comment }}", "recipients": ["role:support"]}]}, {"id": "allow", "type": "action", "action": {"type": "allow"}}, {"id": "refuse", "type": "action", "action": {"type": "block", "reason": "The refund was not approved"}}], "tests": [{"name": "a small refund is paid", "given": {"payload": {"refund": {"amount": 20, "currency": "EUR", "customer": "Ada Lind", "order_id": "A1", "count_90d": 0}}}, "expect": {"path": ["needs_a_look", "pay", "allow"], "result": "allowed"}}, {"name": "a third one in 90 days is asked about, however small", "given": {"payload": {"refund": {"cause": "Broken", "amount": 20, "currency": "EUR", "customer": "Ada Lind", "order_id": "A1", "count_90d": 3}}}, "expect": {"status": "waiting"}}, {"name": "support hears of a rejection", "given": {"script": [{"decide": "reject", "comment": "Ask for photos first"}], "payload": {"refund": {"cause": "Broken", "amount": 900, "currency": "EUR", "customer": "Ada Lind", "order_id": "A1"}}}, "expect": {"path": ["needs_a_look", "ask_finance", "tell_support", "refuse"], "result": "blocked"}}], "amount": "{{ refund.amount }}", "enabled": true, "subject": "Refund to {{ refund.customer }}, order {{ refund.order_id }}", "trigger": {"type": "event", "event": "refund.requested"}, "currency": "{{ refund.currency }}", "description": "Finance decides refunds of 500 and more, and any to a customer with three in 90 days", "workflow_id": "refund"}', NULL, '2026-11-27 02:15:07.410116+00', 'sample data', '{}');
INSERT INTO public.workflow_revisions VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'quote', 1, 'yaml', '# A quote with a discount is signed off, then waits for the customer, a fortnight at most.
workflow_id: quote
name: Quote with discount
description: Discounts over 10 % are signed off; then the customer has 14 days
tags: [quotes, approval]
enabled: true
trigger: { type: event, event: quote.created, filter: { field: quote.total, operator: gt, value: 0 } }
subject: "Quote {{ quote.number }} for {{ quote.customer }}"
amount: "{{ quote.total }}"
currency: "{{ quote.currency }}"
steps:
  - id: how_much
    type: switch
    cases:
      - { when: { field: quote.discount, operator: gt, value: 25 }, next: too_much }
      - { when: { field: quote.discount, operator: gt, value: 10 }, next: sign_off }
    default: send
  - id: sign_off
    type: approval
    approval:
      entity: quote
      entity_id: "{{ quote.number }}"
      reason: "{{ quote.discount }} % off"
      show: { customer: "{{ quote.customer }}", discount: "{{ quote.discount }} %" }
      levels:
        - { name: sales, approvers: ["role:sales_manager"], expires_in: 3d }
    on_approved: send
    on_rejected: refused
    on_expired: refused
  - id: send
    type: execute
    execute:
      - type: webhook
        url: "http://127.0.0.1:7401/quotes/{{ quote.number }}/send"
        headers: { Authorization: "Bearer {{ secrets.shop_token }}" }
    retry: { max_attempts: 5, backoff: exponential, delay: 2s }
    next: wait_for_customer
  - id: wait_for_customer
    type: wait
    wait:
      event: quote.accepted
      match: { quote.number: "{{ quote.number }}" }
      timeout: 14d
      on_timeout: lapsed
    next: allow
  - { id: allow, type: action, action: { type: allow, reason: "The customer accepted" } }
  - { id: too_much, type: action, action: { type: block, reason: "Discounts end at 25 %" } }
  - { id: refused, type: action, action: { type: block, reason: "The discount was not approved" } }
  - { id: lapsed, type: action, action: { type: block, reason: "The customer did not answer in 14 days" } }
tests:
  - name: an accepted quote
    given:
      payload: { quote: { number: Q-1, customer: Kestrel Metals, total: 9000, currency: EUR, discount: 18 } }
      script:
        - { decide: approve }
        - { event: { type: quote.accepted, payload: { quote: { number: Q-2 } } } }
        - { event: { type: quote.accepted, payload: { quote: { number: Q-1 } } } }
    expect: { result: allowed, path: [how_much, sign_off, send, wait_for_customer, allow] }
  - name: one that lapses
    given:
      payload: { quote: { number: Q-1, customer: Kestrel Metals, total: 9000, currency: EUR, discount: 5 } }
      script: [{ advance: 15d }]
    expect: { result: blocked, reason: "The customer did not answer in 14 days" }
  - name: one that gives away too much
    given: { payload: { quote: { number: Q-1, customer: Kestrel Metals, total: 9000, currency: EUR, discount: 30 } } }
    expect: { result: blocked, path: [how_much, too_much] }
', '{"name": "Quote with discount", "tags": ["quotes", "approval"], "steps": [{"id": "how_much", "type": "switch", "cases": [{"next": "too_much", "when": {"field": "quote.discount", "value": 25, "operator": "gt"}}, {"next": "sign_off", "when": {"field": "quote.discount", "value": 10, "operator": "gt"}}], "default": "send"}, {"id": "sign_off", "type": "approval", "approval": {"show": {"customer": "{{ quote.customer }}", "discount": "{{ quote.discount }} %"}, "entity": "quote", "levels": [{"name": "sales", "approvers": ["role:sales_manager"], "expires_in": "3d"}], "reason": "{{ quote.discount }} % off", "entity_id": "{{ quote.number }}"}, "on_expired": "refused", "on_approved": "send", "on_rejected": "refused"}, {"id": "send", "next": "wait_for_customer", "type": "execute", "retry": {"delay": "2s", "backoff": "exponential", "max_attempts": 5}, "execute": [{"url": "http://127.0.0.1:7401/quotes/{{ quote.number }}/send", "type": "webhook", "headers": {"Authorization": "Bearer {{ secrets.shop_token }}"}}]}, {"id": "wait_for_customer", "next": "allow", "type": "wait", "wait": {"event": "quote.accepted", "match": {"quote.number": "{{ quote.number }}"}, "timeout": "14d", "on_timeout": "lapsed"}}, {"id": "allow", "type": "action", "action": {"type": "allow", "reason": "The customer accepted"}}, {"id": "too_much", "type": "action", "action": {"type": "block", "reason": "Discounts end at 25 %"}}, {"id": "refused", "type": "action", "action": {"type": "block", "reason": "The discount was not approved"}}, {"id": "lapsed", "type": "action", "action": {"type": "block", "reason": "The customer did not answer in 14 days"}}], "tests": [{"name": "an accepted quote", "given": {"script": [{"decide": "approve"}, {"event": {"type": "quote.accepted", "payload": {"quote": {"number": "Q-2"}}}}, {"event": {"type": "quote.accepted", "payload": {"quote": {"number": "Q-1"}}}}], "payload": {"quote": {"total": 9000, "number": "Q-1", "currency": "EUR", "customer": "Kestrel Metals", "discount": 18}}}, "expect": {"path": ["how_much", "sign_off", "send", "wait_for_customer", "allow"], "result": "allowed"}}, {"name": "one that lapses", "given": {"script": [{"advance": "15d"}], "payload": {"quote": {"total": 9000, "number": "Q-1", "currency": "EUR", "customer": "Kestrel Metals", "discount": 5}}}, "expect": {"reason": "The customer did not answer in 14 days", "result": "blocked"}}, {"name": "one that gives away too much", "given": {"payload": {"quote": {"total": 9000, "number": "Q-1", "currency": "EUR", "customer": "Kestrel Metals", "discount": 30}}}, "expect": {"path": ["how_much", "too_much"], "result": "blocked"}}], "amount": "{{ quote.total }}", "enabled": true, "subject": "Quote {{ quote.number }} for {{ quote.customer }}", "trigger": {"type": "event", "event": "quote.created", "filter": {"field": "quote.total", "value": 0, "operator": "gt"}}, "currency": "{{ quote.currency }}", "description": "Discounts over 10 % are signed off; then the customer has 14 days", "workflow_id": "quote"}', NULL, '2026-11-27 02:15:07.435194+00', 'sample data', '{}');
INSERT INTO public.workflow_revisions VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'restock', 1, 'yaml', '# Low stock: finance agrees while the supplier is asked, both at once; then every line is ordered.
workflow_id: restock
name: Restock
description: Finance and the supplier agree side by side, then each line is ordered
tags: [stock, approval]
enabled: true
trigger: { type: event, event: stock.low }
subject: "Restock {{ stock.warehouse }}, {{ stock.lines.length }} lines"
amount: "{{ stock.total }}"
currency: "{{ stock.currency }}"
steps:
  - id: agree
    type: parallel
    timeout: 3d
    parallel:
      strategy: all_must_pass
      branches:
        - id: budget
          steps:
            - id: is_small
              type: condition
              condition: { expr: "stock.total < 500" }
              on_true: within_budget
              on_false: ask_finance
            - id: ask_finance
              type: approval
              approval:
                reason: "Stock in {{ stock.warehouse }} is low"
                show: { warehouse: "{{ stock.warehouse }}", lines: "{{ stock.lines.length }}" }
                levels: [{ name: finance, approvers: ["role:finance"], expires_in: 2d }]
              on_approved: within_budget
            - { id: within_budget, type: set, set: { budget: agreed } }
        - id: supplier
          steps:
            - id: ask_supplier
              type: execute
              execute:
                - type: webhook
                  url: "http://127.0.0.1:7401/suppliers/{{ stock.supplier }}/ask"
                  headers: { Authorization: "Bearer {{ secrets.shop_token }}" }
                  body: { warehouse: "{{ stock.warehouse }}", lines: "{{ stock.lines }}" }
              retry: { max_attempts: 3, delay: 2s }
            - id: wait_for_supplier
              type: wait
              wait: { event: supplier.confirmed, match: { warehouse: "{{ stock.warehouse }}" }, timeout: 2d }
    next: order_lines
    on_error: give_up
  - id: order_lines
    type: foreach
    foreach:
      items: "{{ stock.lines }}"
      item_var: line
      concurrency: 2
      on_item_error: continue
      steps:
        - id: order_line
          type: execute
          execute:
            - type: webhook
              url: "http://127.0.0.1:7401/suppliers/{{ stock.supplier }}/orders"
              headers: { Authorization: "Bearer {{ secrets.shop_token }}" }
              body: { sku: "{{ line.sku }}", n: "{{ line.n }}" }
          retry: { max_attempts: 3, delay: 1s }
    next: allow
  - id: give_up
    type: execute
    execute:
      - { type: notify, recipients: ["role:support"], message: "{{ stock.warehouse }} is not restocked: {{ error.message }}" }
    next: refuse
  - { id: allow, type: action, action: { type: allow } }
  - { id: refuse, type: action, action: { type: block, reason: "Finance or the supplier did not agree" } }
tests:
  - name: a small order needs no finance, and each line is ordered
    given:
      payload: { stock: { warehouse: Lund, supplier: kestrel, total: 120, currency: EUR, lines: [{ sku: seal-8, n: 12 }, { sku: pump-40, n: 2 }] } }
      script: [{ event: { type: supplier.confirmed, payload: { warehouse: Lund } } }]
    expect: { result: allowed, path: [agree, is_small, within_budget, ask_supplier, wait_for_supplier, order_lines, order_line, order_line, allow] }
  - name: finance says no, and the supplier isn''t waited for any more
    given:
      payload: { stock: { warehouse: Lund, supplier: kestrel, total: 9000, currency: EUR, lines: [] } }
      script: [{ decide: reject, comment: "Next month" }]
    expect: { result: blocked, path: [agree, is_small, ask_finance, ask_supplier, wait_for_supplier, give_up, refuse] }
  - name: the supplier doesn''t answer in time
    given:
      payload: { stock: { warehouse: Lund, supplier: kestrel, total: 9000, currency: EUR, lines: [] } }
      script: [{ decide: approve }, { advance: 49h }]
    expect: { result: blocked }
', '{"name": "Restock", "tags": ["stock", "approval"], "steps": [{"id": "agree", "next": "order_lines", "type": "parallel", "timeout": "3d", "on_error": "give_up", "parallel": {"branches": [{"id": "budget", "steps": [{"id": "is_small", "type": "condition", "on_true": "within_budget", "on_false": "ask_finance", "condition": {"expr": "stock.total < 500"}}, {"id": "ask_finance", "type": "approval", "approval": {"show": {"lines": "{{ stock.lines.length }}", "warehouse": "{{ stock.warehouse }}"}, "levels": [{"name": "finance", "approvers": ["role:finance"], "expires_in": "2d"}], "reason": "Stock in {{ stock.warehouse }} is low"}, "on_approved": "within_budget"}, {"id": "within_budget", "set": {"budget": "agreed"}, "type": "set"}]}, {"id": "supplier", "steps": [{"id": "ask_supplier", "type": "execute", "retry": {"delay": "2s", "max_attempts": 3}, "execute": [{"url": "http://127.0.0.1:7401/suppliers/{{ stock.supplier }}/ask", "body": {"lines": "{{ stock.lines }}", "warehouse": "{{ stock.warehouse }}"}, "type": "webhook", "headers": {"Authorization": "Bearer {{ secrets.shop_token }}"}}]}, {"id": "wait_for_supplier", "type": "wait", "wait": {"event": "supplier.confirmed", "match": {"warehouse": "{{ stock.warehouse }}"}, "timeout": "2d"}}]}], "strategy": "all_must_pass"}}, {"id": "order_lines", "next": "allow", "type": "foreach", "foreach": {"items": "{{ stock.lines }}", "steps": [{"id": "order_line", "type": "execute", "retry": {"delay": "1s", "max_attempts": 3}, "execute": [{"url": "http://127.0.0.1:7401/suppliers/{{ stock.supplier }}/orders", "body": {"n": "{{ line.n }}", "sku": "{{ line.sku }}"}, "type": "webhook", "headers": {"Authorization": "Bearer {{ secrets.shop_token }}"}}]}], "item_var": "line", "concurrency": 2, "on_item_error": "continue"}}, {"id": "give_up", "next": "refuse", "type": "execute", "execute": [{"type": "notify", "message": "{{ stock.warehouse }} is not restocked: {{ error.message }}", "recipients": ["role:support"]}]}, {"id": "allow", "type": "action", "action": {"type": "allow"}}, {"id": "refuse", "type": "action", "action": {"type": "block", "reason": "Finance or the supplier did not agree"}}], "tests": [{"name": "a small order needs no finance, and each line is ordered", "given": {"script": [{"event": {"type": "supplier.confirmed", "payload": {"warehouse": "Lund"}}}], "payload": {"stock": {"lines": [{"n": 12, "sku": "seal-8"}, {"n": 2, "sku": "pump-40"}], "total": 120, "currency": "EUR", "supplier": "kestrel", "warehouse": "Lund"}}}, "expect": {"path": ["agree", "is_small", "within_budget", "ask_supplier", "wait_for_supplier", "order_lines", "order_line", "order_line", "allow"], "result": "allowed"}}, {"name": "finance says no, and the supplier isn''t waited for any more", "given": {"script": [{"decide": "reject", "comment": "Next month"}], "payload": {"stock": {"lines": [], "total": 9000, "currency": "EUR", "supplier": "kestrel", "warehouse": "Lund"}}}, "expect": {"path": ["agree", "is_small", "ask_finance", "ask_supplier", "wait_for_supplier", "give_up", "refuse"], "result": "blocked"}}, {"name": "the supplier doesn''t answer in time", "given": {"script": [{"decide": "approve"}, {"advance": "49h"}], "payload": {"stock": {"lines": [], "total": 9000, "currency": "EUR", "supplier": "kestrel", "warehouse": "Lund"}}}, "expect": {"result": "blocked"}}], "amount": "{{ stock.total }}", "enabled": true, "subject": "Restock {{ stock.warehouse }}, {{ stock.lines.length }} lines", "trigger": {"type": "event", "event": "stock.low"}, "currency": "{{ stock.currency }}", "description": "Finance and the supplier agree side by side, then each line is ordered", "workflow_id": "restock"}', NULL, '2026-11-27 02:15:07.449359+00', 'sample data', '{}');
INSERT INTO public.workflow_revisions VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'nightly_close', 1, 'yaml', '# Every night the shop is asked to close its books; operators hear when it can''t.
workflow_id: nightly_close
name: Nightly close
description: The shop closes its books at half past two
tags: [schedule]
enabled: true
trigger: { type: schedule, cron: "30 2 * * *", timezone: Europe/Stockholm }
subject: "Books of {{ event.time }}"
steps:
  - id: close_books
    type: execute
    execute:
      - type: webhook
        url: http://127.0.0.1:7401/books/close
        headers: { Authorization: "Bearer {{ secrets.shop_token }}" }
        body: { due: "{{ event.time }}" }
    retry: { max_attempts: 4, backoff: exponential, delay: 30s, max_delay: 10m }
    on_error: tell
  - id: tell
    type: execute
    execute:
      - type: notify
        recipients: ["role:operator"]
        message: "The books were not closed: {{ error.message }}"
    next: give_up
  - { id: give_up, type: fail, reason: "The shop could not close its books: {{ error.message }}" }
tests:
  - name: the books are closed
    given: { now: "2026-03-01T01:30:00Z" }
    expect: { result: executed, path: [close_books] }
  - name: operators hear of a failure
    given: { script: [{ effect: close_books, response: { status: 409 } }] }
    expect: { result: failed, path: [close_books, tell, give_up] }
', '{"name": "Nightly close", "tags": ["schedule"], "steps": [{"id": "close_books", "type": "execute", "retry": {"delay": "30s", "backoff": "exponential", "max_delay": "10m", "max_attempts": 4}, "execute": [{"url": "http://127.0.0.1:7401/books/close", "body": {"due": "{{ event.time }}"}, "type": "webhook", "headers": {"Authorization": "Bearer {{ secrets.shop_token }}"}}], "on_error": "tell"}, {"id": "tell", "next": "give_up", "type": "execute", "execute": [{"type": "notify", "message": "The books were not closed: {{ error.message }}", "recipients": ["role:operator"]}]}, {"id": "give_up", "type": "fail", "reason": "The shop could not close its books: {{ error.message }}"}], "tests": [{"name": "the books are closed", "given": {"now": "2026-03-01T01:30:00Z"}, "expect": {"path": ["close_books"], "result": "executed"}}, {"name": "operators hear of a failure", "given": {"script": [{"effect": "close_books", "response": {"status": 409}}]}, "expect": {"path": ["close_books", "tell", "give_up"], "result": "failed"}}], "enabled": true, "subject": "Books of {{ event.time }}", "trigger": {"cron": "30 2 * * *", "type": "schedule", "timezone": "Europe/Stockholm"}, "description": "The shop closes its books at half past two", "workflow_id": "nightly_close"}', NULL, '2026-11-27 02:15:07.468183+00', 'sample data', '{}');
INSERT INTO public.workflow_revisions VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'big_order', 1, 'yaml', '
workflow_id: big_order
name: Big order
enabled: true
trigger: {type: event, event: order.placed}
subject: "Order {{ order.id }}"
amount: "{{ order.total }}"
currency: EUR
steps:
  - id: review
    type: approval
    approval:
      entity: order
      entity_id: "{{ order.id }}"
      reason: "{{ order.total }} is much"
      show: {customer: "{{ order.customer }}"}
      levels: [{name: finance, approvers: ["role:finance"], expires_in: 3650d}]
    on_approved: accept
    on_rejected: refuse
    on_expired: refuse
  - {id: accept, type: action, action: {type: allow, reason: "Approved by {{ approval.by }}"}}
  - {id: refuse, type: action, action: {type: block, reason: "Not approved"}}
', '{"name": "Big order", "steps": [{"id": "review", "type": "approval", "approval": {"show": {"customer": "{{ order.customer }}"}, "entity": "order", "levels": [{"name": "finance", "approvers": ["role:finance"], "expires_in": "3650d"}], "reason": "{{ order.total }} is much", "entity_id": "{{ order.id }}"}, "on_expired": "refuse", "on_approved": "accept", "on_rejected": "refuse"}, {"id": "accept", "type": "action", "action": {"type": "allow", "reason": "Approved by {{ approval.by }}"}}, {"id": "refuse", "type": "action", "action": {"type": "block", "reason": "Not approved"}}], "amount": "{{ order.total }}", "enabled": true, "subject": "Order {{ order.id }}", "trigger": {"type": "event", "event": "order.placed"}, "currency": "EUR", "workflow_id": "big_order"}', NULL, '2026-11-27 02:15:11.772237+00', 'ada.lind@example.com', '{}');
INSERT INTO public.workflow_revisions VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'wait_for_payment', 1, 'yaml', '
workflow_id: wait_for_payment
name: Wait for payment
enabled: true
trigger: {type: event, event: invoice.sent}
subject: "Invoice {{ invoice.id }}"
steps:
  - id: paid
    type: wait
    wait: {event: invoice.paid, match: {invoice.id: "{{ invoice.id }}"}, timeout: 3650d, on_timeout: late}
    next: done
  - {id: done, type: action, action: {type: allow, reason: "Paid on {{ paid_on }}"}}
  - {id: late, type: action, action: {type: block, reason: "Late"}}
', '{"name": "Wait for payment", "steps": [{"id": "paid", "next": "done", "type": "wait", "wait": {"event": "invoice.paid", "match": {"invoice.id": "{{ invoice.id }}"}, "timeout": "3650d", "on_timeout": "late"}}, {"id": "done", "type": "action", "action": {"type": "allow", "reason": "Paid on {{ paid_on }}"}}, {"id": "late", "type": "action", "action": {"type": "block", "reason": "Late"}}], "enabled": true, "subject": "Invoice {{ invoice.id }}", "trigger": {"type": "event", "event": "invoice.sent"}, "workflow_id": "wait_for_payment"}', NULL, '2026-11-27 02:15:11.801072+00', 'ada.lind@example.com', '{}');
INSERT INTO public.workflow_revisions VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'stock_check', 1, 'yaml', '
workflow_id: stock_check
name: Stock check
enabled: true
trigger: {type: manual, form: [{name: name, type: text}]}
steps:
  - id: ask
    type: approval
    approval:
      entity: stock
      entity_id: "{{ name }}"
      reason: "Look in the store"
      levels: [{name: stock, approvers: ["role:sales_manager"]}]
    on_approved: in_stock
    on_rejected: gone
  - {id: in_stock, type: action, action: {type: allow, reason: "In stock"}}
  - {id: gone, type: action, action: {type: block, reason: "Gone"}}
', '{"name": "Stock check", "steps": [{"id": "ask", "type": "approval", "approval": {"entity": "stock", "levels": [{"name": "stock", "approvers": ["role:sales_manager"]}], "reason": "Look in the store", "entity_id": "{{ name }}"}, "on_approved": "in_stock", "on_rejected": "gone"}, {"id": "in_stock", "type": "action", "action": {"type": "allow", "reason": "In stock"}}, {"id": "gone", "type": "action", "action": {"type": "block", "reason": "Gone"}}], "enabled": true, "trigger": {"form": [{"name": "name", "type": "text"}], "type": "manual"}, "workflow_id": "stock_check"}', NULL, '2026-11-27 02:15:11.837412+00', 'ada.lind@example.com', '{}');
INSERT INTO public.workflow_revisions VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'checks', 1, 'yaml', '
workflow_id: checks
name: Checks side by side
enabled: true
trigger: {type: event, event: check.asked}
subject: "{{ name }}"
steps:
  - id: both
    type: parallel
    parallel:
      strategy: all_must_pass
      branches:
        - id: money
          steps:
            - id: ask_money
              type: approval
              approval:
                entity: check
                entity_id: "{{ name }}"
                reason: "Is there money?"
                levels: [{name: finance, approvers: ["role:finance"]}]
        - id: stock
          steps:
            - {id: ask_stock, type: call, call: {workflow_id: stock_check, input: {name: "{{ name }}"}, wait: true}}
    next: good
    on_error: bad
  - {id: good, type: action, action: {type: allow, reason: "All good"}}
  - {id: bad, type: action, action: {type: block, reason: "Something is missing"}}
', '{"name": "Checks side by side", "steps": [{"id": "both", "next": "good", "type": "parallel", "on_error": "bad", "parallel": {"branches": [{"id": "money", "steps": [{"id": "ask_money", "type": "approval", "approval": {"entity": "check", "levels": [{"name": "finance", "approvers": ["role:finance"]}], "reason": "Is there money?", "entity_id": "{{ name }}"}}]}, {"id": "stock", "steps": [{"id": "ask_stock", "call": {"wait": true, "input": {"name": "{{ name }}"}, "workflow_id": "stock_check"}, "type": "call"}]}], "strategy": "all_must_pass"}}, {"id": "good", "type": "action", "action": {"type": "allow", "reason": "All good"}}, {"id": "bad", "type": "action", "action": {"type": "block", "reason": "Something is missing"}}], "enabled": true, "subject": "{{ name }}", "trigger": {"type": "event", "event": "check.asked"}, "workflow_id": "checks"}', NULL, '2026-11-27 02:15:11.863319+00', 'ada.lind@example.com', '{}');
INSERT INTO public.workflow_revisions VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'slow_call', 1, 'yaml', '
workflow_id: slow_call
name: Slow call
enabled: true
trigger: {type: event, event: slow.asked}
steps:
  - {id: fetch, type: execute, execute: [{type: http_request, url: "http://127.0.0.1:1/slow", save_as: got}], retry: {max_attempts: 50, delay: 1h, backoff: fixed}, next: done}
  - {id: done, type: action, action: {type: allow, reason: "Came"}}
', '{"name": "Slow call", "steps": [{"id": "fetch", "next": "done", "type": "execute", "retry": {"delay": "1h", "backoff": "fixed", "max_attempts": 50}, "execute": [{"url": "http://127.0.0.1:1/slow", "type": "http_request", "save_as": "got"}]}, {"id": "done", "type": "action", "action": {"type": "allow", "reason": "Came"}}], "enabled": true, "trigger": {"type": "event", "event": "slow.asked"}, "workflow_id": "slow_call"}', NULL, '2026-11-27 02:15:11.889808+00', 'ada.lind@example.com', '{}');
INSERT INTO public.workflows VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'high_value_order', 'High-value order', true, 1, NULL, NULL, '2026-11-27 02:15:07.377119+00');
INSERT INTO public.workflows VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'refund', 'Refund', true, 1, NULL, NULL, '2026-11-27 02:15:07.410116+00');
INSERT INTO public.workflows VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'quote', 'Quote with discount', true, 1, NULL, NULL, '2026-11-27 02:15:07.435194+00');
INSERT INTO public.workflows VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'restock', 'Restock', true, 1, NULL, NULL, '2026-11-27 02:15:07.449359+00');
INSERT INTO public.workflows VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'nightly_close', 'Nightly close', true, 1, '2026-11-28 01:30:00+00', NULL, '2026-11-27 02:15:07.468183+00');
INSERT INTO public.workflows VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'big_order', 'Big order', true, 1, NULL, NULL, '2026-11-27 02:15:11.772237+00');
INSERT INTO public.workflows VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'wait_for_payment', 'Wait for payment', true, 1, NULL, NULL, '2026-11-27 02:15:11.801072+00');
INSERT INTO public.workflows VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'stock_check', 'Stock check', true, 1, NULL, NULL, '2026-11-27 02:15:11.837412+00');
INSERT INTO public.workflows VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'checks', 'Checks side by side', true, 1, NULL, NULL, '2026-11-27 02:15:11.863319+00');
INSERT INTO public.workflows VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'slow_call', 'Slow call', true, 1, NULL, NULL, '2026-11-27 02:15:11.889808+00');
INSERT INTO public.workspaces VALUES ('01a21ac8-f4a3-70c6-a952-44df7e14a7e4', 'main', 1, '2026-11-27 02:15:07.171851+00');
INSERT INTO public.workspaces VALUES ('01a21ac8-f4c8-73b9-862c-8df9463d8cd7', 'Norrland Trading', 11, '2026-11-27 02:15:07.208327+00');
ALTER TABLE ONLY public._sqlx_migrations
    ADD CONSTRAINT _sqlx_migrations_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_hash_key UNIQUE (hash);
ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.approvals
    ADD CONSTRAINT approvals_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.calls
    ADD CONSTRAINT calls_pkey PRIMARY KEY (child);
ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT deliveries_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.event_ids
    ADD CONSTRAINT event_ids_pkey PRIMARY KEY (workspace_id, event_id);
ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.executions
    ADD CONSTRAINT executions_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.idempotency
    ADD CONSTRAINT idempotency_pkey PRIMARY KEY (workspace_id, actor, key);
ALTER TABLE ONLY public.journal
    ADD CONSTRAINT journal_pkey PRIMARY KEY (execution_id, seq);
ALTER TABLE ONLY public.memberships
    ADD CONSTRAINT memberships_pkey PRIMARY KEY (workspace_id, user_id);
ALTER TABLE ONLY public.notices
    ADD CONSTRAINT notices_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.refresh_tokens
    ADD CONSTRAINT refresh_tokens_pkey PRIMARY KEY (hash);
ALTER TABLE ONLY public.rule_versions
    ADD CONSTRAINT rule_versions_pkey PRIMARY KEY (workspace_id, rule_id, version);
ALTER TABLE ONLY public.rules
    ADD CONSTRAINT rules_pkey PRIMARY KEY (workspace_id, rule_id);
ALTER TABLE ONLY public.secrets
    ADD CONSTRAINT secrets_pkey PRIMARY KEY (workspace_id, name);
ALTER TABLE ONLY public.servers
    ADD CONSTRAINT servers_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.sign_in_codes
    ADD CONSTRAINT sign_in_codes_pkey PRIMARY KEY (hash);
ALTER TABLE ONLY public.sign_in_failures
    ADD CONSTRAINT sign_in_failures_pkey PRIMARY KEY (subject);
ALTER TABLE ONLY public.timers
    ADD CONSTRAINT timers_pkey PRIMARY KEY (execution_id, timer);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.waits
    ADD CONSTRAINT waits_pkey PRIMARY KEY (execution_id, place);
ALTER TABLE ONLY public.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.webhook_secrets
    ADD CONSTRAINT webhook_secrets_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.webhooks
    ADD CONSTRAINT webhooks_pkey PRIMARY KEY (workspace_id, workflow_id);
ALTER TABLE ONLY public.webhooks
    ADD CONSTRAINT webhooks_token_key UNIQUE (token);
ALTER TABLE ONLY public.workflow_revisions
    ADD CONSTRAINT workflow_revisions_pkey PRIMARY KEY (workspace_id, workflow_id, revision);
ALTER TABLE ONLY public.workflows
    ADD CONSTRAINT workflows_pkey PRIMARY KEY (workspace_id, workflow_id);
ALTER TABLE ONLY public.workspaces
    ADD CONSTRAINT workspaces_name_key UNIQUE (name);
ALTER TABLE ONLY public.workspaces
    ADD CONSTRAINT workspaces_pkey PRIMARY KEY (id);
CREATE INDEX api_keys_workspace ON public.api_keys USING btree (workspace_id, id);
CREATE INDEX approvals_asked ON public.approvals USING gin (approvers) WHERE (status = 'pending'::text);
CREATE INDEX approvals_entity ON public.approvals USING btree (workspace_id, entity_id text_pattern_ops);
CREATE INDEX approvals_execution ON public.approvals USING btree (execution_id);
CREATE INDEX approvals_status ON public.approvals USING btree (workspace_id, status, id DESC);
CREATE INDEX approvals_subject ON public.approvals USING gin (to_tsvector('simple'::regconfig, subject)) WHERE (subject IS NOT NULL);
CREATE INDEX approvals_workspace ON public.approvals USING btree (workspace_id, id DESC);
CREATE INDEX audit_actor ON public.audit USING btree (workspace_id, actor, id DESC);
CREATE INDEX audit_subject ON public.audit USING btree (workspace_id, subject, id DESC);
CREATE INDEX audit_workspace ON public.audit USING btree (workspace_id, id DESC);
CREATE INDEX calls_owed ON public.calls USING btree (child) WHERE (owed IS NOT NULL);
CREATE INDEX calls_parent ON public.calls USING btree (parent);
CREATE INDEX calls_stop ON public.calls USING btree (child) WHERE (stop IS NOT NULL);
CREATE INDEX deliveries_due ON public.deliveries USING btree (next_at) WHERE (status = 'pending'::text);
CREATE INDEX deliveries_status ON public.deliveries USING btree (workspace_id, status, id DESC);
CREATE INDEX deliveries_workspace ON public.deliveries USING btree (workspace_id, id DESC);
CREATE INDEX events_pending ON public.events USING btree (id) WHERE pending;
CREATE INDEX events_type ON public.events USING btree (workspace_id, type, id);
CREATE INDEX executions_event ON public.executions USING btree (workspace_id, event_id text_pattern_ops);
CREATE INDEX executions_open ON public.executions USING btree (workspace_id, status, id DESC) WHERE (status <> 'ended'::text);
CREATE INDEX executions_owned ON public.executions USING btree (id) WHERE (owners IS NOT NULL);
CREATE INDEX executions_result ON public.executions USING btree (workspace_id, result, id DESC) WHERE (result <> ALL (ARRAY['allowed'::text, 'executed'::text]));
CREATE INDEX executions_subject ON public.executions USING gin (to_tsvector('simple'::regconfig, subject)) WHERE (subject IS NOT NULL);
CREATE INDEX executions_workflow ON public.executions USING btree (workspace_id, workflow_id, id DESC);
CREATE INDEX executions_workspace ON public.executions USING btree (workspace_id, id DESC);
CREATE INDEX idempotency_age ON public.idempotency USING btree (created_at);
CREATE INDEX memberships_roles ON public.memberships USING gin (roles) WHERE active;
CREATE INDEX memberships_user ON public.memberships USING btree (user_id);
CREATE INDEX notices_person ON public.notices USING btree (workspace_id, user_id, id DESC);
CREATE INDEX refresh_tokens_family ON public.refresh_tokens USING btree (family);
CREATE INDEX timers_due ON public.timers USING btree (due_at);
CREATE UNIQUE INDEX users_email_key ON public.users USING btree (lower(email));
CREATE INDEX waits_key ON public.waits USING btree (workspace_id, event, key_path, key_value);
CREATE INDEX webhook_deliveries_workflow ON public.webhook_deliveries USING btree (workspace_id, workflow_id, id DESC);
CREATE INDEX webhook_secrets_workflow ON public.webhook_secrets USING btree (workspace_id, workflow_id, id);
CREATE INDEX workflows_due ON public.workflows USING btree (next_due) WHERE (next_due IS NOT NULL);
ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id);
ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id);
ALTER TABLE ONLY public.idempotency
    ADD CONSTRAINT idempotency_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id);
ALTER TABLE ONLY public.memberships
    ADD CONSTRAINT memberships_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id);
ALTER TABLE ONLY public.memberships
    ADD CONSTRAINT memberships_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id);
ALTER TABLE ONLY public.notices
    ADD CONSTRAINT notices_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id);
ALTER TABLE ONLY public.refresh_tokens
    ADD CONSTRAINT refresh_tokens_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id);
ALTER TABLE ONLY public.refresh_tokens
    ADD CONSTRAINT refresh_tokens_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id);
ALTER TABLE ONLY public.rule_versions
    ADD CONSTRAINT rule_versions_workspace_id_rule_id_fkey FOREIGN KEY (workspace_id, rule_id) REFERENCES public.rules(workspace_id, rule_id);
ALTER TABLE ONLY public.secrets
    ADD CONSTRAINT secrets_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id);
ALTER TABLE ONLY public.sign_in_codes
    ADD CONSTRAINT sign_in_codes_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id);
ALTER TABLE ONLY public.webhooks
    ADD CONSTRAINT webhooks_workspace_id_workflow_id_fkey FOREIGN KEY (workspace_id, workflow_id) REFERENCES public.workflows(workspace_id, workflow_id);
ALTER TABLE ONLY public.workflow_revisions
    ADD CONSTRAINT workflow_revisions_workspace_id_workflow_id_fkey FOREIGN KEY (workspace_id, workflow_id) REFERENCES public.workflows(workspace_id, workflow_id);
ALTER TABLE ONLY public.workflows
    ADD CONSTRAINT workflows_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id);
