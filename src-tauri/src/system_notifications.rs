//! The system's notifications, as each system shows them.

use crate::notification::{Notification, PendingSummary};
use std::time::Duration;
use tauri::AppHandle;
use tokio::sync::watch;

/// Shows one request's notification; a click opens its page.
#[cfg(target_os = "linux")]
pub(crate) fn show(_app: &AppHandle, notification: Notification, open: impl Fn(&str) + Send + 'static) {
    tauri::async_runtime::spawn(follow(notification, open));
}

/// Shows the one that stands for many; a click opens the Inbox.
#[cfg(target_os = "linux")]
pub(crate) fn show_together(
    _app: &AppHandle,
    updates: watch::Receiver<PendingSummary>,
    open: impl Fn(&str) + Send + 'static,
) {
    tauri::async_runtime::spawn(follow_together(updates, open));
}

/// Shows a notification by the plugin, which reports no clicks and withdraws none.
#[cfg(not(target_os = "linux"))]
pub(crate) fn show(app: &AppHandle, notification: Notification, _open: impl Fn(&str) + Send + 'static) {
    by_plugin(app, &notification.summary, &notification.body);
}

/// Shows the one that stands for many by the plugin, which changes nothing shown.
#[cfg(not(target_os = "linux"))]
pub(crate) fn show_together(
    app: &AppHandle,
    updates: watch::Receiver<PendingSummary>,
    _open: impl Fn(&str) + Send + 'static,
) {
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
async fn follow(wanted: Notification, open: impl Fn(&str) + Send + 'static) {
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
        open(&format!("/inbox/{id}"));
    }
}

#[cfg(target_os = "linux")]
async fn follow_together(mut updates: watch::Receiver<PendingSummary>, open: impl Fn(&str) + Send + 'static) {
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
                    open("/inbox");
                }
                return;
            }
        }
    }
}
