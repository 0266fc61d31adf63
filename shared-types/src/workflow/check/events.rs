//! Types of events: those that a workflow listens to or waits for, and those that it publishes.

use super::StepSite;
use crate::workflow::{
    Document, Finding,
    document::{Trigger, event_type_matches},
    effect::Effect,
    step::{Step, StepKind},
};

/// How long a type may be, in characters.
const MAX_TYPE: usize = 200;

pub(super) fn check_trigger(document: &Document, findings: &mut Vec<Finding>) {
    if let Trigger::Event { event, .. } = &document.trigger {
        check_pattern(event, "/trigger/event", findings);
    }
}

pub(super) fn check_step(document: &Document, site: &StepSite<'_>, findings: &mut Vec<Finding>) {
    if let Some(wait) = site.step.awaited_event() {
        check_pattern(&wait.event, &format!("{}/wait/event", site.pointer), findings);
    }
    for (below, event) in published(site.step) {
        let pointer = format!("{}/{below}", site.pointer);
        match fault(event) {
            Some(fault) => findings.push(Finding::error("event.bad", pointer, format!("{fault}."))),
            None => check_cycle(document, event, pointer, findings),
        }
    }
}

/// The types that a step publishes, with their places below it.
pub(in crate::workflow) fn published(step: &Step) -> Vec<(String, &str)> {
    if let StepKind::Emit { emit } = &step.kind {
        return vec![("emit/event".to_owned(), emit.event.as_str())];
    }
    let effects = step.effects().iter().enumerate();
    effects
        .filter_map(|(n, effect)| match effect {
            Effect::EmitEvent(emit) => Some((format!("execute/{n}/event"), emit.event.as_str())),
            Effect::Notify(_)
            | Effect::HttpRequest(_)
            | Effect::Webhook(_)
            | Effect::CreateRecord(_)
            | Effect::UpdateRecord(_)
            | Effect::CreateApprovalRequest(_)
            | Effect::Log(_)
            | Effect::Connector(_) => None,
        })
        .collect()
}

/// A type, or a prefix of types that ends in `.*`.
fn check_pattern(pattern: &str, pointer: &str, findings: &mut Vec<Finding>) {
    let whole = pattern.strip_suffix(".*").unwrap_or(pattern);
    // `*` alone is every event.
    if pattern != "*"
        && let Some(fault) = fault(whole)
    {
        findings.push(Finding::error("event.bad", pointer, format!("{fault}.")));
    }
}

/// Why a text is no type of event.
fn fault(event: &str) -> Option<String> {
    if event.contains("{{") || event.contains("{%") {
        return Some(format!(
            "\"{event}\" is a template, and a type is a text as it stands: put what differs into the payload"
        ));
    }
    if event.contains('*') {
        return Some(format!(
            "\"{event}\" matches no event: only `.*` at the end stands for more, as in order.*"
        ));
    }
    if event.trim().is_empty() {
        return Some("an event needs a type, such as order.created".to_owned());
    }
    let is_odd =
        event.contains(|c: char| c.is_whitespace() || c.is_control()) || event.split('.').any(str::is_empty);
    (is_odd || event.chars().count() > MAX_TYPE).then(|| {
        let shown: String = event.chars().take(40).collect();
        format!("\"{shown}\" is no type of event; write up to {MAX_TYPE} characters without blanks, such as order.created")
    })
}

/// A workflow that publishes what starts it sets itself off.
fn check_cycle(document: &Document, event: &str, pointer: String, findings: &mut Vec<Finding>) {
    let Trigger::Event { event: own, .. } = &document.trigger else { return };
    if event_type_matches(own, event) {
        let message = format!(
            "{event} starts this workflow again, which publishes it again; the chain ends at depth 16, or at 1,000 runs."
        );
        findings.push(Finding::warning("emit.cycle", pointer, message));
    }
}
