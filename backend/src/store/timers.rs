//! Timers of runs.

use super::Result;
use chrono::{DateTime, Utc};
use shared_types::{
    ids::{ExecutionId, WorkspaceId},
    machine::Timer,
};
use sqlx::PgConnection;

/// A timer that is due.
#[derive(Debug)]
pub struct DueTimer {
    /// The workspace that it belongs to.
    pub workspace: WorkspaceId,
    /// Of which run.
    pub execution_id: ExecutionId,
    /// The timer.
    pub timer: Timer,
    /// The time of the last answer, in UTC.
    pub since: DateTime<Utc>,
    /// How often it was about to be applied before, and wasn't.
    pub attempts: i32,
}

/// A timer's key as stored.
pub fn key(timer: &Timer) -> String {
    serde_json::to_string(timer).unwrap_or_default()
}

/// The timers that are due, the one that is due longest first, and put off to `again_at` so that no other server takes them meanwhile.
///
/// Whoever applies one deletes it with the run's change; one that was not applied comes again.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn claim_due(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    again_at: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<DueTimer>> {
    let rows = sqlx::query!(
        "update timers t set due_at = $2, attempts = greatest(due.attempts, 1)
         from (select execution_id, timer, due_at, attempts from timers where due_at <= $1 order by due_at limit $3
               for update skip locked) as due
         where t.execution_id = due.execution_id and t.timer = due.timer
         returning t.workspace_id, t.execution_id, t.timer, due.due_at as since, due.attempts",
        now,
        again_at,
        limit
    )
    .fetch_all(conn)
    .await?;
    let mut due = Vec::with_capacity(rows.len());
    for row in rows {
        let execution_id = ExecutionId(row.execution_id);
        match serde_json::from_str(&row.timer) {
            Ok(timer) => due.push(DueTimer {
                workspace: WorkspaceId(row.workspace_id),
                execution_id,
                timer,
                since: row.since,
                attempts: row.attempts,
            }),
            // One that can't be read keeps no other from being applied.
            Err(error) => tracing::error!(run.id = %execution_id, %error, "a timer can't be read"),
        }
    }
    due.sort_by_key(|due| due.since);
    Ok(due)
}

/// Counts an attempt to apply a timer that came again; how many there are now, nothing where it is gone.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn count_attempt(conn: &mut PgConnection, due: &DueTimer) -> Result<Option<i32>> {
    let attempts = sqlx::query_scalar!(
        "update timers set attempts = attempts + 1
         where execution_id = $1 and workspace_id = $3 and timer = $2 returning attempts",
        due.execution_id.0,
        key(&due.timer),
        due.workspace.0
    )
    .fetch_optional(conn)
    .await?;
    Ok(attempts)
}

/// Forgets the attempts to apply a timer, but that it came again.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn forget_attempts(conn: &mut PgConnection, due: &DueTimer) -> Result<()> {
    sqlx::query!(
        "update timers set attempts = 1 where execution_id = $1 and workspace_id = $3 and timer = $2",
        due.execution_id.0,
        key(&due.timer),
        due.workspace.0
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// When the next timer is due.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn next(conn: &mut PgConnection) -> Result<Option<DateTime<Utc>>> {
    Ok(sqlx::query_scalar!("select due_at from timers order by due_at limit 1").fetch_optional(conn).await?)
}

/// Drops a timer that its run doesn't know any more.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn drop_one(conn: &mut PgConnection, due: &DueTimer) -> Result<()> {
    sqlx::query!(
        "delete from timers where execution_id = $1 and workspace_id = $3 and timer = $2",
        due.execution_id.0,
        key(&due.timer),
        due.workspace.0
    )
    .execute(conn)
    .await?;
    Ok(())
}
