//! Where a run stands.

use super::{
    address::StepAddress,
    event::AwaitedEvent,
    fact::PassedCondition,
    frames::{Activity, Frame},
    input::{Start, is_unwritten, unwritten_version},
    limits::Limits,
    result::{End, RunDecision, RunResult},
};
use crate::{
    approval::{
        decision::{RequestLevel, RequestOutcome, RequestStatus},
        policy::Policy,
        progress::{Reopening, RequestProgress, ResolvedAnew, SeenChange},
        seen::ResolvedEffect,
    },
    ids::{ApprovalId, EventId, ExecutionId, StepId},
    recipient::Approver,
    requester::Requester,
    workflow::{
        approval::{Forbid, FormField},
        scope::is_reserved,
    },
};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::Arc,
};

/// A stored state, with the version of its shape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "v")]
pub enum Snapshot {
    /// The first shape.
    #[serde(rename = "1")]
    V1(Box<State>),
}

/// A state as it is stored, without a copy of it.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(tag = "v")]
pub enum SnapshotRef<'a> {
    /// The first shape.
    #[serde(rename = "1")]
    V1(&'a State),
}

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The run's id.
    pub execution_id: ExecutionId,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// The starting event's id.
    pub event_id: EventId,
    /// On whose behalf it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requester: Option<Requester>,
    /// How many runs set each other off before it.
    #[serde(default)]
    pub depth: u32,
    /// What templates and conditions see.
    pub context: Arc<Map<String, Value>>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The money at stake: a decimal number, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// Currency of the amount, usually an ISO 4217 code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// The frame of the run, in which branches and items have theirs; none if nothing is active.
    #[serde(rename = "frames", default, skip_serializing_if = "Option::is_none", with = "list_of_one")]
    pub root: Option<Frame>,
    /// How often each step was entered.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub visits: BTreeMap<StepId, u32>,
    /// The requests that are open, or decided before the run came to wait for them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub requests: BTreeMap<ApprovalId, OpenRequest>,
    /// Requests that were approved, whose effects are still to be sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approved: Vec<ApprovedRequest>,
    /// Awaited events that it took; each counts once.
    #[serde(rename = "taken", default, skip_serializing_if = "BTreeSet::is_empty")]
    pub consumed_events: BTreeSet<EventId>,
    /// What the document last said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<RunDecision>,
    /// Why it stands as it does, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How long it has worked, in milliseconds, up to `working_since`.
    #[serde(default)]
    pub worked_ms: i64,
    /// Since when it works; nothing while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_since: Option<DateTime<Utc>>,
    /// How many steps were entered.
    #[serde(rename = "entered", default)]
    pub steps_entered: u32,
    /// How many facts were told.
    #[serde(rename = "told", default)]
    pub fact_count: u32,
    /// The conditions passed on the way.
    #[serde(rename = "passed", default, skip_serializing_if = "Vec::is_empty")]
    pub passed_conditions: Vec<PassedCondition>,
    /// Calls that were given up while the run went on: an outcome that still comes is late.
    #[serde(rename = "given_up", default, skip_serializing_if = "BTreeSet::is_empty")]
    pub abandoned_calls: BTreeSet<AbandonedCall>,
    /// About how many bytes its steps have put into the context.
    #[serde(rename = "held", default, skip_serializing_if = "is_zero")]
    pub context_bytes: u64,
    /// How far it may go.
    #[serde(default, skip_serializing_if = "Limits::are_usual")]
    pub limits: Limits,
    /// The version of the machine that started it.
    #[serde(rename = "machine", default = "unwritten_version", skip_serializing_if = "is_unwritten")]
    pub version: u32,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<End>,
}

/// The frame of the run is stored as a list: of none, or of one.
mod list_of_one {
    use super::Frame;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    #[expect(clippy::ref_option, reason = "serde gives the field by reference")]
    pub(super) fn serialize<S: Serializer>(frame: &Option<Frame>, serializer: S) -> Result<S::Ok, S::Error> {
        frame.as_slice().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Frame>, D::Error> {
        Ok(Vec::<Frame>::deserialize(deserializer)?.into_iter().next())
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A call that was given up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AbandonedCall {
    /// Address of the step.
    pub place: StepAddress,
    /// Which of the step's effects.
    pub index: u32,
    /// Number of the attempt, counted from 1.
    pub attempt: u32,
}

/// A request that the run has made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenRequest {
    /// Address of the step.
    pub place: StepAddress,
    /// What it is about, for messages to people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// When the request was made, in UTC.
    pub asked_at: DateTime<Utc>,
    /// Whether the run waits for it, or goes on meanwhile.
    pub waits: bool,
    /// Whether the step says `block` until somebody decides.
    pub blocks: bool,
    /// Who is asked, in words.
    pub asked: String,
    /// Who is asked, level after level, and what they decided.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<RequestLevel>,
    /// Who can't decide although asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forbid: Vec<Forbid>,
    /// The hash of what the approvers see.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub seen: String,
    /// The deadline, in UTC; none if the request doesn't expire.
    pub expires_at: Option<DateTime<Utc>>,
    /// What it is about, for the event that tells of its end.
    pub entity: Option<String>,
    /// Identifier of the entity in the system that owns it.
    pub entity_id: Option<String>,
    /// Which level is open, from 0.
    #[serde(default, skip_serializing_if = "is_first")]
    pub open: usize,
    /// Whose single rejection ends it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub veto: Vec<Approver>,
    /// What an approver may change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub form: Vec<FormField>,
    /// What the form's fields hold.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub values: Map<String, Value>,
    /// The calendar that its deadlines are counted in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
    /// Why the open level can't be filled, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stuck: Option<String>,
    /// How many decisions were made.
    #[serde(default, skip_serializing_if = "is_none_made")]
    pub decision_count: u32,
    /// The hash of what is asked, apart from what edits can change.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub content: String,
    /// What an approval sends and what follows, where edits changed it since people were asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved: Option<Box<ResolvedAnew>>,
    /// What an approval sends, as it is seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub effects: Vec<ResolvedEffect>,
    /// The time that these were resolved with; none where nothing is held against them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<DateTime<Utc>>,
    /// How often it was opened again.
    #[serde(default, skip_serializing_if = "is_none_made")]
    pub round: u32,
    /// When and why it was opened again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reopened: Vec<Reopening>,
    /// How what is asked changed since it was first asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seen_changes: Vec<SeenChange>,
    /// The effect at which the run stands since it was opened again; sent once it is approved anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumes: Option<ResumePoint>,
    /// What the form's fields held at first, where there is a form.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub defaults: Map<String, Value>,
    /// Whether more is sent than was looked at: what comes after it is asked again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_cut: bool,
    /// Steps in other branches and items that came due since, and wait for it as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suspended: Vec<ResumePoint>,
    /// An answer that came before the run waited for it.
    #[serde(rename = "early", default, skip_serializing_if = "Option::is_none")]
    pub early_outcome: Option<RequestOutcome>,
}

/// An effect that isn't sent before its request is approved anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResumePoint {
    /// Address of its step.
    pub place: StepAddress,
    /// Which of the step's effects.
    pub index: u32,
}

/// What people approved, until it is sent: the request as it was, with what it holds of the effects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApprovedRequest {
    /// Id of the request.
    pub approval_id: ApprovalId,
    /// The request. Effects that were sent are taken out of it.
    pub request: OpenRequest,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_first(level: &usize) -> bool {
    *level == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_none_made(count: &u32) -> bool {
    *count == 0
}

impl OpenRequest {
    /// What its policy looks at; the requester is the run's.
    pub fn policy<'a>(&'a self, requester: Option<&'a Requester>) -> Policy<'a> {
        let status = match &self.early_outcome {
            None => RequestStatus::Pending,
            Some(outcome) => outcome.status(),
        };
        Policy {
            status,
            levels: &self.levels,
            open: self.open,
            forbid: &self.forbid,
            veto: &self.veto,
            form: &self.form,
            requester,
        }
    }

    /// What became of it so far.
    pub fn progress(&self) -> RequestProgress {
        RequestProgress {
            open: self.open,
            levels: self.levels.iter().map(|level| level.progress.clone()).collect(),
            values: self.values.clone(),
            stuck: self.stuck.clone(),
            resolved: self.resolved.clone(),
            round: self.round,
            reopened: self.reopened.clone(),
            seen_changes: self.seen_changes.clone(),
        }
    }
}

/// Whether a run works, waits or has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// It works: a call is out, or a retry's delay runs.
    Running,
    /// It waits for people, events or times.
    Waiting,
    /// An operator halted it.
    Paused,
    /// It has ended.
    Ended,
}

impl RunStatus {
    /// The name as stored and shown to programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Paused => "paused",
            Self::Ended => "ended",
        }
    }
}

/// What a run waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WaitsFor {
    /// At which step.
    pub step_id: StepId,
    /// A sentence for people.
    pub what: String,
    /// The deadline, in UTC; none if there is no limit.
    pub until: Option<DateTime<Utc>>,
}

impl State {
    pub(super) fn new(start: &Start, at: DateTime<Utc>) -> Self {
        Self {
            execution_id: start.execution_id,
            started_at: at,
            event_id: start.event.id.clone(),
            requester: start.event.requester.clone(),
            depth: start.depth,
            context: Arc::new(context_of(&start.event)),
            subject: None,
            amount: None,
            currency: None,
            root: None,
            visits: BTreeMap::new(),
            requests: BTreeMap::new(),
            approved: Vec::new(),
            consumed_events: BTreeSet::new(),
            decision: None,
            reason: None,
            worked_ms: 0,
            working_since: None,
            steps_entered: 0,
            fact_count: 0,
            passed_conditions: Vec::new(),
            abandoned_calls: BTreeSet::new(),
            context_bytes: 0,
            limits: start.limits,
            version: start.version,
            end: None,
        }
    }

    /// Whether the run works, waits or has ended.
    pub fn status(&self) -> RunStatus {
        match &self.end {
            Some(_) => RunStatus::Ended,
            None if self.is_working() => RunStatus::Running,
            None => RunStatus::Waiting,
        }
    }

    /// The result: final when it has ended, what stands meanwhile while somebody is asked.
    pub fn result(&self) -> Option<RunResult> {
        if let Some(end) = &self.end {
            return Some(end.result.into());
        }
        let mut open = self.requests.values().filter(|request| request.early_outcome.is_none()).peekable();
        open.peek()?;
        Some(if open.any(|request| request.blocks) { RunResult::Blocked } else { RunResult::PendingApproval })
    }

    /// The request that is open and was made first.
    pub fn open_request(&self) -> Option<ApprovalId> {
        self.requests.iter().find(|(_, request)| request.early_outcome.is_none()).map(|(id, _)| *id)
    }

    /// Whether a call is out, a retry's delay runs, or another run works for this one.
    pub(super) fn is_working(&self) -> bool {
        self.all_frames().any(|frame| match &frame.activity {
            Activity::AwaitingEffect { .. }
            | Activity::BackingOff { .. }
            | Activity::LoadingContext(_)
            | Activity::LoadingRule { .. } => true,
            Activity::AwaitingChild(child) => !child.waiting,
            Activity::AwaitingApproval { .. }
            | Activity::AwaitingEvent { .. }
            | Activity::Sleeping { .. }
            | Activity::Parallel(_)
            | Activity::Foreach(_) => false,
        })
    }

    /// Whether something is out that a server performs: a call, a run to start, a rule to read.
    pub fn has_open_calls(&self) -> bool {
        self.all_frames().any(|frame| match &frame.activity {
            Activity::AwaitingEffect { .. } | Activity::LoadingRule { .. } => true,
            Activity::LoadingContext(loading) => loading.calls().next().is_some(),
            Activity::AwaitingChild(child) => !child.started,
            Activity::BackingOff { .. }
            | Activity::AwaitingApproval { .. }
            | Activity::AwaitingEvent { .. }
            | Activity::Sleeping { .. }
            | Activity::Parallel(_)
            | Activity::Foreach(_) => false,
        })
    }

    /// What the run waits for, in words, at most so much as a person reads.
    pub fn waits_for(&self) -> Vec<WaitsFor> {
        self.all_frames().filter_map(|frame| self.waits_at(frame)).take(MAX_WAITS_SHOWN).collect()
    }

    fn waits_at(&self, frame: &Frame) -> Option<WaitsFor> {
        let (what, until) = match &frame.activity {
            Activity::AwaitingEffect { attempt, .. } => (format!("an answer, attempt {attempt}"), None),
            Activity::BackingOff { until, .. } if frame.held_since.is_some() => {
                ("its connector to take calls again".to_owned(), Some(*until))
            }
            Activity::BackingOff { attempt, until, .. } => (format!("attempt {attempt}"), Some(*until)),
            Activity::AwaitingApproval { approval_id } => self.requests.get(approval_id).map_or_else(
                || ("a decision".to_owned(), None),
                |request| (format!("a decision of {}", request.asked), request.expires_at),
            ),
            Activity::AwaitingEvent { awaited, until } => (awaited_in_words(awaited), *until),
            Activity::Sleeping { until } => ("a time".to_owned(), Some(*until)),
            Activity::LoadingContext(loading) => (loading.in_words(), loading.until()),
            Activity::LoadingRule { rule_id } => (format!("the rule {rule_id}"), None),
            Activity::AwaitingChild(child) => (format!("the workflow {}", child.workflow_id), child.until),
            Activity::Parallel(_) | Activity::Foreach(_) => return None,
        };
        Some(WaitsFor { step_id: frame.place.step.clone(), what, until })
    }
}

/// How many of a run's waits are told.
const MAX_WAITS_SHOWN: usize = 50;

/// What templates and conditions see of an event: its payload's keys, and the whole of it as `event`.
pub(super) fn context_of(event: &super::Event) -> Map<String, Value> {
    let keys = event.payload.iter().filter(|(key, _)| !is_reserved(key));
    let mut context: Map<String, Value> = keys.map(|(key, value)| (key.clone(), value.clone())).collect();
    context.insert("event".to_owned(), event.as_context());
    context.insert("steps".to_owned(), json!({}));
    context
}

/// An awaited event in words: `the event order.paid with order.id A1`.
pub(super) fn awaited_in_words(awaited: &AwaitedEvent) -> String {
    let mut words = format!("the event {}", awaited.event);
    for (n, (path, value)) in awaited.matches.iter().enumerate() {
        let joint = if n == 0 { "with" } else { "and" };
        // Writing to a String can't fail.
        let _ = write!(words, " {joint} {path} {}", crate::workflow::template::as_text(value));
    }
    words
}
