-- The number of the first fact that a row has, so that a long trace is read from its middle; rows of before have none,
-- and a trace of theirs is read from its start.
alter table journal add column first_fact integer;
