//! Runs that other runs started: their parents, which parent must still be notified, and which child must stop.

use super::{OfRow as _, Result, read_text};
use shared_types::{
    ids::{ExecutionId, WorkspaceId},
    machine::{StartRun, StepAddress},
};
use sqlx::PgConnection;
use uuid::Uuid;

/// The run that started another, and the step that did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParentRun {
    /// The id of the parent.
    pub execution_id: ExecutionId,
    /// The address of the step in the parent.
    pub place: StepAddress,
    /// True if the step waits for the result of the child.
    pub awaited: bool,
}

/// Inserts the runs that other runs start.
#[tracing::instrument(level = "debug", skip_all)]
pub(super) async fn insert(
    conn: &mut PgConnection,
    starts: &[(WorkspaceId, ExecutionId, &StartRun)],
) -> Result<()> {
    if starts.is_empty() {
        return Ok(());
    }
    let workspaces: Vec<Uuid> = starts.iter().map(|(workspace, _, _)| workspace.0).collect();
    let parents: Vec<Uuid> = starts.iter().map(|(_, parent, _)| parent.0).collect();
    let children: Vec<Uuid> = starts.iter().map(|(_, _, start)| start.execution_id.0).collect();
    let workflows: Vec<String> = starts.iter().map(|(_, _, start)| start.workflow_id.0.clone()).collect();
    let places: Vec<String> = starts.iter().map(|(_, _, start)| super::json_text(&start.place)).collect();
    let awaited: Vec<bool> = starts.iter().map(|(_, _, start)| start.awaited).collect();
    sqlx::query!(
        "insert into child_runs (child, workspace_id, parent, workflow_id, place, awaited)
         select t.child, t.workspace, t.parent, t.workflow, t.place::json, t.awaited
         from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::boolean[])
           as t(child, workspace, parent, workflow, place, awaited)
         on conflict do nothing",
        &children,
        &workspaces,
        &parents,
        &workflows,
        &places,
        &awaited
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Marks children of which the parent must be notified, each with the `seq` of its change.
#[tracing::instrument(level = "debug", skip_all)]
pub(super) async fn mark_parent_due(
    conn: &mut PgConnection,
    owed: &[(WorkspaceId, ExecutionId, i32)],
) -> Result<()> {
    if owed.is_empty() {
        return Ok(());
    }
    let (workspaces, children): (Vec<Uuid>, Vec<Uuid>) =
        owed.iter().map(|(workspace, child, _)| (workspace.0, child.0)).unzip();
    let seqs: Vec<i32> = owed.iter().map(|(_, _, seq)| *seq).collect();
    sqlx::query!(
        "update child_runs c set parent_due = t.seq
         from unnest($1::uuid[], $2::uuid[], $3::integer[]) as t(workspace, child, seq)
         where c.workspace_id = t.workspace and c.child = t.child",
        &workspaces,
        &children,
        &seqs
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The parent was notified of a change of its child; a later change stays marked.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn parent_notified(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    child: ExecutionId,
    seq: i32,
) -> Result<()> {
    sqlx::query!(
        "update child_runs set parent_due = null where workspace_id = $1 and child = $2 and parent_due <= $3",
        workspace.0,
        child.0,
        seq
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Marks children that must stop, with the reason.
#[tracing::instrument(level = "debug", skip_all)]
pub(super) async fn stop(
    conn: &mut PgConnection,
    stops: &[(WorkspaceId, &(ExecutionId, String))],
) -> Result<()> {
    if stops.is_empty() {
        return Ok(());
    }
    let (workspaces, children): (Vec<Uuid>, Vec<Uuid>) =
        stops.iter().map(|(workspace, (child, _))| (workspace.0, child.0)).unzip();
    let reasons: Vec<String> = stops.iter().map(|(_, (_, because))| because.clone()).collect();
    sqlx::query!(
        "update child_runs c set stop_reason = t.stop
         from unnest($1::uuid[], $2::uuid[], $3::text[]) as t(workspace, child, stop)
         where c.workspace_id = t.workspace and c.child = t.child",
        &workspaces,
        &children,
        &reasons
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A child that had to stop has ended, or will never start.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn stopped(conn: &mut PgConnection, workspace: WorkspaceId, child: ExecutionId) -> Result<()> {
    sqlx::query!(
        "update child_runs set stop_reason = null where workspace_id = $1 and child = $2",
        workspace.0,
        child.0
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The reason for which a child must stop, if it must.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn stop_reason(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    child: ExecutionId,
) -> Result<Option<String>> {
    let stop = sqlx::query_scalar!(
        "select stop_reason from child_runs where workspace_id = $1 and child = $2",
        workspace.0,
        child.0
    );
    Ok(stop.fetch_optional(conn).await?.flatten())
}

/// The parent of a run, if another run started it.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn parent(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    child: ExecutionId,
) -> Result<Option<ParentRun>> {
    let row = sqlx::query!(
        r#"select parent, place::text as "place!", awaited from child_runs where workspace_id = $1 and child = $2"#,
        workspace.0,
        child.0
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        Ok(ParentRun {
            execution_id: ExecutionId(row.parent),
            place: read_text("child_runs", "place", &row.place).of_row(child)?,
            awaited: row.awaited,
        })
    })
    .transpose()
}

/// Children whose parent must be notified or that must stop; after a crash, any server does so.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn pending(conn: &mut PgConnection) -> Result<Vec<(WorkspaceId, ExecutionId)>> {
    let rows = sqlx::query!(
        "select workspace_id, child from child_runs where parent_due is not null
         union select workspace_id, child from child_runs where stop_reason is not null order by child"
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| Some((WorkspaceId(row.workspace_id?), ExecutionId(row.child?))))
        .collect())
}
