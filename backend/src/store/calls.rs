//! Runs that other runs called: who called whom, what the caller is still to hear, and who is to end.

use super::{Result, read_text};
use shared_types::{
    ids::{ExecutionId, WorkspaceId},
    machine::{StartRun, StepAddress},
};
use sqlx::PgConnection;
use uuid::Uuid;

/// Who called a run, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The run that called.
    pub execution_id: ExecutionId,
    /// Where in it.
    pub place: StepAddress,
    /// Whether it waits for the result.
    pub awaited: bool,
}

/// Writes that runs called others.
pub(super) async fn insert(
    conn: &mut PgConnection,
    calls: &[(WorkspaceId, ExecutionId, &StartRun)],
) -> Result<()> {
    for (workspace, parent, start) in calls {
        sqlx::query!(
            "insert into calls (child, workspace_id, parent, workflow_id, place, awaited)
             values ($1, $2, $3, $4, $5::text::json, $6) on conflict do nothing",
            start.execution_id.0,
            workspace.0,
            parent.0,
            start.workflow_id.0,
            super::json_text(&start.place),
            start.awaited
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// Writes of which changes callers are still to hear.
pub(super) async fn owe(conn: &mut PgConnection, owed: &[(WorkspaceId, ExecutionId, i32)]) -> Result<()> {
    if owed.is_empty() {
        return Ok(());
    }
    let (workspaces, children): (Vec<Uuid>, Vec<Uuid>) =
        owed.iter().map(|(workspace, child, _)| (workspace.0, child.0)).unzip();
    let seqs: Vec<i32> = owed.iter().map(|(_, _, seq)| *seq).collect();
    sqlx::query!(
        "update calls c set owed = t.seq
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

/// A caller has heard of a change of the run that it called.
pub async fn heard(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    child: ExecutionId,
    seq: i32,
) -> Result<()> {
    sqlx::query!(
        "update calls set owed = null where workspace_id = $1 and child = $2 and owed <= $3",
        workspace.0,
        child.0,
        seq
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes which called runs are to end, and why.
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
        "update calls c set stop = t.stop
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

/// A run that was to end has ended, or will never be.
pub async fn stopped(conn: &mut PgConnection, workspace: WorkspaceId, child: ExecutionId) -> Result<()> {
    sqlx::query!("update calls set stop = null where workspace_id = $1 and child = $2", workspace.0, child.0)
        .execute(conn)
        .await?;
    Ok(())
}

/// Why a called run is to end, if it is.
pub async fn stop_of(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    child: ExecutionId,
) -> Result<Option<String>> {
    let stop = sqlx::query_scalar!(
        "select stop from calls where workspace_id = $1 and child = $2",
        workspace.0,
        child.0
    );
    Ok(stop.fetch_optional(conn).await?.flatten())
}

/// Who called a run.
pub async fn caller(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    child: ExecutionId,
) -> Result<Option<Caller>> {
    let row = sqlx::query!(
        r#"select parent, place::text as "place!", awaited from calls where workspace_id = $1 and child = $2"#,
        workspace.0,
        child.0
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        Ok(Caller {
            execution_id: ExecutionId(row.parent),
            place: read_text("calls", "place", &row.place)?,
            awaited: row.awaited,
        })
    })
    .transpose()
}

/// What is left undone: callers that are to hear, and runs that are to end.
pub async fn undone(conn: &mut PgConnection) -> Result<Vec<(WorkspaceId, ExecutionId)>> {
    let rows = sqlx::query!(
        "select workspace_id, child from calls where owed is not null
         union select workspace_id, child from calls where stop is not null order by child"
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| Some((WorkspaceId(row.workspace_id?), ExecutionId(row.child?))))
        .collect())
}
