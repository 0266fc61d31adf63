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
    pub(super) owners: Vec<Uuid>,
    /// The run that called it.
    pub(super) caller: Option<Caller>,
    /// How far the stored state is behind.
    pub(super) kept: Kept,
}

/// How far a run's stored state is behind its journal.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Kept {
    /// The bytes of the stored state; nothing where none is stored.
    pub(super) state: Option<usize>,
    /// How many inputs came since.
    pub(super) inputs: u32,
    /// And their bytes.
    pub(super) bytes: usize,
}

/// After how many inputs in memory the state is stored at the earliest.
const STORE_EVERY: u32 = 16;

impl Kept {
    /// Whether the state is to be stored after one more input: not before what came since is as much as the state
    /// itself, so that a state that grows is written as often as it doubles, and not for each input.
    pub(super) fn is_due(self, input: usize, stays_in_memory: bool) -> bool {
        let (inputs, bytes) = (self.inputs + 1, self.bytes + input);
        let is_worth_it = self.state.is_none_or(|state| bytes >= state);
        is_worth_it && (!stays_in_memory || inputs >= STORE_EVERY)
    }

    /// After one more input, with the state stored in so many bytes or not.
    pub(super) fn after(self, input: usize, stored: Option<usize>) -> Self {
        match stored {
            Some(state) => Self { state: Some(state), inputs: 0, bytes: 0 },
            None => Self { inputs: self.inputs + 1, bytes: self.bytes + input, ..self },
        }
    }
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

    /// Forgets all of them: this server was taken for dead.
    pub(super) fn clear(&self) {
        self.slots().clear();
    }

    fn slots(&self) -> std::sync::MutexGuard<'_, HashMap<ExecutionId, Slot>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::Kept;

    /// Writes a run's state as it grows by what each input brings, and says how many bytes all that took.
    fn written(inputs: usize, each: usize) -> usize {
        let mut kept = Kept::default();
        let mut written = 0;
        for input in 1..=inputs {
            let state = input * each;
            let stores = kept.is_due(each, false);
            kept = kept.after(each, stores.then_some(state));
            written += if stores { state } else { 0 };
        }
        written
    }

    #[test]
    fn what_is_written_grows_with_the_inputs_and_not_with_their_square() {
        for inputs in [1, 10, 100, 10_000] {
            assert!(written(inputs, 50) <= 2 * inputs * 50, "{inputs} inputs");
        }
    }

    #[test]
    fn a_run_in_memory_is_stored_now_and_then_and_one_that_leaves_it_at_once() {
        let fresh = Kept::default();
        assert!(!fresh.is_due(100, true));
        assert!(fresh.is_due(100, false));
        let after_many = (0..15).fold(fresh, |kept, _| kept.after(100, None));
        assert!(after_many.is_due(100, true));
    }
}
