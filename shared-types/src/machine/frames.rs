//! The tree of frames: the run has one frame, and each branch or item in it a lane with a frame of its own.

use super::{
    address::{LaneId, StepAddress, Within},
    command::PassedCondition,
    state::{Activity, Frame, RunError, State},
};
use crate::{
    ids::StepId,
    workflow::{Context, step::Strategy},
};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, sync::Arc};

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
    fn lane(&self, id: &LaneId) -> Option<&Lane> {
        match (&self.activity, id) {
            (Activity::Parallel(parallel_state), LaneId::Branch(id)) => {
                parallel_state.branches.iter().find(|branch| branch.id == *id).and_then(BranchRun::lane)
            }
            (Activity::Foreach(foreach_state), LaneId::Item(n)) => {
                foreach_state.item(*n).map(|at| &foreach_state.open[at].lane)
            }
            (_, LaneId::Branch(_) | LaneId::Item(_)) => None,
        }
    }

    fn lane_mut(&mut self, id: &LaneId) -> Option<&mut Lane> {
        match (&mut self.activity, id) {
            (Activity::Parallel(parallel_state), LaneId::Branch(id)) => {
                let branch = parallel_state.branches.iter_mut().find(|branch| branch.id == *id)?;
                branch.lane_mut()
            }
            (Activity::Foreach(foreach_state), LaneId::Item(n)) => {
                foreach_state.item(*n).map(|at| &mut foreach_state.open[at].lane)
            }
            (_, LaneId::Branch(_) | LaneId::Item(_)) => None,
        }
    }

    /// The values that a lane has put into the context. A branch that is over can still be written to.
    fn writes_mut(&mut self, id: &LaneId) -> Option<ContextWrites<'_>> {
        match (&mut self.activity, id) {
            (Activity::Parallel(parallel_state), LaneId::Branch(id)) => {
                let branch = parallel_state.branches.iter_mut().find(|branch| branch.id == *id)?;
                match &mut branch.state {
                    BranchState::NotEntered => None,
                    BranchState::Running(lane) => Some(lane.writes_mut()),
                    BranchState::Completed(completed) => Some(ContextWrites {
                        values: &mut completed.values,
                        merged: Some(&mut completed.merged),
                        context_bytes: Some(&mut completed.context_bytes),
                    }),
                }
            }
            (Activity::Foreach(foreach_state), LaneId::Item(n)) => {
                foreach_state.item(*n).map(|at| foreach_state.open[at].lane.writes_mut())
            }
            (_, LaneId::Branch(_) | LaneId::Item(_)) => None,
        }
    }

    /// The frames in its lanes.
    fn below(&self) -> Vec<&Self> {
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

impl State {
    /// All frames of the tree in document order, each before those in its lanes.
    pub fn all_frames(&self) -> impl Iterator<Item = &Frame> {
        let mut open: Vec<&Frame> = self.frames.iter().rev().collect();
        std::iter::from_fn(move || {
            let frame = open.pop()?;
            open.extend(frame.below().into_iter().rev());
            Some(frame)
        })
    }

    /// The frame of the run or of a lane.
    fn frame_in(&self, within: &[Within]) -> Option<&Frame> {
        match within {
            [] => self.frames.first(),
            within => self.lane(within)?.frame.as_deref(),
        }
    }

    pub(super) fn lane(&self, within: &[Within]) -> Option<&Lane> {
        let mut lane: Option<&Lane> = None;
        for at in within {
            let frame = match lane {
                None => self.frames.first()?,
                Some(lane) => lane.frame.as_deref()?,
            };
            if frame.place.step != at.step || frame.place.visit != at.visit {
                return None;
            }
            lane = Some(frame.lane(&at.lane)?);
        }
        lane
    }

    pub(super) fn lane_mut(&mut self, within: &[Within]) -> Option<&mut Lane> {
        let (first, rest) = within.split_first()?;
        let mut lane = lane_below(self.frames.first_mut()?, first)?;
        for at in rest {
            lane = lane_below(lane.frame.as_deref_mut()?, at)?;
        }
        Some(lane)
    }

    /// The values that the run or a lane has put into the context, to be changed.
    pub(super) fn writes_mut(&mut self, within: &[Within]) -> Option<ContextWrites<'_>> {
        let Some((last, around)) = within.split_last() else {
            return Some(ContextWrites { values: &mut self.context, merged: None, context_bytes: None });
        };
        let frame = match around {
            [] => self.frames.first_mut()?,
            around => self.lane_mut(around)?.frame.as_deref_mut()?,
        };
        if frame.place.step != last.step || frame.place.visit != last.visit {
            return None;
        }
        frame.writes_mut(&last.lane)
    }

    /// The frame at a place.
    pub fn frame(&self, place: &StepAddress) -> Option<&Frame> {
        self.frame_in(&place.within).filter(|frame| frame.place == *place)
    }

    pub(super) fn frame_mut(&mut self, place: &StepAddress) -> Option<&mut Frame> {
        let frame = match place.within.as_slice() {
            [] => self.frames.first_mut(),
            within => self.lane_mut(within)?.frame.as_deref_mut(),
        };
        frame.filter(|frame| frame.place == *place)
    }

    /// Sets the frame of the run, or of the lane of its address.
    pub(super) fn put_frame(&mut self, frame: Frame) {
        if frame.place.within.is_empty() {
            self.frames.clear();
            self.frames.push(frame);
        } else {
            let within = frame.place.within.clone();
            if let Some(lane) = self.lane_mut(&within) {
                lane.frame = Some(Box::new(frame));
            }
        }
    }

    pub(super) fn take_frame(&mut self, place: &StepAddress) -> Option<Frame> {
        self.frame(place)?;
        match place.within.as_slice() {
            [] => self.frames.pop(),
            within => self.lane_mut(within)?.frame.take().map(|frame| *frame),
        }
    }

    /// The values that templates and conditions see in a lane.
    pub(super) fn context_in(&self, within: &[Within]) -> Context {
        let mut context = Context::new(Arc::clone(&self.context));
        for depth in 1..=within.len() {
            if let Some(lane) = self.lane(&within[..depth]) {
                context.lay_over(Arc::clone(&lane.values));
            }
        }
        context
    }

    /// Counts one more visit of a step.
    pub(super) fn visit(&mut self, step: &StepId, within: &[Within]) -> u32 {
        let visits = match within {
            [] => Some(&mut self.visits),
            within => self.lane_mut(within).map(|lane| &mut lane.visits),
        };
        let Some(visits) = visits else { return 1 };
        let visit = visits.entry(step.clone()).or_insert(0);
        *visit += 1;
        *visit
    }

    /// The conditions passed on the way to a lane.
    pub(super) fn conditions_on_path(&self, within: &[Within]) -> Vec<PassedCondition> {
        let lanes = (1..=within.len()).filter_map(|depth| self.lane(&within[..depth]));
        self.passed_conditions.iter().chain(lanes.flat_map(|lane| &lane.passed_conditions)).cloned().collect()
    }
}

fn lane_below<'f>(frame: &'f mut Frame, at: &Within) -> Option<&'f mut Lane> {
    if frame.place.step != at.step || frame.place.visit != at.visit {
        return None;
    }
    frame.lane_mut(&at.lane)
}
