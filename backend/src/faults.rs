//! Points at which a test can let the server die hard; compiled for tests only.

use std::sync::atomic::{AtomicU32, Ordering};

static PASSED: AtomicU32 = AtomicU32::new(0);

/// Ends the process as kill -9 would, if this is the point that `IW_CRASH_AT` counts.
pub fn point() {
    let crash_at = std::env::var("IW_CRASH_AT").ok().and_then(|n| n.parse::<u32>().ok());
    if let Some(crash_at) = crash_at
        && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == crash_at
    {
        std::process::abort();
    }
}
