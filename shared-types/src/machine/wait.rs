//! `wait`: for an event, a span of time, or a point in time.

use super::{
    InputError,
    address::StepAddress,
    command::Command,
    event::{AwaitedEvent, Event},
    fact::StepState,
    failure::Failure,
    frames::Activity,
    input::Timer,
    limits::MAX_OPEN_WAITS,
    state::awaited_in_words,
    transition::{Next, StepEnd, Transition},
};
use crate::workflow::{
    bounds,
    document::event_type_matches,
    duration::in_words,
    evaluate::{equal, time_of},
    path,
    scope::{Scope, is_reserved},
    step::{EventWait, MAX_SINCE, Step, Wait},
    template::as_text,
};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};

impl Transition<'_> {
    pub(super) fn wait(&mut self, step: &Step, place: &StepAddress, wait: &Wait) -> Result<Next, Failure> {
        self.may_wait(place)?;
        match wait {
            Wait::Event(wait) => self.await_event(place, wait),
            Wait::For { r#for } => Ok(self.pause(step, place, self.stamp.at + r#for.duration())),
            Wait::Until { until } => {
                let context = self.context(place);
                let scope = Scope::masked(&context, self.stamp.at);
                let text = until.needed("until", &scope)?;
                let Some(until) = time_of(&text) else {
                    let why = bounds::instant(&text).err().map(|fault| fault.to_string()).unwrap_or_default();
                    return Err(Failure::new("wait.until", format!("`until` can't be waited for: {why}.")));
                };
                Ok(self.pause(step, place, until))
            }
        }
    }

    fn pause(&mut self, step: &Step, place: &StepAddress, until: DateTime<Utc>) -> Next {
        let shown = until.to_rfc3339_opts(SecondsFormat::Secs, true);
        if until <= self.stamp.at {
            let flow = self.next_or_following(place, step.next.as_ref());
            return self.complete_step(place, format!("{shown} is past"), None, flow).next;
        }
        self.fact(place, StepState::Waiting).reason = Some(format!("Waits until {shown}"));
        self.command(Command::SetTimer { timer: Timer::WaitElapsed { place: place.clone() }, at: until });
        self.set_frame(place, Activity::Sleeping { until })
    }

    fn await_event(&mut self, place: &StepAddress, wait: &EventWait) -> Result<Next, Failure> {
        let context = self.context(place);
        let scope = Scope::masked(&context, self.stamp.at);
        let matches: Map<String, Value> = wait
            .matches
            .iter()
            .map(|(path, value)| {
                match value.whole(&scope) {
                    Ok(compared) if !compared.is_null() => return Ok((path.clone(), compared)),
                    Err(error) if error.code() != "template.missing" => return Err(error.into()),
                    Ok(_) | Err(_) => {}
                }
                let source = as_text(&value.source());
                let message = format!(
                    "`match` has nothing to compare {path} with: \"{source}\" gives nothing, and would fit no event, or \
                     another's."
                );
                Err(Failure::new("wait.match_missing", message))
            })
            .collect::<Result<_, Failure>>()?;
        let since = wait.since.as_ref().map(|since| self.state.started_at - since.duration().min(MAX_SINCE));
        let awaited = AwaitedEvent { place: place.clone(), event: wait.event.clone(), matches, since };
        let until = wait.timeout.as_ref().map(|timeout| self.stamp.at + timeout.duration());
        self.fact(place, StepState::Waiting).reason =
            Some(format!("Waits for {}", awaited_in_words(&awaited)));
        if let Some(at) = until {
            self.command(Command::SetTimer { timer: Timer::WaitElapsed { place: place.clone() }, at });
        }
        self.command(Command::AwaitEvent(Box::new(awaited.clone())));
        Ok(self.set_frame(place, Activity::AwaitingEvent { awaited: Box::new(awaited), until }))
    }

    pub(super) fn event_arrived(&mut self, place: &StepAddress, event: &Event) -> Result<(), InputError> {
        if self.state.end.is_some() {
            return Err(InputError::Ended);
        }
        let Some(Activity::AwaitingEvent { awaited, until }) =
            self.frame(place).map(|frame| frame.activity.clone())
        else {
            return Err(InputError::NotExpected);
        };
        if event.id == self.state.event_id
            || self.state.consumed_events.contains(&event.id)
            || !awaited.fits(event)
        {
            return Err(InputError::NotExpected);
        }
        self.state.consumed_events.insert(event.id.clone());
        if until.is_some() {
            self.command(Command::ClearTimer { timer: Timer::WaitElapsed { place: place.clone() } });
        }
        self.command(Command::StopAwaiting { place: place.clone() });
        self.withdraw_unawaited(place, &format!("{} came first", event.kind));
        for (key, value) in event.payload.iter().filter(|(key, _)| !is_reserved(key)) {
            self.merge_into(&place.within, key, value);
        }
        let next = self.definition.step(&place.step).and_then(|step| step.next.as_ref());
        let flow = self.next_or_following(place, next);
        let end = self.complete_waiting_step(place, format!("{} came", event.kind), flow);
        end.fact.input = Some(Value::Object(event.payload.clone()));
        let flow = end.next;
        self.continue_from(place, flow);
        Ok(())
    }

    pub(super) fn wait_elapsed(&mut self, place: &StepAddress) -> Result<(), InputError> {
        let Some(frame) = self.frame(place) else { return Err(InputError::NotExpected) };
        let step = self.definition.step(&place.step);
        let flow = match &frame.activity {
            Activity::Sleeping { .. } => {
                let flow = self.next_or_following(place, step.and_then(|step| step.next.as_ref()));
                self.complete_waiting_step(place, "The time has come".to_owned(), flow).next
            }
            Activity::AwaitingEvent { awaited, .. } => {
                let event = awaited.event.clone();
                self.command(Command::StopAwaiting { place: place.clone() });
                let on_timeout = step.and_then(Step::awaited_event).and_then(|wait| wait.on_timeout.clone());
                if let Some(to) = on_timeout {
                    self.complete_waiting_step(place, format!("{event} didn't come in time"), Next::To(to))
                        .next
                } else {
                    let message = format!("{event} didn't come in time.");
                    self.step_failed(place, Failure::new("wait.timeout", message)).next
                }
            }
            Activity::AwaitingEffect { .. }
            | Activity::BackingOff { .. }
            | Activity::AwaitingApproval { .. }
            | Activity::LoadingContext(_)
            | Activity::LoadingRule { .. }
            | Activity::AwaitingChild(_)
            | Activity::Parallel(_)
            | Activity::Foreach(_) => return Err(InputError::NotExpected),
        };
        self.continue_from(place, flow);
        Ok(())
    }

    /// A step that stood in a frame is done.
    pub(super) fn complete_waiting_step(
        &mut self,
        place: &StepAddress,
        reason: String,
        next: Next,
    ) -> StepEnd<'_> {
        let entered = self.take_frame(place).map_or(self.stamp.at, |frame| frame.entered_at);
        let waited = self.stamp.at - entered;
        let fact = self.fact(place, StepState::Done);
        fact.duration_ms = Some(milliseconds(waited));
        fact.reason = Some(if waited.num_seconds() > 0 {
            format!("{reason}, after {}", in_words(waited))
        } else {
            reason
        });
        fact.output = Some(json!({ "next": next.next() }));
        StepEnd { next, fact }
    }

    /// Whether one more may wait.
    pub(super) fn may_wait(&self, place: &StepAddress) -> Result<(), Failure> {
        // Only lanes can make a run wait in many places.
        if place.within.is_empty() {
            return Ok(());
        }
        let waits = self.state.all_frames().filter(|frame| frame.activity.waits()).count();
        if waits < MAX_OPEN_WAITS {
            return Ok(());
        }
        let message = format!("The run waits in more than {MAX_OPEN_WAITS} places at once.");
        Err(Failure::new("limit.waits", message))
    }
}

impl AwaitedEvent {
    /// Whether an event is of the awaited type and equal in all that must match.
    pub fn fits(&self, event: &Event) -> bool {
        event_type_matches(&self.event, &event.kind)
            && self.matches.iter().all(|(at, expected)| {
                let mut segments = path::names(at).into_iter();
                let first = segments.next().and_then(|key| event.payload.get(key));
                first
                    .and_then(|value| path::follow(value, segments))
                    .is_some_and(|seen| equal(&seen, expected))
            })
    }
}

/// A span in milliseconds, with its fraction.
#[expect(clippy::cast_precision_loss, reason = "spans of a run are far below 2^52 microseconds")]
pub(super) fn milliseconds(span: chrono::Duration) -> f64 {
    span.num_microseconds().map_or(0.0, |micros| micros as f64 / 1000.0)
}
