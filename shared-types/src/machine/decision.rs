//! Approval requests as they are asked and decided: levels, status, decisions.

use crate::{
    ids::StepId,
    recipient::Approver,
    workflow::{step::Outcomes, test_script::Verdict},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A person's decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The verdict.
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

    /// The step that a decision leads to, if the document links one.
    pub(super) fn link(self, outcomes: &Outcomes) -> Option<&StepId> {
        match self {
            Self::Approved => outcomes.on_approved.as_ref(),
            Self::Rejected => outcomes.on_rejected.as_ref(),
            Self::ChangesRequested => outcomes.on_changes_requested.as_ref(),
            Self::Expired => outcomes.on_expired.as_ref(),
            Self::Pending | Self::Withdrawn => None,
        }
    }
}

/// One level of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestLevel {
    /// Its name.
    pub name: String,
    /// Who is asked.
    pub approvers: Vec<Approver>,
    /// How many must approve.
    pub quorum: u32,
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
