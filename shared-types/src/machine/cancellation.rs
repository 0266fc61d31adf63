//! Giving up what stands in the lanes of a place, or anywhere: calls, timers, waits, requests, child runs.

use super::{
    InputError,
    address::{LaneId, StepAddress},
    command::Command,
    fact::StepState,
    failure::Failure,
    frames::{Activity, BranchState, CompletedLane, Frame, LaneOutcome},
    input::Timer,
    parallel::outcome_value,
    state::AbandonedCall,
    transition::Transition,
};
use crate::workflow::duration::in_words;
use serde_json::Value;

impl Transition<'_> {
    /// Cancels what is under way in a place's lanes; what wasn't entered is skipped.
    pub(super) fn cancel_lanes(&mut self, place: &StepAddress, because: &str) {
        self.withdraw_inside(place, because);
        let Some(mut frame) = self.take_frame(place) else { return };
        self.cancel_in(place, &mut frame.activity, because);
        self.state.put_frame(frame);
    }

    fn cancel_in(&mut self, place: &StepAddress, activity: &mut Activity, because: &str) {
        match activity {
            Activity::Parallel(parallel_state) => {
                for (n, branch) in parallel_state.branches.iter_mut().enumerate() {
                    let outcome = match &mut branch.state {
                        BranchState::Completed(_) => continue,
                        BranchState::NotEntered => {
                            self.skip(place, n, &branch.id, because);
                            LaneOutcome::Skipped
                        }
                        BranchState::Running(lane) => {
                            if let Some(frame) = lane.frame.take() {
                                self.abandon(*frame, because);
                            }
                            self.release_bytes(lane.context_bytes);
                            LaneOutcome::Cancelled
                        }
                    };
                    branch.state = BranchState::Completed(Box::new(CompletedLane::empty(outcome)));
                }
            }
            Activity::Foreach(foreach_state) => {
                for item in std::mem::take(&mut foreach_state.open) {
                    if let Some(frame) = item.lane.frame {
                        self.abandon(*frame, because);
                    }
                    self.release_bytes(item.lane.context_bytes);
                    foreach_state.save_result(item.n, outcome_value(LaneOutcome::Cancelled, None));
                }
                let skipped = outcome_value(LaneOutcome::Skipped, None);
                foreach_state.results.resize(foreach_state.items.len(), None);
                for result in foreach_state.results.iter_mut().filter(|result| result.is_none()) {
                    *result = Some(skipped.clone());
                }
            }
            Activity::AwaitingEffect { .. }
            | Activity::BackingOff { .. }
            | Activity::AwaitingApproval { .. }
            | Activity::AwaitingEvent { .. }
            | Activity::Sleeping { .. }
            | Activity::LoadingContext(_)
            | Activity::LoadingRule { .. }
            | Activity::AwaitingChild(_) => {}
        }
    }

    /// A branch that wasn't entered: its first step is skipped.
    fn skip(&mut self, place: &StepAddress, n: usize, id: &str, because: &str) {
        let Some(first) = self.definition.first_of(&place.step, n) else { return };
        let within = place.inside(LaneId::Branch(id.to_owned()));
        let place = StepAddress { step: first.id.clone(), visit: 1, within };
        self.fact(&place, StepState::Skipped).reason = Some(because.to_owned());
    }

    /// Gives up what a frame does, and all that stands in it.
    pub(super) fn abandon(&mut self, frame: Frame, because: &str) {
        let Frame { place, mut activity, .. } = frame;
        match &mut activity {
            Activity::AwaitingEffect { index, attempt } => {
                let (index, attempt) = (*index, *attempt);
                if !self.retract(&place) {
                    self.state.abandoned_calls.insert(AbandonedCall { place: place.clone(), index, attempt });
                }
            }
            Activity::BackingOff { index, .. } => {
                let timer = Timer::Retry { place: place.clone(), index: *index };
                self.command(Command::ClearTimer { timer });
            }
            Activity::AwaitingEvent { until, .. } => {
                let is_bound = until.is_some();
                self.command(Command::StopAwaiting { place: place.clone() });
                if is_bound {
                    self.command(Command::ClearTimer { timer: Timer::WaitElapsed { place: place.clone() } });
                }
            }
            Activity::Sleeping { .. } => {
                self.command(Command::ClearTimer { timer: Timer::WaitElapsed { place: place.clone() } });
            }
            Activity::AwaitingChild(child) => {
                let (execution_id, is_bound) = (child.execution_id, child.until.is_some());
                if !self.retract(&place) {
                    self.command(Command::StopRun { execution_id, because: because.to_owned() });
                }
                if is_bound {
                    self.command(Command::ClearTimer { timer: Timer::StepTimeout { place: place.clone() } });
                }
            }
            Activity::Parallel(parallel_state) => {
                if parallel_state.until.is_some() {
                    self.command(Command::ClearTimer { timer: Timer::StepTimeout { place: place.clone() } });
                }
            }
            Activity::Foreach(foreach_state) => {
                if foreach_state.until.is_some() {
                    self.command(Command::ClearTimer { timer: Timer::StepTimeout { place: place.clone() } });
                }
            }
            Activity::LoadingContext(loading) => {
                // The run is told of by what there is.
                drop(self.describe());
                self.abandon_loads(&place, loading);
            }
            Activity::LoadingRule { .. } => {
                self.retract(&place);
            }
            // The request is withdrawn with all others inside; one that was asked outside, and is open again, stays.
            Activity::AwaitingApproval { approval_id } => self.forget_suspended(&place, *approval_id),
        }
        self.cancel_in(&place, &mut activity, because);
        self.release_lanes(&activity);
        self.fact(&place, StepState::Cancelled).reason = Some(because.to_owned());
    }

    /// Takes back what this very turn commanded for a place and nobody has begun; true where there was some.
    pub(super) fn retract(&mut self, place: &StepAddress) -> bool {
        let before = self.out.commands.len();
        self.out.commands.retain(|command| match command {
            Command::Perform(call) => call.place != *place,
            Command::StartRun(start) => start.place != *place,
            Command::ReadRule { place: read, .. } => read != place,
            Command::Load(load) => load.place != *place,
            Command::StopRun { .. }
            | Command::SetTimer { .. }
            | Command::ClearTimer { .. }
            | Command::Ask { .. }
            | Command::RecordDecision { .. }
            | Command::VoidDecisions { .. }
            | Command::UpdateRequest(_)
            | Command::Close { .. }
            | Command::AwaitEvent(_)
            | Command::StopAwaiting { .. }
            | Command::Notify(_)
            | Command::Publish { .. }
            | Command::Finish(_) => true,
        });
        self.out.commands.len() < before
    }

    /// Keeps what a step came to that is cut off, and ends the run that it waited for.
    fn save_partial_results(&mut self, place: &StepAddress, activity: Activity, because: &str) {
        match activity {
            Activity::Parallel(parallel_state) => drop(self.merge_branches(place, *parallel_state)),
            Activity::Foreach(foreach_state) => {
                self.release_bytes(foreach_state.context_bytes);
                let results = foreach_state.results.into_iter().flatten().collect();
                self.put_for_step(&place.within, &place.step, "items", Value::Array(results));
            }
            Activity::AwaitingChild(child) => {
                let because = because.to_owned();
                self.command(Command::StopRun { execution_id: child.execution_id, because });
            }
            Activity::AwaitingEffect { .. }
            | Activity::BackingOff { .. }
            | Activity::AwaitingApproval { .. }
            | Activity::AwaitingEvent { .. }
            | Activity::Sleeping { .. }
            | Activity::LoadingContext(_)
            | Activity::LoadingRule { .. } => {}
        }
    }

    /// The time of a whole step is over: what stands in it is given up, and it fails.
    pub(super) fn step_timed_out(&mut self, place: &StepAddress) -> Result<(), InputError> {
        let bounded = self.frame(place).and_then(|frame| frame.activity.until());
        let step = self.definition.step(&place.step).filter(|_| bounded.is_some());
        let Some(timeout) = step.and_then(|step| step.timeout.as_ref()) else {
            return Err(InputError::NotExpected);
        };
        let message = format!("It wasn't through in {}.", in_words(timeout.duration()));
        self.cancel_lanes(place, &message);
        let entered = self.entered_at(place);
        if let Some(frame) = self.take_frame(place) {
            self.save_partial_results(place, frame.activity, &message);
        }
        let took = super::wait::milliseconds(self.stamp.at - entered);
        let end = self.step_failed(place, Failure::new("timeout", message));
        end.fact.duration_ms = Some(took);
        let flow = end.next;
        self.continue_from(place, flow);
        Ok(())
    }
}
