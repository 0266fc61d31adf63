//! `condition` and `switch`: one way or the other, and why.

use super::{
    command::Passed,
    state::Place,
    turn::{Failure, Flow, Turn},
};
use crate::{
    ids::StepId,
    workflow::{
        condition::Condition,
        evaluate::{GroupOp, Why, evaluate},
        scope::Scope,
        step::Case,
    },
};

/// How many passed conditions a run remembers for its requests.
const MAX_PASSED: usize = 50;

impl Turn<'_> {
    pub(super) fn condition(
        &mut self,
        place: &Place,
        condition: Option<&Condition>,
        on_true: Option<&StepId>,
        on_false: Option<&StepId>,
    ) -> Result<Flow, Failure> {
        let Some(condition) = condition else {
            return Err(Failure::new("unsupported", "This version can't ask stored rules."));
        };
        let why = self.ask(condition)?;
        let next = if why.holds() { on_true } else { on_false };
        self.passed(place, &why);
        Ok(self.done(place, why.sentence(), Some(why), next))
    }

    pub(super) fn switch(
        &mut self,
        place: &Place,
        cases: &[Case],
        default: Option<&StepId>,
    ) -> Result<Flow, Failure> {
        let mut asked = Vec::new();
        for case in cases {
            let why = self.ask(&case.when)?;
            if why.holds() {
                self.passed(place, &why);
                return Ok(self.done(place, why.sentence(), Some(why), case.next.as_ref()));
            }
            asked.push(why);
        }
        let why = Why::Group { op: GroupOp::Or, of: asked, result: false };
        let reason = format!("None of {} cases holds", cases.len());
        Ok(self.done(place, reason, Some(why), default))
    }

    fn ask(&self, condition: &Condition) -> Result<Why, Failure> {
        let scope = Scope::masked(&self.state.context, self.stamp.at);
        evaluate(condition, &scope).map_err(|error| Failure::new("condition.failed", format!("{error}.")))
    }

    fn passed(&mut self, place: &Place, why: &Why) {
        if self.state.passed.len() == MAX_PASSED {
            self.state.passed.remove(0);
        }
        let passed = Passed { step_id: place.step.clone(), reason: why.sentence(), why: why.clone() };
        self.state.passed.push(passed);
    }
}
