//! Looks along the way that a decision opens, on a copy of the run: the machine itself enters steps, evaluates conditions and
//! opens branches and items there, and what it would send is noted instead. Answers aren't known: the way ends where one is
//! read, and where people or events are awaited.

use super::{
    super::{
        address::{StepAddress, Within},
        failure::Failure,
        frames::Activity,
        resolved_effects::sent_otherwise,
        state::State,
        transition::{Next, Transition},
        way_ahead::WayAhead,
    },
    sentences::{name_of, sentences_of},
};
use crate::{
    approval::{progress::differences, seen::ResolvedEffect},
    workflow::{
        effect::Effect,
        scope::{MASK, Scope, Watch},
        step::{Step, StepKind},
        template::{TemplateError, work_done},
    },
};
use serde_json::{Map, Value};

/// What of an approval isn't known before it is given.
const OF_DECISION: [&str; 5] = ["by", "comment", "at", "step", "decisions"];

/// Where a look ahead begins.
pub(in crate::machine) enum From<'f> {
    /// At the step that a link leads to.
    Step(&'f crate::ids::StepId),
    /// In the middle of a step, at one of its effects.
    Effect(&'f StepAddress, u32),
}

/// What a look ahead has seen.
pub(in crate::machine) struct Ahead {
    pub(in crate::machine) effects: Vec<ResolvedEffect>,
    pub(in crate::machine) sentences: Vec<String>,
}

/// Looks ahead from a place on, once the request of `asked` is decided and the context holds `decision`.
pub(in crate::machine) fn look_ahead(
    transition: &mut Transition<'_>,
    asked: &StepAddress,
    from: &From<'_>,
    decision: Map<String, Value>,
    subject: Option<&str>,
) -> Ahead {
    let work_before = work_done();
    let mut state = without_requests(transition.state);
    let watch = unanswered(transition, &state, asked);
    state.take_frame(asked);
    let ahead = WayAhead::new(watch, asked, subject, work_before);
    let mut copy = Transition::new(transition.definition, &mut state, transition.stamp);
    copy.ahead = Some(Box::new(ahead));
    for (name, value) in decision {
        copy.put(&asked.within, &name, value);
    }
    match from {
        From::Step(step) => copy.go_on(asked.within.clone(), Next::To((*step).clone())),
        From::Effect(place, index) => copy.go_on_from(place, *index),
    }
    let ahead = copy.ahead.take();
    transition.leave_out_work_since(work_before);
    let Some(ahead) = ahead else { return Ahead { effects: Vec::new(), sentences: Vec::new() } };
    let (effects, sentences) = ahead.seen();
    Ahead { effects, sentences }
}

/// A copy of the run without its requests, which can be many and large, and which what lies ahead doesn't look at.
fn without_requests(state: &mut State) -> State {
    let (requests, approved) = (std::mem::take(&mut state.requests), std::mem::take(&mut state.approved));
    let copy = state.clone();
    (state.requests, state.approved) = (requests, approved);
    copy
}

/// The answers that a step which asks still waits for itself. A name that has a value already is taken as it stands: if the
/// answer changes what is sent, people are asked again.
fn unanswered(transition: &Transition<'_>, state: &State, asked: &StepAddress) -> Watch {
    let mut watch = Watch::default();
    let is_through =
        state.frame(asked).is_some_and(|f| matches!(f.activity, Activity::AwaitingApproval { .. }));
    let Some(step) = transition.definition.step(&asked.step).filter(|_| !is_through) else { return watch };
    let context = transition.context(asked);
    for effect in step.effects().iter().filter(|effect| effect.is_outside()) {
        watch.forget(&["steps", step.id.as_str()]);
        for name in effect.save_as().into_iter().chain(["data"]) {
            if context.layers().whole(name).is_none() {
                watch.forget(&[name]);
            }
        }
    }
    watch
}

impl<'t> Transition<'t> {
    /// Goes on in a lane, and after its end outwards, up to the end of the lane in which the request stands.
    fn go_on(&mut self, mut within: Vec<Within>, mut next: Next) {
        let depth = self.ahead.as_ref().map_or(0, |ahead| ahead.depth);
        while let Some(completion) = self.run_lane(&within, next) {
            if within.len() <= depth {
                return;
            }
            let Some((around, lane)) = StepAddress::of_lane(&within) else { return };
            self.complete_lane(&around, lane, completion);
            next = self.advance_lanes(&around, lane);
            within.pop();
        }
    }

    /// Goes on with one effect of a step; then with what is under way beside it.
    fn go_on_from(&mut self, place: &StepAddress, index: u32) {
        let definition = self.definition;
        let Some(step) = definition.step(&place.step) else { return };
        self.take_frame(place);
        self.look_at_and_go_on(step, place, index);
        let under_way: Vec<(StepAddress, u32)> = self.state.all_frames().filter_map(awaits_answer).collect();
        for (beside, index) in under_way {
            let Some(step) = definition.step(&beside.step) else { continue };
            self.take_frame(&beside);
            self.forget_answers(step);
            if let StepKind::Call { .. } = &step.kind {
                let next = self.next_or_following(&beside, step.next.as_ref());
                self.go_on(beside.within, next);
            } else {
                self.look_at_and_go_on(step, &beside, index + 1);
            }
        }
    }

    fn look_at_and_go_on(&mut self, step: &'t Step, place: &StepAddress, index: u32) {
        let next = match self.look_at(step, place, index) {
            Ok(next) => next,
            Err(failure) => self.step_failed(place, failure).next,
        };
        self.go_on(place.within.clone(), next);
    }

    /// What is sent, and the places of it that are filled in at the time; nothing where it needs what isn't known yet.
    pub(super) fn resolved_twice(
        &self,
        context: &crate::workflow::Context,
        resolve: impl Fn(&Scope<'_>) -> Result<Option<Value>, TemplateError>,
    ) -> Result<(Option<Value>, Vec<String>), Failure> {
        let Some(ahead) = &self.ahead else { return Ok((None, Vec::new())) };
        ahead.watch.take();
        let scope = self.scope(context);
        let sent = resolve(&scope);
        let read = ahead.watch.take();
        if read.unknown() {
            return Ok((None, Vec::new()));
        }
        let sent = sent?.unwrap_or_default();
        let mut filled_in = Vec::new();
        if read.time() {
            let otherwise = sent_otherwise(context, self.stamp.at, &resolve).unwrap_or_default();
            filled_in.extend(differences(&sent, &otherwise).into_iter().map(|change| change.pointer));
        }
        if read.secret() {
            places_with(&sent, MASK, &mut filled_in);
        }
        Ok((Some(sent), filled_in))
    }

    /// Evaluates something that must not depend on what the decision brings, on the time, or on an answer; false if it does.
    pub(super) fn with_decision_unknown<T>(&mut self, evaluate: impl FnOnce(&Self) -> T) -> (T, bool) {
        if let Some(ahead) = self.ahead.as_mut() {
            for name in OF_DECISION {
                ahead.watch.forget(&["approval", name]);
            }
            ahead.watch.take();
        }
        let value = evaluate(self);
        let Some(ahead) = self.ahead.as_mut() else { return (value, false) };
        let read = ahead.watch.take();
        for name in OF_DECISION {
            ahead.watch.learn(&["approval", name]);
        }
        (value, !read.unknown() && !read.time())
    }

    pub(super) fn note(
        &mut self,
        place: &StepAddress,
        index: u32,
        kind: &str,
        request: Value,
        filled_in: Vec<String>,
    ) {
        if let Some(ahead) = self.ahead.as_mut() {
            ahead.note(place, index, kind, request, filled_in);
        }
    }

    /// The answers to a step's calls are still to come.
    pub(super) fn forget_answers(&mut self, step: &Step) {
        self.passes_time();
        let brings_data = self.state.context.get("event").and_then(|event| event.get("data")).is_some();
        let Some(ahead) = self.ahead.as_mut() else { return };
        ahead.watch.forget(&["steps", step.id.as_str()]);
        if step.effects().iter().any(Effect::is_outside) && !brings_data {
            ahead.watch.forget(&["data"]);
        }
        for name in step.effects().iter().filter_map(Effect::save_as) {
            ahead.watch.forget(&[name]);
        }
    }

    pub(super) fn passes_time(&mut self) {
        if let Some(ahead) = self.ahead.as_mut() {
            ahead.has_waited = true;
        }
    }

    pub(super) fn say(&mut self, sentence: String) {
        if let Some(ahead) = self.ahead.as_mut() {
            ahead.say(sentence);
        }
    }

    pub(super) fn say_step(&mut self, step: &Step, place: &StepAddress) {
        let subject = self.ahead.as_ref().and_then(|ahead| ahead.subject.clone());
        for sentence in sentences_of(self, place, step, subject.as_deref()) {
            self.say(sentence);
        }
    }

    pub(super) fn say_unknown(&mut self, step: &Step, place: &StepAddress) {
        let context = self.context(place);
        let name = name_of(step, &Scope::masked(&context, self.stamp.at));
        self.say(format!(
            "{}: depends on an answer that is still to come.",
            name.unwrap_or_else(|| step.id.0.clone())
        ));
    }
}

fn awaits_answer(frame: &super::super::frames::Frame) -> Option<(StepAddress, u32)> {
    match &frame.activity {
        Activity::AwaitingEffect { index, .. } | Activity::BackingOff { index, .. } => {
            Some((frame.place.clone(), *index))
        }
        Activity::AwaitingChild(_) => Some((frame.place.clone(), 0)),
        Activity::AwaitingApproval { .. }
        | Activity::AwaitingEvent { .. }
        | Activity::Sleeping { .. }
        | Activity::LoadingRule { .. }
        | Activity::Parallel(_)
        | Activity::Foreach(_) => None,
    }
}

/// The places of a value whose text has a word in it, as JSON pointers.
fn places_with(value: &Value, word: &str, places: &mut Vec<String>) {
    crate::approval::seen::find_text(value, word, &mut String::new(), places);
}
