//! What happens in a simulated run, and what is expected of it: the `tests` of a document.

use super::{Span, approval::Verb, calendar::Calendar, evaluate::time_of};
use crate::ids::StepId;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::{Map, Value};

/// What happens in a test.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TestInput {
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
    /// The calendars that the workflow counts in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calendars: Vec<Calendar>,
    /// What happens after that, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub script: Vec<ScriptItem>,
}

impl TestInput {
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
#[serde(untagged, remote = "Self")]
pub enum ScriptItem {
    /// A person decides.
    Decide {
        /// The verdict, or `retract`.
        decide: Verb,
        /// What they say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<String>,
        /// Who, by email; without it somebody new who fits an open place.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
        /// The roles of that person; without it, every role that is asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        roles: Option<Vec<String>>,
        /// At which step; the one that asks without it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<StepId>,
        /// What they change.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        edits: Option<Map<String, Value>>,
    },
    /// A person is away from now on.
    Away {
        /// Who, by email.
        away: String,
        /// For how long.
        until: Span,
        /// Who stands in for them, by email.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        delegate: Option<String>,
    },
    /// A person hands their place to another.
    Delegate {
        /// To whom, by email.
        delegate: String,
        /// Who, by email.
        by: String,
        /// What they say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<String>,
        /// At which step; the one that asks without it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<StepId>,
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
    /// What the context is loaded with is given, or isn't.
    Load {
        /// The name that the document loads.
        load: String,
        /// What is loaded; nothing without it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        response: Option<Value>,
        /// Why it can't be loaded, after all attempts.
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

/// What an entry of a script may be, by the key that says it, with an example of each.
const ENTRIES: [(&str, &str); 7] = [
    ("decide", r#"{"decide": "approve", "comment": "Fine"}"#),
    ("away", r#"{"away": "bo@example.com", "until": "72h", "delegate": "cy@example.com"}"#),
    ("delegate", r#"{"delegate": "cy@example.com", "by": "bo@example.com"}"#),
    ("effect", r#"{"effect": "step_id", "response": {"status": 200}}"#),
    ("load", r#"{"load": "customer.profile", "response": {"tier": "gold"}}"#),
    ("event", r#"{"event": {"type": "order.paid", "payload": {}}}"#),
    ("advance", r#"{"advance": "48h"}"#),
];

/// The keys of a value that say what entry it is; `delegate` says nothing of its own beside `away`.
fn tags(value: &Value) -> Vec<&'static (&'static str, &'static str)> {
    let is_tag = |key: &str| value.get(key).is_some() && !(key == "delegate" && value.get("away").is_some());
    ENTRIES.iter().filter(|(key, _)| is_tag(key)).collect()
}

impl ScriptItem {
    /// Why a value is no entry of a script; the derived reader only says that none fits.
    fn fault(value: &Value) -> String {
        let examples: Vec<&str> = ENTRIES.iter().map(|(_, example)| *example).collect();
        let Some(map) = value.as_object() else {
            return format!("an entry is a map such as {}", examples.join(" or "));
        };
        let (key, example) = match tags(value).as_slice() {
            [] => return format!("an entry needs one of these keys: {}", examples.join(" or ")),
            [one] => **one,
            [(one, _), (other, _), ..] => {
                return format!("it has `{one}` and `{other}`; make two entries of it");
            }
        };
        let said = &map[key];
        match key {
            "decide" if serde_json::from_value::<Verb>(said.clone()).is_err() => {
                format!(
                    "`decide` is {said}; it can be approve, reject, request_changes, approve_with_edits or retract"
                )
            }
            "advance" => match said.as_str().map(str::parse::<Span>) {
                Some(Err(error)) => error.to_string(),
                Some(Ok(_)) | None => format!("`advance` is {said}; write a duration such as \"48h\""),
            },
            _ => format!("what stands beside `{key}` isn't as in {example}"),
        }
    }
}

impl<'de> Deserialize<'de> for ScriptItem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let read = if tags(&value).len() == 1 { Self::deserialize(&value).ok() } else { None };
        read.ok_or_else(|| D::Error::custom(Self::fault(&value)))
    }
}

impl Serialize for ScriptItem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_bad_entry_of_a_script_says_what_it_may_be() {
        for (entry, says) in [
            (
                json!({ "decide": "aprove" }),
                "`decide` is \"aprove\"; it can be approve, reject, request_changes",
            ),
            (json!({ "decide": 5 }), "`decide` is 5; it can be approve"),
            (json!({ "advance": "soon" }), "\"soon\" is no duration; write 90s"),
            (json!({ "advance": 5 }), "`advance` is 5; write a duration such as \"48h\""),
            (json!({ "foo": 1 }), "an entry needs one of these keys: {\"decide\": \"approve\""),
            (json!("approve"), "an entry is a map such as"),
            (
                json!({ "decide": "approve", "advance": "1h" }),
                "it has `decide` and `advance`; make two entries of it",
            ),
            (json!({ "event": "order.paid" }), "isn't as in {\"event\": {\"type\": \"order.paid\""),
            (json!({ "event": {} }), "isn't as in {\"event\""),
            (json!({ "effect": "a", "response": 200 }), "isn't as in {\"effect\""),
            (json!({ "effect": "a", "error": "broken" }), "isn't as in {\"effect\""),
        ] {
            let error = serde_json::from_value::<ScriptItem>(entry.clone()).unwrap_err().to_string();
            assert!(error.contains(says), "{entry}: {error}");
        }
        for (_, example) in ENTRIES {
            let read: ScriptItem = serde_json::from_str(example).unwrap();
            let back: Value = serde_json::to_value(&read).unwrap();
            assert_eq!(serde_json::from_value::<ScriptItem>(back).unwrap(), read);
        }
    }
}
