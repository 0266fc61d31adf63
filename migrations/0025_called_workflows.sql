-- What a revision calls and asks each time, so that a run that needs it doesn't walk the whole document.
alter table workflow_revisions
    add column calls jsonb not null
        generated always as (jsonb_path_query_array(document, '$.steps.**.call.workflow_id')) stored,
    add column latest_rules jsonb not null
        generated always as (jsonb_path_query_array(document, '$.steps.** ? (@.rule == "latest").rule_id')) stored;
