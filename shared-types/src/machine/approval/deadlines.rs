//! Deadlines of a level: expiry, reminders and escalation, counted from its opening.

use super::super::{
    InputError,
    command::{Command, Notice},
    fact::StepState,
    input::Timer,
    transition::Transition,
};
use crate::{
    approval::{
        decision::{LevelProgress, RequestLevel, RequestOutcome},
        people::{People, Person},
    },
    ids::ApprovalId,
    recipient::Recipient,
    workflow::{Span, calendar::WorkingTime},
};
use chrono::{DateTime, Utc};

/// How spans are counted.
pub(super) enum Counting {
    /// In plain time.
    Plain,
    /// In the open hours and working days of a calendar.
    Calendar(Box<WorkingTime>),
}

impl Counting {
    /// When a span is over that begins at a time.
    pub(super) fn due(&self, from: DateTime<Utc>, span: &Span) -> DateTime<Utc> {
        match self {
            Self::Plain => from + span.duration(),
            Self::Calendar(hours) => hours.due(from, span).unwrap_or(from + span.duration()),
        }
    }

    /// The progress of a level that opens at a time.
    pub(super) fn opened(&self, level: &RequestLevel, at: DateTime<Utc>) -> LevelProgress {
        let expires_at = level.expires_in.as_ref().map(|span| self.due(at, span));
        let is_in_time = |due: &DateTime<Utc>| expires_at.is_none_or(|expires_at| *due < expires_at);
        let escalates = level.escalate_after.as_ref().filter(|_| !level.escalate_to.is_empty());
        LevelProgress {
            opened_at: Some(at),
            expires_at,
            reminds_at: level
                .remind_every
                .as_ref()
                .and_then(|every| self.next_reminder(at, at, every))
                .filter(is_in_time),
            escalates_at: escalates.map(|span| self.due(at, span)).filter(is_in_time),
            ..LevelProgress::default()
        }
    }

    /// The first reminder after a time, of those that come each span from the opening on.
    pub(super) fn next_reminder(
        &self,
        opened_at: DateTime<Utc>,
        now: DateTime<Utc>,
        every: &Span,
    ) -> Option<DateTime<Utc>> {
        let every_ms = every.millis();
        if every_ms <= 0 {
            return None;
        }
        match self {
            Self::Plain => {
                let passed = (now - opened_at).num_milliseconds().max(0) / every_ms + 1;
                Some(opened_at + chrono::Duration::milliseconds(passed.checked_mul(every_ms)?))
            }
            Self::Calendar(hours) => {
                hours.repeated(opened_at, every).take(MAX_REMINDERS).find(|due| *due > now)
            }
        }
    }

    /// When people work again; none where they work now, or always.
    fn closed_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::Plain => None,
            Self::Calendar(hours) => hours.opening_from(now).filter(|opening| *opening > now),
        }
    }

    /// A level whose calendar changed: what is still to come is counted again from its opening.
    fn recounted(&self, level: &RequestLevel, now: DateTime<Utc>) -> LevelProgress {
        let Some(opened_at) = level.progress.opened_at else { return level.progress.clone() };
        let counted = self.opened(level, opened_at);
        let reminds_at = level
            .remind_every
            .as_ref()
            .and_then(|every| self.next_reminder(opened_at, now, every))
            .filter(|due| counted.expires_at.is_none_or(|expires_at| *due < expires_at));
        LevelProgress {
            expires_at: counted.expires_at,
            reminds_at,
            escalates_at: counted.escalates_at.filter(|_| !level.is_escalated()),
            ..level.progress.clone()
        }
    }
}

/// After how many reminders a level is silent.
const MAX_REMINDERS: usize = 10_000;

/// How many people a fact names.
const MAX_NAMED: usize = 10;

impl Transition<'_> {
    /// Sets the timers of the open level.
    pub(super) fn set_deadlines(&mut self, approval_id: ApprovalId) {
        let Some(request) = self.state.requests.get(&approval_id) else { return };
        let progress =
            request.levels.get(request.open).map(|level| level.progress.clone()).unwrap_or_default();
        let expires_at = progress.expires_at.or(request.expires_at);
        for (timer, at) in [
            (Timer::Expiry { approval_id }, expires_at),
            (Timer::Reminder { approval_id }, progress.reminds_at),
            (Timer::Escalation { approval_id }, progress.escalates_at),
        ] {
            if let Some(at) = at {
                self.command(Command::SetTimer { timer, at });
            }
        }
    }

    /// Clears the timers of the open level.
    pub(in crate::machine) fn clear_deadlines(&mut self, approval_id: ApprovalId) {
        let Some(request) = self.state.requests.get(&approval_id) else { return };
        let progress = request.levels.get(request.open).map(|level| &level.progress);
        let expires = progress.and_then(|p| p.expires_at).or(request.expires_at).is_some();
        let reminds = progress.is_some_and(|progress| progress.reminds_at.is_some());
        let escalates = progress.is_some_and(|progress| progress.escalates_at.is_some());
        for (timer, is_set) in [
            (Timer::Expiry { approval_id }, expires),
            (Timer::Reminder { approval_id }, reminds),
            (Timer::Escalation { approval_id }, escalates),
        ] {
            if is_set {
                self.command(Command::ClearTimer { timer });
            }
        }
    }

    pub(in crate::machine) fn expired(&mut self, approval_id: ApprovalId) -> Result<(), InputError> {
        match self.state.requests.get(&approval_id) {
            Some(request) if request.early_outcome.is_none() => {}
            Some(_) | None => return Err(InputError::NotExpected),
        }
        if self.is_early(approval_id, Timer::Expiry { approval_id }, |progress| progress.expires_at) {
            return Ok(());
        }
        if self.state.asks_in_levels() {
            self.clear_deadlines(approval_id);
        }
        self.close_request(approval_id, RequestOutcome::Expired);
        Ok(())
    }

    /// Whether a timer that is due is that of a level which was open before, or of a time that was counted anew since: it is
    /// set for the level that is open now.
    fn is_early(
        &mut self,
        approval_id: ApprovalId,
        timer: Timer,
        due: impl Fn(&LevelProgress) -> Option<DateTime<Utc>>,
    ) -> bool {
        if !self.state.looks_ahead() {
            return false;
        }
        let now = self.stamp.at;
        let at = self.open_level_mut(approval_id).and_then(|level| due(&level.progress));
        match at {
            Some(at) if at <= now => return false,
            Some(at) => self.command(Command::SetTimer { timer, at }),
            None => self.command(Command::ClearTimer { timer }),
        }
        true
    }

    /// Whoever still can decide is reminded, and the next reminder is set.
    pub(in crate::machine) fn reminder_due(&mut self, approval_id: ApprovalId) -> Result<(), InputError> {
        let people = self.people();
        let people = self.people_at(&people);
        let to = self.open_policy(approval_id, |policy| policy.deciders(&people))?;
        if self.is_early(approval_id, Timer::Reminder { approval_id }, |progress| progress.reminds_at) {
            return Ok(());
        }
        let counting = self.counting_of(approval_id);
        let now = self.stamp.at;
        let waits = self.state.holds_places().then(|| counting.closed_until(now)).flatten();
        let Some(level) = self.open_level_mut(approval_id) else { return Err(InputError::NotExpected) };
        if let Some(opening) = waits {
            // It comes late, and people don't work any more.
            level.progress.reminds_at = Some(opening);
            self.command(Command::SetTimer { timer: Timer::Reminder { approval_id }, at: opening });
            self.update_request(approval_id, false);
            return Ok(());
        }
        level.progress.reminded_at = Some(now);
        level.progress.reminds_at = counting.recounted(level, now).reminds_at;
        let timer = Timer::Reminder { approval_id };
        let next = level.progress.reminds_at;
        self.command(match next {
            Some(at) => Command::SetTimer { timer, at },
            None => Command::ClearTimer { timer },
        });
        let names: Vec<&str> = to.iter().map(|address| people.name(address)).collect();
        let reason = match names.as_slice() {
            [] => "Nobody is reminded: nobody can decide now".to_owned(),
            names => format!("Reminds {}", some_of(names)),
        };
        self.request_fact(approval_id, reason);
        self.tell_deciders(approval_id, &to, "Reminder", "still waits for your decision");
        self.update_request(approval_id, false);
        Ok(())
    }

    /// Others are asked besides.
    pub(in crate::machine) fn escalation_due(&mut self, approval_id: ApprovalId) -> Result<(), InputError> {
        self.open_policy(approval_id, |_| ())?;
        if self.is_early(approval_id, Timer::Escalation { approval_id }, |progress| progress.escalates_at) {
            return Ok(());
        }
        let people = self.people();
        self.escalate(approval_id, &people);
        Ok(())
    }

    /// Adds those to whom the open level is escalated, and tells the old and the new approvers.
    fn escalate(&mut self, approval_id: ApprovalId, people: &[Person]) {
        let now = self.stamp.at;
        let Some(level) = self.open_level_mut(approval_id) else { return };
        level.progress.escalated_at = Some(now);
        let is_set = level.progress.escalates_at.take().is_some();
        let escalate_to = level.escalate_to.clone();
        if is_set {
            self.command(Command::ClearTimer { timer: Timer::Escalation { approval_id } });
        }
        let people = self.people_at(people);
        let added = self.open_policy(approval_id, |policy| policy.who_is_added(&people, &escalate_to));
        let added = added.unwrap_or_default();
        let added = if added.is_empty() { "nobody more".to_owned() } else { some_of(&added) };
        let to = self.open_policy(approval_id, |policy| policy.deciders(&people)).unwrap_or_default();
        self.request_fact(approval_id, format!("Escalated: {added} can decide too"));
        self.tell_deciders(
            approval_id,
            &to,
            "Escalated",
            &format!("waits too long; {added} can decide it too"),
        );
        self.update_request(approval_id, true);
    }

    /// People, absences or calendars changed: the deadlines are counted again, and whether the open level can be filled is
    /// looked at.
    pub(in crate::machine) fn environment_changed(
        &mut self,
        approval_id: ApprovalId,
    ) -> Result<(), InputError> {
        let people = self.people();
        let is_stuck = {
            let people = self.people_at(&people);
            self.open_policy(approval_id, |policy| policy.stuck(&people))?
        };
        let mut is_changed = self.recount(approval_id);
        let Some(request) = self.state.requests.get_mut(&approval_id) else {
            return Err(InputError::NotExpected);
        };
        if request.stuck != is_stuck {
            is_changed = true;
            let was_stuck = request.stuck.is_some();
            request.stuck.clone_from(&is_stuck);
            match is_stuck {
                None => self.request_fact(approval_id, "Can be decided again".to_owned()),
                Some(why) => {
                    self.request_fact(approval_id, why.clone());
                    if !was_stuck {
                        self.tell_of_stuck(approval_id, &why);
                    }
                    let escalates = self
                        .open_level_mut(approval_id)
                        .is_some_and(|level| !level.escalate_to.is_empty() && !level.is_escalated());
                    if escalates {
                        self.escalate(approval_id, &people);
                    }
                }
            }
        }
        if !is_changed {
            return Err(InputError::NotExpected);
        }
        self.update_request(approval_id, false);
        Ok(())
    }

    /// Counts the deadlines of the open level again; true if they moved.
    fn recount(&mut self, approval_id: ApprovalId) -> bool {
        let calendar = self.state.requests.get(&approval_id).and_then(|request| request.calendar.clone());
        let Some(calendar) = calendar else { return false };
        // A calendar that is gone changes nothing: what was counted stays.
        let Ok(counting) = self.counting(Some(&calendar)) else { return false };
        let now = self.stamp.at;
        let Some(level) = self.open_level_mut(approval_id) else { return false };
        let before = level.progress.clone();
        let after = counting.recounted(level, now);
        if before == after {
            return false;
        }
        let moved = before.expires_at != after.expires_at;
        self.clear_deadlines(approval_id);
        if let Some(level) = self.open_level_mut(approval_id) {
            level.progress = after.clone();
        }
        if let Some(request) = self.state.requests.get_mut(&approval_id) {
            request.expires_at = after.expires_at;
        }
        self.set_deadlines(approval_id);
        let when = after
            .expires_at
            .filter(|_| moved)
            .map(|at| format!("; it expires on {} now", at.format("%-d %B %Y at %H:%M UTC")));
        let reason = format!(
            "The calendar {calendar} changed: the deadlines are counted again{}",
            when.unwrap_or_default()
        );
        self.request_fact(approval_id, reason);
        true
    }

    /// How the deadlines of a request are counted; in plain time where its calendar is gone.
    pub(super) fn counting_of(&self, approval_id: ApprovalId) -> Counting {
        let calendar = self.state.requests.get(&approval_id).and_then(|request| request.calendar.as_deref());
        self.counting(calendar).unwrap_or(Counting::Plain)
    }

    /// Adds a fact about a request that stays open.
    pub(super) fn request_fact(&mut self, approval_id: ApprovalId, reason: String) {
        let Some(place) = self.state.requests.get(&approval_id).map(|request| request.place.clone()) else {
            return;
        };
        self.fact(&place, StepState::Waiting).reason = Some(reason);
    }

    /// Tells those who can decide, in the app and by mail.
    fn tell_deciders(&mut self, approval_id: ApprovalId, to: &[String], subject: &str, what: &str) {
        let recipients = to.iter().map(|address| Recipient::Person(address.clone())).collect();
        self.tell_of_request(approval_id, recipients, subject, what);
    }

    /// Tells the administrators and whoever published the workflow that nobody can decide.
    fn tell_of_stuck(&mut self, approval_id: ApprovalId, why: &str) {
        let mut recipients = vec![Recipient::Role("admin".to_owned())];
        let environment = self.stamp.environment.as_deref();
        let author = environment.and_then(|environment| environment.author.clone());
        recipients.extend(author.map(Recipient::Person));
        self.tell_of_request(approval_id, recipients, "Stuck", &format!("is stuck. {why}"));
    }

    fn tell_of_request(
        &mut self,
        approval_id: ApprovalId,
        recipients: Vec<Recipient>,
        subject: &str,
        what: &str,
    ) {
        let Some(request) = self.state.requests.get(&approval_id).filter(|_| !recipients.is_empty()) else {
            return;
        };
        let place = request.place.clone();
        let about = request.subject.clone().unwrap_or_else(|| format!("A request of {}", place.step));
        let notice = Notice {
            place,
            index: 0,
            recipients,
            subject: Some(format!("{subject}: {about}")),
            message: format!("{about} {what}"),
            approval_id: Some(approval_id),
            by_mail: true,
        };
        self.command(Command::Notify(Box::new(notice)));
    }

    /// The people that the input brings.
    pub(super) fn people(&self) -> Vec<Person> {
        self.stamp.environment.as_deref().map(|environment| environment.people.clone()).unwrap_or_default()
    }

    /// These people, at the time of the input.
    pub(super) fn people_at<'p>(&self, list: &'p [Person]) -> People<'p> {
        let roles_are_open =
            self.stamp.environment.as_deref().is_some_and(|environment| environment.roles_are_open);
        People { list, at: self.stamp.at, roles_are_open }
    }
}

/// `Bo Ek, Cy Roth and 3 more`.
fn some_of(names: &[&str]) -> String {
    let shown = names.iter().take(MAX_NAMED).copied().collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(MAX_NAMED) {
        None | Some(0) => shown,
        Some(more) => format!("{shown} and {more} more"),
    }
}
