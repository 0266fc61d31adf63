//! A workflow document as its author wrote it.

use super::{
    Span, Template, TemplateValue, bounds,
    condition::Condition,
    loads::ContextLoad,
    schedule::{Blackout, Schedule},
    step::Step,
    test_script::{Expectation, TestInput},
};
use crate::ids::WorkflowId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Ids that no workflow may have, since the API has paths of these names beside those of workflows.
pub const RESERVED_IDS: [&str; 2] = ["simulate", "validate"];

/// A workflow: what starts it and what it does, step by step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Document {
    /// The slug, unique in a workspace: letters, digits, `_`, `-` and `.`.
    #[schemars(extend("format" = "slug", "not" = { "enum": RESERVED_IDS }))]
    pub workflow_id: WorkflowId,
    /// What people call it.
    #[schemars(length(min = 1, max = bounds::MAX_NAME))]
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = bounds::MAX_DESCRIPTION))]
    pub description: Option<String>,
    /// Words to find it by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(length(max = bounds::MAX_TAG)))]
    pub tags: Vec<String>,
    /// The author's own label; the server numbers revisions itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionLabel>,
    /// Whether it is on when created; afterwards enable and disable decide.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub enabled: bool,
    /// What starts a run.
    pub trigger: Trigger,
    /// What to fetch before the first step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<ContextLoad>,
    /// What a run is about, for lists and cards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Template>,
    /// The money at stake: a decimal number, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<TemplateValue>,
    /// The currency of `amount`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Template>,
    /// Bounds the time that a run works; it stands still while the run waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// The steps; a run starts at the first.
    #[schemars(length(min = 1))]
    pub steps: Vec<Step>,
    /// Examples that must hold before a revision is saved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tests: Vec<DocumentTest>,
}

/// The author's version label: text or a number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum VersionLabel {
    /// `1.2.0`
    Text(String),
    /// `3`
    Number(serde_json::Number),
}

/// What starts a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Trigger {
    /// An event of this type; `order.*` is every type that begins with `order.`.
    Event {
        /// The event's type, or a prefix with `.*`.
        event: String,
        /// Only events for which this holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        filter: Option<Condition>,
    },
    /// Points in time.
    Schedule {
        /// Five or six fields.
        #[schemars(extend("format" = "cron"))]
        cron: String,
        /// An IANA time zone; UTC without one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(extend("format" = "timezone"))]
        timezone: Option<String>,
        /// What happens to due times that passed while nothing ran.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        catch_up: Option<CatchUp>,
        /// Times in which nothing starts.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        blackout: Vec<Blackout>,
    },
    /// Started by hand with an input.
    Manual {
        /// The fields of the input.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        form: Vec<super::approval::FormField>,
    },
    /// A signed URL of its own.
    Webhook {
        /// Only calls for which this holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        filter: Option<Condition>,
        /// How the sender signs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signature: Option<Signature>,
    },
}

/// How the sender of a webhook signs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Signature {
    /// Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature`.
    #[default]
    Standard,
    /// As GitHub does: `X-Hub-Signature-256`.
    Github,
    /// As Stripe does: `Stripe-Signature`.
    Stripe,
}

/// What happens to due times that passed while nothing ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CatchUp {
    /// They are left out.
    None,
    /// The last of them starts a run.
    Last,
    /// Each starts a run.
    All,
}

/// An example that must hold before a revision is saved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DocumentTest {
    /// What it shows.
    pub name: String,
    /// The event that starts the run, and what happens after it.
    #[serde(default)]
    pub given: TestInput,
    /// What must come of it.
    pub expect: Expectation,
}

impl Trigger {
    /// Its schedule, where it has one that can be read.
    pub fn schedule(&self) -> Option<Schedule<'_>> {
        let Self::Schedule { cron, timezone, blackout, .. } = self else { return None };
        Schedule::new(cron, timezone.as_deref(), blackout).ok()
    }

    /// The document's name for the trigger's type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Event { .. } => "event",
            Self::Schedule { .. } => "schedule",
            Self::Manual { .. } => "manual",
            Self::Webhook { .. } => "webhook",
        }
    }
}

impl Document {
    /// The trigger's schedule, where it has one that can be read.
    pub fn schedule(&self) -> Option<Schedule<'_>> {
        self.trigger.schedule()
    }

    /// What happens to due times that passed while nothing ran.
    pub fn catch_up(&self) -> CatchUp {
        match &self.trigger {
            Trigger::Schedule { catch_up: Some(catch_up), .. } => *catch_up,
            Trigger::Schedule { .. }
            | Trigger::Event { .. }
            | Trigger::Manual { .. }
            | Trigger::Webhook { .. } => CatchUp::None,
        }
    }

    /// Whether an event of `event_type` starts this workflow, its filter aside.
    pub fn is_triggered_by(&self, event_type: &str) -> bool {
        match &self.trigger {
            Trigger::Event { event, .. } => event_type_matches(event, event_type),
            Trigger::Schedule { .. } | Trigger::Manual { .. } | Trigger::Webhook { .. } => false,
        }
    }

    /// The trigger's filter, where it has one.
    pub fn filter(&self) -> Option<&Condition> {
        match &self.trigger {
            Trigger::Event { filter, .. } | Trigger::Webhook { filter, .. } => filter.as_ref(),
            Trigger::Schedule { .. } | Trigger::Manual { .. } => None,
        }
    }
}

/// Whether an event's type fits a pattern: equal, or below a prefix that ends in `.*`.
pub fn event_type_matches(pattern: &str, event_type: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) if prefix.ends_with('.') || prefix.is_empty() => event_type.starts_with(prefix),
        _ => pattern == event_type,
    }
}
