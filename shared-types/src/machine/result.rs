//! How runs end: their results, and what their documents decided.

use super::failure::RunError;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a run came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunResult {
    /// The document said `allow`.
    Allowed,
    /// The document said `block`.
    Blocked,
    /// It ended and the document said neither.
    Executed,
    /// A step failed.
    Failed,
    /// A person cancelled it.
    Cancelled,
    /// It worked longer than it may.
    TimedOut,
    /// Somebody is asked; not final.
    PendingApproval,
}

impl RunResult {
    /// The name as stored and shown to programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Blocked => "blocked",
            Self::Executed => "executed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed_out",
            Self::PendingApproval => "pending_approval",
        }
    }
}

/// What a document said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunDecision {
    /// `allow`
    Allowed,
    /// `block`
    Blocked,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// When it happened, in UTC.
    pub at: DateTime<Utc>,
    /// The result of the run.
    pub result: RunResult,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<RunError>,
}
