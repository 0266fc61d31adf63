//! The tree of frames of a run: finding, setting and removing a frame by its address, and what a lane sees.

use super::{
    address::{StepAddress, Within},
    fact::PassedCondition,
    frames::{ContextWrites, Frame, Lane},
    state::State,
};
use crate::{ids::StepId, workflow::Context};
use std::sync::Arc;

impl State {
    /// All frames of the tree in document order, each before those in its lanes.
    pub fn all_frames(&self) -> impl Iterator<Item = &Frame> {
        let mut open: Vec<&Frame> = self.root.iter().collect();
        std::iter::from_fn(move || {
            let frame = open.pop()?;
            open.extend(frame.below().into_iter().rev());
            Some(frame)
        })
    }

    /// The frame of the run or of a lane.
    pub(super) fn frame_in(&self, within: &[Within]) -> Option<&Frame> {
        match within {
            [] => self.root.as_ref(),
            within => self.lane(within)?.frame.as_deref(),
        }
    }

    pub(super) fn lane(&self, within: &[Within]) -> Option<&Lane> {
        let mut lane: Option<&Lane> = None;
        for at in within {
            let frame = match lane {
                None => self.root.as_ref()?,
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
        let mut lane = lane_below(self.root.as_mut()?, first)?;
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
            [] => self.root.as_mut()?,
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
            [] => self.root.as_mut(),
            within => self.lane_mut(within)?.frame.as_deref_mut(),
        };
        frame.filter(|frame| frame.place == *place)
    }

    /// Sets the frame of the run, or of the lane of its address.
    pub(super) fn put_frame(&mut self, frame: Frame) {
        if frame.place.within.is_empty() {
            self.root = Some(frame);
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
            [] => self.root.take(),
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
