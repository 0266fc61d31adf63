//! How members want to be told.

use super::{OfRow as _, Result, read};
use chrono::{DateTime, Utc};
use shared_types::{
    api::preferences::NotificationPreferences,
    ids::{UserId, WorkspaceId},
};
use sqlx::PgConnection;
use std::collections::BTreeMap;
use uuid::Uuid;

/// What some members said; those who said nothing are left out.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn some(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    users: &[UserId],
) -> Result<BTreeMap<UserId, NotificationPreferences>> {
    let users: Vec<Uuid> = users.iter().map(|user| user.0).collect();
    let rows = sqlx::query!(
        "select user_id, preferences from notification_preferences where workspace_id = $1 and user_id = any($2)",
        workspace.0,
        &users
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let said =
                read("notification_preferences", "preferences", row.preferences).of_row(row.user_id)?;
            Ok((UserId(row.user_id), said))
        })
        .collect()
}

/// Keeps what a member says.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn put(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    user: UserId,
    said: &NotificationPreferences,
    at: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "insert into notification_preferences (workspace_id, user_id, preferences, updated_at) values ($1, $2, $3, $4)
         on conflict (workspace_id, user_id) do update
         set preferences = excluded.preferences, updated_at = excluded.updated_at",
        workspace.0,
        user.0,
        sqlx::types::Json(said) as _,
        at
    )
    .execute(conn)
    .await?;
    Ok(())
}
