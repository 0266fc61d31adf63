//! Requests for decisions, and decisions.

use super::{Access, NoBody, NoQuery, Page, Permission, Repeated, endpoint, limits, problem::Problem};
use crate::{
    approval::{decision::RequestStatus, progress::Reopening, quorum::Quorum},
    ids::{ApprovalId, ExecutionId, StepId, WorkflowId},
    machine::fact::PassedCondition,
    recipient::Approver,
    requester::Requester,
    workflow::approval::{FormField, Verb, Verdict},
};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

endpoint!(ListApprovals: Get "approvals", Access::Needs(Permission::ReadApprovals), "approvals", 200, "List requests", (ApprovalQuery, NoBody) => Page<Approval>);
endpoint!(GetApproval: Get "approvals/{approval_id}", Access::Needs(Permission::ReadApprovals), "approvals", 200, "Read a request", (NoQuery, NoBody) => Approval);
endpoint!(Decide: Post "approvals/{approval_id}/decisions", Access::Needs(Permission::Decide), "approvals", 200, "Decide", (NoQuery, NewDecision) => Approval, { const REPEATED: Repeated = Repeated::KeyStored; });
endpoint!(DecideMany: Post "approvals/decisions", Access::Needs(Permission::Decide), "approvals", 200, "Decide several requests of one step", (NoQuery, NewDecisions) => DecidedMany, { const REPEATED: Repeated = Repeated::KeyStored; });
endpoint!(DelegateApproval: Post "approvals/{approval_id}/delegate", Access::Needs(Permission::Decide), "approvals", 200, "Hand one's place to another", (NoQuery, NewHandover) => Approval);
endpoint!(SnoozeApproval: Put "approvals/{approval_id}/snooze", Access::Needs(Permission::Decide), "approvals", 200, "Put a request off for oneself", (NoQuery, NewSnooze) => Approval);
endpoint!(UnsnoozeApproval: Delete "approvals/{approval_id}/snooze", Access::Needs(Permission::Decide), "approvals", 200, "Put a request off no longer", (NoQuery, NoBody) => Approval);

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
    /// Who is asked, level after level, and who decided.
    pub levels: Vec<ApprovalLevel>,
    /// Who still has to decide, as a sentence.
    pub still_needed: Option<String>,
    /// Whether the caller can decide it.
    pub can_decide: bool,
    /// Why the caller can't decide it, in a sentence.
    pub cannot_because: Option<String>,
    /// What the caller may do; none for an API key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub you: Option<Standpoint>,
    /// Why nobody can fill the open level, in a sentence.
    #[serde(default)]
    pub stuck: Option<String>,
    /// When and why it was opened again after it was approved.
    #[serde(default)]
    pub reopened: Vec<Reopening>,
    /// The calendar that its deadlines are counted in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
    /// How much working time is left until the deadline, in seconds, at the time of the answer; only with a calendar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_seconds_left: Option<i64>,
    /// What an approver may change, with what it holds now.
    #[serde(default)]
    pub form: Vec<ApprovalField>,
    /// What an approval sends, as far as it is known.
    #[serde(default)]
    pub effects: Vec<ApprovalEffect>,
    /// Whether it may be decided from a notification or a message, without opening it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub quick: bool,
    /// The conditions passed on the way.
    pub why: Vec<PassedCondition>,
    /// What follows an approval.
    pub if_approved: Vec<String>,
    /// What follows a rejection.
    pub if_rejected: Vec<String>,
    /// A hash of what the approver sees.
    pub seen: String,
    /// Until when the caller has put it off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snoozed_until: Option<DateTime<Utc>>,
}

/// What a person may do with a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Standpoint {
    /// Their possible decisions. Somebody who only has a veto may only reject.
    pub may: Vec<Verb>,
    /// The level that they would decide, by name.
    pub level: Option<String>,
    /// The addresses of those for whom they decide; none of them where they decide for themselves alone.
    #[serde(rename = "for")]
    pub stands_for: Vec<String>,
    /// The same people by name, with when those who are away are back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub represents: Vec<Represented>,
}

/// Somebody for whom a person decides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Represented {
    /// What they are called.
    pub name: String,
    /// Until when they are away; null for somebody who handed their place over.
    pub away_until: Option<DateTime<Utc>>,
}

/// One level of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ApprovalLevel {
    /// The level's name, unique in the request.
    pub name: String,
    /// Who is asked: `role:` and the id of a role, or `user:` and an address.
    pub approvers: Vec<Approver>,
    /// How many must approve: of all approvers, or by entry.
    pub quorum: Quorum,
    /// How many rejections reject the request.
    #[serde(default = "one")]
    pub rejections: u32,
    /// Who is asked besides when it takes long.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escalate_to: Vec<Approver>,
    /// How it stands.
    pub status: LevelStatus,
    /// How many of its places are filled.
    #[serde(default)]
    pub filled: u32,
    /// When it opened.
    #[serde(default)]
    pub opened_at: Option<DateTime<Utc>>,
    /// When it expires.
    #[serde(default)]
    pub expires_at: Option<DateTime<Utc>>,
    /// When people are reminded next.
    #[serde(default)]
    pub reminds_at: Option<DateTime<Utc>>,
    /// When people were reminded last.
    #[serde(default)]
    pub reminded_at: Option<DateTime<Utc>>,
    /// When others are asked besides.
    #[serde(default)]
    pub escalates_at: Option<DateTime<Utc>>,
    /// When others were asked besides.
    #[serde(default)]
    pub escalated_at: Option<DateTime<Utc>>,
    /// Who still has to decide, as a sentence; only of the open level.
    #[serde(default)]
    pub still_needed: Option<String>,
    /// Who decided, oldest first.
    pub decisions: Vec<ApprovalDecision>,
    /// Who handed their place to whom.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub handovers: Vec<ApprovalHandover>,
}

fn one() -> u32 {
    1
}

/// How a level stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LevelStatus {
    /// An earlier level is open.
    Waiting,
    /// It waits for decisions.
    Open,
    /// Its quorum is filled.
    Approved,
    /// The request was rejected here.
    Rejected,
    /// The request expired here.
    Expired,
    /// Changes were requested here.
    ChangesRequested,
    /// The request was closed before it, or taken back.
    Withdrawn,
}

/// A decision that was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ApprovalDecision {
    /// What they decided; an edit is an approval as well.
    pub decision: Verdict,
    /// Who, by address.
    pub by: String,
    /// Who, by name.
    pub name: String,
    /// The address of the person for whom they decided; none for themselves.
    #[serde(rename = "for", default)]
    pub stands_for: Option<String>,
    /// What that person is called.
    #[serde(rename = "for_name", default, skip_serializing_if = "Option::is_none")]
    pub stands_for_name: Option<String>,
    /// The entry of the quorum that it fills, where that is known.
    #[serde(default)]
    pub place: Option<Approver>,
    /// What they said.
    pub comment: Option<String>,
    /// What they changed.
    #[serde(default)]
    pub edits: Option<Map<String, Value>>,
    /// What the fields that they changed held before; null without edits, and for decisions of earlier versions.
    #[serde(default)]
    pub edited_from: Option<Map<String, Value>>,
    /// When it was recorded.
    pub at: DateTime<Utc>,
    /// When they decided by their own clock; shown, never trusted.
    #[serde(default)]
    pub decided_at: Option<DateTime<Utc>>,
    /// When they took it back.
    #[serde(default)]
    pub retracted_at: Option<DateTime<Utc>>,
    /// When something else came to be asked than what it approves.
    #[serde(default)]
    pub superseded_at: Option<DateTime<Utc>>,
}

/// A place that was handed over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ApprovalHandover {
    /// The address of the person who had it.
    pub from: String,
    /// What they are called.
    pub from_name: String,
    /// The address of the person who has it now.
    pub to: String,
    /// What they are called.
    pub to_name: String,
    /// What was said.
    pub comment: Option<String>,
    /// When it was handed over, in UTC.
    pub at: DateTime<Utc>,
}

/// A field of a request's form, with what it holds now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ApprovalField {
    /// The field.
    #[serde(flatten)]
    pub field: FormField,
    /// What it holds: the last edit, else the default, else null.
    pub value: Value,
}

/// What an approval sends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ApprovalEffect {
    /// At which step.
    pub step_id: StepId,
    /// In which branches and items of it, outermost first: `each.1.7` is item 7 of the first visit of `each`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lanes: Option<String>,
    /// Which of the step's effects, from 0.
    pub index: u32,
    /// The effect's type; `call` for a run of another workflow, `workflow_revision` and `rule_version` for the revision of
    /// a workflow that is called and the version of a rule that is asked.
    #[serde(rename = "type")]
    pub kind: String,
    /// What is sent, secrets masked; none if it is too large to be shown.
    pub request: Option<Value>,
    /// The places in it that are filled in at the time, as JSON pointers: by the decision, a time or a secret.
    pub at_the_time: Vec<String>,
}

/// A decision to make.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDecision {
    /// The verdict, or `retract` to take one's own decision back.
    pub decision: Verb,
    /// The level that is meant, by name; the open one without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::NAME))]
    pub level: Option<String>,
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

/// A decision of several requests, all of one step of one workflow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDecisions {
    /// The same verdict for all of them.
    pub decision: Verdict,
    /// Why; needed by `reject` and `request_changes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::COMMENT))]
    pub comment: Option<String>,
    /// The requests.
    #[schemars(length(min = 1, max = 100))]
    pub items: Vec<DecidedItem>,
    /// When the person decided, by the client's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<DateTime<Utc>>,
}

/// One of several requests to decide.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DecidedItem {
    /// Id of the request.
    pub approval_id: ApprovalId,
    /// The `seen` hash that was read; without it, the decision applies to the request as it is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::SEEN))]
    pub seen: Option<String>,
}

/// What became of each of several requests, in their order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DecidedMany {
    /// The request after the decision, or why it wasn't taken.
    pub items: Vec<DecidedOne>,
}

/// What became of one of several requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum DecidedOne {
    /// The request after the decision.
    Decided(Box<Approval>),
    /// Why the decision wasn't taken.
    Refused(Problem),
}

/// A place to hand over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewHandover {
    /// The address of the person who gets it.
    #[schemars(length(max = limits::ADDRESS))]
    pub to: String,
    /// What is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::COMMENT))]
    pub comment: Option<String>,
}

/// Until when a request is put off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSnooze {
    /// The time at which it comes back.
    pub until: DateTime<Utc>,
}

/// Whose requests a list holds, for whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Those that the caller can decide now, and didn't put off.
    Mine,
    /// Open ones that wait for somebody else.
    Others,
    /// Those that are closed.
    Decided,
    /// Those that the caller can decide and put off.
    Snoozed,
}

/// The order of a list of requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// The next deadline first; those without one last.
    Deadline,
    /// By currency, and of each the largest amount first; those without an amount last.
    Amount,
    /// The newest first.
    #[default]
    Age,
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
    /// Only those that the caller can decide: `true` is `scope=mine`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mine: Option<bool>,
    /// Whose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// Those that ask this role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::NAME))]
    pub role: Option<String>,
    /// Open ones whose deadline is before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_before: Option<DateTime<Utc>>,
    /// In which order; not together with `q`, whose hits come newest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<Sort>,
    /// Of this workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::SLUG))]
    pub workflow_id: Option<WorkflowId>,
    /// Words of the subject, or an entity's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::SEARCH))]
    pub q: Option<String>,
}
