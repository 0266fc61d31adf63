//! What is missing around a document: roles without members, secrets, channels, connectors.

use super::references::{Reference, Target};
use crate::{
    ids::WorkflowId,
    recipient::{Approver, Recipient},
    workflow::{Finding, document::event_type_matches, rule::Rule},
};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// What is set up around a document.
#[derive(Debug, Clone, Default)]
pub enum Environment {
    /// Everything counts as set up: on the command line, and while drafting without a server.
    #[default]
    Unknown,
    /// What a workspace has.
    Known {
        /// Roles of which at least one active member may decide.
        roles: BTreeSet<String>,
        /// The names of its secrets.
        secrets: BTreeSet<String>,
        /// The addresses of its active members who may decide, in their normal form.
        people: BTreeSet<String>,
        /// Whether mail can be sent.
        mail: bool,
        /// Its stored rules, as they stand.
        rules: BTreeMap<String, Rule>,
        /// Its workflows.
        workflows: BTreeMap<WorkflowId, WorkflowRef>,
        /// The names of its calendars.
        calendars: BTreeSet<String>,
        /// The names that its connectors load.
        loads: BTreeSet<String>,
        /// The time of the check, which tells whether a schedule is over.
        now: DateTime<Utc>,
    },
}

/// What whoever knows people and calendars found at something that a document refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// What it refers to.
    pub target: Target,
    /// The finding's code.
    pub code: &'static str,
    /// What was found, in a sentence.
    pub message: String,
    /// Where below the reference it was found, as a JSON pointer.
    pub below: String,
}

/// A workflow as others see it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkflowRef {
    /// Whether it is on.
    pub enabled: bool,
    /// The workflows that it calls.
    pub calls: BTreeSet<WorkflowId>,
    /// The type of event that starts it, or a prefix of types.
    pub listens: Option<String>,
    /// The types of events that it publishes.
    pub publishes: BTreeSet<String>,
}

/// What a workspace has, as far as findings depend on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkspaceContents {
    /// Roles with at least one active member.
    pub roles: BTreeSet<String>,
    /// Roles of which at least one active member may decide.
    pub deciding_roles: BTreeSet<String>,
    /// The names of its secrets.
    pub secrets: BTreeSet<String>,
    /// The addresses of its active members who may decide, in their normal form.
    pub people: BTreeSet<String>,
    /// Whether mail can be sent.
    pub mail: bool,
    /// The ids of its stored rules.
    pub rules: BTreeSet<String>,
    /// Its workflows.
    pub workflows: BTreeMap<WorkflowId, WorkflowRef>,
    /// The names of its calendars.
    pub calendars: BTreeSet<String>,
    /// The names that its connectors load.
    pub loads: BTreeSet<String>,
    /// What people and calendars make of what a document refers to: of levels, and of times.
    pub judged: Vec<Judged>,
}

impl Environment {
    /// A workspace with nothing in it, at a time.
    pub fn empty(now: DateTime<Utc>) -> Self {
        Self::Known {
            roles: BTreeSet::new(),
            secrets: BTreeSet::new(),
            people: BTreeSet::new(),
            mail: false,
            rules: BTreeMap::new(),
            workflows: BTreeMap::new(),
            calendars: BTreeSet::new(),
            loads: BTreeSet::new(),
            now,
        }
    }

    /// The time of the check, as far as it is known.
    pub fn now(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Unknown => None,
            Self::Known { now, .. } => Some(*now),
        }
    }

    /// What is set up; `None` where everything counts as set up.
    pub fn contents(&self) -> Option<WorkspaceContents> {
        let Self::Known { roles, secrets, people, mail, rules, workflows, calendars, loads, now: _ } = self
        else {
            return None;
        };
        Some(WorkspaceContents {
            roles: roles.clone(),
            deciding_roles: roles.clone(),
            secrets: secrets.clone(),
            people: people.clone(),
            mail: *mail,
            rules: rules.keys().cloned().collect(),
            workflows: workflows.clone(),
            calendars: calendars.clone(),
            loads: loads.clone(),
            judged: Vec::new(),
        })
    }

    /// The stored rules, as far as they are known.
    pub fn rules(&self) -> BTreeMap<String, Rule> {
        match self {
            Self::Unknown => BTreeMap::new(),
            Self::Known { rules, .. } => rules.clone(),
        }
    }
}

impl WorkspaceContents {
    /// What a workflow refers to and this workspace doesn't have.
    pub fn missing(&self, own: &WorkflowId, references: &[Reference]) -> Vec<Finding> {
        let mut calls = BTreeMap::new();
        let mut findings = Vec::new();
        for reference in references {
            let found = match &reference.to {
                Target::Rule(id) => {
                    (!self.rules.contains(id)).then(|| ("rule.missing", format!("There is no rule {id}.")))
                }
                Target::Workflow(id) => {
                    calls.entry(id).or_insert_with(|| self.fault_of_call(own, id)).clone()
                }
                Target::Context(name) => (!self.loads.contains(name)).then(|| {
                    let message =
                        format!("No connector serves {name}; what the payload brings is left as it is.");
                    ("context.unserved", message)
                }),
                Target::Approver(who) => self.fault_of_approver(who),
                Target::Veto(who) => self.fault_of_veto(who),
                Target::Recipient(who) => self.fault_of_recipient(who),
                Target::Event(event) => self.fault_of_event(own, event, references),
                // What connectors, people and calendars make of these is judged by whoever knows them.
                Target::Operation(_)
                | Target::Record(_)
                | Target::Level(_)
                | Target::Apart(_)
                | Target::Escalation(_)
                | Target::Trigger(_) => None,
                Target::Calendar(name) => (!self.calendars.contains(name))
                    .then(|| ("calendar.missing", format!("The calendar {name} isn't set up."))),
                Target::Secret(name) => (!self.secrets.contains(name))
                    .then(|| ("secret.missing", format!("There is no secret {name}."))),
            };
            let judged = self.judged.iter().filter(|judged| judged.target == reference.to);
            let judged = judged.map(|judged| (judged.code, judged.message.clone(), judged.below.as_str()));
            let found = found.map(|(code, message)| (code, message, ""));
            for (code, message, below) in found.into_iter().chain(judged) {
                let mut finding = Finding::warning(code, format!("{}{below}", reference.pointer), message);
                (finding.line, finding.column) = (reference.line, reference.column);
                findings.push(finding);
            }
        }
        findings
    }

    fn fault_of_approver(&self, who: &str) -> Option<(&'static str, String)> {
        match who.parse::<Approver>().ok()? {
            Approver::Role(role) if !self.roles.contains(&role) => {
                let message =
                    format!("Nobody has the role {role}; a request to it waits until somebody has.");
                Some(("role.empty", message))
            }
            Approver::Role(role) if !self.deciding_roles.contains(&role) => {
                let message = format!(
                    "Nobody who has the role {role} may decide; a request to it waits until somebody may."
                );
                Some(("role.empty", message))
            }
            Approver::Person(address) if !self.people.contains(&address) => {
                let message = format!(
                    "{address} isn't an active member who may decide; a request to them waits until they are."
                );
                Some(("person.unknown", message))
            }
            Approver::Role(_) | Approver::Person(_) => None,
        }
    }

    fn fault_of_veto(&self, who: &str) -> Option<(&'static str, String)> {
        let (code, _) = self.fault_of_approver(who)?;
        let who = match who.parse::<Approver>().ok()? {
            Approver::Role(role) => format!("has the role {role} and may decide"),
            Approver::Person(address) => format!("with the address {address} is a member who may decide"),
        };
        Some((code, format!("Nobody {who}, so the veto is nobody's.")))
    }

    /// Whether an event that a workflow publishes leads, by way of others that publish in turn, back to itself.
    fn fault_of_event(
        &self,
        own: &WorkflowId,
        event: &str,
        references: &[Reference],
    ) -> Option<(&'static str, String)> {
        let pattern = references.iter().find_map(|reference| match &reference.to {
            Target::Trigger(pattern) => Some(pattern.as_str()),
            Target::Rule(_)
            | Target::Workflow(_)
            | Target::Context(_)
            | Target::Operation(_)
            | Target::Record(_)
            | Target::Approver(_)
            | Target::Veto(_)
            | Target::Recipient(_)
            | Target::Calendar(_)
            | Target::Level(_)
            | Target::Apart(_)
            | Target::Escalation(_)
            | Target::Secret(_)
            | Target::Event(_) => None,
        })?;
        // An event that starts its own workflow is found in the document itself.
        if event_type_matches(pattern, event) {
            return None;
        }
        let mut seen = BTreeSet::new();
        let mut open = vec![event];
        while let Some(event) = open.pop() {
            for (id, other) in self.workflows.iter().filter(|(id, other)| *id != own && other.enabled) {
                let listens = other.listens.as_deref().is_some_and(|other| event_type_matches(other, event));
                if !listens || !seen.insert(id) {
                    continue;
                }
                if let Some(back) = other.publishes.iter().find(|back| event_type_matches(pattern, back)) {
                    let message = format!(
                        "{event} starts {id}, whose {back} starts this workflow again; the chain ends at depth 16, or \
                         at 1,000 runs."
                    );
                    return Some(("emit.cycle", message));
                }
                open.extend(other.publishes.iter().map(String::as_str));
            }
        }
        None
    }

    fn fault_of_recipient(&self, who: &str) -> Option<(&'static str, String)> {
        let missing = match Recipient::from(who.to_owned()) {
            Recipient::Role(role) if !self.roles.contains(&role) => format!("Nobody has the role {role}"),
            Recipient::SlackChannel(channel) => format!("Slack isn't set up for {channel}"),
            Recipient::PagerDuty(_) => "PagerDuty isn't set up".to_owned(),
            Recipient::Address(_) if !self.mail => "Mail isn't set up".to_owned(),
            Recipient::Role(_) | Recipient::Person(_) | Recipient::Address(_) | Recipient::Unknown(_) => {
                return None;
            }
        };
        Some(("channel.missing", format!("{missing}: notices are kept and sent when it is.")))
    }

    fn fault_of_call(&self, own: &WorkflowId, id: &WorkflowId) -> Option<(&'static str, String)> {
        if let Some(path) = call_cycle(id, own, &self.workflows) {
            let path: Vec<&str> = path.iter().map(|id| id.as_str()).collect();
            let message = format!(
                "{own} calls itself in a circle: {own} → {}; it ends at the depth limit.",
                path.join(" → ")
            );
            return Some(("call.cycle", message));
        }
        match self.workflows.get(id) {
            None => Some(("call.unknown", format!("There is no workflow {id}."))),
            Some(known) if !known.enabled => {
                Some(("call.disabled", format!("The workflow {id} is disabled.")))
            }
            Some(_) => None,
        }
    }
}

/// The calls that lead from a workflow back to this one, itself last.
fn call_cycle<'w>(
    from: &'w WorkflowId,
    own: &'w WorkflowId,
    workflows: &'w BTreeMap<WorkflowId, WorkflowRef>,
) -> Option<Vec<&'w WorkflowId>> {
    let mut reached_from: BTreeMap<&WorkflowId, Option<&WorkflowId>> = BTreeMap::from([(from, None)]);
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        if at == own {
            let mut path: Vec<&WorkflowId> =
                std::iter::successors(Some(at), |at| reached_from.get(at).copied().flatten()).collect();
            path.reverse();
            return Some(path);
        }
        for next in workflows.get(at).into_iter().flat_map(|workflow| &workflow.calls) {
            if !reached_from.contains_key(next) {
                reached_from.insert(next, Some(at));
                open.push(next);
            }
        }
    }
    None
}
