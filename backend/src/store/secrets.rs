//! Secrets, sealed.

use super::Result;
use chrono::{DateTime, Utc};
use shared_types::{api::secrets::SecretName, ids::WorkspaceId};
use sqlx::PgConnection;

/// Sets a secret.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn put(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    name: &str,
    sealed: &[u8],
    at: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "insert into secrets (workspace_id, name, sealed, updated_at) values ($1, $2, $3, $4)
         on conflict (workspace_id, name) do update set sealed = $3, updated_at = $4",
        workspace.0,
        name,
        sealed,
        at
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The names of a workspace's secrets.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn names(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<Vec<SecretName>> {
    let rows = sqlx::query!(
        "select name, updated_at from secrets where workspace_id = $1 order by name",
        workspace.0
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| SecretName { name: row.name, updated_at: row.updated_at }).collect())
}

/// The sealed values of these names.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn sealed(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    names: &[String],
) -> Result<Vec<(String, Vec<u8>)>> {
    let rows = sqlx::query!(
        "select name, sealed from secrets where workspace_id = $1 and name = any($2)",
        workspace.0,
        names
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.name, row.sealed)).collect())
}

/// Deletes a secret; false where it wasn't there.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn delete(conn: &mut PgConnection, workspace: WorkspaceId, name: &str) -> Result<bool> {
    let gone = sqlx::query!("delete from secrets where workspace_id = $1 and name = $2", workspace.0, name)
        .execute(conn)
        .await?;
    Ok(gone.rows_affected() == 1)
}
