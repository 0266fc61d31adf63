//! While a request is open again, nothing else goes on that may follow from it: what comes due in other branches and items
//! waits until it is approved anew, and is given up if it isn't.

use super::super::{
    address::StepAddress,
    fact::StepState,
    frames::Activity,
    state::{OpenRequest, ResumePoint},
    transition::{Next, Transition},
};
use crate::ids::ApprovalId;

impl OpenRequest {
    /// Where the run stands with it: the step that asked, or the effect that waits for it to be approved anew.
    pub(in crate::machine) fn stands_at(&self) -> &StepAddress {
        self.resumes.as_ref().map_or(&self.place, |resumes| &resumes.place)
    }

    /// Whether a step may not go on before this request is approved anew.
    fn suspends(&self, place: &StepAddress) -> bool {
        self.resumes.is_some() && self.early_outcome.is_none() && place.within.starts_with(&self.place.within)
    }
}

impl Transition<'_> {
    /// Lets a step that comes due wait where a request that it may follow from is open again.
    pub(in crate::machine) fn suspend(&mut self, place: &StepAddress, index: u32) -> Option<Next> {
        // Requests are few, and most runs have none.
        let open_again = self.state.requests.iter().find(|(_, request)| request.suspends(place));
        let approval_id = *open_again?.0;
        if !self.state.looks_ahead() || self.ahead.is_some() {
            return None;
        }
        let point = ResumePoint { place: place.clone(), index };
        let stands =
            |at: &ResumePoint, state: &super::super::State| is_asked_at(state, &at.place, approval_id);
        let is_dangling = self
            .state
            .requests
            .get(&approval_id)
            .and_then(|request| request.resumes.as_ref())
            .is_none_or(|at| !stands(at, self.state));
        let request = self.state.requests.get_mut(&approval_id)?;
        if is_dangling {
            request.resumes = Some(point);
        } else {
            request.suspended.push(point);
        }
        self.fact(place, StepState::Waiting).reason =
            Some("Waits: what was approved is asked again".to_owned());
        Some(self.set_frame(place, Activity::AwaitingApproval { approval_id }))
    }

    /// Goes on with the steps that waited for a request to be approved anew.
    pub(super) fn resume_suspended(&mut self, approval_id: ApprovalId, points: &[ResumePoint]) {
        for point in points {
            // It may have been given up by what went on before it.
            if self.is_asked_at(&point.place, approval_id) {
                let next = self.resume_effects(point);
                self.continue_from(&point.place, next);
            }
        }
    }

    /// Whether a step stands and waits for a request.
    pub(super) fn is_asked_at(&self, place: &StepAddress, approval_id: ApprovalId) -> bool {
        is_asked_at(self.state, place, approval_id)
    }

    /// A request that was open again isn't approved: what stands in its lane is given up, whatever it has begun.
    pub(super) fn leave_lane_of(&mut self, asked: &StepAddress, because: &str) {
        let Some(frame) = self.state.frame_in(&asked.within).cloned() else { return };
        self.take_frame(&frame.place);
        if !matches!(frame.activity, Activity::AwaitingApproval { .. }) {
            self.withdraw_inside(&frame.place, because);
            self.abandon(frame, because);
        }
    }

    /// A step that waited for a request is given up.
    pub(in crate::machine) fn forget_suspended(&mut self, place: &StepAddress, approval_id: ApprovalId) {
        if let Some(request) = self.state.requests.get_mut(&approval_id) {
            request.suspended.retain(|point| point.place != *place);
            if request.resumes.as_ref().is_some_and(|point| point.place == *place)
                && let Some(next) = (!request.suspended.is_empty()).then(|| request.suspended.remove(0))
            {
                request.resumes = Some(next);
            }
        }
    }
}

fn is_asked_at(state: &super::super::State, place: &StepAddress, approval_id: ApprovalId) -> bool {
    state.frame(place).is_some_and(|frame| frame.activity == Activity::AwaitingApproval { approval_id })
}
