//! Points at which a test can let something break; compiled for tests only.

use std::sync::atomic::{AtomicU32, Ordering};

static PASSED: AtomicU32 = AtomicU32::new(0);
static COMMITTED: AtomicU32 = AtomicU32::new(0);

/// Ends the process as kill -9 would, if this is the point that `IW_CRASH_AT` counts.
pub fn point() {
    if is_counted("IW_CRASH_AT", &PASSED) {
        std::process::abort();
    }
}

/// Whether a batch that was committed looks lost, as when the connection breaks under the answer: if it is the
/// one that `IW_LOSE_ANSWER_AT` counts. The metrics say that it was, so that a test knows.
pub fn loses_answer() -> bool {
    let is_lost = is_counted("IW_LOSE_ANSWER_AT", &COMMITTED);
    if is_lost {
        metrics::counter!("iw_faults_total").increment(1);
    }
    is_lost
}

fn is_counted(variable: &str, count: &AtomicU32) -> bool {
    let wanted = std::env::var(variable).ok().and_then(|n| n.parse::<u32>().ok());
    wanted.is_some_and(|wanted| count.fetch_add(1, Ordering::SeqCst) + 1 == wanted)
}
