//! A document made ready to run.

use super::{EnvironmentNeeds, Event};
use crate::{
    connector::CalledOperation,
    ids::{StepId, WorkflowId},
    workflow::{
        Document,
        check::every_step,
        evaluate::{ConditionError, evaluate},
        rule::Rule,
        scope::Scope,
        step::{CallWorkflow, Step, StepKind},
    },
};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// A document made ready to run.
#[derive(Debug)]
pub struct Definition {
    document: Document,
    /// Where each step is: its number in the document, then a sequence of it and the number there, and so on.
    index: BTreeMap<StepId, Vec<usize>>,
    rules: BTreeMap<String, Rule>,
    /// What of its workspace each of its runs has to know.
    needs: EnvironmentNeeds,
}

impl Definition {
    /// Makes a checked document ready.
    pub fn new(document: Document) -> Self {
        Self::with_rules(document, BTreeMap::new())
    }

    /// Makes a checked document ready, with the stored rules as they stood at its publishing.
    pub fn with_rules(document: Document, rules: BTreeMap<String, Rule>) -> Self {
        let mut index = BTreeMap::new();
        find(&document.steps, &[], &mut index);
        let needs = needs(&document);
        Self { document, index, rules, needs }
    }

    /// The document.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// What of its workspace a run has to know with whatever happens: calendars, and what its requests name by revision.
    pub fn needs_at_start(&self) -> EnvironmentNeeds {
        self.needs.clone()
    }

    /// A step by its id, wherever it stands.
    pub fn step(&self, id: &StepId) -> Option<&Step> {
        self.at(self.index.get(id)?)
    }

    fn at(&self, path: &[usize]) -> Option<&Step> {
        let (first, rest) = path.split_first()?;
        let mut step = self.document.steps.get(*first)?;
        for pair in rest.chunks_exact(2) {
            step = step.sequence(pair[0])?.get(pair[1])?;
        }
        Some(step)
    }

    /// The step that stands behind another in the same sequence.
    pub(super) fn following(&self, id: &StepId) -> Option<&Step> {
        let mut path = self.index.get(id)?.clone();
        *path.last_mut()? += 1;
        self.at(&path)
    }

    /// The first step of one of a step's sequences.
    pub(super) fn first_of(&self, id: &StepId, sequence: usize) -> Option<&Step> {
        self.step(id)?.sequence(sequence)?.first()
    }

    /// A stored rule as it stood at publishing.
    pub(super) fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.get(id)
    }

    /// Whether the trigger's filter lets an event in; without one it does.
    ///
    /// # Errors
    /// When the filter can't be asked; the run then starts, and fails with this.
    pub fn admits(&self, event: &Event, at: DateTime<Utc>) -> Result<bool, ConditionError> {
        let Some(filter) = self.document.filter() else { return Ok(true) };
        let context = super::state::context_of(event);
        Ok(evaluate(filter, &Scope::masked(&context, at))?.holds())
    }

    /// The step at which a run starts.
    pub(super) fn first(&self) -> Option<&StepId> {
        self.document.steps.first().map(|step| &step.id)
    }
}

fn needs(document: &Document) -> EnvironmentNeeds {
    let mut needs = EnvironmentNeeds::default();
    // Revisions count only for those who are asked.
    let asks = every_step(document).any(|(_, step)| step.asks());
    for (_, step) in every_step(document).filter(|_| asks) {
        needs.operations.extend(step.effects().iter().filter_map(CalledOperation::of));
        if let StepKind::Approval { approval, .. } = &step.kind {
            needs.calendars.extend(approval.calendar.clone());
        } else if let Some(rule_id) = step.latest_rule() {
            needs.rules.push(rule_id.to_owned());
        } else if let StepKind::Call { call: CallWorkflow { workflow_id, .. } } = &step.kind {
            needs.workflows.push(workflow_id.clone());
        }
    }
    sort(&mut needs.calendars);
    sort(&mut needs.rules);
    sort::<WorkflowId>(&mut needs.workflows);
    sort(&mut needs.operations);
    needs
}

fn sort<T: Ord>(names: &mut Vec<T>) {
    names.sort();
    names.dedup();
}

fn find(steps: &[Step], above: &[usize], index: &mut BTreeMap<StepId, Vec<usize>>) {
    for (n, step) in steps.iter().enumerate() {
        let mut path = above.to_vec();
        path.push(n);
        for (k, sequence) in step.sequences().enumerate() {
            path.push(k);
            find(sequence, &path, index);
            path.pop();
        }
        index.insert(step.id.clone(), path);
    }
}
