//! The steps of a workflow and what they share.

use super::{
    Span, Template, TemplateValue,
    approval::ApprovalSpec,
    condition::Condition,
    effect::{Effect, Emit},
};
use crate::ids::{StepId, WorkflowId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

mod condition;
mod links;
mod retry;

pub use condition::{ConditionStep, Test, TestFault};
pub use links::Ahead;
pub use retry::{Backoff, Retry, RetryOn};

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
    Condition(ConditionStep),
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
        call: CallWorkflow,
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
        /// The reason, in a sentence.
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

/// How long before the start of a run an event may have come, at most.
pub const MAX_SINCE: chrono::Duration = chrono::Duration::days(30);

/// What a wait step waits for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Wait {
    /// An event that fits.
    Event(EventWait),
    /// A span of time.
    For {
        /// The time to wait.
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
    /// Events that came up to this long before the run started count as well; at most 30 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Span>,
    /// How long at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// Where the run goes when it is over; without one the step fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_timeout: Option<StepId>,
}

/// Which workflow to run, and with what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CallWorkflow {
    /// Slug of the workflow.
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

impl Parallel {
    /// Every branch with its id, in order.
    pub fn branches(&self) -> impl Iterator<Item = (&str, &[Step])> {
        let single = self.steps.iter().map(|step| (step.id.as_str(), std::slice::from_ref(step)));
        single.chain(self.branches.iter().map(|branch| (branch.id.as_str(), branch.steps.as_slice())))
    }
}
