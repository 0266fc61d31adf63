//! The one place where failures become problem details.

use crate::{
    engine::{ApplyError, IntakeError},
    reviews::NotReviewed,
    store::StoreError,
};
use axum::{
    http::{HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use shared_types::{
    api::problem::{Code, Problem},
    approval::{
        handover::HandoverRefused,
        policy::{CannotDecide, DecisionRefused},
    },
    machine::InputError,
    workflow::{Finding, finding::escape_segment},
};
use std::any::Any;

/// A failure on its way to the client.
#[derive(Debug)]
pub struct ApiError {
    problem: Box<Problem>,
    retry_after: Option<u64>,
}

/// What a handler gives.
pub(super) type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    /// A failure with what happened here.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Problem::new(code, detail).into()
    }

    /// It isn't there, or it is another workspace's: the same words for both.
    pub fn not_found() -> Self {
        Self::new(Code::NotFound, "There is nothing at this address, or it isn't yours.")
    }

    /// The same, to be tried again after some seconds.
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The problem, where it stands among others in an answer.
    pub(super) fn into_problem(self) -> Problem {
        *self.problem
    }

    /// After how many seconds it may be tried again, where that is known.
    pub(super) fn seconds_to_wait(&self) -> Option<u64> {
        self.retry_after
    }

    /// The problem itself.
    pub fn problem(&self) -> &Problem {
        &self.problem
    }
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        Self { problem: Box::new(problem), retry_after: None }
    }
}

/// What a constraint's name means to a client.
fn constraint_code(constraint: &str) -> Option<(Code, &'static str)> {
    match constraint {
        "users_email_key" => Some((Code::EmailTaken, "There is a person with this email.")),
        "memberships_pkey" => Some((Code::EmailTaken, "This person belongs to the workspace already.")),
        "workflow_revisions_pkey" | "workflows_pkey" => {
            Some((Code::PreconditionFailed, "Somebody else published at the same moment; read it again."))
        }
        _ => None,
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        if error.is_unreachable() {
            tracing::warn!(%error, "a request met no database");
            let detail = "The database can't be reached; nothing was changed. It is tried again by itself.";
            return Self::new(Code::DatabaseGone, detail).retry_after(2);
        }
        if let Some((code, detail)) = error.constraint().and_then(constraint_code) {
            return Self::new(code, detail);
        }
        tracing::error!(%error, "a request failed");
        Self::new(Code::Internal, "The server could not do this; what went wrong is in its log.")
    }
}

impl From<sqlx::Error> for ApiError {
    fn from(error: sqlx::Error) -> Self {
        StoreError::from(error).into()
    }
}

impl From<NotReviewed> for ApiError {
    fn from(error: NotReviewed) -> Self {
        let detail = match error {
            NotReviewed::Full => {
                "The server checks as many documents as it can at once; send this one again in a moment."
            }
            NotReviewed::Late => {
                "Checking this took longer than 10 seconds. Send it again in a moment, or make the document smaller."
            }
            NotReviewed::Failed => {
                return Self::new(
                    Code::Internal,
                    "The server could not do this; what went wrong is in its log.",
                );
            }
        };
        Self::new(Code::ReviewsBusy, detail).retry_after(5)
    }
}

impl From<ApplyError> for ApiError {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::NoRun => Self::not_found(),
            ApplyError::Refused(InputError::Ended) => {
                Self::new(Code::ExecutionEnded, "The run has ended; it can't be changed.")
            }
            ApplyError::Refused(InputError::NotExpected | InputError::Started) => {
                Self::new(Code::ApprovalClosed, "The run doesn't wait for this any more.")
            }
            ApplyError::Refused(InputError::Decision(why)) => why.into(),
            ApplyError::Refused(InputError::Handover(why)) => why.into(),
            ApplyError::Store(error) => error.into(),
            ApplyError::Contended | ApplyError::Fenced | ApplyError::Outclaimed => {
                Self::new(Code::DatabaseGone, "Too many requests change this run at once; try again.")
                    .retry_after(1)
            }
        }
    }
}

impl From<DecisionRefused> for ApiError {
    fn from(refused: DecisionRefused) -> Self {
        match refused {
            DecisionRefused::CannotDecide(CannotDecide::Closed) => {
                Self::new(Code::ApprovalClosed, "It isn't open any more.")
            }
            DecisionRefused::CannotDecide(why @ CannotDecide::Decided { .. }) => {
                Self::new(Code::AlreadyDecided, format!("{why}."))
            }
            DecisionRefused::CannotDecide(why) => Self::new(Code::NotAsked, format!("{why}.")),
            DecisionRefused::LevelClosed { .. } => Self::new(Code::LevelClosed, format!("{refused}.")),
            DecisionRefused::NothingToRetract => Self::new(Code::NothingToRetract, format!("{refused}.")),
            DecisionRefused::EditsMisplaced => Self::new(
                Code::FieldBad,
                "`edits` belong to the decision `approve_with_edits`, which needs at least one.",
            ),
            DecisionRefused::Form(ref faults) => {
                let findings = faults.iter().map(|fault| {
                    let pointer = format!("/edits/{}", escape_segment(&fault.field));
                    Finding::error("approval.form", pointer, fault.to_string())
                });
                Problem::new(Code::FormBad, format!("{refused}")).with_findings(findings.collect()).into()
            }
            DecisionRefused::CommentNeeded => {
                Self::new(Code::CommentNeeded, "`comment`: say why, in a few words.")
            }
            DecisionRefused::NoForm => {
                Self::new(Code::EditsUnsupported, "This request has no form, so nothing can be edited.")
            }
            DecisionRefused::Changed => Self::new(
                Code::ApprovalChanged,
                "What is asked has changed since you read it; look at it again.",
            ),
        }
    }
}

impl From<HandoverRefused> for ApiError {
    fn from(refused: HandoverRefused) -> Self {
        let said = format!("{refused}.");
        match refused {
            HandoverRefused::Sender(CannotDecide::Closed) => Self::new(Code::ApprovalClosed, said),
            HandoverRefused::Sender(why) => DecisionRefused::from(why).into(),
            HandoverRefused::ToOneself | HandoverRefused::NoMember => {
                Self::new(Code::FieldBad, format!("`to`: {said}"))
            }
            HandoverRefused::Barred { .. } => Self::new(Code::NotHandedOver, said),
        }
    }
}

impl From<IntakeError> for ApiError {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::IdReused => Self::new(
                Code::EventIdReused,
                "An event with this id and other content was sent before; take a new id.",
            ),
            IntakeError::NotEnabled => {
                Self::new(Code::WorkflowDisabled, "The workflow is disabled; enable it first.")
            }
            IntakeError::Unsettled => {
                Self::new(Code::DatabaseGone, "The workspace's workflows change too fast; try again.")
                    .retry_after(1)
            }
            IntakeError::Store(error) => error.into(),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self.problem).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// A failure that a library answered in words of its own, as a problem; other answers stay as they are.
pub(super) fn as_problem(response: Response) -> Response {
    let status = response.status();
    // A problem is one already, and a page says it to people.
    let kind = response.headers().get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let is_ours = [&b"application/problem+json"[..], b"text/html"].iter().any(|own| kind.starts_with(own));
    if is_ours || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (code, detail) = match status {
        StatusCode::NOT_FOUND => (Code::NotFound, "There is nothing at this address."),
        StatusCode::METHOD_NOT_ALLOWED => (Code::MethodNotAllowed, "The path has no such method."),
        StatusCode::PAYLOAD_TOO_LARGE => (Code::BodyTooLarge, "The body is too large."),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => (Code::BodyType, "The body's Content-Type isn't taken."),
        status if status.is_server_error() => {
            (Code::Internal, "The server could not do this; what went wrong is in its log.")
        }
        _ => (Code::RequestBad, "The request can't be read; /docs says what is expected."),
    };
    let mut problem = ApiError::new(code, detail).problem.as_ref().clone();
    problem.status = status.as_u16();
    let mut answer = ApiError::from(problem).into_response();
    for (name, value) in response.headers() {
        if name != header::CONTENT_TYPE
            && name != header::CONTENT_LENGTH
            && !answer.headers().contains_key(name)
        {
            answer.headers_mut().append(name, value.clone());
        }
    }
    answer
}

pub(super) async fn unknown_path(uri: Uri) -> ApiError {
    ApiError::new(Code::PathUnknown, format!("There is no path {}; /docs lists what there is.", uri.path()))
}

pub(super) async fn unknown_method(uri: Uri) -> ApiError {
    ApiError::new(
        Code::MethodNotAllowed,
        format!("{} has no such method; /docs lists what there is.", uri.path()),
    )
}

#[expect(clippy::needless_pass_by_value, reason = "the layer hands a panic over by value")]
pub(super) fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let what = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let what = what.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    tracing::error!(panic = %what, "a handler panicked");
    ApiError::new(Code::Internal, "The server could not do this; what went wrong is in its log.")
        .into_response()
}
