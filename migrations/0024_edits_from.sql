-- What the fields that a decision changed held before; none for decisions without edits, and those of earlier versions.
alter table approval_decisions add column edited_from jsonb;
