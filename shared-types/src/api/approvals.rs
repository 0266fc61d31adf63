//! Requests for decisions, and decisions.

use super::{Access, NoBody, NoQuery, Page, Permission, Repeated, endpoint, limits};
use crate::{
    approval::decision::{MadeDecision, RequestStatus},
    ids::{ApprovalId, ExecutionId, StepId, WorkflowId},
    machine::fact::PassedCondition,
    recipient::Approver,
    requester::Requester,
    workflow::approval::Verdict,
};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

endpoint!(ListApprovals: Get "approvals", Access::Needs(Permission::ReadApprovals), "approvals", 200, "List requests", (ApprovalQuery, NoBody) => Page<Approval>);
endpoint!(GetApproval: Get "approvals/{approval_id}", Access::Needs(Permission::ReadApprovals), "approvals", 200, "Read a request", (NoQuery, NoBody) => Approval);
endpoint!(Decide: Post "approvals/{approval_id}/decisions", Access::Needs(Permission::Decide), "approvals", 200, "Decide", (NoQuery, NewDecision) => Approval, { const REPEATED: Repeated = Repeated::KeyStored; });

/// A request for a decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Approval {
    /// Id of the request, a `UUIDv7`.
    pub approval_id: ApprovalId,
    /// The run that asks.
    pub execution_id: ExecutionId,
    /// Of which workflow.
    pub workflow_id: WorkflowId,
    /// What people call the workflow.
    pub workflow_name: String,
    /// At which step.
    pub step_id: StepId,
    /// How it stands.
    pub status: RequestStatus,
    /// Why it was withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn_because: Option<String>,
    /// What it is about.
    pub subject: Option<String>,
    /// Why it is asked.
    pub reason: Option<String>,
    /// The money at stake: a decimal number, as text.
    pub amount: Option<String>,
    /// Currency of the amount, usually an ISO 4217 code.
    pub currency: Option<String>,
    /// What kind of thing it is about.
    pub entity: Option<String>,
    /// Identifier of the entity in the system that owns it.
    pub entity_id: Option<String>,
    /// What the approver sees.
    pub data: Map<String, Value>,
    /// On whose behalf.
    pub requester: Option<Requester>,
    /// When it was asked.
    pub asked_at: DateTime<Utc>,
    /// When it expires.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was closed.
    pub closed_at: Option<DateTime<Utc>>,
    /// Who is asked, and who decided.
    pub levels: Vec<ApprovalLevel>,
    /// Who still has to decide, as a sentence.
    pub still_needed: Option<String>,
    /// Whether the caller can decide it.
    pub can_decide: bool,
    /// Why the caller can't decide it, in a sentence.
    pub cannot_because: Option<String>,
    /// The conditions passed on the way.
    pub why: Vec<PassedCondition>,
    /// What follows an approval.
    pub if_approved: Vec<String>,
    /// What follows a rejection.
    pub if_rejected: Vec<String>,
    /// A hash of what the approver sees.
    pub seen: String,
}

/// One level of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ApprovalLevel {
    /// Its name.
    pub name: String,
    /// Who is asked: `role:` and the id of a role, or `user:` and an address.
    pub approvers: Vec<Approver>,
    /// How many must approve.
    pub quorum: u32,
    /// How it stands: `open`, or as the request was closed.
    pub status: String,
    /// Who decided.
    pub decisions: Vec<MadeDecision>,
}

/// A decision to make.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDecision {
    /// The verdict.
    pub decision: Verdict,
    /// Why; needed by `reject` and `request_changes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::COMMENT))]
    pub comment: Option<String>,
    /// What is changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edits: Option<Map<String, Value>>,
    /// The `seen` hash that was read; without it, the decision applies to the request as it is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::SEEN))]
    pub seen: Option<String>,
    /// When the person decided, by the client's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<DateTime<Utc>>,
}

/// Which requests to list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalQuery {
    /// The `next_cursor` of the previous page; leave it out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::CURSOR))]
    pub cursor: Option<String>,
    /// How many at most, up to 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = limits::PAGE))]
    pub limit: Option<u32>,
    /// With this status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<RequestStatus>,
    /// Only those that the caller is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mine: Option<bool>,
    /// Of this workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::SLUG))]
    pub workflow_id: Option<WorkflowId>,
    /// Words of the subject, or an entity's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::SEARCH))]
    pub q: Option<String>,
}
