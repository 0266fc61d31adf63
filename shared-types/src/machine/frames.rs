//! The tree of frames: the run has one frame, and each branch or item in it a lane with a frame of its own.

use super::{
    address::{LaneId, StepAddress},
    child_run::ChildRun,
    event::AwaitedEvent,
    fact::PassedCondition,
    failure::RunError,
};
use crate::{
    connector::ConnectorRevision,
    ids::{ApprovalId, StepId},
    workflow::step::Strategy,
};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, sync::Arc};

/// A step that is under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    /// Address of the step.
    pub place: StepAddress,
    /// When it was entered: what `now` says in it.
    pub entered_at: DateTime<Utc>,
    /// What it is doing.
    #[serde(rename = "doing")]
    pub activity: Activity,
    /// The revision of the connector with which people approved its call; none where nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_revision: Option<ConnectorRevision>,
    /// Since when its connector takes no calls; none where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_since: Option<DateTime<Utc>>,
}

/// What a step is doing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    /// An effect's call is out.
    #[serde(rename = "calling")]
    AwaitingEffect {
        /// Which of the step's effects.
        index: u32,
        /// Number of the attempt, counted from 1.
        attempt: u32,
    },
    /// An effect's call failed and is made again later.
    BackingOff {
        /// Which of the step's effects.
        index: u32,
        /// The next attempt.
        attempt: u32,
        /// When the next attempt is made, in UTC.
        until: DateTime<Utc>,
    },
    /// People are asked.
    #[serde(rename = "asking")]
    AwaitingApproval {
        /// Id of the request.
        approval_id: ApprovalId,
    },
    /// An event is awaited.
    #[serde(rename = "awaiting")]
    AwaitingEvent {
        /// The type of event, and the values that it must have.
        awaited: Box<AwaitedEvent>,
        /// The deadline, in UTC; none if there is no limit.
        until: Option<DateTime<Utc>>,
    },
    /// Time passes.
    #[serde(rename = "pausing")]
    Sleeping {
        /// When the wait ends, in UTC.
        until: DateTime<Utc>,
    },
    /// What the document names is fetched before the first step.
    #[serde(rename = "loading")]
    LoadingContext(Box<ContextLoading>),
    /// A stored rule is read.
    #[serde(rename = "reading")]
    LoadingRule {
        /// Slug of the rule.
        rule_id: String,
    },
    /// Another workflow's run is under way.
    #[serde(rename = "running")]
    AwaitingChild(Box<ChildRun>),
    /// Branches are under way.
    #[serde(rename = "branching")]
    Parallel(Box<ParallelState>),
    /// Items are under way.
    #[serde(rename = "iterating")]
    Foreach(Box<ForeachState>),
}

impl Activity {
    /// Until when the whole of it must be over: branches, items, or a run of another workflow.
    pub(super) fn until(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Parallel(parallel_state) => parallel_state.until,
            Self::Foreach(foreach_state) => foreach_state.until,
            Self::AwaitingChild(child) => child.until,
            Self::AwaitingEffect { .. }
            | Self::BackingOff { .. }
            | Self::AwaitingApproval { .. }
            | Self::AwaitingEvent { .. }
            | Self::Sleeping { .. }
            | Self::LoadingContext(_)
            | Self::LoadingRule { .. } => None,
        }
    }

    /// Whether it waits for people, an event or a time.
    pub(super) fn waits(&self) -> bool {
        matches!(self, Self::AwaitingApproval { .. } | Self::AwaitingEvent { .. } | Self::Sleeping { .. })
    }
}

/// What of the names is loaded, in the document's order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContextLoading {
    /// How each of them stands.
    pub loads: Vec<LoadProgress>,
    /// Since when the connectors of some take no calls, by their number.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub held_since: BTreeMap<u32, DateTime<Utc>>,
}

/// How the load of a name stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoadProgress {
    /// It is out.
    Calling {
        /// Number of the attempt, counted from 1.
        attempt: u32,
    },
    /// It failed and is tried again later.
    BackingOff {
        /// The next attempt.
        attempt: u32,
        /// When it is made, in UTC.
        until: DateTime<Utc>,
    },
    /// It is there.
    Loaded {
        /// What is merged into the context.
        value: Value,
    },
    /// The context stays as it is: nobody serves the name, or it is optional and could not be loaded.
    LeftOut,
}

/// The branches of a `parallel` step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ParallelState {
    /// The rule that says when the whole has passed.
    pub strategy: Strategy,
    /// Until when all must be over.
    pub until: Option<DateTime<Utc>>,
    /// In the document's order.
    pub branches: Vec<BranchRun>,
}

/// A branch and its state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BranchRun {
    /// Its id.
    pub id: String,
    /// Its state.
    #[serde(rename = "stands")]
    pub state: BranchState,
}

/// The state of a branch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BranchState {
    /// Not entered yet.
    #[serde(rename = "ahead")]
    NotEntered,
    /// Entered and not over.
    #[serde(rename = "open")]
    Running(Box<Lane>),
    /// Over: passed, failed, cancelled or skipped.
    #[serde(rename = "over")]
    Completed(Box<CompletedLane>),
}

/// The items of a `foreach` step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ForeachState {
    /// All of them.
    pub items: Arc<Vec<Value>>,
    /// How many were entered.
    pub entered: u32,
    /// How many failed.
    pub failed: u32,
    /// Those that are under way, in order.
    pub open: Vec<OpenItem>,
    /// By their numbers, the results of those that are over.
    pub results: Vec<Option<Value>>,
    /// Estimated size of the results, in bytes.
    #[serde(rename = "held", default)]
    pub context_bytes: u64,
    /// Until when all must be over.
    pub until: Option<DateTime<Utc>>,
}

/// An item that is under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenItem {
    /// Its number, from 0.
    pub n: u32,
    /// Its state.
    pub lane: Lane,
}

/// A branch or an item that is under way.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Lane {
    /// The values that its steps put into the context. They lie over those around the lane.
    #[serde(rename = "own", default, skip_serializing_if = "is_empty")]
    pub values: Arc<Map<String, Value>>,
    /// Values that were deep-merged. When the branch ends they are merged again, not assigned.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub merged: Map<String, Value>,
    /// Estimated size of these values, in bytes.
    #[serde(rename = "held", default)]
    pub context_bytes: u64,
    /// Set if the last request of the branch wasn't approved: the branch then fails.
    #[serde(rename = "refused", default, skip_serializing_if = "Option::is_none")]
    pub rejection: Option<RunError>,
    /// How often each step was entered.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub visits: BTreeMap<StepId, u32>,
    /// The conditions passed on the way.
    #[serde(rename = "passed", default, skip_serializing_if = "Vec::is_empty")]
    pub passed_conditions: Vec<PassedCondition>,
    /// The frame of its current step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame: Option<Box<Frame>>,
}

fn is_empty(map: &Arc<Map<String, Value>>) -> bool {
    map.is_empty()
}

/// A branch that is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CompletedLane {
    /// Outcome of the branch or item.
    pub outcome: LaneOutcome,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<RunError>,
    /// The values that its steps put into the context.
    #[serde(rename = "own", default, skip_serializing_if = "is_empty")]
    pub values: Arc<Map<String, Value>>,
    /// Values that were deep-merged, and are merged again around the branch.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub merged: Map<String, Value>,
    /// Estimated size of these values, in bytes.
    #[serde(rename = "held", default)]
    pub context_bytes: u64,
}

/// The values that a run or a lane has put into the context, to be changed.
pub(super) struct ContextWrites<'s> {
    pub(super) values: &'s mut Arc<Map<String, Value>>,
    /// For a lane: its deep-merged values.
    pub(super) merged: Option<&'s mut Map<String, Value>>,
    pub(super) context_bytes: Option<&'s mut u64>,
}

impl CompletedLane {
    /// A lane that put nothing into the context.
    pub(super) fn empty(outcome: LaneOutcome) -> Self {
        Self { outcome, error: None, values: Arc::default(), merged: Map::new(), context_bytes: 0 }
    }
}

/// What became of a branch or an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LaneOutcome {
    /// It ended without failing.
    Passed,
    /// It failed.
    Failed,
    /// It was under way when the outcome of the whole was known.
    Cancelled,
    /// It wasn't entered.
    Skipped,
}

impl Frame {
    /// A lane of this frame.
    pub(super) fn lane(&self, id: &LaneId) -> Option<&Lane> {
        match id {
            LaneId::Branch(id) => {
                let Activity::Parallel(parallel_state) = &self.activity else { return None };
                parallel_state.branches.iter().find(|branch| branch.id == *id).and_then(BranchRun::lane)
            }
            LaneId::Item(n) => {
                let Activity::Foreach(foreach_state) = &self.activity else { return None };
                foreach_state.item(*n).map(|at| &foreach_state.open[at].lane)
            }
        }
    }

    pub(super) fn lane_mut(&mut self, id: &LaneId) -> Option<&mut Lane> {
        match id {
            LaneId::Branch(id) => self.branch_mut(id)?.lane_mut(),
            LaneId::Item(n) => self.item_lane_mut(*n),
        }
    }

    /// The values that a lane has put into the context. A branch that is over can still be written to.
    pub(super) fn writes_mut(&mut self, id: &LaneId) -> Option<ContextWrites<'_>> {
        match id {
            LaneId::Branch(id) => match &mut self.branch_mut(id)?.state {
                BranchState::NotEntered => None,
                BranchState::Running(lane) => Some(lane.writes_mut()),
                BranchState::Completed(completed) => Some(ContextWrites {
                    values: &mut completed.values,
                    merged: Some(&mut completed.merged),
                    context_bytes: Some(&mut completed.context_bytes),
                }),
            },
            LaneId::Item(n) => self.item_lane_mut(*n).map(Lane::writes_mut),
        }
    }

    fn branch_mut(&mut self, id: &str) -> Option<&mut BranchRun> {
        let Activity::Parallel(parallel_state) = &mut self.activity else { return None };
        parallel_state.branches.iter_mut().find(|branch| branch.id == id)
    }

    fn item_lane_mut(&mut self, n: u32) -> Option<&mut Lane> {
        let Activity::Foreach(foreach_state) = &mut self.activity else { return None };
        foreach_state.item(n).map(|at| &mut foreach_state.open[at].lane)
    }

    /// The frames in its lanes.
    pub(super) fn below(&self) -> Vec<&Self> {
        match &self.activity {
            Activity::Parallel(parallel_state) => {
                parallel_state.branches.iter().filter_map(|branch| branch.lane()?.frame.as_deref()).collect()
            }
            Activity::Foreach(foreach_state) => {
                foreach_state.open.iter().filter_map(|item| item.lane.frame.as_deref()).collect()
            }
            Activity::AwaitingEffect { .. }
            | Activity::BackingOff { .. }
            | Activity::AwaitingApproval { .. }
            | Activity::AwaitingEvent { .. }
            | Activity::Sleeping { .. }
            | Activity::LoadingContext(_)
            | Activity::LoadingRule { .. }
            | Activity::AwaitingChild(_) => Vec::new(),
        }
    }
}

impl ForeachState {
    /// Where among the open ones an item is.
    pub(super) fn item(&self, n: u32) -> Option<usize> {
        self.open.binary_search_by_key(&n, |item| item.n).ok()
    }

    /// Keeps an item's result.
    pub(super) fn save_result(&mut self, n: u32, result: Value) {
        let at = n as usize;
        if self.results.len() <= at {
            self.results.resize(at + 1, None);
        }
        self.results[at] = Some(result);
    }
}

impl Lane {
    fn writes_mut(&mut self) -> ContextWrites<'_> {
        ContextWrites {
            values: &mut self.values,
            merged: Some(&mut self.merged),
            context_bytes: Some(&mut self.context_bytes),
        }
    }
}

impl BranchRun {
    fn lane(&self) -> Option<&Lane> {
        if let BranchState::Running(lane) = &self.state { Some(lane) } else { None }
    }

    pub(super) fn lane_mut(&mut self) -> Option<&mut Lane> {
        if let BranchState::Running(lane) = &mut self.state { Some(lane) } else { None }
    }

    pub(super) fn completed(&self) -> Option<&CompletedLane> {
        if let BranchState::Completed(completed) = &self.state { Some(completed) } else { None }
    }
}

impl ContextLoading {
    /// The calls that are out, by their number, each with its attempt.
    pub fn calls(&self) -> impl Iterator<Item = (u32, u32)> {
        (0u32..).zip(&self.loads).filter_map(|(index, load)| match load {
            LoadProgress::Calling { attempt } => Some((index, *attempt)),
            LoadProgress::BackingOff { .. } | LoadProgress::Loaded { .. } | LoadProgress::LeftOut => None,
        })
    }

    /// What is still awaited, in words.
    pub(super) fn in_words(&self) -> String {
        let open = self.loads.iter().filter(|load| load.is_open()).count();
        format!("{open} of {} to be loaded", self.loads.len())
    }

    /// When the next attempt is made, where nothing is out.
    pub(super) fn until(&self) -> Option<DateTime<Utc>> {
        if self.calls().next().is_some() {
            return None;
        }
        let times = self.loads.iter().filter_map(|load| match load {
            LoadProgress::BackingOff { until, .. } => Some(*until),
            LoadProgress::Calling { .. } | LoadProgress::Loaded { .. } | LoadProgress::LeftOut => None,
        });
        times.min()
    }

    pub(super) fn is_over(&self) -> bool {
        !self.loads.iter().any(LoadProgress::is_open)
    }
}

impl LoadProgress {
    fn is_open(&self) -> bool {
        matches!(self, Self::Calling { .. } | Self::BackingOff { .. })
    }
}
