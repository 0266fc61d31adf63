//! The events, the rows of the runs and their journal.

use super::{Base, Change, NewEvent, count, length};
use crate::store::{Result, json_text};
use chrono::{DateTime, Utc};
use shared_types::{
    ids::ExecutionId,
    machine,
    machine::{
        failure::RunError,
        result::{RunDecision, RunResult},
        state::WaitsFor,
    },
    requester::Requester,
};
use sqlx::{PgConnection, types::Json};
use std::collections::HashSet;
use uuid::Uuid;

/// Writes the events whose ids are new in their workspace, and says which these are. One that was sent in
/// knowledge of other triggers than there are now is left out.
#[tracing::instrument(level = "debug", skip_all)]
pub(super) async fn insert_events(conn: &mut PgConnection, events: &[&NewEvent]) -> Result<HashSet<Uuid>> {
    if events.is_empty() {
        return Ok(HashSet::new());
    }
    // In one order everywhere, so that two transactions never wait for each other's ids in a circle.
    let mut events = events.to_vec();
    events.sort_by(|a, b| (a.workspace, &a.event.id).cmp(&(b.workspace, &b.event.id)));
    let workspaces: Vec<Uuid> = events.iter().map(|e| e.workspace.0).collect();
    let event_ids: Vec<&str> = events.iter().map(|e| e.event.id.0.as_str()).collect();
    let ids: Vec<Uuid> = events.iter().map(|e| e.id).collect();
    let hashes: Vec<&[u8]> = events.iter().map(|e| e.content_hash.as_slice()).collect();
    let versions: Vec<Option<i64>> = events.iter().map(|e| e.catalog_version).collect();
    let new: HashSet<Uuid> = sqlx::query_scalar!(
        "insert into event_ids (workspace_id, event_id, event, content_hash)
         select workspace_id, event_id, event, content_hash
         from unnest($1::uuid[], $2::text[], $3::uuid[], $4::bytea[], $5::bigint[])
           as t(workspace_id, event_id, event, content_hash, version)
         where version is null
            or version = (select w.catalog_version from workspaces w where w.id = t.workspace_id)
         on conflict do nothing returning event",
        &workspaces,
        &event_ids as &[&str],
        &ids,
        &hashes as &[&[u8]],
        &versions as &[Option<i64>]
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
    let event_ids: Vec<&str> = events.iter().map(|e| e.event.id.0.as_str()).collect();
    let types: Vec<&str> = events.iter().map(|e| e.event.kind.as_str()).collect();
    let sources: Vec<Option<&str>> = events.iter().map(|e| e.event.source.as_deref()).collect();
    let times: Vec<DateTime<Utc>> = events.iter().map(|e| e.event.time).collect();
    let requesters: Vec<Option<Json<&Requester>>> =
        events.iter().map(|e| e.event.requester.as_ref().map(Json)).collect();
    let payloads: Vec<String> = events.iter().map(|e| json_text(&e.event.payload)).collect();
    let depths: Vec<i32> = events.iter().map(|e| count(e.depth)).collect();
    let pending: Vec<bool> = events.iter().map(|e| e.pending).collect();
    let publishers: Vec<Option<Uuid>> = events.iter().map(|e| e.publisher.map(|run| run.0)).collect();
    sqlx::query!(
        "insert into events (id, workspace_id, event_id, type, source, time, requester, payload, depth, pending, root)
         select id, workspace_id, event_id, type, source, time, requester, payload::json, depth, pending,
             (select coalesce(e.root, e.id) from executions x
              join event_ids i on i.workspace_id = x.workspace_id and i.event_id = x.event_id
              join events e on e.id = i.event
              where x.id = t.publisher)
         from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::jsonb[],
             $8::text[], $9::integer[], $10::boolean[], $11::uuid[])
           as t(id, workspace_id, event_id, type, source, time, requester, payload, depth, pending, publisher)",
        &ids,
        &workspaces,
        &event_ids as &[&str],
        &types as &[&str],
        &sources as &[Option<&str>],
        &times,
        &requesters as &[Option<Json<&Requester>>],
        &payloads,
        &depths,
        &pending,
        &publishers as &[Option<Uuid>]
    )
    .execute(conn)
    .await?;
    Ok(new)
}

/// The columns of `executions` that a change may change.
struct Columns<'a> {
    status: Vec<&'static str>,
    result: Vec<Option<&'static str>>,
    decision: Vec<Option<&'static str>>,
    reason: Vec<Option<&'a str>>,
    ended_at: Vec<Option<DateTime<Utc>>>,
    waits_for: Vec<Json<&'a [WaitsFor]>>,
    error: Vec<Option<Json<&'a RunError>>>,
    snapshot: Vec<Option<&'a str>>,
    added_owner: Vec<Option<Uuid>>,
}

impl<'a> Columns<'a> {
    fn of(changes: &[&'a Change]) -> Self {
        let runs = || changes.iter().map(|change| &change.execution);
        Self {
            status: runs().map(|run| run.status.as_str()).collect(),
            result: runs().map(|run| run.result.map(RunResult::as_str)).collect(),
            decision: runs().map(|run| run.decision.map(verdict_word)).collect(),
            reason: runs().map(|run| run.reason.as_deref()).collect(),
            ended_at: runs().map(|run| run.ended_at).collect(),
            waits_for: runs().map(|run| Json(run.waits_for.as_slice())).collect(),
            error: runs().map(|run| run.error.as_ref().map(Json)).collect(),
            snapshot: changes.iter().map(|change| change.snapshot.as_deref()).collect(),
            added_owner: changes.iter().map(|change| change.owners.added()).collect(),
        }
    }
}

fn verdict_word(verdict: RunDecision) -> &'static str {
    match verdict {
        RunDecision::Allowed => "allowed",
        RunDecision::Blocked => "blocked",
    }
}

#[tracing::instrument(level = "debug", skip_all)]
pub(super) async fn insert_executions(conn: &mut PgConnection, changes: &[&Change]) -> Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    let runs = || changes.iter().map(|change| &change.execution);
    let columns = Columns::of(changes);
    let ids: Vec<Uuid> = changes.iter().map(|c| c.execution_id().0).collect();
    let workspaces: Vec<Uuid> = changes.iter().map(|c| c.workspace.0).collect();
    let workflows: Vec<&str> = runs().map(|run| run.workflow_id.0.as_str()).collect();
    let revisions: Vec<i32> = runs().map(|run| run.revision).collect();
    let subjects: Vec<Option<&str>> = runs().map(|run| run.subject.as_deref()).collect();
    let amounts: Vec<Option<&str>> = runs().map(|run| run.amount.as_deref()).collect();
    let currencies: Vec<Option<&str>> = runs().map(|run| run.currency.as_deref()).collect();
    let event_ids: Vec<&str> = runs().map(|run| run.event_id.0.as_str()).collect();
    let requesters: Vec<Option<Json<&Requester>>> =
        runs().map(|run| run.requester.as_ref().map(Json)).collect();
    let started: Vec<DateTime<Utc>> = runs().map(|run| run.started_at).collect();
    let seqs: Vec<i32> = changes.iter().map(|c| length(&c.entries)).collect();
    sqlx::query!(
        "insert into executions (id, workspace_id, workflow_id, revision, machine_version, status, result, decision,
             subject, amount, currency, reason, event_id, requester, started_at, ended_at, waits_for, error, seq,
             state, state_seq, owners, epoch)
         select id, workspace_id, workflow_id, revision, $1::integer, status, result, decision, subject, amount,
             currency, reason, event_id, requester, started_at, ended_at, waits_for, error, seq, state::json,
             case when state is null then 0 else seq end, case when owner is not null then array[owner] end, 1
         from unnest($2::uuid[], $3::uuid[], $4::text[], $5::integer[], $6::text[], $7::text[], $8::text[],
             $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::jsonb[], $15::timestamptz[],
             $16::timestamptz[], $17::jsonb[], $18::jsonb[], $19::integer[], $20::text[], $21::uuid[])
           as t(id, workspace_id, workflow_id, revision, status, result, decision, subject, amount, currency, reason,
             event_id, requester, started_at, ended_at, waits_for, error, seq, state, owner)",
        count(machine::VERSION),
        &ids,
        &workspaces,
        &workflows as &[&str],
        &revisions,
        &columns.status as &[&str],
        &columns.result as &[Option<&str>],
        &columns.decision as &[Option<&str>],
        &subjects as &[Option<&str>],
        &amounts as &[Option<&str>],
        &currencies as &[Option<&str>],
        &columns.reason as &[Option<&str>],
        &event_ids as &[&str],
        &requesters as &[Option<Json<&Requester>>],
        &started,
        &columns.ended_at as &[Option<DateTime<Utc>>],
        &columns.waits_for as &[Json<&[WaitsFor]>],
        &columns.error as &[Option<Json<&RunError>>],
        &seqs,
        &columns.snapshot as &[Option<&str>],
        &columns.added_owner as &[Option<Uuid>]
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Updates the runs that still stand where their change read them, and says which these are.
#[tracing::instrument(level = "debug", skip_all)]
pub(super) async fn update_executions(
    conn: &mut PgConnection,
    changes: &[&Change],
) -> Result<Vec<ExecutionId>> {
    if changes.is_empty() {
        return Ok(Vec::new());
    }
    let mut changes = changes.to_vec();
    changes.sort_by_key(|change| change.execution_id());
    let columns = Columns::of(&changes);
    let ids: Vec<Uuid> = changes.iter().map(|c| c.execution_id().0).collect();
    let workspaces: Vec<Uuid> = changes.iter().map(|c| c.workspace.0).collect();
    let (mut bases, mut epochs) = (Vec::new(), Vec::new());
    for change in &changes {
        if let Base::At { seq, epoch } = change.base {
            bases.push(seq);
            epochs.push(epoch);
        }
    }
    let are_open: Vec<bool> = changes.iter().map(|change| change.owners.is_open()).collect();
    let added: Vec<i32> = changes.iter().map(|c| length(&c.entries)).collect();
    // What a run is about is known once its context is loaded.
    let runs = || changes.iter().map(|change| &change.execution);
    let subjects: Vec<Option<&str>> = runs().map(|run| run.subject.as_deref()).collect();
    let amounts: Vec<Option<&str>> = runs().map(|run| run.amount.as_deref()).collect();
    let currencies: Vec<Option<&str>> = runs().map(|run| run.currency.as_deref()).collect();
    let environments: Vec<Option<i64>> = changes.iter().map(|c| c.environment_version()).collect();
    // The workspace is compared so that no index on it can answer: on a table that was small when this was
    // planned, the planner would rather read the whole workspace than find each run by its id.
    let rows = sqlx::query_scalar!(
        "update executions e set status = t.status, result = t.result, decision = t.decision, reason = t.reason,
             ended_at = t.ended_at, waits_for = t.waits_for, error = t.error, seq = e.seq + t.added,
             subject = t.subject, amount = t.amount, currency = t.currency,
             state = coalesce(t.state::json, e.state),
             state_seq = case when t.state is null then e.state_seq else e.seq + t.added end,
             owners = case when not t.is_open then null
                 when t.owner is null or t.owner = any(e.owners) then e.owners
                 else array_append(e.owners, t.owner) end
         from unnest($1::uuid[], $2::uuid[], $3::integer[], $4::integer[], $5::text[], $6::text[], $7::text[],
             $8::text[], $9::timestamptz[], $10::jsonb[], $11::jsonb[], $12::integer[], $13::text[], $14::boolean[],
             $15::uuid[], $16::bigint[], $17::text[], $18::text[], $19::text[])
           as t(id, workspace_id, seq, epoch, status, result, decision, reason, ended_at, waits_for, error, added,
             state, is_open, owner, environment, subject, amount, currency)
         where e.id = t.id and e.workspace_id is not distinct from t.workspace_id and e.seq = t.seq
           and e.epoch = t.epoch
           and (t.environment is null or t.environment =
               (select w.environment_version from workspaces w where w.id = t.workspace_id))
         returning e.id",
        &ids,
        &workspaces,
        &bases,
        &epochs,
        &columns.status as &[&str],
        &columns.result as &[Option<&str>],
        &columns.decision as &[Option<&str>],
        &columns.reason as &[Option<&str>],
        &columns.ended_at as &[Option<DateTime<Utc>>],
        &columns.waits_for as &[Json<&[WaitsFor]>],
        &columns.error as &[Option<Json<&RunError>>],
        &added,
        &columns.snapshot as &[Option<&str>],
        &are_open,
        &columns.added_owner as &[Option<Uuid>],
        &environments as &[Option<i64>],
        &subjects as &[Option<&str>],
        &amounts as &[Option<&str>],
        &currencies as &[Option<&str>]
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(ExecutionId).collect())
}

#[tracing::instrument(level = "debug", skip_all)]
pub(super) async fn insert_journal(conn: &mut PgConnection, changes: &[&Change]) -> Result<()> {
    let (mut ids, mut seqs, mut ats, mut stamps) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut inputs, mut facts, mut first_facts) = (Vec::new(), Vec::new(), Vec::new());
    let (mut workspaces, mut environments) = (Vec::new(), Vec::new());
    for change in changes {
        let first = match change.base {
            Base::New { .. } => 0,
            Base::At { seq, .. } => seq,
        };
        for (seq, entry) in (first..).zip(&change.entries) {
            ids.push(change.execution_id().0);
            workspaces.push(change.workspace.0);
            seqs.push(seq);
            ats.push(entry.stamp.at);
            stamps.push(entry.stamp.id);
            inputs.push(entry.input.as_str());
            facts.push(entry.facts.as_str());
            first_facts.push(entry.first_fact.map(count));
            environments.push(entry.environment.as_deref());
        }
    }
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into journal (execution_id, seq, at, stamp, input, facts, first_fact, workspace_id, environment)
         select execution_id, seq, at, stamp, input::json, facts::json, first_fact, workspace_id, environment::json
         from unnest($1::uuid[], $2::integer[], $3::timestamptz[], $4::uuid[], $5::text[], $6::text[], $7::integer[],
             $8::uuid[], $9::text[])
           as t(execution_id, seq, at, stamp, input, facts, first_fact, workspace_id, environment)",
        &ids,
        &seqs,
        &ats,
        &stamps,
        &inputs as &[&str],
        &facts as &[&str],
        &first_facts as &[Option<i32>],
        &workspaces,
        &environments as &[Option<&str>]
    )
    .execute(conn)
    .await?;
    Ok(())
}
