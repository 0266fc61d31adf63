//! What changes, as it changes: messages over a WebSocket.

use super::{Access, NoBody, endpoint};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

endpoint!(
    /// A WebSocket; the answers are text frames of JSON.
    Live: Get "live", Access::Person, "live", 101, "Follow what changes", (LiveQuery, NoBody) => LiveMessage
);

/// Where to take up.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LiveQuery {
    /// The `n` of the last message received; later messages are sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
}

/// Something changed; the message says what, and the client reads it anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LiveMessage {
    /// Sequence number of the message in the workspace.
    pub n: u64,
    /// What kind of change.
    pub kind: LiveKind,
    /// Id of what changed.
    pub id: String,
    /// When it happened, in UTC.
    pub at: DateTime<Utc>,
}

/// What kind of change a message tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum LiveKind {
    /// Somebody is asked.
    #[serde(rename = "approval.asked")]
    ApprovalAsked,
    /// A request was decided, expired or was withdrawn.
    #[serde(rename = "approval.changed")]
    ApprovalChanged,
    /// A run went on.
    #[serde(rename = "execution.changed")]
    ExecutionChanged,
    /// A workflow was published, enabled, disabled or archived.
    #[serde(rename = "workflow.changed")]
    WorkflowChanged,
    /// A message for the person.
    #[serde(rename = "notice")]
    Notice,
    /// Messages were missed: reload.
    #[serde(rename = "reset")]
    Reset,
}
