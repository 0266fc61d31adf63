//! The address of a place in a run: what timers, idempotency keys and trace entries carry.

use crate::ids::StepId;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The address of a place in a run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StepAddress {
    /// The step.
    pub step: StepId,
    /// Which visit of the step in its branch or item, counted from 1.
    pub visit: u32,
    /// The branches and items that it stands in, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub within: Vec<Within>,
}

/// A branch or an item that a place stands in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Within {
    /// The `parallel` or `foreach` step.
    pub step: StepId,
    /// Which visit of that step, counted from 1.
    pub visit: u32,
    /// Which branch or item of it.
    #[serde(flatten)]
    pub lane: LaneId,
}

/// Which branch or item of a step.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LaneId {
    /// A branch, by its id.
    Branch(String),
    /// An item, by its number from 0.
    Item(u32),
}

/// The step id of what is loaded before the first step; no step of a document can have it.
pub const LOADING: &str = "$context";

impl StepAddress {
    /// The address of what is loaded before the first step.
    pub(super) fn of_loading() -> Self {
        Self { step: StepId(LOADING.to_owned()), visit: 1, within: Vec::new() }
    }

    /// Whether it is that.
    pub(super) fn is_loading(&self) -> bool {
        self.within.is_empty() && self.step.as_str() == LOADING
    }

    /// The branches and items of what stands in a lane of this place.
    pub(super) fn inside(&self, lane: LaneId) -> Vec<Within> {
        let mut within = self.within.clone();
        within.push(Within { step: self.step.clone(), visit: self.visit, lane });
        within
    }

    /// The place that the last of these lanes belongs to, with that lane.
    pub(super) fn of_lane(within: &[Within]) -> Option<(Self, &LaneId)> {
        let (last, rest) = within.split_last()?;
        let place = Self { step: last.step.clone(), visit: last.visit, within: rest.to_vec() };
        Some((place, &last.lane))
    }

    /// Whether it stands in a lane of another place, however deep.
    pub(super) fn is_inside(&self, other: &Self) -> bool {
        let depth = other.within.len();
        self.within.get(depth).is_some_and(|w| w.step == other.step && w.visit == other.visit)
            && self.within[..depth] == other.within
    }
}

/// The step and visit first, then the lanes: `fetch:1:each.1.7`.
impl fmt::Display for StepAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.step, self.visit)?;
        self.within.iter().try_for_each(|within| write!(f, ":{within}"))
    }
}

/// `each.1.7`: the step, its visit, and the branch or item.
impl fmt::Display for Within {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.lane {
            LaneId::Branch(id) => write!(f, "{}.{}.{id}", self.step, self.visit),
            LaneId::Item(n) => write!(f, "{}.{}.{n}", self.step, self.visit),
        }
    }
}

/// Branches and items in the form that an address has them: `each.1.7:both.1.left`.
pub(super) fn lanes(within: &[Within]) -> String {
    within.iter().map(Within::to_string).collect::<Vec<_>>().join(":")
}
