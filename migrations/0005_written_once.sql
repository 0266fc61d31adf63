-- What is written once and read whole is kept as it was written: nothing asks inside it, and `json` spares
-- taking it apart and sorting it on the way in.

alter table events alter column payload type json using payload::json;

alter table journal
    alter column input type json using input::json,
    alter column facts type json using facts::json;

-- A state that is null follows from the journal, from its start.
alter table executions
    alter column state drop not null,
    alter column state type json using state::json;

-- A run that makes calls is updated at each of them: with room on its page, its index entries stay.
alter table executions set (fillfactor = 75);

-- Most runs end as `allowed` or `executed`; whoever asks for these finds them by the newest.
drop index executions_result;
create index executions_result on executions (workspace_id, result, id desc)
    where result not in ('allowed', 'executed');
