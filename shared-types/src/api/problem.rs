//! Problem details (RFC 9457): the one shape of every error.

use crate::workflow::Finding;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// An error as clients get it, `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// `urn:iw:problem:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The code in words, the same for every problem of its kind.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened here, and what to do about it.
    pub detail: String,
    /// Stable, for programs.
    pub code: String,
    /// What is wrong in a document or body.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// What else this kind of problem tells.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal, $title:literal;)*) => {
        /// Every code that the API answers with, and its status.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $title] $(#[$doc])* $name,)* }

        impl Code {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code as sent.
            pub fn as_str(self) -> &'static str { match self { $(Self::$name => $code,)* } }
            /// The HTTP status.
            pub fn status(self) -> u16 { match self { $(Self::$name => $status,)* } }
            /// The code in words.
            pub fn title(self) -> &'static str { match self { $(Self::$name => $title,)* } }
        }
    };
}

codes! {
    BodyUnreadable = "body.unreadable", 422, "The body can't be read";
    BodyType = "body.type", 415, "The body's Content-Type isn't taken";
    BodySlow = "body.slow", 408, "The body took too long";
    BodyTooLarge = "body.too_large", 413, "The body is too large";
    QueryUnreadable = "query.unreadable", 422, "A query parameter is wrong";
    CursorBad = "cursor.bad", 422, "The cursor is wrong";
    HeaderBad = "header.bad", 422, "A header is wrong";
    RequestBad = "request.bad", 400, "The request can't be read";
    PathUnknown = "path.unknown", 404, "There is no such path";
    MethodNotAllowed = "method.not_allowed", 405, "The path has no such method";
    NotFound = "not_found", 404, "Not found";
    Unauthenticated = "auth.required", 401, "Sign in first";
    TokenExpired = "auth.expired", 401, "The token has expired";
    WrongPassword = "auth.wrong", 401, "Email and password don't match";
    RefreshReused = "auth.reused", 401, "The refresh token was used before";
    WorkspaceNeeded = "auth.workspace_needed", 422, "Say which workspace";
    Forbidden = "auth.forbidden", 403, "The permission is missing";
    TooMany = "limit.rate", 429, "Too many tries";
    TooManySockets = "limit.sockets", 429, "Too many live connections are open";
    DatabaseGone = "server.no_database", 503, "The database can't be reached";
    ReviewsBusy = "server.busy", 503, "The server is busy checking documents";
    Internal = "server.failed", 500, "The server failed";
    IdempotencyReused = "idempotency.reused", 409, "The Idempotency-Key was used with another body";
    DocumentBad = "workflow.invalid", 422, "The workflow has errors";
    WorkflowExists = "workflow.exists", 409, "There is a workflow with this id";
    WorkflowUnsupported = "workflow.unsupported", 409, "The workflow has parts that this server can't run";
    WorkflowNotManual = "workflow.not_manual", 409, "The workflow isn't started by hand";
    WorkflowDisabled = "workflow.disabled", 409, "The workflow is disabled";
    WorkflowIdDiffers = "workflow.id_differs", 422, "The document is of another workflow";
    PreconditionNeeded = "precondition.needed", 428, "If-Match is missing";
    PreconditionFailed = "precondition.failed", 412, "It has changed since it was read";
    RuleBad = "rule.invalid", 422, "The rule has errors";
    RuleExists = "rule.exists", 409, "There is a rule with this id";
    RuleIdDiffers = "rule.id_differs", 422, "The document is of another rule";
    RuleUsed = "rule.used", 409, "Workflows use the rule";
    InputBad = "input.invalid", 422, "The input isn't what the form asks for";
    EventIdReused = "event.id_reused", 409, "The event's id was used with other content";
    EventReserved = "event.reserved", 422, "The type is one of the server's own";
    EventIdTwice = "event.id_twice", 422, "The event has two ids";
    RequesterBad = "event.requester", 422, "Another requester can't be named";
    BatchTooLarge = "batch.too_large", 422, "The batch has too many events";
    SignatureBad = "webhook.signature", 401, "The signature is wrong";
    NotAWebhook = "workflow.no_webhook", 404, "The workflow has no webhook";
    SecretsTwo = "webhook.two_secrets", 409, "Two secrets are live";
    ExecutionEnded = "execution.ended", 409, "The run has ended";
    AlreadyDecided = "approval.already_decided", 409, "It was decided already";
    ApprovalClosed = "approval.closed", 409, "It isn't open any more";
    ApprovalChanged = "approval.changed", 409, "It has changed since it was read";
    LevelClosed = "approval.level_closed", 409, "The level isn't open";
    NotAsked = "approval.not_asked", 403, "You can't decide this";
    NotHandedOver = "approval.not_handed_over", 403, "It can't be handed to this person";
    FormBad = "approval.form", 422, "The form isn't filled in";
    NothingToRetract = "approval.nothing_to_retract", 409, "There is no decision to take back";
    CommentNeeded = "approval.comment_needed", 422, "A comment is needed";
    EditsUnsupported = "approval.no_form", 422, "Nothing can be edited here";
    FieldBad = "field.bad", 422, "A field is wrong";
    EmailTaken = "user.exists", 409, "There is a person with this email";
    LastAdmin = "user.last_admin", 409, "The workspace needs an administrator";
    CalendarBad = "calendar.invalid", 422, "The calendar has errors";
    CalendarUsed = "calendar.used", 409, "Workflows use the calendar";
    ConnectorBad = "connector.invalid", 422, "The connector has errors";
    ConnectorExists = "connector.exists", 409, "There is a connector with this name";
    ConnectorUsed = "connector.used", 409, "Workflows use the connector";
    ConnectorInputBad = "connector.input", 422, "The input isn't what the operation takes";
    HolidaysBad = "calendar.holidays", 422, "The holidays can't be read";
}

impl Problem {
    /// A problem with what happened here.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:iw:problem:{}", code.as_str()),
            title: code.title().to_owned(),
            status: code.status(),
            detail: detail.into(),
            code: code.as_str().to_owned(),
            findings: Vec::new(),
            more: Map::new(),
        }
    }

    /// The same with one more thing that it tells.
    #[must_use]
    pub fn with(mut self, key: &str, value: Value) -> Self {
        self.more.insert(key.to_owned(), value);
        self
    }

    /// The same with findings.
    #[must_use]
    pub fn with_findings(mut self, findings: Vec<Finding>) -> Self {
        self.findings = findings;
        self
    }
}
