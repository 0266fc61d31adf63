//! The events, the rows of the runs and their journal.

use super::{Base, Change, NewEvent, count, length};
use crate::store::{Result, json};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use shared_types::{
    ids::ExecutionId,
    machine::{self, Fact, Input, SnapshotRef, state::Verdict},
};
use sqlx::{PgConnection, types::Json};
use std::collections::HashSet;
use uuid::Uuid;

/// Writes the events whose ids are new in their workspace, and says which these are.
pub(super) async fn insert_events(conn: &mut PgConnection, events: &[&NewEvent]) -> Result<HashSet<Uuid>> {
    if events.is_empty() {
        return Ok(HashSet::new());
    }
    // In one order everywhere, so that two transactions never wait for each other's ids in a circle.
    let mut events = events.to_vec();
    events.sort_by(|a, b| (a.workspace, &a.event.id).cmp(&(b.workspace, &b.event.id)));
    let workspaces: Vec<Uuid> = events.iter().map(|e| e.workspace.0).collect();
    let event_ids: Vec<String> = events.iter().map(|e| e.event.id.0.clone()).collect();
    let ids: Vec<Uuid> = events.iter().map(|e| e.id).collect();
    let hashes: Vec<Vec<u8>> = events.iter().map(|e| e.content_hash.clone()).collect();
    let new: HashSet<Uuid> = sqlx::query_scalar!(
        "insert into event_ids (workspace_id, event_id, event, content_hash)
         select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::bytea[])
         on conflict do nothing returning event",
        &workspaces,
        &event_ids,
        &ids,
        &hashes
    )
    .fetch_all(&mut *conn)
    .await?
    .into_iter()
    .collect();
    events.retain(|event| new.contains(&event.id));
    if events.is_empty() {
        return Ok(new);
    }
    let ids: Vec<Uuid> = events.iter().map(|e| e.id).collect();
    let workspaces: Vec<Uuid> = events.iter().map(|e| e.workspace.0).collect();
    let event_ids: Vec<String> = events.iter().map(|e| e.event.id.0.clone()).collect();
    let types: Vec<String> = events.iter().map(|e| e.event.kind.clone()).collect();
    let sources: Vec<Option<String>> = events.iter().map(|e| e.event.source.clone()).collect();
    let times: Vec<DateTime<Utc>> = events.iter().map(|e| e.event.time).collect();
    let requesters: Vec<Option<Value>> =
        events.iter().map(|e| e.event.requester.as_ref().map(json)).collect();
    let payloads: Vec<Json<&Map<String, Value>>> = events.iter().map(|e| Json(&e.event.payload)).collect();
    let depths: Vec<i32> = events.iter().map(|e| count(e.depth)).collect();
    let pending: Vec<bool> = events.iter().map(|e| e.pending).collect();
    sqlx::query!(
        "insert into events (id, workspace_id, event_id, type, source, time, requester, payload, depth, pending)
         select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[],
                              $7::jsonb[], $8::jsonb[], $9::integer[], $10::boolean[])",
        &ids,
        &workspaces,
        &event_ids,
        &types,
        &sources as &[Option<String>],
        &times,
        &requesters as &[Option<Value>],
        &payloads as &[Json<&Map<String, Value>>],
        &depths,
        &pending
    )
    .execute(conn)
    .await?;
    Ok(new)
}

/// The columns of `executions` that follow from a run's state.
struct Columns {
    status: Vec<String>,
    result: Vec<Option<String>>,
    decision: Vec<Option<String>>,
    reason: Vec<Option<String>>,
    ended_at: Vec<Option<DateTime<Utc>>>,
    waits_for: Vec<Value>,
    error: Vec<Option<Value>>,
    owner: Vec<Option<Uuid>>,
}

impl Columns {
    fn of(changes: &[&Change]) -> Self {
        let states = || changes.iter().map(|change| &change.state);
        Self {
            status: states().map(|s| s.status().as_str().to_owned()).collect(),
            result: states().map(|s| s.result().map(|result| result.as_str().to_owned())).collect(),
            decision: states().map(|s| s.decision.map(|verdict| verdict_word(verdict).to_owned())).collect(),
            reason: states().map(|s| s.reason.clone()).collect(),
            ended_at: states().map(|s| s.end.as_ref().map(|end| end.at)).collect(),
            waits_for: states().map(|s| json(&s.waits_for())).collect(),
            error: states().map(|s| s.end.as_ref().and_then(|end| end.error.as_ref()).map(json)).collect(),
            owner: changes.iter().map(|change| change.owner).collect(),
        }
    }
}

fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Allowed => "allowed",
        Verdict::Blocked => "blocked",
    }
}

pub(super) async fn insert_executions(conn: &mut PgConnection, changes: &[&Change]) -> Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    let states = || changes.iter().map(|change| &change.state);
    let columns = Columns::of(changes);
    let ids: Vec<Uuid> = changes.iter().map(|c| c.execution_id.0).collect();
    let workspaces: Vec<Uuid> = changes.iter().map(|c| c.workspace.0).collect();
    let workflows: Vec<String> = changes.iter().map(|c| c.workflow_id.0.clone()).collect();
    let revisions: Vec<i32> = changes.iter().map(|c| c.revision).collect();
    let subjects: Vec<Option<String>> = states().map(|s| s.subject.clone()).collect();
    let amounts: Vec<Option<String>> = states().map(|s| s.amount.clone()).collect();
    let currencies: Vec<Option<String>> = states().map(|s| s.currency.clone()).collect();
    let event_ids: Vec<String> = states().map(|s| s.event_id.0.clone()).collect();
    let requesters: Vec<Option<Value>> = states().map(|s| s.requester.as_ref().map(json)).collect();
    let started: Vec<DateTime<Utc>> = states().map(|s| s.started_at).collect();
    let seqs: Vec<i32> = changes.iter().map(|c| length(&c.entries)).collect();
    let snapshots: Vec<Json<SnapshotRef<'_>>> = states().map(|state| Json(SnapshotRef::V1(state))).collect();
    sqlx::query!(
        "insert into executions (id, workspace_id, workflow_id, revision, machine_version, status, result, decision,
             subject, amount, currency, reason, event_id, requester, started_at, ended_at, waits_for, error, seq,
             state, state_seq, owner, epoch)
         select id, workspace_id, workflow_id, revision, $1::integer, status, result, decision, subject, amount,
             currency, reason, event_id, requester, started_at, ended_at, waits_for, error, seq, state, seq, owner, 1
         from unnest($2::uuid[], $3::uuid[], $4::text[], $5::integer[], $6::text[], $7::text[], $8::text[],
             $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::jsonb[], $15::timestamptz[],
             $16::timestamptz[], $17::jsonb[], $18::jsonb[], $19::integer[], $20::jsonb[], $21::uuid[])
           as t(id, workspace_id, workflow_id, revision, status, result, decision, subject, amount, currency, reason,
             event_id, requester, started_at, ended_at, waits_for, error, seq, state, owner)",
        count(machine::VERSION),
        &ids,
        &workspaces,
        &workflows,
        &revisions,
        &columns.status,
        &columns.result as &[Option<String>],
        &columns.decision as &[Option<String>],
        &subjects as &[Option<String>],
        &amounts as &[Option<String>],
        &currencies as &[Option<String>],
        &columns.reason as &[Option<String>],
        &event_ids,
        &requesters as &[Option<Value>],
        &started,
        &columns.ended_at as &[Option<DateTime<Utc>>],
        &columns.waits_for,
        &columns.error as &[Option<Value>],
        &seqs,
        &snapshots as &[Json<SnapshotRef<'_>>],
        &columns.owner as &[Option<Uuid>]
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Updates the runs that still stand where their change read them, and says which these are.
pub(super) async fn update_executions(
    conn: &mut PgConnection,
    changes: &[&Change],
) -> Result<Vec<ExecutionId>> {
    if changes.is_empty() {
        return Ok(Vec::new());
    }
    let mut changes = changes.to_vec();
    changes.sort_by_key(|change| change.execution_id);
    let columns = Columns::of(&changes);
    let ids: Vec<Uuid> = changes.iter().map(|c| c.execution_id.0).collect();
    let workspaces: Vec<Uuid> = changes.iter().map(|c| c.workspace.0).collect();
    let (mut bases, mut epochs) = (Vec::new(), Vec::new());
    for change in &changes {
        if let Base::At { seq, epoch } = change.base {
            bases.push(seq);
            epochs.push(epoch);
        }
    }
    let added: Vec<i32> = changes.iter().map(|c| length(&c.entries)).collect();
    let snapshots: Vec<Option<Json<SnapshotRef<'_>>>> =
        changes.iter().map(|c| c.stores.then_some(Json(SnapshotRef::V1(&c.state)))).collect();
    let rows = sqlx::query_scalar!(
        "update executions e set status = t.status, result = t.result, decision = t.decision, reason = t.reason,
             ended_at = t.ended_at, waits_for = t.waits_for, error = t.error, seq = e.seq + t.added,
             state = coalesce(t.state, e.state),
             state_seq = case when t.state is null then e.state_seq else e.seq + t.added end,
             owner = t.owner
         from unnest($1::uuid[], $2::uuid[], $3::integer[], $4::integer[], $5::text[], $6::text[], $7::text[],
             $8::text[], $9::timestamptz[], $10::jsonb[], $11::jsonb[], $12::integer[], $13::jsonb[], $14::uuid[])
           as t(id, workspace_id, seq, epoch, status, result, decision, reason, ended_at, waits_for, error, added,
             state, owner)
         where e.id = t.id and e.workspace_id = t.workspace_id and e.seq = t.seq
           and (t.epoch is null or e.epoch = t.epoch)
         returning e.id",
        &ids,
        &workspaces,
        &bases,
        &epochs as &[Option<i32>],
        &columns.status,
        &columns.result as &[Option<String>],
        &columns.decision as &[Option<String>],
        &columns.reason as &[Option<String>],
        &columns.ended_at as &[Option<DateTime<Utc>>],
        &columns.waits_for,
        &columns.error as &[Option<Value>],
        &added,
        &snapshots as &[Option<Json<SnapshotRef<'_>>>],
        &columns.owner as &[Option<Uuid>]
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(ExecutionId).collect())
}

pub(super) async fn insert_journal(conn: &mut PgConnection, changes: &[&Change]) -> Result<()> {
    let (mut ids, mut seqs, mut ats, mut stamps, mut inputs, mut facts) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for change in changes {
        let first = match change.base {
            Base::New { .. } => 0,
            Base::At { seq, .. } => seq,
        };
        for (seq, entry) in (first..).zip(&change.entries) {
            ids.push(change.execution_id.0);
            seqs.push(seq);
            ats.push(entry.stamp.at);
            stamps.push(entry.stamp.id);
            inputs.push(Json(&entry.input));
            facts.push(Json(&entry.facts));
        }
    }
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into journal (execution_id, seq, at, stamp, input, facts)
         select * from unnest($1::uuid[], $2::integer[], $3::timestamptz[], $4::uuid[], $5::jsonb[], $6::jsonb[])",
        &ids,
        &seqs,
        &ats,
        &stamps,
        &inputs as &[Json<&Input>],
        &facts as &[Json<&Vec<Fact>>]
    )
    .execute(conn)
    .await?;
    Ok(())
}
