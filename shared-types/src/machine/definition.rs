//! A document made ready to run.

use super::Event;
use crate::{
    ids::StepId,
    workflow::{
        Document,
        evaluate::{ConditionError, evaluate},
        scope::Scope,
        step::Step,
    },
};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// A document made ready to run.
#[derive(Debug)]
pub struct Definition {
    document: Document,
    index: BTreeMap<StepId, usize>,
}

impl Definition {
    /// Makes a checked document ready.
    pub fn new(document: Document) -> Self {
        let index = document.steps.iter().enumerate().map(|(n, step)| (step.id.clone(), n)).collect();
        Self { document, index }
    }

    /// The document.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// A step by its id.
    pub fn step(&self, id: &StepId) -> Option<&Step> {
        self.index.get(id).and_then(|n| self.document.steps.get(*n))
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
