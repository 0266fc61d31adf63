//! Work that this server has in flight. Nothing is begun twice at the same time, and work that should be in flight and isn't
//! is found by comparing with it.

use super::perform::Work;
use shared_types::{ids::ExecutionId, machine::StepAddress};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

/// The identity of a piece of work.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    execution_id: ExecutionId,
    epoch: i32,
    place: StepAddress,
    /// Which of a step's calls, and which attempt.
    call: Option<(u32, u32)>,
}

/// The work in flight.
#[derive(Debug, Default)]
pub(super) struct InFlight(Mutex<HashSet<Key>>);

/// Marks work as in flight until it is dropped.
#[derive(Debug)]
pub(super) struct InFlightGuard {
    key: Key,
    in_flight: Arc<InFlight>,
}

impl InFlight {
    /// Marks work as in flight; `None` if it is already.
    pub(super) fn begin(
        self: &Arc<Self>,
        execution_id: ExecutionId,
        epoch: i32,
        work: &Work,
    ) -> Option<InFlightGuard> {
        let (place, call) = match work {
            Work::Call(call) => (&call.place, Some((call.index, call.attempt))),
            Work::Load(load) => (&load.place, Some((load.index, load.attempt))),
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
