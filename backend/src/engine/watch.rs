//! Whoever waits for a run to settle is told by the change that settles it, and by nothing else.

use shared_types::{
    api::executions::Execution,
    ids::{ApprovalId, ExecutionId},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

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
pub(super) struct Watched(Mutex<HashMap<ExecutionId, Arc<SummarySender>>>);

impl Watched {
    /// Watches a run from here on.
    pub(super) fn watch(self: &Arc<Self>, id: ExecutionId) -> Watch {
        let sender = Arc::clone(self.runs().entry(id).or_insert_with(|| Arc::new(watch::channel(None).0)));
        Watch { id, settled: sender.subscribe(), watched: Arc::clone(self) }
    }

    /// Tells whoever watches a run that it has settled, or works again.
    pub(super) fn publish(&self, id: ExecutionId, settled: impl FnOnce() -> Option<RunSummary>) {
        let sender = self.runs().get(&id).map(Arc::clone);
        if let Some(sender) = sender {
            sender.send_replace(settled());
        }
    }

    fn runs(&self) -> MutexGuard<'_, HashMap<ExecutionId, Arc<SummarySender>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for one run to settle. What another server settles is not told here.
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
        if runs.get(&self.id).is_some_and(|told| told.receiver_count() == 1) {
            runs.remove(&self.id);
        }
    }
}
