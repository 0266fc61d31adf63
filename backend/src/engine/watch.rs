//! Whoever waits for a run to settle is told by the change that settles it: at once where this server makes it, else when
//! the message of the change arrives.

use super::Engine;
use crate::{
    dispatch::Numbered,
    store::{self, approvals, executions},
};
use shared_types::{
    api::{executions::Execution, live::LiveKind},
    ids::{ApprovalId, ExecutionId, WorkspaceId},
    machine::RunStatus,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{broadcast::error::RecvError, watch},
    time::MissedTickBehavior,
};

/// How often watched runs are looked at in any case: a message may have been lost.
const LOOK: Duration = Duration::from_secs(1);

/// A run as it stands.
#[derive(Debug, Clone)]
pub struct RunSummary {
    /// What is shown of it.
    pub execution: Execution,
    /// The request that is open and was made first.
    pub open_request: Option<ApprovalId>,
}

type SummarySender = watch::Sender<Option<RunSummary>>;

/// The runs that are watched on this server.
#[derive(Debug, Default)]
pub(super) struct Watched(Mutex<BTreeMap<ExecutionId, (WorkspaceId, Arc<SummarySender>)>>);

impl Watched {
    /// Watches a run from here on.
    pub(super) fn watch(self: &Arc<Self>, workspace: WorkspaceId, id: ExecutionId) -> Watch {
        let mut runs = self.runs();
        if let Some((_, sender)) = runs.get(&id) {
            // Who comes later has read that it works again; who was told before has it.
            sender.send_replace(None);
        }
        let (_, sender) = runs.entry(id).or_insert_with(|| (workspace, Arc::new(watch::channel(None).0)));
        Watch { id, settled: sender.subscribe(), watched: Arc::clone(self) }
    }

    /// Tells whoever watches a run that it has settled, or works again.
    pub(super) fn publish(&self, id: ExecutionId, settled: impl FnOnce() -> Option<RunSummary>) {
        let sender = self.runs().get(&id).map(|(_, sender)| Arc::clone(sender));
        if let Some(sender) = sender {
            sender.send_replace(settled());
        }
    }

    /// The watched runs that haven't settled, of those that are asked for.
    fn unsettled(&self, is_asked: impl Fn(ExecutionId) -> bool) -> BTreeMap<WorkspaceId, Vec<ExecutionId>> {
        let mut unsettled: BTreeMap<WorkspaceId, Vec<ExecutionId>> = BTreeMap::new();
        for (id, (workspace, sender)) in self.runs().iter() {
            if is_asked(*id) && sender.borrow().is_none() {
                unsettled.entry(*workspace).or_default().push(*id);
            }
        }
        unsettled
    }

    fn has(&self, id: ExecutionId) -> bool {
        self.runs().contains_key(&id)
    }

    fn runs(&self) -> MutexGuard<'_, BTreeMap<ExecutionId, (WorkspaceId, Arc<SummarySender>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for one run to settle.
#[derive(Debug)]
pub struct Watch {
    id: ExecutionId,
    settled: watch::Receiver<Option<RunSummary>>,
    watched: Arc<Watched>,
}

impl Watch {
    /// Which run.
    pub fn id(&self) -> ExecutionId {
        self.id
    }

    /// The run once it works no more: it has ended, or waits.
    pub async fn settled(&mut self) -> Option<RunSummary> {
        let settled = self.settled.wait_for(Option::is_some).await;
        settled.ok().and_then(|summary| summary.clone())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut runs = self.watched.runs();
        // This one still counts; another may have come since.
        if runs.get(&self.id).is_some_and(|(_, sender)| sender.receiver_count() == 1) {
            runs.remove(&self.id);
        }
    }
}

/// Looks at watched runs that other servers change.
pub(super) async fn run(engine: Engine) {
    let mut changes = engine.0.dispatch.changes();
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let changed = tokio::select! {
            () = engine.0.stop.cancelled() => return,
            _ = look.tick() => None,
            changed = changes.recv() => match changed {
                Ok(message) => match changed_run(&message) {
                    Changed::Run(id) => Some(id),
                    Changed::Any => None,
                    Changed::NoRun => continue,
                },
                Err(RecvError::Lagged(_)) => None,
                Err(RecvError::Closed) => return,
            },
        };
        if changed.is_some_and(|id| !engine.0.watched.has(id)) {
            continue;
        }
        // What this server has in memory it mostly settles itself; where another does, the next look finds it.
        let is_asked = |id| changed.is_none_or(|changed| changed == id && !engine.0.resident.has(id));
        for (workspace, ids) in engine.0.watched.unsettled(is_asked) {
            if let Err(error) = look_at(&engine, workspace, &ids).await {
                tracing::debug!(%error, "watched runs are looked at again");
            }
        }
    }
}

/// What a message says of runs.
enum Changed {
    Run(ExecutionId),
    /// Any run may have changed.
    Any,
    NoRun,
}

fn changed_run(message: &Numbered) -> Changed {
    match message.message.kind {
        LiveKind::ExecutionChanged => message.message.id.parse().map_or(Changed::NoRun, Changed::Run),
        LiveKind::Reset => Changed::Any,
        LiveKind::ApprovalAsked
        | LiveKind::ApprovalChanged
        | LiveKind::WorkflowChanged
        | LiveKind::Notice => Changed::NoRun,
    }
}

async fn look_at(engine: &Engine, workspace: WorkspaceId, ids: &[ExecutionId]) -> store::Result<()> {
    let mut conn = engine.0.pool.acquire().await?;
    let mut settled = executions::some(&mut conn, workspace, ids).await?;
    settled.retain(|execution| execution.status != RunStatus::Running);
    if settled.is_empty() {
        return Ok(());
    }
    let ids: Vec<ExecutionId> = settled.iter().map(|execution| execution.execution_id).collect();
    let requests = approvals::open_of(&mut conn, workspace, &ids).await?;
    for execution in settled {
        let id = execution.execution_id;
        let open_request = requests.get(&id).copied();
        engine.0.watched.publish(id, || Some(RunSummary { execution, open_request }));
    }
    Ok(())
}
