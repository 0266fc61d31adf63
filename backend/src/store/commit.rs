//! The one protocol for every change of a run: journal rows are appended and the run's row is updated where
//! its `seq` is still the one that was read, with all that follows, in one transaction.
//!
//! Changes of many runs are written together, one statement a table. Each stands for itself: one that meets
//! another `seq` is left out, and the rest is written all the same.

mod event_claims;
mod runs;
mod side_rows;

use super::{
    Result,
    approvals::{NewDecision, VoidedDecisions},
    audit, json_text,
};
use chrono::{DateTime, Utc};
use event_claims::{claim_events, release_claims};
use runs::{insert_events, insert_executions, insert_journal, update_executions};
use shared_types::{
    api::{executions::Execution, notices::Channel},
    approval::decision::RequestStatus,
    ids::{ApprovalId, DeliveryId, ExecutionId, NoticeId, UserId, WorkspaceId},
    machine::{
        Event, Fact, Input, Stamp, StartRun,
        command::{Request, RequestUpdate},
        event::AwaitedEvent,
    },
};
use side_rows::{write_calls, write_messages, write_requests, write_timers, write_waits};
use sqlx::PgConnection;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};
use uuid::Uuid;

/// Has long values compressed by LZ4 where the database was built with it: that takes a third of the time.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn compress_fast(conn: &mut PgConnection) -> sqlx::Result<()> {
    let set = sqlx::query_scalar!(
        "select set_config('default_toast_compression', 'lz4', false) from pg_settings
         where name = 'default_toast_compression' and 'lz4' = any(enumvals)"
    );
    set.fetch_optional(conn).await.map(|_| ())
}

/// An event to write.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// The server's own id, which follows time.
    pub id: Uuid,
    /// The workspace that it belongs to.
    pub workspace: WorkspaceId,
    /// The event.
    pub event: Arc<Event>,
    /// Of what the sender sent, to tell a repetition from a reuse of the id.
    pub content_hash: Vec<u8>,
    /// How many runs set each other off before it.
    pub depth: u32,
    /// Whether the runs that it starts are still to be started.
    pub pending: bool,
    /// The run that published it, or that called the run which it starts.
    pub publisher: Option<ExecutionId>,
    /// For an event from outside: what the sender knew of the workspace's triggers.
    pub catalog_version: Option<i64>,
}

/// A change of one run.
#[derive(Debug, Clone)]
pub struct Change {
    /// The workspace that it belongs to.
    pub workspace: WorkspaceId,
    /// The run as it stands after it.
    pub execution: Execution,
    /// What the change builds on.
    pub base: Base,
    /// The state after it as JSON, where it is stored; else it follows from the journal.
    pub snapshot: Option<String>,
    /// What happened, and the facts that it led to.
    pub entries: Vec<Entry>,
    /// Who performs the calls that are now open.
    pub owners: Owners,
    /// Rows that are written in the same transaction.
    pub side_rows: SideRows,
}

impl Change {
    /// Which run.
    pub fn execution_id(&self) -> ExecutionId {
        self.execution.execution_id
    }

    /// How many bytes its inputs take.
    pub fn input_bytes(&self) -> usize {
        self.entries.iter().map(Entry::input_bytes).sum()
    }

    /// How many bytes it writes, about.
    pub fn bytes(&self) -> usize {
        let entries = self.entries.iter().map(|entry| {
            entry.input.len() + entry.facts.len() + entry.environment.as_ref().map_or(0, String::len)
        });
        entries.sum::<usize>() + self.snapshot.as_ref().map_or(0, String::len)
    }

    /// How many journal rows there are after it.
    fn seq(&self) -> i32 {
        let before = match self.base {
            Base::New { .. } => 0,
            Base::At { seq, .. } => seq,
        };
        before + length(&self.entries)
    }

    /// The version of the workspace's environment that it was applied with; none where it needed to know nothing.
    fn environment_version(&self) -> Option<i64> {
        self.entries.last().and_then(|entry| Some(entry.stamp.environment.as_deref()?.version))
    }

    /// When it happened.
    fn at(&self) -> DateTime<Utc> {
        self.entries.last().map_or(self.execution.started_at, |entry| entry.stamp.at)
    }
}

/// Who performs the open calls of a run after a change. The servers stand in the run's row; what others did to it since
/// the run was read stays, as the row is changed and not overwritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owners {
    /// No call is open.
    None,
    /// Calls are open, and the change begins none.
    Unchanged,
    /// The change begins calls, which this server performs.
    Add(Uuid),
    /// The change begins calls, which a server is still to claim.
    AddNobody,
}

/// Stands among the owners of a run for calls that are still to be claimed.
pub const NOBODY: Uuid = Uuid::nil();

impl Owners {
    /// Whether the change makes this server an owner.
    pub fn adds(self, server: Uuid) -> bool {
        self == Self::Add(server)
    }

    fn is_open(self) -> bool {
        self != Self::None
    }

    /// The owner that the change adds.
    fn added(self) -> Option<Uuid> {
        match self {
            Self::None | Self::Unchanged => None,
            Self::Add(server) => Some(server),
            Self::AddNobody => Some(NOBODY),
        }
    }
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
        /// The fence: a run that was taken over since is read again.
        epoch: i32,
    },
}

/// One row of the journal.
#[derive(Debug, Clone)]
pub struct Entry {
    /// When, and the id from which others were derived.
    pub stamp: Stamp,
    /// What happened, as JSON.
    input: String,
    /// What it led to, as JSON.
    facts: String,
    /// What the run had to know of its workspace, as JSON.
    environment: Option<String>,
    /// The number of the first fact.
    first_fact: Option<u32>,
}

impl Entry {
    /// A row; it is made into text here, so that the writer has nothing left to do with it.
    pub fn new(stamp: Stamp, input: &Input, facts: &[Fact]) -> Self {
        let first_fact = facts.first().map(|fact| fact.seq);
        let environment = stamp.environment.as_deref().map(json_text);
        Self { stamp, input: json_text(input), facts: json_text(&facts), environment, first_fact }
    }

    /// How many bytes the input takes.
    pub fn input_bytes(&self) -> usize {
        self.input.len()
    }
}

/// What follows a change, written with it.
#[derive(Debug, Clone, Default)]
pub struct SideRows {
    /// Timers set, with their due times.
    pub timers_set: Vec<(String, DateTime<Utc>)>,
    /// Timers to delete.
    pub timers_cleared: Vec<String>,
    /// Waits to insert.
    pub waits_opened: Vec<AwaitedEvent>,
    /// Waits closed, by their places.
    pub waits_closed: Vec<String>,
    /// Requests made, with the hash of what is seen.
    pub asked: Vec<(Request, String)>,
    /// Decisions made.
    pub decisions: Vec<NewDecision>,
    /// Decisions that don't count any more.
    pub voided: Vec<VoidedDecisions>,
    /// What became of requests that stay open.
    pub updated: Vec<RequestUpdate>,
    /// Requests to close.
    pub closed: Vec<Closed>,
    /// Messages to people.
    pub notices: Vec<Notice>,
    /// Messages to the world.
    pub deliveries: Vec<Delivery>,
    /// Child runs to insert.
    pub calls: Vec<StartRun>,
    /// Called runs that are to end, and why.
    pub stops: Vec<(ExecutionId, String)>,
    /// Whether the run that called this one is to hear of the change.
    pub notifies_parent: bool,
    /// The event that the run takes although it came before the run started: no other run may take it so.
    pub claimed_event: Option<Uuid>,
    /// A called run whose change this run has heard of, by its seq.
    pub child_notified: Option<(ExecutionId, i32)>,
    /// Events to insert.
    pub published: Vec<NewEvent>,
    /// What is written into the audit log.
    pub audit: Vec<audit::Entry>,
}

/// A request that is closed.
#[derive(Debug, Clone)]
pub struct Closed {
    /// Id of the request.
    pub approval_id: ApprovalId,
    /// The final status of the request.
    pub status: RequestStatus,
    /// Why it was withdrawn.
    pub because: Option<String>,
}

/// A message to one person.
#[derive(Debug, Clone)]
pub struct Notice {
    /// Its id, a `UUIDv7`.
    pub id: NoticeId,
    /// The person who gets it.
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
    /// Its id, a `UUIDv7`.
    pub id: DeliveryId,
    /// By which way it goes.
    pub channel: Channel,
    /// The recipient: an address, `user:`, `role:` or a channel.
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
    /// The events that were not written, as what starts runs has changed since their sender looked.
    pub stale: HashSet<Uuid>,
    /// The runs whose change was not written, as another run has claimed the event.
    pub outclaimed: HashSet<ExecutionId>,
}

/// Writes events and changes together.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn commit(conn: &mut PgConnection, events: &[&NewEvent], changes: &[&Change]) -> Result<Committed> {
    let mut committed = Committed { events: insert_events(conn, events).await?, ..Committed::default() };
    let missing = events.iter().copied().filter(|event| !committed.events.contains(&event.id));
    committed.stale = stale(conn, &missing.collect::<Vec<_>>()).await?;
    let starting: Vec<&Change> = changes
        .iter()
        .copied()
        .filter(|change| match change.base {
            Base::New { event } => event.is_none_or(|event| committed.events.contains(&event)),
            Base::At { .. } => false,
        })
        .collect();
    insert_executions(conn, &starting).await?;
    committed.runs.extend(starting.iter().map(|change| change.execution_id()));
    let mut updating: Vec<&Change> =
        changes.iter().copied().filter(|change| matches!(change.base, Base::At { .. })).collect();
    committed.outclaimed = claim_events(conn, &updating).await?;
    updating.retain(|change| !committed.outclaimed.contains(&change.execution_id()));
    let updated = update_executions(conn, &updating).await?;
    updating.retain(|change| !updated.contains(&change.execution_id()));
    release_claims(conn, &updating).await?;
    committed.runs.extend(updated);
    let written: Vec<&Change> =
        changes.iter().copied().filter(|change| committed.runs.contains(&change.execution_id())).collect();
    insert_journal(conn, &written).await?;
    write_timers(conn, &written).await?;
    write_waits(conn, &written).await?;
    write_requests(conn, &written).await?;
    write_messages(conn, &written).await?;
    write_calls(conn, &written).await?;
    let published: Vec<&NewEvent> = written.iter().flat_map(|change| &change.side_rows.published).collect();
    insert_events(conn, &published).await?;
    let entries: Vec<&audit::Entry> = written.iter().flat_map(|change| &change.side_rows.audit).collect();
    audit::insert(conn, &entries).await?;
    Ok(committed)
}

/// Of events that were not written, those whose sender knew an older version of the triggers; the rest were
/// seen before.
async fn stale(conn: &mut PgConnection, missing: &[&NewEvent]) -> Result<HashSet<Uuid>> {
    let known: Vec<(Uuid, WorkspaceId, i64)> = missing
        .iter()
        .filter_map(|event| Some((event.id, event.workspace, event.catalog_version?)))
        .collect();
    if known.is_empty() {
        return Ok(HashSet::new());
    }
    let ids: Vec<Uuid> = known.iter().map(|(_, workspace, _)| workspace.0).collect();
    let rows = sqlx::query!("select id, catalog_version from workspaces where id = any($1)", &ids)
        .fetch_all(conn)
        .await?;
    let current: HashMap<WorkspaceId, i64> =
        rows.into_iter().map(|row| (WorkspaceId(row.id), row.catalog_version)).collect();
    let is_stale =
        |(_, workspace, version): &&(Uuid, WorkspaceId, i64)| current.get(workspace) != Some(version);
    Ok(known.iter().filter(is_stale).map(|(id, _, _)| *id).collect())
}

fn length<T>(list: &[T]) -> i32 {
    i32::try_from(list.len()).unwrap_or(i32::MAX)
}

fn count(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
