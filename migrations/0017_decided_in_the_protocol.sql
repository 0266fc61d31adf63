-- Decisions are judged by the run's state, which holds the levels of its requests. Snapshots of before don't have them:
-- runs that ask people are replayed from their journal.
update executions e set state = null, state_seq = 0
where e.status <> 'ended' and e.state is not null
  and exists (select 1 from approvals a where a.execution_id = e.id and a.workspace_id = e.workspace_id and a.status = 'pending');
