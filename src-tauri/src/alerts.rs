//! The system's notifications: one for each request that waits for the person, withdrawn when it is decided.
//! Where many come in a minute, one stands for all of them.

use crate::{clock, shell::Shell};
use chrono::{DateTime, Local, Utc};
use shared_types::{api::approvals::Approval, workflow::number};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// More than this many in a minute become one.
const MANY: usize = 3;
const A_MINUTE: Duration = Duration::from_mins(1);

/// The notifications that are shown.
#[derive(Debug, Default)]
pub(crate) struct Alerts {
    shown: Mutex<Shown>,
    /// The request whose card the person has in front; it needs no notification.
    in_front: Mutex<Option<String>>,
}

#[derive(Debug, Default)]
struct Shown {
    /// What was told and still waits, by request.
    waiting: BTreeMap<String, Told>,
    /// When the last ones were raised.
    raised: Vec<Instant>,
    /// The one that stands for many, while it is shown.
    together: Option<watch::Sender<Together>>,
}

#[derive(Debug)]
struct Told {
    /// Cancelling it withdraws its notification.
    withdrawn: CancellationToken,
    due: Option<DateTime<Utc>>,
}

/// How many wait, and how many of them until today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Together {
    waiting: usize,
    due_today: usize,
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
        let mut shown = self.shown();
        shown.waiting.insert(id.clone(), Told { withdrawn: withdrawn.clone(), due: approval.expires_at });
        let shell = shell.clone();
        if shown.are_many() {
            if let Some(updates) = shown.gather() {
                tauri::async_runtime::spawn(async move { show_together(&shell, updates).await });
            }
            return;
        }
        let (summary, body) = words(approval);
        tauri::async_runtime::spawn(async move { show(&shell, &id, &summary, &body, withdrawn).await });
    }

    /// Withdraws a request's notification.
    pub(crate) fn withdraw(&self, id: &str) {
        let mut shown = self.shown();
        if let Some(told) = shown.waiting.remove(id) {
            told.withdrawn.cancel();
            shown.count();
        }
    }

    /// What was told and still waits.
    pub(crate) fn told(&self) -> BTreeSet<String> {
        self.shown().waiting.keys().cloned().collect()
    }

    /// Withdraws those of `told` that aren't among `keep`; what was told meanwhile stays.
    pub(crate) fn withdraw_others(&self, told: &BTreeSet<String>, keep: impl Iterator<Item = String>) {
        let keep: BTreeSet<String> = keep.collect();
        let mut shown = self.shown();
        shown.waiting.retain(|id, told_of| {
            let kept = keep.contains(id) || !told.contains(id);
            if !kept {
                told_of.withdrawn.cancel();
            }
            kept
        });
        shown.count();
    }

    /// Withdraws all.
    pub(crate) fn withdraw_all(&self) {
        self.withdraw_others(&self.told(), std::iter::empty());
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shown {
    /// Counts one more; whether they are too many for one notification each.
    fn are_many(&mut self) -> bool {
        self.raised.retain(|at| at.elapsed() < A_MINUTE);
        self.raised.push(Instant::now());
        self.raised.len() > MANY
    }

    /// Withdraws each one's own notification; what the one that stands for them listens to, if it isn't shown yet.
    fn gather(&mut self) -> Option<watch::Receiver<Together>> {
        self.waiting.values().for_each(|told| told.withdrawn.cancel());
        self.count();
        if self.together.is_some() {
            return None;
        }
        let (updates, receiver) = watch::channel(self.numbers());
        self.together = Some(updates);
        Some(receiver)
    }

    /// Tells the one that stands for many how many there are; one that was dismissed is forgotten.
    fn count(&mut self) {
        let now = self.numbers();
        if self.together.as_ref().is_some_and(|updates| updates.send(now).is_err()) {
            self.together = None;
        }
    }

    fn numbers(&self) -> Together {
        let today = clock::now().with_timezone(&Local).date_naive();
        let is_today = |due: &DateTime<Utc>| due.with_timezone(&Local).date_naive() <= today;
        let due_today = self.waiting.values().filter(|told| told.due.as_ref().is_some_and(is_today)).count();
        Together { waiting: self.waiting.len(), due_today }
    }
}

impl Together {
    fn words(self) -> (String, String) {
        let summary = match self.waiting {
            1 => "1 approval waits".to_owned(),
            many => format!("{many} approvals wait"),
        };
        let body = if self.due_today > 0 { format!("{} due today", self.due_today) } else { String::new() };
        (summary, body)
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

/// Shows the one that stands for many, with their number as it changes, until it is clicked or dismissed or none
/// of them waits any more. A click opens the Inbox.
#[cfg(target_os = "linux")]
async fn show_together(shell: &Shell, mut updates: watch::Receiver<Together>) {
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

/// Shows the one that stands for many by the plugin, which reports no clicks and changes nothing shown.
#[cfg(not(target_os = "linux"))]
async fn show_together(shell: &Shell, updates: watch::Receiver<Together>) {
    let (summary, body) = updates.borrow().words();
    show(shell, "", &summary, &body, CancellationToken::new()).await;
}

/// Shows a notification by the plugin, which reports no clicks.
#[cfg(not(target_os = "linux"))]
async fn show(shell: &Shell, _id: &str, summary: &str, body: &str, _withdrawn: CancellationToken) {
    use tauri_plugin_notification::NotificationExt as _;
    if let Err(error) = shell.app().notification().builder().title(summary).body(body).show() {
        tracing::warn!(%error, "the system takes no notifications");
    }
}
