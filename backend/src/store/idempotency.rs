//! Responses stored under an `Idempotency-Key`.

use super::Result;
use chrono::{DateTime, Utc};
use shared_types::ids::WorkspaceId;
use sqlx::PgConnection;

/// A response that was sent before.
#[derive(Debug)]
pub struct StoredResponse {
    /// Of method, path and body.
    pub request_hash: Vec<u8>,
    /// The status.
    pub status: i16,
    /// The body.
    pub body: String,
}

/// The response stored under a key.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn find(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    actor: &str,
    key: &str,
) -> Result<Option<StoredResponse>> {
    let row = sqlx::query!(
        "select request_hash, status, body from stored_responses where workspace_id = $1 and actor = $2 and key = $3",
        workspace.0,
        actor,
        key
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| StoredResponse { request_hash: row.request_hash, status: row.status, body: row.body }))
}

/// Stores a response. False if there is one under the key; a transaction that stores one at the same time is waited for.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn keep(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    actor: &str,
    key: &str,
    answer: &StoredResponse,
    at: DateTime<Utc>,
) -> Result<bool> {
    let stored = sqlx::query!(
        "insert into stored_responses (workspace_id, actor, key, request_hash, status, body, created_at)
         values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
        workspace.0,
        actor,
        key,
        answer.request_hash,
        answer.status,
        answer.body,
        at
    )
    .execute(conn)
    .await?;
    Ok(stored.rows_affected() == 1)
}

/// Deletes responses stored before a time; returns how many.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn forget(conn: &mut PgConnection, before: DateTime<Utc>) -> Result<u64> {
    let gone =
        sqlx::query!("delete from stored_responses where created_at < $1", before).execute(conn).await?;
    Ok(gone.rows_affected())
}
