//! What is missing around a document: roles without members, secrets, channels, connectors.

use super::references::{Reference, Target};
use crate::{
    ids::WorkflowId,
    workflow::{Finding, rule::Rule},
};
use std::collections::{BTreeMap, BTreeSet};

/// What is set up around a document.
#[derive(Debug, Clone, Default)]
pub enum Around {
    /// Everything counts as set up: on the command line, and while drafting without a server.
    #[default]
    Unknown,
    /// What a workspace has.
    Known {
        /// Roles with at least one active member.
        roles: BTreeSet<String>,
        /// The names of its secrets.
        secrets: BTreeSet<String>,
        /// Whether mail can be sent.
        mail: bool,
        /// Its stored rules, as they stand.
        rules: BTreeMap<String, Rule>,
        /// Its workflows.
        workflows: BTreeMap<WorkflowId, Neighbour>,
    },
}

/// A workflow as others see it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Neighbour {
    /// Whether it is on.
    pub enabled: bool,
    /// The workflows that it calls.
    pub calls: BTreeSet<WorkflowId>,
}

/// What a workspace has, as far as findings depend on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Present {
    /// Roles with at least one active member.
    pub roles: BTreeSet<String>,
    /// The names of its secrets.
    pub secrets: BTreeSet<String>,
    /// Whether mail can be sent.
    pub mail: bool,
    /// The ids of its stored rules.
    pub rules: BTreeSet<String>,
    /// Its workflows.
    pub workflows: BTreeMap<WorkflowId, Neighbour>,
}

impl Around {
    /// What is set up; `None` where everything counts as set up.
    pub fn present(&self) -> Option<Present> {
        let Self::Known { roles, secrets, mail, rules, workflows } = self else { return None };
        Some(Present {
            roles: roles.clone(),
            secrets: secrets.clone(),
            mail: *mail,
            rules: rules.keys().cloned().collect(),
            workflows: workflows.clone(),
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

impl Present {
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
                Target::Context(name) => Some((
                    "context.unserved",
                    format!("No connector serves {name}; what the payload brings is left as it is."),
                )),
                Target::Approver(who) => self.fault_of_approver(who),
                Target::Recipient(who) => self.fault_of_recipient(who),
                Target::Secret(name) => (!self.secrets.contains(name))
                    .then(|| ("secret.missing", format!("There is no secret {name}."))),
            };
            if let Some((code, message)) = found {
                let mut finding = Finding::warning(code, &reference.pointer, message);
                (finding.line, finding.column) = (reference.line, reference.column);
                findings.push(finding);
            }
        }
        findings
    }

    fn fault_of_approver(&self, who: &str) -> Option<(&'static str, String)> {
        let role = who.strip_prefix("role:").filter(|role| !self.roles.contains(*role))?;
        let message = format!("Nobody has the role {role}; a request to it waits until somebody has.");
        Some(("role.empty", message))
    }

    fn fault_of_recipient(&self, who: &str) -> Option<(&'static str, String)> {
        let missing = match who.split_once(':') {
            Some(("role", role)) if !self.roles.contains(role) => format!("Nobody has the role {role}"),
            Some(("slack", channel)) => format!("Slack isn't set up for {channel}"),
            Some(("pagerduty", _)) => "PagerDuty isn't set up".to_owned(),
            None if who.contains('@') && !self.mail => "Mail isn't set up".to_owned(),
            Some(_) | None => return None,
        };
        Some(("channel.missing", format!("{missing}: notices are kept and sent when it is.")))
    }

    fn fault_of_call(&self, own: &WorkflowId, id: &WorkflowId) -> Option<(&'static str, String)> {
        if let Some(path) = way_back(id, own, &self.workflows) {
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
fn way_back<'w>(
    from: &'w WorkflowId,
    own: &'w WorkflowId,
    workflows: &'w BTreeMap<WorkflowId, Neighbour>,
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
