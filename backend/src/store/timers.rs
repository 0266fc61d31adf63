//! Timers of runs.

use super::{Result, StoreError};
use chrono::{DateTime, Utc};
use shared_types::{
    ids::{ExecutionId, WorkspaceId},
    machine::Timer,
};
use sqlx::PgConnection;

/// A timer that is due.
#[derive(Debug)]
pub struct Due {
    /// Where.
    pub workspace: WorkspaceId,
    /// Of which run.
    pub execution_id: ExecutionId,
    /// Which.
    pub timer: Timer,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// A timer's key as stored.
pub fn key(timer: &Timer) -> String {
    serde_json::to_string(timer).unwrap_or_default()
}

/// The timers that are due, the one that is due longest first, and put off to `again_at` so that no other server takes them meanwhile.
///
/// Whoever applies one deletes it with the run's change; one that was not applied comes again.
pub async fn claim_due(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    again_at: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Due>> {
    let rows = sqlx::query!(
        "update timers t set due_at = $2
         from (select execution_id, timer, due_at from timers where due_at <= $1 order by due_at limit $3
               for update skip locked) as due
         where t.execution_id = due.execution_id and t.timer = due.timer
         returning t.workspace_id, t.execution_id, t.timer, due.due_at as since",
        now,
        again_at,
        limit
    )
    .fetch_all(conn)
    .await?;
    let due: Result<Vec<Due>> = rows
        .into_iter()
        .map(|row| {
            let timer = serde_json::from_str(&row.timer).map_err(|error| StoreError::Unreadable {
                table: "timers",
                column: "timer",
                why: error.to_string(),
            })?;
            Ok(Due {
                workspace: WorkspaceId(row.workspace_id),
                execution_id: ExecutionId(row.execution_id),
                timer,
                since: row.since,
            })
        })
        .collect();
    let mut due = due?;
    due.sort_by_key(|due| due.since);
    Ok(due)
}

/// When the next timer is due.
pub async fn next(conn: &mut PgConnection) -> Result<Option<DateTime<Utc>>> {
    Ok(sqlx::query_scalar!("select due_at from timers order by due_at limit 1").fetch_optional(conn).await?)
}

/// Drops a timer that its run doesn't know any more.
pub async fn drop_one(conn: &mut PgConnection, execution: ExecutionId, timer: &Timer) -> Result<()> {
    sqlx::query!("delete from timers where execution_id = $1 and timer = $2", execution.0, key(timer))
        .execute(conn)
        .await?;
    Ok(())
}
