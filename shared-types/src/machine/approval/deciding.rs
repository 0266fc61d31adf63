//! People decide, take decisions back and hand their place over. The policy judges each by the request as it stands now.

use super::super::{
    InputError,
    command::{Command, RequestUpdate, Voided},
    preview,
    preview::Asked,
    transition::Transition,
};
use super::{asked_in_words, outcome::verdict_in_words, shown_anew::changes_in_words};
use crate::{
    approval::{
        decision::{Decision, Handover, LevelProgress, MadeDecision, RequestLevel, RequestOutcome, Taken},
        people::{People, Person},
        policy::{Policy, edited},
        progress::{Reopening, ResolvedAnew},
        standing::Standing,
    },
    email,
    ids::ApprovalId,
    role::RoleNames,
    workflow::approval::Verdict,
};
use serde_json::{Map, Value};

impl Transition<'_> {
    /// A person decided.
    pub(in crate::machine) fn decided(
        &mut self,
        approval_id: ApprovalId,
        decision: &Decision,
    ) -> Result<(), InputError> {
        let people = self.deciding_people(decision);
        let taken = self.judged(approval_id, decision, people.as_deref())?;
        let edits = decision.edits.is_some() && decision.verdict == Verdict::ApproveWithEdits;
        let edited_from = if edits { self.edited_from(approval_id, decision) } else { None };
        if edits && self.state.asks_in_levels() {
            self.apply_edits(approval_id, decision);
        }
        let is_unjudged = people.is_none();
        let people = people.unwrap_or_default();
        let recorded = Recorded { taken, by_edit: false, edited_from };
        let Some(level) = self.record(approval_id, decision, recorded) else {
            return Err(InputError::NotExpected);
        };
        if edits && !is_unjudged && self.state.asks_in_levels() {
            self.count_at_earlier_levels(approval_id, decision, &people);
        }
        self.advance_levels(approval_id, decision, level, &people);
        Ok(())
    }

    /// What the fields that a decision changes hold before it.
    fn edited_from(&self, approval_id: ApprovalId, decision: &Decision) -> Option<Map<String, Value>> {
        let request = self.state.requests.get(&approval_id).filter(|_| self.state.holds_places())?;
        let before = |field: &String| request.values.get(field).cloned().unwrap_or_default();
        Some(decision.edits.as_ref()?.keys().map(|field| (field.clone(), before(field))).collect())
    }

    /// The people by whom a decision is judged; none for one that isn't judged.
    fn deciding_people(&self, decision: &Decision) -> Option<Vec<Person>> {
        match (&self.stamp.environment, &decision.roles) {
            (Some(environment), _) => Some(environment.people.clone()),
            (None, Some(roles)) => Some(vec![Person::new(&decision.by, &decision.name, roles)]),
            (None, None) => None,
        }
    }

    fn judged(
        &self,
        approval_id: ApprovalId,
        decision: &Decision,
        people: Option<&[Person]>,
    ) -> Result<Taken, InputError> {
        let seen =
            self.state.requests.get(&approval_id).map(|request| (request.seen.as_str(), &request.values));
        let Some((seen, values)) = seen else {
            return Err(if self.state.end.is_some() { InputError::Ended } else { InputError::NotExpected });
        };
        let judged = self.open_policy(approval_id, |policy| match people {
            Some(list) => policy.judge(&self.people_at(list), seen, values, decision),
            None => Ok(Taken { capacities: Vec::new(), veto: false }),
        })?;
        Ok(judged?)
    }

    /// Records a decision at the open level, and gives the level.
    fn record(&mut self, approval_id: ApprovalId, decision: &Decision, recorded: Recorded) -> Option<usize> {
        let open = self.state.requests.get(&approval_id)?.open;
        self.record_at(approval_id, decision, open, recorded)
    }

    fn record_at(
        &mut self,
        approval_id: ApprovalId,
        decision: &Decision,
        level: usize,
        recorded: Recorded,
    ) -> Option<usize> {
        let Recorded { taken, by_edit, edited_from } = recorded;
        let (in_levels, at) = (self.state.asks_in_levels(), self.stamp.at);
        let request = self.state.requests.get_mut(&approval_id)?;
        let seen = if in_levels { request.seen.as_str() } else { "" };
        let taken = if in_levels { taken } else { Taken { capacities: Vec::new(), veto: false } };
        let made =
            MadeDecision { edited_from, by_edit, ..decision.made(request.decision_count, taken, seen, at) };
        if in_levels {
            request.decision_count += 1;
        }
        let decided = request.levels.get_mut(level)?;
        decided.decisions.push(made.clone());
        let level_name = decided.name.clone();
        let number = u32::try_from(level).unwrap_or(u32::MAX);
        self.command(Command::RecordDecision { approval_id, level: number, level_name, made });
        Some(level)
    }

    /// Takes the levels on as far as the decisions fill them: the next opens, or the request is closed.
    fn advance_levels(
        &mut self,
        approval_id: ApprovalId,
        decision: &Decision,
        decided: usize,
        people: &[Person],
    ) {
        let opened_before = self.state.requests.get(&approval_id).map_or(0, |request| request.open);
        loop {
            let Some(open) = self.state.requests.get(&approval_id).map(|request| request.open) else {
                return;
            };
            let people = self.people_at(people);
            let is_fresh = open == decided;
            let standing = self.open_policy(approval_id, |policy| policy.standing(&people, is_fresh));
            match standing {
                Err(_) | Ok(Standing::Open) => break,
                Ok(Standing::Closed(_)) => {
                    return self.close_decided(approval_id, decision, open != opened_before);
                }
                Ok(Standing::Passed) => {
                    let levels =
                        self.state.requests.get(&approval_id).map_or(0, |request| request.levels.len());
                    if open + 1 >= levels {
                        return self.close_decided(approval_id, decision, open != opened_before);
                    }
                    self.open_level(approval_id, open + 1);
                }
            }
        }
        let open = self.state.requests.get(&approval_id).map_or(0, |request| request.open);
        self.progress_fact(approval_id, decision, people, open != opened_before);
        self.update_request(approval_id, open != opened_before);
    }

    fn close_decided(&mut self, approval_id: ApprovalId, decision: &Decision, is_moved: bool) {
        self.clear_deadlines(approval_id);
        if is_moved {
            self.update_request(approval_id, false);
        }
        self.close_request(approval_id, RequestOutcome::Decided(decision.clone()));
    }

    /// Opens the first level of a request that is asked again.
    pub(super) fn open_first_level(&mut self, approval_id: ApprovalId) {
        self.open_level(approval_id, 0);
        let calendar = self.state.requests.get(&approval_id).and_then(|request| request.calendar.clone());
        if let Some(calendar) = calendar.filter(|_| self.state.holds_places())
            && self.counting(Some(&calendar)).is_err()
        {
            let reason =
                format!("The calendar {calendar} isn't set up any more: deadlines count in plain time");
            self.request_fact(approval_id, reason);
        }
    }

    /// Opens a level; its deadlines count from now.
    fn open_level(&mut self, approval_id: ApprovalId, level: usize) {
        self.clear_deadlines(approval_id);
        let counting = self.counting_of(approval_id);
        let now = self.stamp.at;
        let keeps_handovers = self.state.holds_places();
        let Some(request) = self.state.requests.get_mut(&approval_id) else { return };
        request.open = level;
        request.stuck = None;
        if let Some(level) = request.levels.get_mut(level) {
            let before = level.progress.closed(keeps_handovers);
            level.progress = LevelProgress { handovers: before.handovers, ..counting.opened(level, now) };
            request.expires_at = level.progress.expires_at;
            request.asked = asked_in_words(Some(level));
        }
        self.set_deadlines(approval_id);
    }

    /// Says what a decision that leaves the request open came to.
    fn progress_fact(
        &mut self,
        approval_id: ApprovalId,
        decision: &Decision,
        people: &[Person],
        opens: bool,
    ) {
        if !self.state.asks_in_levels() {
            return;
        }
        let people = self.people_at(people);
        let Some(request) = self.state.requests.get(&approval_id) else { return };
        let level = request.levels.get(request.open).map(|level| level.name.clone()).unwrap_or_default();
        let needed =
            request.policy(self.state.requester.as_ref()).still_needed(&people, &RoleNames::default());
        let needed = needed.unwrap_or_default();
        let next = if opens { format!("asks {level}. {needed}") } else { format!("still needed: {needed}") };
        let said = decision.comment.as_deref().filter(|comment| !comment.is_empty());
        let said = said.map(|comment| format!(": “{comment}”")).unwrap_or_default();
        let verdict = verdict_in_words(decision.verdict);
        let for_whom = self.for_whom(approval_id, decision, &people);
        let changed = match self.state.requests.get(&approval_id) {
            Some(request) if decision.verdict == Verdict::ApproveWithEdits && self.state.looks_ahead() => {
                changes_in_words(&request.form_changes())
            }
            Some(_) | None => String::new(),
        };
        self.request_fact(
            approval_id,
            format!("{} {verdict}{for_whom}{changed}{said}; {next}", decision.name),
        );
    }

    /// For whom a decision was made just now, in words; nothing where the person decided for themselves.
    pub(super) fn for_whom(
        &self,
        approval_id: ApprovalId,
        decision: &Decision,
        people: &People<'_>,
    ) -> String {
        let request = self.state.requests.get(&approval_id).filter(|_| self.state.looks_ahead());
        let made = request.and_then(|request| {
            let all = request.levels.iter().flat_map(|level| &level.decisions);
            all.filter(|made| made.by == decision.by && !made.by_edit).max_by_key(|made| made.n)
        });
        made.map(|made| for_others(made, people)).unwrap_or_default()
    }

    /// The same of a decision by its number.
    fn made_for(&self, approval_id: ApprovalId, n: u32) -> String {
        let people = self.people();
        let people = self.people_at(&people);
        let request = self.state.requests.get(&approval_id);
        let mut all =
            request.into_iter().flat_map(|request| &request.levels).flat_map(|level| &level.decisions);
        all.find(|made| made.n == n).map(|made| for_others(made, &people)).unwrap_or_default()
    }

    /// Edits change what is approved: what follows is resolved anew, and approvals of something else don't count any more.
    fn apply_edits(&mut self, approval_id: ApprovalId, decision: &Decision) {
        let Some(request) = self.state.requests.get(&approval_id) else { return };
        let values = edited(&request.values, decision.edits.as_ref());
        self.show_values(approval_id, values, &decision.name);
    }

    /// The form holds these values from now on: what follows is resolved with them, and approvals of something else don't count
    /// any more.
    fn show_values(&mut self, approval_id: ApprovalId, values: Map<String, Value>, by: &str) {
        let definition = self.definition;
        let Some(request) = self.state.requests.get(&approval_id) else { return };
        let (place, subject) = (request.place.clone(), request.subject.clone());
        let Some(step) = definition.step(&place.step) else { return };
        let resumes = request.resumes.clone().filter(|_| self.state.looks_ahead());
        let suspended = request.suspended.clone();
        // With the time of before: that it is later now is no difference to those who approved.
        let resolved_at = request.resolved_at.filter(|_| self.state.holds_places());
        let asked = Asked {
            step,
            place: &place,
            subject: subject.as_deref(),
            resumes: resumes.as_ref(),
            suspended: &suspended,
            at: resolved_at,
        };
        let previews = preview::previews(self, &asked, &values);
        let now = self.stamp.at;
        let mut voided = Vec::new();
        if let Some(request) = self.state.requests.get_mut(&approval_id) {
            request.show_anew(values, previews.effects.clone());
            request.is_cut = previews.is_cut;
            request.resolved_at = Some(resolved_at.unwrap_or(now));
            request.resolved = Some(Box::new(ResolvedAnew {
                if_approved: previews.approved,
                if_rejected: previews.rejected,
                effects: previews.effects,
            }));
            let approvals = request.levels.iter_mut().flat_map(|level| &mut level.decisions);
            for made in approvals
                .filter(|made| made.counts() && made.decision.approves() && made.seen != request.seen)
            {
                made.superseded_at = Some(now);
                voided.push(made.n);
            }
        }
        if !voided.is_empty() {
            self.tell_what_changed(approval_id, by);
            let voided_by = Voided::Superseded;
            self.command(Command::VoidDecisions { approval_id, decisions: voided, voided: voided_by });
        }
    }

    /// Whoever approved something else reads what was changed, from what to what.
    fn tell_what_changed(&mut self, approval_id: ApprovalId, by: &str) {
        let (looks_ahead, at) = (self.state.looks_ahead(), self.stamp.at);
        let Some(request) = self.state.requests.get_mut(&approval_id).filter(|_| looks_ahead) else { return };
        let changes = request.form_changes();
        if !changes.is_empty() {
            request.reopened.push(Reopening { at, because: format!("{by} changed what is asked"), changes });
        }
    }

    /// The editor's approval counts at the levels before theirs where they are asked. The first level that isn't filled any
    /// more opens again.
    fn count_at_earlier_levels(&mut self, approval_id: ApprovalId, decision: &Decision, people: &[Person]) {
        let Some(request) = self.state.requests.get(&approval_id) else { return };
        let open = request.open;
        let people = self.people_at(people);
        let policy = request.policy(self.state.requester.as_ref());
        let taken: Vec<(usize, Taken)> = (0..open)
            .filter_map(|level| Some((level, policy.taken_at(&people, &decision.by, level)?)))
            .collect();
        for (level, taken) in taken {
            let edited_from = None;
            self.record_at(approval_id, decision, level, Recorded { taken, by_edit: true, edited_from });
        }
        self.open_first_unfilled(approval_id);
    }

    /// The first level that isn't filled any more opens again.
    fn open_first_unfilled(&mut self, approval_id: ApprovalId) {
        let Some(request) = self.state.requests.get(&approval_id) else { return };
        let open = request.open;
        let is_unfilled = |level: &RequestLevel| !crate::approval::standing::filling(level).is_full();
        let Some(first) = request.levels.iter().take(open).position(is_unfilled) else { return };
        let keeps_handovers = self.state.holds_places();
        let Some(request) = self.state.requests.get_mut(&approval_id) else { return };
        for level in request.levels.iter_mut().skip(first + 1) {
            level.progress = level.progress.closed(keeps_handovers);
        }
        self.open_level(approval_id, first);
    }

    /// A person took their decision back: it counts as not made.
    pub(in crate::machine) fn retracted(
        &mut self,
        approval_id: ApprovalId,
        by: &str,
        name: &str,
        level: Option<&str>,
    ) -> Result<(), InputError> {
        let n =
            self.open_policy(approval_id, |policy| policy.retractable(by, level).map(|made| made.n))??;
        let now = self.stamp.at;
        let Some(request) = self.state.requests.get_mut(&approval_id) else {
            return Err(InputError::NotExpected);
        };
        let mut all = request.levels.iter_mut().flat_map(|level| &mut level.decisions);
        if let Some(made) = all.find(|made| made.n == n) {
            made.retracted_at = Some(now);
        }
        self.command(Command::VoidDecisions { approval_id, decisions: vec![n], voided: Voided::Retracted });
        if self.state.looks_ahead() {
            self.take_edits_back(approval_id, n, name);
        }
        let for_whom = if self.state.holds_places() { self.made_for(approval_id, n) } else { String::new() };
        self.request_fact(approval_id, format!("{name} took the decision back{for_whom}"));
        self.update_request(approval_id, true);
        Ok(())
    }

    /// Edits that were taken back count as not made, at every level: the form holds what those that count made of it.
    fn take_edits_back(&mut self, approval_id: ApprovalId, n: u32, name: &str) {
        let now = self.stamp.at;
        let keeps_all = self.state.holds_places();
        let Some(request) = self.state.requests.get_mut(&approval_id) else { return };
        let all = || request.levels.iter().flat_map(|level| &level.decisions);
        let Some(by) = all().find(|made| made.n == n && made.edits.is_some()).map(|made| made.by.clone())
        else {
            return;
        };
        // What others changed stays, also where a later change made their approval count no more.
        let stays = |made: &&MadeDecision| made.retracted_at.is_none() && (keeps_all || made.counts());
        let mut edits: Vec<&MadeDecision> =
            all().filter(|made| stays(made) && !made.by_edit && made.edits.is_some()).collect();
        edits.sort_by_key(|made| made.n);
        let values =
            edits.iter().fold(request.defaults.clone(), |values, made| edited(&values, made.edits.as_ref()));
        // The editor's approval counted at earlier levels too.
        let mut voided = Vec::new();
        for made in request.levels.iter_mut().flat_map(|level| &mut level.decisions) {
            if made.by_edit && made.by == by && made.counts() {
                made.retracted_at = Some(now);
                voided.push(made.n);
            }
        }
        let is_changed = request.values != values;
        if !voided.is_empty() {
            self.command(Command::VoidDecisions {
                approval_id,
                decisions: voided,
                voided: Voided::Retracted,
            });
        }
        if is_changed {
            self.show_values(approval_id, values, name);
        }
        self.open_first_unfilled(approval_id);
    }

    /// A person handed their place at the open level to another.
    pub(in crate::machine) fn handed_over(
        &mut self,
        approval_id: ApprovalId,
        (by, name): (&str, &str),
        to: &str,
        comment: Option<&str>,
    ) -> Result<(), InputError> {
        let people = self.people();
        let people = self.people_at(&people);
        let places = self.open_policy(approval_id, |policy| policy.hand_over(&people, by, to))??;
        let receiver = people.name(to).to_owned();
        let handover = Handover {
            from: email::normal_form(by),
            to: email::normal_form(to),
            places,
            comment: comment.map(str::to_owned),
            at: self.stamp.at,
        };
        let Some(level) = self.open_level_mut(approval_id) else { return Err(InputError::NotExpected) };
        level.progress.handovers.push(handover);
        let said = comment.map(|comment| format!(": “{comment}”")).unwrap_or_default();
        self.request_fact(approval_id, format!("{name} handed this over to {receiver}{said}"));
        self.update_request(approval_id, true);
        Ok(())
    }

    /// Asks the policy of a request that is open.
    pub(super) fn open_policy<T>(
        &self,
        approval_id: ApprovalId,
        ask: impl FnOnce(&Policy<'_>) -> T,
    ) -> Result<T, InputError> {
        if self.state.end.is_some() {
            return Err(InputError::Ended);
        }
        let request = self.state.requests.get(&approval_id).filter(|request| request.early_outcome.is_none());
        let request = request.ok_or(InputError::NotExpected)?;
        Ok(ask(&request.policy(self.state.requester.as_ref())))
    }

    pub(super) fn open_level_mut(&mut self, approval_id: ApprovalId) -> Option<&mut RequestLevel> {
        let request = self.state.requests.get_mut(&approval_id)?;
        request.levels.get_mut(request.open)
    }

    /// Has what became of a request written beside it.
    pub(super) fn update_request(&mut self, approval_id: ApprovalId, asks_others: bool) {
        if !self.state.asks_in_levels() {
            return;
        }
        let Some(request) = self.state.requests.get(&approval_id) else { return };
        let update = RequestUpdate {
            approval_id,
            progress: request.progress(),
            seen: request.seen.clone(),
            approvers: request.entries(),
            asks_others,
            reopens: false,
        };
        self.command(Command::UpdateRequest(Box::new(update)));
    }
}

/// How a decision is recorded.
struct Recorded {
    taken: Taken,
    /// Whether it stands for an approval at a later level, which was given with edits.
    by_edit: bool,
    /// What the fields that it changes held before.
    edited_from: Option<Map<String, Value>>,
}

/// For whom a decision was made, in words: ` for Eva Ström`; nothing for one's own.
fn for_others(made: &MadeDecision, people: &People<'_>) -> String {
    if !made.is_only_for_others() {
        return String::new();
    }
    let names: Vec<&str> = made.represented().into_iter().map(|other| people.name(other)).collect();
    format!(" for {}", names.join(" and "))
}
