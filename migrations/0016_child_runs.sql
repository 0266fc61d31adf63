-- Runs that other runs started, and answers under an `Idempotency-Key`, by the names that the code has for them.

alter table calls rename to child_runs;
-- The change of the child (its seq) that its parent must still be notified of.
alter table child_runs rename column owed to parent_due;
-- Why the child must stop, until it has ended.
alter table child_runs rename column stop to stop_reason;
alter index calls_pkey rename to child_runs_pkey;
alter index calls_parent rename to child_runs_parent;
alter index calls_owed rename to child_runs_parent_due;
alter index calls_stop rename to child_runs_stop_reason;

alter table idempotency rename to stored_responses;
alter index idempotency_pkey rename to stored_responses_pkey;
alter index idempotency_age rename to stored_responses_created_at;
