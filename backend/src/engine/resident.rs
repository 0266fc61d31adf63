//! Runs in memory: those with calls in flight, and large ones that were woken lately. Each has a slot with a lock, which puts
//! the changes of a run in line on this server; between servers, `seq` decides.
//!
//! A large run that waits stays in memory, because reading megabytes of state at each event would cost more than the
//! event. Such runs together take at most [`MAX_RETAINED_BYTES`]; beyond that, the one that was woken longest ago is
//! evicted. Whatever is in memory may be older than the database, and nothing relies on it: see `apply.rs`.

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

/// A run in memory, as it is stored.
#[derive(Debug)]
pub(super) struct ResidentRun {
    pub(super) run: Run,
    pub(super) workflow_id: WorkflowId,
    pub(super) revision: i32,
    pub(super) seq: i32,
    pub(super) epoch: i32,
    /// Whether this server is among those that perform its calls.
    pub(super) is_owned: bool,
    /// The run that called it.
    pub(super) parent: Option<ParentRun>,
    /// How far the snapshot lags behind the journal.
    pub(super) lag: SnapshotLag,
    /// True if the run was set aside: it has ended, whatever its state says.
    pub(super) is_terminated: bool,
}

/// How far the snapshot of a run lags behind its journal.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SnapshotLag {
    /// Size of the snapshot in bytes; none if there is no snapshot.
    pub(super) state: Option<usize>,
    /// Number of inputs since the snapshot.
    pub(super) inputs: u32,
    /// Size of these inputs in bytes.
    pub(super) bytes: usize,
}

/// The least number of inputs between two snapshots of a run that is in memory.
const STORE_EVERY: u32 = 16;
/// A run that waits stays in memory if its snapshot and later inputs have at least this many bytes.
const RETAIN_FROM_BYTES: usize = 16 * 1024;
/// The most bytes that runs which wait in memory take together, by their stored size.
const MAX_RETAINED_BYTES: usize = 32 * 1024 * 1024;

impl SnapshotLag {
    /// True if a snapshot is due after one more input. It is due once the inputs since the last one are as large as the
    /// snapshot itself, so that a state that grows is written as often as it doubles, and not at each input.
    pub(super) fn is_due(self, input: usize, stays_in_memory: bool) -> bool {
        let (inputs, bytes) = (self.inputs + 1, self.bytes + input);
        let is_worth_it = self.state.is_none_or(|state| bytes >= state);
        is_worth_it && (!stays_in_memory || inputs >= STORE_EVERY)
    }

    /// The bytes that must be read to load the run.
    pub(super) fn size(self) -> usize {
        self.state.unwrap_or_default() + self.bytes
    }

    /// True if the run stays in memory while it waits.
    pub(super) fn is_large(self) -> bool {
        self.size() >= RETAIN_FROM_BYTES
    }

    /// The lag after one more input, with the size of a new snapshot if one was written.
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

/// Large runs that wait, the one that was woken longest ago first. A run that has left memory may still be listed.
#[derive(Debug, Default)]
struct IdleRuns {
    runs: VecDeque<(ExecutionId, usize)>,
    bytes: usize,
}

impl IdleRuns {
    /// Adds a run as the newest, and returns those to evict.
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

    /// Unlocks a run, and removes its slot if the run isn't in memory and nobody else waits for the lock.
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

    /// Adds a run that has just started.
    pub(super) fn put(&self, id: ExecutionId, run: ResidentRun) {
        self.slots().insert(id, Arc::new(AsyncMutex::new(Some(run))));
    }

    /// Keeps a run that waits in memory, and evicts those that were woken longest ago if there are too many.
    pub(super) fn retain(&self, id: ExecutionId, bytes: usize) {
        let gone = self.idle.lock().unwrap_or_else(PoisonError::into_inner).add(id, bytes);
        for id in gone {
            self.evict(id);
        }
    }

    /// Removes a run from memory, unless it is being changed or has calls in flight.
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

    /// Removes all runs: other servers took this one for dead, and may have changed them.
    pub(super) fn clear(&self) {
        self.slots().clear();
    }

    /// Whether a run is in memory or being changed here.
    pub(super) fn has(&self, id: ExecutionId) -> bool {
        self.slots().contains_key(&id)
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
        let mut idle = IdleRuns::default();
        let id = |n: u128| ExecutionId(Uuid::from_u128(n));
        let half = MAX_RETAINED_BYTES / 2;
        assert_eq!(idle.add(id(1), half), []);
        assert_eq!(idle.add(id(2), half), []);
        assert_eq!(idle.add(id(1), half), [], "it is named once");
        assert_eq!(idle.add(id(3), half), [id(2)]);
        assert_eq!(idle.add(id(4), 3 * half), [id(1), id(3)], "one is kept however large");
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
