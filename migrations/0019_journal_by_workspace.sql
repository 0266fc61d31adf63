-- Every row of a workspace names it, and a query by a run's id names the workspace as well.
alter table journal add column workspace_id uuid;
update journal j set workspace_id = e.workspace_id from executions e where e.id = j.execution_id;
alter table journal alter column workspace_id set not null;
