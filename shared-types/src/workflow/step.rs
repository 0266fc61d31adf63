//! The steps of a workflow and what they share.

use super::{Span, Template, TemplateValue, approval::ApprovalSpec, condition::Condition, effect::Effect};
use crate::ids::{StepId, WorkflowId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// Unique in the workflow.
    #[schemars(extend("format" = "slug"))]
    pub id: StepId,
    /// What people read; may hold templates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Template>,
    /// The step that follows; without one the run ends here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<StepId>,
    /// Bounds one attempt of one effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// How an effect that fails is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// Where the run goes when the step fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_error: Option<StepId>,
    /// Anything the author wants to keep beside the step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
    /// What the step does.
    #[serde(flatten)]
    pub kind: StepKind,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum StepKind {
    /// Goes one way or the other.
    Condition {
        /// What is asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        condition: Option<Condition>,
        /// A stored rule instead of a condition.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rule_id: Option<String>,
        /// Which version of the stored rule.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rule: Option<RuleVersion>,
        /// Where it goes when true.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on_true: Option<StepId>,
        /// Where it goes when false.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on_false: Option<StepId>,
    },
    /// Goes the way of the first case that holds.
    Switch {
        /// Asked in order.
        cases: Vec<Case>,
        /// Where it goes when none holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        default: Option<StepId>,
    },
    /// Decides, and performs effects beside it.
    Action {
        /// The decision.
        action: Action,
        /// Effects, in order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        execute: Vec<Effect>,
        /// Where a request made here leads.
        #[serde(flatten)]
        outcomes: Outcomes,
    },
    /// Performs effects.
    Execute {
        /// Effects, in order.
        execute: Vec<Effect>,
        /// Where a request made here leads.
        #[serde(flatten)]
        outcomes: Outcomes,
    },
    /// Asks people.
    Approval {
        /// Whom, what and for how long.
        approval: Box<ApprovalSpec>,
        /// Where their decision leads.
        #[serde(flatten)]
        outcomes: Outcomes,
    },
    /// Goes several ways at once.
    Parallel {
        /// The branches and what counts as passed.
        parallel: Parallel,
    },
    /// Does the same for each item of a list.
    Foreach {
        /// The items and the body.
        foreach: Foreach,
    },
    /// Waits for an event or a time.
    Wait {
        /// For what.
        wait: Wait,
    },
    /// Puts values into the context.
    Set {
        /// Names and values.
        set: BTreeMap<String, TemplateValue>,
    },
    /// Runs another workflow.
    Call {
        /// Which, and with what.
        call: Call,
    },
    /// Asks a language model for a value.
    Ai {
        /// The question.
        ai: Ai,
    },
    /// Publishes an event.
    Emit {
        /// The event.
        emit: Emit,
    },
    /// Ends the run as failed.
    Fail {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Template>,
    },
}

/// Which version of a stored rule a condition asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuleVersion {
    /// As it stood at publishing.
    Published,
    /// As it stands when asked.
    Latest,
}

/// One case of a switch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Case {
    /// What is asked.
    pub when: Condition,
    /// Where it leads; without one the run ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<StepId>,
}

/// The decision of an action step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Action {
    /// Which decision.
    #[serde(rename = "type")]
    pub kind: ActionKind,
    /// Why, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Template>,
}

/// What an action step decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    /// The run's result is `allowed`.
    Allow,
    /// The run's result is `blocked`.
    Block,
    /// Only the effects count.
    Execute,
    /// A person decides.
    RequireApproval,
}

/// Where the decision of a request leads. An outcome that isn't named is itself the result.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcomes {
    /// After an approval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_approved: Option<StepId>,
    /// After a rejection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_rejected: Option<StepId>,
    /// When nobody decided in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_expired: Option<StepId>,
    /// When the approver wants something changed first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_changes_requested: Option<StepId>,
}

impl Outcomes {
    /// Whether any outcome is named, which makes the step wait for the decision.
    pub fn any(&self) -> bool {
        self.links().next().is_some()
    }

    /// The named outcomes with their keys.
    pub fn links(&self) -> impl Iterator<Item = (&'static str, &StepId)> {
        [
            ("on_approved", &self.on_approved),
            ("on_rejected", &self.on_rejected),
            ("on_expired", &self.on_expired),
            ("on_changes_requested", &self.on_changes_requested),
        ]
        .into_iter()
        .filter_map(|(key, link)| link.as_ref().map(|link| (key, link)))
    }
}

/// The branches of a parallel step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Parallel {
    /// Each is a branch of one step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// Each is a sequence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub branches: Vec<Branch>,
    /// What counts as passed; `all_must_pass` without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<Strategy>,
}

/// One branch of a parallel step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Branch {
    /// Its name in the results.
    pub id: String,
    /// Its steps, in order.
    pub steps: Vec<Step>,
}

/// When a parallel step has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// The first branch that fails decides.
    AllMustPass,
    /// The first branch that passes decides.
    AnyCanPass,
    /// All run; it never fails.
    BestEffort,
}

/// The items and the body of a foreach step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Foreach {
    /// A list.
    pub items: TemplateValue,
    /// The item's name in the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_var: Option<String>,
    /// The body, in order.
    pub steps: Vec<Step>,
    /// How many items at once; 1 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// What a failed item does to the step; `stop` without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_item_error: Option<OnItemError>,
}

/// What a failed item does to its foreach step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnItemError {
    /// Fails the step and cancels the items in flight.
    Stop,
    /// The step passes whatever failed.
    Continue,
}

/// What a wait step waits for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Wait {
    /// An event that fits.
    Event(EventWait),
    /// A span of time.
    For {
        /// How long.
        r#for: Span,
    },
    /// A point in time.
    Until {
        /// When; a template that gives a time.
        until: Template,
    },
}

/// A wait for an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EventWait {
    /// The event's type, or a prefix with `.*`.
    pub event: String,
    /// From a path of the payload to the value it must have.
    #[serde(default, rename = "match", skip_serializing_if = "BTreeMap::is_empty")]
    pub matches: BTreeMap<String, TemplateValue>,
    /// How long at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// Where the run goes when it is over; without one the step fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_timeout: Option<StepId>,
}

/// Which workflow to run, and with what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Call {
    /// The workflow.
    pub workflow_id: WorkflowId,
    /// Its input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<TemplateValue>,
    /// Whether to wait for its result; yes without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<bool>,
}

/// A question to a language model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ai {
    /// The question.
    pub prompt: Template,
    /// The JSON Schema of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Value>,
    /// The answer's name in the context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub save_as: Option<String>,
    /// Which model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

/// An event to publish.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Emit {
    /// The event's type.
    pub event: String,
    /// What it carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<TemplateValue>,
}

/// How an effect that fails is tried again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Retry {
    /// All attempts, the first one too.
    #[schemars(range(min = 1, max = 100))]
    pub max_attempts: u32,
    /// How the delay grows; fixed without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backoff: Option<Backoff>,
    /// The first delay; 1 s without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<Span>,
    /// The longest delay; 5 min without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_delay: Option<Span>,
    /// Whether delays are spread at random.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter: Option<bool>,
    /// Which failures are tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_on: Option<Vec<RetryOn>>,
}

/// How a retry's delay grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Backoff {
    /// Always the same.
    Fixed,
    /// By `delay` more each time.
    Linear,
    /// Twice as long each time.
    Exponential,
}

/// A failure that is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryOn {
    /// No answer in time.
    Timeout,
    /// No connection, or one that broke.
    Connection,
    /// Any status from 500 to 599.
    ServerErrors,
    /// This status.
    Status(u16),
    /// Any failure.
    Any,
}

impl RetryOn {
    /// Reads the document's spelling.
    pub fn parse(value: &Value) -> Option<Self> {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
        };
        match text.as_str() {
            "timeout" => Some(Self::Timeout),
            "connection" => Some(Self::Connection),
            "5xx" => Some(Self::ServerErrors),
            "*" => Some(Self::Any),
            status => status.parse().ok().filter(|s| (100..600).contains(s)).map(Self::Status),
        }
    }
}

impl Serialize for RetryOn {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Timeout => serializer.serialize_str("timeout"),
            Self::Connection => serializer.serialize_str("connection"),
            Self::ServerErrors => serializer.serialize_str("5xx"),
            Self::Any => serializer.serialize_str("*"),
            Self::Status(status) => serializer.serialize_u16(*status),
        }
    }
}

impl<'de> Deserialize<'de> for RetryOn {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::parse(&value).ok_or_else(|| serde::de::Error::custom("timeout, connection, 5xx, a status or *"))
    }
}

impl JsonSchema for RetryOn {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RetryOn".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "timeout, connection, 5xx, a status, or * for any failure",
            "type": ["string", "integer"],
            "format": "retry-on",
        })
    }
}

impl Parallel {
    /// Every branch with its id, in order.
    pub fn branches(&self) -> impl Iterator<Item = (&str, &[Step])> {
        let single = self.steps.iter().map(|step| (step.id.as_str(), std::slice::from_ref(step)));
        single.chain(self.branches.iter().map(|branch| (branch.id.as_str(), branch.steps.as_slice())))
    }
}

impl Step {
    /// The sequences of steps that stand in this one: its branches, or its body.
    pub fn sequences(&self) -> impl Iterator<Item = &[Step]> {
        let parallel = if let StepKind::Parallel { parallel } = &self.kind { Some(parallel) } else { None };
        let branches = parallel.map(|parallel| parallel.branches().map(|(_, steps)| steps));
        branches.into_iter().flatten().chain(self.foreach().map(|foreach| foreach.steps.as_slice()))
    }

    /// One of the sequences of steps that stand in this one.
    pub fn sequence(&self, n: usize) -> Option<&[Step]> {
        self.sequences().nth(n)
    }

    /// The items and the body of a foreach step.
    pub fn foreach(&self) -> Option<&Foreach> {
        if let StepKind::Foreach { foreach } = &self.kind { Some(foreach) } else { None }
    }

    /// Whether the step says itself what follows it. In a branch or body, one that doesn't runs in order;
    /// where a failure leads (`on_error`, `on_timeout`) says nothing of that.
    pub fn names_what_follows(&self) -> bool {
        self.links().iter().any(|(key, _)| !matches!(key.as_str(), "on_error" | "wait/on_timeout"))
    }

    /// Every link of the step to another, with its key's pointer below the step.
    ///
    /// Links of steps nested in a branch or a body are not among them.
    pub fn links(&self) -> Vec<(String, &StepId)> {
        let mut links: Vec<(String, &StepId)> = Vec::new();
        let shared = [("next", &self.next), ("on_error", &self.on_error)];
        let own: Vec<(String, &Option<StepId>)> = match &self.kind {
            StepKind::Condition { on_true, on_false, .. } => {
                vec![("on_true".to_owned(), on_true), ("on_false".to_owned(), on_false)]
            }
            StepKind::Switch { cases, default } => cases
                .iter()
                .enumerate()
                .map(|(n, case)| (format!("cases/{n}/next"), &case.next))
                .chain([("default".to_owned(), default)])
                .collect(),
            StepKind::Action { outcomes, .. }
            | StepKind::Execute { outcomes, .. }
            | StepKind::Approval { outcomes, .. } => {
                links.extend(outcomes.links().map(|(key, link)| (key.to_owned(), link)));
                Vec::new()
            }
            StepKind::Wait { wait: Wait::Event(wait) } => {
                vec![("wait/on_timeout".to_owned(), &wait.on_timeout)]
            }
            StepKind::Wait { .. }
            | StepKind::Parallel { .. }
            | StepKind::Foreach { .. }
            | StepKind::Set { .. }
            | StepKind::Call { .. }
            | StepKind::Ai { .. }
            | StepKind::Emit { .. }
            | StepKind::Fail { .. } => Vec::new(),
        };
        let named = shared.into_iter().map(|(key, link)| (key.to_owned(), link)).chain(own);
        links.extend(named.filter_map(|(key, link)| link.as_ref().map(|link| (key, link))));
        links
    }

    /// The effects of the step, in order; none where its type has no list.
    pub fn effects(&self) -> &[Effect] {
        match &self.kind {
            StepKind::Action { execute, .. } | StepKind::Execute { execute, .. } => execute,
            StepKind::Condition { .. }
            | StepKind::Switch { .. }
            | StepKind::Approval { .. }
            | StepKind::Parallel { .. }
            | StepKind::Foreach { .. }
            | StepKind::Wait { .. }
            | StepKind::Set { .. }
            | StepKind::Call { .. }
            | StepKind::Ai { .. }
            | StepKind::Emit { .. }
            | StepKind::Fail { .. } => &[],
        }
    }

    /// Where the decision of a request made in this step leads; `None` where its type can't ask.
    pub fn outcomes(&self) -> Option<&Outcomes> {
        match &self.kind {
            StepKind::Action { outcomes, .. }
            | StepKind::Execute { outcomes, .. }
            | StepKind::Approval { outcomes, .. } => Some(outcomes),
            StepKind::Condition { .. }
            | StepKind::Switch { .. }
            | StepKind::Parallel { .. }
            | StepKind::Foreach { .. }
            | StepKind::Wait { .. }
            | StepKind::Set { .. }
            | StepKind::Call { .. }
            | StepKind::Ai { .. }
            | StepKind::Emit { .. }
            | StepKind::Fail { .. } => None,
        }
    }

    /// The decision of an action step.
    pub fn action(&self) -> Option<&Action> {
        if let StepKind::Action { action, .. } = &self.kind { Some(action) } else { None }
    }

    /// The event that a wait step waits for, where it waits for one.
    pub fn awaited_event(&self) -> Option<&EventWait> {
        if let StepKind::Wait { wait: Wait::Event(wait) } = &self.kind { Some(wait) } else { None }
    }

    /// Whether the step asks people.
    pub fn asks(&self) -> bool {
        matches!(self.kind, StepKind::Approval { .. })
            || self.effects().iter().any(|effect| matches!(effect, Effect::CreateApprovalRequest(_)))
    }

    /// Whether the run waits here for the people whom the step asks, and doesn't go on meanwhile.
    pub fn waits_for_people(&self) -> bool {
        let is_native = matches!(self.kind, StepKind::Approval { .. });
        self.asks() && (is_native || self.next.is_none() || self.outcomes().is_some_and(Outcomes::any))
    }

    /// The document's name for the step's type.
    pub fn type_name(&self) -> &'static str {
        match &self.kind {
            StepKind::Condition { .. } => "condition",
            StepKind::Switch { .. } => "switch",
            StepKind::Action { .. } => "action",
            StepKind::Execute { .. } => "execute",
            StepKind::Approval { .. } => "approval",
            StepKind::Parallel { .. } => "parallel",
            StepKind::Foreach { .. } => "foreach",
            StepKind::Wait { .. } => "wait",
            StepKind::Set { .. } => "set",
            StepKind::Call { .. } => "call",
            StepKind::Ai { .. } => "ai",
            StepKind::Emit { .. } => "emit",
            StepKind::Fail { .. } => "fail",
        }
    }
}
