//! Calendars of workspaces.

use super::{OfRow as _, Result, json, read};
use chrono::{DateTime, Utc};
use serde_json::Value;
use shared_types::{ids::WorkspaceId, workflow::calendar::Calendar};
use sqlx::PgConnection;
use std::collections::BTreeMap;
use uuid::Uuid;

/// A calendar as stored.
#[derive(Debug, Clone)]
pub struct StoredCalendar {
    /// Its name, zone, hours and holidays.
    pub calendar: Calendar,
    /// Changes with each change of it.
    pub etag: Uuid,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
    /// Address of the person, or name of the key, that changed it last.
    pub updated_by: String,
}

struct Row {
    calendar: Value,
    etag: Uuid,
    updated_at: DateTime<Utc>,
    updated_by: String,
}

impl Row {
    fn stored(self) -> Result<StoredCalendar> {
        let calendar = read("calendars", "calendar", self.calendar).of_row(self.etag)?;
        Ok(StoredCalendar {
            calendar,
            etag: self.etag,
            updated_at: self.updated_at,
            updated_by: self.updated_by,
        })
    }
}

/// The calendars of these names that there are.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn named(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    names: &[String],
) -> Result<Vec<Calendar>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query_as!(
        Row,
        "select calendar, etag, updated_at, updated_by from calendars where workspace_id = $1 and name = any($2)",
        workspace.0,
        names
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| row.stored().map(|stored| stored.calendar)).collect()
}

/// All calendars of a workspace, by name.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn all(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<Vec<StoredCalendar>> {
    let rows = sqlx::query_as!(
        Row,
        "select calendar, etag, updated_at, updated_by from calendars where workspace_id = $1 order by name",
        workspace.0
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::stored).collect()
}

/// A calendar by name.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn find(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    name: &str,
) -> Result<Option<StoredCalendar>> {
    let row = sqlx::query_as!(
        Row,
        "select calendar, etag, updated_at, updated_by from calendars where workspace_id = $1 and name = $2",
        workspace.0,
        name
    )
    .fetch_optional(conn)
    .await?;
    row.map(Row::stored).transpose()
}

/// The names of a workspace's calendars.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn names(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<Vec<String>> {
    let names = sqlx::query_scalar!("select name from calendars where workspace_id = $1", workspace.0);
    Ok(names.fetch_all(conn).await?)
}

/// At which `environment_version` each of these calendars was changed last, by name.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn versions(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    names: &[String],
) -> Result<BTreeMap<String, i64>> {
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = sqlx::query!(
        "select name, environment_version from calendars where workspace_id = $1 and name = any($2)",
        workspace.0,
        names
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.name, row.environment_version)).collect())
}

/// Writes a calendar, be it new or not.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn put(conn: &mut PgConnection, workspace: WorkspaceId, stored: &StoredCalendar) -> Result<()> {
    sqlx::query!(
        "insert into calendars (workspace_id, name, calendar, etag, updated_at, updated_by)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (workspace_id, name) do update set calendar = excluded.calendar, etag = excluded.etag,
             updated_at = excluded.updated_at, updated_by = excluded.updated_by",
        workspace.0,
        stored.calendar.name,
        json(&stored.calendar),
        stored.etag,
        stored.updated_at,
        stored.updated_by
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes a calendar; false where there was none.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn delete(conn: &mut PgConnection, workspace: WorkspaceId, name: &str) -> Result<bool> {
    let done = sqlx::query!("delete from calendars where workspace_id = $1 and name = $2", workspace.0, name)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// The workflows that have open requests which count in a calendar.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn asked_in(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    calendar: &str,
) -> Result<Vec<String>> {
    let ids = sqlx::query_scalar!(
        "select distinct workflow_id from approvals
         where workspace_id = $1 and status = 'pending' and request->>'calendar' = $2 order by workflow_id",
        workspace.0,
        calendar
    );
    Ok(ids.fetch_all(conn).await?)
}

/// The enabled workflows whose requests count in a calendar.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn used_by(conn: &mut PgConnection, workspace: WorkspaceId, calendar: &str) -> Result<Vec<String>> {
    let ids = sqlx::query_scalar!(
        r#"select w.workflow_id
           from workflows w join workflow_revisions r using (workspace_id, workflow_id, revision)
           where w.workspace_id = $1 and w.archived_at is null and w.enabled
             and jsonb_path_exists(r.document, '$.steps.**.approval.calendar ? (@ == $calendar)',
                 jsonb_build_object('calendar', $2::text))
           order by w.workflow_id"#,
        workspace.0,
        calendar
    );
    Ok(ids.fetch_all(conn).await?)
}
