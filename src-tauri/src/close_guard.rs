//! Closing the window: what could still be undone is sent, and while decisions wait for the server, the
//! person is asked first.

use crate::{outbox, shell::Shell};
use shared_types::desktop::ShellEvent;
use std::sync::atomic::Ordering;

/// Whether the app ends now that the window is to be closed; else the pages ask. Whoever closes it twice means it, also
/// where the pages don't answer.
pub(crate) async fn closes(shell: &Shell) -> bool {
    if !shell.close_asked().load(Ordering::Relaxed) {
        outbox::send_held(shell).await;
    }
    let waiting = outbox::waiting(shell).await;
    if waiting == 0 || shell.close_asked().swap(true, Ordering::Relaxed) {
        return true;
    }
    shell.publish(&ShellEvent::Leaving(waiting));
    false
}

/// The person stays.
pub(crate) fn stay(shell: &Shell) {
    shell.close_asked().store(false, Ordering::Relaxed);
}
