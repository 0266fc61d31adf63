//! The checks before anything may run: all findings at once, each with its place.
//!
//! What depends on running (`tests` that fail, what this server supports) is added by the machine.

mod approvals;
mod comparisons;
mod conditions;
mod effects;
mod environment;
mod events;
mod forms;
mod levels;
mod links;
mod money;
mod names;
mod nesting;
mod references;
mod schedule;
mod size;
mod spans;
mod test_inputs;
mod unused;

pub(crate) use approvals::SETTINGS;
pub(super) use conditions::check as check_condition;
pub use environment::{Environment, Judged, WorkflowRef, WorkspaceContents};
pub use names::is_own_event;
pub use nesting::{MAX_ITEMS, MAX_NESTING};
pub use references::{
    EscalationReference, LevelReference, OperationReference, RecordReference, Reference, Target,
};
pub(super) use size::too_many_in as too_many_regexes;
pub use size::{MAX_REGEXES, MAX_STEPS};

use super::{
    Document, Finding, Format, Severity, Source,
    finding_list::FindingList,
    loads, schema,
    step::{Step, StepKind},
};
use crate::ids::WorkflowId;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A document after the checks.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The JSON that the text holds; null where it can't be read.
    pub value: Value,
    /// The document, unless an error keeps it from being one.
    pub document: Option<Document>,
    /// What is told of it: errors first, then by place, and at most [`super::finding_list::MAX_FINDINGS`].
    pub findings: Vec<Finding>,
    /// What the document says by itself, whatever is set up around it.
    pub own: FindingList,
    /// What the document refers to outside of itself.
    pub references: Vec<Reference>,
    /// What of that isn't there.
    missing: Vec<Finding>,
    source: Source,
}

impl Checked {
    /// What was found in a source.
    pub(super) fn of(source: Source, findings: Vec<Finding>) -> Self {
        let mut checked = Self {
            value: source.value.clone(),
            document: None,
            findings: Vec::new(),
            own: FindingList::default(),
            references: Vec::new(),
            missing: Vec::new(),
            source,
        };
        checked.add(findings);
        checked
    }

    /// What was found in a text that isn't one.
    pub(super) fn unreadable(fault: Finding) -> Self {
        Self::of(Source::of_value(Value::Null), vec![fault])
    }

    /// Whether an error keeps it from being saved as a revision.
    pub fn has_errors(&self) -> bool {
        self.own.has_errors()
    }

    /// Adds findings about the document by itself, placed in the text and sorted among the rest.
    pub fn add(&mut self, mut findings: Vec<Finding>) {
        // Those with a place have it from who read the text.
        let unplaced = findings.iter_mut().filter(|finding| finding.line == 0);
        for finding in unplaced {
            self.source.locate(std::slice::from_mut(finding));
        }
        self.own.add(findings);
        self.findings = self.own.told_with(self.missing.clone());
        if self.has_errors() {
            self.document = None;
        }
    }

    /// Tells also what the document refers to and a workspace doesn't have.
    pub fn check_references(&mut self, contents: &WorkspaceContents) {
        let Some(own) = self.workflow_id() else { return };
        self.missing = contents.missing(&own, &self.references);
        self.findings = self.own.told_with(self.missing.clone());
    }

    fn workflow_id(&self) -> Option<WorkflowId> {
        self.value.get("workflow_id").and_then(Value::as_str).map(|id| WorkflowId(id.to_owned()))
    }
}

/// Reads and checks a text.
pub fn check(text: &str, format: Format, environment: &Environment) -> Checked {
    match Source::parse(text, format) {
        Ok(source) => check_source(source, environment),
        Err(fault) => Checked::unreadable(*fault),
    }
}

/// Checks what was already read.
pub fn check_source(source: Source, environment: &Environment) -> Checked {
    if let Some(fault) = size::too_many_steps(&source.value) {
        return Checked::of(source, vec![fault]);
    }
    let mut findings = schema::check_shape(&source.value);
    let has_shape = !findings.iter().any(|finding| finding.severity == Severity::Error);
    if let Some(steps) = source.value.get("steps") {
        conditions::check_written(steps, "/steps", &mut findings);
    }
    let document = serde_json::from_value(source.value.clone())
        .ok()
        .or_else(|| without_faulty_parts(&source.value, &findings));
    let mut references = Vec::new();
    if let Some(document) = &document {
        let sites = step_sites(document);
        links::check(document, &sites, has_shape, &mut findings);
        check_steps(document, &sites, &mut findings);
        events::check_trigger(document, &mut findings);
        schedule::check(document, environment.now(), &mut findings);
        spans::check_document(document, &mut findings);
        forms::check(document, &sites, &mut findings);
        document.context.iter().for_each(|context| loads::check(context, &mut findings));
        test_inputs::check(document, &mut findings);
        money::check(document, &sites, &mut findings);
        references = references::references(document, &sites, &source);
    } else if has_shape {
        findings.push(Finding::error("document.unreadable", "", "The document can't be read."));
    }
    let mut checked = Checked::of(source, findings);
    checked.document = document.filter(|_| !checked.has_errors());
    checked.references = references;
    if let Some(contents) = environment.contents() {
        checked.check_references(&contents);
    }
    checked
}

fn check_steps(document: &Document, sites: &[StepSite<'_>], findings: &mut Vec<Finding>) {
    let top = document.steps.iter().rev().map(|step| (&step.id, step)).collect();
    let regexes = size::too_many_regexes(document, sites);
    let checks_conditions = regexes.is_none();
    findings.extend(regexes);
    for site in sites {
        if checks_conditions {
            conditions::check_step(site, findings);
        }
        approvals::check_step(&top, site, findings);
        levels::check_step(site, findings);
        names::check_step(site, findings);
        events::check_step(document, site, findings);
        nesting::check_step(site, findings);
        unused::check_step(site, findings);
        effects::check_step(site, findings);
        spans::check_step(site, findings);
    }
    if let Some(filter) = document.filter().filter(|_| checks_conditions) {
        conditions::check("/trigger/filter", filter, findings);
    }
}

/// A step with its pointer and what it stands in.
struct StepSite<'d> {
    step: &'d Step,
    pointer: String,
    enclosing: Enclosing,
}

/// What a step stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Enclosing {
    Nothing,
    Branch,
    Body,
}

/// Every step, those of branches and bodies among them.
fn step_sites(document: &Document) -> Vec<StepSite<'_>> {
    let mut sites = Vec::new();
    collect_sites(&document.steps, "/steps", Enclosing::Nothing, &mut sites);
    sites
}

/// Every step with its pointer, those of branches and bodies among them.
pub fn every_step(document: &Document) -> impl Iterator<Item = (String, &Step)> {
    step_sites(document).into_iter().map(|site| (site.pointer, site.step))
}

fn collect_sites<'d>(steps: &'d [Step], at: &str, enclosing: Enclosing, sites: &mut Vec<StepSite<'d>>) {
    for (n, step) in steps.iter().enumerate() {
        let pointer = format!("{at}/{n}");
        sites.push(StepSite { step, pointer: pointer.clone(), enclosing });
        for (below, steps, inner) in bodies(step) {
            // A branch inside a body is in the body all the same.
            let inner = if enclosing == Enclosing::Body { Enclosing::Body } else { inner };
            collect_sites(steps, &format!("{pointer}/{below}"), inner, sites);
        }
    }
}

/// The sequences of steps inside a step, with their pointers below it.
fn bodies(step: &Step) -> Vec<(String, &[Step], Enclosing)> {
    if let StepKind::Parallel { parallel } = &step.kind {
        let own = (!parallel.steps.is_empty())
            .then(|| ("parallel/steps".to_owned(), parallel.steps.as_slice(), Enclosing::Branch));
        let branches = parallel.branches.iter().enumerate().map(|(n, branch)| {
            (format!("parallel/branches/{n}/steps"), branch.steps.as_slice(), Enclosing::Branch)
        });
        return own.into_iter().chain(branches).collect();
    }
    let body =
        step.foreach().map(|foreach| ("foreach/steps".to_owned(), foreach.steps.as_slice(), Enclosing::Body));
    body.into_iter().collect()
}

/// The document without its faulty parts, so that the rest is checked all the same.
///
/// A step that can be read without its faulty keys keeps its links; another becomes a stand-in with its id.
fn without_faulty_parts(value: &Value, faults: &[Finding]) -> Option<Document> {
    let mut value = value.clone();
    let map = value.as_object_mut()?;
    map.remove("tests");
    if faults.iter().any(|fault| fault.pointer.starts_with("/context")) {
        map.remove("context");
    }
    let mut faulty: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for fault in faults {
        let mut segments = fault.pointer.strip_prefix("/steps/").into_iter().flat_map(|at| at.split('/'));
        let step = segments.next().and_then(|n| n.parse().ok());
        if let (Some(step), Some(key)) = (step, segments.next()) {
            faulty.entry(step).or_default().push(key);
        }
    }
    for (n, step) in map.get_mut("steps")?.as_array_mut()?.iter_mut().enumerate() {
        if serde_json::from_value::<Step>(step.clone()).is_ok() {
            continue;
        }
        let mut pruned = step.clone();
        if conditions::fault_of(step).is_some()
            && let Some(map) = pruned.as_object_mut()
        {
            // What it asks is missing, or there twice; where it leads stays.
            map.remove("rule_id");
            map.insert("condition".to_owned(), json!({ "field": "", "operator": "exists" }));
        }
        for key in faulty.remove(&n).unwrap_or_default() {
            match (key, pruned.as_object_mut()) {
                // A condition that says nothing, since a missing one would be a fault of its own.
                ("condition", Some(map)) => {
                    drop(map.insert(key.to_owned(), json!({ "field": "", "operator": "exists" })));
                }
                (key, Some(map)) => drop(map.remove(key)),
                (_, None) => {}
            }
        }
        *step = if serde_json::from_value::<Step>(pruned.clone()).is_ok() {
            pruned
        } else {
            json!({ "id": step.get("id")?, "type": "set", "set": {} })
        };
    }
    serde_json::from_value(value).ok()
}

#[cfg(test)]
mod meaning_tests;
#[cfg(test)]
mod tests;
