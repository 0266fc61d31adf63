//! Looks along the way that a decision opens, on a copy of the run: the machine itself enters steps, evaluates conditions and
//! opens branches and items there, and what it would send is noted instead. Answers aren't known: the way ends where one is
//! read, and where people or events are awaited.

use super::{
    super::{
        address::{StepAddress, Within},
        failure::Failure,
        frames::{Activity, Frame},
        input::Stamp,
        state::{ResumePoint, State},
        transition::{Next, Transition},
        way_ahead::{Reach, Resolved, WayAhead},
    },
    Asked,
    sentences::{name_of, sentences_of},
};
use crate::{
    approval::seen::{AT_THE_TIME, ResolvedEffect},
    workflow::{
        Context, Template,
        effect::Effect,
        scope::{Scope, Watch, WhatWasRead},
        step::Step,
        template::{TemplateError, work_done},
    },
};
use serde_json::{Map, Value};

/// Where a look ahead begins.
pub(in crate::machine) enum From<'f> {
    /// At the step that a link leads to.
    Step(&'f crate::ids::StepId),
    /// Where a request that is open again lets the run go on: one place, and those in other branches and items.
    Points(&'f ResumePoint, &'f [ResumePoint]),
}

/// What a look ahead has seen.
pub(in crate::machine) struct Ahead {
    pub(in crate::machine) effects: Vec<ResolvedEffect>,
    pub(in crate::machine) sentences: Vec<String>,
    /// Whether more follows than was looked at.
    pub(in crate::machine) is_cut: bool,
}

/// Looks ahead from a place on, once the request of `asked` is decided and the context holds `decision`.
pub(in crate::machine) fn look_ahead(
    transition: &mut Transition<'_>,
    request: &Asked<'_>,
    from: &From<'_>,
    decision: Map<String, Value>,
) -> Ahead {
    let Asked { place: asked, subject, .. } = *request;
    let work_before = work_done();
    let mut state = without_requests(transition.state);
    let watch = unanswered(transition, &state, asked);
    state.take_frame(asked);
    let ahead = WayAhead::new(watch, asked, subject, reach(transition), work_before);
    let stamp = Stamp { at: request.at.unwrap_or(transition.stamp.at), ..transition.stamp.clone() };
    let mut copy = Transition::new(transition.definition, &mut state, &stamp);
    copy.ahead = Some(Box::new(ahead));
    for (name, value) in decision {
        copy.put(&asked.within, &name, value);
    }
    match from {
        From::Step(step) => copy.go_on(asked.within.clone(), Next::To((*step).clone())),
        From::Points(first, others) => copy.go_on_from(first, others),
    }
    let ahead = copy.ahead.take();
    transition.leave_out_work_since(work_before);
    let Some(ahead) = ahead else {
        return Ahead { effects: Vec::new(), sentences: Vec::new(), is_cut: false };
    };
    let (effects, sentences, is_cut) = ahead.seen();
    Ahead { effects, sentences, is_cut }
}

/// How far a look may go, after those before it.
fn reach(transition: &Transition<'_>) -> Reach {
    let state = &transition.state;
    if !state.holds_places() {
        return Reach::alone();
    }
    let open = state.requests.values().map(|request| request.effects.len());
    let approved = state.approved.iter().map(|approved| approved.request.effects.len());
    Reach::among(open.chain(approved).sum(), transition.work_ahead)
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

    /// Goes on where a request lets it; then with what is under way beside that.
    fn go_on_from(&mut self, first: &ResumePoint, others: &[ResumePoint]) {
        let definition = self.definition;
        for ResumePoint { place, index } in std::iter::once(first).chain(others) {
            let is_there = place.within.is_empty() || self.state.lane(&place.within).is_some();
            if let Some(step) = definition.step(&place.step).filter(|_| is_there) {
                self.take_frame(place);
                self.look_at_and_go_on(step, place, *index);
            }
        }
        let under_way: Vec<(StepAddress, UnderWay)> = self
            .state
            .all_frames()
            .filter_map(|frame| Some((frame.place.clone(), under_way(frame)?)))
            .collect();
        for (beside, what) in under_way {
            let Some(step) = definition.step(&beside.step) else { continue };
            self.take_frame(&beside);
            match what {
                UnderWay::Effect(index) => {
                    self.forget_answers(step);
                    self.look_at_and_go_on(step, &beside, index + 1);
                }
                UnderWay::Child | UnderWay::Time => {
                    if what == UnderWay::Child {
                        self.forget_answers(step);
                    }
                    let next = self.next_or_following(&beside, step.next.as_ref());
                    self.go_on(beside.within, next);
                }
                UnderWay::Rule => self.look_at_and_go_on(step, &beside, 0),
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

    /// What is sent, and what of it is filled in at the time; nothing where it needs what isn't known yet.
    pub(super) fn resolved(
        &self,
        context: &Context,
        templates: &[(String, &Template)],
        resolve: impl Fn(&Scope<'_>) -> Result<Value, TemplateError>,
    ) -> Result<Option<Resolved>, Failure> {
        let Some(ahead) = &self.ahead else { return Ok(None) };
        ahead.watch.take();
        let scope = self.scope(context);
        let sent = resolve(&scope);
        let read = ahead.watch.take();
        // What fails with a placeholder may not fail with the value.
        if read.unknown() || (sent.is_err() && read.is_open() && self.state.holds_places()) {
            return Ok(None);
        }
        let request = sent?;
        let mut filled_in = Vec::new();
        // Which of the templates it was is asked only where one was.
        for (place, template) in templates.iter().filter(|_| read.at_the_time()) {
            drop(template.value(&scope));
            if ahead.watch.take().at_the_time() {
                filled_in.push(place.clone());
            }
        }
        let placeholders = if read.placeholder() { self.placeholders(context) } else { Vec::new() };
        Ok(Some(Resolved { request, filled_in, placeholders }))
    }

    /// The paths at which a step sees placeholders for values that are made at the time.
    pub(super) fn placeholders(&self, context: &Context) -> Vec<String> {
        let paths = self.ahead.iter().flat_map(|ahead| ahead.watch.placeholders());
        let held = paths.filter(|path| {
            let Some((name, below)) = path.split_first() else { return false };
            let value = context.layers().find(name, below.iter().map(String::as_str));
            value.is_some_and(|value| value.as_str() == Some(AT_THE_TIME))
        });
        held.map(|path| path.join(".")).collect()
    }

    /// Evaluates something, and says what of what isn't fixed yet it read.
    pub(super) fn watched<T>(&self, evaluate: impl FnOnce(&Self) -> T) -> (T, Option<WhatWasRead>) {
        let Some(ahead) = self.ahead.as_ref() else { return (evaluate(self), None) };
        ahead.watch.take();
        let value = evaluate(self);
        (value, Some(ahead.watch.take()))
    }

    /// Evaluates something that must not depend on what the decision brings, on the time, or on an answer; false if it does.
    pub(super) fn with_decision_unknown<T>(&self, evaluate: impl FnOnce(&Self) -> T) -> (T, bool) {
        let (value, read) = self.watched(evaluate);
        (value, read.is_some_and(|read| !read.is_open()))
    }

    pub(super) fn note(
        &mut self,
        place: &StepAddress,
        index: u32,
        kind: &str,
        resolved: impl Into<Resolved>,
    ) {
        if let Some(ahead) = self.ahead.as_mut() {
            ahead.note(place, index, kind, resolved.into());
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

    /// What becomes of branches and items isn't known before their calls are answered.
    pub(super) fn forget_outcome(&mut self, step: &Step) {
        if let Some(ahead) = self.ahead.as_mut() {
            ahead.watch.forget(&["steps", step.id.as_str()]);
        }
    }

    /// Whether a step is entered for the first time on this way; what is sent in rounds is looked at once.
    pub(super) fn is_first_visit(&mut self, place: &StepAddress) -> bool {
        let Some(ahead) = self.ahead.as_mut() else { return false };
        let is_first = ahead.enters(place);
        if !is_first {
            ahead.say(format!("It goes on again from {}.", place.step));
        }
        is_first
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

/// What a step beside waits for that comes by itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum UnderWay {
    /// The answer of one of its effects.
    Effect(u32),
    /// A run of another workflow.
    Child,
    /// The time until which a step sleeps.
    Time,
    /// A stored rule, which is being read.
    Rule,
}

fn under_way(frame: &Frame) -> Option<UnderWay> {
    match &frame.activity {
        Activity::AwaitingEffect { index, .. } | Activity::BackingOff { index, .. } => {
            Some(UnderWay::Effect(*index))
        }
        Activity::AwaitingChild(_) => Some(UnderWay::Child),
        Activity::Sleeping { .. } => Some(UnderWay::Time),
        Activity::LoadingRule { .. } => Some(UnderWay::Rule),
        Activity::AwaitingApproval { .. }
        | Activity::AwaitingEvent { .. }
        // Nobody is asked before the context is loaded.
        | Activity::LoadingContext(_)
        | Activity::Parallel(_)
        | Activity::Foreach(_) => None,
    }
}
