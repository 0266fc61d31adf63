//! Events: what other systems tell.

use super::{Access, BodyKind, NoQuery, Permission, Repeated, endpoint, limits, problem::Problem};
use crate::{
    ids::{ApprovalId, EventId, ExecutionId, WorkflowId},
    machine::{result::RunResult, state::RunStatus},
};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

endpoint!(
    /// 202 with the runs that it started; with `?wait=5s` 200 when all of them have ended or wait.
    SendEvent: Post "events", Access::Needs(Permission::SendEvents), "events", 202, "Send an event", (WaitQuery, NewEvent) => EventAccepted,
    { const ALSO: &[u16] = &[200]; const REPEATED: Repeated = Repeated::KeyStored; }
);

endpoint!(
    /// Up to 1,000 events, as an array or as NDJSON; a bad one spoils no other.
    SendEvents: Post "events/batch", Access::Needs(Permission::SendEvents), "events", 202, "Send many events", (NoQuery, Value) => BatchAnswer,
    { const BODY: BodyKind = BodyKind::Events; const REPEATED: Repeated = Repeated::KeyStored; }
);

/// One result per event, in the order in which the events were sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BatchAnswer {
    /// What became of each.
    pub items: Vec<BatchItem>,
}

/// What became of one event of many.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum BatchItem {
    /// It was taken, now or before.
    Taken(EventAccepted),
    /// It was refused.
    Refused(Box<Problem>),
}

/// How long to wait for the runs.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitQuery {
    /// At most this long, up to 60 s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::SPAN))]
    pub wait: Option<String>,
}

/// An event to send; only `type` is needed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEvent {
    /// `order.created`
    #[serde(rename = "type")]
    #[schemars(length(min = 1, max = limits::EVENT_TYPE))]
    pub kind: String,
    /// The event's id, unique in the workspace; it can be sent as the header `Idempotency-Key` instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::EVENT_ID))]
    pub id: Option<String>,
    /// Who sends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::EVENT_SOURCE))]
    pub source: Option<String>,
    /// When it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<DateTime<Utc>>,
    /// On whose behalf, by address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::ADDRESS))]
    pub requester: Option<String>,
    /// What it carries.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub payload: Map<String, Value>,
}

/// What an event started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EventAccepted {
    /// Id of the event, unique in its workspace.
    pub event_id: EventId,
    /// Whether it was seen before.
    pub duplicate: bool,
    /// The runs that it started; empty where no workflow listens.
    pub runs: Vec<StartedRun>,
}

/// A run that an event started, as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StartedRun {
    /// Id of the run.
    pub execution_id: ExecutionId,
    /// Of which workflow.
    pub workflow_id: WorkflowId,
    /// Whether it works, waits or has ended.
    pub status: RunStatus,
    /// Its result, as far as it is known.
    pub result: Option<RunResult>,
    /// Why, in words.
    pub reason: Option<String>,
    /// The request that it waits for.
    pub approval_id: Option<ApprovalId>,
}
