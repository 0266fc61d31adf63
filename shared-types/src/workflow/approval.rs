//! The native form of asking people.

use super::{Span, Template, TemplateValue};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Whom to ask, what to show and for how long.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ApprovalSpec {
    /// What it is about; else the run's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Template>,
    /// Why it is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Template>,
    /// The money at stake; else the run's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<TemplateValue>,
    /// Its currency; else the run's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Template>,
    /// What kind of thing it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<String>,
    /// Identifier of the entity in the system that owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity_id: Option<TemplateValue>,
    /// What the approver sees.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub show: BTreeMap<String, TemplateValue>,
    /// Who is asked, one level after the other.
    #[schemars(length(min = 1))]
    pub levels: Vec<Level>,
    /// Who can't decide; by default the requester, and `[]` bars nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forbid: Option<Vec<Forbid>>,
    /// Whose single rejection ends it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub veto: Vec<Template>,
    /// What the approver may change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub form: Vec<FormField>,
    /// Whose hours the deadlines count in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
    /// Whether people may decide from a notification or a message, without opening the request.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub quick: bool,
}

impl ApprovalSpec {
    /// Whether it bars these; without `forbid` it bars the requester.
    pub fn forbids(&self, whom: Forbid) -> bool {
        self.forbid.as_ref().map_or(whom == Forbid::Requester, |forbid| forbid.contains(&whom))
    }
}

/// One level of approvers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Level {
    /// The name by which people and decisions refer to it; its number without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `role:` or `user:`, one or more.
    #[schemars(length(min = 1))]
    pub approvers: Vec<Template>,
    /// How many of them must approve; 1 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quorum: Option<QuorumSpec>,
    /// How many rejections reject the request; 1 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub rejections: Option<u32>,
    /// How long they have to decide; without it, the level doesn't expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<Span>,
    /// How often they are reminded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind_every: Option<Span>,
    /// Who is asked besides when it takes long.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escalate_to: Vec<Template>,
    /// How long that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalate_after: Option<Span>,
}

/// How many must approve, as the document says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum QuorumSpec {
    /// So many of all approvers of the level.
    Count(u32),
    /// So many of each entry of `approvers`, by the entry as it is written there.
    ByEntry(BTreeMap<String, u32>),
}

/// Who can't decide although asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Forbid {
    /// Whoever caused the run.
    Requester,
    /// Whoever decided at an earlier level.
    PreviousLevel,
}

/// A field that a person fills in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FormField {
    /// Its key.
    pub name: String,
    /// What it holds.
    #[serde(rename = "type")]
    pub kind: FieldKind,
    /// Whether it must be filled in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// The least number, or date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<serde_json::Value>,
    /// The greatest number, or date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<serde_json::Value>,
    /// What can be chosen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<serde_json::Value>,
    /// What it holds until somebody changes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<TemplateValue>,
}

/// What a form field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum FieldKind {
    Text,
    Number,
    Boolean,
    Date,
    Choice,
}

/// What a person does to a request: decides it, or takes their decision back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Yes.
    Approve,
    /// No; needs a comment.
    Reject,
    /// Not like this; needs a comment.
    RequestChanges,
    /// Yes, with changes that the form allows.
    ApproveWithEdits,
    /// The person's own decision counts as not made; until its level has passed.
    Retract,
}

impl Verb {
    /// The verdict that it gives; none if it takes one back.
    pub fn verdict(self) -> Option<Verdict> {
        match self {
            Self::Approve => Some(Verdict::Approve),
            Self::Reject => Some(Verdict::Reject),
            Self::RequestChanges => Some(Verdict::RequestChanges),
            Self::ApproveWithEdits => Some(Verdict::ApproveWithEdits),
            Self::Retract => None,
        }
    }
}

impl From<Verdict> for Verb {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Approve => Self::Approve,
            Verdict::Reject => Self::Reject,
            Verdict::RequestChanges => Self::RequestChanges,
            Verdict::ApproveWithEdits => Self::ApproveWithEdits,
        }
    }
}

/// A decision's verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Yes.
    Approve,
    /// No; needs a comment.
    Reject,
    /// Not like this; needs a comment.
    RequestChanges,
    /// Yes, with changes that the form allows.
    ApproveWithEdits,
}

impl Verdict {
    /// The name as stored and shown to programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::RequestChanges => "request_changes",
            Self::ApproveWithEdits => "approve_with_edits",
        }
    }

    /// Whether it is in favour.
    pub fn approves(self) -> bool {
        match self {
            Self::Approve | Self::ApproveWithEdits => true,
            Self::Reject | Self::RequestChanges => false,
        }
    }

    /// Whether whoever decides so has to say why.
    pub fn needs_comment(self) -> bool {
        match self {
            Self::Reject | Self::RequestChanges => true,
            Self::Approve | Self::ApproveWithEdits => false,
        }
    }
}
