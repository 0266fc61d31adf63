//! A request to check the runs that this server owns against what it has in flight.
//!
//! Such a check is needed when the outcome of a commit is unknown (the connection broke before the answer came, so the
//! change may be stored although nobody here acted on it), and when work that must follow a commit could not be done.
//! Anybody may request it; the heartbeat in `recovery.rs` takes the request and does the check.

use std::sync::atomic::{AtomicU32, Ordering};

/// How many checks follow a request: a transaction that was committing when the connection broke may become visible a
/// little later than the first check.
const CHECKS: u32 = 2;

/// How many checks are still to be made.
#[derive(Debug, Default)]
pub(super) struct Recheck(AtomicU32);

impl Recheck {
    /// Requests checks of the runs that this server owns.
    pub(super) fn request(&self) {
        self.0.store(CHECKS, Ordering::Relaxed);
    }

    /// True if a check was requested; it then counts as made.
    pub(super) fn take_request(&self) -> bool {
        let one_less = |checks: u32| checks.checked_sub(1);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok()
    }
}
