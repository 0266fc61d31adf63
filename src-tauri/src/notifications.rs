//! The system's notifications: one for each request that waits for the person, withdrawn when it is decided.
//! Where many come in a minute, one stands for all of them.

use crate::{
    cache::Cache,
    clock,
    host::Host,
    notification::{Notification, PendingSummary},
    session::Scope,
};
use chrono::{DateTime, Local, Utc};
use shared_types::{api::approvals::Approval, card::words::question};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// More than this many in a minute become one.
const MANY: usize = 3;
const A_MINUTE: Duration = Duration::from_mins(1);

/// The notifications that are shown.
pub(crate) struct Notifications {
    host: Arc<dyn Host>,
    cache: Cache,
    shown: Mutex<Shown>,
    /// The request whose card the person has in front; it needs no notification.
    in_front: Mutex<Option<String>>,
}

#[derive(Debug, Default)]
struct Shown {
    /// What was told and still waits, by request.
    waiting: BTreeMap<String, ShownNotification>,
    /// When the last ones were raised.
    raised: Vec<Instant>,
    /// The one that stands for many, while it is shown.
    together: Option<watch::Sender<PendingSummary>>,
}

#[derive(Debug)]
struct ShownNotification {
    /// Cancelling it withdraws its notification.
    withdrawn: CancellationToken,
    due: Option<DateTime<Utc>>,
}

impl Notifications {
    /// Notifications of a desktop; the cache knows what was told before.
    pub(crate) fn new(host: Arc<dyn Host>, cache: Cache) -> Self {
        Self { host, cache, shown: Mutex::default(), in_front: Mutex::default() }
    }

    /// Says which request's card is in front, if one is.
    pub(crate) fn set_in_front(&self, id: Option<String>) {
        *self.in_front.lock().unwrap_or_else(PoisonError::into_inner) = id;
    }

    /// Raises a notification for a request of a person, unless one was raised before.
    pub(crate) async fn raise(&self, scope: &Scope, approval: &Approval) {
        let id = approval.approval_id.to_string();
        let wanted = self.cache.settings().await.unwrap_or_default().notifications;
        let is_first = self.cache.first_alert(scope, &id).await.unwrap_or(false);
        let is_seen =
            self.in_front.lock().unwrap_or_else(PoisonError::into_inner).as_deref() == Some(id.as_str());
        if !wanted || !is_first || is_seen {
            return;
        }
        let withdrawn = CancellationToken::new();
        let mut shown = self.shown();
        shown
            .waiting
            .insert(id.clone(), ShownNotification { withdrawn: withdrawn.clone(), due: approval.expires_at });
        if shown.are_many() {
            if let Some(updates) = shown.gather() {
                self.host.notify_together(updates);
            }
            return;
        }
        let (summary, body) = words(approval);
        self.host.notify(Notification { id, summary, body, withdrawn });
    }

    /// Withdraws a request's notification.
    pub(crate) fn withdraw(&self, id: &str) {
        let mut shown = self.shown();
        if let Some(shown_ids) = shown.waiting.remove(id) {
            shown_ids.withdrawn.cancel();
            shown.count();
        }
    }

    /// What was told and still waits.
    pub(crate) fn shown_ids(&self) -> BTreeSet<String> {
        self.shown().waiting.keys().cloned().collect()
    }

    /// Withdraws those of `told` that aren't among `keep`; what was told meanwhile stays.
    pub(crate) fn withdraw_others(&self, shown_ids: &BTreeSet<String>, keep: impl Iterator<Item = String>) {
        let keep: BTreeSet<String> = keep.collect();
        let mut shown = self.shown();
        shown.waiting.retain(|id, told_of| {
            let kept = keep.contains(id) || !shown_ids.contains(id);
            if !kept {
                told_of.withdrawn.cancel();
            }
            kept
        });
        shown.count();
    }

    /// Withdraws all.
    pub(crate) fn withdraw_all(&self) {
        self.withdraw_others(&self.shown_ids(), std::iter::empty());
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
    fn gather(&mut self) -> Option<watch::Receiver<PendingSummary>> {
        self.waiting.values().for_each(|shown_ids| shown_ids.withdrawn.cancel());
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

    fn numbers(&self) -> PendingSummary {
        let today = clock::now().with_timezone(&Local).date_naive();
        let is_today = |due: &DateTime<Utc>| due.with_timezone(&Local).date_naive() <= today;
        let due_today =
            self.waiting.values().filter(|shown_ids| shown_ids.due.as_ref().is_some_and(is_today)).count();
        PendingSummary { waiting: self.waiting.len(), due_today }
    }
}

/// The question, amount first, and what else matters.
fn words(approval: &Approval) -> (String, String) {
    let deadline =
        approval.expires_at.map(|at| format!("Until {}", at.with_timezone(&Local).format("%-d %b %H:%M")));
    let body: Vec<String> = approval.reason.clone().into_iter().chain(deadline).collect();
    (question(approval), body.join(". "))
}
