//! Requests as they are asked and decided: levels, status, decisions.

use crate::{
    ids::StepId,
    recipient::Approver,
    workflow::{approval::Verdict, step::Outcomes},
};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A person's decision as it comes in, with all that it is judged by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// What the person decided; journaled as `verb`.
    #[serde(rename = "verb")]
    pub verdict: Verdict,
    /// Who, by address.
    pub by: String,
    /// Who, by name.
    pub name: String,
    /// What they said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// What they changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edits: Option<Map<String, Value>>,
    /// The roles that they have as they decide, base roles among them. None where the decision isn't judged: it was
    /// judged before it was journaled, by an earlier version, or a script says that it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<String>>,
    /// The hash of what they read; none if they decide the request as it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
    /// When they decided by their own clock; shown, never trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<DateTime<Utc>>,
}

impl Decision {
    /// The decision as it is kept and shown.
    pub fn made(&self, at: DateTime<Utc>) -> MadeDecision {
        MadeDecision {
            decision: self.verdict,
            by: self.by.clone(),
            name: self.name.clone(),
            comment: self.comment.clone(),
            at,
            decided_at: self.decided_at,
        }
    }
}

/// A decision that was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MadeDecision {
    /// The verdict.
    pub decision: Verdict,
    /// Who, by address.
    pub by: String,
    /// Who, by name.
    pub name: String,
    /// What they said.
    pub comment: Option<String>,
    /// When it was recorded.
    pub at: DateTime<Utc>,
    /// When they decided by their own clock; shown, never trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<DateTime<Utc>>,
}

/// How a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestStatus {
    /// It waits.
    Pending,
    /// Approved.
    Approved,
    /// Rejected.
    Rejected,
    /// Something has to change first.
    ChangesRequested,
    /// Nobody decided in time.
    Expired,
    /// It isn't needed any more.
    Withdrawn,
}

impl RequestStatus {
    /// The name as stored and shown to programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::ChangesRequested => "changes_requested",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The step that it leads to, if the document links one.
    pub fn link(self, outcomes: &Outcomes) -> Option<&StepId> {
        match self {
            Self::Approved => outcomes.on_approved.as_ref(),
            Self::Rejected => outcomes.on_rejected.as_ref(),
            Self::ChangesRequested => outcomes.on_changes_requested.as_ref(),
            Self::Expired => outcomes.on_expired.as_ref(),
            Self::Pending | Self::Withdrawn => None,
        }
    }
}

/// One level of a request, with the decisions made at it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RequestLevel {
    /// The document's name for it, else the approver's, or `level 2`.
    pub name: String,
    /// Who is asked.
    pub approvers: Vec<Approver>,
    /// How many must approve.
    pub quorum: u32,
    /// The decisions, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<MadeDecision>,
}

/// How a request was answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestOutcome {
    /// By a person.
    Decided(Decision),
    /// By time.
    Expired,
}

impl RequestOutcome {
    /// How the request stands by it.
    pub fn status(&self) -> RequestStatus {
        match self {
            Self::Expired => RequestStatus::Expired,
            Self::Decided(decision) => match decision.verdict {
                Verdict::Approve | Verdict::ApproveWithEdits => RequestStatus::Approved,
                Verdict::Reject => RequestStatus::Rejected,
                Verdict::RequestChanges => RequestStatus::ChangesRequested,
            },
        }
    }
}
