//! Everything around a simulated run: its clock, its timers, its events, and who answers its calls.

use super::{
    MAX_FACTS, SimulatedEffect, Unused,
    people::SimulatedPeople,
    scripted::{end_of, executed, scripted_load, scripted_outcome},
};
use crate::{
    approval::decision::Decision,
    ids::{ApprovalId, EventId, StepId, derive_v7},
    machine::{
        InputError, Run,
        address::StepAddress,
        child_run::ChildStatus,
        command::{Command, EffectCall, LoadCall, StartRun},
        effects::silent_answer,
        environment::{EnvironmentNeeds, RunEnvironment},
        event::{AwaitedEvent, Event},
        fact::Fact,
        input::{Input, LoadOutcome, Outcome, Stamp, Timer},
        request,
        state::{OpenRequest, RunStatus},
    },
    requester::{Requester, RequesterKind},
    workflow::{
        Document, bounds,
        calendar::Calendar,
        scope::Scope,
        test_script::{ScriptItem, ScriptedEvent},
    },
};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};
use uuid::Uuid;

/// What a run asked for, and gets an answer to.
enum Work {
    Call(Box<EffectCall>),
    Run(Box<StartRun>),
    Rule { place: StepAddress, rule_id: String },
    Load(Box<LoadCall>),
}

impl Work {
    fn place(&self) -> &StepAddress {
        match self {
            Self::Call(call) => &call.place,
            Self::Run(start) => &start.place,
            Self::Rule { place, .. } => place,
            Self::Load(load) => &load.place,
        }
    }
}

/// Everything around a simulated run.
pub(super) struct World<'s> {
    pub(super) now: DateTime<Utc>,
    ids: u32,
    pub(super) scripted: BTreeMap<&'s StepId, VecDeque<(usize, Outcome)>>,
    pub(super) scripted_loads: BTreeMap<&'s str, VecDeque<(usize, LoadOutcome)>>,
    calls: VecDeque<Work>,
    timers: Vec<(DateTime<Utc>, Timer)>,
    pub(super) awaited: Vec<AwaitedEvent>,
    events: Vec<Arc<Event>>,
    pub(super) facts: Vec<Fact>,
    pub(super) effects: Vec<SimulatedEffect>,
    pub(super) unused: Vec<Unused>,
    people: SimulatedPeople,
    calendars: Vec<Calendar>,
}

impl<'s> World<'s> {
    pub(super) fn new(now: DateTime<Utc>, script: &'s [ScriptItem], calendars: Vec<Calendar>) -> Self {
        let mut scripted: BTreeMap<&StepId, VecDeque<(usize, Outcome)>> = BTreeMap::new();
        let mut scripted_loads: BTreeMap<&str, VecDeque<(usize, LoadOutcome)>> = BTreeMap::new();
        for (index, item) in script.iter().enumerate() {
            if let ScriptItem::Effect { effect, response, error } = item {
                let outcome = scripted_outcome(response.as_ref(), *error);
                scripted.entry(effect).or_default().push_back((index, outcome));
            } else if let ScriptItem::Load { load, response, error } = item {
                let outcome = scripted_load(response.as_ref(), *error);
                scripted_loads.entry(load).or_default().push_back((index, outcome));
            }
        }
        Self {
            now,
            ids: 0,
            scripted,
            scripted_loads,
            calls: VecDeque::new(),
            timers: Vec::new(),
            awaited: Vec::new(),
            events: Vec::new(),
            facts: Vec::new(),
            effects: Vec::new(),
            unused: Vec::new(),
            people: SimulatedPeople::default(),
            calendars,
        }
    }

    pub(super) fn id(&mut self) -> Uuid {
        self.ids += 1024;
        let millis = u128::try_from(self.now.timestamp_millis()).unwrap_or_default();
        // The layout of a v7: 48 bits of time, the version, the variant, and a counter for the random bits.
        let base = Uuid::from_u128((millis << 80) | (0x7 << 76) | (0b10 << 62));
        derive_v7(base, self.ids)
    }

    /// A stamp with what the run needs of its workspace.
    pub(super) fn stamp(&mut self, needs: &EnvironmentNeeds) -> Stamp {
        let environment = (!needs.is_empty()).then(|| {
            Arc::new(RunEnvironment {
                version: 0,
                people: self.people.list(),
                roles_are_open: true,
                calendars: self.calendars.clone(),
                ..RunEnvironment::default()
            })
        });
        Stamp { at: self.now, id: self.id(), environment }
    }

    pub(super) fn event(&mut self, event: &ScriptedEvent, id: &str) -> Arc<Event> {
        let requester = event.requester.as_ref().map(|email| Requester {
            kind: RequesterKind::Person,
            name: email.clone(),
            email: Some(email.clone()),
        });
        Arc::new(Event {
            kind: event.kind.clone(),
            id: EventId(event.id.clone().unwrap_or_else(|| id.to_owned())),
            source: event.source.clone(),
            time: event.time.unwrap_or(self.now),
            requester,
            payload: event.payload.clone(),
        })
    }

    /// Applies an input; true where the run took it.
    fn apply(&mut self, run: &mut Run, input: &Input) -> bool {
        self.try_apply(run, input).is_ok()
    }

    fn try_apply(&mut self, run: &mut Run, input: &Input) -> Result<(), InputError> {
        let stamp = self.stamp(&run.environment_needs(input));
        let applied = run.apply(&stamp, input)?;
        self.take(run, applied.commands, applied.facts);
        Ok(())
    }

    pub(super) fn take(&mut self, run: &Run, commands: Vec<Command>, facts: Vec<Fact>) {
        self.facts.extend(facts);
        for command in commands {
            match command {
                Command::Perform(call) => self.calls.push_back(Work::Call(call)),
                Command::StartRun(start) => self.calls.push_back(Work::Run(start)),
                Command::ReadRule { place, rule_id } => {
                    self.calls.push_back(Work::Rule { place, rule_id });
                }
                Command::Load(load) => self.calls.push_back(Work::Load(load)),
                Command::SetTimer { timer, at } => {
                    self.timers.retain(|(_, other)| *other != timer);
                    self.timers.push((at, timer));
                }
                Command::ClearTimer { timer } => self.timers.retain(|(_, other)| *other != timer),
                Command::AwaitEvent(awaited) => self.awaited.push(*awaited),
                Command::StopAwaiting { place } => self.awaited.retain(|awaited| awaited.place != place),
                Command::Ask { request, .. } => {
                    let index = request_index(run, &request.place.step);
                    let shown = json!({
                        "approvers": request.levels.first().map(|level| &level.approvers),
                        "subject": request.subject, "reason": request.reason, "amount": request.amount,
                        "currency": request.currency, "expires_at": request.expires_at, "data": request.data,
                    });
                    self.list(&request.place.step, index, "create_approval_request", shown);
                }
                Command::Notify(notice) => {
                    let shown = json!({
                        "recipients": notice.recipients, "subject": notice.subject, "message": notice.message,
                    });
                    self.list(&notice.place.step, notice.index, "notify", shown);
                }
                Command::Publish { place, index: Some(index), event, .. } => {
                    let shown = json!({ "event": event.kind, "payload": event.payload });
                    self.list(&place.step, index, "emit_event", shown);
                }
                Command::Publish { index: None, .. }
                | Command::StopRun { .. }
                | Command::RecordDecision { .. }
                | Command::VoidDecisions { .. }
                | Command::UpdateRequest(_)
                | Command::Close { .. } => {}
                Command::Finish(_) => {
                    self.timers.clear();
                    self.awaited.clear();
                    self.calls.clear();
                }
            }
        }
    }

    fn list(&mut self, step: &StepId, index: u32, kind: &'static str, request: Value) {
        self.effects.push(SimulatedEffect {
            step: step.clone(),
            index,
            kind,
            request,
            response: Value::Null,
            place: None,
        });
    }

    /// Answers calls, lets retry delays pass and offers events, until the run waits or has ended.
    pub(super) fn settle(&mut self, run: &mut Run) {
        loop {
            if let Some(work) = self.calls.pop_front() {
                // What was given up before it was made isn't made.
                if run.state().frame(work.place()).is_some() {
                    match work {
                        Work::Call(call) => self.answer(run, &call),
                        Work::Run(start) => self.run_other(run, &start),
                        Work::Load(load) => self.load(run, &load),
                        Work::Rule { place, rule_id } => {
                            let rule = run.definition().rule(&rule_id).cloned().map(Box::new);
                            self.apply(run, &Input::RuleRead { place, rule });
                        }
                    }
                }
            } else if self.offer_events(run) {
            } else if run.state().status() == RunStatus::Running {
                // Only a retry's delay runs; it passes by itself, and the run's own timeout with it.
                let Some(due) = self.next_timer() else { return };
                self.fire(run, due);
            } else {
                return;
            }
        }
    }

    fn answer(&mut self, run: &mut Run, call: &EffectCall) {
        let scripted = self.scripted.get_mut(&call.place.step).and_then(VecDeque::pop_front);
        let outcome = scripted.map_or_else(silent_answer, |(_, outcome)| outcome);
        let shown = request::resolve(&call.effect, &Scope::masked(&call.context, call.now));
        let shown = shown.map_or(Value::Null, |shown| serde_json::to_value(shown).unwrap_or(Value::Null));
        let response = match &outcome {
            Outcome::Answered(answer) => {
                json!({ "status": answer.status, "headers": answer.headers, "body": answer.body })
            }
            Outcome::Unanswered { error, .. } => json!({ "error": error }),
            Outcome::Refused { code, message } => json!({ "error": code, "message": message }),
            Outcome::Held { message, .. } => json!({ "message": message }),
        };
        let (step, index) = (call.place.step.clone(), call.index);
        let kind = call.effect.type_name();
        let retried = call.attempt > 1;
        let place = Some(call.place.clone());
        match self.effects.iter_mut().rev().find(|e| retried && e.place == place && e.index == index) {
            Some(listed) => listed.response = response,
            None => self.effects.push(SimulatedEffect { step, index, kind, request: shown, response, place }),
        }
        let input = Input::EffectDone {
            place: call.place.clone(),
            index: call.index,
            attempt: call.attempt,
            took_ms: 0,
            outcome,
        };
        self.apply(run, &input);
    }

    /// The names that the script doesn't load: what the event brought stays.
    pub(super) fn unserved(&self, document: &Document) -> Vec<String> {
        let entries = document.context.iter().flat_map(|context| &context.load);
        let names = entries.map(|entry| entry.name().to_owned());
        names.filter(|name| !self.scripted_loads.contains_key(name.as_str())).collect()
    }

    /// Gives what the script loads.
    fn load(&mut self, run: &mut Run, load: &LoadCall) {
        let scripted = self.scripted_loads.get_mut(load.name.as_str()).and_then(VecDeque::pop_front);
        let Some((_, outcome)) = scripted else { return };
        let (place, index, attempt) = (load.place.clone(), load.index, load.attempt);
        self.apply(run, &Input::Loaded { place, index, attempt, took_ms: 0, outcome });
    }

    /// Another workflow isn't there: its run ends as it is scripted to, and by itself as `executed`.
    ///
    /// A scripted body may say its `result`, `decision`, `reason` and `values`; a status that isn't 2xx fails.
    fn run_other(&mut self, run: &mut Run, start: &StartRun) {
        let scripted = self.scripted.get_mut(&start.place.step).and_then(VecDeque::pop_front);
        let request = json!({ "workflow_id": start.workflow_id, "input": start.input });
        self.list(&start.place.step, 0, "call", request);
        let end = scripted.map_or_else(executed, |(_, outcome)| end_of(&outcome));
        if let Some(listed) = self.effects.last_mut() {
            listed.response = json!({ "result": end.result, "decision": end.decision, "values": end.values });
        }
        let child_status =
            if start.awaited { ChildStatus::Ended(Box::new(end)) } else { ChildStatus::Started };
        self.apply(run, &Input::Child { place: start.place.clone(), seq: 1, status: child_status });
    }

    /// Offers the oldest event that fits a wait; true where the run took one.
    fn offer_events(&mut self, run: &mut Run) -> bool {
        for awaited in self.awaited.clone() {
            for event in self.events.clone() {
                if awaited.fits(&event)
                    && self.apply(run, &Input::EventArrived { place: awaited.place.clone(), event })
                {
                    return true;
                }
            }
        }
        false
    }

    pub(super) fn next_timer(&self) -> Option<(DateTime<Utc>, Timer)> {
        self.timers.iter().min().cloned()
    }

    fn fire(&mut self, run: &mut Run, (at, timer): (DateTime<Utc>, Timer)) {
        self.now = self.now.max(at);
        self.timers.retain(|(_, other)| *other != timer);
        self.apply(run, &Input::TimerDue { timer });
    }

    pub(super) fn play(&mut self, run: &mut Run, index: usize, item: &ScriptItem) {
        let unused = match item {
            ScriptItem::Effect { .. } | ScriptItem::Load { .. } => return,
            ScriptItem::Decide { .. }
            | ScriptItem::Away { .. }
            | ScriptItem::Delegate { .. }
            | ScriptItem::Event { .. }
            | ScriptItem::Advance { .. }
                if run.state().status() == RunStatus::Ended =>
            {
                Some("the run had ended".to_owned())
            }
            ScriptItem::Decide { .. } => self.decide(run, item),
            ScriptItem::Away { away, until, delegate } => {
                let until = self.now + until.duration();
                self.people.leaves(away, self.now, until, delegate.as_deref());
                None
            }
            ScriptItem::Delegate { delegate, by, comment, step } => {
                self.hand_over(run, (by, delegate), comment.clone(), step.as_ref())
            }
            ScriptItem::Event { event } => {
                let event = self.event(event, &format!("script-{index}"));
                self.events.push(event);
                None
            }
            ScriptItem::Advance { advance } => {
                match self.now.checked_add_signed(advance.duration()).filter(|to| bounds::holds(*to)) {
                    Some(to) => {
                        self.advance(run, to);
                        None
                    }
                    None => Some("time would pass the year 9999".to_owned()),
                }
            }
        };
        if let Some(why) = unused {
            self.unused.push(Unused { index, why });
        }
    }

    /// Decides the open request (of a step), or takes a decision back; why it could not, otherwise.
    fn decide(&mut self, run: &mut Run, item: &ScriptItem) -> Option<String> {
        let ScriptItem::Decide { decide, comment, by, roles, step, edits } = item else { return None };
        let Some((approval_id, request)) = open_request(run, step.as_ref()) else {
            return Some("nobody was asked".to_owned());
        };
        let who = self.people.decider(run, request, by.as_deref(), roles.as_deref());
        let input = match decide.verdict() {
            None => Input::Retracted { approval_id, by: who.clone(), name: who, level: None },
            Some(verdict) if verdict.needs_comment() && comment.as_deref().is_none_or(str::is_empty) => {
                return Some("it needs a comment".to_owned());
            }
            Some(verdict) => {
                let decision = Decision {
                    verdict,
                    name: who.clone(),
                    by: who,
                    comment: comment.clone(),
                    edits: edits.clone(),
                    level: None,
                    roles: None,
                    seen: None,
                    decided_at: None,
                };
                Input::Decided { approval_id, decision }
            }
        };
        self.try_apply(run, &input).err().map(|error| format!("the run did not take it: {error}"))
    }

    /// Hands a place in the open request (of a step) to another; why it could not, otherwise.
    fn hand_over(
        &mut self,
        run: &mut Run,
        (by, to): (&str, &str),
        comment: Option<String>,
        step: Option<&StepId>,
    ) -> Option<String> {
        let Some((approval_id, request)) = open_request(run, step) else {
            return Some("nobody was asked".to_owned());
        };
        let by = self.people.decider(run, request, Some(by), None);
        let to = self.people.member(to);
        let input = Input::HandedOver { approval_id, name: by.clone(), by, to, comment };
        self.try_apply(run, &input).err().map(|error| format!("the run did not take it: {error}"))
    }

    /// Lets time pass, with every timer that is due on the way, in order.
    fn advance(&mut self, run: &mut Run, to: DateTime<Utc>) {
        while let Some(due) = self.next_timer().filter(|(at, _)| *at <= to) {
            if self.facts.len() > MAX_FACTS {
                break;
            }
            self.fire(run, due);
            self.settle(run);
        }
        self.now = self.now.max(to);
    }
}

/// The request that is open, of a step or of any.
fn open_request<'r>(run: &'r Run, step: Option<&StepId>) -> Option<(ApprovalId, &'r OpenRequest)> {
    let mut requests = run.state().requests.iter();
    let open = requests.find(|(_, request)| {
        request.early_outcome.is_none() && step.is_none_or(|step| request.place.step == *step)
    });
    open.map(|(id, request)| (*id, request))
}

fn request_index(run: &Run, step: &StepId) -> u32 {
    let effects = run.definition().step(step).map(crate::workflow::step::Step::effects).unwrap_or_default();
    let index = effects.iter().position(|effect| effect.type_name() == "create_approval_request");
    index.and_then(|index| u32::try_from(index).ok()).unwrap_or_default()
}
