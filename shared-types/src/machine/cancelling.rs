//! Giving up what stands in the lanes of a place, or anywhere: calls, timers, waits, requests, child runs.

use super::{
    Refused,
    command::{Command, StepState},
    input::Timer,
    lanes::{BranchStands, LaneOutcome, LaneOver},
    parallel::outcome_value,
    place::{LaneId, Place},
    state::{Doing, Frame, GivenUp},
    turn::{Failure, Turn},
};
use crate::workflow::duration::in_words;
use serde_json::Value;

impl Turn<'_> {
    /// Cancels what is under way in a place's lanes; what wasn't entered is skipped.
    pub(super) fn cancel_lanes(&mut self, place: &Place, because: &str) {
        self.withdraw_inside(place, because);
        let Some(mut frame) = self.take_frame(place) else { return };
        self.cancel_in(place, &mut frame.doing, because);
        self.state.put_frame(frame);
    }

    fn cancel_in(&mut self, place: &Place, doing: &mut Doing, because: &str) {
        match doing {
            Doing::Branching(branching) => {
                for (n, branch) in branching.branches.iter_mut().enumerate() {
                    let outcome = match &mut branch.stands {
                        BranchStands::Over(_) => continue,
                        BranchStands::Ahead => {
                            self.skip(place, n, &branch.id, because);
                            LaneOutcome::Skipped
                        }
                        BranchStands::Open(lane) => {
                            if let Some(frame) = lane.frame.take() {
                                self.give_up(*frame, because);
                            }
                            self.let_go(lane.held);
                            LaneOutcome::Cancelled
                        }
                    };
                    branch.stands = BranchStands::Over(Box::new(LaneOver::empty(outcome)));
                }
            }
            Doing::Iterating(iterating) => {
                for item in std::mem::take(&mut iterating.open) {
                    if let Some(frame) = item.lane.frame {
                        self.give_up(*frame, because);
                    }
                    self.let_go(item.lane.held);
                    iterating.keep(item.n, outcome_value(LaneOutcome::Cancelled, None));
                }
                let skipped = outcome_value(LaneOutcome::Skipped, None);
                iterating.results.resize(iterating.items.len(), None);
                for result in iterating.results.iter_mut().filter(|result| result.is_none()) {
                    *result = Some(skipped.clone());
                }
            }
            Doing::Calling { .. }
            | Doing::BackingOff { .. }
            | Doing::Asking { .. }
            | Doing::Awaiting { .. }
            | Doing::Pausing { .. }
            | Doing::Reading { .. }
            | Doing::Running(_) => {}
        }
    }

    /// A branch that wasn't entered: its first step is skipped.
    fn skip(&mut self, place: &Place, n: usize, id: &str, because: &str) {
        let Some(first) = self.definition.first_of(&place.step, n) else { return };
        let within = place.inside(LaneId::Branch(id.to_owned()));
        let place = Place { step: first.id.clone(), visit: 1, within };
        self.fact(&place, StepState::Skipped).reason = Some(because.to_owned());
    }

    /// Gives up what a frame does, and all that stands in it.
    pub(super) fn give_up(&mut self, frame: Frame, because: &str) {
        let Frame { place, mut doing, .. } = frame;
        match &mut doing {
            Doing::Calling { index, attempt } => {
                let (index, attempt) = (*index, *attempt);
                if !self.take_back(&place) {
                    self.state.given_up.insert(GivenUp { place: place.clone(), index, attempt });
                }
            }
            Doing::BackingOff { index, .. } => {
                let timer = Timer::Retry { place: place.clone(), index: *index };
                self.command(Command::ClearTimer { timer });
            }
            Doing::Awaiting { until, .. } => {
                let is_bound = until.is_some();
                self.command(Command::StopAwaiting { place: place.clone() });
                if is_bound {
                    self.command(Command::ClearTimer { timer: Timer::WaitOver { place: place.clone() } });
                }
            }
            Doing::Pausing { .. } => {
                self.command(Command::ClearTimer { timer: Timer::WaitOver { place: place.clone() } });
            }
            Doing::Running(child) => {
                let (execution_id, is_bound) = (child.execution_id, child.until.is_some());
                if !self.take_back(&place) {
                    self.command(Command::StopRun { execution_id, because: because.to_owned() });
                }
                if is_bound {
                    self.command(Command::ClearTimer { timer: Timer::StepOver { place: place.clone() } });
                }
            }
            Doing::Branching(branching) => {
                if branching.until.is_some() {
                    self.command(Command::ClearTimer { timer: Timer::StepOver { place: place.clone() } });
                }
            }
            Doing::Iterating(iterating) => {
                if iterating.until.is_some() {
                    self.command(Command::ClearTimer { timer: Timer::StepOver { place: place.clone() } });
                }
            }
            Doing::Reading { .. } => {
                self.take_back(&place);
            }
            // The request is withdrawn with all others inside.
            Doing::Asking { .. } => {}
        }
        self.cancel_in(&place, &mut doing, because);
        self.let_go_of(&doing);
        self.fact(&place, StepState::Cancelled).reason = Some(because.to_owned());
    }

    /// Takes back what this very turn commanded for a place and nobody has begun; true where there was some.
    fn take_back(&mut self, place: &Place) -> bool {
        let before = self.out.commands.len();
        self.out.commands.retain(|command| match command {
            Command::Perform(call) => call.place != *place,
            Command::StartRun(start) => start.place != *place,
            Command::ReadRule { place: read, .. } => read != place,
            Command::StopRun { .. }
            | Command::SetTimer { .. }
            | Command::ClearTimer { .. }
            | Command::Ask(_)
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
    fn keep_cut_off(&mut self, place: &Place, doing: Doing, because: &str) {
        match doing {
            Doing::Branching(branching) => drop(self.give_all(place, *branching)),
            Doing::Iterating(iterating) => {
                self.let_go(iterating.held);
                let results = iterating.results.into_iter().flatten().collect();
                self.put_for_step(&place.within, &place.step, "items", Value::Array(results));
            }
            Doing::Running(child) => {
                let because = because.to_owned();
                self.command(Command::StopRun { execution_id: child.execution_id, because });
            }
            Doing::Calling { .. }
            | Doing::BackingOff { .. }
            | Doing::Asking { .. }
            | Doing::Awaiting { .. }
            | Doing::Pausing { .. }
            | Doing::Reading { .. } => {}
        }
    }

    /// The time of a whole step is over: what stands in it is given up, and it fails.
    pub(super) fn step_over(&mut self, place: &Place) -> Result<(), Refused> {
        let bounded = self.frame(place).and_then(|frame| frame.doing.until());
        let step = self.definition.step(&place.step).filter(|_| bounded.is_some());
        let Some(timeout) = step.and_then(|step| step.timeout.as_ref()) else {
            return Err(Refused::NotExpected);
        };
        let message = format!("It wasn't through in {}.", in_words(timeout.duration()));
        self.cancel_lanes(place, &message);
        let entered = self.entered_at(place);
        if let Some(frame) = self.take_frame(place) {
            self.keep_cut_off(place, frame.doing, &message);
        }
        let flow = self.step_failed(place, Failure::new("timeout", message));
        self.last_fact().duration_ms = Some(super::waiting::milliseconds(self.stamp.at - entered));
        self.follow(place, flow);
        Ok(())
    }
}
