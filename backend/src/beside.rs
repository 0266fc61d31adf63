//! Work that takes long, done where the tasks that a thread serves don't wait for it.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Does the work on this thread, whose other tasks are handed to another thread first. On a runtime with one thread, or
/// none, it is just done.
pub(crate) fn beside<T>(work: impl FnOnce() -> T) -> T {
    let has_others =
        Handle::try_current().is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread);
    if has_others { tokio::task::block_in_place(work) } else { work() }
}
