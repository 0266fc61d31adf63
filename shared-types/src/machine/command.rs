//! What a run asks of whoever drives it, and what it tells people.

use super::{
    address::StepAddress,
    event::{AwaitedEvent, Event},
    fact::{Fact, PassedCondition},
    input::Timer,
    result::End,
};
use crate::{
    approval::{
        decision::{MadeDecision, RequestLevel, RequestStatus},
        progress::RequestProgress,
        seen::{ResolvedEffect, Seen},
    },
    connector::ConnectorRevision,
    ids::{ApprovalId, EventId, ExecutionId, WorkflowId},
    recipient::{Approver, Recipient},
    requester::Requester,
    workflow::{
        Context,
        approval::{Forbid, FormField},
        effect::Effect,
    },
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;

/// What came of an input.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Applied {
    /// What to do, in order. Calls may start only after the input is durable.
    pub commands: Vec<Command>,
    /// What to tell, in order.
    pub facts: Vec<Fact>,
}

/// What a run asks of whoever drives it.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Call something outside.
    Perform(Box<EffectCall>),
    /// Start a run of another workflow.
    StartRun(Box<StartRun>),
    /// End a run that this one started.
    StopRun {
        /// Id of the run.
        execution_id: ExecutionId,
        /// The reason, in a sentence.
        because: String,
    },
    /// Read a stored rule as it stands.
    ReadRule {
        /// Where it is asked.
        place: StepAddress,
        /// Slug of the rule.
        rule_id: String,
    },
    /// Wake the run at a time.
    SetTimer {
        /// The timer.
        timer: Timer,
        /// When it happened, in UTC.
        at: DateTime<Utc>,
    },
    /// Don't wake it any more.
    ClearTimer {
        /// The timer.
        timer: Timer,
    },
    /// Ask people.
    Ask {
        /// What is asked, and whom.
        request: Box<Request>,
        /// The hash of what they see.
        seen: String,
    },
    /// Fetch what the document names.
    Load(Box<LoadCall>),
    /// A decision was taken.
    RecordDecision {
        /// Id of the request.
        approval_id: ApprovalId,
        /// At which of its levels, from 0.
        level: u32,
        /// The name of this level.
        level_name: String,
        /// The decision.
        made: MadeDecision,
    },
    /// Decisions don't count any more.
    VoidDecisions {
        /// Id of the request.
        approval_id: ApprovalId,
        /// Their numbers within the request.
        decisions: Vec<u32>,
        /// Why they don't.
        voided: Voided,
    },
    /// Something became of a request.
    UpdateRequest(Box<RequestUpdate>),
    /// A request is closed.
    Close {
        /// Id of the request.
        approval_id: ApprovalId,
        /// The final status of the request.
        status: RequestStatus,
        /// Why it was withdrawn.
        because: Option<String>,
    },
    /// Look for an event, past and coming.
    AwaitEvent(Box<AwaitedEvent>),
    /// Don't look for it any more.
    StopAwaiting {
        /// Address of the step.
        place: StepAddress,
    },
    /// Tell people.
    Notify(Box<Notice>),
    /// Publish an event.
    Publish {
        /// Address of the step that publishes it.
        place: StepAddress,
        /// Number of the step's effect, from 0; none for an event that the machine itself publishes.
        index: Option<u32>,
        /// The event; its id is stable, so that publishing twice is once.
        event: Arc<Event>,
        /// How many runs set each other off before it.
        depth: u32,
    },
    /// The run has ended.
    Finish(End),
}

/// Why a decision doesn't count any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voided {
    /// The person took it back.
    Retracted,
    /// Something else came to be asked.
    Superseded,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestUpdate {
    /// Id of the request.
    pub approval_id: ApprovalId,
    /// What became of it so far.
    pub progress: RequestProgress,
    /// The hash of what the approvers see now.
    pub seen: String,
    /// Everybody who may come to decide it, as entries by which requests are found.
    pub approvers: Vec<Approver>,
    /// Whether others are asked by it than before.
    pub asks_others: bool,
    /// Whether it was closed and is open again.
    pub reopens: bool,
}

/// A call of something outside, with all that it needs.
#[derive(Debug, Clone, PartialEq)]
pub struct EffectCall {
    /// Address of the step.
    pub place: StepAddress,
    /// Which of the step's effects.
    pub index: u32,
    /// Number of the attempt, counted from 1.
    pub attempt: u32,
    /// Stable over attempts, so that the receiver can make it exactly once.
    pub idempotency_key: String,
    /// What to call, as a template.
    pub effect: Effect,
    /// The revision of the connector with which people approved it; none for the current one.
    pub approved_revision: Option<ConnectorRevision>,
    /// The context, frozen.
    pub context: Context,
    /// The step's recorded time.
    pub now: DateTime<Utc>,
    /// How long one attempt may take, in milliseconds.
    pub timeout_ms: u64,
}

/// A name to load, with all that is needed for it.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadCall {
    /// Address of the loading.
    pub place: StepAddress,
    /// Which of the names.
    pub index: u32,
    /// Number of the attempt, counted from 1.
    pub attempt: u32,
    /// The name, such as `customer.profile`.
    pub name: String,
    /// How old a cached answer may be, in milliseconds; none where the connector says.
    pub max_age_ms: Option<i64>,
    /// The context, frozen.
    pub context: Context,
    /// The recorded time of the loading.
    pub now: DateTime<Utc>,
}

/// A run of another workflow to start.
#[derive(Debug, Clone, PartialEq)]
pub struct StartRun {
    /// Address of the step.
    pub place: StepAddress,
    /// The id that it gets.
    pub execution_id: ExecutionId,
    /// Of which workflow.
    pub workflow_id: WorkflowId,
    /// Its event's id: starting it twice is once.
    pub event_id: EventId,
    /// What it is started with.
    pub input: Map<String, Value>,
    /// Whether its result is waited for.
    pub awaited: bool,
    /// The revision that people approved: it isn't started with another. None where any will do.
    pub revision: Option<i32>,
    /// How many runs set each other off before it.
    pub depth: u32,
    /// On whose behalf.
    pub requester: Option<Requester>,
}

/// A request for a decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Id of the request, a `UUIDv7`.
    pub approval_id: ApprovalId,
    /// Where the run asks.
    pub place: StepAddress,
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
    /// Who is asked.
    pub levels: Vec<RequestLevel>,
    /// Who can't decide although asked.
    pub forbid: Vec<Forbid>,
    /// What the approver may change.
    pub form: Vec<FormField>,
    /// What the form's fields hold at first.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub values: Map<String, Value>,
    /// Whose single rejection ends it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub veto: Vec<Approver>,
    /// The calendar that its deadlines are counted in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
    /// Whether people may decide from a notification or a message, without opening it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub quick: bool,
    /// When it expires.
    pub expires_at: Option<DateTime<Utc>>,
    /// On whose behalf the run runs.
    pub requester: Option<Requester>,
    /// The conditions passed on the way.
    pub why: Vec<PassedCondition>,
    /// What follows an approval, in words.
    pub if_approved: Vec<String>,
    /// What follows a rejection, in words.
    pub if_rejected: Vec<String>,
    /// What an approval sends, up to the first step that needs an answer still to come.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub effects: Vec<ResolvedEffect>,
}

impl Request {
    /// What an approver sees.
    pub fn shown(&self) -> Seen<'_> {
        Seen {
            subject: self.subject.as_deref(),
            reason: self.reason.as_deref(),
            amount: self.amount.as_deref(),
            currency: self.currency.as_deref(),
            data: &self.data,
            if_approved: &self.if_approved,
            if_rejected: &self.if_rejected,
            effects: &self.effects,
        }
    }
}

/// A message to people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// Address of the step.
    pub place: StepAddress,
    /// Which of the step's effects.
    pub index: u32,
    /// Who gets it.
    pub recipients: Vec<Recipient>,
    /// Its subject line.
    pub subject: Option<String>,
    /// What it says.
    pub message: String,
    /// The request that it tells of, if its step made one.
    pub approval_id: Option<ApprovalId>,
    /// Whether it tells of the course of a request: a reminder, an escalation, that nobody can decide. By which ways besides the
    /// app members are told is theirs to say.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_mail: bool,
}
