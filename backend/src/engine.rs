//! The durable engine: starts runs, takes what happens to them, performs their calls, and recovers.
//!
//! Every change goes through [`apply`] or [`intake`]: the machine is applied in memory and the result is
//! written by the [`writer`] in one transaction. Calls are spawned only after that transaction.

mod apply;
mod call_log;
mod catalog;
mod child_runs;
mod claims;
mod correlation;
mod environment;
mod evaluation;
mod in_flight;
mod intake;
mod loops;
mod perform;
mod plan;
mod published_events;
mod recheck;
mod record;
mod recovery;
mod resident;
mod run_counts;
mod schedules;
mod terminate;
mod timers;
mod trials;
mod watch;
mod writer;

pub use apply::{ApplyError, Mutation};
pub use intake::{Accepted, AcceptedRun, Incoming, IntakeError, Starts};
pub use schedules::next_due_of;
pub use terminate::TerminationReason;
pub use watch::{RunSummary, Watch};

use crate::{
    clock::Clock,
    dispatch::{Dispatch, DispatchMessage, Loop, Waking},
    effects::Effects,
    role::Role,
    store::{StoreError, commit::Owners},
};
use catalog::Catalog;
use correlation::Offer;
use evaluation::Evaluations;
use in_flight::InFlight;
use perform::Work;
use recheck::Recheck;
use resident::ResidentRuns;
use shared_types::{
    ids::{ExecutionId, WorkflowId, WorkspaceId},
    machine::{Definition, Limits},
};
use sqlx::PgPool;
use std::{sync::Arc, time::Duration};
use tokio::sync::{Mutex, mpsc};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;
use watch::Watched;
use writer::Writer;

/// The engine; clones share it.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    pool: PgPool,
    clock: Clock,
    server: Uuid,
    catalog: Catalog,
    evaluations: Evaluations,
    writer: Writer,
    recheck: Arc<Recheck>,
    resident: ResidentRuns,
    in_flight: Arc<InFlight>,
    effects: Effects,
    dispatch: Dispatch,
    mail: bool,
    limits: Limits,
    watched: Arc<Watched>,
    waking: Arc<dyn Waking>,
    role: Role,
    tasks: TaskTracker,
    loops: TaskTracker,
    offers: mpsc::Sender<Offer>,
    offered: Mutex<mpsc::Receiver<Offer>>,
    stop: CancellationToken,
}

/// What an engine is made of.
pub struct Parts {
    /// The database.
    pub pool: PgPool,
    /// The time.
    pub clock: Clock,
    /// This server's id, fresh with every start.
    pub server: Uuid,
    /// What calls others.
    pub effects: Effects,
    /// What tells clients and other servers.
    pub dispatch: Dispatch,
    /// What wakes the loops, here and on other servers.
    pub waking: Arc<dyn Waking>,
    /// Whether this server performs.
    pub role: Role,
    /// Whether mail can be sent.
    pub mail: bool,
    /// How far a run may go.
    pub limits: Limits,
}

/// How many events may be on their way to what waits for them.
const OFFERS: usize = 4096;
/// How long a server that stops waits for the calls that it has in flight.
const LAST_CALLS: Duration = Duration::from_secs(if cfg!(feature = "faults") { 2 } else { 10 });

impl Engine {
    /// A revision of a workflow, ready to be run; remembered once it was read.
    ///
    /// # Errors
    /// It isn't there, can't be read, or the store failed.
    pub async fn definition(
        &self,
        workspace: WorkspaceId,
        workflow_id: &WorkflowId,
        revision: i32,
    ) -> Result<Arc<Definition>, StoreError> {
        self.0.catalog.definition(&self.0.pool, workspace, workflow_id, revision).await
    }

    /// Makes an engine; nothing runs before [`Engine::start`].
    pub fn new(parts: Parts) -> Self {
        let stop = CancellationToken::new();
        let (offers, offered) = mpsc::channel(OFFERS);
        let recheck = Arc::<Recheck>::default();
        Self(Arc::new(Inner {
            writer: Writer::new(&parts.pool, &recheck),
            recheck,
            pool: parts.pool,
            clock: parts.clock,
            server: parts.server,
            catalog: Catalog::default(),
            evaluations: Evaluations::default(),
            resident: ResidentRuns::default(),
            in_flight: Arc::default(),
            effects: parts.effects,
            dispatch: parts.dispatch,
            mail: parts.mail,
            limits: parts.limits,
            watched: Arc::default(),
            waking: parts.waking,
            role: parts.role,
            tasks: TaskTracker::new(),
            loops: TaskTracker::new(),
            offers,
            offered: Mutex::new(offered),
            stop,
        }))
    }

    /// Starts the loops of this server's role. Each looks after what it is for on every server that runs it, and rows are
    /// claimed: that several run it is as good as one.
    ///
    /// `alone` says that no other server can be on this database, so that what a dead one left is taken at once.
    pub async fn start(&self, alone: bool) -> Result<(), StoreError> {
        recovery::join(self, alone).await?;
        let loops = &self.0.loops;
        loops.spawn(recovery::run(self.clone()));
        loops.spawn(correlation::run(self.clone()));
        loops.spawn(watch::run(self.clone()));
        loops.spawn(call_log::run(self.clone()));
        if self.0.role.performs() {
            loops.spawn(claims::run(self.clone()));
            loops.spawn(timers::run(self.clone()));
            loops.spawn(published_events::run(self.clone()));
            loops.spawn(schedules::run(self.clone()));
            loops.spawn(correlation::match_all_waits(self.clone()));
            loops.spawn(child_runs::resume_unfinished(self.clone()));
            loops.spawn(run_counts::run(self.clone()));
            loops.spawn(environment::run(self.clone()));
        }
        Ok(())
    }

    /// Stops: no new work, what is in flight is finished or handed back.
    pub async fn stop(&self) {
        self.0.stop.cancel();
        self.0.loops.close();
        self.0.tasks.close();
        let last_calls = async {
            self.0.loops.wait().await;
            self.0.tasks.wait().await;
        };
        if tokio::time::timeout(LAST_CALLS, last_calls).await.is_err() {
            tracing::warn!("calls are still in flight; another server will make them again");
        }
        recovery::leave(self).await;
    }

    /// Watches a run until it settles, whichever server settles it.
    pub fn watch(&self, workspace: WorkspaceId, id: ExecutionId) -> Watch {
        self.0.watched.watch(workspace, id)
    }

    /// Wakes the loop that starts schedules: one was changed.
    pub fn schedules_changed(&self) {
        self.0.waking.wake(Loop::Schedules);
    }

    /// Waits until a message may be due to go out.
    pub async fn deliveries_wanted(&self) {
        self.0.waking.woken(Loop::Deliveries).await;
    }

    fn post_commit(&self, workspace: WorkspaceId, after: plan::PostCommit) {
        self.0.dispatch.tell(after.messages.into_iter().map(|(kind, id, to)| DispatchMessage {
            workspace,
            kind,
            id,
            to,
        }));
        if after.timers {
            self.0.waking.wake(Loop::Timers);
        }
        if after.published {
            self.0.waking.wake(Loop::Published);
        }
        if after.deliveries {
            self.0.waking.wake(Loop::Deliveries);
        }
        if self.0.role.performs() {
            for (execution_id, epoch, work) in after.work {
                self.perform(workspace, execution_id, epoch, work);
            }
        } else if !after.work.is_empty() {
            self.0.waking.wake(Loop::Claims);
        }
        for child in after.stops.into_iter().chain(after.notifies_parent) {
            self.stop_and_notify(workspace, child);
        }
        for (execution_id, awaited) in after.awaited {
            let engine = self.clone();
            self.0.tasks.spawn(async move {
                correlation::match_earlier_events(&engine, workspace, execution_id, awaited).await;
            });
        }
    }

    /// Who owns work that a change begins: this server, or nobody yet where it doesn't perform.
    fn performer(&self) -> Owners {
        if self.0.role.performs() { Owners::Add(self.0.server) } else { Owners::AddNobody }
    }

    fn perform(&self, workspace: WorkspaceId, execution_id: ExecutionId, epoch: i32, work: Work) {
        let Some(held) = self.0.in_flight.begin(execution_id, epoch, &work) else { return };
        let engine = self.clone();
        self.0.tasks.spawn(async move {
            perform::perform(&engine, workspace, execution_id, epoch, work).await;
            drop(held);
        });
    }

    /// Beside whoever asks: ends a called run that is to end, and tells its caller what it is still to hear.
    fn stop_and_notify(&self, workspace: WorkspaceId, child: ExecutionId) {
        let engine = self.clone();
        self.0.tasks.spawn(async move { child_runs::stop_and_notify(&engine, workspace, child).await });
    }
}
