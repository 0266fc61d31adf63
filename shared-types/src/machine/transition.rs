//! One transition: an input is applied, and the run goes on until every lane waits or is over.

use super::{
    Definition, InputError,
    address::{LaneId, StepAddress, Within},
    command::{Applied, Command},
    fact::{Fact, LaneRef, StepState},
    failure,
    failure::{Failure, RunError},
    frames::{Activity, Frame},
    input::{Stamp, Start, StartFault, Timer},
    limits::MAX_WORK,
    state::State,
    texts,
    texts::{MAX_AMOUNT, MAX_SUBJECT},
    way_ahead::WayAhead,
};
use crate::{
    ids::{StepId, derive_v7},
    workflow::{
        Context,
        evaluate::Why,
        loads::LoadEntry,
        scope::Scope,
        step::{Step, StepKind},
        template::{count_work, work_done},
    },
};
use chrono::{DateTime, Utc};
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

/// One transition: the definition and state of the run, the input's stamp, and the commands and facts that result.
pub(super) struct Transition<'t> {
    pub(super) definition: &'t Definition,
    pub(super) state: &'t mut State,
    pub(super) stamp: &'t Stamp,
    pub(super) out: Applied,
    ids: u32,
    /// How much work templates and conditions had done on this thread before.
    work_before: u64,
    /// How much of it since was done to look ahead.
    pub(super) work_ahead: u64,
    /// What is noted of the way ahead; there only on a copy of a run that looks along it.
    pub(super) ahead: Option<Box<WayAhead>>,
}

/// Where a run or a lane goes after a step.
pub(super) enum Next {
    /// To a step.
    To(StepId),
    /// The end of the run or the lane. A lane fails if an error is given.
    End(Option<RunError>),
    /// The step failed and has no `on_error`: the run or the lane fails.
    Fail(RunError),
    /// Nowhere yet: the step has set a frame, or the run has ended.
    Stay,
}

/// The end of a step: where the run or lane goes, and the fact that says so, to be completed.
pub(super) struct StepEnd<'f> {
    pub(super) next: Next,
    pub(super) fact: &'f mut Fact,
}

/// How a run or a lane ended.
pub(super) enum Completion {
    /// By its steps; in a branch, the failure that this counts as.
    Ended(Option<RunError>),
    /// A step failed.
    Failed(RunError),
}

/// How much work entering a step is, in the units of templates.
const STEP_WORK: u64 = 5;

impl Next {
    /// The step that it goes to.
    pub(super) fn next(&self) -> Option<&StepId> {
        if let Self::To(step) = self { Some(step) } else { None }
    }
}

impl<'t> Transition<'t> {
    pub(super) fn new(definition: &'t Definition, state: &'t mut State, stamp: &'t Stamp) -> Self {
        Self {
            definition,
            state,
            stamp,
            out: Applied::default(),
            ids: 0,
            work_before: work_done(),
            work_ahead: 0,
            ahead: None,
        }
    }

    /// Work that was done since then looked ahead, and isn't the run's own.
    pub(super) fn leave_out_work_since(&mut self, then: u64) {
        let work = work_done() - then;
        self.work_before += work;
        self.work_ahead += work;
    }

    /// Ends the transition: counts the working time and sets or clears the timer of the run's `timeout`.
    pub(super) fn finish(mut self) -> Applied {
        self.count_working_time();
        self.out
    }

    pub(super) fn start(&mut self, start: &Start) {
        debug_assert_eq!(self.state.event_id, start.event.id);
        if let Some(StartFault { code, message }) = &start.fault {
            return self.end_failed(Failure::new(code, message.clone()).of_no_step());
        }
        // What the context is loaded with may be what the run is described by.
        let is_served = |entry: &LoadEntry| !start.unserved.iter().any(|name| name == entry.name());
        let loads = self.state.loads_context() && self.definition.loads().any(is_served);
        if !loads && let Err(failure) = self.describe() {
            return self.end_failed(failure.of_no_step());
        }
        match self.filtered_out() {
            Ok(None) if loads => self.load_context(&start.unserved),
            Ok(None) => self.enter_first(),
            Ok(Some(reason)) => {
                self.state.reason = Some(reason);
                self.end_normally();
            }
            Err(failure) => self.end_failed(failure.of_no_step()),
        }
    }

    /// Enters the first step.
    pub(super) fn enter_first(&mut self) {
        let first = self.definition.first().cloned();
        self.continue_in(Vec::new(), first.map_or(Next::End(None), Next::To));
    }

    /// Takes subject, amount and currency once, before the first step.
    pub(super) fn describe(&mut self) -> Result<(), Failure> {
        let document = self.definition.document();
        let context = Arc::clone(&self.state.context);
        let scope = Scope::masked(&context, self.stamp.at);
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        if let Some(subject) = &document.subject {
            // The subject is for people to recognise the run by: the run goes on without it.
            let subject = subject.text(&scope).unwrap_or_else(|error| format!("(no subject: {error})"));
            self.state.subject = some(texts::shortened(subject, MAX_SUBJECT));
        }
        let named = |what: &str, failure: Failure| Failure {
            message: format!("The run's {what}: {}", failure.message),
            ..failure
        };
        if let Some(amount) = &document.amount {
            let text = amount.text(&scope).map_err(Failure::from);
            let text = text.and_then(|text| failure::fitting(text, "amount", MAX_AMOUNT));
            self.state.amount = some(text.map_err(|failure| named("amount", failure))?);
        }
        if let Some(currency) = &document.currency {
            let text = currency.text(&scope).map_err(Failure::from);
            let text = text.and_then(|text| failure::fitting(text, "currency", MAX_AMOUNT));
            self.state.currency = some(text.map_err(|failure| named("currency", failure))?);
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

    /// Continues after a step. A lane that is over continues the step around it, outwards to the run itself.
    pub(super) fn continue_from(&mut self, place: &StepAddress, flow: Next) {
        self.continue_in(place.within.clone(), flow);
    }

    fn continue_in(&mut self, mut within: Vec<Within>, mut flow: Next) {
        while let Some(completion) = self.run_lane(&within, flow) {
            let Some((around, lane)) = StepAddress::of_lane(&within) else {
                return self.complete_run(completion);
            };
            self.complete_lane(&around, lane, completion);
            flow = self.advance_lanes(&around, lane);
            within.pop();
        }
    }

    /// Enters the steps of the run or of one lane, one after the other. Returns how it ended, or `None` if it waits.
    pub(super) fn run_lane(&mut self, within: &[Within], mut flow: Next) -> Option<Completion> {
        loop {
            flow = match flow {
                Next::To(id) => self.enter(within, &id),
                Next::End(failure) => return Some(Completion::Ended(failure)),
                Next::Fail(error) => return Some(Completion::Failed(error)),
                Next::Stay => return None,
            };
        }
    }

    fn enter(&mut self, within: &[Within], id: &StepId) -> Next {
        let definition = self.definition;
        let Some(step) = definition.step(id) else {
            return Next::Fail(Failure::new("link.nowhere", format!("There is no step {id}.")).at(id));
        };
        self.state.steps_entered += 1;
        count_work(STEP_WORK);
        let place =
            StepAddress { step: id.clone(), visit: self.state.visit(id, within), within: within.to_vec() };
        if let Some(failure) = self.exceeded_limit() {
            self.fact(&place, StepState::Failed).reason = Some(failure.message.clone());
            self.end_failed(failure.at(id));
            return Next::Stay;
        }
        if let Some(next) = self.suspend(&place, 0) {
            return next;
        }
        let entered =
            if self.ahead.is_some() { self.look_at(step, &place, 0) } else { self.dispatch(step, &place) };
        match entered {
            Ok(flow) => flow,
            Err(failure) => self.step_failed(&place, failure).next,
        }
    }

    /// The limit that the run exceeds, if it does.
    fn exceeded_limit(&self) -> Option<Failure> {
        let limits = self.state.limits;
        if self.state.steps_entered > limits.steps {
            let message = format!("The run entered more than {} steps.", limits.steps);
            return Some(Failure::new("limit.steps", message));
        }
        if work_done() - self.work_before > MAX_WORK {
            let message = "The run's templates and conditions take too much work before it waits again.";
            return Some(Failure::new("limit.work", message));
        }
        if self.state.context_bytes > limits.bytes {
            let message = format!("The run's steps keep more than {} bytes in the context.", limits.bytes);
            return Some(Failure::new("limit.state", message));
        }
        None
    }

    /// The step's own code; nothing else here knows what a step means.
    pub(super) fn dispatch(&mut self, step: &'t Step, place: &StepAddress) -> Result<Next, Failure> {
        if !self.state.approved.is_empty()
            && let Some(next) = self.way_held_back(step, place)
        {
            return Ok(next);
        }
        match &step.kind {
            StepKind::Condition(condition) => self.condition(step, place, &condition.test),
            StepKind::Switch { cases, default } => self.switch(step, place, cases, default.as_ref()),
            StepKind::Action { action, .. } => self.action(step, place, action),
            StepKind::Execute { .. } => self.effects(step, place, 0),
            StepKind::Approval { approval, .. } => self.approval(step, place, approval),
            StepKind::Parallel { parallel } => self.parallel(step, place, parallel),
            StepKind::Foreach { foreach } => self.foreach(step, place, foreach),
            StepKind::Wait { wait } => self.wait(step, place, wait),
            StepKind::Set { set } => self.set(step, place, set),
            StepKind::Call { call } => self.call_workflow(step, place, call),
            StepKind::Emit { emit } => self.emit(step, place, emit),
            StepKind::Fail { reason } => self.fail(place, reason.as_ref()),
            StepKind::Ai { .. } => {
                let message = format!("This version can't run `{}` steps.", step.type_name());
                Err(Failure::new("unsupported", message))
            }
        }
    }

    /// A step failed: the run or lane goes to its `on_error`, or fails.
    pub(super) fn step_failed(&mut self, place: &StepAddress, failure: Failure) -> StepEnd<'_> {
        self.take_frame(place);
        self.withdraw_own(place, &failure.message);
        let on_error = self.definition.step(&place.step).and_then(|step| step.on_error.clone());
        let reason = failure.message.clone();
        let Some(on_error) = on_error else {
            let next = Next::Fail(failure.at(&place.step));
            let fact = self.fact(place, StepState::Failed);
            fact.reason = Some(reason);
            return StepEnd { next, fact };
        };
        let error = json!({ "step": place.step, "code": failure.code, "message": failure.message });
        self.put(&place.within, "error", error);
        let fact = self.fact(place, StepState::Failed);
        fact.reason = Some(reason);
        fact.output = Some(json!({ "next": on_error }));
        StepEnd { next: Next::To(on_error), fact }
    }

    /// To `next`; in a lane without `next`, to the step that follows in the document.
    pub(super) fn next_or_following(&self, place: &StepAddress, next: Option<&StepId>) -> Next {
        match next {
            Some(next) => Next::To(next.clone()),
            None => self.following_or_end(place, None),
        }
    }

    /// For a step without links: in a lane, to the step that follows in the document; else the end. An error makes the
    /// end of a lane a failure.
    pub(super) fn following_or_end(&self, place: &StepAddress, failure: Option<RunError>) -> Next {
        let following = (!place.within.is_empty()).then(|| self.definition.following(&place.step)).flatten();
        following.map_or(Next::End(failure), |step| Next::To(step.id.clone()))
    }

    pub(super) fn timer_due(&mut self, timer: &Timer) -> Result<(), InputError> {
        if self.state.end.is_some() {
            return Err(InputError::Ended);
        }
        match timer {
            Timer::Retry { place, .. } if place.is_loading() => self.load_again(timer),
            Timer::Retry { place, index } => self.retry_due(place, *index),
            Timer::Expiry { approval_id } => self.expired(*approval_id),
            Timer::Reminder { approval_id } => self.reminder_due(*approval_id),
            Timer::Escalation { approval_id } => self.escalation_due(*approval_id),
            Timer::WaitElapsed { place } => self.wait_elapsed(place),
            Timer::StepTimeout { place } => self.step_timed_out(place),
            Timer::RunTimeout => self.run_timeout(),
        }
    }

    pub(super) fn command(&mut self, command: Command) {
        self.out.commands.push(command);
    }

    /// Adds a fact about a step; the caller fills in the rest.
    pub(super) fn fact(&mut self, place: &StepAddress, state: StepState) -> &mut Fact {
        let lanes = || place.within.iter().rev();
        let branch = lanes().find_map(|within| match &within.lane {
            LaneId::Branch(id) => Some(id.clone()),
            LaneId::Item(_) => None,
        });
        let item = lanes().find_map(|within| match within.lane {
            LaneId::Item(n) => Some(n),
            LaneId::Branch(_) => None,
        });
        let fact = Fact {
            seq: self.state.fact_count,
            at: self.stamp.at,
            step_id: place.step.clone(),
            visit: place.visit,
            branch,
            item,
            within: place.within.iter().map(LaneRef::of).collect(),
            attempt: 1,
            state,
            duration_ms: None,
            reason: None,
            why: None,
            input: None,
            output: None,
        };
        self.state.fact_count += 1;
        let at = self.out.facts.len();
        self.out.facts.push(fact);
        &mut self.out.facts[at]
    }

    /// The last fact of a step in this transition.
    pub(super) fn last_fact_of(&mut self, place: &StepAddress) -> Option<&mut Fact> {
        let lanes: Vec<LaneRef> = place.within.iter().map(LaneRef::of).collect();
        let is_of_step = |fact: &&mut Fact| {
            fact.step_id == place.step && fact.visit == place.visit && fact.within == lanes
        };
        self.out.facts.iter_mut().rev().find(is_of_step)
    }

    /// Adds the fact of a step that completed at once.
    pub(super) fn complete_step(
        &mut self,
        place: &StepAddress,
        reason: String,
        why: Option<Why>,
        next: Next,
    ) -> StepEnd<'_> {
        let fact = self.fact(place, StepState::Done);
        fact.duration_ms = Some(0.0);
        fact.reason = Some(reason);
        fact.why = why;
        fact.output = Some(json!({ "next": next.next() }));
        StepEnd { next, fact }
    }

    /// An id that belongs to this input: the same on every replay.
    pub(super) fn fresh_id(&mut self) -> Uuid {
        self.ids += 1;
        derive_v7(self.stamp.id, self.ids)
    }

    /// What templates and conditions see at a place.
    pub(super) fn context(&self, place: &StepAddress) -> Context {
        self.state.context_in(&place.within)
    }

    /// What templates and conditions see of a context, secrets masked.
    pub(super) fn scope<'c>(&'c self, context: &'c Context) -> Scope<'c> {
        let watch = self.ahead.as_deref().map(|ahead| &ahead.watch);
        Scope { watch, ..Scope::masked(context, self.stamp.at) }
    }

    pub(super) fn frame(&self, place: &StepAddress) -> Option<&Frame> {
        self.state.frame(place)
    }

    /// Sets the activity of the frame at an address, and creates the frame if there is none.
    pub(super) fn set_frame(&mut self, place: &StepAddress, activity: Activity) -> Next {
        if let Some(frame) = self.state.frame_mut(place) {
            frame.activity = activity;
        } else {
            let frame = Frame {
                place: place.clone(),
                entered_at: self.stamp.at,
                activity,
                approved_revision: None,
                held_since: None,
            };
            self.state.put_frame(frame);
        }
        Next::Stay
    }

    pub(super) fn take_frame(&mut self, place: &StepAddress) -> Option<Frame> {
        self.state.take_frame(place)
    }

    /// When a place was entered; this moment for one that has no frame yet.
    pub(super) fn entered_at(&self, place: &StepAddress) -> DateTime<Utc> {
        self.frame(place).map_or(self.stamp.at, |frame| frame.entered_at)
    }
}
