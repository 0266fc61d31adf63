//! The people of a workspace as a decision finds them: roles, whether they are members still, and absences.

use crate::{
    email,
    permission::{Permission, Permissions},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A person of the workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Email address, in normal form.
    pub email: String,
    /// What they are called.
    pub name: String,
    /// Their roles in the workspace, base roles among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// False for a member who was deactivated.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub active: bool,
    /// When they are away, and who stands in for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub absences: Vec<AbsenceSpan>,
}

/// A time in which a person is away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbsenceSpan {
    /// The first instant of the absence, in UTC.
    pub from: DateTime<Utc>,
    /// The first instant at which they are there again.
    pub until: DateTime<Utc>,
    /// The address of the person who decides for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delegate: Option<String>,
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_yes(flag: &bool) -> bool {
    *flag
}

impl Person {
    /// A member who is there, with these roles.
    pub fn new(email: &str, name: &str, roles: &[String]) -> Self {
        Self {
            email: email::normal_form(email),
            name: name.to_owned(),
            roles: roles.to_vec(),
            active: true,
            absences: Vec::new(),
        }
    }

    /// Whether they are a member whose base role allows deciding.
    pub fn is_able(&self) -> bool {
        self.active && Permissions::of_roles(self.roles.iter().map(String::as_str)).allow(Permission::Decide)
    }

    /// The absence that counts at a time: of several that overlap, the one that begins last.
    pub fn absence_at(&self, at: DateTime<Utc>) -> Option<&AbsenceSpan> {
        let running = self.absences.iter().filter(|absence| absence.from <= at && at < absence.until);
        running.max_by_key(|absence| absence.from)
    }
}

/// The people that a request concerns, at one instant.
#[derive(Debug, Clone, Copy)]
pub struct People<'a> {
    /// Everybody whom the request's entries name, who is behind it or decided it, and those who stand in for them.
    pub list: &'a [Person],
    /// The instant.
    pub at: DateTime<Utc>,
    /// Whether a role has other members than the list tells: in a simulation it has as many as are needed.
    pub roles_are_open: bool,
}

impl<'a> People<'a> {
    /// These people and no others.
    pub fn new(list: &'a [Person], at: DateTime<Utc>) -> Self {
        Self { list, at, roles_are_open: false }
    }

    /// The person with an address.
    pub fn find(&self, address: &str) -> Option<&'a Person> {
        self.list.iter().find(|person| email::is_same(&person.email, address))
    }

    /// What a person is called; their address where they aren't known.
    pub fn name<'n>(&self, address: &'n str) -> &'n str
    where
        'a: 'n,
    {
        self.find(address).map_or(address, |person| person.name.as_str())
    }

    /// Whether a person is away.
    pub fn is_away(&self, person: &Person) -> bool {
        person.absence_at(self.at).is_some()
    }

    /// The delegates of a person who is away, from the first on: each but the last is away as well. Nobody if the person is
    /// there or named nobody.
    pub fn delegates(&self, person: &'a Person) -> Vec<&'a Person> {
        let mut chain: Vec<&Person> = Vec::new();
        let mut at = person;
        while let Some(delegate) = at.absence_at(self.at).and_then(|absence| absence.delegate.as_deref()) {
            let is_known = |other: &&Person| email::is_same(&other.email, delegate);
            if is_known(&person) || chain.iter().any(is_known) {
                break;
            }
            let Some(next) = self.find(delegate) else { break };
            chain.push(next);
            at = next;
        }
        chain
    }

    /// Who stands in for a person who is away: the first of the chain who is there. Nobody where the chain ends before, or
    /// comes back to where it began.
    pub fn stand_in(&self, person: &'a Person) -> Option<&'a Person> {
        self.delegates(person).pop().filter(|last| last.active && !self.is_away(last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: u32) -> DateTime<Utc> {
        format!("2026-11-27T{hour:02}:00:00Z").parse().unwrap()
    }

    fn away(name: &str, absences: &[(u32, u32, Option<&str>)]) -> Person {
        let absences = absences.iter().map(|(from, until, delegate)| AbsenceSpan {
            from: at(*from),
            until: at(*until),
            delegate: delegate.map(str::to_owned),
        });
        Person { absences: absences.collect(), ..Person::new(name, name, &["operator".to_owned()]) }
    }

    fn stands_in(people: &[Person], name: &str, hour: u32) -> Option<String> {
        let people = People::new(people, at(hour));
        people.stand_in(people.find(name).unwrap()).map(|person| person.name.clone())
    }

    #[test]
    fn a_chain_of_absences_ends_at_the_first_who_is_there() {
        let mut people =
            vec![away("eva", &[(8, 16, Some("dee"))]), away("dee", &[(10, 12, Some("cy"))]), away("cy", &[])];
        assert_eq!(stands_in(&people, "eva", 7), None);
        assert_eq!(stands_in(&people, "eva", 9).as_deref(), Some("dee"));
        assert_eq!(stands_in(&people, "eva", 10).as_deref(), Some("cy"));
        assert_eq!(stands_in(&people, "eva", 12).as_deref(), Some("dee"));
        assert_eq!(stands_in(&people, "eva", 16), None);
        people[2].active = false;
        assert_eq!(stands_in(&people, "eva", 10), None);
    }

    #[test]
    fn a_circle_of_absences_is_as_nobody_and_of_two_that_overlap_the_later_counts() {
        let circle = [
            away("eva", &[(8, 16, Some("dee"))]),
            away("dee", &[(8, 16, Some("cy"))]),
            away("cy", &[(8, 16, Some("dee"))]),
            away("bo", &[(8, 16, Some("cy")), (9, 11, None), (10, 12, Some("ada"))]),
            away("ada", &[]),
        ];
        for name in ["eva", "dee", "cy"] {
            assert_eq!(stands_in(&circle, name, 9), None, "{name}");
        }
        assert_eq!(stands_in(&circle, "bo", 9), None);
        assert_eq!(stands_in(&circle, "bo", 10).as_deref(), Some("ada"));
    }
}
