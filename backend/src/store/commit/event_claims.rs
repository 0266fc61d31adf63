//! Claims of events that came before the run which takes them: each is taken so by one run only.

use super::Change;
use crate::store::Result;
use shared_types::ids::ExecutionId;
use sqlx::PgConnection;
use std::collections::HashSet;
use uuid::Uuid;

/// The claims that changes need, in one order everywhere, so that two transactions never wait for each other in a circle.
fn claims(changes: &[&Change]) -> (Vec<Uuid>, Vec<Uuid>, Vec<Uuid>) {
    let mut claims: Vec<(Uuid, Uuid, Uuid)> = changes
        .iter()
        .filter_map(|change| {
            Some((change.side_rows.claimed_event?, change.workspace.0, change.execution_id().0))
        })
        .collect();
    claims.sort_unstable();
    let (events, (workspaces, runs)) =
        claims.into_iter().map(|(event, workspace, run)| (event, (workspace, run))).unzip();
    (events, workspaces, runs)
}

/// Claims the events of these changes, and says which runs found theirs claimed by another.
#[tracing::instrument(level = "debug", skip_all)]
pub(super) async fn claim_events(
    conn: &mut PgConnection,
    changes: &[&Change],
) -> Result<HashSet<ExecutionId>> {
    let (events, workspaces, runs) = claims(changes);
    if events.is_empty() {
        return Ok(HashSet::new());
    }
    let claimed = sqlx::query_scalar!(
        "insert into event_claims (event, workspace_id, execution_id)
         select t.event, t.workspace_id, t.execution_id
         from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as t(event, workspace_id, execution_id)
         on conflict (event) do nothing returning execution_id",
        &events,
        &workspaces,
        &runs
    )
    .fetch_all(conn)
    .await?;
    Ok(runs.into_iter().filter(|run| !claimed.contains(run)).map(ExecutionId).collect())
}

/// Gives back what was claimed for changes that were not written.
#[tracing::instrument(level = "debug", skip_all)]
pub(super) async fn release_claims(conn: &mut PgConnection, changes: &[&Change]) -> Result<()> {
    let (events, workspaces, runs) = claims(changes);
    if events.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "delete from event_claims c
         using unnest($1::uuid[], $2::uuid[], $3::uuid[]) as t(event, workspace_id, execution_id)
         where c.event = t.event and c.workspace_id = t.workspace_id and c.execution_id = t.execution_id",
        &events,
        &workspaces,
        &runs
    )
    .execute(conn)
    .await?;
    Ok(())
}
