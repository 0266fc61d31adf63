//! Messages to people.

use super::Result;
use chrono::{DateTime, Utc};
use shared_types::{
    api::notices::Notice,
    ids::{ApprovalId, ExecutionId, NoticeId, UserId, WorkspaceId},
};
use sqlx::PgConnection;
use uuid::Uuid;

/// Lists a person's messages, newest first.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn list(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    user: UserId,
    unread: bool,
    below: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Notice>> {
    let rows = sqlx::query!(
        "select id, execution_id, approval_id, subject, message, at, read_at from notices
         where workspace_id = $1 and user_id = $2 and ($3::uuid is null or id < $3) and (not $4 or read_at is null)
         order by id desc limit $5",
        workspace.0,
        user.0,
        below,
        unread,
        limit
    )
    .fetch_all(conn)
    .await?;
    let notices = rows.into_iter().map(|row| Notice {
        notice_id: NoticeId(row.id),
        subject: row.subject,
        message: row.message,
        execution_id: row.execution_id.map(ExecutionId),
        approval_id: row.approval_id.map(ApprovalId),
        at: row.at,
        read_at: row.read_at,
    });
    Ok(notices.collect())
}

/// Marks a person's message as read; false where there is none.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn mark_read(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    user: UserId,
    notice: NoticeId,
    at: DateTime<Utc>,
) -> Result<bool> {
    let marked = sqlx::query!(
        "update notices set read_at = coalesce(read_at, $4) where workspace_id = $1 and user_id = $2 and id = $3",
        workspace.0,
        user.0,
        notice.0,
        at
    )
    .execute(conn)
    .await?;
    Ok(marked.rows_affected() == 1)
}
