//! Ids and links: each id once, each link to somewhere, no cycle without a wait, nothing unreachable.

use super::bodies;
use crate::{
    ids::StepId,
    workflow::{
        Document, Finding,
        finding::{PatchOp, closest},
        step::{Step, StepKind},
    },
};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check(document: &Document, warn: bool, findings: &mut Vec<Finding>) {
    let unique = duplicates(document, findings);
    let whole = Sequence { steps: &document.steps, at: "/steps", from: 0, in_order: false };
    whole.check(warn && unique, findings);
}

/// Says which ids are taken twice; true where none is.
fn duplicates(document: &Document, findings: &mut Vec<Finding>) -> bool {
    let mut unique = true;
    let mut seen: BTreeMap<&StepId, String> = BTreeMap::new();
    for place in super::places(document) {
        let pointer = format!("{}/id", place.pointer);
        if let Some(first) = seen.get(&place.step.id) {
            let message = format!("The id `{}` is taken by the step at {first}.", place.step.id);
            findings.push(Finding::error("id.duplicate", pointer, message));
            unique = false;
        } else {
            seen.insert(&place.step.id, place.pointer);
        }
    }
    unique
}

/// Steps whose links stay among them. In a branch or body, those without links run in order.
struct Sequence<'d> {
    steps: &'d [Step],
    at: &'d str,
    /// The number of the first of them at that place.
    from: usize,
    in_order: bool,
}

impl Sequence<'_> {
    fn check(&self, warn: bool, findings: &mut Vec<Finding>) {
        let Self { steps, at, from, in_order } = self;
        let index: BTreeMap<&StepId, usize> =
            steps.iter().enumerate().rev().map(|(n, s)| (&s.id, n)).collect();
        let mut edges: Vec<Vec<usize>> = Vec::with_capacity(steps.len());
        let mut broken = false;
        for (n, step) in steps.iter().enumerate() {
            let here = format!("{at}/{}", from + n);
            let mut out = Vec::new();
            for (key, link) in step.links() {
                if let Some(to) = index.get(link) {
                    out.push(*to);
                } else {
                    broken = true;
                    findings.push(nowhere(format!("{here}/{key}"), &key, link, &index));
                }
            }
            if *in_order && !step.names_what_follows() && n + 1 < steps.len() {
                out.push(n + 1);
            }
            edges.push(out);
            inside(step, &here, warn, findings);
        }
        let pointer = |n: usize| format!("{at}/{}", from + n);
        endless(steps, &edges, pointer, findings);
        if warn && !broken {
            unreachable(steps, &edges, pointer, findings);
        }
    }
}

/// Checks the sequences inside a step: each branch and body for itself.
fn inside(step: &Step, here: &str, warn: bool, findings: &mut Vec<Finding>) {
    for (below, steps, _) in bodies(step) {
        let at = format!("{here}/{below}");
        let is_single = below == "parallel/steps";
        let parts = if is_single { steps.chunks(1) } else { steps.chunks(steps.len().max(1)) };
        for (n, steps) in parts.enumerate() {
            let from = if is_single { n } else { 0 };
            Sequence { steps, at: &at, from, in_order: true }.check(warn, findings);
        }
    }
}

fn nowhere(pointer: String, key: &str, link: &StepId, index: &BTreeMap<&StepId, usize>) -> Finding {
    let key = key.rsplit('/').next().unwrap_or(key);
    let message = format!("`{key}` leads to `{link}`; there is no such step.");
    let finding = Finding::error("link.nowhere", &pointer, message);
    match closest(link.as_str(), index.keys().map(|id| id.as_str())) {
        Some(close) => finding.with_fix(vec![PatchOp::Replace { path: pointer, value: close.into() }]),
        None => finding,
    }
}

/// Cycles in which nothing waits: what stays on a cycle when the waiting steps are taken away.
fn endless(
    steps: &[Step],
    edges: &[Vec<usize>],
    pointer: impl Fn(usize) -> String,
    findings: &mut Vec<Finding>,
) {
    let stops: Vec<bool> = steps.iter().map(waits).collect();
    for (n, step) in steps.iter().enumerate() {
        let mut seen = BTreeSet::new();
        let mut open = vec![n];
        while let Some(from) = open.pop() {
            if stops[from] {
                continue;
            }
            for &to in &edges[from] {
                if to == n {
                    let message = format!("The run would come back to `{}` without ever waiting.", step.id);
                    findings.push(Finding::error("cycle.endless", pointer(n), message));
                    return;
                }
                if seen.insert(to) {
                    open.push(to);
                }
            }
        }
    }
}

/// Whether a run waits in a step, or may in a branch of it.
fn waits(step: &Step) -> bool {
    matches!(step.kind, StepKind::Wait { .. })
        || (step.asks() && step.next.is_none())
        || step.sequences().flatten().any(waits)
}

fn unreachable(
    steps: &[Step],
    edges: &[Vec<usize>],
    pointer: impl Fn(usize) -> String,
    findings: &mut Vec<Finding>,
) {
    let mut seen = BTreeSet::from([0]);
    let mut open = vec![0];
    while let Some(from) = open.pop() {
        for &to in edges.get(from).map(Vec::as_slice).unwrap_or_default() {
            if seen.insert(to) {
                open.push(to);
            }
        }
    }
    for (n, step) in steps.iter().enumerate().filter(|(n, _)| !seen.contains(n)) {
        let pointer = pointer(n);
        let message = format!("No step leads to `{}`.", step.id);
        let fix = vec![PatchOp::Remove { path: pointer.clone() }];
        findings.push(Finding::warning("step.unreachable", pointer, message).with_fix(fix));
    }
}
