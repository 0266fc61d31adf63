//! What happens to a run.

use super::{
    address::StepAddress, child_run::ChildStatus, environment::RunEnvironment, event::Event, limits::Limits,
};
use crate::{
    approval::decision::Decision,
    ids::{ApprovalId, ExecutionId},
    workflow::{rule::Rule, step::Retry, test_script::ScriptedError},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;
use uuid::Uuid;

/// When something happened, an id from which others are derived, and what the run has to know of its workspace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stamp {
    /// The time that the run sees.
    pub at: DateTime<Utc>,
    /// A fresh `UUIDv7`.
    pub id: Uuid,
    /// What the run has to know of its workspace; none where the input needs nothing of it, and in journals of earlier
    /// versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Arc<RunEnvironment>>,
}

impl Stamp {
    /// A stamp of an input that needs to know nothing of the workspace.
    pub fn new(at: DateTime<Utc>, id: Uuid) -> Self {
        Self { at, id, environment: None }
    }
}

/// What happens to a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "input", rename_all = "snake_case")]
pub enum Input {
    /// It starts.
    Start(Box<Start>),
    /// An effect has its outcome.
    EffectDone {
        /// Address of the step.
        place: StepAddress,
        /// Which of the step's effects.
        index: u32,
        /// Number of the attempt, counted from 1.
        attempt: u32,
        /// How long it took, in milliseconds.
        took_ms: u32,
        /// What came of it.
        outcome: Outcome,
    },
    /// A timer is due.
    TimerDue {
        /// The timer.
        timer: Timer,
    },
    /// An awaited event is there.
    EventArrived {
        /// Where it is awaited.
        place: StepAddress,
        /// The event.
        event: Arc<Event>,
    },
    /// A person decided.
    Decided {
        /// Id of the request.
        approval_id: ApprovalId,
        /// What they decided.
        decision: Decision,
    },
    /// A person took their decision back.
    Retracted {
        /// Id of the request.
        approval_id: ApprovalId,
        /// Who, by address.
        by: String,
        /// Who, by name.
        name: String,
        /// The level that they mean; the one that is open without it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        level: Option<String>,
    },
    /// A person handed their place in a request to another.
    HandedOver {
        /// Id of the request.
        approval_id: ApprovalId,
        /// Who, by address.
        by: String,
        /// Who, by name.
        name: String,
        /// To whom, by address.
        to: String,
        /// What they said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<String>,
    },
    /// People, absences or calendars of the workspace changed: a request is looked at again.
    EnvironmentChanged {
        /// Id of the request.
        approval_id: ApprovalId,
    },
    /// What the document names was loaded, or wasn't.
    Loaded {
        /// Address of the loading.
        place: StepAddress,
        /// Which of the names.
        index: u32,
        /// Number of the attempt, counted from 1.
        attempt: u32,
        /// How long it took, in milliseconds.
        took_ms: u32,
        /// What came of it.
        outcome: LoadOutcome,
    },
    /// A stored rule was read.
    RuleRead {
        /// Address of the step.
        place: StepAddress,
        /// As it stands; nothing where there is none.
        rule: Option<Box<Rule>>,
    },
    /// A run that it started stands so.
    Child {
        /// Where it was started.
        place: StepAddress,
        /// Of which of its changes this is the news; older news than what is known is refused.
        seq: i32,
        /// How it stands.
        #[serde(rename = "stands")]
        status: ChildStatus,
    },
    /// A person cancelled it.
    Cancel {
        /// Email address of the person.
        by: String,
        /// The reason, in a sentence.
        reason: Option<String>,
    },
}

/// How a run starts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// The run's id.
    pub execution_id: ExecutionId,
    /// What started it.
    pub event: Arc<Event>,
    /// How many runs set each other off before it.
    #[serde(default)]
    pub depth: u32,
    /// How far it may go.
    #[serde(default, skip_serializing_if = "Limits::are_usual")]
    pub limits: Limits,
    /// The version of the machine that starts it. What people were shown is made again on replay as that version made it.
    #[serde(rename = "machine", default = "unwritten_version", skip_serializing_if = "is_unwritten")]
    pub version: u32,
    /// The names of `context.load` that no connector serves: what the event brought stays.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unserved: Vec<String>,
    /// Why it fails as it starts, where it can't run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<StartFault>,
}

/// The last version that didn't write itself into the journal.
pub(super) fn unwritten_version() -> u32 {
    2
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
pub(super) fn is_unwritten(version: &u32) -> bool {
    *version <= unwritten_version()
}

/// Why a run fails as it starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartFault {
    /// The stable code: `limit.descendants`, `value.unstorable`.
    pub code: String,
    /// What happened, in a sentence.
    pub message: String,
}

/// What came of an effect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// The other side answered.
    Answered(Answer),
    /// It didn't.
    Unanswered {
        /// In which way.
        error: ScriptedError,
        /// A sentence for people.
        message: String,
    },
    /// The connector takes no calls for now: the call wasn't made, and is made later. This is no attempt.
    Held {
        /// Why, in a sentence for people.
        message: String,
        /// When it is worth asking again, in UTC.
        until: DateTime<Utc>,
    },
    /// The call was never made, or its answer can't be kept; trying again would not help.
    Refused {
        /// The stable code.
        code: String,
        /// A sentence for people.
        message: String,
    },
}

/// An HTTP answer, or what a connector made of one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers, lower-case.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub headers: Map<String, Value>,
    /// The body: JSON where it is JSON, else a text; null where there is none.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub body: Value,
    /// The identifier of a record that was made, as the system that owns it gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_id: Option<Value>,
}

/// What came of a load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "load", rename_all = "snake_case")]
pub enum LoadOutcome {
    /// It is there.
    Loaded {
        /// What is merged into the context.
        #[serde(default)]
        value: Value,
        /// Where it is from; none in a simulation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<LoadSource>,
    },
    /// Nobody serves the name.
    Unserved {
        /// Why, in a sentence.
        message: String,
    },
    /// The system didn't give it.
    Failed {
        /// What came of the call; of an answer its status and headers.
        outcome: Outcome,
        /// Whether and when it is tried again; none for the usual attempts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry: Option<Retry>,
    },
}

/// Where something that was loaded is from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadSource {
    /// The operation with its connector's name: `crm.get_customer`.
    pub operation: String,
    /// The revision of the connector.
    pub revision: i32,
    /// How old it was, in milliseconds: since the call that gave it began. None where it was called for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_ms: Option<i64>,
}

/// A timer of a run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "timer", rename_all = "snake_case")]
pub enum Timer {
    /// An effect is tried again.
    Retry {
        /// Address of the step.
        place: StepAddress,
        /// Which of the step's effects.
        index: u32,
    },
    /// A request has waited long enough.
    Expiry {
        /// Id of the request.
        approval_id: ApprovalId,
    },
    /// Those who still can decide a request are reminded.
    Reminder {
        /// Id of the request.
        approval_id: ApprovalId,
    },
    /// Others are asked besides.
    Escalation {
        /// Id of the request.
        approval_id: ApprovalId,
    },
    /// A wait is over.
    #[serde(rename = "wait_over")]
    WaitElapsed {
        /// Address of the step.
        place: StepAddress,
    },
    /// A whole `parallel`, `foreach` or `call` has taken long enough.
    #[serde(rename = "step_over")]
    StepTimeout {
        /// Address of the step.
        place: StepAddress,
    },
    /// The run has worked long enough.
    RunTimeout,
}
