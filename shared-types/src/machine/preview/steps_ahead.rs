//! What each step would do, noted instead of done.

use super::{
    super::{
        address::StepAddress,
        failure::Failure,
        resolved_effects::{call_by, effects_of, revision_of, sent_by, version_of},
        transition::{Next, Transition},
        way_ahead::Resolved,
    },
    sentences::{name_of, sentence, verdict},
};
use crate::{
    approval::seen::{AT_THE_TIME, CALL, CALLED_BELOW, RULE_VERSION, SET, WAY, WORKFLOW_REVISION},
    workflow::{
        TemplateValue,
        effect::Effect,
        scope::{Scope, WhatWasRead},
        step::{ActionKind, CallWorkflow, Foreach, Step, StepKind, Wait},
    },
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

impl<'t> Transition<'t> {
    /// What a step would do, noted instead of done.
    pub(in crate::machine) fn look_at(
        &mut self,
        step: &'t Step,
        place: &StepAddress,
        from: u32,
    ) -> Result<Next, Failure> {
        let is_full = self.ahead.as_ref().is_none_or(|ahead| ahead.is_full());
        if is_full || !self.is_first_visit(place) {
            return Ok(Next::Stay);
        }
        match &step.kind {
            StepKind::Condition(_) => self.look_at_condition(step, place),
            StepKind::Switch { .. } => self.look_at_fork(step, place),
            StepKind::Action { .. } | StepKind::Execute { .. } | StepKind::Emit { .. } => {
                self.look_at_effects(step, place, from)
            }
            StepKind::Parallel { parallel } => {
                self.forget_outcome(step);
                self.parallel(step, place, parallel)
            }
            StepKind::Foreach { foreach } => self.look_at_foreach(step, place, foreach),
            StepKind::Set { set } => Ok(self.look_at_set(step, place, set)),
            StepKind::Call { call } => self.look_at_call(step, place, call),
            StepKind::Wait { wait: Wait::For { .. } | Wait::Until { .. } } => {
                self.say_step(step, place);
                self.passes_time();
                Ok(self.next_or_following(place, step.next.as_ref()))
            }
            StepKind::Fail { reason } => {
                self.say_step(step, place);
                self.fail(place, reason.as_ref())
            }
            StepKind::Approval { .. } | StepKind::Wait { wait: Wait::Event(_) } | StepKind::Ai { .. } => {
                self.say_step(step, place);
                Ok(Next::Stay)
            }
        }
    }

    fn look_at_condition(&mut self, step: &'t Step, place: &StepAddress) -> Result<Next, Failure> {
        let Some(rule_id) = step.latest_rule() else { return self.look_at_fork(step, place) };
        let known = self.stamp.environment.as_deref();
        let Some(rule) = known.and_then(|known| known.rules.get(rule_id)) else {
            self.say_step(step, place);
            return Ok(Next::Stay);
        };
        self.note(place, 0, RULE_VERSION, version_of(rule_id, rule.version));
        if !self.look_at_way(step, place, 1) {
            return Ok(Next::Stay);
        }
        self.evaluate_rule(step, place, rule_id, rule)
    }

    fn look_at_fork(&mut self, step: &'t Step, place: &StepAddress) -> Result<Next, Failure> {
        if self.look_at_way(step, place, 0) { self.dispatch(step, place) } else { Ok(Next::Stay) }
    }

    fn look_at_foreach(
        &mut self,
        step: &'t Step,
        place: &StepAddress,
        foreach: &Foreach,
    ) -> Result<Next, Failure> {
        if !self.look_at_way(step, place, 0) {
            return Ok(Next::Stay);
        }
        self.forget_outcome(step);
        self.foreach(step, place, foreach)
    }

    /// Notes which way a step goes by what is known; false where that isn't known, and the way ends.
    fn look_at_way(&mut self, step: &Step, place: &StepAddress, index: u32) -> bool {
        let (way, is_known) = self.with_decision_unknown(|copy| copy.way_of(step, place));
        if is_known {
            self.note(place, index, WAY, way.unwrap_or_default());
        } else {
            self.say_step(step, place);
        }
        is_known
    }

    fn look_at_set(
        &mut self,
        step: &Step,
        place: &StepAddress,
        set: &BTreeMap<String, TemplateValue>,
    ) -> Next {
        let context = self.context(place);
        let mut values: Vec<(&str, SetAhead)> = Vec::new();
        for (path, template) in set {
            let (value, read) = self.watched(|copy| template.value(&copy.scope(&context)).ok());
            values.push((path, self.set_ahead(value, read)));
        }
        let made: Map<String, Value> = values
            .iter()
            .filter_map(|(path, value)| match value {
                SetAhead::Made(value) => Some(((*path).to_owned(), value.clone())),
                SetAhead::Known(_) | SetAhead::Unknown => None,
            })
            .collect();
        let made = Value::Object(made);
        let has_room = self.ahead.as_ref().is_some_and(|ahead| ahead.has_room_for(&made));
        if has_room && made.as_object().is_some_and(|made| !made.is_empty()) {
            let placeholders = self.placeholders(&context);
            self.note(place, 0, SET, Resolved { request: made, filled_in: Vec::new(), placeholders });
        }
        drop(context);
        for (path, value) in values {
            self.put_ahead(place, path, value, has_room);
        }
        self.next_or_following(place, step.next.as_ref())
    }

    fn set_ahead(&self, value: Option<Value>, read: Option<WhatWasRead>) -> SetAhead {
        match (value, read) {
            (Some(value), Some(read)) if !read.is_open() => SetAhead::Known(value),
            (Some(value), Some(read)) if !read.unknown() && self.state.holds_places() => {
                SetAhead::Made(value)
            }
            (Some(_) | None, _) => SetAhead::Unknown,
        }
    }

    /// Puts on the way ahead what a `set` step comes to; a placeholder for what is made at the time.
    fn put_ahead(&mut self, place: &StepAddress, path: &str, value: SetAhead, has_room: bool) {
        let Some(ahead) = self.ahead.as_mut() else { return };
        let names: Vec<&str> = path.split('.').collect();
        // What a branch sets is known in that branch only.
        let is_known_everywhere = place.within.is_empty();
        let value = match value {
            SetAhead::Known(value) => {
                if is_known_everywhere {
                    ahead.watch.learn(&names);
                }
                value
            }
            SetAhead::Made(_) if has_room => {
                if is_known_everywhere {
                    ahead.watch.learn(&names);
                }
                ahead.watch.hold_place(&names);
                json!(AT_THE_TIME)
            }
            SetAhead::Made(_) | SetAhead::Unknown => return ahead.watch.forget(&names),
        };
        self.set_path(place, path, value);
    }

    fn look_at_call(
        &mut self,
        step: &Step,
        place: &StepAddress,
        call: &CallWorkflow,
    ) -> Result<Next, Failure> {
        let context = self.context(place);
        let input = call.input.iter().flat_map(TemplateValue::templates);
        let templates: Vec<_> = input.map(|(at, template)| (format!("/input{at}"), template)).collect();
        let sent = self.resolved(&context, &templates, |scope| call_by(call, scope))?;
        let Some(sent) = sent else {
            self.say_unknown(step, place);
            return Ok(Next::Stay);
        };
        self.note(place, 0, CALL, sent);
        // In a simulation there are no other workflows.
        if let Some(known) = self.stamp.environment.as_deref().filter(|known| !known.roles_are_open) {
            let revision = known.revisions.get(&call.workflow_id).copied();
            let below = self.below(&call.workflow_id);
            self.note(place, 1, WORKFLOW_REVISION, revision_of(&call.workflow_id, revision));
            if let Some(below) = below {
                self.note(place, 2, CALLED_BELOW, below);
            }
        }
        self.say_step(step, place);
        self.forget_answers(step);
        Ok(self.next_or_following(place, step.next.as_ref()))
    }

    fn look_at_effects(&mut self, step: &Step, place: &StepAddress, from: u32) -> Result<Next, Failure> {
        let context = self.context(place);
        let name = name_of(step, &Scope::masked(&context, self.stamp.at));
        let is_named = name.is_some();
        let mut asks = false;
        if let Some(name) = name {
            self.say(name);
        }
        for (index, effect) in (0u32..).zip(effects_of(step)).skip(from as usize) {
            let effect = effect.as_ref();
            let templates = effect.located_templates();
            let known = self.stamp.environment.as_deref();
            let resolve = |scope: &Scope<'_>| Ok(sent_by(effect, scope, known)?.unwrap_or_default());
            let sent = match self.resolved(&context, &templates, resolve) {
                Ok(resolved) => resolved,
                Err(failure) => {
                    self.say(format!("A call will fail: {}", failure.message));
                    return Err(failure);
                }
            };
            let Some(sent) = sent else {
                self.say_unknown(step, place);
                return Ok(Next::Stay);
            };
            if !is_named {
                self.say(sentence(effect, &Scope::masked(&context, self.stamp.at)));
            }
            if !sent.request.is_null() {
                self.note(place, index, effect.type_name(), sent);
            }
            asks |= matches!(effect, Effect::CreateApprovalRequest(_));
            if effect.is_outside() {
                self.forget_answers(step);
            }
        }
        let said = step.action().map(|action| action.kind);
        if let Some(kind @ (ActionKind::Allow | ActionKind::Block)) = said.filter(|_| !asks) {
            let subject = self.ahead.as_ref().and_then(|ahead| ahead.subject.clone());
            self.say(verdict(kind == ActionKind::Allow, subject.as_deref()));
        }
        if asks {
            return Ok(Next::Stay);
        }
        Ok(self.next_or_following(place, step.next.as_ref()))
    }
}

/// What a value of a `set` step comes to.
enum SetAhead {
    /// It is known.
    Known(Value),
    /// It is made at the time; this is what it would be now, with the placeholders of the way ahead.
    Made(Value),
    /// It depends on an answer.
    Unknown,
}
