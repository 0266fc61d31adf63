//! The audit log: who did what to what, when, from where.

use super::Result;
use chrono::{DateTime, Utc};
use serde_json::Value;
use shared_types::{
    api::audit::{AuditEntry, AuditQuery},
    ids::{AuditId, WorkspaceId},
};
use sqlx::PgConnection;
use uuid::Uuid;

/// An entry to write.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its id, a `UUIDv7`.
    pub id: AuditId,
    /// The workspace that it belongs to.
    pub workspace: WorkspaceId,
    /// When it happened, in UTC.
    pub at: DateTime<Utc>,
    /// Who did it: an email address, or the name of an API key.
    pub actor: String,
    /// What.
    pub action: &'static str,
    /// To what.
    pub subject: String,
    /// From which address.
    pub address: Option<String>,
    /// What else there is to tell.
    pub detail: Value,
}

/// Inserts entries.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn insert(conn: &mut PgConnection, entries: &[&Entry]) -> Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = entries.iter().map(|entry| entry.id.0).collect();
    let workspaces: Vec<Uuid> = entries.iter().map(|entry| entry.workspace.0).collect();
    let times: Vec<DateTime<Utc>> = entries.iter().map(|entry| entry.at).collect();
    let actors: Vec<String> = entries.iter().map(|entry| entry.actor.clone()).collect();
    let actions: Vec<String> = entries.iter().map(|entry| entry.action.to_owned()).collect();
    let subjects: Vec<String> = entries.iter().map(|entry| entry.subject.clone()).collect();
    let addresses: Vec<Option<String>> = entries.iter().map(|entry| entry.address.clone()).collect();
    let details: Vec<Value> = entries.iter().map(|entry| entry.detail.clone()).collect();
    sqlx::query!(
        "insert into audit (id, workspace_id, at, actor, action, subject, address, detail)
         select * from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[],
             $8::jsonb[])",
        &ids,
        &workspaces,
        &times,
        &actors,
        &actions,
        &subjects,
        &addresses as &[Option<String>],
        &details
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Lists entries, newest first.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn list(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    query: &AuditQuery,
    below: Option<Uuid>,
    limit: i64,
) -> Result<Vec<AuditEntry>> {
    let rows = sqlx::query!(
        "select id, at, actor, action, subject, address, detail from audit
         where workspace_id = $1 and ($2::uuid is null or id < $2)
           and ($3::text is null or actor = $3)
           and ($4::text is null or action = $4)
           and ($5::text is null or subject = $5)
           and ($6::timestamptz is null or at >= $6)
         order by id desc limit $7",
        workspace.0,
        below,
        query.actor,
        query.action,
        query.subject,
        query.since,
        limit
    )
    .fetch_all(conn)
    .await?;
    let entries = rows.into_iter().map(|row| AuditEntry {
        audit_id: AuditId(row.id),
        at: row.at,
        actor: row.actor,
        action: row.action,
        subject: row.subject,
        from: row.address,
        detail: row.detail,
    });
    Ok(entries.collect())
}
