//! Runs that are held in memory: while their calls are in flight, and large ones for a while after they were woken.
//! And the lock that lets one change of a run follow another on this server; between servers, `seq` decides.

use crate::store::child_runs::ParentRun;
use shared_types::{
    ids::{ExecutionId, WorkflowId},
    machine::Run,
};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};
use uuid::Uuid;

/// A run in memory, as it is stored.
#[derive(Debug)]
pub(super) struct ResidentRun {
    pub(super) run: Run,
    pub(super) workflow_id: WorkflowId,
    pub(super) revision: i32,
    pub(super) seq: i32,
    pub(super) epoch: i32,
    /// The servers that perform its calls.
    pub(super) owners: Vec<Uuid>,
    /// The run that called it.
    pub(super) parent: Option<ParentRun>,
    /// How far the stored state is behind.
    pub(super) lag: SnapshotLag,
    /// Whether it was set aside: it has ended, whatever its state says.
    pub(super) is_set_aside: bool,
}

/// How far a run's stored state is behind its journal.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SnapshotLag {
    /// The bytes of the stored state; nothing where none is stored.
    pub(super) state: Option<usize>,
    /// How many inputs came since.
    pub(super) inputs: u32,
    /// And their bytes.
    pub(super) bytes: usize,
}

/// After how many inputs in memory the state is stored at the earliest.
const STORE_EVERY: u32 = 16;
/// From how many bytes on a run that waits is kept in memory, so that one with a large state that is woken again and
/// again isn't read whole each time.
const RETAIN_FROM_BYTES: usize = 16 * 1024;
/// How many bytes such runs take together, as they are stored.
const MAX_RETAINED_BYTES: usize = 32 * 1024 * 1024;

impl SnapshotLag {
    /// Whether the state is to be stored after one more input: not before what came since is as much as the state
    /// itself, so that a state that grows is written as often as it doubles, and not for each input.
    pub(super) fn is_due(self, input: usize, stays_in_memory: bool) -> bool {
        let (inputs, bytes) = (self.inputs + 1, self.bytes + input);
        let is_worth_it = self.state.is_none_or(|state| bytes >= state);
        is_worth_it && (!stays_in_memory || inputs >= STORE_EVERY)
    }

    /// How much is read to have the run again.
    pub(super) fn size(self) -> usize {
        self.state.unwrap_or_default() + self.bytes
    }

    /// Whether it is worth to be kept in memory while it waits.
    pub(super) fn is_large(self) -> bool {
        self.size() >= RETAIN_FROM_BYTES
    }

    /// After one more input, with the state stored in so many bytes or not.
    pub(super) fn after(self, input: usize, stored: Option<usize>) -> Self {
        match stored {
            Some(state) => Self { state: Some(state), inputs: 0, bytes: 0 },
            None => Self { inputs: self.inputs + 1, bytes: self.bytes + input, ..self },
        }
    }
}

type Slot = Arc<AsyncMutex<Option<ResidentRun>>>;

/// The runs in memory.
#[derive(Debug, Default)]
pub(super) struct ResidentRuns {
    slots: Mutex<HashMap<ExecutionId, Slot>>,
    idle: Mutex<IdleRuns>,
}

/// Large runs that wait, the one that was woken longest ago first. One that left memory meanwhile may still be named.
#[derive(Debug, Default)]
struct IdleRuns {
    runs: VecDeque<(ExecutionId, usize)>,
    bytes: usize,
}

impl IdleRuns {
    /// Names a run of so many bytes as the newest, and takes away the oldest that are too many.
    fn add(&mut self, id: ExecutionId, bytes: usize) -> Vec<ExecutionId> {
        if let Some(at) = self.runs.iter().position(|(other, _)| *other == id)
            && let Some((_, before)) = self.runs.remove(at)
        {
            self.bytes -= before;
        }
        self.runs.push_back((id, bytes));
        self.bytes += bytes;
        let mut gone = Vec::new();
        while self.bytes > MAX_RETAINED_BYTES
            && self.runs.len() > 1
            && let Some((oldest, bytes)) = self.runs.pop_front()
        {
            self.bytes -= bytes;
            gone.push(oldest);
        }
        gone
    }
}

impl ResidentRuns {
    /// Locks a run on this server; what is in the slot may be used while the lock is held.
    pub(super) async fn lock(&self, id: ExecutionId) -> OwnedMutexGuard<Option<ResidentRun>> {
        let slot = Arc::clone(self.slots().entry(id).or_default());
        slot.lock_owned().await
    }

    /// Forgets a run that isn't in memory and that nobody else has locked or waits to lock.
    pub(super) fn release(&self, id: ExecutionId, guard: OwnedMutexGuard<Option<ResidentRun>>) {
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
    pub(super) fn put(&self, id: ExecutionId, run: ResidentRun) {
        self.slots().insert(id, Arc::new(AsyncMutex::new(Some(run))));
    }

    /// Keeps a run that waits in memory, and lets go of those that were woken longest ago.
    pub(super) fn retain(&self, id: ExecutionId, bytes: usize) {
        let gone = self.idle.lock().unwrap_or_else(PoisonError::into_inner).add(id, bytes);
        for id in gone {
            self.evict(id);
        }
    }

    /// Lets go of a run, unless it is being changed or has calls in flight.
    fn evict(&self, id: ExecutionId) {
        let mut slots = self.slots();
        let Some(slot) = slots.get(&id).filter(|slot| Arc::strong_count(slot) == 1) else { return };
        let is_idle = slot
            .try_lock()
            .is_ok_and(|run| run.as_ref().is_none_or(|resident| !resident.run.state().has_open_calls()));
        if is_idle {
            slots.remove(&id);
        }
    }

    /// Forgets all of them: this server was taken for dead.
    pub(super) fn clear(&self) {
        self.slots().clear();
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<ExecutionId, Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{IdleRuns, MAX_RETAINED_BYTES, SnapshotLag};
    use shared_types::ids::ExecutionId;
    use uuid::Uuid;

    #[test]
    fn the_large_runs_in_memory_are_those_that_were_woken_last() {
        let mut warm = IdleRuns::default();
        let id = |n: u128| ExecutionId(Uuid::from_u128(n));
        let half = MAX_RETAINED_BYTES / 2;
        assert_eq!(warm.add(id(1), half), []);
        assert_eq!(warm.add(id(2), half), []);
        assert_eq!(warm.add(id(1), half), [], "it is named once");
        assert_eq!(warm.add(id(3), half), [id(2)]);
        assert_eq!(warm.add(id(4), 3 * half), [id(1), id(3)], "one is kept however large");
    }

    /// Writes a run's state as it grows by what each input brings, and says how many bytes all that took.
    fn written(inputs: usize, each: usize) -> usize {
        let mut lag = SnapshotLag::default();
        let mut written = 0;
        for input in 1..=inputs {
            let state = input * each;
            let stores = lag.is_due(each, false);
            lag = lag.after(each, stores.then_some(state));
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
        let fresh = SnapshotLag::default();
        assert!(!fresh.is_due(100, true));
        assert!(fresh.is_due(100, false));
        let after_many = (0..15).fold(fresh, |lag, _| lag.after(100, None));
        assert!(after_many.is_due(100, true));
    }
}
