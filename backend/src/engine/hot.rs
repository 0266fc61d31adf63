//! Runs that are held in memory while their calls are in flight, and the lock that lets one change of a
//! run follow another on this server. Between servers, `seq` decides.

use crate::store::calls::Caller;
use shared_types::{
    ids::{ExecutionId, WorkflowId},
    machine::Run,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};
use uuid::Uuid;

/// A run in memory, as it is stored.
#[derive(Debug)]
pub(super) struct HotRun {
    pub(super) run: Run,
    pub(super) workflow_id: WorkflowId,
    pub(super) revision: i32,
    pub(super) seq: i32,
    pub(super) epoch: i32,
    /// The server that performs its calls.
    pub(super) owner: Option<Uuid>,
    /// The run that called it.
    pub(super) caller: Option<Caller>,
    /// How many changes the stored state is behind.
    pub(super) behind: u32,
}

type Slot = Arc<AsyncMutex<Option<HotRun>>>;

/// The runs in memory.
#[derive(Debug, Default)]
pub(super) struct HotRuns(Mutex<HashMap<ExecutionId, Slot>>);

impl HotRuns {
    /// Locks a run on this server; what is in the slot may be used while the lock is held.
    pub(super) async fn lock(&self, id: ExecutionId) -> OwnedMutexGuard<Option<HotRun>> {
        let slot = Arc::clone(self.slots().entry(id).or_default());
        slot.lock_owned().await
    }

    /// Forgets a run that isn't in memory and that nobody else has locked or waits to lock.
    pub(super) fn tidy(&self, id: ExecutionId, guard: OwnedMutexGuard<Option<HotRun>>) {
        let is_cold = guard.is_none();
        drop(guard);
        if is_cold {
            let mut slots = self.slots();
            // One count is the map's own; another would be that of somebody who came meanwhile.
            if slots.get(&id).is_some_and(|slot| Arc::strong_count(slot) == 1) {
                slots.remove(&id);
            }
        }
    }

    /// Puts a run that just started into memory.
    pub(super) fn put(&self, id: ExecutionId, run: HotRun) {
        self.slots().insert(id, Arc::new(AsyncMutex::new(Some(run))));
    }

    /// Which they are, those that are being changed at this moment too.
    pub(super) fn ids(&self) -> Vec<ExecutionId> {
        let slots = self.slots();
        let is_hot = |slot: &Slot| slot.try_lock().map_or(true, |run| run.is_some());
        slots.iter().filter(|(_, slot)| is_hot(slot)).map(|(id, _)| *id).collect()
    }

    /// Forgets all of them: this server was taken for dead.
    pub(super) fn clear(&self) {
        self.slots().clear();
    }

    fn slots(&self) -> std::sync::MutexGuard<'_, HashMap<ExecutionId, Slot>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
