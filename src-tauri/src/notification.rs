//! What a notification says.

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

/// How many requests wait, and how many of them until today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PendingSummary {
    pub(crate) waiting: usize,
    pub(crate) due_today: usize,
}

impl PendingSummary {
    /// Its title and text.
    pub(crate) fn words(self) -> (String, String) {
        let summary = match self.waiting {
            1 => "1 approval waits".to_owned(),
            many => format!("{many} approvals wait"),
        };
        let body = if self.due_today > 0 { format!("{} due today", self.due_today) } else { String::new() };
        (summary, body)
    }
}
