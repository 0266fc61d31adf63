//! Closing the window: while decisions wait for the server, the person is asked first.

use crate::{outbox, shell::Shell};
use shared_types::desktop::ShellEvent;
use std::sync::atomic::{AtomicBool, Ordering};
use tauri::{AppHandle, Manager as _};

/// Whether the person was asked: whoever closes a window twice means it, also where the pages don't answer.
static ASKED: AtomicBool = AtomicBool::new(false);

/// Closes, or has the pages ask.
pub(crate) fn asked_to_close(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        // Before the shell is open there is nothing that waits.
        let shell = app.try_state::<Shell>().map(|shell| shell.inner().clone());
        let waiting = match &shell {
            Some(shell) => outbox::waiting(shell).await,
            None => 0,
        };
        match shell {
            Some(shell) if waiting > 0 && !ASKED.swap(true, Ordering::Relaxed) => {
                shell.publish(&ShellEvent::Leaving(waiting));
            }
            Some(_) | None => app.exit(0),
        }
    });
}

/// The person stays.
pub(crate) fn stay() {
    ASKED.store(false, Ordering::Relaxed);
}
