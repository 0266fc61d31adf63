//! How a person wants to be told of what concerns them.

use super::{Access, NoBody, NoQuery, endpoint};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

endpoint!(GetPreferences: Get "me/notifications", Access::Person, "notices", 200, "Read how one is told", (NoQuery, NoBody) => NotificationPreferences);
endpoint!(PutPreferences: Put "me/notifications", Access::Person, "notices", 200, "Say how one is told", (NoQuery, NotificationPreferences) => NotificationPreferences);

/// By which ways a person is told, and when not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct NotificationPreferences {
    /// By notifications of the app.
    pub app: AppPreference,
    /// By mail.
    pub mail: MessagePreference,
    /// By messages in Slack, once the account there is linked.
    pub slack: MessagePreference,
    /// When nothing is sent: it follows as one summary once they end.
    pub quiet_hours: Option<QuietHours>,
}

impl Default for NotificationPreferences {
    fn default() -> Self {
        Self {
            app: AppPreference::All,
            mail: MessagePreference::Urgent,
            slack: MessagePreference::All,
            quiet_hours: None,
        }
    }
}

/// What the app tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AppPreference {
    /// Everything.
    All,
    /// Nothing; the inbox has it all the same.
    None,
}

/// What is told by messages of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessagePreference {
    /// Everything.
    All,
    /// Requests whose deadline is within two hours, and those that were escalated.
    Urgent,
    /// Nothing.
    None,
}

/// Hours of the day in which a person isn't told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct QuietHours {
    /// When they begin: `22:00`.
    pub from: String,
    /// When they end: `07:00`; earlier than they begin means on the next day.
    pub until: String,
    /// The time zone that they are meant in: an IANA name, such as `Europe/Stockholm`.
    pub timezone: String,
    /// The days on which they begin, `mon` to `sun`; every day without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<Vec<String>>,
    /// Whether what is urgent comes through.
    #[serde(default)]
    pub urgent: bool,
}
