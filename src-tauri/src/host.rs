//! What the shell needs of the desktop around it: the window with its pages, and the system's notifications.

use crate::{
    notification::{Notification, PendingSummary},
    system_notifications, window,
};
use shared_types::desktop::{SHELL_EVENT, ShellEvent, Theme};
use std::path::PathBuf;
use tauri::{AppHandle, Emitter as _, Manager as _};
use tokio::sync::watch;

/// The desktop around the shell.
pub(crate) trait Host: Send + Sync + 'static {
    /// Sends an event to the pages.
    fn publish(&self, event: &ShellEvent);

    /// Brings the window to the front.
    fn to_front(&self);

    /// Shows a notification until it is clicked, dismissed or withdrawn. A click opens the very card.
    fn notify(&self, notification: Notification);

    /// Shows the one that stands for many, with their number as it changes, until it is clicked or dismissed or none of
    /// them waits any more. A click opens the Inbox.
    fn notify_together(&self, updates: watch::Receiver<PendingSummary>);

    /// Paints the window's ground in a theme.
    fn paint(&self, theme: Theme);

    /// The folder of downloads, or the home folder where there is none.
    fn downloads(&self) -> Option<PathBuf>;

    /// Ends the app.
    fn exit(&self);

    /// Opens a page, with the window in front.
    fn open_page(&self, path: &str) {
        self.to_front();
        self.publish(&ShellEvent::Open(path.to_owned()));
    }
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

    fn notify(&self, notification: Notification) {
        let app = self.clone();
        system_notifications::show(self, notification, move |path| app.open_page(path));
    }

    fn notify_together(&self, updates: watch::Receiver<PendingSummary>) {
        let app = self.clone();
        system_notifications::show_together(self, updates, move |path| app.open_page(path));
    }

    fn paint(&self, theme: Theme) {
        window::paint(self, theme);
    }

    fn downloads(&self) -> Option<PathBuf> {
        self.path().download_dir().or_else(|_| self.path().home_dir()).ok()
    }

    fn exit(&self) {
        Self::exit(self, 0);
    }
}
