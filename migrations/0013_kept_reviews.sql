-- What the checks found in a revision when it was published, so that reading it checks nothing.
--
-- All three are null for a revision that wasn't reviewed yet, and `reviewed_by` is lower than the server's own
-- version of the checks for one that is to be reviewed anew.

alter table workflow_revisions
    -- What the document says by itself, whatever is set up around it: {findings, left_out, left_out_severity}.
    add column findings json,
    -- What it refers to outside of itself: [{to: {kind, name}, pointer, line, column}].
    add column refers_to jsonb,
    -- The version of the checks that found it.
    add column reviewed_by integer;
