//! Names that steps put into the context: none that means something of its own, none from two branches.

use super::{Enclosing, StepSite, bodies};
use crate::workflow::{
    Finding,
    effect::Effect,
    finding::escape_segment,
    scope::is_reserved,
    step::{Step, StepKind},
};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check_step(site: &StepSite<'_>, findings: &mut Vec<Finding>) {
    for (below, name) in assigned_names(site.step).into_iter().chain(item_var(site.step)) {
        let is_path = matches!(site.step.kind, StepKind::Set { .. });
        if is_reserved(name.split('.').next().unwrap_or_default()) {
            let message = format!("`{name}` means something of its own; take another name.");
            findings.push(Finding::error("name.reserved", format!("{}/{below}", site.pointer), message));
        } else if let Some(fault) = fault(&name, is_path) {
            findings.push(Finding::error("name.bad", format!("{}/{below}", site.pointer), fault));
        }
    }
    let own = if let StepKind::Emit { emit } = &site.step.kind { Some(emit) } else { None };
    let own = own.map(|emit| ("emit/event".to_owned(), &emit.event));
    let by_effects = site.step.effects().iter().enumerate().filter_map(|(n, effect)| {
        let Effect::EmitEvent(emit) = effect else { return None };
        Some((format!("execute/{n}/event"), &emit.event))
    });
    for (below, event) in own.into_iter().chain(by_effects) {
        if is_own_event(event) {
            let message = format!("{event} is one of the server's own events; take another type.");
            findings.push(Finding::error("event.reserved", format!("{}/{below}", site.pointer), message));
        }
    }
    if let StepKind::Parallel { .. } = site.step.kind {
        check_branches(site, findings);
    }
}

/// Why a text can't be a name in the context, or a path into it.
fn fault(name: &str, is_path: bool) -> Option<String> {
    let is_odd =
        |part: &str| part.is_empty() || part.contains(|c: char| c.is_whitespace() || "[]{}".contains(c));
    if name.split('.').any(is_odd) {
        return Some(format!("`{name}` is no name that a path leads to; write letters, digits and `_`."));
    }
    (!is_path && name.contains('.'))
        .then(|| format!("`{name}` is a path, and here one name is needed; `set` sets paths."))
}

/// Whether only the server itself may publish events of this type.
pub fn is_own_event(event_type: &str) -> bool {
    ["approval.", "execution.", "workflow."].iter().any(|prefix| event_type.starts_with(prefix))
}

fn check_branches(site: &StepSite<'_>, findings: &mut Vec<Finding>) {
    let StepKind::Parallel { parallel } = &site.step.kind else { return };
    let single = parallel.steps.iter().map(std::slice::from_ref);
    let branches: Vec<&[Step]> = single.chain(parallel.branches.iter().map(|b| b.steps.as_slice())).collect();
    let mut writers: BTreeMap<String, Vec<bool>> = BTreeMap::new();
    for branch in branches {
        let sure = definitely_assigned(branch);
        for name in possibly_assigned(branch) {
            let is_sure = sure.contains(&name);
            writers.entry(name).or_default().push(is_sure);
        }
    }
    for (name, sure) in writers.into_iter().filter(|(name, by)| by.len() > 1 && name != "data") {
        let at = format!("{}/parallel", site.pointer);
        findings.push(if sure.iter().filter(|sure| **sure).count() > 1 {
            Finding::error("name.twice", at, format!("Two branches write `{name}`."))
        } else {
            Finding::warning("name.twice", at, format!("Two branches may write `{name}`."))
        });
    }
}

/// The names that steps of a branch write; what an item puts there stays with its result.
fn possibly_assigned(steps: &[Step]) -> BTreeSet<String> {
    let nested = |step| bodies(step).into_iter().filter(|(_, _, enclosing)| *enclosing == Enclosing::Branch);
    let names = steps.iter().flat_map(|step| {
        let own = assigned_names(step).into_iter().map(|(_, name)| name);
        own.chain(nested(step).flat_map(|(_, steps, _)| possibly_assigned(steps))).collect::<Vec<_>>()
    });
    names.collect()
}

/// The names that a branch writes whichever way it goes, unless it fails: those of its steps from the first on,
/// as far as there is one way only.
fn definitely_assigned(steps: &[Step]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let index: BTreeMap<_, usize> = steps.iter().enumerate().rev().map(|(n, step)| (&step.id, n)).collect();
    let mut next = steps.first();
    while let Some(step) = next.filter(|step| seen.insert(&step.id)) {
        if matches!(step.kind, StepKind::Set { .. }) || step.on_error.is_none() {
            names.extend(assigned_names(step).into_iter().map(|(_, name)| name));
        }
        let forks = step.on_error.is_some() || step.links().iter().any(|(key, _)| key != "next");
        let is_fork = matches!(step.kind, StepKind::Condition { .. } | StepKind::Switch { .. });
        if forks || is_fork || step.asks() {
            break;
        }
        next = match &step.next {
            Some(to) => index.get(to).and_then(|n| steps.get(*n)),
            None => index.get(&step.id).and_then(|n| steps.get(n + 1)),
        };
    }
    names
}

fn item_var(step: &Step) -> Option<(String, String)> {
    Some(("foreach/item_var".to_owned(), step.foreach()?.item_var.clone()?))
}

/// The names that a step itself writes, with the place of each below the step.
fn assigned_names(step: &Step) -> Vec<(String, String)> {
    if let StepKind::Set { set } = &step.kind {
        return set.keys().map(|name| (format!("set/{}", escape_segment(name)), name.clone())).collect();
    }
    if let StepKind::Ai { ai } = &step.kind {
        return ai.save_as.iter().map(|name| ("ai/save_as".to_owned(), name.clone())).collect();
    }
    let saved = step.effects().iter().enumerate().filter_map(|(n, effect)| {
        effect.save_as().map(|name| (format!("execute/{n}/save_as"), name.to_owned()))
    });
    saved.collect()
}
