//! The tree of frames: the run itself stands in one frame, and the branches and items of that in theirs.

use super::{
    command::Passed,
    place::{LaneId, Place, Within},
    state::{Doing, Frame, RunError, State},
};
use crate::{
    ids::{ExecutionId, StepId, WorkflowId},
    workflow::{Context, step::Strategy},
};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, sync::Arc};

/// The branches of a `parallel` step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Branching {
    /// When it has passed.
    pub strategy: Strategy,
    /// Until when all must be over.
    pub until: Option<DateTime<Utc>>,
    /// In the document's order.
    pub branches: Vec<Branch>,
}

/// A branch and how it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Branch {
    /// Its id.
    pub id: String,
    /// How it stands.
    pub stands: BranchStands,
}

/// How a branch stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BranchStands {
    /// It wasn't entered yet.
    Ahead,
    /// It is under way.
    Open(Box<Lane>),
    /// It is over.
    Over(Box<LaneOver>),
}

/// The items of a `foreach` step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Iterating {
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
    #[serde(default)]
    pub held: u64,
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
    #[serde(default, skip_serializing_if = "is_empty")]
    pub own: Arc<Map<String, Value>>,
    /// Of that, what was merged into what was there, and isn't to replace it.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub merged: Map<String, Value>,
    /// About how many bytes its steps have put there.
    #[serde(default)]
    pub held: u64,
    /// That who was asked last did not approve: without approval it doesn't pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<RunError>,
    /// How often each step was entered.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub visits: BTreeMap<StepId, u32>,
    /// The conditions passed on the way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed: Vec<Passed>,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame: Option<Box<Frame>>,
}

fn is_empty(map: &Arc<Map<String, Value>>) -> bool {
    map.is_empty()
}

/// A branch that is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LaneOver {
    /// As what.
    pub outcome: LaneOutcome,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<RunError>,
    /// What it put into the context.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub own: Arc<Map<String, Value>>,
    /// Of that, what was merged.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub merged: Map<String, Value>,
    /// About how many bytes its steps have put there.
    #[serde(default)]
    pub held: u64,
}

/// What a run or a lane of it has put into the context, to add to it.
pub(super) struct Own<'s> {
    pub(super) values: &'s mut Arc<Map<String, Value>>,
    /// Of a lane: what was merged, and how much it holds.
    pub(super) merged: Option<&'s mut Map<String, Value>>,
    pub(super) held: Option<&'s mut u64>,
}

impl LaneOver {
    /// One that put nothing anywhere.
    pub(super) fn empty(outcome: LaneOutcome) -> Self {
        Self { outcome, error: None, own: Arc::default(), merged: Map::new(), held: 0 }
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

/// A run of another workflow that this one waits for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChildRun {
    /// Its id.
    pub execution_id: ExecutionId,
    /// Of which workflow.
    pub workflow_id: WorkflowId,
    /// Its input.
    pub input: Map<String, Value>,
    /// Whether this run waits for its result, or only for its start.
    pub awaited: bool,
    /// Whether it is known to have started.
    #[serde(default)]
    pub begun: bool,
    /// Whether it waits for people, events or times.
    #[serde(default)]
    pub waiting: bool,
    /// The newest of its changes that is known.
    #[serde(default)]
    pub seq: i32,
    /// Until when it must have ended.
    pub until: Option<DateTime<Utc>>,
}

impl Frame {
    /// A lane of it.
    fn lane(&self, id: &LaneId) -> Option<&Lane> {
        match (&self.doing, id) {
            (Doing::Branching(branching), LaneId::Branch(id)) => {
                branching.branches.iter().find(|branch| branch.id == *id).and_then(Branch::lane)
            }
            (Doing::Iterating(iterating), LaneId::Item(n)) => {
                iterating.item(*n).map(|at| &iterating.open[at].lane)
            }
            (_, LaneId::Branch(_) | LaneId::Item(_)) => None,
        }
    }

    fn lane_mut(&mut self, id: &LaneId) -> Option<&mut Lane> {
        match (&mut self.doing, id) {
            (Doing::Branching(branching), LaneId::Branch(id)) => {
                let branch = branching.branches.iter_mut().find(|branch| branch.id == *id)?;
                branch.lane_mut()
            }
            (Doing::Iterating(iterating), LaneId::Item(n)) => {
                iterating.item(*n).map(|at| &mut iterating.open[at].lane)
            }
            (_, LaneId::Branch(_) | LaneId::Item(_)) => None,
        }
    }

    /// What a lane of it has put into the context; a branch that is over still takes what comes late.
    fn own_mut(&mut self, id: &LaneId) -> Option<Own<'_>> {
        match (&mut self.doing, id) {
            (Doing::Branching(branching), LaneId::Branch(id)) => {
                let branch = branching.branches.iter_mut().find(|branch| branch.id == *id)?;
                match &mut branch.stands {
                    BranchStands::Ahead => None,
                    BranchStands::Open(lane) => Some(lane.own_mut()),
                    BranchStands::Over(over) => Some(Own {
                        values: &mut over.own,
                        merged: Some(&mut over.merged),
                        held: Some(&mut over.held),
                    }),
                }
            }
            (Doing::Iterating(iterating), LaneId::Item(n)) => {
                iterating.item(*n).map(|at| iterating.open[at].lane.own_mut())
            }
            (_, LaneId::Branch(_) | LaneId::Item(_)) => None,
        }
    }

    /// The frames in its lanes.
    fn below(&self) -> Vec<&Self> {
        match &self.doing {
            Doing::Branching(branching) => {
                branching.branches.iter().filter_map(|branch| branch.lane()?.frame.as_deref()).collect()
            }
            Doing::Iterating(iterating) => {
                iterating.open.iter().filter_map(|item| item.lane.frame.as_deref()).collect()
            }
            Doing::Calling { .. }
            | Doing::BackingOff { .. }
            | Doing::Asking { .. }
            | Doing::Awaiting { .. }
            | Doing::Pausing { .. }
            | Doing::Reading { .. }
            | Doing::Running(_) => Vec::new(),
        }
    }
}

impl Iterating {
    /// Where among the open ones an item is.
    pub(super) fn item(&self, n: u32) -> Option<usize> {
        self.open.binary_search_by_key(&n, |item| item.n).ok()
    }

    /// Keeps an item's result.
    pub(super) fn keep(&mut self, n: u32, result: Value) {
        let at = n as usize;
        if self.results.len() <= at {
            self.results.resize(at + 1, None);
        }
        self.results[at] = Some(result);
    }
}

impl Lane {
    fn own_mut(&mut self) -> Own<'_> {
        Own { values: &mut self.own, merged: Some(&mut self.merged), held: Some(&mut self.held) }
    }
}

impl Branch {
    fn lane(&self) -> Option<&Lane> {
        if let BranchStands::Open(lane) = &self.stands { Some(lane) } else { None }
    }

    pub(super) fn lane_mut(&mut self) -> Option<&mut Lane> {
        if let BranchStands::Open(lane) = &mut self.stands { Some(lane) } else { None }
    }

    pub(super) fn over(&self) -> Option<&LaneOver> {
        if let BranchStands::Over(over) = &self.stands { Some(over) } else { None }
    }
}

impl State {
    /// Every frame of the tree, each before those in its lanes, in order.
    pub fn standing(&self) -> impl Iterator<Item = &Frame> {
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
    pub(super) fn own_mut(&mut self, within: &[Within]) -> Option<Own<'_>> {
        let Some((last, around)) = within.split_last() else {
            return Some(Own { values: &mut self.context, merged: None, held: None });
        };
        let frame = match around {
            [] => self.frames.first_mut()?,
            around => self.lane_mut(around)?.frame.as_deref_mut()?,
        };
        if frame.place.step != last.step || frame.place.visit != last.visit {
            return None;
        }
        frame.own_mut(&last.lane)
    }

    /// The frame at a place.
    pub fn frame(&self, place: &Place) -> Option<&Frame> {
        self.frame_in(&place.within).filter(|frame| frame.place == *place)
    }

    pub(super) fn frame_mut(&mut self, place: &Place) -> Option<&mut Frame> {
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

    pub(super) fn take_frame(&mut self, place: &Place) -> Option<Frame> {
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
                context.lay_over(Arc::clone(&lane.own));
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
    pub(super) fn passed_on_the_way(&self, within: &[Within]) -> Vec<Passed> {
        let lanes = (1..=within.len()).filter_map(|depth| self.lane(&within[..depth]));
        self.passed.iter().chain(lanes.flat_map(|lane| &lane.passed)).cloned().collect()
    }
}

fn lane_below<'f>(frame: &'f mut Frame, at: &Within) -> Option<&'f mut Lane> {
    if frame.place.step != at.step || frame.place.visit != at.visit {
        return None;
    }
    frame.lane_mut(&at.lane)
}
