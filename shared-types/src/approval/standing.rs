//! How the levels of a request stand by the decisions made at them.

use super::{
    decision::{RequestLevel, RequestStatus},
    people::{People, Person},
    policy::{Policy, entries_of, third_person},
    quorum::{Ballot, Capacity, Filling, Quorum, fill},
};
use crate::{email, recipient::Approver, workflow::approval::Verdict};

/// How the open level stands after a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It waits for more.
    Open,
    /// Its quorum is filled.
    Passed,
    /// The decision closed the request.
    Closed(RequestStatus),
}

/// How many further members a role is taken to have in a simulation.
const MAX_FURTHER: u32 = 100;

impl Policy<'_> {
    /// How the open level stands after its last decision; `is_fresh` if that was made right now, and may close the request.
    ///
    /// It passes when those who approved fill its quorum. A request for changes closes the request; so do as many
    /// rejections as the level says, one veto, and a rejection after which those who are left can't fill the quorum.
    pub fn standing(&self, people: &People<'_>, is_fresh: bool) -> Standing {
        let Some(level) = self.level() else { return Standing::Open };
        let last = level.counted().last().filter(|_| is_fresh);
        let Some(last) = last else { return passed_or_open(level) };
        match last.decision {
            Verdict::Approve | Verdict::ApproveWithEdits => passed_or_open(level),
            Verdict::RequestChanges => Standing::Closed(RequestStatus::ChangesRequested),
            Verdict::Reject => {
                let rejected = level.counted().filter(|made| made.decision == Verdict::Reject).count();
                let is_enough = rejected >= usize::try_from(level.rejections).unwrap_or(usize::MAX);
                if last.veto || is_enough || !self.can_still_be_filled(people, level) {
                    return Standing::Closed(RequestStatus::Rejected);
                }
                Standing::Open
            }
        }
    }

    /// Whether those who approved a level and those who are left can fill its quorum: active people who are able to decide,
    /// be they away, and those to whom it will be escalated.
    fn can_still_be_filled(&self, people: &People<'_>, level: &RequestLevel) -> bool {
        let left = people.list.iter().filter(|person| self.is_left(people, person, level));
        let potential = left.map(|person| {
            let mut capacities = self.capacities(people, person, level);
            let own = entries_of(level, person, true);
            if !own.is_empty() && !has_handed_over(level, person) {
                capacities.retain(|capacity| capacity.stands_for.is_some());
                capacities.push(Capacity { stands_for: None, entries: own });
            }
            (person.email.clone(), capacities)
        });
        let mut potential: Vec<(String, Vec<Capacity>)> =
            potential.filter(|(_, capacities)| !capacities.is_empty()).collect();
        if people.roles_are_open {
            potential.extend(further_members(people, level));
        }
        filling_by(level, &potential).is_full()
    }

    /// Whether a person can still decide at a level, now or when they are back.
    pub(super) fn is_left(&self, people: &People<'_>, person: &Person, level: &RequestLevel) -> bool {
        person.is_able()
            && self.barred(people, person).is_none()
            && !level.counted().any(|made| email::is_same(&made.by, &person.email))
    }

    /// Those who can decide at the open level now, with what they fit: nobody who has decided, is barred or away.
    pub(super) fn who_can_now<'p>(&self, people: &People<'p>) -> Vec<(&'p Person, Vec<Capacity>)> {
        let Some(level) = self.level() else { return Vec::new() };
        let here = people.list.iter().filter(|person| !people.is_away(person));
        let able = here.filter(|person| self.is_left(people, person, level));
        able.map(|person| (person, self.capacities(people, person, level)))
            .filter(|(_, capacities)| !capacities.is_empty())
            .collect()
    }

    /// The addresses of those who can decide at the open level now: whoever is there, and delegates of those who are away.
    pub fn deciders(&self, people: &People<'_>) -> Vec<String> {
        self.who_can_now(people).into_iter().map(|(person, _)| person.email.clone()).collect()
    }

    /// What those are called to whom a level is escalated: roles, and persons who aren't barred.
    pub fn who_is_added<'n>(&self, people: &People<'n>, escalate_to: &'n [Approver]) -> Vec<&'n str> {
        let called = |entry: &'n Approver| match entry {
            Approver::Role(_) => Some(entry.name()),
            Approver::Person(address) => match people.find(address) {
                Some(person) => self.barred(people, person).is_none().then_some(person.name.as_str()),
                None => Some(address.as_str()),
            },
        };
        escalate_to.iter().filter_map(called).collect()
    }

    /// Why the open level can't be filled by those who are there, in a sentence; none where it can.
    pub fn stuck(&self, people: &People<'_>) -> Option<String> {
        let level = self.level().filter(|_| self.status == RequestStatus::Pending)?;
        let potential: Vec<(String, Vec<Capacity>)> = self
            .who_can_now(people)
            .into_iter()
            .map(|(person, capacities)| (person.email.clone(), capacities))
            .collect();
        let filling = if people.roles_are_open { return None } else { filling_by(level, &potential) };
        (!filling.is_full()).then(|| self.why_stuck(people, level, &filling))
    }

    /// Why a level can't be filled, of which so much can.
    fn why_stuck(&self, people: &People<'_>, level: &RequestLevel, filling: &Filling) -> String {
        let missing = match filling.filled {
            0 => format!("Nobody can fill {}", level.name),
            filled => {
                format!("Only {filled} of {} places of {} can be filled", level.quorum.places(), level.name)
            }
        };
        let asked = people.list.iter().filter(|person| !entries_of(level, person, true).is_empty());
        let undecided =
            asked.filter(|person| !level.counted().any(|made| email::is_same(&made.by, &person.email)));
        let unavailable = undecided.filter_map(|person| self.why_unavailable(people, person));
        let reasons: Vec<String> =
            unavailable.chain(self.shared_places(people, level)).take(MAX_REASONS).collect();
        if !reasons.is_empty() {
            return format!("{missing}: {}.", reasons.join("; "));
        }
        let open = filling.missing.iter().filter(|(_, missing)| *missing > 0);
        let mut entries: Vec<&Approver> = open.filter_map(|(entry, _)| entry.as_ref()).collect();
        if entries.is_empty() {
            entries = level.asked().collect();
        }
        let each = entries.iter().map(|entry| match entry {
            Approver::Role(role) => format!("has {role}"),
            Approver::Person(address) => format!("is {address}"),
        });
        format!("{missing}: no other active member {}.", each.collect::<Vec<_>>().join(" or "))
    }

    /// Those who have the places of several people and fill one: as clauses.
    fn shared_places(&self, people: &People<'_>, level: &RequestLevel) -> Vec<String> {
        let decided = level.counted().filter(|made| made.decision.approves());
        let decided = decided.map(|made| (made.name.clone(), made.capacities.clone()));
        let able = self.who_can_now(people).into_iter();
        let able = able.map(|(person, capacities)| (person.name.clone(), capacities));
        let several = decided.chain(able).filter(|(_, capacities)| capacities.len() > 1);
        several
            .map(|(name, capacities)| {
                let others = capacities.iter().filter_map(|capacity| capacity.stands_for.as_deref());
                let others: Vec<&str> = others.map(|other| people.name(other)).collect();
                let too = if others.len() < capacities.len() { " too" } else { "" };
                format!("{name} has the place of {}{too}, and fills only one", others.join(" and of "))
            })
            .collect()
    }

    /// Why somebody who is asked can't decide now, as a clause; none where they can.
    fn why_unavailable(&self, people: &People<'_>, person: &Person) -> Option<String> {
        let name = &person.name;
        if !person.active {
            return Some(format!("{name} isn't an active member"));
        }
        if let Some(bar) = self.barred(people, person) {
            return Some(format!("{name} {}", third_person(&bar).trim_start_matches("who ")));
        }
        if !person.is_able() {
            return Some(format!("the base role of {name} doesn't allow deciding"));
        }
        let absence = person.absence_at(people.at)?;
        let until = absence.until.format("%-d %B %Y");
        match people.delegates(person).last() {
            None => Some(format!("{name} is away until {until} and named nobody")),
            Some(last) if people.stand_in(person).is_none() => {
                Some(format!("{name} is away until {until}, and {} isn't there either", last.name))
            }
            Some(_) => None,
        }
    }
}

/// How many people a sentence names that says why a level is stuck.
const MAX_REASONS: usize = 5;

/// How far a level's quorum is filled by those who approved it.
pub fn filling(level: &RequestLevel) -> Filling {
    fill(&level.quorum, &ballots(level).collect::<Vec<_>>())
}

fn passed_or_open(level: &RequestLevel) -> Standing {
    if filling(level).is_full() { Standing::Passed } else { Standing::Open }
}

fn has_handed_over(level: &RequestLevel, person: &Person) -> bool {
    level.progress.handovers.iter().any(|handover| email::is_same(&handover.from, &person.email))
}

/// How far it would be filled if somebody approved it besides.
pub(super) fn filling_with(level: &RequestLevel, by: &str, capacities: &[Capacity]) -> Filling {
    fill(&level.quorum, &ballots(level).chain([Ballot { by, capacities }]).collect::<Vec<_>>())
}

/// How far a level is filled by those who approved it and these further approvals.
fn filling_by(level: &RequestLevel, further: &[(String, Vec<Capacity>)]) -> Filling {
    let further = further.iter().map(|(by, capacities)| Ballot { by, capacities });
    fill(&level.quorum, &ballots(level).chain(further).collect::<Vec<_>>())
}

fn ballots(level: &RequestLevel) -> impl Iterator<Item = Ballot<'_>> {
    let approvals = level.counted().filter(|made| made.decision.approves());
    approvals.map(|made| Ballot { by: &made.by, capacities: &made.capacities })
}

/// As many further members of each role as the quorum could need, and each person who is asked.
fn further_members(people: &People<'_>, level: &RequestLevel) -> Vec<(String, Vec<Capacity>)> {
    let mut members = Vec::new();
    for entry in level.approvers.iter().chain(&level.escalate_to) {
        let entries = match &level.quorum {
            Quorum::ByEntry(places) if level.escalate_to.contains(entry) => places.keys().cloned().collect(),
            Quorum::ByEntry(_) | Quorum::Count(_) => vec![entry.clone()],
        };
        let count = match entry {
            Approver::Role(_) => level.quorum.places().min(MAX_FURTHER),
            Approver::Person(address) => u32::from(people.find(address).is_none()),
        };
        for n in 0..count {
            members.push((
                format!("{n} of {entry}"),
                vec![Capacity { stands_for: None, entries: entries.clone() }],
            ));
        }
    }
    members
}
