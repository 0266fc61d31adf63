//! What a document loads before its first step: all of it side by side, then into the context in the document's order.

use super::{
    Definition, InputError,
    address::StepAddress,
    command::{Command, LoadCall},
    fact::{Fact, StepState},
    failure::Failure,
    frames::{Activity, ContextLoading, Frame, LoadProgress},
    input::{LoadOutcome, LoadSource, Outcome, Stamp, Timer},
    outcomes::{held_until, outcome_code, outcome_in_words, waited_in_vain},
    retry,
    state::{AbandonedCall, State},
    transition::Transition,
};
use crate::workflow::{context::weight, duration::in_words, loads::LoadEntry, step::Retry};
use chrono::{DateTime, Duration, Utc};
use serde_json::json;
use std::collections::BTreeMap;

/// How often a load is tried where its connector doesn't say.
const DEFAULT_ATTEMPTS: u32 = 3;

impl Definition {
    /// The names that are loaded before the first step.
    pub(super) fn loads(&self) -> impl Iterator<Item = &LoadEntry> {
        self.document().context.iter().flat_map(|context| &context.load)
    }

    fn load(&self, index: u32) -> Option<&LoadEntry> {
        self.loads().nth(index as usize)
    }
}

/// The loads of a frame that are out, as they were commanded.
pub(super) fn open_loads(
    definition: &Definition,
    state: &State,
    frame: &Frame,
    loading: &ContextLoading,
) -> Vec<Command> {
    let calls = loading.calls();
    let commands = calls.filter_map(|(index, attempt)| {
        let entry = definition.load(index)?;
        Some(Command::Load(Box::new(LoadCall {
            place: frame.place.clone(),
            index,
            attempt,
            name: entry.name().to_owned(),
            max_age_ms: entry.max_age().map(crate::workflow::Span::millis),
            context: state.context_in(&[]),
            now: frame.entered_at,
        })))
    });
    commands.collect()
}

impl Transition<'_> {
    /// Begins all loads that somebody serves, side by side.
    pub(super) fn load_context(&mut self, unserved: &[String]) {
        let place = StepAddress::of_loading();
        let definition = self.definition;
        let mut loads = Vec::new();
        for entry in definition.loads() {
            if unserved.iter().any(|name| name == entry.name()) {
                loads.push(LoadProgress::LeftOut);
                continue;
            }
            loads.push(LoadProgress::Calling { attempt: 1 });
            let fact = self.fact(&place, StepState::Entered);
            fact.reason = Some(format!("Loads {}", entry.name()));
            fact.input = Some(json!({ "load": entry.name() }));
        }
        self.set_frame(
            &place,
            Activity::LoadingContext(Box::new(ContextLoading { loads, held_since: BTreeMap::new() })),
        );
        let Some(frame) = self.state.frame(&place) else { return };
        if let Activity::LoadingContext(loading) = &frame.activity {
            self.out.commands.extend(open_loads(definition, self.state, frame, loading));
        }
    }

    /// A load that failed is tried again.
    pub(super) fn load_again(&mut self, timer: &Timer) -> Result<(), InputError> {
        let Timer::Retry { place, index } = timer else { return Err(InputError::NotExpected) };
        let Some(load) = self.load_mut(place, *index) else { return Err(InputError::NotExpected) };
        let LoadProgress::BackingOff { attempt, .. } = *load else { return Err(InputError::NotExpected) };
        *load = LoadProgress::Calling { attempt };
        let Some(frame) = self.state.frame(place) else { return Err(InputError::NotExpected) };
        let Activity::LoadingContext(loading) = &frame.activity else { return Err(InputError::NotExpected) };
        let commands = open_loads(self.definition, self.state, frame, loading);
        let is_this = |command: &Command| matches!(command, Command::Load(load) if load.index == *index);
        self.out.commands.extend(commands.into_iter().filter(is_this));
        Ok(())
    }

    fn load_mut(&mut self, place: &StepAddress, index: u32) -> Option<&mut LoadProgress> {
        let frame = self.state.frame_mut(place)?;
        let Activity::LoadingContext(loading) = &mut frame.activity else { return None };
        loading.loads.get_mut(index as usize)
    }

    /// Takes what came of a load.
    pub(super) fn loaded(
        &mut self,
        place: &StepAddress,
        index: u32,
        attempt: u32,
        took_ms: u32,
        outcome: &LoadOutcome,
    ) -> Result<(), InputError> {
        let definition = self.definition;
        let Some(entry) = definition.load(index).filter(|_| place.is_loading()) else {
            return Err(InputError::NotExpected);
        };
        let is_awaited = matches!(self.load_mut(place, index),
            Some(LoadProgress::Calling { attempt: awaited }) if *awaited == attempt);
        if !is_awaited {
            let given_up = AbandonedCall { place: place.clone(), index, attempt };
            if !self.state.abandoned_calls.remove(&given_up) && self.state.end.is_none() {
                return Err(InputError::NotExpected);
            }
            let fact = self.fact(place, StepState::Late);
            (fact.attempt, fact.duration_ms) = (attempt, Some(f64::from(took_ms)));
            fact.reason = Some(format!("{} came when nothing waited for it any more", entry.name()));
            return Ok(());
        }
        let told = Told { name: entry.name(), attempt, took_ms };
        match outcome {
            LoadOutcome::Loaded { value, from } => {
                self.reserve_bytes(weight(value));
                self.set_load(place, index, LoadProgress::Loaded { value: value.clone() });
                let fact = self.load_fact(place, StepState::Done, &told);
                fact.reason = Some(loaded_in_words(entry.name(), from.as_ref()));
                fact.output = Some(json!({ "load": entry.name(), "value": value, "from": from }));
            }
            LoadOutcome::Unserved { message } => {
                self.set_load(place, index, LoadProgress::LeftOut);
                self.load_fact(place, StepState::Done, &told).reason = Some(message.clone());
            }
            // What is optional waits for nobody.
            LoadOutcome::Failed { outcome: Outcome::Held { message, until }, .. } if !entry.is_optional() => {
                let Some(in_vain) = self.hold_load(place, index, &told, message, *until) else {
                    return Ok(());
                };
                if !self.load_failed(place, index, entry, &told, &in_vain) {
                    return Ok(());
                }
            }
            LoadOutcome::Failed { outcome, retry } => {
                let delay = delay(retry.as_ref(), attempt, outcome, self.stamp);
                if let Some(delay) = delay {
                    self.back_off_load(place, index, &told, outcome, delay);
                    return Ok(());
                }
                if !self.load_failed(place, index, entry, &told, outcome) {
                    return Ok(());
                }
            }
        }
        self.end_loading(place);
        Ok(())
    }

    fn set_load(&mut self, place: &StepAddress, index: u32, progress: LoadProgress) {
        if let Some(load) = self.load_mut(place, index) {
            *load = progress;
        }
    }

    fn load_fact(&mut self, place: &StepAddress, state: StepState, told: &Told<'_>) -> &mut Fact {
        let fact = self.fact(place, state);
        fact.attempt = told.attempt;
        fact.duration_ms = Some(f64::from(told.took_ms));
        fact.input = Some(json!({ "load": told.name }));
        fact
    }

    fn back_off_load(
        &mut self,
        place: &StepAddress,
        index: u32,
        told: &Told<'_>,
        outcome: &Outcome,
        delay: Duration,
    ) {
        let until = self.stamp.at + delay;
        let fact = self.load_fact(place, StepState::Retrying, told);
        let words = outcome_in_words(outcome);
        fact.reason = Some(format!("{}: {words}; tries again in {}", told.name, in_words(delay)));
        let timer = Timer::Retry { place: place.clone(), index };
        self.command(Command::SetTimer { timer, at: until });
        self.set_load(place, index, LoadProgress::BackingOff { attempt: told.attempt + 1, until });
        if let Some(Activity::LoadingContext(loading)) =
            self.state.frame_mut(place).map(|frame| &mut frame.activity)
        {
            loading.held_since.remove(&index);
        }
    }

    /// The connector takes no calls: the load is made later. Once it has waited long enough, the outcome that fails it.
    fn hold_load(
        &mut self,
        place: &StepAddress,
        index: u32,
        told: &Told<'_>,
        message: &str,
        until: DateTime<Utc>,
    ) -> Option<Outcome> {
        let now = self.stamp.at;
        let frame = self.state.frame_mut(place)?;
        let Activity::LoadingContext(loading) = &mut frame.activity else { return None };
        let is_new = !loading.held_since.contains_key(&index);
        let since = *loading.held_since.entry(index).or_insert(now);
        let Some(until) = held_until(since, until, now) else {
            let code = "connector.unavailable".to_owned();
            return Some(Outcome::Refused { code, message: waited_in_vain(message) });
        };
        if is_new {
            self.load_fact(place, StepState::Waiting, told).reason =
                Some(format!("{}: {message}", told.name));
        }
        let timer = Timer::Retry { place: place.clone(), index };
        self.command(Command::SetTimer { timer, at: until });
        self.set_load(place, index, LoadProgress::BackingOff { attempt: told.attempt, until });
        None
    }

    /// A load failed for good; true where the run goes on without it.
    fn load_failed(
        &mut self,
        place: &StepAddress,
        index: u32,
        entry: &LoadEntry,
        told: &Told<'_>,
        outcome: &Outcome,
    ) -> bool {
        let words = outcome_in_words(outcome);
        let words = words.trim_end_matches('.');
        let code = outcome_code(outcome);
        if entry.is_optional() {
            self.set_load(place, index, LoadProgress::LeftOut);
            let fact = self.load_fact(place, StepState::Done, told);
            fact.reason = Some(format!("{} is optional and left out: {words}", entry.name()));
            fact.output = Some(json!({ "load": entry.name(), "error": { "code": code, "message": words } }));
            return true;
        }
        self.set_load(place, index, LoadProgress::LeftOut);
        if let Some(frame) = self.take_frame(place)
            && let Activity::LoadingContext(loading) = &frame.activity
        {
            self.abandon_loads(place, loading);
        }
        // The run is told of by what there is.
        drop(self.describe());
        let message = format!("{} could not be loaded: {words}.", entry.name());
        let failure = Failure::new("context.failed", message);
        let fact = self.load_fact(place, StepState::Failed, told);
        fact.reason = Some(failure.message.clone());
        fact.output = Some(json!({ "load": entry.name(), "error": { "code": code, "message": words } }));
        self.end_failed(failure.of_no_step());
        false
    }

    /// Gives up the loads that are under way.
    pub(super) fn abandon_loads(&mut self, place: &StepAddress, loading: &ContextLoading) {
        let calls: Vec<_> = loading.calls().collect();
        // Those that this very turn commanded are never made.
        if !self.retract(place) {
            for (index, attempt) in calls {
                self.state.abandoned_calls.insert(AbandonedCall { place: place.clone(), index, attempt });
            }
        }
        for (index, _) in
            (0u32..).zip(&loading.loads).filter(|(_, load)| matches!(load, LoadProgress::BackingOff { .. }))
        {
            let timer = Timer::Retry { place: place.clone(), index };
            self.command(Command::ClearTimer { timer });
        }
    }

    /// Once all loads are over: what they gave goes into the context, and the run enters its first step.
    fn end_loading(&mut self, place: &StepAddress) {
        let is_over = self.frame(place).is_some_and(
            |frame| matches!(&frame.activity, Activity::LoadingContext(loading) if loading.is_over()),
        );
        if !is_over {
            return;
        }
        let Some(Frame { activity: Activity::LoadingContext(loading), entered_at, .. }) =
            self.take_frame(place)
        else {
            return;
        };
        let definition = self.definition;
        let all = loading.loads.len();
        let mut loaded = 0;
        for (entry, load) in definition.loads().zip(loading.loads) {
            let LoadProgress::Loaded { value } = load else { continue };
            loaded += 1;
            self.release_bytes(weight(&value));
            self.merge_into(&[], entry.key(), &value);
        }
        let took = super::wait::milliseconds(self.stamp.at - entered_at);
        let fact = self.fact(place, StepState::Done);
        fact.duration_ms = Some(took);
        fact.reason = Some(format!("{loaded} of {all} loaded"));
        fact.output = Some(json!({ "next": definition.first() }));
        match self.describe() {
            Ok(()) => self.enter_first(),
            Err(failure) => self.end_failed(failure.of_no_step()),
        }
    }
}

/// What a fact of a load tells.
struct Told<'l> {
    name: &'l str,
    attempt: u32,
    took_ms: u32,
}

fn delay(retry: Option<&Retry>, attempt: u32, outcome: &Outcome, stamp: &Stamp) -> Option<Duration> {
    let usual = Retry::of_attempts(DEFAULT_ATTEMPTS);
    retry::delay(Some(retry.unwrap_or(&usual)), attempt, outcome, stamp)
}

/// Where something is from and how old it is: `customer.profile from crm.get_customer (revision 3), 12 s old`.
fn loaded_in_words(name: &str, from: Option<&LoadSource>) -> String {
    let Some(LoadSource { operation, revision, age_ms }) = from else { return format!("{name} as scripted") };
    let age = match age_ms {
        None => String::new(),
        Some(age) if *age < 1000 => ", less than 1\u{a0}s old".to_owned(),
        Some(age) => format!(", {} old", in_words(Duration::seconds(age / 1000))),
    };
    format!("{name} from {operation} (revision {revision}){age}")
}
