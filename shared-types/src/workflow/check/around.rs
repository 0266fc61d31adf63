//! What is missing around a document: roles without members, secrets, channels, connectors.

use super::Place;
use crate::{
    ids::WorkflowId,
    workflow::{
        Document, Finding,
        effect::Effect,
        rule::{Rule, asked_rules},
        step::StepKind,
    },
};
use chrono::{DateTime, Utc};
use serde_json::Value;
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
        /// The time of the check, which tells whether a schedule is over.
        now: DateTime<Utc>,
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

impl Around {
    /// The time of the check, as far as it is known.
    pub fn now(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Unknown => None,
            Self::Known { now, .. } => Some(*now),
        }
    }

    /// The stored rules, as far as they are known.
    pub fn rules(&self) -> BTreeMap<String, Rule> {
        match self {
            Self::Unknown => BTreeMap::new(),
            Self::Known { rules, .. } => rules.clone(),
        }
    }
}

pub(super) fn check(document: &Document, places: &[Place<'_>], around: &Around, findings: &mut Vec<Finding>) {
    let Around::Known { roles, secrets, mail, rules, workflows, now: _ } = around else { return };
    check_rules(document, rules, findings);
    check_calls(document, places, workflows, findings);
    for (n, name) in document.context.iter().flat_map(|context| context.load.iter().enumerate()) {
        let message = format!("No connector serves {name}; what the payload brings is left as it is.");
        findings.push(Finding::warning("context.unserved", format!("/context/load/{n}"), message));
    }
    for place in places {
        for (below, recipient) in asked(place) {
            if let Some(role) = recipient.strip_prefix("role:").filter(|role| !roles.contains(*role)) {
                let message =
                    format!("Nobody has the role {role}; a request to it waits until somebody has.");
                findings.push(Finding::warning("role.empty", format!("{}/{below}", place.pointer), message));
            }
        }
        for (below, recipient) in notified(place) {
            let missing = match recipient.split_once(':') {
                Some(("role", role)) if !roles.contains(role) => format!("Nobody has the role {role}"),
                Some(("slack", channel)) => format!("Slack isn't set up for {channel}"),
                Some(("pagerduty", _)) => "PagerDuty isn't set up".to_owned(),
                None if recipient.contains('@') && !mail => "Mail isn't set up".to_owned(),
                Some(_) | None => continue,
            };
            let message = format!("{missing}: notices are kept and sent when it is.");
            findings.push(Finding::warning("channel.missing", format!("{}/{below}", place.pointer), message));
        }
        let json = serde_json::to_value(place.step).unwrap_or(Value::Null);
        for name in secrets_of(&json).into_iter().filter(|name| !secrets.contains(name)) {
            let message = format!("There is no secret {name}.");
            findings.push(Finding::warning("secret.missing", &place.pointer, message));
        }
    }
}

fn check_rules(document: &Document, rules: &BTreeMap<String, Rule>, findings: &mut Vec<Finding>) {
    for (id, places) in asked_rules(document).into_iter().filter(|(id, _)| !rules.contains_key(id)) {
        for place in places {
            let message = format!("There is no rule {id}.");
            findings.push(Finding::warning("rule.missing", format!("{}/rule_id", place.pointer), message));
        }
    }
}

fn check_calls(
    document: &Document,
    places: &[Place<'_>],
    workflows: &BTreeMap<WorkflowId, Neighbour>,
    findings: &mut Vec<Finding>,
) {
    for place in places {
        let StepKind::Call { call } = &place.step.kind else { continue };
        let (id, own) = (&call.workflow_id, &document.workflow_id);
        let pointer = format!("{}/call/workflow_id", place.pointer);
        if let Some(path) = way_back(id, own, workflows) {
            let path: Vec<&str> = path.iter().map(|id| id.as_str()).collect();
            let message = format!(
                "{own} calls itself in a circle: {own} → {}; it ends at the depth limit.",
                path.join(" → ")
            );
            findings.push(Finding::warning("call.cycle", pointer, message));
        } else if !workflows.contains_key(id) {
            findings.push(Finding::warning("call.unknown", pointer, format!("There is no workflow {id}.")));
        } else if !workflows[id].enabled {
            findings.push(Finding::warning(
                "call.disabled",
                pointer,
                format!("The workflow {id} is disabled."),
            ));
        }
    }
}

/// The calls that lead from a workflow back to this one, itself last.
fn way_back<'w>(
    from: &'w WorkflowId,
    own: &'w WorkflowId,
    workflows: &'w BTreeMap<WorkflowId, Neighbour>,
) -> Option<Vec<&'w WorkflowId>> {
    let mut seen = BTreeSet::new();
    let mut open = vec![vec![from]];
    while let Some(path) = open.pop() {
        let at = path.last().copied()?;
        if at == own {
            return Some(path);
        }
        for next in workflows.get(at).into_iter().flat_map(|workflow| &workflow.calls) {
            if seen.insert(next) {
                open.push(path.iter().copied().chain([next]).collect());
            }
        }
    }
    None
}

fn asked(place: &Place<'_>) -> Vec<(String, String)> {
    if let StepKind::Approval { approval, .. } = &place.step.kind {
        let levels = approval.levels.iter().enumerate();
        return levels
            .flat_map(|(l, level)| level.approvers.iter().enumerate().map(move |(n, who)| (l, n, who)))
            .filter(|(_, _, who)| who.is_literal())
            .map(|(l, n, who)| (format!("approval/levels/{l}/approvers/{n}"), who.source().to_owned()))
            .collect();
    }
    let effects = place.step.effects().iter().enumerate();
    effects
        .filter_map(|(n, effect)| match effect {
            Effect::CreateApprovalRequest(request) => {
                let role = request.data.get("approver_role")?.source();
                let role = role.as_str().filter(|role| !role.contains("{{"))?.to_owned();
                Some((format!("execute/{n}/data/approver_role"), format!("role:{role}")))
            }
            Effect::Notify(_)
            | Effect::HttpRequest(_)
            | Effect::Webhook(_)
            | Effect::CreateRecord(_)
            | Effect::UpdateRecord(_)
            | Effect::EmitEvent(_)
            | Effect::Log(_)
            | Effect::Connector(_) => None,
        })
        .collect()
}

fn notified(place: &Place<'_>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (n, effect) in place.step.effects().iter().enumerate() {
        if let Effect::Notify(notify) = effect {
            let literal = notify.recipients.iter().enumerate().filter(|(_, who)| who.is_literal());
            found.extend(
                literal.map(|(r, who)| (format!("execute/{n}/recipients/{r}"), who.source().to_owned())),
            );
        }
    }
    found
}

/// The names after `secrets.` in every text of a value.
fn secrets_of(value: &Value) -> BTreeSet<String> {
    match value {
        Value::String(text) if text.contains("{{") => {
            let template = crate::workflow::Template::new(text.as_str());
            template.secrets().map(str::to_owned).collect()
        }
        Value::Array(list) => list.iter().flat_map(secrets_of).collect(),
        Value::Object(map) => map.values().flat_map(secrets_of).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => BTreeSet::new(),
    }
}
