//! Branches and bodies: there are some, each has a name of its own, and they don't stand too deep in each other. And
//! what an awaited event must match can be found in one.

use super::StepSite;
use crate::workflow::{
    Finding, TemplateValue,
    finding::escape_segment,
    step::{EventWait, Foreach, Parallel, StepKind},
};
use serde_json::Value;
use std::collections::BTreeSet;

/// How deep branches and bodies may stand in each other.
pub const MAX_NESTING: usize = 16;
/// The most items of a `foreach`.
pub const MAX_ITEMS: usize = 10_000;

pub(super) fn check_step(site: &StepSite<'_>, findings: &mut Vec<Finding>) {
    let at = &site.pointer;
    if let Some(wait) = site.step.awaited_event() {
        return check_match(at, wait, findings);
    }
    if let StepKind::Parallel { parallel } = &site.step.kind {
        check_parallel(at, parallel, findings);
    } else if let Some(foreach) = site.step.foreach() {
        check_foreach(at, foreach, findings);
    } else {
        return;
    }
    let depth = at.matches("/parallel/").count() + at.matches("/foreach/").count();
    if depth >= MAX_NESTING {
        let message = format!("Branches and bodies can stand at most {MAX_NESTING} deep in each other.");
        findings.push(Finding::error("nesting.deep", at, message));
    }
}

/// A path that can't be in any payload never matches.
fn check_match(at: &str, wait: &EventWait, findings: &mut Vec<Finding>) {
    for path in wait.matches.keys() {
        if path.split('.').any(|part| part.trim().is_empty() || part.contains(char::is_whitespace)) {
            let message =
                format!("`{path}` is no path of a payload; write names separated by dots, such as order.id.");
            let pointer = format!("{at}/wait/match/{}", escape_segment(path));
            findings.push(Finding::error("path.bad", pointer, message));
        }
    }
}

fn check_parallel(at: &str, parallel: &Parallel, findings: &mut Vec<Finding>) {
    if parallel.branches().next().is_none() {
        let message = "`parallel` needs `steps` or `branches` with something in them.";
        findings.push(Finding::error("branches.missing", format!("{at}/parallel"), message));
    }
    let mut seen = BTreeSet::new();
    for (id, _) in parallel.branches() {
        if !seen.insert(id) {
            let message = format!("Two branches have the id `{id}`.");
            findings.push(Finding::error("id.duplicate", format!("{at}/parallel"), message));
        }
    }
    for (n, branch) in parallel.branches.iter().enumerate() {
        if branch.steps.is_empty() {
            let message = format!("The branch `{}` has no steps.", branch.id);
            let pointer = format!("{at}/parallel/branches/{n}/steps");
            findings.push(Finding::error("steps.missing", pointer, message));
        }
    }
}

fn check_foreach(at: &str, foreach: &Foreach, findings: &mut Vec<Finding>) {
    if foreach.steps.is_empty() {
        let message = "`foreach` needs at least one step for each item.";
        findings.push(Finding::error("steps.missing", format!("{at}/foreach/steps"), message));
    }
    if foreach.concurrency == Some(0) {
        let message = "`concurrency` is at least 1.";
        findings.push(Finding::error("value.range", format!("{at}/foreach/concurrency"), message));
    }
    let pointer = || format!("{at}/foreach/items");
    match &foreach.items {
        TemplateValue::Literal(Value::Array(list)) if list.is_empty() => {
            let message = "This does nothing: there are no items.";
            findings.push(Finding::warning("items.none", pointer(), message));
        }
        TemplateValue::List(list) => too_many(list.len(), pointer(), findings),
        TemplateValue::Literal(Value::Array(list)) => too_many(list.len(), pointer(), findings),
        TemplateValue::Text(template) if template.is_mixed() => {
            let message = "`items` must be a list, and text around a template makes a text of it; write the template alone.";
            findings.push(Finding::error("value.type", pointer(), message));
        }
        TemplateValue::Text(_) => {}
        TemplateValue::Literal(_) | TemplateValue::Map(_) => {
            let message = "`items` must be a list, or a template that gives one such as {{ order.lines }}.";
            findings.push(Finding::error("value.type", pointer(), message));
        }
    }
}

fn too_many(items: usize, pointer: String, findings: &mut Vec<Finding>) {
    if items > MAX_ITEMS {
        let message = format!("A foreach takes at most {MAX_ITEMS} items; this has {items}.");
        findings.push(Finding::error("limit.items", pointer, message));
    }
}
