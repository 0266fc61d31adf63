//! What happens in a simulated run, and what is expected of it: the `tests` of a document.

use super::{Span, evaluate::time_of};
use crate::ids::StepId;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What happens in a test.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Given {
    /// The starting event's type; the trigger's own without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// What the event carries.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub payload: Map<String, Value>,
    /// The time at the start, as RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "instant"))]
    pub now: Option<String>,
    /// What happens after that, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub script: Vec<ScriptItem>,
}

impl Given {
    /// The time at the start, where the test names one.
    pub fn start(&self) -> Option<DateTime<Utc>> {
        self.now.as_deref().and_then(time_of)
    }
}

/// What must come of a test.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Expectation {
    /// The run's result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// The steps entered, in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<Vec<StepId>>,
    /// The run's status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The run's reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ScriptItem {
    /// A person decides.
    Decide {
        /// What.
        decide: Verb,
        /// What they say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<String>,
        /// Who, by email.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
        /// At which step; the one that asks without it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<StepId>,
        /// What they change.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        edits: Option<Map<String, Value>>,
    },
    /// An effect that waits for an answer gets one.
    Effect {
        /// The step.
        effect: StepId,
        /// An HTTP answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        response: Option<ScriptedResponse>,
        /// No answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<ScriptedError>,
    },
    /// An event comes in.
    Event {
        /// The event.
        event: ScriptedEvent,
    },
    /// Time passes.
    Advance {
        /// How much.
        advance: Span,
    },
}

/// A decision's verb.
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
}

/// A scripted HTTP answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScriptedResponse {
    /// The status.
    pub status: u16,
    /// Headers.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub headers: Map<String, Value>,
    /// The body; empty without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

/// Why a scripted effect gets no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScriptedError {
    /// None in time.
    Timeout,
    /// No connection.
    Connection,
}

/// A scripted event: only `type` is needed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScriptedEvent {
    /// The event's type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Who sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// When it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<DateTime<Utc>>,
    /// On whose behalf.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requester: Option<String>,
    /// What it carries.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub payload: Map<String, Value>,
}
