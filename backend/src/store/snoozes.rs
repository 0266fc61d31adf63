//! Requests that people put off for themselves.

use super::Result;
use chrono::{DateTime, Utc};
use shared_types::ids::{ApprovalId, UserId, WorkspaceId};
use sqlx::PgConnection;

/// The requests that a person has put off, and until when.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn of(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<Vec<(ApprovalId, DateTime<Utc>)>> {
    let rows = sqlx::query!(
        "select approval_id, until_at from snoozes where workspace_id = $1 and user_id = $2 and until_at > $3",
        workspace.0,
        user.0,
        now
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (ApprovalId(row.approval_id), row.until_at)).collect())
}

/// Puts a request off.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn put(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    user: UserId,
    approval: ApprovalId,
    until: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "insert into snoozes (workspace_id, user_id, approval_id, until_at) values ($1, $2, $3, $4)
         on conflict (workspace_id, user_id, approval_id) do update set until_at = excluded.until_at",
        workspace.0,
        user.0,
        approval.0,
        until
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Puts a request off no longer.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn delete(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    user: UserId,
    approval: ApprovalId,
) -> Result<()> {
    sqlx::query!(
        "delete from snoozes where workspace_id = $1 and user_id = $2 and approval_id = $3",
        workspace.0,
        user.0,
        approval.0
    )
    .execute(conn)
    .await?;
    Ok(())
}
