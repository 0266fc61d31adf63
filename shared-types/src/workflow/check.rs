//! The checks before anything may run: all findings at once, each with its place.
//!
//! What depends on running (`tests` that fail, what this server supports) is added by the machine.

mod around;
mod asking;
mod conditions;
mod effects;
mod events;
mod forms;
mod idle;
mod links;
mod names;
mod nesting;
mod schedule;
mod spans;

pub use around::{Around, Neighbour};
pub(crate) use asking::SETTINGS;
pub(super) use conditions::check as check_condition;
pub use names::is_own_event;
pub use nesting::{MAX_ITEMS, MAX_NESTING};

use super::{
    Document, Finding, Format, Severity, Source,
    condition::Condition,
    shape,
    step::{Step, StepKind},
};
use serde_json::{Value, json};

/// A document after the checks.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The JSON that the text holds; null where it can't be read.
    pub value: Value,
    /// The document, unless an error keeps it from being one.
    pub document: Option<Document>,
    /// Everything found, in the document's order.
    pub findings: Vec<Finding>,
    source: Source,
}

impl Checked {
    /// What was found in a source.
    pub(super) fn of(source: Source, findings: Vec<Finding>) -> Self {
        let mut checked = Self { value: source.value.clone(), document: None, findings: Vec::new(), source };
        checked.add(findings);
        checked
    }

    /// Whether an error keeps it from being saved as a revision.
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// Adds findings of others, placed in the text and sorted among the rest.
    pub fn add(&mut self, mut findings: Vec<Finding>) {
        self.source.locate(&mut findings);
        self.findings.append(&mut findings);
        self.findings.sort_by_key(|finding| (finding.line, finding.column, finding.severity));
        if self.has_errors() {
            self.document = None;
        }
    }
}

/// Reads and checks a text.
pub fn check(text: &str, format: Format, around: &Around) -> Checked {
    match Source::parse(text, format) {
        Ok(source) => check_source(source, around),
        Err(fault) => Checked {
            value: Value::Null,
            document: None,
            findings: vec![*fault],
            source: Source::of_value(Value::Null),
        },
    }
}

/// Checks what was already read.
pub fn check_source(source: Source, around: &Around) -> Checked {
    let mut findings = shape::check_shape(&source.value);
    let has_shape = !findings.iter().any(|finding| finding.severity == Severity::Error);
    let document = serde_json::from_value(source.value.clone())
        .ok()
        .or_else(|| without_faulty_parts(&source.value, &findings));
    if let Some(document) = &document {
        let places = places(document);
        links::check(document, has_shape, &mut findings);
        for place in &places {
            conditions::check_step(place, &mut findings);
            asking::check_step(document, place, &mut findings);
            names::check_step(place, &mut findings);
            events::check_step(document, place, &mut findings);
            nesting::check_step(place, &mut findings);
            idle::check_step(place, &mut findings);
            effects::check_step(place, &mut findings);
            spans::check_step(place, &mut findings);
        }
        events::check_trigger(document, &mut findings);
        schedule::check(document, around.now(), &mut findings);
        spans::check_document(document, &mut findings);
        forms::check(document, &places, &mut findings);
        if let Some(filter) = document.filter() {
            conditions::check("/trigger/filter", filter, &mut findings);
        }
        around::check(document, &places, around, &mut findings);
    } else if has_shape {
        findings.push(Finding::error("document.unreadable", "", "The document can't be read."));
    }
    let mut checked = Checked { value: source.value.clone(), document, findings: Vec::new(), source };
    checked.add(findings);
    checked
}

/// A step with its pointer and what it stands in.
struct Place<'d> {
    step: &'d Step,
    pointer: String,
    inside: Inside,
}

/// What a step stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    Nothing,
    Branch,
    Body,
}

/// Every step, those of branches and bodies among them.
fn places(document: &Document) -> Vec<Place<'_>> {
    let mut places = Vec::new();
    gather(&document.steps, "/steps", Inside::Nothing, &mut places);
    places
}

/// Every step with its pointer, those of branches and bodies among them.
pub fn every_step(document: &Document) -> impl Iterator<Item = (String, &Step)> {
    places(document).into_iter().map(|place| (place.pointer, place.step))
}

fn gather<'d>(steps: &'d [Step], at: &str, inside: Inside, places: &mut Vec<Place<'d>>) {
    for (n, step) in steps.iter().enumerate() {
        let pointer = format!("{at}/{n}");
        places.push(Place { step, pointer: pointer.clone(), inside });
        for (below, steps, inner) in bodies(step) {
            // A branch inside a body is in the body all the same.
            let inner = if inside == Inside::Body { Inside::Body } else { inner };
            gather(steps, &format!("{pointer}/{below}"), inner, places);
        }
    }
}

/// The sequences of steps inside a step, with their pointers below it.
fn bodies(step: &Step) -> Vec<(String, &[Step], Inside)> {
    match &step.kind {
        StepKind::Parallel { parallel } => {
            let own = (!parallel.steps.is_empty())
                .then(|| ("parallel/steps".to_owned(), parallel.steps.as_slice(), Inside::Branch));
            let branches = parallel.branches.iter().enumerate().map(|(n, branch)| {
                (format!("parallel/branches/{n}/steps"), branch.steps.as_slice(), Inside::Branch)
            });
            own.into_iter().chain(branches).collect()
        }
        StepKind::Foreach { foreach } => {
            vec![("foreach/steps".to_owned(), foreach.steps.as_slice(), Inside::Body)]
        }
        StepKind::Condition { .. }
        | StepKind::Switch { .. }
        | StepKind::Action { .. }
        | StepKind::Execute { .. }
        | StepKind::Approval { .. }
        | StepKind::Wait { .. }
        | StepKind::Set { .. }
        | StepKind::Call { .. }
        | StepKind::Ai { .. }
        | StepKind::Emit { .. }
        | StepKind::Fail { .. } => Vec::new(),
    }
}

/// The conditions of a step with their pointers below it.
fn step_conditions(step: &Step) -> Vec<(String, &Condition)> {
    match &step.kind {
        StepKind::Condition { condition: Some(condition), .. } => vec![("condition".to_owned(), condition)],
        StepKind::Switch { cases, .. } => {
            cases.iter().enumerate().map(|(n, case)| (format!("cases/{n}/when"), &case.when)).collect()
        }
        StepKind::Condition { .. }
        | StepKind::Action { .. }
        | StepKind::Execute { .. }
        | StepKind::Approval { .. }
        | StepKind::Parallel { .. }
        | StepKind::Foreach { .. }
        | StepKind::Wait { .. }
        | StepKind::Set { .. }
        | StepKind::Call { .. }
        | StepKind::Ai { .. }
        | StepKind::Emit { .. }
        | StepKind::Fail { .. } => Vec::new(),
    }
}

/// The document without its faulty parts, so that the rest is checked all the same.
///
/// A step that can be read without its faulty keys keeps its links; another becomes a stand-in with its id.
fn without_faulty_parts(value: &Value, faults: &[Finding]) -> Option<Document> {
    let mut value = value.clone();
    let map = value.as_object_mut()?;
    map.remove("tests");
    for (n, step) in map.get_mut("steps")?.as_array_mut()?.iter_mut().enumerate() {
        if serde_json::from_value::<Step>(step.clone()).is_ok() {
            continue;
        }
        let at = format!("/steps/{n}/");
        let faulty = faults.iter().filter_map(|fault| fault.pointer.strip_prefix(&at)?.split('/').next());
        let mut pruned = step.clone();
        for key in faulty {
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
