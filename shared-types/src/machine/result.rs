//! How runs end: their results, and what their documents decided.

use super::failure::RunError;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The result with which a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinalResult {
    /// The document said `allow`.
    Allowed,
    /// The document said `block`.
    Blocked,
    /// The run ended, and the document said neither.
    Executed,
    /// A step failed.
    Failed,
    /// A person cancelled the run.
    Cancelled,
    /// The run worked longer than its `timeout`.
    TimedOut,
}

impl From<FinalResult> for RunResult {
    fn from(result: FinalResult) -> Self {
        match result {
            FinalResult::Allowed => Self::Allowed,
            FinalResult::Blocked => Self::Blocked,
            FinalResult::Executed => Self::Executed,
            FinalResult::Failed => Self::Failed,
            FinalResult::Cancelled => Self::Cancelled,
            FinalResult::TimedOut => Self::TimedOut,
        }
    }
}

impl FinalResult {
    /// The name as stored and shown to programs.
    pub fn as_str(self) -> &'static str {
        RunResult::from(self).as_str()
    }
}

/// The result of a run as it is now: final once the run has ended.
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
    /// People are asked; not final.
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
    pub result: FinalResult,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<RunError>,
}
