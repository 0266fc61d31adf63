//! `parallel`: branches entered in order, and the strategy that says when the whole is decided.

use super::{
    address::{LaneId, StepAddress},
    command::Command,
    fact::StepState,
    failure::{Failure, RunError},
    frames::{Activity, BranchRun, BranchState, CompletedLane, Lane, LaneOutcome, ParallelState},
    input::Timer,
    limits::MAX_NESTING,
    transition::{Completion, Next, Transition},
};
use crate::workflow::step::{Parallel, Step, Strategy};
use serde_json::{Map, Value, json};

/// What a parallel step came to.
enum ParallelOutcome {
    Passed(String),
    NotPassed(Failure),
}

impl Transition<'_> {
    pub(super) fn parallel(
        &mut self,
        step: &Step,
        place: &StepAddress,
        parallel: &Parallel,
    ) -> Result<Next, Failure> {
        check_nesting(place)?;
        let strategy = parallel.strategy.unwrap_or(Strategy::AllMustPass);
        let branches: Vec<BranchRun> = parallel
            .branches()
            .map(|(id, _)| BranchRun { id: id.to_owned(), state: BranchState::NotEntered })
            .collect();
        let until = self.set_step_timeout(step, place);
        let fact = self.fact(place, StepState::Entered);
        fact.reason =
            Some(format!("{}, {}", count_of(branches.len(), "branch", "branches"), rule_of(strategy)));
        self.set_frame(place, Activity::Parallel(Box::new(ParallelState { strategy, until, branches })));
        Ok(self.advance_branches(place))
    }

    /// Sets the timer that bounds a whole step, where it has one.
    pub(super) fn set_step_timeout(
        &mut self,
        step: &Step,
        place: &StepAddress,
    ) -> Option<chrono::DateTime<chrono::Utc>> {
        let at = self.stamp.at + step.timeout.as_ref()?.duration();
        self.command(Command::SetTimer { timer: Timer::StepTimeout { place: place.clone() }, at });
        Some(at)
    }

    fn parallel_state(&self, place: &StepAddress) -> Option<&ParallelState> {
        if let Activity::Parallel(parallel_state) = &self.frame(place)?.activity {
            Some(parallel_state)
        } else {
            None
        }
    }

    fn parallel_state_mut(&mut self, place: &StepAddress) -> Option<&mut ParallelState> {
        let activity = &mut self.state.frame_mut(place)?.activity;
        if let Activity::Parallel(parallel_state) = activity { Some(parallel_state) } else { None }
    }

    /// Enters the branches that are ahead, one after the other, until the whole is decided.
    pub(super) fn advance_branches(&mut self, place: &StepAddress) -> Next {
        loop {
            let Some(parallel_state) = self.parallel_state(place) else { return Next::Stay };
            let ahead =
                parallel_state.branches.iter().position(|b| matches!(b.state, BranchState::NotEntered));
            // Whoever looks ahead passes calls at once; the run itself enters the other branches meanwhile.
            let is_passed_early =
                ahead.is_some() && self.ahead.as_ref().is_some_and(|ahead| ahead.has_waited);
            if let Some(decided) = outcome_of(parallel_state).filter(|_| !is_passed_early) {
                return self.complete_parallel(place, decided);
            }
            let Some(n) = ahead else { return Next::Stay };
            let id = parallel_state.branches[n].id.clone();
            if let Some(parallel_state) = self.parallel_state_mut(place) {
                parallel_state.branches[n].state = BranchState::Running(Box::default());
            }
            let lane = LaneId::Branch(id);
            let first = self.definition.first_of(&place.step, n);
            let flow = first.map_or(Next::End(None), |first| Next::To(first.id.clone()));
            if let Some(completion) = self.run_lane(&place.inside(lane.clone()), flow) {
                self.complete_lane(place, &lane, completion);
            }
        }
    }

    pub(super) fn complete_branch(&mut self, place: &StepAddress, id: &str, completion: Completion) {
        let branch = self.parallel_state_mut(place).and_then(|b| b.branches.iter_mut().find(|b| b.id == id));
        let Some(branch) = branch else { return };
        let refused = branch.lane_mut().and_then(|lane| lane.rejection.take());
        let error = match completion {
            Completion::Ended(error) => error.or(refused),
            Completion::Failed(error) => Some(error),
        };
        let outcome = if error.is_none() { LaneOutcome::Passed } else { LaneOutcome::Failed };
        if let BranchState::Running(lane) = &mut branch.state {
            let Lane { values, merged, context_bytes, .. } = std::mem::take(lane.as_mut());
            branch.state = BranchState::Completed(Box::new(CompletedLane {
                outcome,
                error,
                values,
                merged,
                context_bytes,
            }));
        }
    }

    /// The whole is decided: what is undecided is cancelled, and what the branches put there is merged.
    fn complete_parallel(&mut self, place: &StepAddress, decided: ParallelOutcome) -> Next {
        let because = match &decided {
            ParallelOutcome::Passed(reason) => reason.clone(),
            ParallelOutcome::NotPassed(failure) => failure.message.clone(),
        };
        self.cancel_lanes(place, &because);
        let frame = self.take_frame(place);
        let entered = frame.as_ref().map_or(self.stamp.at, |frame| frame.entered_at);
        let Some(Activity::Parallel(parallel_state)) = frame.map(|frame| frame.activity) else {
            return Next::Stay;
        };
        if parallel_state.until.is_some() {
            self.command(Command::ClearTimer { timer: Timer::StepTimeout { place: place.clone() } });
        }
        let outcomes = self.merge_branches(place, *parallel_state);
        let took = super::wait::milliseconds(self.stamp.at - entered);
        let end = match decided {
            ParallelOutcome::NotPassed(failure) => self.step_failed(place, failure),
            ParallelOutcome::Passed(reason) => {
                let next = self.definition.step(&place.step).and_then(|step| step.next.as_ref());
                let flow = self.next_or_following(place, next);
                self.complete_step(place, reason, None, flow)
            }
        };
        end.fact.duration_ms = Some(took);
        end.fact.output = Some(json!({ "next": end.next.next(), "branches": outcomes }));
        end.next
    }

    /// Gives what the branches put into the context, in the document's order, and keeps their outcomes.
    pub(super) fn merge_branches(
        &mut self,
        place: &StepAddress,
        parallel_state: ParallelState,
    ) -> Map<String, Value> {
        let mut outcomes = Map::new();
        for branch in parallel_state.branches {
            let BranchState::Completed(completed) = branch.state else { continue };
            outcomes.insert(branch.id, outcome_value(completed.outcome, completed.error.as_ref()));
            self.merge_values_of(&place.within, *completed);
        }
        self.put_for_step(&place.within, &place.step, "branches", Value::Object(outcomes.clone()));
        outcomes
    }

    /// A lane of a place is over.
    pub(super) fn complete_lane(&mut self, place: &StepAddress, lane: &LaneId, completion: Completion) {
        match lane {
            LaneId::Branch(id) => self.complete_branch(place, id, completion),
            LaneId::Item(n) => self.complete_item(place, *n, completion),
        }
    }

    /// The step at a place goes on after one of its lanes is over.
    pub(super) fn advance_lanes(&mut self, place: &StepAddress, lane: &LaneId) -> Next {
        match lane {
            LaneId::Branch(_) => self.advance_branches(place),
            LaneId::Item(_) => self.advance_items(place),
        }
    }
}

/// Whether there is room for branches or bodies in a place.
pub(super) fn check_nesting(place: &StepAddress) -> Result<(), Failure> {
    if place.within.len() < MAX_NESTING {
        return Ok(());
    }
    let message = format!("Branches and bodies stand more than {MAX_NESTING} deep in each other.");
    Err(Failure::new("limit.nesting", message))
}

/// How a lane's outcome reads in the context.
pub(super) fn outcome_value(outcome: LaneOutcome, error: Option<&RunError>) -> Value {
    let mut value = json!({ "outcome": outcome });
    if let Some(error) = error {
        value["error"] = json!(error);
    }
    value
}

/// Whether the strategy has what it needs.
fn outcome_of(parallel_state: &ParallelState) -> Option<ParallelOutcome> {
    let all = parallel_state.branches.len();
    let completed =
        || parallel_state.branches.iter().filter_map(|branch| Some((branch, branch.completed()?)));
    let passed = || completed().filter(|(_, completed)| completed.outcome == LaneOutcome::Passed);
    let failed = || completed().filter(|(_, completed)| completed.outcome == LaneOutcome::Failed);
    let is_through = completed().count() == all;
    let branches = |n| count_of(n, "branch", "branches");
    match parallel_state.strategy {
        Strategy::AllMustPass => match failed().next() {
            Some((branch, completed)) => Some(ParallelOutcome::NotPassed(failure_of(branch, completed))),
            None if is_through && all == 1 => Some(ParallelOutcome::Passed("The branch passed".to_owned())),
            None if is_through => Some(ParallelOutcome::Passed(format!("All {} passed", branches(all)))),
            None => None,
        },
        Strategy::AnyCanPass => match passed().next() {
            Some((branch, _)) => Some(ParallelOutcome::Passed(format!("The branch {} passed", branch.id))),
            None if is_through => {
                let message = format!("None of {} passed.", branches(all));
                Some(ParallelOutcome::NotPassed(Failure::new("parallel.none_passed", message)))
            }
            None => None,
        },
        Strategy::BestEffort if is_through => {
            let reason = match (passed().count(), failed().count()) {
                (_, 0) => format!("All {} passed", branches(all)),
                (0, _) => format!("None of {} passed", branches(all)),
                (passed, failed) => format!("{} passed, {failed} failed", branches(passed)),
            };
            Some(ParallelOutcome::Passed(reason))
        }
        Strategy::BestEffort => None,
    }
}

fn failure_of(branch: &BranchRun, completed: &CompletedLane) -> Failure {
    let message = match &completed.error {
        Some(RunError { step: Some(step), message, .. }) => {
            format!("The branch {} failed at {step}: {message}", branch.id)
        }
        Some(RunError { message, .. }) => format!("The branch {} failed: {message}", branch.id),
        None => format!("The branch {} failed.", branch.id),
    };
    Failure::new("parallel.branch_failed", message)
}

fn rule_of(strategy: Strategy) -> &'static str {
    match strategy {
        Strategy::AllMustPass => "all must pass",
        Strategy::AnyCanPass => "any can pass",
        Strategy::BestEffort => "best effort",
    }
}

/// `1 branch`, `3 branches`, `10,000 items`.
pub(super) fn count_of(n: usize, one: &str, many: &str) -> String {
    let word = if n == 1 { one } else { many };
    format!("{} {word}", crate::workflow::number::grouped(&n.to_string()))
}
