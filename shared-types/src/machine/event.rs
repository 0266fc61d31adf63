//! Events, on whose behalf they come, and what a run waits for of them.

use super::address::StepAddress;
use crate::{ids::EventId, requester::Requester};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// An event, whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Id of the event, unique in its workspace.
    pub id: EventId,
    /// Who sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// When it happened.
    pub time: DateTime<Utc>,
    /// On whose behalf.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requester: Option<Requester>,
    /// What it carries.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub payload: Map<String, Value>,
}

impl Event {
    /// The event as templates and conditions see it: the payload's keys, and the envelope's over them.
    pub(super) fn as_context(&self) -> Value {
        let mut map = self.payload.clone();
        map.insert("type".to_owned(), self.kind.clone().into());
        map.insert("id".to_owned(), self.id.0.clone().into());
        map.insert("time".to_owned(), self.time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true).into());
        map.insert("source".to_owned(), self.source.clone().into());
        if matches!(self.kind.as_str(), "manual" | "schedule") {
            map.insert("payload".to_owned(), Value::Object(self.payload.clone()));
        }
        Value::Object(map)
    }
}

/// An event that a run waits for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AwaitedEvent {
    /// Address of the step.
    pub place: StepAddress,
    /// Its type, or a prefix with `.*`.
    pub event: String,
    /// From a path of the payload to the value it must have.
    pub matches: Map<String, Value>,
    /// Events that came from this moment on count, although the run started later; without it, those since the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
}
