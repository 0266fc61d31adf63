//! Ids and links: each id once, each link to somewhere, no cycle without a wait, nothing unreachable.

use super::{StepSite, bodies};
use crate::{
    ids::StepId,
    workflow::{
        Document, Finding,
        finding::{PatchOp, closest},
        step::{Step, StepKind},
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// How many pairs of a link and an id are compared in a document to find what a link to nowhere means.
const MAX_COMPARISONS: usize = 50_000;

pub(super) fn check(document: &Document, sites: &[StepSite<'_>], warn: bool, findings: &mut Vec<Finding>) {
    let unique = duplicates(sites, findings);
    let whole = Sequence { steps: &document.steps, at: "/steps", from: 0, in_order: false };
    let mut report = Report { findings, warn: warn && unique, comparisons: MAX_COMPARISONS };
    whole.check(&mut report);
}

/// Says which ids are taken twice; true where none is.
fn duplicates(sites: &[StepSite<'_>], findings: &mut Vec<Finding>) -> bool {
    let mut unique = true;
    let mut seen: BTreeMap<&StepId, &str> = BTreeMap::new();
    for StepSite { step, pointer, .. } in sites {
        if let Some(first) = seen.get(&step.id) {
            let message = format!("The id `{}` is taken by the step at {first}.", step.id);
            findings.push(Finding::error("id.duplicate", format!("{pointer}/id"), message));
            unique = false;
        } else {
            seen.insert(&step.id, pointer);
        }
    }
    unique
}

/// The findings about the links of one document.
struct Report<'f> {
    findings: &'f mut Vec<Finding>,
    /// Whether steps that nothing leads to are reported.
    warn: bool,
    /// How many more ids may be compared with links to nowhere. Without a bound, thousands of such links in a
    /// document of thousands of steps would take minutes.
    comparisons: usize,
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
    fn check(&self, report: &mut Report<'_>) {
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
                    report.nowhere(format!("{here}/{key}"), &key, link, &index);
                }
            }
            if *in_order && !step.names_what_follows() && n + 1 < steps.len() {
                out.push(n + 1);
            }
            edges.push(out);
            enclosing(step, &here, report);
        }
        let pointer = |n: usize| format!("{at}/{}", from + n);
        if let Some(n) = busy_cycles(steps, &edges) {
            let message = format!("The run would come back to `{}` without ever waiting.", steps[n].id);
            report.findings.push(Finding::error("cycle.endless", pointer(n), message));
        }
        if report.warn && !broken {
            unreachable(steps, &edges, pointer, report.findings);
        }
    }
}

/// Checks the sequences inside a step: each branch and body for itself.
fn enclosing(step: &Step, here: &str, report: &mut Report<'_>) {
    for (below, steps, _) in bodies(step) {
        let at = format!("{here}/{below}");
        let is_single = below == "parallel/steps";
        let parts = if is_single { steps.chunks(1) } else { steps.chunks(steps.len().max(1)) };
        for (n, steps) in parts.enumerate() {
            let from = if is_single { n } else { 0 };
            Sequence { steps, at: &at, from, in_order: true }.check(report);
        }
    }
}

impl Report<'_> {
    fn nowhere(&mut self, pointer: String, key: &str, link: &StepId, index: &BTreeMap<&StepId, usize>) {
        let key = key.rsplit('/').next().unwrap_or(key);
        let message = format!("`{key}` leads to `{link}`; there is no such step.");
        let finding = Finding::error("link.nowhere", &pointer, message);
        let close = if index.len() <= self.comparisons {
            self.comparisons -= index.len();
            closest(link.as_str(), index.keys().map(|id| id.as_str()))
        } else {
            None
        };
        self.findings.push(match close {
            Some(close) => finding.with_fix(vec![PatchOp::Replace { path: pointer, value: close.into() }]),
            None => finding,
        });
    }
}

/// The first step that a run comes back to without waiting in any step between.
fn busy_cycles(steps: &[Step], edges: &[Vec<usize>]) -> Option<usize> {
    let stops: Vec<bool> = steps.iter().map(waits).collect();
    let onward = |from: usize| if stops[from] { &[] } else { edges[from].as_slice() };
    first_on_a_cycle(steps.len(), onward)
}

/// The lowest number that lies on a cycle of a graph, in one pass over its edges: Tarjan's strongly connected
/// components, with a stack of its own so that a long chain doesn't need the program's.
fn first_on_a_cycle<'g>(count: usize, edges: impl Fn(usize) -> &'g [usize]) -> Option<usize> {
    let mut order = vec![usize::MAX; count];
    let mut low = vec![usize::MAX; count];
    let mut is_open = vec![false; count];
    let (mut open, mut entered, mut first) = (Vec::new(), 0, None::<usize>);
    for root in 0..count {
        let mut path: Vec<(usize, usize)> =
            if order[root] == usize::MAX { vec![(root, 0)] } else { Vec::new() };
        while let Some((at, next)) = path.last_mut() {
            let at = *at;
            if *next == 0 {
                (order[at], low[at]) = (entered, entered);
                entered += 1;
                open.push(at);
                is_open[at] = true;
            }
            if let Some(&to) = edges(at).get(*next) {
                *next += 1;
                if order[to] == usize::MAX {
                    path.push((to, 0));
                } else if is_open[to] {
                    low[at] = low[at].min(order[to]);
                }
                if to == at {
                    first = Some(first.map_or(at, |known| known.min(at)));
                }
                continue;
            }
            path.pop();
            if let Some((above, _)) = path.last() {
                low[*above] = low[*above].min(low[at]);
            }
            if low[at] == order[at] {
                let start = open.iter().rposition(|open| *open == at).unwrap_or_default();
                let component = open.split_off(start);
                for step in &component {
                    is_open[*step] = false;
                }
                if component.len() > 1 {
                    first = component.into_iter().chain(first).min();
                }
            }
        }
    }
    first
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
