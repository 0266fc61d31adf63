//! A run of another workflow that a step has started, and what is known of it.

use super::result::{FinalResult, RunDecision};
use crate::ids::{ExecutionId, WorkflowId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A run of another workflow that this one waits for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChildRun {
    /// Id of the run, a `UUIDv7`.
    pub execution_id: ExecutionId,
    /// Of which workflow.
    pub workflow_id: WorkflowId,
    /// Its input.
    pub input: Map<String, Value>,
    /// Whether this run waits for its result, or only for its start.
    pub awaited: bool,
    /// Which revision people approved; none where they saw none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<i32>,
    /// Whether it is known to have started.
    #[serde(rename = "begun", default)]
    pub started: bool,
    /// Whether it waits for people, events or times.
    #[serde(default)]
    pub waiting: bool,
    /// The newest of its changes that is known.
    #[serde(default)]
    pub seq: i32,
    /// Until when it must have ended.
    pub until: Option<DateTime<Utc>>,
}

/// How a run stands that another started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChildStatus {
    /// It can't be started.
    Refused {
        /// The stable code.
        code: String,
        /// A sentence for people.
        message: String,
    },
    /// It isn't started, since another revision is current than the one that people approved.
    OtherRevision {
        /// The current one.
        revision: i32,
    },
    /// It has started.
    Started,
    /// It works.
    Working,
    /// It waits for people, events or times.
    Waiting,
    /// It has ended.
    Ended(Box<ChildEnd>),
}

/// What a run came to that another started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChildEnd {
    /// The result of the child.
    pub result: FinalResult,
    /// What its document last said.
    pub decision: Option<RunDecision>,
    /// The reason, in a sentence.
    pub reason: Option<String>,
    /// What its steps put into its context.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub values: Map<String, Value>,
}
