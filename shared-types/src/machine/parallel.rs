//! `parallel`: branches entered in order, and the strategy that says when the whole is decided.

use super::{
    command::{Command, StepState},
    input::Timer,
    lanes::{Branch, BranchStands, Branching, Lane, LaneOutcome, LaneOver},
    limits::MAX_NESTING,
    place::{LaneId, Place},
    state::{Doing, RunError},
    turn::{Failure, Flow, Over, Turn},
};
use crate::workflow::step::{Parallel, Step, Strategy};
use serde_json::{Map, Value, json};

/// What a parallel step came to.
enum Decided {
    Passed(String),
    NotPassed(Failure),
}

impl Turn<'_> {
    pub(super) fn parallel(
        &mut self,
        step: &Step,
        place: &Place,
        parallel: &Parallel,
    ) -> Result<Flow, Failure> {
        not_too_deep(place)?;
        let strategy = parallel.strategy.unwrap_or(Strategy::AllMustPass);
        let branches: Vec<Branch> = parallel
            .branches()
            .map(|(id, _)| Branch { id: id.to_owned(), stands: BranchStands::Ahead })
            .collect();
        let until = self.bound(step, place);
        let fact = self.fact(place, StepState::Entered);
        fact.reason =
            Some(format!("{}, {}", count_of(branches.len(), "branch", "branches"), rule_of(strategy)));
        self.stand(place, Doing::Branching(Box::new(Branching { strategy, until, branches })));
        Ok(self.branches_go_on(place))
    }

    /// Sets the timer that bounds a whole step, where it has one.
    pub(super) fn bound(&mut self, step: &Step, place: &Place) -> Option<chrono::DateTime<chrono::Utc>> {
        let at = self.stamp.at + step.timeout.as_ref()?.duration();
        self.command(Command::SetTimer { timer: Timer::StepOver { place: place.clone() }, at });
        Some(at)
    }

    fn branching(&self, place: &Place) -> Option<&Branching> {
        if let Doing::Branching(branching) = &self.frame(place)?.doing { Some(branching) } else { None }
    }

    fn branching_mut(&mut self, place: &Place) -> Option<&mut Branching> {
        let doing = &mut self.state.frame_mut(place)?.doing;
        if let Doing::Branching(branching) = doing { Some(branching) } else { None }
    }

    /// Enters the branches that are ahead, one after the other, until the whole is decided.
    pub(super) fn branches_go_on(&mut self, place: &Place) -> Flow {
        loop {
            let Some(branching) = self.branching(place) else { return Flow::Stay };
            if let Some(decided) = decided(branching) {
                return self.branches_over(place, decided);
            }
            let ahead = branching.branches.iter().position(|b| matches!(b.stands, BranchStands::Ahead));
            let Some(n) = ahead else { return Flow::Stay };
            let id = branching.branches[n].id.clone();
            if let Some(branching) = self.branching_mut(place) {
                branching.branches[n].stands = BranchStands::Open(Box::default());
            }
            let lane = LaneId::Branch(id);
            let first = self.definition.first_of(&place.step, n);
            let flow = first.map_or(Flow::End(None), |first| Flow::To(first.id.clone()));
            if let Some(over) = self.go_on(&place.inside(lane.clone()), flow) {
                self.lane_over(place, &lane, over);
            }
        }
    }

    pub(super) fn branch_over(&mut self, place: &Place, id: &str, over: Over) {
        let branch = self.branching_mut(place).and_then(|b| b.branches.iter_mut().find(|b| b.id == id));
        let Some(branch) = branch else { return };
        let refused = branch.lane_mut().and_then(|lane| lane.refused.take());
        let error = match over {
            Over::Ended(error) => error.or(refused),
            Over::Failed(error) => Some(error),
        };
        let outcome = if error.is_none() { LaneOutcome::Passed } else { LaneOutcome::Failed };
        if let BranchStands::Open(lane) = &mut branch.stands {
            let Lane { own, merged, held, .. } = std::mem::take(lane.as_mut());
            branch.stands = BranchStands::Over(Box::new(LaneOver { outcome, error, own, merged, held }));
        }
    }

    /// The whole is decided: what is undecided is cancelled, and what the branches put there is merged.
    fn branches_over(&mut self, place: &Place, decided: Decided) -> Flow {
        let because = match &decided {
            Decided::Passed(reason) => reason.clone(),
            Decided::NotPassed(failure) => failure.message.clone(),
        };
        self.cancel_lanes(place, &because);
        let frame = self.take_frame(place);
        let entered = frame.as_ref().map_or(self.stamp.at, |frame| frame.entered_at);
        let Some(Doing::Branching(branching)) = frame.map(|frame| frame.doing) else { return Flow::Stay };
        if branching.until.is_some() {
            self.command(Command::ClearTimer { timer: Timer::StepOver { place: place.clone() } });
        }
        let outcomes = self.give_all(place, *branching);
        let flow = match decided {
            Decided::NotPassed(failure) => self.step_failed(place, failure),
            Decided::Passed(reason) => {
                let next = self.definition.step(&place.step).and_then(|step| step.next.as_ref());
                let flow = self.onward(place, next);
                self.done(place, reason, None, flow)
            }
        };
        let took = super::waiting::milliseconds(self.stamp.at - entered);
        let fact = self.last_fact();
        fact.duration_ms = Some(took);
        fact.output = Some(json!({ "next": flow.next(), "branches": outcomes }));
        flow
    }

    /// Gives what the branches put into the context, in the document's order, and keeps their outcomes.
    pub(super) fn give_all(&mut self, place: &Place, branching: Branching) -> Map<String, Value> {
        let mut outcomes = Map::new();
        for branch in branching.branches {
            let BranchStands::Over(over) = branch.stands else { continue };
            outcomes.insert(branch.id, outcome_value(over.outcome, over.error.as_ref()));
            self.give(&place.within, *over);
        }
        self.put_for_step(&place.within, &place.step, "branches", Value::Object(outcomes.clone()));
        outcomes
    }

    /// A lane of a place is over.
    pub(super) fn lane_over(&mut self, place: &Place, lane: &LaneId, over: Over) {
        match lane {
            LaneId::Branch(id) => self.branch_over(place, id, over),
            LaneId::Item(n) => self.item_over(place, *n, over),
        }
    }

    /// The step at a place goes on after one of its lanes is over.
    pub(super) fn lanes_go_on(&mut self, place: &Place, lane: &LaneId) -> Flow {
        match lane {
            LaneId::Branch(_) => self.branches_go_on(place),
            LaneId::Item(_) => self.items_go_on(place),
        }
    }
}

/// Whether there is room for branches or bodies in a place.
pub(super) fn not_too_deep(place: &Place) -> Result<(), Failure> {
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
fn decided(branching: &Branching) -> Option<Decided> {
    let all = branching.branches.len();
    let over = || branching.branches.iter().filter_map(|branch| Some((branch, branch.over()?)));
    let passed = || over().filter(|(_, over)| over.outcome == LaneOutcome::Passed);
    let failed = || over().filter(|(_, over)| over.outcome == LaneOutcome::Failed);
    let is_through = over().count() == all;
    let branches = |n| count_of(n, "branch", "branches");
    match branching.strategy {
        Strategy::AllMustPass => match failed().next() {
            Some((branch, over)) => Some(Decided::NotPassed(failure_of(branch, over))),
            None if is_through && all == 1 => Some(Decided::Passed("The branch passed".to_owned())),
            None if is_through => Some(Decided::Passed(format!("All {} passed", branches(all)))),
            None => None,
        },
        Strategy::AnyCanPass => match passed().next() {
            Some((branch, _)) => Some(Decided::Passed(format!("The branch {} passed", branch.id))),
            None if is_through => {
                let message = format!("None of {} passed.", branches(all));
                Some(Decided::NotPassed(Failure::new("parallel.none_passed", message)))
            }
            None => None,
        },
        Strategy::BestEffort if is_through => {
            let reason = match (passed().count(), failed().count()) {
                (_, 0) => format!("All {} passed", branches(all)),
                (0, _) => format!("None of {} passed", branches(all)),
                (passed, failed) => format!("{} passed, {failed} failed", branches(passed)),
            };
            Some(Decided::Passed(reason))
        }
        Strategy::BestEffort => None,
    }
}

fn failure_of(branch: &Branch, over: &LaneOver) -> Failure {
    let message = match &over.error {
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
