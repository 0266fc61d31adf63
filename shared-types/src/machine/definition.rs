//! A document made ready to run.

use crate::{
    ids::StepId,
    workflow::{Document, step::Step},
};
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

    /// The step at which a run starts.
    pub(super) fn first(&self) -> Option<&StepId> {
        self.document.steps.first().map(|step| &step.id)
    }
}
