//! API keys.

use super::Result;
use chrono::{DateTime, Utc};
use shared_types::{
    api::keys::Key,
    ids::{KeyId, WorkflowId, WorkspaceId},
};
use sqlx::PgConnection;

/// Writes a key.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn insert(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    key: &Key,
    hash: &[u8],
    by: &str,
) -> Result<()> {
    let workflows: Option<Vec<String>> =
        key.workflows.as_ref().map(|workflows| workflows.iter().map(|id| id.0.clone()).collect());
    sqlx::query!(
        "insert into api_keys (id, workspace_id, name, hash, scopes, workflows, expires_at, created_at, created_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        key.key_id.0,
        workspace.0,
        key.name,
        hash,
        &key.scopes,
        workflows.as_deref(),
        key.expires_at,
        key.created_at,
        by
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The key with this hash that still works.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn find(
    conn: &mut PgConnection,
    hash: &[u8],
    now: DateTime<Utc>,
) -> Result<Option<(WorkspaceId, Key)>> {
    let row = sqlx::query!(
        "select id, workspace_id, name, scopes, workflows, expires_at, created_at from api_keys
         where hash = $1 and revoked_at is null and (expires_at is null or expires_at > $2)",
        hash,
        now
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| {
        let key = Key {
            key_id: KeyId(row.id),
            name: row.name,
            scopes: row.scopes,
            workflows: row.workflows.map(|list| list.into_iter().map(WorkflowId).collect()),
            expires_at: row.expires_at,
            created_at: row.created_at,
        };
        (WorkspaceId(row.workspace_id), key)
    }))
}

/// The keys of a workspace that weren't revoked.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn list(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<Vec<Key>> {
    let rows = sqlx::query!(
        "select id, name, scopes, workflows, expires_at, created_at from api_keys
         where workspace_id = $1 and revoked_at is null order by id",
        workspace.0
    )
    .fetch_all(conn)
    .await?;
    let keys = rows.into_iter().map(|row| Key {
        key_id: KeyId(row.id),
        name: row.name,
        scopes: row.scopes,
        workflows: row.workflows.map(|list| list.into_iter().map(WorkflowId).collect()),
        expires_at: row.expires_at,
        created_at: row.created_at,
    });
    Ok(keys.collect())
}

/// Revokes a key; its hash, if it was there.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn revoke(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    key: KeyId,
    at: DateTime<Utc>,
) -> Result<Option<Vec<u8>>> {
    let hash = sqlx::query_scalar!(
        "update api_keys set revoked_at = $3 where workspace_id = $1 and id = $2 and revoked_at is null
         returning hash",
        workspace.0,
        key.0,
        at
    )
    .fetch_optional(conn)
    .await?;
    Ok(hash)
}
