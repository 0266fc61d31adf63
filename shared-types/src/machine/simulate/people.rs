//! The people of a simulation. Nobody lists them: a role has as many members as are needed, and whoever decides is a member.

use crate::{
    approval::people::{AbsenceSpan, People, Person},
    email,
    machine::{Run, state::OpenRequest},
    recipient::Approver,
};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// The base role of everybody in a simulation: it allows deciding.
const BASE_ROLE: &str = "operator";

/// Those who did something so far, by address.
#[derive(Debug, Default)]
pub(super) struct SimulatedPeople(BTreeMap<String, Person>);

impl SimulatedPeople {
    /// All of them.
    pub(super) fn list(&self) -> Vec<Person> {
        self.0.values().cloned().collect()
    }

    /// The address of a member, who becomes one where nobody heard of them.
    pub(super) fn member(&mut self, address: &str) -> String {
        let address = email::normal_form(address);
        self.person(&address);
        address
    }

    /// A person is away.
    pub(super) fn leaves(
        &mut self,
        who: &str,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
        delegate: Option<&str>,
    ) {
        let delegate = delegate.map(|delegate| self.member(delegate));
        self.person(&email::normal_form(who)).absences.push(AbsenceSpan { from, until, delegate });
    }

    /// The address of whoever decides a request: the named person, with these roles or with every role that it asks;
    /// without a name, somebody new who fits an open place.
    pub(super) fn decider(
        &mut self,
        run: &Run,
        request: &OpenRequest,
        by: Option<&str>,
        roles: Option<&[String]>,
    ) -> String {
        let address = match by {
            Some(by) => email::normal_form(by),
            None => return self.somebody_new(run, request),
        };
        let is_new = !self.0.contains_key(&address);
        let person = self.person(&address);
        match roles {
            Some(roles) => {
                person.roles = [BASE_ROLE.to_owned()].into_iter().chain(roles.iter().cloned()).collect();
            }
            // Once roles were named, they are the person's.
            None if is_new || person.roles.len() == 1 => person.roles.extend(roles_of(request)),
            None => {}
        }
        address
    }

    fn somebody_new(&mut self, run: &Run, request: &OpenRequest) -> String {
        let list = self.list();
        let people = People { list: &list, at: request.asked_at, roles_are_open: true };
        let needed = request.policy(run.state().requester.as_ref()).needed(&people);
        let groups = needed.map(|needed| needed.groups).unwrap_or_default();
        let open = || groups.iter().filter(|group| group.missing > 0);
        let role = open().find_map(|group| match &group.entry {
            Approver::Role(role) => Some(role.clone()),
            Approver::Person(_) => None,
        });
        if role.is_none() {
            let person =
                open().map(|group| group.entry.name()).find(|address| !self.0.contains_key(*address));
            if let Some(address) = person {
                return self.member(address);
            }
        }
        let mut address = "approver@example.com".to_owned();
        let mut n = 1;
        while self.0.contains_key(&address) {
            n += 1;
            address = format!("approver-{n}@example.com");
        }
        let person = self.person(&address);
        match role {
            Some(role) => person.roles.push(role),
            None => person.roles.extend(roles_of(request)),
        }
        address
    }

    fn person(&mut self, address: &str) -> &mut Person {
        let base = [BASE_ROLE.to_owned()];
        self.0.entry(address.to_owned()).or_insert_with(|| Person::new(address, address, &base))
    }
}

/// Every role that a request names.
fn roles_of(request: &OpenRequest) -> Vec<String> {
    let entries = request.levels.iter().flat_map(|level| level.approvers.iter().chain(&level.escalate_to));
    let roles = entries.chain(&request.veto).filter_map(|entry| match entry {
        Approver::Role(role) => Some(role.clone()),
        Approver::Person(_) => None,
    });
    let mut roles: Vec<String> = roles.collect();
    roles.sort();
    roles.dedup();
    roles
}
