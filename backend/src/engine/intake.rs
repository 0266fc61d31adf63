//! An event comes in: every workflow that listens starts a run, and event and runs are written together.

use super::{
    Engine,
    catalog::{Active, ActiveWorkflow},
    correlation::Offer,
    plan::{PostCommit, plan},
    resident::{ResidentRun, SnapshotLag},
    watch::{RunSummary, Watch},
    writer::Job,
};
use crate::{
    dispatch::Loop,
    store::{
        self, StoreError, audit,
        child_runs::ParentRun,
        commit::{Base, Change, Entry, NewEvent, Owners},
        events,
    },
};
use shared_types::{
    api::executions::Execution,
    ids::{AuditId, ExecutionId, WorkflowId, WorkspaceId},
    machine::{Definition, Event, Input, Run, RunStatus, SnapshotRef, Stamp, VERSION, input::Start},
};
use std::sync::Arc;
use uuid::Uuid;

/// How often what starts runs may change while an event is taken.
const MAX_ROUNDS: u32 = 20;

/// An event that comes in.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// The event.
    pub event: Arc<Event>,
    /// Of what the sender sent.
    pub content_hash: Vec<u8>,
    /// The workflows that it may start.
    pub starts: Starts,
    /// What is written into the audit log for each run that starts; its subject is the run.
    pub audit: Option<audit::Entry>,
}

/// The workflows that an event may start.
#[derive(Debug, Clone)]
pub enum Starts {
    /// Those that listen for it.
    Listening,
    /// Those of these that listen for it.
    ListeningOf(Vec<WorkflowId>),
    /// This one, whatever it listens for.
    Only(WorkflowId),
}

/// What became of an event.
#[derive(Debug)]
pub enum Accepted {
    /// It was new: the runs that it started.
    New(Vec<AcceptedRun>),
    /// It was seen before, with the same content.
    Duplicate,
}

/// A run that an event started.
#[derive(Debug)]
pub struct AcceptedRun {
    /// As it stands.
    pub summary: RunSummary,
    /// Tells when it has settled; only for a run that works on.
    pub watch: Option<Watch>,
}

/// Why an event was not taken.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// Its id was used with other content.
    #[error("the event's id was used with other content")]
    IdReused,
    /// The workflow that it should start isn't on.
    #[error("the workflow isn't enabled")]
    NotEnabled,
    /// What starts runs changed all the time.
    #[error("the workspace's workflows change too fast")]
    Unsettled,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Takes an event, durably; its runs are under way when this returns.
    #[tracing::instrument(level = "debug", skip_all, fields(event.id = %incoming.event.id))]
    pub async fn intake(&self, workspace: WorkspaceId, incoming: &Incoming) -> Result<Accepted, IntakeError> {
        let mut active = self.0.catalog.active(&self.0.pool, workspace).await?;
        for _ in 0..MAX_ROUNDS {
            let listening = self.listening(&active, incoming).await;
            if listening.is_empty() && matches!(incoming.starts, Starts::Only(_)) {
                // What is remembered may be old; what is read now is not.
                active = Box::pin(self.0.catalog.reload(&self.0.pool, workspace)).await?;
                if self.listening(&active, incoming).await.is_empty() {
                    return Err(IntakeError::NotEnabled);
                }
                continue;
            }
            let event_row = self.0.clock.new_id();
            let mut started =
                self.begin_all(workspace, &listening, &incoming.event, 0, Some(event_row)).await?;
            if let Some(entry) = &incoming.audit {
                for begun in &mut started {
                    begun.note(AuditId(self.0.clock.new_id()), entry);
                }
            }
            let event = NewEvent {
                id: event_row,
                workspace,
                event: Arc::clone(&incoming.event),
                content_hash: incoming.content_hash.clone(),
                depth: 0,
                pending: false,
                publisher: None,
                catalog_version: Some(active.version),
            };
            let changes = started.iter().map(|begun| Arc::clone(&begun.change)).collect();
            let job = Job { events: vec![event.clone()], changes };
            let written = match self.0.writer.write(job).await {
                // A run of it can't be stored. The event is taken all the same, and its runs are started one by one.
                Err(error)
                    if error.is_lasting()
                        && !started.is_empty()
                        && matches!(incoming.starts, Starts::Listening) =>
                {
                    tracing::error!(%error, "a run can't be stored as it starts");
                    started.clear();
                    let events = vec![NewEvent { pending: true, ..event }];
                    let written = self.0.writer.write(Job { events, changes: Vec::new() }).await?;
                    self.0.waking.wake(Loop::Published);
                    written
                }
                written => written?,
            };
            if written.stale.contains(&event_row) {
                active = Box::pin(self.0.catalog.reload(&self.0.pool, workspace)).await?;
                continue;
            }
            if !written.events.contains(&event_row) {
                return Box::pin(self.seen_before(workspace, incoming)).await;
            }
            metrics::counter!("iw_events_total").increment(1);
            // Watched before they go on, so that none settles unseen.
            let watched = started.iter().map(|begun| self.watched(workspace, begun)).collect();
            self.run_started(workspace, started);
            self.offer_to_waits(workspace, Arc::clone(&incoming.event)).await;
            return Ok(Accepted::New(watched));
        }
        Err(IntakeError::Unsettled)
    }

    /// The workflows that an event may start here, and whose triggers let it in.
    async fn listening(&self, active: &Active, incoming: &Incoming) -> Vec<ActiveWorkflow> {
        let mut listening = Vec::new();
        for workflow in &active.workflows {
            let listens = match &incoming.starts {
                Starts::Only(id) => workflow.workflow_id == *id,
                Starts::Listening => self.is_started_by(workflow, &incoming.event).await,
                Starts::ListeningOf(ids) => {
                    ids.contains(&workflow.workflow_id) && self.is_started_by(workflow, &incoming.event).await
                }
            };
            if listens {
                listening.push(workflow.clone());
            }
        }
        listening
    }

    /// Whether an event starts a workflow: its type fits, and the filter lets it in or can't be asked.
    pub(super) async fn is_started_by(&self, workflow: &ActiveWorkflow, event: &Event) -> bool {
        let definition = &workflow.definition;
        definition.document().is_triggered_by(&event.kind) && self.admits(definition, event).await
    }

    /// Whether the filter of a trigger lets an event in or can't be asked.
    pub async fn admits(&self, definition: &Arc<Definition>, event: &Event) -> bool {
        let is_admitted = || definition.admits(event, event.time).unwrap_or(true);
        self.0.evaluations.turn(definition, is_admitted).await
    }

    fn watched(&self, workspace: WorkspaceId, begun: &StartedInMemory) -> AcceptedRun {
        let execution = begun.change.execution.clone();
        let works = execution.status == RunStatus::Running;
        let watch = works.then(|| self.watch(workspace, execution.execution_id));
        AcceptedRun {
            summary: RunSummary { execution, open_request: begun.run.state().open_request() },
            watch,
        }
    }

    async fn seen_before(
        &self,
        workspace: WorkspaceId,
        incoming: &Incoming,
    ) -> Result<Accepted, IntakeError> {
        let mut conn = self.0.pool.acquire().await.map_err(StoreError::from)?;
        let hash = events::content_hash(&mut conn, workspace, &incoming.event.id).await?;
        if hash.is_some_and(|hash| hash == incoming.content_hash) {
            Ok(Accepted::Duplicate)
        } else {
            Err(IntakeError::IdReused)
        }
    }

    /// Starts a run of each workflow in memory, as far as it goes by itself.
    pub(super) async fn begin_all(
        &self,
        workspace: WorkspaceId,
        workflows: &[ActiveWorkflow],
        event: &Arc<Event>,
        depth: u32,
        event_row: Option<Uuid>,
    ) -> store::Result<Vec<StartedInMemory>> {
        let mut started = Vec::with_capacity(workflows.len());
        for workflow in workflows {
            let limits = self.0.limits;
            let start = Start {
                execution_id: ExecutionId(self.0.clock.new_id()),
                event: Arc::clone(event),
                depth,
                limits,
                version: VERSION,
                unserved: workflow.unserved.to_vec(),
                fault: None,
            };
            started.push(self.begin(workspace, workflow, start, None, event_row).await?);
        }
        Ok(started)
    }

    /// Starts a run in memory, as far as it goes by itself.
    pub(super) async fn begin(
        &self,
        workspace: WorkspaceId,
        workflow: &ActiveWorkflow,
        start: Start,
        parent: Option<ParentRun>,
        event_row: Option<Uuid>,
    ) -> store::Result<StartedInMemory> {
        let execution_id = start.execution_id;
        let definition = &workflow.definition;
        let environment = Box::pin(self.environment(workspace, &definition.needs_at_start())).await?;
        let stamp = Stamp { environment, ..self.0.clock.stamp() };
        let turn = || Run::start(Arc::clone(definition), &stamp, &start);
        let (run, applied) = self.0.evaluations.turn(definition, turn).await;
        let (mut side_rows, mut post_commit) =
            plan(self, workspace, execution_id, 1, applied.commands, None).await?;
        let state = run.state();
        let is_awaited = parent.as_ref().is_some_and(|parent| parent.awaited);
        side_rows.notifies_parent = is_awaited && state.status() != RunStatus::Running;
        post_commit.notifies_parent = side_rows.notifies_parent.then_some(execution_id);
        let owners = if state.has_open_calls() { self.performer() } else { Owners::None };
        // What stays in memory, or has ended, follows from its journal.
        let stores = !owners.adds(self.0.server) && state.end.is_none();
        let input = Input::Start(Box::new(start));
        let facts = applied.facts;
        let written = move || {
            let snapshot = stores.then(|| store::json_text(&SnapshotRef::V1(state)));
            (snapshot, Entry::new(stamp, &input, &facts))
        };
        let (snapshot, entry) = self.0.evaluations.follow_up(definition, written).await;
        let change = Change {
            workspace,
            execution: Execution::of(state, &workflow.workflow_id, workflow.revision),
            base: Base::New { event: event_row },
            snapshot,
            entries: vec![entry],
            owners,
            side_rows,
        };
        Ok(StartedInMemory { run, parent, change: Arc::new(change), post_commit })
    }

    /// The runs were written: those with calls stay in memory, and what follows begins.
    pub(super) fn run_started(&self, workspace: WorkspaceId, begun: Vec<StartedInMemory>) {
        for StartedInMemory { run, parent, change, post_commit } in begun {
            metrics::counter!("iw_runs_started_total").increment(1);
            if change.owners.adds(self.0.server) {
                let resident = ResidentRun {
                    run,
                    workflow_id: change.execution.workflow_id.clone(),
                    revision: change.execution.revision,
                    seq: 1,
                    epoch: 1,
                    is_owned: true,
                    parent,
                    lag: SnapshotLag::default().after(change.input_bytes(), None),
                    is_terminated: false,
                };
                self.0.resident.put(change.execution_id(), resident);
            } else {
                let definition = Arc::clone(run.definition());
                self.0.evaluations.discard(&definition, (run, change));
            }
            self.post_commit(workspace, post_commit);
        }
    }

    /// Has an event looked at by what waits for events, beside whoever sent it.
    pub(super) async fn offer_to_waits(&self, workspace: WorkspaceId, event: Arc<Event>) {
        // Nobody takes it once the server stops; the next start looks again.
        let _ = self.0.offers.send(Offer { workspace, event }).await;
    }
}

/// A run that was started in memory.
pub(super) struct StartedInMemory {
    run: Run,
    parent: Option<ParentRun>,
    pub(super) change: Arc<Change>,
    post_commit: PostCommit,
}

impl StartedInMemory {
    /// What it runs.
    pub(super) fn definition(&self) -> &Arc<Definition> {
        self.run.definition()
    }

    /// Adds an entry of the audit log, about this run, to what is written with it.
    fn note(&mut self, id: AuditId, entry: &audit::Entry) {
        if let Some(change) = Arc::get_mut(&mut self.change) {
            let subject = change.execution.execution_id.to_string();
            change.side_rows.audit.push(audit::Entry { id, subject, ..entry.clone() });
        }
    }
}
