//! The decisions of requests: one row each.

use crate::store::{OfRow as _, Result, read_word};
use chrono::{DateTime, Utc};
use shared_types::{
    approval::decision::MadeDecision,
    ids::{ApprovalId, WorkspaceId},
};
use sqlx::PgConnection;
use std::collections::HashMap;
use uuid::Uuid;

/// A decision as stored.
#[derive(Debug, Clone)]
pub struct StoredDecision {
    /// The level that it was made at, from 0.
    pub level: u32,
    /// The decision.
    pub made: MadeDecision,
    /// Its `Idempotency-Key`.
    pub idempotency_key: Option<String>,
}

/// A decision on its way in.
#[derive(Debug, Clone)]
pub struct NewDecision {
    /// The request that is decided.
    pub approval_id: ApprovalId,
    /// Its own id, a `UUIDv7`.
    pub id: Uuid,
    /// What is stored of it.
    pub stored: StoredDecision,
}

/// The decisions of requests, oldest first.
#[tracing::instrument(level = "debug", skip_all)]
pub(super) async fn of(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    approvals: &[Uuid],
) -> Result<HashMap<Uuid, Vec<StoredDecision>>> {
    let mut decisions: HashMap<Uuid, Vec<StoredDecision>> = HashMap::new();
    if approvals.is_empty() {
        return Ok(decisions);
    }
    let rows = sqlx::query!(
        "select approval_id, level, decision, by_email, by_name, comment, decided_at, at, idempotency_key
         from approval_decisions where workspace_id = $1 and approval_id = any($2) order by approval_id, id",
        workspace.0,
        approvals
    )
    .fetch_all(conn)
    .await?;
    for row in rows {
        let made = MadeDecision {
            decision: read_word("approval_decisions", "decision", &row.decision).of_row(row.approval_id)?,
            by: row.by_email,
            name: row.by_name,
            comment: row.comment,
            at: row.at,
            decided_at: row.decided_at,
        };
        let level = u32::try_from(row.level).unwrap_or_default();
        let stored = StoredDecision { level, made, idempotency_key: row.idempotency_key };
        decisions.entry(row.approval_id).or_default().push(stored);
    }
    Ok(decisions)
}

/// Writes decisions of many runs as one statement.
#[tracing::instrument(level = "debug", skip_all)]
pub(crate) async fn insert(conn: &mut PgConnection, decisions: &[(WorkspaceId, &NewDecision)]) -> Result<()> {
    if decisions.is_empty() {
        return Ok(());
    }
    let made = || decisions.iter().map(|(_, decision)| &decision.stored.made);
    let workspaces: Vec<Uuid> = decisions.iter().map(|(workspace, _)| workspace.0).collect();
    let approvals: Vec<Uuid> = decisions.iter().map(|(_, decision)| decision.approval_id.0).collect();
    let ids: Vec<Uuid> = decisions.iter().map(|(_, decision)| decision.id).collect();
    let levels: Vec<i32> = decisions
        .iter()
        .map(|(_, decision)| i32::try_from(decision.stored.level).unwrap_or(i32::MAX))
        .collect();
    let verdicts: Vec<String> = made().map(|made| made.decision.as_str().to_owned()).collect();
    let emails: Vec<String> = made().map(|made| made.by.clone()).collect();
    let names: Vec<String> = made().map(|made| made.name.clone()).collect();
    let comments: Vec<Option<String>> = made().map(|made| made.comment.clone()).collect();
    let decided: Vec<Option<DateTime<Utc>>> = made().map(|made| made.decided_at).collect();
    let times: Vec<DateTime<Utc>> = made().map(|made| made.at).collect();
    let keys: Vec<Option<String>> =
        decisions.iter().map(|(_, decision)| decision.stored.idempotency_key.clone()).collect();
    sqlx::query!(
        "insert into approval_decisions (workspace_id, approval_id, id, level, decision, by_email, by_name, comment,
             decided_at, at, idempotency_key)
         select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::integer[], $5::text[], $6::text[], $7::text[],
             $8::text[], $9::timestamptz[], $10::timestamptz[], $11::text[])",
        &workspaces,
        &approvals,
        &ids,
        &levels,
        &verdicts,
        &emails,
        &names,
        &comments as &[Option<String>],
        &decided as &[Option<DateTime<Utc>>],
        &times,
        &keys as &[Option<String>]
    )
    .execute(conn)
    .await?;
    Ok(())
}
