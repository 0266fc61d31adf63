//! Absences of people.

use super::Result;
use chrono::{DateTime, Utc};
use shared_types::ids::{AbsenceId, UserId, WorkspaceId};
use sqlx::PgConnection;

/// An absence as stored.
#[derive(Debug, Clone)]
pub struct StoredAbsence {
    /// Its id, a `UUIDv7`.
    pub id: AbsenceId,
    /// Who is away.
    pub user: UserId,
    /// Their address.
    pub email: String,
    /// What they are called.
    pub name: String,
    /// The first instant.
    pub from: DateTime<Utc>,
    /// The first instant at which they are there again.
    pub until: DateTime<Utc>,
    /// Who stands in for them: id, address and name.
    pub delegate: Option<(UserId, String, String)>,
    /// What is noted.
    pub note: Option<String>,
    /// When it was entered.
    pub created_at: DateTime<Utc>,
    /// Address of whoever entered it.
    pub created_by: String,
}

/// Which absences are listed.
#[derive(Debug, Clone, Copy, Default)]
pub struct AbsenceFilter {
    /// Those of this person.
    pub user: Option<UserId>,
    /// Those that run at this time.
    pub at: Option<DateTime<Utc>>,
    /// Those with an id below this one.
    pub below: Option<AbsenceId>,
    /// This one alone.
    pub id: Option<AbsenceId>,
}

/// Absences of a workspace, newest first.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn list(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    filter: AbsenceFilter,
    limit: i64,
) -> Result<Vec<StoredAbsence>> {
    let rows = sqlx::query!(
        r#"select a.id, a.user_id, u.email, coalesce(m.name, u.name) as "name!", a.from_at, a.until_at,
               a.delegate_id, d.email as "delegate_email?", coalesce(dm.name, d.name) as delegate_name, a.note,
               a.created_at, a.created_by
           from absences a join users u on u.id = a.user_id
           left join memberships m on m.user_id = a.user_id and m.workspace_id = a.workspace_id
           left join users d on d.id = a.delegate_id
           left join memberships dm on dm.user_id = a.delegate_id and dm.workspace_id = a.workspace_id
           where a.workspace_id = $1
             and ($2::uuid is null or a.user_id = $2)
             and ($3::timestamptz is null or (a.from_at <= $3 and a.until_at > $3))
             and ($4::uuid is null or a.id < $4)
             and ($5::uuid is null or a.id = $5)
           order by a.id desc limit $6"#,
        workspace.0,
        filter.user.map(|user| user.0),
        filter.at,
        filter.below.map(|id| id.0),
        filter.id.map(|id| id.0),
        limit
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| StoredAbsence {
            id: AbsenceId(row.id),
            user: UserId(row.user_id),
            email: row.email,
            name: row.name,
            from: row.from_at,
            until: row.until_at,
            delegate: row
                .delegate_id
                .and_then(|id| Some((UserId(id), row.delegate_email?, row.delegate_name?))),
            note: row.note,
            created_at: row.created_at,
            created_by: row.created_by,
        })
        .collect())
}

/// Enters an absence.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn insert(conn: &mut PgConnection, workspace: WorkspaceId, absence: &StoredAbsence) -> Result<()> {
    sqlx::query!(
        "insert into absences (id, workspace_id, user_id, from_at, until_at, delegate_id, note, created_at, created_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        absence.id.0,
        workspace.0,
        absence.user.0,
        absence.from,
        absence.until,
        absence.delegate.as_ref().map(|(id, ..)| id.0),
        absence.note,
        absence.created_at,
        absence.created_by
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Changes an absence: its time, who stands in, and the note.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn update(conn: &mut PgConnection, workspace: WorkspaceId, absence: &StoredAbsence) -> Result<()> {
    sqlx::query!(
        "update absences set from_at = $3, until_at = $4, delegate_id = $5, note = $6
         where workspace_id = $1 and id = $2",
        workspace.0,
        absence.id.0,
        absence.from,
        absence.until,
        absence.delegate.as_ref().map(|(id, ..)| id.0),
        absence.note
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes an absence.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn delete(conn: &mut PgConnection, workspace: WorkspaceId, id: AbsenceId) -> Result<()> {
    sqlx::query!("delete from absences where workspace_id = $1 and id = $2", workspace.0, id.0)
        .execute(conn)
        .await?;
    Ok(())
}
