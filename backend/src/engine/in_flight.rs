//! What this server has under way for runs: nothing is begun twice beside itself, and what should be under way
//! and isn't is found.

use super::perform::Work;
use shared_types::{ids::ExecutionId, machine::StepAddress};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

/// What tells one piece of work from all others.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    execution_id: ExecutionId,
    epoch: i32,
    place: StepAddress,
    /// Which of a step's calls, and which attempt.
    call: Option<(u32, u32)>,
}

/// The work that is under way.
#[derive(Debug, Default)]
pub(super) struct InFlight(Mutex<HashSet<Key>>);

/// Work that is under way until this is dropped.
#[derive(Debug)]
pub(super) struct InFlightGuard {
    key: Key,
    in_flight: Arc<InFlight>,
}

impl InFlight {
    /// Begins work; nothing where it is under way already.
    pub(super) fn begin(
        self: &Arc<Self>,
        execution_id: ExecutionId,
        epoch: i32,
        work: &Work,
    ) -> Option<InFlightGuard> {
        let (place, call) = match work {
            Work::Call(call) => (&call.place, Some((call.index, call.attempt))),
            Work::Run(start) => (&start.place, None),
            Work::Rule { place, .. } => (place, None),
        };
        let key = Key { execution_id, epoch, place: place.clone(), call };
        let is_new = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone());
        is_new.then(|| InFlightGuard { key, in_flight: Arc::clone(self) })
    }
}

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        self.in_flight.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}
