//! Why a workflow isn't published, as problem details.

use crate::{
    http::{body, problem::ApiError},
    publishing::{PublishError, ReviewError},
    store::{workflows, workflows::StoredWorkflow},
};
use serde_json::json;
use shared_types::{
    api::problem::{Code, Problem},
    workflow::{Finding, Severity},
};

impl From<ReviewError> for ApiError {
    fn from(error: ReviewError) -> Self {
        match error {
            ReviewError::NotReviewed(error) => error.into(),
            ReviewError::Store(error) => error.into(),
        }
    }
}

impl From<PublishError> for ApiError {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Invalid(findings) => invalid(findings),
            PublishError::Unsupported(findings) => {
                let detail = findings.first().map(|first| first.message.clone()).unwrap_or_default();
                Problem::new(Code::WorkflowUnsupported, detail).with_findings(findings).into()
            }
            PublishError::NotFound => Self::not_found(),
            PublishError::IdTaken(id) => {
                let detail = format!("There is a workflow {id}; PUT publishes a new revision of it.");
                Self::new(Code::WorkflowExists, detail)
            }
            PublishError::NotNew(known) => changed(&known, "There is a workflow with this id."),
            PublishError::Changed(known) => {
                let revision = known.newest;
                changed(
                    &known,
                    &format!("Revision {revision} was published meanwhile; read it, then send yours again."),
                )
            }
            PublishError::NotReviewed(error) => error.into(),
            PublishError::Store(error) => error.into(),
        }
    }
}

/// A document with errors: the first of them, and how many more there are.
fn invalid(findings: Vec<Finding>) -> ApiError {
    if findings.iter().any(|finding| finding.code == "text.zero") {
        return body::refused(findings);
    }
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
    let first = errors.clone().next().map(|finding| finding.message.clone()).unwrap_or_default();
    let detail = match errors.count() {
        0 | 1 => first,
        count => format!("{first} And {} more.", count - 1),
    };
    Problem::new(Code::DocumentBad, detail).with_findings(findings).into()
}

/// Who changed what, for a person whose copy is old.
fn changed(known: &StoredWorkflow, detail: &str) -> ApiError {
    let detail = format!(
        "{detail} It was published by {} at {}.",
        known.created_by,
        known.created_at.format("%Y-%m-%d %H:%M UTC")
    );
    let changed = json!({
        "revision": known.newest, "etag": workflows::etag(known.newest),
        "by": known.created_by, "at": known.created_at, "source": known.source,
    });
    Problem::new(Code::PreconditionFailed, detail).with("changed", changed).into()
}
