//! Connectors: other systems, described once and called by named operations.

use super::{Access, Condition, NoBody, NoQuery, Page, Permission, Repeated, endpoint, limits};
use crate::{
    connector::{Auth, ConnectorSpec},
    ids::{ExecutionId, WorkflowId},
    workflow::Finding,
};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

endpoint!(
    CreateConnector: Post "connectors", Access::Needs(Permission::ManageConnectors), "connectors", 201, "Add a connector", (NoQuery, ConnectorBody) => Connector,
    { const MAX_BODY: usize = limits::CONNECTOR_BODY; const ASKS_OTHERS: bool = true; }
);
endpoint!(ListConnectors: Get "connectors", Access::Needs(Permission::WriteWorkflows), "connectors", 200, "List connectors", (NoQuery, NoBody) => Page<Connector>);
endpoint!(GetConnector: Get "connectors/{name}", Access::Needs(Permission::WriteWorkflows), "connectors", 200, "Read a connector", (NoQuery, NoBody) => Connector);
endpoint!(
    /// Needs `If-Match`. Without `document`, the one that was imported stays.
    PutConnector: Put "connectors/{name}", Access::Needs(Permission::ManageConnectors), "connectors", 200, "Write a new revision", (NoQuery, ConnectorBody) => Connector,
    { const CONDITION: Condition = Condition::Match; const MAX_BODY: usize = limits::CONNECTOR_BODY; const ASKS_OTHERS: bool = true; }
);
endpoint!(
    /// One that an enabled workflow uses is kept: 409 with `used_by`.
    DeleteConnector: Delete "connectors/{name}", Access::Needs(Permission::ManageConnectors), "connectors", 204, "Delete a connector", (NoQuery, NoBody) => NoBody
);
endpoint!(
    /// Says what a connector would offer, and changes nothing. There may be no connector of that name yet.
    PreviewConnector: Post "connectors/{name}/preview", Access::Needs(Permission::ManageConnectors), "connectors", 200, "Compare before writing", (NoQuery, ConnectorBody) => ConnectorPreview,
    { const REPEATED: Repeated = Repeated::Harmless; const MAX_BODY: usize = limits::CONNECTOR_BODY; const ASKS_OTHERS: bool = true; }
);
endpoint!(
    /// All of them in one answer, where that isn't too large.
    ListOperations: Get "connectors/{name}/operations", Access::Needs(Permission::WriteWorkflows), "connectors", 200, "List a connector's operations", (OperationQuery, NoBody) => Page<ConnectorOperation>
);
endpoint!(
    /// Calls the first operation that only reads and needs no input, else the address alone.
    CheckConnector: Post "connectors/{name}/check", Access::Needs(Permission::ManageConnectors), "connectors", 200, "Does it answer, and let us in?", (NoQuery, NoBody) => ConnectorChecked,
    { const REPEATED: Repeated = Repeated::Harmless; const ASKS_OTHERS: bool = true; }
);
endpoint!(
    /// The last ones, newest first.
    ListConnectorCalls: Get "connectors/{name}/calls", Access::Needs(Permission::WriteWorkflows), "connectors", 200, "See a connector's last calls", (NoQuery, NoBody) => Page<ConnectorCall>
);
endpoint!(
    /// Answers that were loaded before don't count any more, on every server.
    PurgeConnector: Post "connectors/{name}/purge", Access::Needs(Permission::ManageConnectors), "connectors", 204, "Forget what was loaded", (NoQuery, NoBody) => NoBody,
    { const REPEATED: Repeated = Repeated::Harmless; }
);
endpoint!(
    /// Makes the call. An operation that doesn't only read needs an administrator.
    TryOperation: Post "connectors/{name}/operations/{id}/try", Access::Needs(Permission::WriteWorkflows), "connectors", 200, "Try an operation", (NoQuery, OperationTrial) => OperationTried,
    { const ASKS_OTHERS: bool = true; }
);

/// A connector as it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectorBody {
    /// The name by which workflows know it: a small letter, then small letters, digits and underscores.
    #[schemars(length(min = 1, max = limits::SLUG))]
    pub name: String,
    /// Where it is, who we are there, and what it serves.
    #[serde(flatten)]
    pub spec: ConnectorSpec,
    /// The OpenAPI document, as JSON or as a text in JSON or YAML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Value>,
}

/// A connector as read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Connector {
    /// The name by which workflows know it.
    pub name: String,
    /// Where it is, who we are there, and what it serves.
    #[serde(flatten)]
    pub spec: ConnectorSpec,
    /// The revision, from 1.
    pub revision: i32,
    /// Entity tag of the revision, to be sent back as `If-Match`.
    pub etag: String,
    /// The address before each path.
    pub base_url: String,
    /// How many operations it has.
    pub operation_count: usize,
    /// The ways in which the system lets callers in, as its document says.
    pub offered_auth: Vec<OfferedAuth>,
    /// What was found in it.
    pub findings: Vec<Finding>,
    /// The workflows that use it.
    pub used_by: Vec<WorkflowId>,
    /// How its calls go.
    pub health: ConnectorHealth,
    /// When the revision was written.
    pub updated_at: DateTime<Utc>,
    /// Who did it: an email address.
    pub updated_by: String,
}

/// How the calls of a connector go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectorHealth {
    /// Whether its calls are made.
    pub state: HealthState,
    /// Why they aren't, as a sentence; null where they are.
    pub because: Option<String>,
    /// When the next one is made, where they aren't.
    pub held_until: Option<DateTime<Utc>>,
    /// How many there were in the last hour.
    pub calls: u64,
    /// How many of these failed.
    pub failures: u64,
    /// How long 95 of 100 took at most, in milliseconds; null without calls.
    pub p95_ms: Option<u64>,
}

/// Whether the calls of a connector are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// Its calls are made.
    Well,
    /// They wait, since several failed in a row or the system asks to be left alone.
    Ailing,
}

/// A call of a connector that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectorCall {
    /// When, in UTC.
    pub at: DateTime<Utc>,
    /// The name of the operation within the connector.
    pub operation: String,
    /// The run that called; null for one that somebody tried.
    pub execution_id: Option<ExecutionId>,
    /// The status of the answer; null where there was none.
    pub status: Option<u16>,
    /// Why it failed, in a sentence; null where it didn't.
    pub error: Option<String>,
    /// How long it took, in milliseconds.
    pub took_ms: u32,
}

/// A way in which a system lets callers in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OfferedAuth {
    /// Its name in the document.
    pub name: String,
    /// What the document says of it; empty where it says nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The settings for it but for who we are; null where this server can't do it.
    pub auth: Option<Auth>,
}

/// Which operations to list.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OperationQuery {
    /// The `next_cursor` of the previous page; leave it out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::CURSOR))]
    pub cursor: Option<String>,
}

/// An operation of a connector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectorOperation {
    /// Its name within the connector.
    pub id: String,
    /// What it does, in a few words.
    pub summary: String,
    /// The JSON Schema of its input.
    pub input_schema: Value,
    /// The JSON Schema of its answer, where it is known.
    pub output_schema: Option<Value>,
    /// Whether it only reads.
    pub safe: bool,
}

/// Whether a system answers, and lets us in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectorChecked {
    /// Whether it answers.
    pub answers: bool,
    /// Whether it lets us in; null where that isn't known.
    pub let_in: Option<bool>,
    /// The status of the answer; null where there was none.
    pub status: Option<u16>,
    /// The operation that was called; null where none can be called without an input.
    pub operation: Option<String>,
    /// What came of it, in a sentence.
    pub detail: String,
    /// How long it took, in milliseconds.
    pub took_ms: u32,
}

/// What writing a connector would change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectorPreview {
    /// Operations that appear.
    pub added: Vec<String>,
    /// Operations whose input, answer or call changes.
    pub changed: Vec<String>,
    /// Operations that go.
    pub removed: Vec<String>,
    /// The enabled workflows that use what changes or goes.
    pub used_by: Vec<OperationUse>,
    /// What was found in the document and the settings.
    pub findings: Vec<Finding>,
    /// The ways in which the system lets callers in, as its document says.
    pub offered_auth: Vec<OfferedAuth>,
}

/// A workflow that uses an operation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct OperationUse {
    /// The name of the operation within the connector.
    pub operation: String,
    /// The workflow.
    pub workflow_id: WorkflowId,
}

/// An input to try an operation with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OperationTrial {
    /// The input.
    #[serde(default)]
    pub input: Map<String, Value>,
}

/// What came of a trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OperationTried {
    /// What was sent, without what lets us in.
    pub request: Value,
    /// The status of the answer; null where there was none.
    pub status: Option<u16>,
    /// The headers of the answer.
    pub headers: Map<String, Value>,
    /// What it answered.
    pub body: Value,
    /// Why there was no answer, in a sentence.
    pub error: Option<String>,
    /// How long it took, in milliseconds.
    pub took_ms: u32,
}
