-- Whose a decision is, by name, so that another person can be told for whom it waits.

alter table outbox add column person text not null default '';
