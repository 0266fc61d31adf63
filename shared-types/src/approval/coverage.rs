//! Whether a level that a document asks can be filled by the people of a workspace, now and in the absences that are entered
//! ahead.

use super::{
    decision::{RequestLevel, RequestStatus},
    people::{People, Person},
    policy::Policy,
    quorum::Quorum,
};
use crate::workflow::{approval::QuorumSpec, check::LevelReference};
use chrono::{DateTime, Utc};

/// How many gaps are told of a level.
const MAX_GAPS: usize = 5;

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
    let policy = Policy {
        status: RequestStatus::Pending,
        levels: &levels,
        open: 0,
        forbid: &[],
        veto: &[],
        form: &[],
        requester: None,
    };
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
        assert_eq!(one[0].in_words(at(1)), "Too few can fill legal: no other active member has legal.");
    }
}
