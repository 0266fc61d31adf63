//! One turn of the machine: an input is applied and the run taken as far as it goes by itself.

use super::{
    Definition, Refused,
    command::{Applied, Command, Fact, StepState},
    input::{Stamp, Start, Timer},
    state::{Doing, Frame, Place, State, Within},
};
use crate::{
    ids::{StepId, derive_v7},
    workflow::{
        evaluate::Why,
        scope::Scope,
        step::{Step, StepKind},
        template::TemplateError,
    },
};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use uuid::Uuid;

/// The most steps that a run may enter.
const MAX_STEPS: u32 = 100_000;

/// One turn: the run's definition and state, what happened, and what comes of it.
pub(super) struct Turn<'t> {
    pub(super) definition: &'t Definition,
    pub(super) state: &'t mut State,
    pub(super) stamp: &'t Stamp,
    out: Applied,
    ids: u32,
}

/// Where a run goes after a step, or that it stays.
pub(super) enum Flow {
    /// To a step, or to its end.
    Go(Option<StepId>),
    /// It stands in a frame, or has ended.
    Stay,
}

/// Why a step failed.
pub(super) struct Failure {
    pub(super) code: String,
    pub(super) message: String,
}

impl Failure {
    pub(super) fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into() }
    }
}

impl From<TemplateError> for Failure {
    fn from(error: TemplateError) -> Self {
        Self::new(error.code(), format!("{error}."))
    }
}

impl<'t> Turn<'t> {
    pub(super) fn new(definition: &'t Definition, state: &'t mut State, stamp: &'t Stamp) -> Self {
        Self { definition, state, stamp, out: Applied::default(), ids: 0 }
    }

    /// Closes the turn: the working time is counted, and the run's own timer follows it.
    pub(super) fn finish(mut self) -> Applied {
        self.count_working_time();
        self.out
    }

    pub(super) fn start(&mut self, start: &Start) {
        match self.describe() {
            Ok(()) => {}
            Err(failure) => {
                let first = self.definition.first().cloned().unwrap_or_else(|| StepId(String::new()));
                return self.end_failed(first, failure);
            }
        }
        match self.filtered_out() {
            Ok(None) => {}
            Ok(Some(reason)) => {
                self.state.reason = Some(reason);
                return self.end_normally();
            }
            Err(failure) => {
                let first = self.definition.first().cloned().unwrap_or_else(|| StepId(String::new()));
                return self.end_failed(first, failure);
            }
        }
        debug_assert_eq!(self.state.event_id, start.event.id);
        self.go(self.definition.first().cloned());
    }

    /// Takes subject, amount and currency once, at the start.
    fn describe(&mut self) -> Result<(), Failure> {
        let document = self.definition.document();
        let context = Arc::clone(&self.state.context);
        let scope = Scope::masked(&context, self.stamp.at);
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        if let Some(subject) = &document.subject {
            self.state.subject = some(subject.text(&scope)?);
        }
        if let Some(amount) = &document.amount {
            self.state.amount = some(amount.text(&scope)?);
        }
        if let Some(currency) = &document.currency {
            self.state.currency = some(currency.text(&scope)?);
        }
        Ok(())
    }

    /// Why the trigger's filter keeps the event out, if it does.
    ///
    /// The server asks the filter before it starts a run at all; this is for whoever starts one regardless.
    fn filtered_out(&self) -> Result<Option<String>, Failure> {
        let Some(filter) = self.definition.document().filter() else { return Ok(None) };
        let scope = Scope::masked(&self.state.context, self.stamp.at);
        let why = crate::workflow::evaluate::evaluate(filter, &scope)
            .map_err(|error| Failure::new("condition.failed", format!("{error}.")))?;
        Ok((!why.holds()).then(|| format!("The filter keeps it out: {}", why.sentence())))
    }

    /// Enters steps, one after the other, until the run stands or ends.
    pub(super) fn go(&mut self, to: Option<StepId>) {
        let mut flow = Flow::Go(to);
        while let Flow::Go(next) = flow {
            let Some(id) = next else { return self.end_normally() };
            flow = self.enter(&id);
        }
    }

    fn enter(&mut self, id: &StepId) -> Flow {
        let definition = self.definition;
        let Some(step) = definition.step(id) else {
            self.end_failed(id.clone(), Failure::new("link.nowhere", format!("There is no step {id}.")));
            return Flow::Stay;
        };
        self.state.entered += 1;
        let visit = self.state.visits.entry(id.clone()).or_insert(0);
        *visit += 1;
        let place = Place { step: id.clone(), visit: *visit, within: Vec::new() };
        if self.state.entered > MAX_STEPS {
            let message = format!("The run entered more than {MAX_STEPS} steps.");
            self.fact(&place, StepState::Failed).reason = Some(message.clone());
            self.end_failed(id.clone(), Failure::new("limit.steps", message));
            return Flow::Stay;
        }
        self.dispatch(step, &place)
    }

    /// The step's own code; nothing else here knows what a step means.
    fn dispatch(&mut self, step: &'t Step, place: &Place) -> Flow {
        let entered = match &step.kind {
            StepKind::Condition { condition, on_true, on_false, .. } => {
                self.condition(place, condition.as_ref(), on_true.as_ref(), on_false.as_ref())
            }
            StepKind::Switch { cases, default } => self.switch(place, cases, default.as_ref()),
            StepKind::Action { action, .. } => self.action(step, place, action),
            StepKind::Execute { .. } => self.effects(step, place, 0),
            StepKind::Approval { approval, .. } => self.approval(step, place, approval),
            StepKind::Wait { wait } => self.wait(step, place, wait),
            StepKind::Set { set } => self.set(step, place, set),
            StepKind::Emit { emit } => self.emit(step, place, emit),
            StepKind::Fail { reason } => self.fail(place, reason.as_ref()),
            StepKind::Parallel { .. }
            | StepKind::Foreach { .. }
            | StepKind::Call { .. }
            | StepKind::Ai { .. } => {
                let message = format!("This version can't run `{}` steps.", step.type_name());
                Err(Failure::new("unsupported", message))
            }
        };
        match entered {
            Ok(flow) => flow,
            Err(failure) => self.step_failed(place, failure),
        }
    }

    /// A step failed: the run goes to its `on_error`, or ends.
    pub(super) fn step_failed(&mut self, place: &Place, failure: Failure) -> Flow {
        self.remove_frame(place);
        let fact = self.fact(place, StepState::Failed);
        fact.reason = Some(failure.message.clone());
        let on_error = self.definition.step(&place.step).and_then(|step| step.on_error.clone());
        if let Some(on_error) = on_error {
            self.last_fact().output = Some(json!({ "next": on_error }));
            let error = json!({ "step": place.step, "code": failure.code, "message": failure.message });
            self.put("error", error);
            return Flow::Go(Some(on_error));
        }
        self.end_failed(place.step.clone(), failure);
        Flow::Stay
    }

    /// Goes on from where a step stood.
    pub(super) fn follow(&mut self, flow: Flow) {
        match flow {
            Flow::Go(to) => self.go(to),
            Flow::Stay => {}
        }
    }

    pub(super) fn timer_due(&mut self, timer: &Timer) -> Result<(), Refused> {
        if self.state.end.is_some() {
            return Err(Refused::Ended);
        }
        match timer {
            Timer::Retry { place, index } => self.retry_due(place, *index),
            Timer::Expiry { approval_id } => self.expired(*approval_id),
            Timer::WaitOver { place } => self.wait_over(place),
            Timer::RunTimeout => self.run_timeout(),
        }
    }

    pub(super) fn command(&mut self, command: Command) {
        self.out.commands.push(command);
    }

    /// Tells a fact about a place; the caller fills in the rest.
    pub(super) fn fact(&mut self, place: &Place, state: StepState) -> &mut Fact {
        let branch = place.within.iter().rev().find_map(|within| match within {
            Within::Branch(id) => Some(id.clone()),
            Within::Item(_) => None,
        });
        let item = place.within.iter().rev().find_map(|within| match within {
            Within::Item(n) => Some(*n),
            Within::Branch(_) => None,
        });
        let fact = Fact {
            seq: self.state.told,
            at: self.stamp.at,
            step_id: place.step.clone(),
            visit: place.visit,
            branch,
            item,
            attempt: 1,
            state,
            duration_ms: None,
            reason: None,
            why: None,
            input: None,
            output: None,
        };
        self.state.told += 1;
        self.out.facts.push(fact);
        self.last_fact()
    }

    pub(super) fn last_fact(&mut self) -> &mut Fact {
        let last = self.out.facts.len() - 1;
        &mut self.out.facts[last]
    }

    /// Tells that a step is done at once, and goes on.
    pub(super) fn done(
        &mut self,
        place: &Place,
        reason: String,
        why: Option<Why>,
        next: Option<&StepId>,
    ) -> Flow {
        let fact = self.fact(place, StepState::Done);
        fact.duration_ms = Some(0.0);
        fact.reason = Some(reason);
        fact.why = why;
        fact.output = Some(json!({ "next": next }));
        Flow::Go(next.cloned())
    }

    /// An id that belongs to this input: the same on every replay.
    pub(super) fn fresh_id(&mut self) -> Uuid {
        self.ids += 1;
        derive_v7(self.stamp.id, self.ids)
    }

    /// Puts a value into the context.
    pub(super) fn put(&mut self, name: &str, value: Value) {
        Arc::make_mut(&mut self.state.context).insert(name.to_owned(), value);
    }

    /// Puts a value under `steps.<id>.<name>`.
    pub(super) fn put_for_step(&mut self, step: &StepId, name: &str, value: Value) {
        let context = Arc::make_mut(&mut self.state.context);
        let steps = context.entry("steps").or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(steps) = steps
            && let Value::Object(own) =
                steps.entry(step.as_str()).or_insert_with(|| Value::Object(Map::new()))
        {
            own.insert(name.to_owned(), value);
        }
    }

    pub(super) fn frame(&self, place: &Place) -> Option<&Frame> {
        self.state.frames.iter().find(|frame| frame.place == *place)
    }

    /// Puts the run into a frame at a place, or changes what the frame there does.
    pub(super) fn stand(&mut self, place: &Place, doing: Doing) -> Flow {
        match self.state.frames.iter_mut().find(|frame| frame.place == *place) {
            Some(frame) => frame.doing = doing,
            None => {
                self.state.frames.push(Frame { place: place.clone(), entered_at: self.stamp.at, doing });
            }
        }
        Flow::Stay
    }

    pub(super) fn remove_frame(&mut self, place: &Place) -> Option<Frame> {
        let at = self.state.frames.iter().position(|frame| frame.place == *place)?;
        Some(self.state.frames.remove(at))
    }

    /// When a place was entered; this moment for one that has no frame yet.
    pub(super) fn entered_at(&self, place: &Place) -> chrono::DateTime<chrono::Utc> {
        self.frame(place).map_or(self.stamp.at, |frame| frame.entered_at)
    }
}
