//! Messages to the world.

use super::{OfRow as _, Result, read_word};
use chrono::{DateTime, Utc};
use shared_types::{
    api::notices::{Delivery, DeliveryStatus},
    ids::{DeliveryId, ExecutionId, WorkspaceId},
};
use sqlx::PgConnection;
use uuid::Uuid;

/// A message that is to go out.
#[derive(Debug)]
pub struct DueDelivery {
    /// The workspace that it belongs to.
    pub workspace: WorkspaceId,
    /// Its id, a `UUIDv7`.
    pub id: DeliveryId,
    /// The recipient: an address, `user:`, `role:` or a channel.
    pub recipient: String,
    /// Its subject line.
    pub subject: Option<String>,
    /// What it says.
    pub message: String,
    /// How often it was tried, this time too.
    pub attempts: i32,
}

/// Takes messages that are due, and puts them off to `again_at` so that no other server sends them meanwhile.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn claim_due(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    again_at: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<DueDelivery>> {
    let rows = sqlx::query!(
        "update deliveries set next_at = $2, attempts = attempts + 1
         where id in (select id from deliveries where status = 'pending' and next_at <= $1 order by next_at limit $3
                      for update skip locked)
         returning workspace_id, id, recipient, subject, message, attempts",
        now,
        again_at,
        limit
    )
    .fetch_all(conn)
    .await?;
    let due = rows.into_iter().map(|row| DueDelivery {
        workspace: WorkspaceId(row.workspace_id),
        id: DeliveryId(row.id),
        recipient: row.recipient,
        subject: row.subject,
        message: row.message,
        attempts: row.attempts,
    });
    Ok(due.collect())
}

/// Records that a message went out.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn mark_delivered(conn: &mut PgConnection, due: &DueDelivery, at: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "update deliveries set status = 'delivered', delivered_at = $2, next_at = null, reason = null
         where id = $1 and workspace_id = $3",
        due.id.0,
        at,
        due.workspace.0
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Records that a message could not go out; without `again_at` it is kept as undeliverable.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn mark_failed(
    conn: &mut PgConnection,
    due: &DueDelivery,
    reason: &str,
    again_at: Option<DateTime<Utc>>,
) -> Result<()> {
    let status = if again_at.is_some() { "pending" } else { "undeliverable" };
    sqlx::query!(
        "update deliveries set status = $2, reason = $3, next_at = $4 where id = $1 and workspace_id = $5",
        due.id.0,
        status,
        reason,
        again_at,
        due.workspace.0
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Lists messages, newest first.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn list(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    status: Option<DeliveryStatus>,
    below: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Delivery>> {
    let rows = sqlx::query!(
        "select id, execution_id, recipient, subject, message, status, reason, created_at, delivered_at from deliveries
         where workspace_id = $1 and ($2::text is null or status = $2) and ($3::uuid is null or id < $3)
         order by id desc limit $4",
        workspace.0,
        status.map(DeliveryStatus::as_str),
        below,
        limit
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Delivery {
                delivery_id: DeliveryId(row.id),
                execution_id: ExecutionId(row.execution_id),
                recipient: row.recipient,
                subject: row.subject,
                message: row.message,
                status: read_word("deliveries", "status", &row.status).of_row(row.id)?,
                reason: row.reason,
                created_at: row.created_at,
                delivered_at: row.delivered_at,
            })
        })
        .collect()
}
