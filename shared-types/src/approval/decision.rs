//! Requests as they are asked and decided: levels, status, decisions.

use super::quorum::{Capacity, Quorum};
use crate::{
    ids::StepId,
    recipient::Approver,
    workflow::{Span, approval::Verdict, step::Outcomes},
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
    /// The level that they decided, by its name; none if they decide whichever is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// For a decision without an environment: the roles that they have as they decide, base roles among them. None where
    /// it isn't judged, since it was before it was journaled, by an earlier version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<String>>,
    /// The hash of what they read; none if they decide the request as it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
    /// When they decided by their own clock; shown, never trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<DateTime<Utc>>,
}

/// A decision that is taken: in what it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// In what the person decided.
    pub capacities: Vec<Capacity>,
    /// Whether it is a veto.
    pub veto: bool,
}

impl Decision {
    /// The decision as it is kept and shown.
    pub fn made(&self, n: u32, taken: Taken, seen: &str, at: DateTime<Utc>) -> MadeDecision {
        MadeDecision {
            n,
            decision: self.verdict,
            by: self.by.clone(),
            name: self.name.clone(),
            comment: self.comment.clone(),
            edits: self.edits.clone(),
            edited_from: None,
            at,
            decided_at: self.decided_at,
            capacities: taken.capacities,
            veto: taken.veto,
            seen: seen.to_owned(),
            by_edit: false,
            retracted_at: None,
            superseded_at: None,
        }
    }
}

/// A decision that was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MadeDecision {
    /// Its number within the request, from 0. All of earlier versions have 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub n: u32,
    /// What they decided; an edit is an approval as well.
    pub decision: Verdict,
    /// Who, by address.
    pub by: String,
    /// Who, by name.
    pub name: String,
    /// What they said.
    pub comment: Option<String>,
    /// What they changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edits: Option<Map<String, Value>>,
    /// What the fields that they changed held before. Decisions of earlier versions don't say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_from: Option<Map<String, Value>>,
    /// When it was recorded.
    pub at: DateTime<Utc>,
    /// When they decided by their own clock; shown, never trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<DateTime<Utc>>,
    /// In what they decided, as it was true then. Decisions of earlier versions have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capacities: Vec<Capacity>,
    /// Whether it is a rejection of somebody with a veto.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub veto: bool,
    /// The hash of what they decided on; with edits, of what these made of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub seen: String,
    /// Whether it stands for an approval at a later level, which was given with edits.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_edit: bool,
    /// When the person took it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retracted_at: Option<DateTime<Utc>>,
    /// When something else came to be asked than what it approves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_at: Option<DateTime<Utc>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl MadeDecision {
    /// Whether it counts: it wasn't taken back, and what it decided is still what is asked.
    pub fn counts(&self) -> bool {
        self.retracted_at.is_none() && self.superseded_at.is_none()
    }

    /// The email addresses of those whom its person represented as a delegate.
    pub fn represented(&self) -> Vec<&str> {
        self.capacities.iter().filter_map(|capacity| capacity.stands_for.as_deref()).collect()
    }

    /// Whether its person decided as a delegate alone, without a place of their own.
    pub fn is_only_for_others(&self) -> bool {
        !self.capacities.is_empty() && self.capacities.iter().all(|capacity| capacity.stands_for.is_some())
    }
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
    pub quorum: Quorum,
    /// How many rejections reject the request.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub rejections: u32,
    /// How long it may take, from its opening.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<Span>,
    /// How often those who still can decide are reminded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind_every: Option<Span>,
    /// After which time others are asked besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalate_after: Option<Span>,
    /// The entries whom the level asks: roles and persons.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escalate_to: Vec<Approver>,
    /// The decisions, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<MadeDecision>,
    /// What became of it so far.
    #[serde(default, skip_serializing_if = "LevelProgress::is_untouched")]
    pub progress: LevelProgress,
}

fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_one(number: &u32) -> bool {
    *number == 1
}

impl RequestLevel {
    /// A level of these approvers, one of whom must approve.
    pub fn new(name: impl Into<String>, approvers: Vec<Approver>) -> Self {
        Self {
            name: name.into(),
            approvers,
            quorum: Quorum::Count(1),
            rejections: 1,
            expires_in: None,
            remind_every: None,
            escalate_after: None,
            escalate_to: Vec::new(),
            decisions: Vec::new(),
            progress: LevelProgress::default(),
        }
    }

    /// The decisions that count.
    pub fn counted(&self) -> impl Iterator<Item = &MadeDecision> {
        self.decisions.iter().filter(|made| made.counts())
    }

    /// Whether others are asked besides by now.
    pub fn is_escalated(&self) -> bool {
        self.progress.escalated_at.is_some()
    }

    /// Everybody who is asked now: the approvers, and after an escalation those to whom it was escalated.
    pub fn asked(&self) -> impl Iterator<Item = &Approver> {
        self.approvers.iter().chain(self.escalate_to.iter().filter(|_| self.is_escalated()))
    }
}

/// What became of a level so far.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LevelProgress {
    /// When it opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<DateTime<Utc>>,
    /// When it expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// When people are reminded next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reminds_at: Option<DateTime<Utc>>,
    /// When people were reminded last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reminded_at: Option<DateTime<Utc>>,
    /// When others are asked besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalates_at: Option<DateTime<Utc>>,
    /// When others were asked besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalated_at: Option<DateTime<Utc>>,
    /// Who handed their place to whom, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub handovers: Vec<Handover>,
}

impl LevelProgress {
    /// What stays of it when the level is closed or opens again: nothing, or who handed their place to whom.
    pub(crate) fn closed(&self, keeps_handovers: bool) -> Self {
        let handovers = if keeps_handovers { self.handovers.clone() } else { Vec::new() };
        Self { handovers, ..Self::default() }
    }

    fn is_untouched(&self) -> bool {
        *self == Self::default()
    }
}

/// A person handed their place at a level to another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Handover {
    /// The address of the person who did.
    pub from: String,
    /// The address of the person who has it now.
    pub to: String,
    /// For whom they can decide by it: the addresses of whoever handed it over, and of those they stood in for.
    pub places: Vec<String>,
    /// What they said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// When it was recorded.
    pub at: DateTime<Utc>,
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
