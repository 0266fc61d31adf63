//! The one protocol for every change of a run: journal rows are appended and the run's row is updated where
//! its `seq` is still the one that was read, with all that follows, in one transaction.
//!
//! Changes of many runs are written together, one statement a table. Each stands for itself: one that meets
//! another `seq` is left out, and the rest is written all the same.

use super::{Result, audit, json};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use shared_types::{
    ids::{ApprovalId, DeliveryId, ExecutionId, NoticeId, UserId, WorkflowId, WorkspaceId},
    machine::{
        self, Event, Fact, Input, SnapshotRef, Stamp, State,
        command::{Awaited, Request, RequestStatus},
        state::Verdict,
    },
};
use sqlx::{PgConnection, types::Json};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// An event to write.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// The server's own id, which follows time.
    pub id: Uuid,
    /// Where.
    pub workspace: WorkspaceId,
    /// The event.
    pub event: Event,
    /// Of what the sender sent, to tell a repetition from a reuse of the id.
    pub content_hash: Vec<u8>,
    /// How many runs set each other off before it.
    pub depth: u32,
    /// Whether the runs that it starts are still to be started.
    pub pending: bool,
    /// For an event from outside: what the sender knew of the workspace's triggers.
    pub catalog_version: Option<i64>,
}

/// A change of one run.
#[derive(Debug, Clone)]
pub struct Change {
    /// Where.
    pub workspace: WorkspaceId,
    /// Which run.
    pub execution_id: ExecutionId,
    /// Of which workflow.
    pub workflow_id: WorkflowId,
    /// Of which revision.
    pub revision: i32,
    /// What the change builds on.
    pub base: Base,
    /// The state after it.
    pub state: State,
    /// Whether this change stores the state; else it follows from the journal.
    pub stores: bool,
    /// What happened, and the facts that it led to.
    pub entries: Vec<Entry>,
    /// The server that performs the calls that are now in flight.
    pub owner: Option<Uuid>,
    /// What follows.
    pub follows: Follows,
}

/// What a change builds on.
#[derive(Debug, Clone, Copy)]
pub enum Base {
    /// Nothing: the run starts.
    New {
        /// The starting event, where it is written with the run: the run starts only if its event is new.
        event: Option<Uuid>,
    },
    /// The run as it was read.
    At {
        /// How many journal rows there were.
        seq: i32,
        /// The fence of a call's outcome: the epoch under which it was made.
        epoch: Option<i32>,
    },
}

/// One row of the journal.
#[derive(Debug, Clone)]
pub struct Entry {
    /// When, and the id from which others were derived.
    pub stamp: Stamp,
    /// What happened.
    pub input: Input,
    /// What it led to.
    pub facts: Vec<Fact>,
}

/// What follows a change, written with it.
#[derive(Debug, Clone, Default)]
pub struct Follows {
    /// Timers set, with their due times.
    pub timers_set: Vec<(String, DateTime<Utc>)>,
    /// Timers cleared.
    pub timers_cleared: Vec<String>,
    /// Waits opened.
    pub waits_opened: Vec<Awaited>,
    /// Waits closed, by their places.
    pub waits_closed: Vec<String>,
    /// Requests made, with the hash of what is seen.
    pub asked: Vec<(Request, String)>,
    /// Requests closed.
    pub closed: Vec<Closed>,
    /// Messages to people.
    pub notices: Vec<Notice>,
    /// Messages to the world.
    pub deliveries: Vec<Delivery>,
    /// Events published.
    pub published: Vec<NewEvent>,
    /// What is written into the audit log.
    pub audit: Vec<audit::Entry>,
}

/// A request that is closed.
#[derive(Debug, Clone)]
pub struct Closed {
    /// Which.
    pub approval_id: ApprovalId,
    /// As what.
    pub status: RequestStatus,
    /// Why it was withdrawn.
    pub because: Option<String>,
    /// The decision, where a person made one.
    pub decision: Option<Value>,
    /// The decision's `Idempotency-Key`.
    pub decision_key: Option<String>,
}

/// A message to one person.
#[derive(Debug, Clone)]
pub struct Notice {
    /// Its id.
    pub id: NoticeId,
    /// To whom.
    pub user: UserId,
    /// The request that it tells of.
    pub approval_id: Option<ApprovalId>,
    /// Its subject line.
    pub subject: Option<String>,
    /// What it says.
    pub message: String,
}

/// A message to the world.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// To whom.
    pub recipient: String,
    /// The request that it tells of.
    pub approval_id: Option<ApprovalId>,
    /// Its subject line.
    pub subject: Option<String>,
    /// What it says.
    pub message: String,
    /// Why it can't go out as things are.
    pub undeliverable: Option<String>,
}

/// What was written.
#[derive(Debug, Default)]
pub struct Committed {
    /// The events that were new.
    pub events: HashSet<Uuid>,
    /// The runs whose change was written.
    pub runs: HashSet<ExecutionId>,
    /// The workspaces whose triggers have changed since the sender looked, with their version.
    pub stale: HashMap<WorkspaceId, i64>,
}

/// Writes events and changes together.
pub async fn commit(conn: &mut PgConnection, events: &[&NewEvent], changes: &[&Change]) -> Result<Committed> {
    let mut committed = Committed { stale: stale_workspaces(conn, events).await?, ..Committed::default() };
    let fresh: Vec<&NewEvent> =
        events.iter().copied().filter(|event| !committed.stale.contains_key(&event.workspace)).collect();
    committed.events = insert_events(conn, &fresh).await?;
    let starting: Vec<&Change> = changes
        .iter()
        .copied()
        .filter(|change| match change.base {
            Base::New { event } => event.is_none_or(|event| committed.events.contains(&event)),
            Base::At { .. } => false,
        })
        .collect();
    insert_executions(conn, &starting).await?;
    committed.runs.extend(starting.iter().map(|change| change.execution_id));
    let updating: Vec<&Change> =
        changes.iter().copied().filter(|change| matches!(change.base, Base::At { .. })).collect();
    committed.runs.extend(update_executions(conn, &updating).await?);
    let written: Vec<&Change> =
        changes.iter().copied().filter(|change| committed.runs.contains(&change.execution_id)).collect();
    insert_journal(conn, &written).await?;
    write_timers(conn, &written).await?;
    write_waits(conn, &written).await?;
    write_requests(conn, &written).await?;
    write_messages(conn, &written).await?;
    let published: Vec<&NewEvent> = written.iter().flat_map(|change| &change.follows.published).collect();
    insert_events(conn, &published).await?;
    let entries: Vec<&audit::Entry> = written.iter().flat_map(|change| &change.follows.audit).collect();
    audit::insert(conn, &entries).await?;
    Ok(committed)
}

async fn stale_workspaces(
    conn: &mut PgConnection,
    events: &[&NewEvent],
) -> Result<HashMap<WorkspaceId, i64>> {
    let known: HashMap<WorkspaceId, i64> =
        events.iter().filter_map(|event| Some((event.workspace, event.catalog_version?))).collect();
    if known.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<Uuid> = known.keys().map(|workspace| workspace.0).collect();
    let rows = sqlx::query!("select id, catalog_version from workspaces where id = any($1)", &ids)
        .fetch_all(conn)
        .await?;
    let versions = rows.into_iter().map(|row| (WorkspaceId(row.id), row.catalog_version));
    Ok(versions.filter(|(workspace, version)| known.get(workspace) != Some(version)).collect())
}

/// Writes the events whose ids are new in their workspace, and says which these are.
async fn insert_events(conn: &mut PgConnection, events: &[&NewEvent]) -> Result<HashSet<Uuid>> {
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

async fn insert_executions(conn: &mut PgConnection, changes: &[&Change]) -> Result<()> {
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
async fn update_executions(conn: &mut PgConnection, changes: &[&Change]) -> Result<Vec<ExecutionId>> {
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

async fn insert_journal(conn: &mut PgConnection, changes: &[&Change]) -> Result<()> {
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

/// The runs that ended with this change: nothing of theirs waits any more.
fn ended(changes: &[&Change]) -> Vec<Uuid> {
    let ended = changes.iter().filter(|c| c.state.end.is_some() && matches!(c.base, Base::At { .. }));
    ended.map(|change| change.execution_id.0).collect()
}

async fn write_timers(conn: &mut PgConnection, changes: &[&Change]) -> Result<()> {
    let gone = ended(changes);
    if !gone.is_empty() {
        sqlx::query!("delete from timers where execution_id = any($1)", &gone).execute(&mut *conn).await?;
    }
    let live = || changes.iter().filter(|change| change.state.end.is_none());
    let cleared =
        live().flat_map(|c| c.follows.timers_cleared.iter().map(|timer| (c.execution_id.0, timer.clone())));
    let (ids, timers): (Vec<Uuid>, Vec<String>) = cleared.unzip();
    if !ids.is_empty() {
        sqlx::query!(
            "delete from timers t using unnest($1::uuid[], $2::text[]) as gone(execution_id, timer)
             where t.execution_id = gone.execution_id and t.timer = gone.timer",
            &ids,
            &timers
        )
        .execute(&mut *conn)
        .await?;
    }
    let (mut ids, mut workspaces, mut timers, mut dues) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for change in live() {
        for (timer, due) in &change.follows.timers_set {
            ids.push(change.execution_id.0);
            workspaces.push(change.workspace.0);
            timers.push(timer.clone());
            dues.push(*due);
        }
    }
    if !ids.is_empty() {
        sqlx::query!(
            "insert into timers (execution_id, timer, workspace_id, due_at)
             select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::timestamptz[])
             on conflict (execution_id, timer) do update set due_at = excluded.due_at",
            &ids,
            &timers,
            &workspaces,
            &dues
        )
        .execute(conn)
        .await?;
    }
    Ok(())
}

async fn write_waits(conn: &mut PgConnection, changes: &[&Change]) -> Result<()> {
    let gone = ended(changes);
    if !gone.is_empty() {
        sqlx::query!("delete from waits where execution_id = any($1)", &gone).execute(&mut *conn).await?;
    }
    let live = || changes.iter().filter(|change| change.state.end.is_none());
    let closed =
        live().flat_map(|c| c.follows.waits_closed.iter().map(|place| (c.execution_id.0, place.clone())));
    let (ids, places): (Vec<Uuid>, Vec<String>) = closed.unzip();
    if !ids.is_empty() {
        sqlx::query!(
            "delete from waits w using unnest($1::uuid[], $2::text[]) as gone(execution_id, place)
             where w.execution_id = gone.execution_id and w.place = gone.place",
            &ids,
            &places
        )
        .execute(&mut *conn)
        .await?;
    }
    let (mut ids, mut workspaces, mut places, mut events, mut awaited) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for change in live() {
        for wait in &change.follows.waits_opened {
            ids.push(change.execution_id.0);
            workspaces.push(change.workspace.0);
            places.push(wait.place.to_string());
            events.push(wait.event.clone());
            awaited.push(json(wait));
        }
    }
    if !ids.is_empty() {
        // An event counts from the moment that the run began, and a run's id follows the time of its start.
        sqlx::query!(
            "insert into waits (execution_id, place, workspace_id, event, since, awaited)
             select t.execution_id, t.place, t.workspace_id, t.event, t.execution_id, t.awaited
             from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::jsonb[])
               as t(execution_id, place, workspace_id, event, awaited)
             on conflict do nothing",
            &ids,
            &places,
            &workspaces,
            &events,
            &awaited
        )
        .execute(conn)
        .await?;
    }
    Ok(())
}

async fn write_requests(conn: &mut PgConnection, changes: &[&Change]) -> Result<()> {
    for change in changes {
        for (request, seen) in &change.follows.asked {
            let approvers: Vec<String> =
                request.levels.iter().flat_map(|level| level.approvers.clone()).collect();
            let asked_at = change.entries.last().map_or(change.state.started_at, |entry| entry.stamp.at);
            sqlx::query!(
                "insert into approvals (id, workspace_id, execution_id, workflow_id, status, request, subject,
                     entity_id, approvers, seen, asked_at)
                 values ($1, $2, $3, $4, 'pending', $5, $6, $7, $8, $9, $10)",
                request.approval_id.0,
                change.workspace.0,
                change.execution_id.0,
                change.workflow_id.0,
                json(request),
                request.subject,
                request.entity_id,
                &approvers,
                seen,
                asked_at
            )
            .execute(&mut *conn)
            .await?;
        }
        for closed in &change.follows.closed {
            let at = change.entries.last().map_or(change.state.started_at, |entry| entry.stamp.at);
            sqlx::query!(
                "update approvals set status = $3, withdrawn_because = $4, decision = $5, decision_key = $6,
                     closed_at = $7
                 where workspace_id = $1 and id = $2 and status = 'pending'",
                change.workspace.0,
                closed.approval_id.0,
                status_word(closed.status),
                closed.because,
                closed.decision,
                closed.decision_key,
                at
            )
            .execute(&mut *conn)
            .await?;
            withdraw_messages(conn, change.workspace, closed.approval_id).await?;
        }
    }
    Ok(())
}

/// Messages of a closed request that could not go out yet are of no use any more.
async fn withdraw_messages(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    approval: ApprovalId,
) -> Result<()> {
    sqlx::query!(
        "update deliveries set status = 'undeliverable', reason = 'Its request was closed before it could go out',
             next_at = null
         where workspace_id = $1 and approval_id = $2 and status = 'pending'",
        workspace.0,
        approval.0
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A request's status as stored.
pub(super) fn status_word(status: RequestStatus) -> &'static str {
    match status {
        RequestStatus::Pending => "pending",
        RequestStatus::Approved => "approved",
        RequestStatus::Rejected => "rejected",
        RequestStatus::ChangesRequested => "changes_requested",
        RequestStatus::Expired => "expired",
        RequestStatus::Withdrawn => "withdrawn",
    }
}

async fn write_messages(conn: &mut PgConnection, changes: &[&Change]) -> Result<()> {
    for change in changes {
        let at = change.entries.last().map_or(change.state.started_at, |entry| entry.stamp.at);
        for notice in &change.follows.notices {
            sqlx::query!(
                "insert into notices (id, workspace_id, user_id, execution_id, approval_id, subject, message, at)
                 values ($1, $2, $3, $4, $5, $6, $7, $8)",
                notice.id.0,
                change.workspace.0,
                notice.user.0,
                change.execution_id.0,
                notice.approval_id.map(|id| id.0),
                notice.subject,
                notice.message,
                at
            )
            .execute(&mut *conn)
            .await?;
        }
        for delivery in &change.follows.deliveries {
            let status = if delivery.undeliverable.is_some() { "undeliverable" } else { "pending" };
            let next_at = delivery.undeliverable.is_none().then_some(at);
            sqlx::query!(
                "insert into deliveries (id, workspace_id, execution_id, approval_id, recipient, subject, message,
                     status, reason, next_at, created_at)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
                delivery.id.0,
                change.workspace.0,
                change.execution_id.0,
                delivery.approval_id.map(|id| id.0),
                delivery.recipient,
                delivery.subject,
                delivery.message,
                status,
                delivery.undeliverable,
                next_at,
                at
            )
            .execute(&mut *conn)
            .await?;
        }
    }
    Ok(())
}

fn length<T>(list: &[T]) -> i32 {
    i32::try_from(list.len()).unwrap_or(i32::MAX)
}

fn count(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
