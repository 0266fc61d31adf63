//! The decisions of requests: one row each.

use crate::store::{OfRow as _, Result, json, read, read_word};
use chrono::{DateTime, Utc};
use serde_json::Value;
use shared_types::{
    approval::decision::MadeDecision,
    ids::{ApprovalId, WorkspaceId},
    machine::command::Voided,
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
    /// The `Idempotency-Key` under which it was taken back.
    pub retraction_key: Option<String>,
}

/// A decision on its way in.
#[derive(Debug, Clone)]
pub struct NewDecision {
    /// The request that is decided.
    pub approval_id: ApprovalId,
    /// The name of the level that it counts at.
    pub level_name: String,
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
        "select approval_id, level, decision, by_email, by_name, comment, decided_at, at, idempotency_key, n, edits,
             capacities, veto, seen, by_edit, retracted_at, superseded_at, retraction_key, edited_from
         from approval_decisions where workspace_id = $1 and approval_id = any($2) order by approval_id, id",
        workspace.0,
        approvals
    )
    .fetch_all(conn)
    .await?;
    for row in rows {
        let id = row.approval_id;
        let edits =
            row.edits.map(|edits| read("approval_decisions", "edits", edits)).transpose().of_row(id)?;
        let capacities = row
            .capacities
            .map(|value| read("approval_decisions", "capacities", value))
            .transpose()
            .of_row(id)?;
        let made = MadeDecision {
            n: u32::try_from(row.n).unwrap_or_default(),
            edits,
            edited_from: row
                .edited_from
                .map(|value| read("approval_decisions", "edited_from", value))
                .transpose()
                .of_row(id)?,
            capacities: capacities.unwrap_or_default(),
            veto: row.veto,
            seen: row.seen,
            by_edit: row.by_edit,
            retracted_at: row.retracted_at,
            superseded_at: row.superseded_at,
            decision: read_word("approval_decisions", "decision", &row.decision).of_row(row.approval_id)?,
            by: row.by_email,
            name: row.by_name,
            comment: row.comment,
            at: row.at,
            decided_at: row.decided_at,
        };
        let level = u32::try_from(row.level).unwrap_or_default();
        let stored = StoredDecision {
            level,
            made,
            idempotency_key: row.idempotency_key,
            retraction_key: row.retraction_key,
        };
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
    let numbers: Vec<i32> = made().map(|made| i32::try_from(made.n).unwrap_or(i32::MAX)).collect();
    let edits: Vec<Option<Value>> = made().map(|made| made.edits.as_ref().map(json)).collect();
    let edited_from: Vec<Option<Value>> = made().map(|made| made.edited_from.as_ref().map(json)).collect();
    let capacities: Vec<Value> = made().map(|made| json(&made.capacities)).collect();
    let vetoes: Vec<bool> = made().map(|made| made.veto).collect();
    let seen: Vec<String> = made().map(|made| made.seen.clone()).collect();
    let by_edit: Vec<bool> = made().map(|made| made.by_edit).collect();
    sqlx::query!(
        "insert into approval_decisions (workspace_id, approval_id, id, level, decision, by_email, by_name, comment,
             decided_at, at, idempotency_key, n, edits, capacities, veto, seen, by_edit,
             edited_from)
         select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::integer[], $5::text[], $6::text[], $7::text[],
             $8::text[], $9::timestamptz[], $10::timestamptz[], $11::text[], $12::integer[], $13::jsonb[],
             $14::jsonb[], $15::boolean[], $16::text[], $17::boolean[], $18::jsonb[])",
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
        &keys as &[Option<String>],
        &numbers,
        &edits as &[Option<Value>],
        &capacities,
        &vetoes,
        &seen,
        &by_edit,
        &edited_from as &[Option<Value>]
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Decisions that don't count any more.
#[derive(Debug, Clone)]
pub struct VoidedDecisions {
    /// Their request.
    pub approval_id: ApprovalId,
    /// Their numbers within the request.
    pub numbers: Vec<u32>,
    /// Why they don't.
    pub voided: Voided,
    /// Since when.
    pub at: DateTime<Utc>,
    /// The `Idempotency-Key` of a retraction.
    pub key: Option<String>,
}

/// Notes that decisions don't count any more, of many runs as one statement.
#[tracing::instrument(level = "debug", skip_all)]
pub(crate) async fn void(conn: &mut PgConnection, voided: &[(WorkspaceId, &VoidedDecisions)]) -> Result<()> {
    let each = || {
        voided
            .iter()
            .flat_map(|(workspace, voided)| voided.numbers.iter().map(move |n| (workspace, *voided, *n)))
    };
    let workspaces: Vec<Uuid> = each().map(|(workspace, ..)| workspace.0).collect();
    if workspaces.is_empty() {
        return Ok(());
    }
    let approvals: Vec<Uuid> = each().map(|(_, voided, _)| voided.approval_id.0).collect();
    let numbers: Vec<i32> = each().map(|(.., n)| i32::try_from(n).unwrap_or(i32::MAX)).collect();
    let retracted: Vec<bool> = each().map(|(_, voided, _)| voided.voided == Voided::Retracted).collect();
    let times: Vec<DateTime<Utc>> = each().map(|(_, voided, _)| voided.at).collect();
    let keys: Vec<Option<String>> = each().map(|(_, voided, _)| voided.key.clone()).collect();
    sqlx::query!(
        "update approval_decisions d
         set retracted_at = case when t.retracted then t.at else d.retracted_at end,
             retraction_key = case when t.retracted then t.key else d.retraction_key end,
             superseded_at = case when t.retracted then d.superseded_at else t.at end
         from unnest($1::uuid[], $2::uuid[], $3::integer[], $4::boolean[], $5::timestamptz[], $6::text[])
           as t(workspace, approval, n, retracted, at, key)
         where d.workspace_id = t.workspace and d.approval_id = t.approval and d.n = t.n",
        &workspaces,
        &approvals,
        &numbers,
        &retracted,
        &times,
        &keys as &[Option<String>]
    )
    .execute(conn)
    .await?;
    Ok(())
}
