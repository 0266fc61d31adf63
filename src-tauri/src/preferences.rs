//! How whoever is signed in wants to be told, as far as the app's own notifications follow it.

use crate::{client::Request, clock, shell::Shell};
use chrono::{DateTime, Utc};
use shared_types::{
    api::{
        approvals::{Approval, LevelStatus},
        preferences::{AppPreference, GetPreferences, NotificationPreferences},
    },
    desktop::{CachePolicy, Failure, Loaded},
    preferences::{Quiet, urgent_from},
};

/// Under which key they are kept.
const KEY: &str = "preferences";

/// What they said, or what was last seen of it where the server doesn't answer.
pub(crate) async fn read(
    shell: &Shell,
    policy: CachePolicy,
) -> Result<Loaded<NotificationPreferences>, Failure> {
    shell.read(KEY, policy, &Request::<GetPreferences>::at(&[])).await
}

/// Whether the app tells of a request now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotifyAt {
    /// At once.
    Now,
    /// Once their quiet hours end.
    After(DateTime<Utc>),
    /// Not at all.
    Never,
}

/// When the app tells of a request, by what was last seen of what they said; at once where nothing was.
pub(crate) async fn notify_at(shell: &Shell, approval: &Approval) -> NotifyAt {
    let known: Option<NotificationPreferences> = shell.known(KEY).await;
    let preferences = known.unwrap_or_default();
    if preferences.app == AppPreference::None {
        return NotifyAt::Never;
    }
    let now = clock::now();
    let mut open = approval.levels.iter().filter(|level| level.status == LevelStatus::Open);
    let urgent_from = urgent_from(approval.expires_at, open.any(|level| level.escalated_at.is_some()));
    let quiet = preferences.quiet_hours.as_ref().and_then(|hours| Quiet::of(hours).ok());
    match quiet.and_then(|quiet| quiet.holds_until(now, urgent_from)) {
        Some(until) => NotifyAt::After(until),
        None => NotifyAt::Now,
    }
}
