//! `execute` lists: effects in order, calls of others with their retries.

use super::{
    Definition, InputError,
    address::StepAddress,
    command::{Command, EffectCall, Notice},
    fact::StepState,
    failure::Failure,
    frames::{Activity, Frame},
    input::{Answer, Outcome, Timer},
    loading::open_loads,
    outcomes::{held_until, outcome_code, outcome_in_words, waited_in_vain},
    request,
    result::RunDecision,
    retry,
    retry::DEFAULT_TIMEOUT_MS,
    state::{AbandonedCall, State},
    subworkflow, texts,
    texts::{MAX_MESSAGE, MAX_REASON, MAX_SUBJECT},
    transition::{Next, Transition},
};
use crate::{
    recipient::{self, Recipient},
    workflow::{
        duration::in_words,
        effect::{Effect, Log, Notify},
        scope::Scope,
        step::{Action, ActionKind, Step},
    },
};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

impl Transition<'_> {
    pub(super) fn action(
        &mut self,
        step: &Step,
        place: &StepAddress,
        action: &Action,
    ) -> Result<Next, Failure> {
        let context = self.context(place);
        let scope = Scope::masked(&context, self.stamp.at);
        let reason = action.reason.as_ref().map(|reason| reason.text(&scope)).transpose()?;
        let reason = reason.map(|reason| texts::shortened(reason, MAX_REASON));
        match action.kind {
            ActionKind::Allow => self.state.decision = Some(RunDecision::Allowed),
            // A step that waits for people says `block` only until somebody decides.
            ActionKind::Block if !step.waits_for_people() => self.state.decision = Some(RunDecision::Blocked),
            ActionKind::Block | ActionKind::Execute | ActionKind::RequireApproval => {}
        }
        if reason.is_some() {
            self.state.reason = reason;
        }
        self.effects(step, place, 0)
    }

    /// Performs a step's effects from one of them on.
    pub(super) fn effects(&mut self, step: &Step, place: &StepAddress, from: u32) -> Result<Next, Failure> {
        for (index, effect) in (0u32..).zip(step.effects()).skip(from as usize) {
            // The last effect that was approved leaves nothing approved behind.
            let is_approved = !self.state.approved.is_empty();
            if is_approved && let Some(next) = self.held_back(place, index, effect) {
                return Ok(next);
            }
            match effect {
                Effect::Notify(notify) => self.notify(place, index, notify)?,
                Effect::Log(log) => self.log(place, log)?,
                Effect::EmitEvent(emit) => {
                    let payload = self.publish(place, index, emit)?;
                    let fact = self.fact(place, StepState::Done);
                    fact.reason = Some(format!("Publishes {}", emit.event));
                    fact.input = Some(payload);
                }
                Effect::CreateApprovalRequest(request) => self.ask_by_effect(step, place, request)?,
                Effect::HttpRequest(_)
                | Effect::Webhook(_)
                | Effect::CreateRecord(_)
                | Effect::UpdateRecord(_)
                | Effect::Connector(_) => return self.call(place, index, effect, is_approved),
            }
        }
        Ok(self.effects_done(step, place))
    }

    /// The list is through: the run waits for the decision that it asked for, or goes on.
    fn effects_done(&mut self, step: &Step, place: &StepAddress) -> Next {
        let own = self.state.requests.iter().find(|(_, request)| request.place == *place && request.waits);
        if let Some((&approval_id, request)) = own {
            return match request.early_outcome.clone() {
                Some(answered) => self.complete_request(approval_id, &answered),
                None => self.set_frame(place, Activity::AwaitingApproval { approval_id }),
            };
        }
        let said = step.action().and_then(|action| match action.kind {
            ActionKind::Allow => Some("Allowed"),
            ActionKind::Block => Some("Blocked"),
            ActionKind::Execute | ActionKind::RequireApproval => None,
        });
        self.take_frame(place);
        let flow = self.next_or_following(place, step.next.as_ref());
        if said.is_some() || step.effects().is_empty() {
            let reason = match (said, &self.state.reason) {
                (Some(said), Some(reason)) if reason != said => format!("{said}: {reason}"),
                (Some(said), _) => said.to_owned(),
                (None, _) => "Nothing to do".to_owned(),
            };
            return self.complete_step(place, reason, None, flow).next;
        }
        // The fact of the last effect says where the run goes: the list has no fact of its own.
        if let Some(fact) = self.last_fact_of(place) {
            fact.output.get_or_insert_with(|| json!({}))["next"] = json!(flow.next());
        }
        flow
    }

    fn notify(&mut self, place: &StepAddress, index: u32, notify: &Notify) -> Result<(), Failure> {
        let context = self.context(place);
        let scope = Scope::masked(&context, self.entered_at(place));
        let recipients =
            notify.recipients.iter().map(|who| who.needed("recipient", &scope).map(Recipient::from));
        let recipients: Vec<Recipient> = recipients.collect::<Result<_, _>>()?;
        let message = notify.message.as_ref().map_or_else(|| Ok(String::new()), |m| m.text(&scope))?;
        let message = texts::shortened(message, MAX_MESSAGE);
        let subject = notify.subject.as_ref().map(|subject| subject.text(&scope)).transpose()?;
        let subject = subject.map(|subject| texts::shortened(subject, MAX_SUBJECT));
        let fact = self.fact(place, StepState::Done);
        fact.reason = Some(format!("Tells {}: {message}", recipient::listed(&recipients)));
        fact.input = Some(json!({ "recipients": recipients, "subject": subject, "message": message }));
        let approval_id = self.state.requests.iter().find(|(_, r)| r.place == *place).map(|(id, _)| *id);
        let notice =
            Notice { place: place.clone(), index, recipients, subject, message, approval_id, by_mail: false };
        self.command(Command::Notify(Box::new(notice)));
        Ok(())
    }

    fn log(&mut self, place: &StepAddress, log: &Log) -> Result<(), Failure> {
        let context = self.context(place);
        let scope = Scope::masked(&context, self.entered_at(place));
        let message = log.message.as_ref().map_or_else(|| Ok(String::new()), |m| m.text(&scope))?;
        let message = texts::shortened(message, MAX_REASON);
        let fact = self.fact(place, StepState::Done);
        fact.reason = Some(message);
        fact.input = log.level.map(|level| json!({ "level": level }));
        Ok(())
    }

    /// Calls something outside, for the first time.
    fn call(
        &mut self,
        place: &StepAddress,
        index: u32,
        effect: &Effect,
        is_approved: bool,
    ) -> Result<Next, Failure> {
        let preview = {
            let context = self.context(place);
            let scope = Scope::masked(&context, self.entered_at(place));
            request::resolve(effect, &scope)?
        };
        let fact = self.fact(place, StepState::Entered);
        fact.reason = Some(format!("Calls {}", preview.in_words()));
        fact.input = serde_json::to_value(&preview).ok();
        self.set_frame(place, Activity::AwaitingEffect { index, attempt: 1 });
        let known = self.stamp.environment.as_deref().filter(|_| is_approved);
        let approved_revision = known.and_then(|known| known.operation(effect)).map(|bound| bound.revision);
        if let Some(frame) = self.state.frame_mut(place) {
            frame.approved_revision = approved_revision;
            frame.held_since = None;
        }
        self.perform(place);
        Ok(Next::Stay)
    }

    fn perform(&mut self, place: &StepAddress) {
        let call = self.frame(place).and_then(|frame| call_of(self.definition, self.state, frame));
        if let Some(call) = call {
            self.command(Command::Perform(Box::new(call)));
        }
    }

    pub(super) fn retry_due(&mut self, place: &StepAddress, index: u32) -> Result<(), InputError> {
        match self.frame(place).map(|frame| &frame.activity) {
            Some(Activity::BackingOff { index: at, attempt, .. }) if *at == index => {
                let attempt = *attempt;
                self.set_frame(place, Activity::AwaitingEffect { index, attempt });
                self.perform(place);
                Ok(())
            }
            Some(_) | None => Err(InputError::NotExpected),
        }
    }

    pub(super) fn effect_done(
        &mut self,
        place: &StepAddress,
        index: u32,
        attempt: u32,
        took_ms: u32,
        outcome: &Outcome,
    ) -> Result<(), InputError> {
        let Some(step) = self.definition.step(&place.step) else { return Err(InputError::NotExpected) };
        if self.state.end.is_some() {
            self.late(place, attempt, took_ms, outcome);
            return Ok(());
        }
        match self.frame(place).map(|frame| &frame.activity) {
            Some(Activity::AwaitingEffect { index: i, attempt: a }) if (*i, *a) == (index, attempt) => {}
            Some(_) | None => return self.abandoned_call_done(place, index, attempt, took_ms, outcome),
        }
        let flow = match outcome {
            Outcome::Answered(answer) if (200..300).contains(&answer.status) => {
                self.save_answer(step, place, index, answer);
                let fact = self.fact(place, StepState::Done);
                fact.attempt = attempt;
                fact.duration_ms = Some(f64::from(took_ms));
                fact.reason = Some(answered_in_words(answer, attempt));
                fact.output = Some(json!({ "status": answer.status, "body": answer.body }));
                let suspended =
                    step.effects().get(index as usize + 1).and_then(|_| self.suspend(place, index + 1));
                match suspended.map_or_else(|| self.effects(step, place, index + 1), Ok) {
                    Ok(flow) => flow,
                    Err(failure) => self.step_failed(place, failure).next,
                }
            }
            Outcome::Held { message, until } => self.hold_call(place, index, attempt, message, *until),
            Outcome::Answered(_) | Outcome::Unanswered { .. } | Outcome::Refused { .. } => {
                self.attempt_failed(step, place, index, attempt, took_ms, outcome)
            }
        };
        self.continue_from(place, flow);
        Ok(())
    }

    /// The outcome of a call that was given up while the run went on changes nothing, and is told.
    fn abandoned_call_done(
        &mut self,
        place: &StepAddress,
        index: u32,
        attempt: u32,
        took_ms: u32,
        outcome: &Outcome,
    ) -> Result<(), InputError> {
        let given_up = AbandonedCall { place: place.clone(), index, attempt };
        if !self.state.abandoned_calls.remove(&given_up) {
            return Err(InputError::NotExpected);
        }
        self.late(place, attempt, took_ms, outcome);
        Ok(())
    }

    fn late(&mut self, place: &StepAddress, attempt: u32, took_ms: u32, outcome: &Outcome) {
        let fact = self.fact(place, StepState::Late);
        fact.attempt = attempt;
        fact.duration_ms = Some(f64::from(took_ms));
        fact.reason = Some(format!("It may have happened: {}", outcome_in_words(outcome)));
    }

    fn attempt_failed(
        &mut self,
        step: &Step,
        place: &StepAddress,
        index: u32,
        attempt: u32,
        took_ms: u32,
        outcome: &Outcome,
    ) -> Next {
        let delay = retry::delay(step.retry.as_ref(), attempt, outcome, self.stamp);
        let words = outcome_in_words(outcome);
        if let Some(delay) = delay {
            let until = self.stamp.at + delay;
            let fact = self.fact(place, StepState::Retrying);
            fact.attempt = attempt;
            fact.duration_ms = Some(f64::from(took_ms));
            fact.reason = Some(format!("{words}; tries again in {}", in_words(delay)));
            let timer = Timer::Retry { place: place.clone(), index };
            self.command(Command::SetTimer { timer, at: until });
            if let Some(frame) = self.state.frame_mut(place) {
                frame.held_since = None;
            }
            return self.set_frame(place, Activity::BackingOff { index, attempt: attempt + 1, until });
        }
        if let Outcome::Answered(answer) = outcome {
            self.save_answer(step, place, index, answer);
        }
        let failure = Failure { code: outcome_code(outcome), message: words };
        let end = self.step_failed(place, failure);
        end.fact.attempt = attempt;
        end.fact.duration_ms = Some(f64::from(took_ms));
        end.next
    }

    /// The connector takes no calls: the attempt is made later, and nothing is told of it but that it waits.
    fn hold_call(
        &mut self,
        place: &StepAddress,
        index: u32,
        attempt: u32,
        message: &str,
        until: DateTime<Utc>,
    ) -> Next {
        let known = self.frame(place).and_then(|frame| frame.held_since);
        let since = known.unwrap_or(self.stamp.at);
        let Some(until) = held_until(since, until, self.stamp.at) else {
            let failure = Failure::new("connector.unavailable", waited_in_vain(message));
            let end = self.step_failed(place, failure);
            end.fact.attempt = attempt;
            return end.next;
        };
        if known.is_none() {
            let fact = self.fact(place, StepState::Waiting);
            fact.attempt = attempt;
            fact.reason = Some(message.to_owned());
        }
        let timer = Timer::Retry { place: place.clone(), index };
        self.command(Command::SetTimer { timer, at: until });
        if let Some(frame) = self.state.frame_mut(place) {
            frame.held_since = Some(since);
        }
        self.set_frame(place, Activity::BackingOff { index, attempt, until })
    }

    /// Keeps an answer where the language says: under the step, under `save_as`, and as `data`.
    fn save_answer(&mut self, step: &Step, place: &StepAddress, index: u32, answer: &Answer) {
        let within = &place.within;
        let response = json!({ "status": answer.status, "headers": answer.headers, "body": answer.body });
        self.put_for_step(within, &step.id, "response", response);
        if !(200..300).contains(&answer.status) {
            return;
        }
        let effect = step.effects().get(index as usize);
        if let Some(Effect::CreateRecord(_)) = effect {
            // A script answers as the system would, with the id where most have it.
            let id = answer.record_id.clone().or_else(|| answer.body.get("id").cloned());
            self.put_for_step(within, &step.id, "record", json!({ "id": id }));
        }
        if let Some(name) = effect.and_then(Effect::save_as) {
            self.put(within, name, answer.body.clone());
        }
        let brought = self.state.context.get("event").and_then(|event| event.get("data")).is_some();
        if !brought && !answer.body.is_null() {
            self.put(within, "data", answer.body.clone());
        }
    }
}

/// What is out, as it was commanded.
pub(super) fn open_work(definition: &Definition, state: &State) -> Vec<Command> {
    state.all_frames().flat_map(|frame| open_work_of(definition, state, frame)).collect()
}

fn open_work_of(definition: &Definition, state: &State, frame: &Frame) -> Vec<Command> {
    let command = match &frame.activity {
        Activity::LoadingContext(loading) => return open_loads(definition, state, frame, loading),
        Activity::AwaitingEffect { .. } => {
            call_of(definition, state, frame).map(|call| Command::Perform(Box::new(call)))
        }
        Activity::LoadingRule { rule_id } => {
            Some(Command::ReadRule { place: frame.place.clone(), rule_id: rule_id.clone() })
        }
        Activity::AwaitingChild(child) if !child.started => {
            Some(Command::StartRun(Box::new(subworkflow::start_of(state, &frame.place, child))))
        }
        Activity::BackingOff { .. }
        | Activity::AwaitingApproval { .. }
        | Activity::AwaitingEvent { .. }
        | Activity::Sleeping { .. }
        | Activity::AwaitingChild(_)
        | Activity::Parallel(_)
        | Activity::Foreach(_) => None,
    };
    command.into_iter().collect()
}

fn call_of(definition: &Definition, state: &State, frame: &Frame) -> Option<EffectCall> {
    let Activity::AwaitingEffect { index, attempt } = frame.activity else { return None };
    let step = definition.step(&frame.place.step)?;
    let effect = step.effects().get(index as usize)?.clone();
    let timeout_ms = step.timeout.as_ref().map_or(DEFAULT_TIMEOUT_MS, |span| span.millis().unsigned_abs());
    Some(EffectCall {
        place: frame.place.clone(),
        index,
        attempt,
        idempotency_key: format!("{}:{}:{index}", state.execution_id, frame.place),
        effect,
        approved_revision: frame.approved_revision,
        context: state.context_in(&frame.place.within),
        now: frame.entered_at,
        timeout_ms,
    })
}

fn answered_in_words(answer: &Answer, attempt: u32) -> String {
    if attempt > 1 {
        format!("Answered {} on attempt {attempt}", answer.status)
    } else {
        format!("Answered {}", answer.status)
    }
}

/// What an effect gives back when nothing is scripted for it.
pub(super) fn silent_answer() -> Outcome {
    Outcome::Answered(Answer {
        status: 200,
        headers: serde_json::Map::new(),
        body: Value::Null,
        record_id: None,
    })
}
