//! The policy of a request: who may decide and as what, or why not; and whether a decision is taken.
//!
//! Who may decide is what is true when the decision is made. What came of the decisions is in [`super::standing`].

use super::{
    decision::{Decision, MadeDecision, RequestLevel, RequestStatus, Taken},
    people::{People, Person},
    quorum::{Capacity, Quorum},
};
use crate::{
    email,
    recipient::Approver,
    requester::Requester,
    workflow::{
        approval::{Forbid, FormField, Verb, Verdict},
        form::FormFault,
    },
};
use serde_json::{Map, Value};

/// What the policy of a request looks at.
#[derive(Debug, Clone, Copy)]
pub struct Policy<'a> {
    /// Whether it is still open, and how it was closed otherwise.
    pub status: RequestStatus,
    /// Who is asked, level after level, and what was decided.
    pub levels: &'a [RequestLevel],
    /// Which level is open, from 0.
    pub open: usize,
    /// Who can't decide although asked.
    pub forbid: &'a [Forbid],
    /// Whose single rejection ends it.
    pub veto: &'a [Approver],
    /// What an approver may change.
    pub form: &'a [FormField],
    /// On whose behalf it is asked.
    pub requester: Option<&'a Requester>,
}

/// What a person may do with an open request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rights {
    /// In what they decide; empty for somebody who only has a veto.
    pub capacities: Vec<Capacity>,
    /// In what their rejection is a veto; empty where it is none.
    pub vetoes: Vec<Capacity>,
}

/// Why somebody can't decide.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CannotDecide {
    /// It isn't open.
    #[error("This isn't open any more")]
    Closed,
    /// They asked for it.
    #[error("You asked for this yourself")]
    Requester,
    /// They decided at an earlier level.
    #[error("You decided at the level {level} already")]
    PreviousLevel {
        /// Name of the level at which they decided.
        level: String,
    },
    /// They stand in for somebody who can't decide.
    #[error("You stand in for {name}, {because}")]
    StandsInForBarred {
        /// What that person is called.
        name: String,
        /// Why that person can't: a clause.
        because: String,
    },
    /// Nobody asked them.
    #[error("You aren't among those who are asked")]
    NotAsked,
    /// They have a veto, and aren't asked.
    #[error("You aren't among those who are asked, but you may reject it")]
    OnlyVeto,
    /// They are asked at a later level.
    #[error("You are asked at the level {level}, which opens when {before} has passed")]
    NotYet {
        /// Their level.
        level: String,
        /// The level that is open.
        before: String,
    },
    /// They gave their place to somebody.
    #[error("You handed this over to {to}")]
    HandedOver {
        /// What that person is called.
        to: String,
    },
    /// They decided at this level.
    #[error("You {decided} already; take that back to decide anew")]
    Decided {
        /// What they did: `approved this`.
        decided: &'static str,
    },
    /// Their role doesn't allow deciding.
    #[error("Your role doesn't allow deciding")]
    Role,
}

/// Why a decision isn't taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecisionRefused {
    /// The person can't decide.
    #[error(transparent)]
    CannotDecide(#[from] CannotDecide),
    /// The level that it names isn't open.
    #[error("The level {level} isn't open")]
    LevelClosed {
        /// Name of the level that the decision means.
        level: String,
    },
    /// A rejection, or a request for changes, without a reason.
    #[error("A rejection needs a comment, and so does a request for changes")]
    CommentNeeded,
    /// Edits of a request without a form.
    #[error("This request has no form, so nothing can be edited")]
    NoForm,
    /// A decision with edits that has none, or one with edits that isn't `approve_with_edits`.
    #[error("Edits belong to `approve_with_edits`, which needs at least one")]
    EditsMisplaced,
    /// The form isn't filled in as it must be.
    #[error("The form isn't filled in: {}", in_words(.0))]
    Form(Vec<FormFault>),
    /// The approver read something else than what is asked now.
    #[error("What is asked has changed since it was read")]
    Changed,
    /// There is nothing of theirs to take back.
    #[error("You have no decision here that can be taken back")]
    NothingToRetract,
}

fn in_words(faults: &[FormFault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

impl<'a> Policy<'a> {
    /// The level that is open.
    pub fn level(&self) -> Option<&'a RequestLevel> {
        self.levels.get(self.open)
    }

    /// What a person may do now.
    ///
    /// # Errors
    /// Why they can't decide. Being asked is looked at before all that only those who are asked may learn.
    pub fn rights(&self, people: &People<'_>, address: &str) -> Result<Rights, CannotDecide> {
        if self.status != RequestStatus::Pending {
            return Err(CannotDecide::Closed);
        }
        let Some(level) = self.level() else { return Err(CannotDecide::Closed) };
        let Some(person) = people.find(address) else { return Err(CannotDecide::NotAsked) };
        let capacities = self.capacities(people, person, level);
        let vetoes = self.vetoes(people, person);
        if capacities.is_empty() && vetoes.is_empty() {
            return Err(self.why_not_asked(people, person, level));
        }
        if let Some(bar) = self.barred(people, person) {
            return Err(bar);
        }
        if !person.is_able() {
            return Err(CannotDecide::Role);
        }
        if let Some(made) = made_by(level, person) {
            return Err(CannotDecide::Decided { decided: decided_in_words(made) });
        }
        Ok(Rights { capacities, vetoes })
    }

    /// Whether the request is for a person to decide now.
    ///
    /// # Errors
    /// Why it isn't; for somebody who only has a veto, that.
    pub fn may_decide(&self, people: &People<'_>, address: &str) -> Result<(), CannotDecide> {
        let rights = self.rights(people, address)?;
        if rights.capacities.is_empty() { Err(CannotDecide::OnlyVeto) } else { Ok(()) }
    }

    /// Everything that a person may do now.
    pub fn may(&self, people: &People<'_>, address: &str) -> Vec<Verb> {
        match self.rights(people, address) {
            // They edited at a later level, which opened this one again.
            Err(_) if self.retractable(address, None).is_ok() => vec![Verb::Retract],
            Ok(rights) if rights.capacities.is_empty() => vec![Verb::Reject],
            Ok(_) if self.form.is_empty() => vec![Verb::Approve, Verb::Reject, Verb::RequestChanges],
            Ok(_) => vec![Verb::Approve, Verb::Reject, Verb::RequestChanges, Verb::ApproveWithEdits],
            Err(_) => Vec::new(),
        }
    }

    /// Whether a person decided, or was asked to, at any level: for requests that are closed.
    pub fn concerns(&self, people: &People<'_>, address: &str) -> bool {
        let Some(person) = people.find(address) else { return false };
        let is_asked = |level| !self.capacities(people, person, level).is_empty();
        self.levels.iter().any(is_asked) && self.barred(people, person).is_none() && person.is_able()
    }

    /// In what a person is asked at a level: as themselves, and for each whose place they have. Whether they are barred or
    /// have decided isn't looked at, that those for whom they stand in are able is.
    pub(super) fn capacities(
        &self,
        people: &People<'_>,
        person: &Person,
        level: &RequestLevel,
    ) -> Vec<Capacity> {
        let mut capacities = Vec::new();
        for other in people.list {
            let is_self = email::is_same(&other.email, &person.email);
            let may_give = is_self || (other.is_able() && self.own_bar(other).is_none());
            if !may_give || !has_place_of(people, person, other, level) {
                continue;
            }
            let entries = entries_of(level, other, level.is_escalated());
            if !entries.is_empty() {
                let stands_for = (!is_self).then(|| other.email.clone());
                capacities.push(Capacity { stands_for, entries });
            }
        }
        capacities.sort_by_key(|capacity| capacity.stands_for.is_some());
        capacities
    }

    /// In what a person's rejection is a veto: as themselves, and for each who is away and whose delegate they are.
    fn vetoes(&self, people: &People<'_>, person: &Person) -> Vec<Capacity> {
        let mut vetoes = Vec::new();
        for other in people.list {
            let is_self = email::is_same(&other.email, &person.email);
            let stands_in = || {
                let delegate = people.stand_in(other);
                delegate.is_some_and(|delegate| email::is_same(&delegate.email, &person.email))
            };
            let may_give = is_self || (other.is_able() && self.own_bar(other).is_none() && stands_in());
            if !may_give {
                continue;
            }
            let fits = |entry: &&Approver| entry.includes(&other.email, &other.roles);
            let entries: Vec<Approver> = self.veto.iter().filter(fits).cloned().collect();
            if !entries.is_empty() {
                vetoes.push(Capacity { stands_for: (!is_self).then(|| other.email.clone()), entries });
            }
        }
        vetoes.sort_by_key(|capacity| capacity.stands_for.is_some());
        vetoes
    }

    /// Why a person can't decide although asked: for what they did themselves, or for whom they stand in.
    pub(super) fn barred(&self, people: &People<'_>, person: &Person) -> Option<CannotDecide> {
        if let Some(bar) = self.own_bar(person) {
            return Some(match bar {
                OwnBar::Requester => CannotDecide::Requester,
                OwnBar::PreviousLevel(level) => CannotDecide::PreviousLevel { level },
            });
        }
        people.list.iter().find_map(|other| {
            let because = match self.own_bar(other)? {
                OwnBar::Requester => "who asked for this".to_owned(),
                OwnBar::PreviousLevel(level) => format!("who decided at the level {level}"),
            };
            let is_delegate = |delegate: &&Person| email::is_same(&delegate.email, &person.email);
            let stands_in = people.delegates(other).iter().any(is_delegate);
            stands_in.then(|| CannotDecide::StandsInForBarred { name: other.name.clone(), because })
        })
    }

    /// Why a person can't decide for what they did themselves.
    fn own_bar(&self, person: &Person) -> Option<OwnBar> {
        let asked_for_it = self.requester.and_then(|requester| requester.email.as_deref());
        if self.forbid.contains(&Forbid::Requester)
            && asked_for_it.is_some_and(|address| email::is_same(address, &person.email))
        {
            return Some(OwnBar::Requester);
        }
        if !self.forbid.contains(&Forbid::PreviousLevel) {
            return None;
        }
        let decided_at = |level: &&RequestLevel| {
            level.counted().any(|made| !made.by_edit && email::is_same(&made.by, &person.email))
        };
        let level = self.levels.iter().take(self.open).find(decided_at)?;
        Some(OwnBar::PreviousLevel(level.name.clone()))
    }

    fn why_not_asked(&self, people: &People<'_>, person: &Person, open: &RequestLevel) -> CannotDecide {
        let handover = open.progress.handovers.iter().rev().find(|h| email::is_same(&h.from, &person.email));
        if let Some(handover) = handover {
            return CannotDecide::HandedOver { to: people.name(&handover.to).to_owned() };
        }
        let later = self.levels.iter().skip(self.open + 1);
        let mut asking = later.filter(|level| !self.capacities(people, person, level).is_empty());
        let next = asking.next();
        if let Some(made) = next.and_then(|level| made_by(level, person)) {
            return CannotDecide::Decided { decided: decided_in_words(made) };
        }
        match next {
            Some(level) => CannotDecide::NotYet { level: level.name.clone(), before: open.name.clone() },
            None => CannotDecide::NotAsked,
        }
    }

    /// Judges a decision as it is applied, of a request with this hash of what is seen and these values of its form.
    ///
    /// # Errors
    /// The first of these that holds: the person can't decide, or the level that they mean is closed; a reason is missing;
    /// the edits don't belong there or don't fit the form; the approver read something else.
    pub fn judge(
        &self,
        people: &People<'_>,
        seen: &str,
        values: &Map<String, Value>,
        decision: &Decision,
    ) -> Result<Taken, DecisionRefused> {
        if self.status == RequestStatus::Pending
            && let Some(level) = &decision.level
            && self.level().is_none_or(|open| open.name != *level)
        {
            return Err(DecisionRefused::LevelClosed { level: level.clone() });
        }
        let rights = self.rights(people, &decision.by)?;
        let veto = !rights.vetoes.is_empty() && decision.verdict == Verdict::Reject;
        if rights.capacities.is_empty() && !veto {
            return Err(CannotDecide::OnlyVeto.into());
        }
        let has_comment = decision.comment.as_deref().is_some_and(|comment| !comment.trim().is_empty());
        if decision.verdict.needs_comment() && !has_comment {
            return Err(DecisionRefused::CommentNeeded);
        }
        self.judge_form(values, decision)?;
        match &decision.seen {
            Some(read) if read != seen => Err(DecisionRefused::Changed),
            // A veto alone ends the request, so that it counts in nothing besides.
            Some(_) | None if veto => Ok(Taken { capacities: rights.vetoes, veto }),
            Some(_) | None => Ok(Taken { capacities: rights.capacities, veto }),
        }
    }

    fn judge_form(&self, values: &Map<String, Value>, decision: &Decision) -> Result<(), DecisionRefused> {
        let edits = decision.edits.as_ref().filter(|edits| !edits.is_empty());
        if (edits.is_some() || decision.verdict == Verdict::ApproveWithEdits) && self.form.is_empty() {
            return Err(DecisionRefused::NoForm);
        }
        if edits.is_some() != (decision.verdict == Verdict::ApproveWithEdits) {
            return Err(DecisionRefused::EditsMisplaced);
        }
        if !decision.verdict.approves() || self.form.is_empty() {
            return Ok(());
        }
        let faults = FormField::faults(self.form, &edited(values, edits));
        if faults.is_empty() { Ok(()) } else { Err(DecisionRefused::Form(faults)) }
    }

    /// In what a person's approval counts at a level before the open one, for edits that they made later; none where they
    /// aren't asked there, or can't decide.
    pub fn taken_at(&self, people: &People<'_>, address: &str, level: usize) -> Option<Taken> {
        let person = people.find(address)?;
        let level = self.levels.get(level)?;
        let has_decided = level.counted().any(|made| email::is_same(&made.by, &person.email));
        let capacities = self.capacities(people, person, level);
        (!capacities.is_empty() && !has_decided).then_some(Taken { capacities, veto: false })
    }

    /// The decision of a person at the open level that can be taken back.
    ///
    /// # Errors
    /// When there is none, or the request or its level is closed.
    pub fn retractable(
        &self,
        address: &str,
        level: Option<&str>,
    ) -> Result<&'a MadeDecision, DecisionRefused> {
        if self.status != RequestStatus::Pending {
            return Err(CannotDecide::Closed.into());
        }
        self.level().ok_or(CannotDecide::Closed)?;
        let is_theirs = |made: &&MadeDecision| email::is_same(&made.by, address);
        // An edit can open earlier levels again: it was made at a level that hasn't passed either, and counts there first.
        let not_passed = || self.levels.iter().skip(self.open);
        let meant = |asked: &&RequestLevel| level.is_none_or(|level| asked.name == level);
        let own = not_passed().filter(meant).flat_map(RequestLevel::counted).filter(is_theirs);
        if let Some(made) = own.min_by_key(|made| made.by_edit) {
            return Ok(made);
        }
        let passed =
            self.levels.iter().take(self.open).find(|level| level.counted().any(|made| is_theirs(&made)));
        Err(match passed {
            Some(level) => DecisionRefused::LevelClosed { level: level.name.clone() },
            None => DecisionRefused::NothingToRetract,
        })
    }
}

/// Why a person can't decide for what they did themselves.
enum OwnBar {
    /// They are behind the run.
    Requester,
    /// They decided at this earlier level.
    PreviousLevel(String),
}

/// The values of a form after edits.
pub fn edited(values: &Map<String, Value>, edits: Option<&Map<String, Value>>) -> Map<String, Value> {
    let mut edited = values.clone();
    edited.extend(edits.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())));
    edited
}

/// Whether a person has the place of another at a level: their own unless they handed it over, that of somebody who is
/// away as their delegate, or one that was handed to them.
fn has_place_of(people: &People<'_>, person: &Person, of: &Person, level: &RequestLevel) -> bool {
    let mut holders: Vec<&str> = vec![&of.email];
    holders.extend(people.stand_in(of).map(|delegate| delegate.email.as_str()));
    for handover in &level.progress.handovers {
        let is_of = handover.places.iter().any(|place| email::is_same(place, &of.email));
        if is_of && let Some(holder) = holders.iter_mut().find(|h| email::is_same(h, &handover.from)) {
            *holder = &handover.to;
            if let Some(delegate) = people.find(&handover.to).and_then(|to| people.stand_in(to)) {
                holders.push(&delegate.email);
            }
        }
    }
    holders.iter().any(|holder| email::is_same(holder, &person.email))
}

/// The entries of a level that a person fits. Those to whom it was escalated fit every entry of a quorum by entries.
pub(super) fn entries_of(level: &RequestLevel, person: &Person, escalated: bool) -> Vec<Approver> {
    let fits = |entry: &&Approver| entry.includes(&person.email, &person.roles);
    let mut entries: Vec<Approver> = level.approvers.iter().filter(fits).cloned().collect();
    if escalated {
        let by_escalation: Vec<&Approver> = level.escalate_to.iter().filter(fits).collect();
        let any_place = match &level.quorum {
            Quorum::ByEntry(places) if !by_escalation.is_empty() => places.keys().collect(),
            Quorum::ByEntry(_) | Quorum::Count(_) => Vec::new(),
        };
        for entry in any_place.into_iter().chain(by_escalation) {
            if !entries.contains(entry) {
                entries.push(entry.clone());
            }
        }
    }
    entries
}

/// The decision of a person at a level that counts.
fn made_by<'l>(level: &'l RequestLevel, person: &Person) -> Option<&'l MadeDecision> {
    level.counted().find(|made| email::is_same(&made.by, &person.email))
}

fn decided_in_words(made: &MadeDecision) -> &'static str {
    match made.decision {
        Verdict::Approve | Verdict::ApproveWithEdits => "approved this",
        Verdict::Reject => "rejected this",
        Verdict::RequestChanges => "asked for changes",
    }
}

/// Why somebody can't decide, as a clause about them: `who asked for it`.
pub(super) fn third_person(bar: &CannotDecide) -> String {
    match bar {
        CannotDecide::Requester => "who asked for it".to_owned(),
        CannotDecide::PreviousLevel { level } => format!("who decided at {level}"),
        CannotDecide::StandsInForBarred { name, because } => format!("who stands in for {name}, {because}"),
        CannotDecide::Role => "whose role doesn't allow deciding".to_owned(),
        CannotDecide::Closed
        | CannotDecide::NotAsked
        | CannotDecide::OnlyVeto
        | CannotDecide::NotYet { .. }
        | CannotDecide::HandedOver { .. }
        | CannotDecide::Decided { .. } => "who can't decide".to_owned(),
    }
}

#[cfg(test)]
mod tests;
