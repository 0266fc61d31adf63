//! Work that takes long, done where the tasks that a thread serves don't wait for it, and behind them.

use std::{panic, thread};
use tokio::runtime::{Handle, RuntimeFlavor};

/// How nice a thread is whose work takes long. Where processors are scarce it gets a tenth of what a thread that serves
/// gets (Linux, `sched(7)`).
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Does the work on this thread, whose other tasks are handed to another thread first. On a runtime with one thread, or
/// none, it is just done.
pub(crate) fn run_blocking<T>(work: impl FnOnce() -> T) -> T {
    let has_others =
        Handle::try_current().is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread);
    if has_others { tokio::task::block_in_place(work) } else { work() }
}

/// The same on a thread of its own, which steps back for those that serve: where there are fewer processors than work, a
/// workflow that calculates a lot waits, and not the others.
pub(crate) fn run_at_low_priority<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let on_own_thread = || {
        thread::scope(|scope| {
            let working = scope.spawn(|| {
                step_back();
                work()
            });
            working.join().unwrap_or_else(|panicked| panic::resume_unwind(panicked))
        })
    };
    run_blocking(on_own_thread)
}

/// Makes this thread nicer. It can't be taken back, so the thread is for nothing else.
fn step_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "a thread can't be made nicer");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn work_that_takes_long_is_done_by_a_thread_that_steps_back_alone() {
        let here = thread::current().id();
        let there = run_at_low_priority(|| thread::current().id());
        assert_ne!(here, there);
        let panicked =
            panic::catch_unwind(|| run_at_low_priority(|| assert_eq!(1, 2, "the work's own words")));
        assert!(panicked.is_err(), "a panic of the work is the caller's");
        #[cfg(target_os = "linux")]
        {
            let niceness = || rustix::process::getpriority_process(None).unwrap();
            let before = niceness();
            assert_eq!(run_at_low_priority(niceness), before.max(NICENESS));
            assert_eq!(niceness(), before);
        }
    }
}
