//! Workflows and their revisions.

use super::{
    Access, BodyKind, Condition, NoBody, NoQuery, Page, Permission, Repeated, endpoint,
    executions::Execution, limits,
};
use crate::{
    ids::{StepId, WorkflowId},
    workflow::{
        Finding, Format,
        calendar::Calendar,
        test_script::{ScriptItem, ScriptedEvent},
    },
};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

endpoint!(
    /// The body is the document itself, JSON or YAML.
    CreateWorkflow: Post "workflows", Access::Needs(Permission::WriteWorkflows), "workflows", 201, "Add a workflow", (NoQuery, Value) => Workflow,
    { const BODY: BodyKind = BodyKind::Workflow; }
);
endpoint!(ListWorkflows: Get "workflows", Access::Needs(Permission::ReadWorkflows), "workflows", 200, "List workflows", (WorkflowQuery, NoBody) => Page<WorkflowSummary>);
endpoint!(GetWorkflow: Get "workflows/{workflow_id}", Access::Needs(Permission::ReadWorkflows), "workflows", 200, "Read a workflow", (RevisionQuery, NoBody) => Workflow);
endpoint!(
    /// The body is the document itself, JSON or YAML. Needs `If-Match`, or `If-None-Match: *` for a new id.
    PutWorkflow: Put "workflows/{workflow_id}", Access::Needs(Permission::WriteWorkflows), "workflows", 200, "Publish a revision", (NoQuery, Value) => Workflow,
    { const BODY: BodyKind = BodyKind::Workflow; const CONDITION: Condition = Condition::MatchOrNew; const ALSO: &[u16] = &[201]; }
);
endpoint!(
    /// Needs `If-Match`.
    ArchiveWorkflow: Delete "workflows/{workflow_id}", Access::Needs(Permission::WriteWorkflows), "workflows", 204, "Archive a workflow", (NoQuery, NoBody) => NoBody,
    { const CONDITION: Condition = Condition::Match; }
);
endpoint!(EnableWorkflow: Post "workflows/{workflow_id}/enable", Access::Needs(Permission::ToggleWorkflows), "workflows", 200, "Enable a workflow", (NoQuery, NoBody) => Workflow);
endpoint!(DisableWorkflow: Post "workflows/{workflow_id}/disable", Access::Needs(Permission::ToggleWorkflows), "workflows", 200, "Disable a workflow", (NoQuery, NoBody) => Workflow);
endpoint!(ListRevisions: Get "workflows/{workflow_id}/revisions", Access::Needs(Permission::ReadWorkflows), "workflows", 200, "List revisions", (NoQuery, NoBody) => Page<Revision>);
endpoint!(GetActivity: Get "workflows/{workflow_id}/activity", Access::Needs(Permission::ReadExecutions), "workflows", 200, "Read what its steps did in the last runs", (NoQuery, NoBody) => Activity);
endpoint!(StartWorkflow: Post "workflows/{workflow_id}/executions", Access::Needs(Permission::ControlExecutions), "workflows", 201, "Start a workflow by hand", (NoQuery, ManualStart) => Execution);
endpoint!(
    /// The body is the document itself, JSON or YAML.
    ValidateWorkflow: Post "workflows/validate", Access::Needs(Permission::WriteWorkflows), "workflows", 200, "Check a document", (NoQuery, Value) => Findings,
    { const BODY: BodyKind = BodyKind::Workflow; const REPEATED: Repeated = Repeated::Harmless; }
);
endpoint!(SimulateWorkflow: Post "workflows/simulate", Access::Needs(Permission::WriteWorkflows), "workflows", 200, "Simulate a run", (NoQuery, SimulateRequest) => Map<String, Value>, { const REPEATED: Repeated = Repeated::Harmless; });

/// A workflow as read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Workflow {
    /// Slug of the workflow, unique in its workspace.
    pub workflow_id: WorkflowId,
    /// What people call it.
    pub name: String,
    /// The revision, from 1.
    pub revision: i32,
    /// Whether its trigger starts runs.
    pub enabled: bool,
    /// How the source is written.
    pub format: Format,
    /// The text as written.
    pub source: String,
    /// The document that the text holds.
    pub document: Value,
    /// Entity tag of the stored text, to be sent back as `If-Match`.
    pub etag: String,
    /// When the revision was published.
    pub updated_at: DateTime<Utc>,
    /// Who did it: an email address, or the name of an API key.
    pub updated_by: String,
    /// What the checks say.
    pub findings: Vec<Finding>,
    /// The next ten times at which its schedule is due.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub next_times: Vec<DateTime<Utc>>,
}

/// A workflow in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WorkflowSummary {
    /// Slug of the workflow, unique in its workspace.
    pub workflow_id: WorkflowId,
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What starts it, in words.
    pub trigger: String,
    /// The revision, from 1.
    pub revision: i32,
    /// Whether its trigger starts runs.
    pub enabled: bool,
    /// Entity tag of the stored text, to be sent back as `If-Match`.
    pub etag: String,
    /// When the revision was published.
    pub updated_at: DateTime<Utc>,
    /// Who did it: an email address, or the name of an API key.
    pub updated_by: String,
    /// Runs that started in the last 24 h.
    pub runs_24h: i64,
    /// Of these, the failed ones.
    pub failed_24h: i64,
}

/// Which workflows to list.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkflowQuery {
    /// The `next_cursor` of the previous page; leave it out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::CURSOR))]
    pub cursor: Option<String>,
    /// How many at most, up to 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = limits::PAGE))]
    pub limit: Option<u32>,
    /// Words of the name or id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::SEARCH))]
    pub q: Option<String>,
}

/// Which revision to read; the newest without one.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevisionQuery {
    /// The revision, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = i32::MAX))]
    pub revision: Option<i32>,
}

/// One revision of a workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Revision {
    /// The revision, from 1.
    pub revision: i32,
    /// When it was published.
    pub created_at: DateTime<Utc>,
    /// Who did it: an email address, or the name of an API key.
    pub created_by: String,
    /// The author's own label.
    pub version: Option<String>,
}

/// What a workflow's steps did in its last runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Activity {
    /// How many runs were looked at, the newest, at most 50.
    pub runs: i64,
    /// The steps that were entered in them.
    pub steps: Vec<StepActivity>,
}

/// What a step did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StepActivity {
    /// Id of the step.
    pub step_id: StepId,
    /// How often it was entered.
    pub entered: i64,
    /// How often it failed.
    pub failed: i64,
}

/// A start by hand.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ManualStart {
    /// The run's context.
    #[serde(default)]
    pub input: Map<String, Value>,
}

/// What the checks say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Findings {
    /// Everything found.
    pub findings: Vec<Finding>,
}

/// What to simulate.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SimulateRequest {
    /// A document, as JSON or as a text in YAML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Value>,
    /// Or a stored workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::SLUG))]
    pub workflow_id: Option<WorkflowId>,
    /// What starts it.
    pub event: ScriptedEvent,
    /// What happens then.
    #[serde(default)]
    pub script: Vec<ScriptItem>,
    /// The calendars that it counts in; without any, the workspace's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub calendars: Vec<Calendar>,
}
