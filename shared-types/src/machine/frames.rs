//! The tree of frames: the run itself stands in one frame, and the branches and items of that in theirs.

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
    /// When it has passed.
    pub strategy: Strategy,
    /// Until when all must be over.
    pub until: Option<DateTime<Utc>>,
    /// In the document's order.
    pub branches: Vec<BranchRun>,
}

/// A branch and how it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BranchRun {
    /// Its id.
    pub id: String,
    /// How it stands.
    #[serde(rename = "stands")]
    pub state: BranchState,
}

/// How a branch stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BranchState {
    /// It wasn't entered yet.
    #[serde(rename = "ahead")]
    NotEntered,
    /// It is under way.
    #[serde(rename = "open")]
    Running(Box<Lane>),
    /// It is over.
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
    /// About how many bytes these are.
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
    /// How it stands.
    pub lane: Lane,
}

/// A branch or an item that is under way.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Lane {
    /// What it put into the context: it lies over what was there before.
    #[serde(rename = "own", default, skip_serializing_if = "is_empty")]
    pub values: Arc<Map<String, Value>>,
    /// Of that, what was merged into what was there, and isn't to replace it.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub merged: Map<String, Value>,
    /// About how many bytes its steps have put there.
    #[serde(rename = "held", default)]
    pub context_bytes: u64,
    /// That who was asked last did not approve: without approval it doesn't pass.
    #[serde(rename = "refused", default, skip_serializing_if = "Option::is_none")]
    pub rejection: Option<RunError>,
    /// How often each step was entered.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub visits: BTreeMap<StepId, u32>,
    /// The conditions passed on the way.
    #[serde(rename = "passed", default, skip_serializing_if = "Vec::is_empty")]
    pub passed_conditions: Vec<PassedCondition>,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame: Option<Box<Frame>>,
}

fn is_empty(map: &Arc<Map<String, Value>>) -> bool {
    map.is_empty()
}

/// A branch that is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CompletedLane {
    /// As what.
    pub outcome: LaneOutcome,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<RunError>,
    /// What it put into the context.
    #[serde(rename = "own", default, skip_serializing_if = "is_empty")]
    pub values: Arc<Map<String, Value>>,
    /// Of that, what was merged.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub merged: Map<String, Value>,
    /// About how many bytes its steps have put there.
    #[serde(rename = "held", default)]
    pub context_bytes: u64,
}

/// What a run or a lane of it has put into the context, to add to it.
pub(super) struct ContextWrites<'s> {
    pub(super) values: &'s mut Arc<Map<String, Value>>,
    /// Of a lane: what was merged, and how much it holds.
    pub(super) merged: Option<&'s mut Map<String, Value>>,
    pub(super) context_bytes: Option<&'s mut u64>,
}

impl CompletedLane {
    /// One that put nothing anywhere.
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
    /// A lane of it.
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

    /// What a lane of it has put into the context; a branch that is over still takes what comes late.
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
    /// Every frame of the tree, each before those in its lanes, in order.
    pub fn all_frames(&self) -> impl Iterator<Item = &Frame> {
        let mut open: Vec<&Frame> = self.frames.iter().rev().collect();
        std::iter::from_fn(move || {
            let frame = open.pop()?;
            open.extend(frame.below().into_iter().rev());
            Some(frame)
        })
    }

    /// What the run or a lane of it stands in.
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

    /// What the run or a lane of it has put into the context.
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

    /// Puts the run, or the lane of the place, into a frame.
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
