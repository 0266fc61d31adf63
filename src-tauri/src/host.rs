//! What the shell needs of the desktop around it: the window with its pages, and the system's notifications.

use crate::{notifications::PendingSummary, shell::Shell, system_notifications};
use shared_types::desktop::{SHELL_EVENT, ShellEvent};
use tauri::{AppHandle, Emitter as _, Manager as _};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// One request's notification.
#[derive(Debug, Clone)]
pub(crate) struct Notification {
    /// The id of the request that it tells of.
    pub(crate) id: String,
    /// The question, amount first: `Approve €12,400 for Order A-1?`
    pub(crate) summary: String,
    /// What else matters.
    pub(crate) body: String,
    /// Cancelled when it is to be withdrawn.
    pub(crate) withdrawn: CancellationToken,
}

/// The desktop around the shell.
pub(crate) trait Host: Send + Sync + 'static {
    /// Sends an event to the pages.
    fn publish(&self, event: &ShellEvent);

    /// Brings the window to the front.
    fn to_front(&self);

    /// Shows a notification until it is clicked, dismissed or withdrawn. A click opens the very card.
    fn notify(&self, shell: &Shell, notification: Notification);

    /// Shows the one that stands for many, with their number as it changes, until it is clicked or dismissed or none of
    /// them waits any more. A click opens the Inbox.
    fn notify_together(&self, shell: &Shell, updates: watch::Receiver<PendingSummary>);
}

impl Host for AppHandle {
    fn publish(&self, event: &ShellEvent) {
        if let Err(error) = self.emit(SHELL_EVENT, event) {
            tracing::warn!(%error, "the pages could not be told");
        }
    }

    fn to_front(&self) {
        if let Some(window) = self.get_webview_window("main") {
            // A window manager may refuse; the page is opened all the same.
            let _ = window.show();
            let _ = window.unminimize();
            let _ = window.set_focus();
        }
    }

    fn notify(&self, shell: &Shell, notification: Notification) {
        system_notifications::show(self, shell.clone(), notification);
    }

    fn notify_together(&self, shell: &Shell, updates: watch::Receiver<PendingSummary>) {
        system_notifications::show_together(self, shell.clone(), updates);
    }
}
