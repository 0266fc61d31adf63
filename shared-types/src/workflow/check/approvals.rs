//! Asking people: somebody is asked, once, and the answer leads somewhere.

use super::{Enclosing, StepSite};
use crate::{
    ids::StepId,
    recipient::Approver,
    workflow::{
        Finding, Template, TemplateValue,
        effect::{Effect, ShortRequest},
        finding::PatchOp,
        step::{ActionKind, Step, StepKind, Wait},
        template::as_text,
    },
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(super) fn check_step(top: &BTreeMap<&StepId, &Step>, site: &StepSite<'_>, findings: &mut Vec<Finding>) {
    let StepSite { step, pointer, .. } = site;
    let requests: Vec<(usize, &ShortRequest)> = step
        .effects()
        .iter()
        .enumerate()
        .filter_map(|(n, effect)| match effect {
            Effect::CreateApprovalRequest(request) => Some((n, request)),
            Effect::Notify(_)
            | Effect::HttpRequest(_)
            | Effect::Webhook(_)
            | Effect::CreateRecord(_)
            | Effect::UpdateRecord(_)
            | Effect::EmitEvent(_)
            | Effect::Log(_)
            | Effect::Connector(_) => None,
        })
        .collect();
    if let Some((n, _)) = requests.get(1) {
        let message = "A list can make one request; this is the second.";
        findings.push(Finding::error("approval.twice", format!("{pointer}/execute/{n}"), message));
    }
    for (n, request) in &requests {
        check_short(request, &format!("{pointer}/execute/{n}"), findings);
    }
    if let StepKind::Approval { approval, .. } = &step.kind {
        for (l, level) in approval.levels.iter().enumerate() {
            for (key, entries) in [("approvers", &level.approvers), ("escalate_to", &level.escalate_to)] {
                let at = format!("{pointer}/approval/levels/{l}/{key}");
                check_entries(entries, &at, findings);
            }
        }
        check_entries(&approval.veto, &format!("{pointer}/approval/veto"), findings);
    }
    check_kind(site, findings);
    check_next(top, site, findings);
}

fn check_entries(entries: &[Template], at: &str, findings: &mut Vec<Finding>) {
    for (n, entry) in entries.iter().enumerate().filter(|(_, entry)| entry.is_literal()) {
        check_approver(entry.source(), format!("{at}/{n}"), findings);
    }
}

fn check_kind(site: &StepSite<'_>, findings: &mut Vec<Finding>) {
    let StepSite { step, pointer, enclosing } = site;
    if let StepKind::Action { action, .. } = &step.kind {
        if action.kind == ActionKind::RequireApproval && !step.asks() {
            let message = "`require_approval` needs a `create_approval_request` in its `execute`.";
            findings.push(Finding::error("approval.missing", pointer, message));
        }
        let decides = matches!(action.kind, ActionKind::Allow | ActionKind::Block);
        if decides && *enclosing != Enclosing::Nothing {
            let message = "`allow` and `block` can't stand in a branch or body.";
            findings.push(Finding::error("decision.inside", pointer, message));
        }
    }
    if step.asks() && *enclosing == Enclosing::Body {
        findings.push(Finding::error(
            "approval.inside",
            pointer,
            "People can't be asked in a `foreach` body.",
        ));
    }
    if let Some(outcomes) = step.outcomes()
        && outcomes.any()
        && !step.asks()
    {
        let key = outcomes.links().next().map_or("on_approved", |(key, _)| key);
        let message = format!("`{key}` waits for a decision, and nobody is asked.");
        findings.push(Finding::error("approval.missing", format!("{pointer}/{key}"), message));
    }
}

fn check_next(top: &BTreeMap<&StepId, &Step>, site: &StepSite<'_>, findings: &mut Vec<Finding>) {
    let StepSite { step, pointer, .. } = site;
    let Some(next) = step.next.as_ref().filter(|_| step.asks()) else { return };
    let at = format!("{pointer}/next");
    let native = matches!(step.kind, StepKind::Approval { .. });
    let outcomes = step.outcomes().is_some_and(super::super::step::Outcomes::any);
    if native || outcomes {
        let fix = if step.outcomes().is_some_and(|outcomes| outcomes.on_approved.is_some()) {
            PatchOp::Remove { path: at.clone() }
        } else {
            PatchOp::Move { from: at.clone(), path: format!("{pointer}/on_approved") }
        };
        let message =
            "A step that waits for a decision goes on along `on_approved` and the like, not `next`.";
        findings.push(Finding::error("next.unused", at, message).with_fix(vec![fix]));
        return;
    }
    let target = top.get(next).copied();
    if let Some(Step { kind: StepKind::Wait { wait: Wait::Event(wait) }, next: after, .. }) = target {
        let message = format!(
            "Asking doesn't wait here, and a decision made in the app does not stand for the event {}.",
            wait.event
        );
        let fix = native_step(step, after.as_ref().map(crate::ids::StepId::as_str));
        let fix = vec![PatchOp::Replace { path: pointer.clone(), value: fix }];
        findings.push(Finding::warning("approval.unawaited", at, message).with_fix(fix));
    }
}

/// The native step that asks the same and waits for the answer.
fn native_step(step: &Step, approved: Option<&str>) -> Value {
    let request = step.effects().iter().find_map(|effect| match effect {
        Effect::CreateApprovalRequest(request) => Some(request),
        Effect::Notify(_)
        | Effect::HttpRequest(_)
        | Effect::Webhook(_)
        | Effect::CreateRecord(_)
        | Effect::UpdateRecord(_)
        | Effect::EmitEvent(_)
        | Effect::Log(_)
        | Effect::Connector(_) => None,
    });
    let data = |key: &str| request.and_then(|request| request.data.get(key)).map(TemplateValue::source);
    let mut level = json!({ "approvers": approvers(request) });
    let mut approval = json!({});
    if let Some(expires_in) = data("expires_in") {
        level["expires_in"] = expires_in;
    }
    for key in ["subject", "reason", "amount", "currency"] {
        if let Some(value) = data(key) {
            approval[key] = value;
        }
    }
    let shown: serde_json::Map<String, Value> = request
        .into_iter()
        .flat_map(|request| &request.data)
        .filter(|(key, _)| !SETTINGS.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.source()))
        .collect();
    if !shown.is_empty() {
        approval["show"] = Value::Object(shown);
    }
    approval["levels"] = json!([level]);
    let mut native = json!({ "id": step.id, "type": "approval", "approval": approval });
    if let Some(approved) = approved {
        native["on_approved"] = approved.into();
    }
    native
}

/// The keys of a short request's `data` that say how to ask; all others are shown.
pub(crate) const SETTINGS: [&str; 8] =
    ["approver_role", "approvers", "reason", "expires_in", "subject", "amount", "currency", "quick"];

fn approvers(request: Option<&ShortRequest>) -> Value {
    let Some(request) = request else { return json!([]) };
    match (request.data.get("approvers"), request.data.get("approver_role")) {
        (Some(list), _) => list.source(),
        (None, Some(role)) => json!([format!("role:{}", role.source().as_str().unwrap_or_default())]),
        (None, None) => json!([]),
    }
}

/// Entries of approvers that are written out: each names a role or a person.
fn check_approver(entry: &str, pointer: String, findings: &mut Vec<Finding>) {
    if let Err(fault) = entry.parse::<Approver>() {
        let message = format!("\"{entry}\" can't be asked: {fault}.");
        findings.push(Finding::error("approver.bad", pointer, message));
    }
}

fn check_approvers(request: &ShortRequest, at: &str, findings: &mut Vec<Finding>) {
    if let Some(TemplateValue::Literal(Value::String(role))) = request.data.get("approver_role")
        && !role.trim().is_empty()
        && role.contains(':')
    {
        let message = format!("\"{role}\" is no role's name; write the name alone, such as finance.");
        findings.push(Finding::error("approver.bad", format!("{at}/data/approver_role"), message));
    }
    let written: Vec<(String, String)> = match request.data.get("approvers") {
        Some(TemplateValue::Literal(Value::String(one))) => vec![(String::new(), one.clone())],
        Some(list) => match list.source() {
            Value::Array(list) => {
                list.iter().enumerate().map(|(n, one)| (format!("/{n}"), as_text(one))).collect()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                Vec::new()
            }
        },
        None => Vec::new(),
    };
    for (below, entry) in written.iter().filter(|(_, entry)| !entry.contains("{{") && !entry.contains("{%")) {
        check_approver(entry, format!("{at}/data/approvers{below}"), findings);
    }
}

fn check_short(request: &ShortRequest, at: &str, findings: &mut Vec<Finding>) {
    check_approvers(request, at, findings);
    let is_named = |value: &TemplateValue| match value {
        TemplateValue::Literal(Value::String(text)) => !text.trim().is_empty(),
        TemplateValue::Literal(Value::Array(list)) => !list.is_empty(),
        TemplateValue::Literal(_) | TemplateValue::Map(_) => false,
        TemplateValue::Text(_) | TemplateValue::List(_) => true,
    };
    let named = ["approver_role", "approvers"].iter().filter_map(|key| request.data.get(*key)).any(is_named);
    if !named {
        let message = "Nobody is asked: `data` needs `approver_role` or `approvers`.";
        findings.push(Finding::error("approvers.missing", format!("{at}/data"), message));
    }
    if let Some(TemplateValue::Literal(value)) = request.data.get("expires_in") {
        let fault = match value.as_str().map(str::parse::<crate::workflow::Span>) {
            Some(Ok(_)) => return,
            Some(Err(fault)) => fault.to_string(),
            None => format!("{value} is no duration"),
        };
        findings.push(Finding::error("duration.bad", format!("{at}/data/expires_in"), format!("{fault}.")));
    }
}
