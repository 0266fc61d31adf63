-- A rule's text as its author wrote it, comments and all; of earlier versions only the document is known.
alter table rule_versions add column format text, add column source text;
update rule_versions set format = 'json', source = jsonb_pretty(document);
alter table rule_versions alter column format set not null, alter column source set not null;
