//! Whether a level that a document asks can be filled by the people of a workspace, now and in the absences that are entered
//! ahead.

use super::{
    decision::{RequestLevel, RequestStatus},
    people::{People, Person},
    policy::Policy,
    quorum::{Ballot, Capacity, Quorum, fill},
};
use crate::{
    recipient::Approver,
    workflow::{approval::QuorumSpec, check::LevelReference},
};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// How many gaps are told of a level.
const MAX_GAPS: usize = 5;
/// How many people a sentence names.
const MAX_NAMES: usize = 5;

/// A time in which nobody can fill a level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// When it begins.
    pub from: DateTime<Utc>,
    /// When it ends; none where nothing that is known ends it.
    pub until: Option<DateTime<Utc>>,
    /// Why, in a sentence.
    pub why: String,
}

impl Gap {
    /// In a sentence: `From 24 December to 28 December 2026: Nobody can fill legal: …`.
    pub fn in_words(&self, now: DateTime<Utc>) -> String {
        let day = |at: DateTime<Utc>| at.format("%-d %B %Y").to_string();
        match (self.from <= now, self.until) {
            (true, _) => self.why.clone(),
            (false, Some(until)) => format!("From {} to {}: {}", day(self.from), day(until), self.why),
            (false, None) => format!("From {} on: {}", day(self.from), self.why),
        }
    }
}

/// The times from now on in which the people who are there can't fill a level. Nobody is barred: who asks isn't known yet.
pub fn gaps(level: &LevelReference, people: &[Person], now: DateTime<Utc>) -> Vec<Gap> {
    let Some(level) = asked(level) else { return Vec::new() };
    let levels = [level];
    let policy = policy_of(&levels);
    let mut times: Vec<DateTime<Utc>> = people
        .iter()
        .flat_map(|person| &person.absences)
        .flat_map(|absence| [absence.from, absence.until])
        .filter(|at| *at > now)
        .collect();
    times.push(now);
    times.sort();
    times.dedup();
    let mut gaps: Vec<Gap> = Vec::new();
    for at in times {
        let open = gaps.last().is_some_and(|gap| gap.until.is_none());
        match (policy.stuck(&People::new(people, at)), open) {
            (Some(why), false) => gaps.push(Gap { from: at, until: None, why }),
            (None, true) => {
                if let Some(gap) = gaps.last_mut() {
                    gap.until = Some(at);
                }
            }
            (Some(_), true) | (None, false) => {}
        }
    }
    gaps.truncate(MAX_GAPS);
    gaps
}

/// Why different people can't fill these levels now, in a sentence; none where they can, or a level can't be filled by itself,
/// which is a [`Gap`] of it. Each place of each level is filled by somebody else.
pub fn shortage_apart(levels: &[LevelReference], people: &[Person], now: DateTime<Utc>) -> Option<String> {
    let people = People::new(people, now);
    let mut places: BTreeMap<Approver, u32> = BTreeMap::new();
    let mut able: BTreeMap<String, (&str, Vec<Capacity>)> = BTreeMap::new();
    for (n, level) in levels.iter().enumerate() {
        let level = [asked(level)?];
        let policy = policy_of(&level);
        if policy.stuck(&people).is_some() {
            return None;
        }
        let place = |entry: Option<&Approver>| match entry {
            Some(entry) => Approver::Role(format!("{n} {entry}")),
            None => Approver::Role(n.to_string()),
        };
        match &level[0].quorum {
            Quorum::Count(count) => drop(places.insert(place(None), *count)),
            Quorum::ByEntry(each) => {
                places.extend(each.iter().map(|(entry, count)| (place(Some(entry)), *count)));
            }
        }
        for (person, capacities) in policy.who_can_now(&people) {
            let own = &mut able.entry(person.email.clone()).or_insert((&person.name, Vec::new())).1;
            for Capacity { stands_for, entries } in capacities {
                let entries = entries.iter().map(|entry| place(Some(entry))).chain([place(None)]);
                match own.iter_mut().find(|other| other.stands_for == stands_for) {
                    Some(other) => other.entries.extend(entries),
                    None => own.push(Capacity { stands_for, entries: entries.collect() }),
                }
            }
        }
    }
    let quorum = Quorum::ByEntry(places);
    let ballots: Vec<Ballot<'_>> =
        able.iter().map(|(by, (_, capacities))| Ballot { by, capacities }).collect();
    if fill(&quorum, &ballots).is_full() {
        return None;
    }
    let names: Vec<&str> = able.values().take(MAX_NAMES).map(|(name, _)| *name).collect();
    let more = able.len().saturating_sub(MAX_NAMES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Some(format!(
        "Nobody may decide at two levels, so all of them take {} different people; {}{more} can't fill every place.",
        quorum.places(),
        names.join(", ")
    ))
}

/// The policy of a level that nobody has decided yet. Nobody is barred: who asks isn't known.
fn policy_of(levels: &[RequestLevel]) -> Policy<'_> {
    Policy {
        status: RequestStatus::Pending,
        levels,
        open: 0,
        forbid: &[],
        veto: &[],
        form: &[],
        requester: None,
    }
}

/// The level as it would be asked; none where an entry can't be read, which is found elsewhere.
fn asked(level: &LevelReference) -> Option<RequestLevel> {
    let entries = |texts: &[String]| texts.iter().map(|text| text.parse().ok()).collect::<Option<Vec<_>>>();
    let quorum = match &level.quorum {
        None => Quorum::Count(1),
        Some(QuorumSpec::Count(count)) => Quorum::Count(*count),
        Some(QuorumSpec::ByEntry(places)) => {
            let each = places.iter().map(|(entry, count)| Some((entry.parse().ok()?, *count)));
            Quorum::ByEntry(each.collect::<Option<_>>()?)
        }
    };
    Some(RequestLevel {
        quorum,
        escalate_to: entries(&level.escalate_to)?,
        ..RequestLevel::new(level.name.clone(), entries(&level.approvers)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::approval::people::AbsenceSpan;

    fn at(day: u32) -> DateTime<Utc> {
        format!("2026-12-{day:02}T08:00:00Z").parse().unwrap()
    }

    fn person(name: &str, role: &str, away: &[(u32, u32)]) -> Person {
        let absences = away.iter().map(|(from, until)| AbsenceSpan {
            from: at(*from),
            until: at(*until),
            delegate: None,
        });
        Person {
            absences: absences.collect(),
            ..Person::new(&format!("{name}@example.com"), name, &["operator".to_owned(), role.to_owned()])
        }
    }

    #[test]
    fn the_days_on_which_nobody_is_there_are_named() {
        let level = LevelReference {
            name: "legal".to_owned(),
            approvers: vec!["role:legal".to_owned()],
            escalate_to: Vec::new(),
            quorum: None,
        };
        let said = |people: &[Person]| -> Vec<String> {
            gaps(&level, people, at(1)).iter().map(|gap| gap.in_words(at(1))).collect()
        };
        let ada = person("Ada", "legal", &[(20, 28)]);
        assert_eq!(
            said(std::slice::from_ref(&ada)),
            [
                "From 20 December 2026 to 28 December 2026: Nobody can fill legal: Ada is away until 28 December 2026 and named nobody."
            ]
        );
        assert_eq!(
            said(&[ada.clone(), person("Bo", "legal", &[(10, 24), (27, 30)])]),
            [
                "From 20 December 2026 to 24 December 2026: Nobody can fill legal: Ada is away until 28 December 2026 and named nobody; Bo is away until 24 December 2026 and named nobody.",
                "From 27 December 2026 to 28 December 2026: Nobody can fill legal: Ada is away until 28 December 2026 and named nobody; Bo is away until 30 December 2026 and named nobody."
            ]
        );
        assert_eq!(said(&[ada, person("Bo", "legal", &[])]), Vec::<String>::new());
        assert_eq!(said(&[]), ["Nobody can fill legal: no other active member has legal."]);
        let two = LevelReference { quorum: Some(QuorumSpec::Count(2)), ..level };
        let one = gaps(&two, &[person("Bo", "legal", &[])], at(1));
        assert_eq!(
            one[0].in_words(at(1)),
            "Only 1 of 2 places of legal can be filled: no other active member has legal."
        );
    }

    #[test]
    fn levels_that_take_different_people_need_enough_of_them() {
        let level = |name: &str, role: &str, count: u32| LevelReference {
            name: name.to_owned(),
            approvers: vec![format!("role:{role}")],
            escalate_to: Vec::new(),
            quorum: Some(QuorumSpec::Count(count)),
        };
        let both = |name: &str| {
            let mut both = person(name, "finance", &[]);
            both.roles.push("legal".to_owned());
            both
        };
        let levels = [level("finance", "finance", 2), level("legal", "legal", 1)];
        let (bo, cy) = (both("Bo"), person("Cy", "finance", &[]));
        assert_eq!(
            shortage_apart(&levels, &[bo.clone(), cy.clone()], at(1)).unwrap(),
            "Nobody may decide at two levels, so all of them take 3 different people; Bo, Cy can't fill every place."
        );
        // Whoever fits both is taken where nobody else can.
        assert_eq!(
            shortage_apart(&levels, &[bo.clone(), cy.clone(), person("Di", "finance", &[])], at(1)),
            None
        );
        assert_eq!(shortage_apart(&levels, &[bo, cy, person("Ada", "legal", &[])], at(1)), None);
        // A level that can't be filled by itself is told as that.
        assert_eq!(shortage_apart(&levels, &[person("Ada", "legal", &[])], at(1)), None);
    }
}
