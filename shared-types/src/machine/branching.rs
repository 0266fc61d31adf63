//! `condition` and `switch`: one way or the other, and why.

use super::{
    Refused,
    command::{Command, Passed},
    place::Place,
    state::Doing,
    turn::{Failure, Flow, Turn},
};
use crate::{
    ids::StepId,
    workflow::{
        condition::Condition,
        evaluate::{GroupOp, Why, evaluate},
        rule::Rule,
        scope::Scope,
        step::{Case, RuleVersion, Step, StepKind},
    },
};
use serde_json::json;

/// How many passed conditions a run remembers for its requests.
const MAX_PASSED: usize = 50;

impl Turn<'_> {
    pub(super) fn condition(&mut self, step: &Step, place: &Place) -> Result<Flow, Failure> {
        let StepKind::Condition { condition, rule_id, rule, .. } = &step.kind else { return Ok(Flow::Stay) };
        if let Some(condition) = condition {
            return self.ask_and_go(step, place, condition);
        }
        let Some(rule_id) = rule_id else {
            return Err(Failure::new("condition.missing", "There is nothing to ask."));
        };
        if *rule == Some(RuleVersion::Latest) {
            self.command(Command::ReadRule { place: place.clone(), rule_id: rule_id.clone() });
            return Ok(self.stand(place, Doing::Reading { rule_id: rule_id.clone() }));
        }
        let definition = self.definition;
        let rule = definition.rule(rule_id).ok_or_else(|| no_rule(rule_id))?;
        self.ask_rule(step, place, rule_id, rule)
    }

    /// A stored rule was read.
    pub(super) fn rule_read(&mut self, place: &Place, rule: Option<&Rule>) -> Result<(), Refused> {
        if self.state.end.is_some() {
            return Err(Refused::Ended);
        }
        let Some(Doing::Reading { rule_id }) = self.frame(place).map(|frame| &frame.doing) else {
            return Err(Refused::NotExpected);
        };
        let rule_id = rule_id.clone();
        let Some(step) = self.definition.step(&place.step) else { return Err(Refused::NotExpected) };
        self.take_frame(place);
        let asked = match rule {
            Some(rule) => self.ask_rule(step, place, &rule_id, rule),
            None => Err(no_rule(&rule_id)),
        };
        let flow = asked.unwrap_or_else(|failure| self.step_failed(place, failure));
        self.follow(place, flow);
        Ok(())
    }

    fn ask_rule(&mut self, step: &Step, place: &Place, id: &str, rule: &Rule) -> Result<Flow, Failure> {
        let flow = self.ask_and_go(step, place, &rule.condition)?;
        let fact = self.last_fact();
        fact.reason =
            fact.reason.take().map(|reason| format!("Rule {id}, version {}: {reason}", rule.version));
        fact.input = Some(json!({ "rule_id": id, "version": rule.version }));
        Ok(flow)
    }

    fn ask_and_go(&mut self, step: &Step, place: &Place, condition: &Condition) -> Result<Flow, Failure> {
        let StepKind::Condition { on_true, on_false, .. } = &step.kind else { return Ok(Flow::Stay) };
        let why = self.ask(place, condition)?;
        let next = if why.holds() { on_true } else { on_false }.as_ref().or(step.next.as_ref());
        let sentence = why.sentence();
        let flow = match next {
            Some(next) => Flow::To(next.clone()),
            None if on_true.is_some() || on_false.is_some() => Flow::End(None),
            // A branch that ends in a condition without links passes when that is true.
            None => {
                let failure = Failure::new("condition.false", sentence.clone()).at(&place.step);
                self.in_order(place, Some(failure).filter(|_| !why.holds()))
            }
        };
        self.passed(place, &why);
        Ok(self.done(place, sentence, Some(why), flow))
    }

    pub(super) fn switch(
        &mut self,
        step: &Step,
        place: &Place,
        cases: &[Case],
        default: Option<&StepId>,
    ) -> Result<Flow, Failure> {
        let has_links = default.is_some() || cases.iter().any(|case| case.next.is_some());
        let flow = |turn: &Self, next: Option<&StepId>| match next.or(step.next.as_ref()) {
            Some(next) => Flow::To(next.clone()),
            None if has_links => Flow::End(None),
            None => turn.in_order(place, None),
        };
        let mut asked = Vec::new();
        for case in cases {
            let why = self.ask(place, &case.when)?;
            if why.holds() {
                self.passed(place, &why);
                let flow = flow(self, case.next.as_ref());
                return Ok(self.done(place, why.sentence(), Some(why), flow));
            }
            asked.push(why);
        }
        let why = Why::Group { op: GroupOp::Or, of: asked, result: false };
        let reason = format!("None of {} cases holds", cases.len());
        let flow = flow(self, default);
        Ok(self.done(place, reason, Some(why), flow))
    }

    fn ask(&self, place: &Place, condition: &Condition) -> Result<Why, Failure> {
        let context = self.context(place);
        let scope = Scope::masked(&context, self.stamp.at);
        evaluate(condition, &scope).map_err(|error| Failure::new("condition.failed", format!("{error}.")))
    }

    fn passed(&mut self, place: &Place, why: &Why) {
        let passed = match place.within.as_slice() {
            [] => Some(&mut self.state.passed),
            within => self.state.lane_mut(within).map(|lane| &mut lane.passed),
        };
        let Some(passed) = passed else { return };
        if passed.len() == MAX_PASSED {
            passed.remove(0);
        }
        passed.push(Passed { step_id: place.step.clone(), reason: why.sentence(), why: why.clone() });
    }
}

fn no_rule(rule_id: &str) -> Failure {
    Failure::new("rule.missing", format!("There is no rule {rule_id}."))
}
