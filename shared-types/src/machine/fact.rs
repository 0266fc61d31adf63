//! Facts: what people are told of a transition, stored with it.

use super::address::{LaneId, Within};
use crate::{ids::StepId, workflow::evaluate::Why};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One entry of a trace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Fact {
    /// Numbered over the run, from 0.
    pub seq: u32,
    /// When it happened, in UTC.
    pub at: DateTime<Utc>,
    /// At which step.
    pub step_id: StepId,
    /// Which visit of the step, counted from 1.
    pub visit: u32,
    /// In which branch.
    pub branch: Option<String>,
    /// For which item, from 0.
    pub item: Option<u32>,
    /// All branches and items that it stands in, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub within: Vec<LaneRef>,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// What became of the step.
    pub state: StepState,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<f64>,
    /// Why, in words.
    pub reason: Option<String>,
    /// Why, as a tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Why>,
    /// What it got.
    pub input: Option<Value>,
    /// What it gave.
    pub output: Option<Value>,
}

impl Fact {
    /// Whether it tells of one of a step's effects and not of the step: what ends a step says where the run goes on.
    pub fn is_of_an_effect(&self) -> bool {
        self.state == StepState::Done && !self.says_next()
    }

    /// Whether its step waits; one that asked and went on says where.
    pub fn is_waiting(&self) -> bool {
        self.state == StepState::Waiting && !self.says_next()
    }

    fn says_next(&self) -> bool {
        self.output.as_ref().is_some_and(|output| output.get("next").is_some())
    }
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// It began.
    Entered,
    /// It waits.
    Waiting,
    /// It is done.
    Done,
    /// It failed.
    Failed,
    /// An attempt failed, and another follows.
    Retrying,
    /// The run ended while it stood here.
    Cancelled,
    /// It was never entered.
    Skipped,
    /// An outcome came when nothing waited for it any more.
    Late,
}

/// A branch or an item that a step stands in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct LaneRef {
    /// The `parallel` or `foreach` step.
    pub step_id: StepId,
    /// Which visit of that step, counted from 1.
    pub visit: u32,
    /// Which branch of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// Which item of it, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<u32>,
}

impl LaneRef {
    pub(super) fn of(within: &Within) -> Self {
        let (branch, item) = match &within.lane {
            LaneId::Branch(id) => (Some(id.clone()), None),
            LaneId::Item(n) => (None, Some(*n)),
        };
        Self { step_id: within.step.clone(), visit: within.visit, branch, item }
    }
}

/// A condition that a run passed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PassedCondition {
    /// At which step.
    pub step_id: StepId,
    /// A sentence for people.
    pub reason: String,
    /// As a tree.
    pub why: Why,
}
