//! The system's notifications: one for each request that waits for the person, withdrawn when it is decided.

use crate::shell::Shell;
use shared_types::{api::approvals::Approval, workflow::number};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};
use tokio_util::sync::CancellationToken;

/// The notifications that are shown, by request; cancelling one withdraws it.
#[derive(Debug, Default)]
pub(crate) struct Alerts {
    shown: Mutex<BTreeMap<String, CancellationToken>>,
    /// The request whose card the person has in front; it needs no notification.
    in_front: Mutex<Option<String>>,
}

impl Alerts {
    /// Says which request's card is in front, if one is.
    pub(crate) fn set_in_front(&self, id: Option<String>) {
        *self.in_front.lock().unwrap_or_else(PoisonError::into_inner) = id;
    }

    /// Raises a notification for a request, unless one was raised before.
    pub(crate) async fn raise(&self, shell: &Shell, approval: &Approval) {
        let id = approval.approval_id.to_string();
        let Ok(scope) = shell.scope().await else { return };
        let wanted = shell.cache().settings().await.unwrap_or_default().notifications;
        let is_first = shell.cache().first_alert(&scope, &id).await.unwrap_or(false);
        let is_seen =
            self.in_front.lock().unwrap_or_else(PoisonError::into_inner).as_deref() == Some(id.as_str());
        if !wanted || !is_first || is_seen {
            return;
        }
        let withdrawn = CancellationToken::new();
        self.lock().insert(id.clone(), withdrawn.clone());
        let (summary, body) = words(approval);
        let shell = shell.clone();
        tauri::async_runtime::spawn(async move { show(&shell, &id, &summary, &body, withdrawn).await });
    }

    /// Withdraws a request's notification.
    pub(crate) fn withdraw(&self, id: &str) {
        if let Some(shown) = self.lock().remove(id) {
            shown.cancel();
        }
    }

    /// Withdraws all but these.
    pub(crate) fn withdraw_others(&self, keep: impl Iterator<Item = String>) {
        let keep: BTreeSet<String> = keep.collect();
        self.lock().retain(|id, shown| {
            let kept = keep.contains(id);
            if !kept {
                shown.cancel();
            }
            kept
        });
    }

    /// Withdraws all.
    pub(crate) fn withdraw_all(&self) {
        self.withdraw_others(std::iter::empty());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, CancellationToken>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The question, amount first, and what else matters.
fn words(approval: &Approval) -> (String, String) {
    let amount = approval.amount.as_deref().map(|amount| {
        format!("{} for ", number::money(amount, approval.currency.as_deref().unwrap_or_default()))
    });
    let what = approval.subject.clone().unwrap_or_else(|| approval.workflow_name.clone());
    let summary = format!("Approve {}{what}?", amount.unwrap_or_default());
    let deadline = approval.expires_at.map(|at| format!("Until {}", at.format("%-d %b %H:%M UTC")));
    let body: Vec<String> = approval.reason.clone().into_iter().chain(deadline).collect();
    (summary, body.join(". "))
}

/// Shows a notification until it is clicked, dismissed or withdrawn. A click opens the very card.
#[cfg(target_os = "linux")]
async fn show(shell: &Shell, id: &str, summary: &str, body: &str, withdrawn: CancellationToken) {
    let mut notification = notify_rust::Notification::new();
    notification.appname("Intelligent Workflows").summary(summary).body(body).icon("dialog-question");
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

/// Shows a notification by the plugin, which reports no clicks.
#[cfg(not(target_os = "linux"))]
async fn show(shell: &Shell, _id: &str, summary: &str, body: &str, _withdrawn: CancellationToken) {
    use tauri_plugin_notification::NotificationExt as _;
    if let Err(error) = shell.app().notification().builder().title(summary).body(body).show() {
        tracing::warn!(%error, "the system takes no notifications");
    }
}
