//! Turns of the machine that take long are made beside the threads that serve, one at a time: whatever a workflow
//! calculates, the others go on. A turn is bounded by the machine itself; this is about who waits for it.

use shared_types::machine::Definition;
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::Semaphore,
};

/// A definition whose turn took longer is made beside the serving threads from then on.
const SLOW: Duration = Duration::from_millis(5);
/// How many definitions are remembered as slow; past it they are forgotten and found again.
const MAX_SLOW: usize = 1_000;

/// Which definitions have shown to be slow, and the one place in which they are evaluated.
#[derive(Debug)]
pub(super) struct Evaluations {
    /// The definitions, by their place in memory. Another that is put there later is evaluated aside as well, which
    /// changes nothing but who waits.
    slow: Mutex<HashSet<usize>>,
    aside: Semaphore,
}

impl Default for Evaluations {
    fn default() -> Self {
        Self { slow: Mutex::default(), aside: Semaphore::new(1) }
    }
}

impl Evaluations {
    /// Makes a turn: here, or aside where this definition has been slow before.
    pub(super) async fn turn<T>(&self, definition: &Arc<Definition>, turn: impl FnOnce() -> T) -> T {
        let place = Arc::as_ptr(definition).addr();
        let can_move = Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread;
        if can_move && self.is_slow(place) {
            // The semaphore is never closed; without a permit the turn is made all the same.
            let _permit = self.aside.acquire().await;
            return tokio::task::block_in_place(turn);
        }
        let begun = Instant::now();
        let made = turn();
        if begun.elapsed() > SLOW {
            self.remember(place);
        }
        made
    }

    fn is_slow(&self, place: usize) -> bool {
        self.slow.lock().unwrap_or_else(PoisonError::into_inner).contains(&place)
    }

    fn remember(&self, place: usize) {
        let mut slow = self.slow.lock().unwrap_or_else(PoisonError::into_inner);
        if slow.len() >= MAX_SLOW {
            slow.clear();
        }
        slow.insert(place);
    }
}
