//! Turns of the machine that take long are made beside the threads that serve, one at a time: whatever a workflow
//! calculates, the others go on. A turn is bounded by the machine itself; this is about who waits for it.

use crate::blocking::run_at_low_priority;
use shared_types::{machine::Definition, workflow::template::work_done};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::sync::Semaphore;

/// A definition whose turn did more work is evaluated aside from then on; about 1 ms. Work is counted, and no time is
/// taken, since on a busy machine any turn may take long.
const HEAVY: u64 = 20_000;
/// After so many light turns one after the other it is evaluated here again.
const LIGHT_TURNS: u32 = 100;
/// How many definitions are remembered; past it they are forgotten and found again.
const MAX_REMEMBERED: usize = 1_000;

/// Which definitions have shown to be heavy, and the one place in which they are evaluated.
#[derive(Debug)]
pub(super) struct Evaluations {
    /// The definitions, by their place in memory, and how many light turns they have made since. Another definition
    /// that is put there later is evaluated aside as well, which changes nothing but who waits.
    heavy: Mutex<HashMap<usize, u32>>,
    /// How many there are, so that nobody locks to find none.
    count: AtomicUsize,
    aside: Semaphore,
}

impl Default for Evaluations {
    fn default() -> Self {
        Self { heavy: Mutex::default(), count: AtomicUsize::new(0), aside: Semaphore::new(1) }
    }
}

impl Evaluations {
    /// Makes a turn: here, or aside where this definition has been heavy before.
    pub(super) async fn turn<T: Send>(
        &self,
        definition: &Arc<Definition>,
        turn: impl FnOnce() -> T + Send,
    ) -> T {
        let place = Arc::as_ptr(definition).addr();
        self.placed(place, || self.measured(place, turn)).await
    }

    /// Does what follows a turn and grows with it, such as writing down its facts: where the turn is made.
    pub(super) async fn follow_up<T: Send>(
        &self,
        definition: &Arc<Definition>,
        work: impl FnOnce() -> T + Send,
    ) -> T {
        self.placed(Arc::as_ptr(definition).addr(), work).await
    }

    /// Frees what a turn left: where there is much of it, that takes as long as a turn.
    pub(super) fn discard<T: Send + 'static>(&self, definition: &Arc<Definition>, left: T) {
        if self.is_heavy(Arc::as_ptr(definition).addr()) {
            tokio::task::spawn_blocking(move || drop(left));
        }
    }

    async fn placed<T: Send>(&self, place: usize, work: impl FnOnce() -> T + Send) -> T {
        if !self.is_heavy(place) {
            return work();
        }
        // The semaphore is never closed; without a permit the work is done all the same.
        let _permit = self.aside.acquire().await;
        run_at_low_priority(work)
    }

    fn is_heavy(&self, place: usize) -> bool {
        self.count.load(Ordering::Relaxed) > 0 && self.lock().contains_key(&place)
    }

    /// Makes a turn and remembers how much work it did.
    fn measured<T>(&self, place: usize, turn: impl FnOnce() -> T) -> T {
        let before = work_done();
        let made = turn();
        if work_done() - before > HEAVY {
            let mut heavy = self.lock();
            if heavy.len() >= MAX_REMEMBERED {
                heavy.clear();
            }
            heavy.insert(place, 0);
            self.count.store(heavy.len(), Ordering::Relaxed);
        } else if self.count.load(Ordering::Relaxed) > 0 {
            let mut heavy = self.lock();
            if let Some(light) = heavy.get_mut(&place) {
                *light += 1;
                if *light >= LIGHT_TURNS {
                    heavy.remove(&place);
                }
            }
            self.count.store(heavy.len(), Ordering::Relaxed);
        }
        made
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<usize, u32>> {
        self.heavy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_types::workflow::{Template, scope::Scope};
    use std::time::{Duration, Instant};

    fn definition() -> Arc<Definition> {
        let document = serde_json::json!({
            "workflow_id": "w", "name": "W", "trigger": { "type": "manual" },
            "steps": [{ "id": "a", "type": "action", "action": { "type": "allow" } }],
        });
        Arc::new(Definition::new(serde_json::from_value(document).unwrap()))
    }

    fn work() {
        let nothing = serde_json::Map::new();
        let template = Template::new("{% for n in range(30000) %}{% endfor %}");
        template.text(&Scope::masked(&nothing, chrono::DateTime::UNIX_EPOCH)).unwrap();
    }

    #[tokio::test]
    async fn a_definition_is_heavy_by_the_work_of_its_turns_until_a_hundred_are_light() {
        let evaluations = Evaluations::default();
        let (one, other) = (definition(), definition());
        let is_heavy = |definition: &Arc<Definition>| evaluations.is_heavy(Arc::as_ptr(definition).addr());
        // A turn that takes long because the machine is busy is none that works much.
        let begun = Instant::now();
        let wait = || while begun.elapsed() < Duration::from_millis(20) {};
        evaluations.turn(&one, wait).await;
        assert!(!is_heavy(&one));
        evaluations.turn(&one, work).await;
        assert!(is_heavy(&one) && !is_heavy(&other));
        for _ in 1..LIGHT_TURNS {
            evaluations.turn(&one, || ()).await;
            evaluations.follow_up(&one, || ()).await;
        }
        assert!(is_heavy(&one), "what follows a turn is none");
        evaluations.turn(&one, work).await;
        for _ in 0..LIGHT_TURNS {
            assert!(is_heavy(&one));
            evaluations.turn(&one, || ()).await;
        }
        assert!(!is_heavy(&one));
    }
}
