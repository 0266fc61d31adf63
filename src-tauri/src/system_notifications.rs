//! The system's notifications, as each system shows them.

use crate::{host::Notification, notifications::PendingSummary, shell::Shell};
use std::time::Duration;
use tauri::AppHandle;
use tokio::sync::watch;

/// Shows one request's notification.
#[cfg(target_os = "linux")]
pub(crate) fn show(_app: &AppHandle, shell: Shell, notification: Notification) {
    tauri::async_runtime::spawn(follow(shell, notification));
}

/// Shows the one that stands for many.
#[cfg(target_os = "linux")]
pub(crate) fn show_together(_app: &AppHandle, shell: Shell, updates: watch::Receiver<PendingSummary>) {
    tauri::async_runtime::spawn(follow_together(shell, updates));
}

/// Shows a notification by the plugin, which reports no clicks and withdraws none.
#[cfg(not(target_os = "linux"))]
pub(crate) fn show(app: &AppHandle, _shell: Shell, notification: Notification) {
    by_plugin(app, &notification.summary, &notification.body);
}

/// Shows the one that stands for many by the plugin, which changes nothing shown.
#[cfg(not(target_os = "linux"))]
pub(crate) fn show_together(app: &AppHandle, _shell: Shell, updates: watch::Receiver<PendingSummary>) {
    let (summary, body) = updates.borrow().words();
    by_plugin(app, &summary, &body);
}

#[cfg(not(target_os = "linux"))]
fn by_plugin(app: &AppHandle, summary: &str, body: &str) {
    use tauri_plugin_notification::NotificationExt as _;
    if let Err(error) = app.notification().builder().title(summary).body(body).show() {
        tracing::warn!(%error, "the system takes no notifications");
    }
}

#[cfg(target_os = "linux")]
async fn follow(shell: Shell, wanted: Notification) {
    let Notification { id, summary, body, withdrawn } = wanted;
    let mut notification = notify_rust::Notification::new();
    notification.appname("Intelligent Workflows").summary(&summary).body(&body).icon("dialog-question");
    notification.action("default", "Review").action("review", "Review").timeout(notify_rust::Timeout::Never);
    let handle = match notification.show_async().await {
        Ok(handle) => handle,
        Err(error) => {
            tracing::warn!(%error, "the system takes no notifications");
            return;
        }
    };
    let mut opened = false;
    tokio::select! {
        () = withdrawn.cancelled() => handle.close_async().await,
        () = handle.wait_for_action_async(|response| {
            opened = match response {
                notify_rust::NotificationResponse::Default => true,
                notify_rust::NotificationResponse::Action(action) => action == "review",
                notify_rust::NotificationResponse::Reply(_) | notify_rust::NotificationResponse::Closed(_) => false,
            };
        }) => {}
    }
    if opened {
        shell.open_page(&format!("/inbox/{id}"));
    }
}

#[cfg(target_os = "linux")]
async fn follow_together(shell: Shell, mut updates: watch::Receiver<PendingSummary>) {
    /// What changes at once is shown once.
    const PAUSE: Duration = Duration::from_millis(500);
    let mut known: Option<u32> = None;
    loop {
        let (summary, body) = updates.borrow_and_update().words();
        let mut notification = notify_rust::Notification::new();
        notification.appname("Intelligent Workflows").summary(&summary).body(&body).icon("dialog-question");
        notification.action("default", "Open the Inbox").timeout(notify_rust::Timeout::Never);
        if let Some(id) = known {
            // The same one, changed.
            notification.id(id);
        }
        let Ok(handle) = notification.show_async().await else { return };
        known = Some(handle.id());
        let mut opened = false;
        tokio::select! {
            changed = updates.changed() => {
                tokio::time::sleep(PAUSE).await;
                if changed.is_err() || updates.borrow().waiting == 0 {
                    handle.close_async().await;
                    return;
                }
            }
            () = handle.wait_for_action_async(|response| {
                opened = matches!(response, notify_rust::NotificationResponse::Default);
            }) => {
                if opened {
                    shell.open_page("/inbox");
                }
                return;
            }
        }
    }
}
