//! Executions: "runs" on the screen.

use super::{Access, NoBody, NoQuery, Page, Permission, endpoint, limits};
use crate::{
    ids::{EventId, ExecutionId, StepId, WorkflowId},
    machine::{
        State,
        fact::Fact,
        failure::RunError,
        result::{RunDecision, RunResult},
        state::{RunStatus, WaitsFor},
        trace::TraceNode,
    },
    requester::Requester,
};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

endpoint!(ListExecutions: Get "executions", Access::Needs(Permission::ReadExecutions), "executions", 200, "List runs", (ExecutionQuery, NoBody) => Page<Execution>);
endpoint!(GetExecution: Get "executions/{execution_id}", Access::Needs(Permission::ReadExecutions), "executions", 200, "Read a run with its trace", (NoQuery, NoBody) => ExecutionDetail);
endpoint!(ListTrace: Get "executions/{execution_id}/trace", Access::Needs(Permission::ReadExecutions), "executions", 200, "Read a run's trace in parts", (TraceQuery, NoBody) => Page<Fact>);
endpoint!(
    /// Each visit of a step once; items are folded, those that failed first.
    GetTree: Get "executions/{execution_id}/tree", Access::Needs(Permission::ReadExecutions), "executions", 200, "Read a run's trace as a tree", (TreeQuery, NoBody) => TraceTree
);
endpoint!(CancelExecution: Post "executions/{execution_id}/cancel", Access::Needs(Permission::ControlExecutions), "executions", 200, "Cancel a run", (NoQuery, Cancel) => Execution);

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Execution {
    /// Id of the run, a `UUIDv7`.
    pub execution_id: ExecutionId,
    /// Of which workflow.
    pub workflow_id: WorkflowId,
    /// Of which revision.
    pub revision: i32,
    /// Whether it works, waits or has ended.
    pub status: RunStatus,
    /// Its result, as far as it is known.
    pub result: Option<RunResult>,
    /// What the document last said.
    pub decision: Option<RunDecision>,
    /// What it is about.
    pub subject: Option<String>,
    /// The money at stake: a decimal number, as text.
    pub amount: Option<String>,
    /// Currency of the amount, usually an ISO 4217 code.
    pub currency: Option<String>,
    /// Why, in words.
    pub reason: Option<String>,
    /// What started it.
    pub event_id: EventId,
    /// On whose behalf.
    pub requester: Option<Requester>,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// What it waits for.
    pub waits_for: Vec<WaitsFor>,
    /// What went wrong.
    pub error: Option<RunError>,
}

impl Execution {
    /// A run as its state shows it.
    pub fn of(state: &State, workflow_id: &WorkflowId, revision: i32) -> Self {
        let end = state.end.as_ref();
        Self {
            execution_id: state.execution_id,
            workflow_id: workflow_id.clone(),
            revision,
            status: state.status(),
            result: state.result(),
            decision: state.decision,
            subject: state.subject.clone(),
            amount: state.amount.clone(),
            currency: state.currency.clone(),
            reason: state.reason.clone(),
            event_id: state.event_id.clone(),
            requester: state.requester.clone(),
            started_at: state.started_at,
            ended_at: end.map(|end| end.at),
            waits_for: state.waits_for(),
            error: end.and_then(|end| end.error.clone()),
        }
    }
}

/// A run with its context and trace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExecutionDetail {
    /// The run.
    #[serde(flatten)]
    pub execution: Execution,
    /// The run that called it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called_by: Option<CalledBy>,
    /// What its templates see, secrets masked.
    pub context: Value,
    /// What happened, oldest first: the first 1,000 facts.
    pub trace: Vec<Fact>,
    /// Where the rest of the trace begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_next_cursor: Option<String>,
}

/// The run that called another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CalledBy {
    /// Id of the run.
    pub execution_id: ExecutionId,
    /// At which step.
    pub step_id: StepId,
}

/// Which part of a trace to read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TraceQuery {
    /// Where to begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::CURSOR))]
    pub cursor: Option<String>,
    /// How many at most, up to 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = limits::PAGE))]
    pub limit: Option<u32>,
}

/// How much of a tree to read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TreeQuery {
    /// How many items of each foreach are shown, up to 2,000; 20 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = limits::ITEMS))]
    pub items: Option<u32>,
}

/// A run's trace as a tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TraceTree {
    /// The time at the server.
    pub at: DateTime<Utc>,
    /// The steps, in the order of entering.
    pub nodes: Vec<TraceNode>,
}

/// Which runs to list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExecutionQuery {
    /// Where to begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::CURSOR))]
    pub cursor: Option<String>,
    /// How many at most, up to 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = limits::PAGE))]
    pub limit: Option<u32>,
    /// Of this workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::SLUG))]
    pub workflow_id: Option<WorkflowId>,
    /// With this status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<RunStatus>,
    /// With this result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<RunResult>,
    /// Started later than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_after: Option<DateTime<Utc>>,
    /// Started before this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_before: Option<DateTime<Utc>>,
    /// The start of a run's, an event's or an entity's id, or words of the subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::SEARCH))]
    pub q: Option<String>,
}

/// Why a run is cancelled.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cancel {
    /// A sentence for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::CANCEL_REASON))]
    pub reason: Option<String>,
}
