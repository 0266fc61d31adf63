//! Why steps and runs fail.

use super::texts::{MAX_REASON, shortened};
use crate::{ids::StepId, workflow::template::TemplateError};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// What went wrong in a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunError {
    /// At which step; null where it was none's fault: an amount that can't be read, or what is stored of the run.
    #[serde(default, deserialize_with = "step_at_fault")]
    pub step: Option<StepId>,
    /// The stable code.
    pub code: String,
    /// A sentence for people.
    pub message: String,
}

/// Why a step failed.
pub(super) struct Failure {
    pub(super) code: String,
    pub(super) message: String,
}

impl Failure {
    pub(super) fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: shortened(message.into(), MAX_REASON) }
    }

    /// A failure that is no step's.
    pub(super) fn of_no_step(self) -> RunError {
        RunError { step: None, code: self.code, message: self.message }
    }

    pub(super) fn at(self, step: &StepId) -> RunError {
        RunError { step: Some(step.clone()), ..self.of_no_step() }
    }
}

impl From<TemplateError> for Failure {
    fn from(error: TemplateError) -> Self {
        Self::new(error.code(), format!("{error}."))
    }
}

/// A text that has at most so many characters.
pub(super) fn fitting(text: String, what: &str, most: usize) -> Result<String, Failure> {
    let length = text.chars().count();
    if length <= most {
        return Ok(text);
    }
    let message = format!("{what} has {length} characters, and may have {most}.");
    Err(Failure::new("value.too_long", message))
}

/// Reads a step's id. An empty one stood for no step before it could be left out.
fn step_at_fault<'de, D: Deserializer<'de>>(from: D) -> Result<Option<StepId>, D::Error> {
    Ok(Option::<StepId>::deserialize(from)?.filter(|step| !step.0.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::fitting;

    #[test]
    fn a_text_that_must_not_be_cut_fails_when_it_is_too_long() {
        assert!(fitting("åäö".to_owned(), "entity_id", 3).is_ok());
        assert!(fitting("åäöü".to_owned(), "entity_id", 3).is_err());
    }
}
