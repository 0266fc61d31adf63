//! `condition` and `switch`: one way or the other, and why.

use super::{
    InputError,
    address::StepAddress,
    command::Command,
    fact::PassedCondition,
    failure::Failure,
    frames::Activity,
    transition::{Next, StepEnd, Transition},
};
use crate::{
    ids::StepId,
    workflow::{
        condition::Condition,
        evaluate::{GroupOp, Why, evaluate},
        rule::Rule,
        step::{Case, ConditionStep, RuleVersion, Step, StepKind, Test},
    },
};
use serde_json::{Value, json};

/// How many passed conditions a run remembers for its requests.
const MAX_PASSED: usize = 50;

impl Transition<'_> {
    pub(super) fn condition(
        &mut self,
        step: &Step,
        place: &StepAddress,
        test: &Test,
    ) -> Result<Next, Failure> {
        let (rule_id, version) = match test {
            Test::Condition(condition) => {
                return Ok(self.evaluate_and_continue(step, place, condition)?.next);
            }
            Test::Rule { rule_id, version } => (rule_id, version),
        };
        if *version == Some(RuleVersion::Latest) {
            self.command(Command::ReadRule { place: place.clone(), rule_id: rule_id.clone() });
            return Ok(self.set_frame(place, Activity::LoadingRule { rule_id: rule_id.clone() }));
        }
        let definition = self.definition;
        let rule = definition.rule(rule_id).ok_or_else(|| no_rule(rule_id))?;
        self.evaluate_rule(step, place, rule_id, rule)
    }

    /// A stored rule was read.
    pub(super) fn rule_read(&mut self, place: &StepAddress, rule: Option<&Rule>) -> Result<(), InputError> {
        if self.state.end.is_some() {
            return Err(InputError::Ended);
        }
        let Some(Activity::LoadingRule { rule_id }) = self.frame(place).map(|frame| &frame.activity) else {
            return Err(InputError::NotExpected);
        };
        let rule_id = rule_id.clone();
        let Some(step) = self.definition.step(&place.step) else { return Err(InputError::NotExpected) };
        if !self.state.approved.is_empty()
            && let Some(rule) = rule
            && let Some(next) = self.rule_held_back(step, place, &rule_id, rule)
        {
            self.continue_from(place, next);
            return Ok(());
        }
        self.take_frame(place);
        let asked = match rule {
            Some(rule) => self.evaluate_rule(step, place, &rule_id, rule),
            None => Err(no_rule(&rule_id)),
        };
        let flow = match asked {
            Ok(flow) => flow,
            Err(failure) => self.step_failed(place, failure).next,
        };
        self.continue_from(place, flow);
        Ok(())
    }

    pub(super) fn evaluate_rule(
        &mut self,
        step: &Step,
        place: &StepAddress,
        id: &str,
        rule: &Rule,
    ) -> Result<Next, Failure> {
        let end = self.evaluate_and_continue(step, place, &rule.condition)?;
        let reason = end.fact.reason.take();
        end.fact.reason = reason.map(|reason| format!("Rule {id}, version {}: {reason}", rule.version));
        end.fact.input = Some(json!({ "rule_id": id, "version": rule.version }));
        Ok(end.next)
    }

    fn evaluate_and_continue(
        &mut self,
        step: &Step,
        place: &StepAddress,
        condition: &Condition,
    ) -> Result<StepEnd<'_>, Failure> {
        let why = self.evaluate_condition(place, condition)?;
        let (next, has_links) = (linked(step, why.holds()), linked(step, !why.holds()).is_some());
        let sentence = why.sentence();
        let flow = match next {
            Some(next) => Next::To(next.clone()),
            None if has_links => Next::End(None),
            // A branch that ends in a condition without links passes when that is true.
            None => {
                let failure = Failure::new("condition.false", sentence.clone()).at(&place.step);
                self.following_or_end(place, Some(failure).filter(|_| !why.holds()))
            }
        };
        self.record_passed(place, &why);
        Ok(self.complete_step(place, sentence, Some(why), flow))
    }

    pub(super) fn switch(
        &mut self,
        step: &Step,
        place: &StepAddress,
        cases: &[Case],
        default: Option<&StepId>,
    ) -> Result<Next, Failure> {
        let has_links = default.is_some() || cases.iter().any(|case| case.next.is_some());
        let flow = |transition: &Self, next: Option<&StepId>| match next.or(step.next.as_ref()) {
            Some(next) => Next::To(next.clone()),
            None if has_links => Next::End(None),
            None => transition.following_or_end(place, None),
        };
        let mut asked = Vec::new();
        for case in cases {
            let why = self.evaluate_condition(place, &case.when)?;
            if why.holds() {
                self.record_passed(place, &why);
                let flow = flow(self, case.next.as_ref());
                return Ok(self.complete_step(place, why.sentence(), Some(why), flow).next);
            }
            asked.push(why);
        }
        let why = Why::Group { op: GroupOp::Or, of: asked, result: false };
        let reason = format!("None of {} cases holds", cases.len());
        let flow = flow(self, default);
        Ok(self.complete_step(place, reason, Some(why), flow).next)
    }

    fn evaluate_condition(&self, place: &StepAddress, condition: &Condition) -> Result<Why, Failure> {
        let context = self.context(place);
        evaluate(condition, &self.scope(&context))
            .map_err(|error| Failure::new("condition.failed", format!("{error}.")))
    }

    /// Which way a step would go now, to be held against the way that people saw; nothing for a step that has one only, or
    /// that isn't known to have another before it is entered.
    pub(super) fn way_of(&self, step: &Step, place: &StepAddress) -> Option<Value> {
        match &step.kind {
            StepKind::Condition(ConditionStep { test: Test::Condition(condition), .. }) => {
                Some(self.way_by(step, place, condition))
            }
            StepKind::Condition(ConditionStep { test: Test::Rule { rule_id, version }, .. }) => {
                let current = self.stamp.environment.as_deref().and_then(|known| known.rules.get(rule_id));
                let is_latest = *version == Some(RuleVersion::Latest);
                let rule = if is_latest { current } else { self.definition.rule(rule_id) };
                rule.map(|rule| self.way_by(step, place, &rule.condition))
            }
            StepKind::Switch { cases, default } => {
                let holds = |case: &&Case| self.evaluate_condition(place, &case.when).map(|why| why.holds());
                let mut next = default.as_ref();
                for case in cases {
                    match holds(&case) {
                        Ok(true) => {
                            next = case.next.as_ref();
                            break;
                        }
                        Ok(false) => {}
                        Err(_) => return Some(json!({ "next": null, "fails": true })),
                    }
                }
                Some(json!({ "next": next.or(step.next.as_ref()) }))
            }
            StepKind::Foreach { foreach } => Some(match self.items(place, foreach) {
                Ok(items) => json!({ "items": items.len() }),
                Err(_) => json!({ "items": null, "fails": true }),
            }),
            StepKind::Action { .. }
            | StepKind::Execute { .. }
            | StepKind::Approval { .. }
            | StepKind::Parallel { .. }
            | StepKind::Wait { .. }
            | StepKind::Set { .. }
            | StepKind::Call { .. }
            | StepKind::Emit { .. }
            | StepKind::Fail { .. }
            | StepKind::Ai { .. } => None,
        }
    }

    /// The same of a step that asks this condition.
    pub(super) fn way_by(&self, step: &Step, place: &StepAddress, condition: &Condition) -> Value {
        match self.evaluate_condition(place, condition) {
            Ok(why) => json!({ "holds": why.holds(), "next": linked(step, why.holds()) }),
            Err(_) => json!({ "next": null, "fails": true }),
        }
    }

    fn record_passed(&mut self, place: &StepAddress, why: &Why) {
        let passed = match place.within.as_slice() {
            [] => Some(&mut self.state.passed_conditions),
            within => self.state.lane_mut(within).map(|lane| &mut lane.passed_conditions),
        };
        let Some(passed) = passed else { return };
        if passed.len() == MAX_PASSED {
            passed.remove(0);
        }
        passed.push(PassedCondition {
            step_id: place.step.clone(),
            reason: why.sentence(),
            why: why.clone(),
        });
    }
}

/// Where a condition leads.
fn linked(step: &Step, holds: bool) -> Option<&StepId> {
    let StepKind::Condition(ConditionStep { on_true, on_false, .. }) = &step.kind else { return None };
    if holds { on_true.as_ref() } else { on_false.as_ref() }.or(step.next.as_ref())
}

fn no_rule(rule_id: &str) -> Failure {
    Failure::new("rule.missing", format!("There is no rule {rule_id}."))
}
