//! Messages to people, and what went out to the world.

use super::{Access, NoBody, NoQuery, Page, Permission, endpoint, limits};
use crate::ids::{ApprovalId, DeliveryId, ExecutionId, NoticeId};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

endpoint!(ListNotices: Get "notices", Access::Person, "notices", 200, "List one's messages", (NoticeQuery, NoBody) => Page<Notice>);
endpoint!(ReadNotice: Post "notices/{notice_id}/read", Access::Person, "notices", 204, "Mark a message as read", (NoQuery, NoBody) => NoBody);
endpoint!(ListDeliveries: Get "deliveries", Access::Needs(Permission::ReadDeliveries), "deliveries", 200, "List what went out", (DeliveryQuery, NoBody) => Page<Delivery>);

/// A message to one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Notice {
    /// Its id, a `UUIDv7`.
    pub notice_id: NoticeId,
    /// Its subject line.
    pub subject: Option<String>,
    /// What it says.
    pub message: String,
    /// The run that sent it.
    pub execution_id: Option<ExecutionId>,
    /// The request that it tells of.
    pub approval_id: Option<ApprovalId>,
    /// When it was sent.
    pub at: DateTime<Utc>,
    /// When it was read.
    pub read_at: Option<DateTime<Utc>>,
}

/// Which messages to list.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoticeQuery {
    /// Where to begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::CURSOR))]
    pub cursor: Option<String>,
    /// How many at most, up to 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = limits::PAGE))]
    pub limit: Option<u32>,
    /// Only those not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<bool>,
}

/// A message on its way out, or why it can't go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Delivery {
    /// Its id, a `UUIDv7`.
    pub delivery_id: DeliveryId,
    /// By which way it goes.
    pub channel: Channel,
    /// The run that sent it.
    pub execution_id: ExecutionId,
    /// The recipient: an address, `user:`, `role:` or a channel.
    pub recipient: String,
    /// Its subject line.
    pub subject: Option<String>,
    /// What it says.
    pub message: String,
    /// How it stands.
    pub status: DeliveryStatus,
    /// Why it can't go.
    pub reason: Option<String>,
    /// When it was sent off by the workflow.
    pub created_at: DateTime<Utc>,
    /// When it went out.
    pub delivered_at: Option<DateTime<Utc>>,
}

/// A way by which messages go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Mail.
    Mail,
    /// Slack.
    Slack,
}

impl Channel {
    /// The name as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Slack => "slack",
        }
    }
}

/// How a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// It waits to go out.
    Pending,
    /// It went out.
    Delivered,
    /// It can't go out as things are; it is kept.
    Undeliverable,
}

impl DeliveryStatus {
    /// The name as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Undeliverable => "undeliverable",
        }
    }
}

/// Which deliveries to list.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeliveryQuery {
    /// Where to begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::CURSOR))]
    pub cursor: Option<String>,
    /// How many at most, up to 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = limits::PAGE))]
    pub limit: Option<u32>,
    /// With this status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<DeliveryStatus>,
}
