//! What the desktop's pages and its shell say to each other.

pub mod commands;
pub mod keys;

use crate::{
    api::{
        approvals::{Approval, NewDecision, NewHandover},
        auth::SignedIn,
        live::LiveKind,
        problem::Problem,
    },
    ids::ApprovalId,
    machine::ladder::LadderLevel,
    workflow::Finding,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

/// Something read, with its age.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Loaded<T> {
    /// What was read.
    pub data: T,
    /// When it came from the server.
    pub at: DateTime<Utc>,
    /// Whether it came just now; else it is what was last seen, because the server doesn't answer.
    pub fresh: bool,
}

/// Why the shell could not do something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Failure {
    /// The server refused.
    Refused(Box<Problem>),
    /// The server doesn't answer.
    Offline,
    /// Nobody is signed in.
    SignedOut,
    /// The person didn't want to wait any longer.
    Cancelled,
    /// What the person wrote can't be used: what is wrong, where, and what helps.
    Input(String),
    /// The shell itself failed.
    Shell(String),
}

impl Failure {
    /// In words for people; with a code to report where it is a fault of the server or the app.
    pub fn words(&self) -> String {
        match self {
            Self::Refused(problem) if problem.status >= 500 => {
                format!("{} (IW-{})", problem.detail, problem.status)
            }
            Self::Refused(problem) => problem.detail.clone(),
            Self::Offline => "The server doesn't answer. (IW-503)".to_owned(),
            Self::SignedOut => "You are signed out.".to_owned(),
            Self::Cancelled => "It was cancelled.".to_owned(),
            Self::Input(what) => what.clone(),
            Self::Shell(what) => format!("{what} (IW-500)"),
        }
    }

    /// What the server found in what it was sent.
    pub fn findings(&self) -> &[Finding] {
        match self {
            Self::Refused(problem) => &problem.findings,
            Self::Offline | Self::SignedOut | Self::Cancelled | Self::Input(_) | Self::Shell(_) => &[],
        }
    }
}

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum SessionView {
    /// Nobody yet: the last session is being looked for.
    Opening,
    /// Nobody yet: what was kept of the last session is in a keyring that waits for its prompt.
    KeyringLocked {
        /// The server that was last used.
        server: String,
    },
    /// Nobody.
    SignedOut {
        /// The server that was last used.
        server: String,
        /// Why the last session ended, if not by choice.
        because: Option<String>,
    },
    /// Somebody.
    SignedIn {
        /// The server.
        server: String,
        /// The person.
        user: SignedIn,
        /// Whether it lasts over a restart; without a keyring it doesn't.
        lasting: bool,
    },
}

/// A workflow that is being edited, kept until it is saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// The text.
    pub text: String,
    /// The etag of the revision that it began from; nothing for a new workflow.
    pub base: Option<String>,
    /// When it was last changed.
    pub at: DateTime<Utc>,
}

/// What two people made of one text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// What I changed.
    pub mine: Vec<ComparedLine>,
    /// What they changed.
    pub theirs: Vec<ComparedLine>,
    /// The text with the changes of both.
    pub both: Merged,
}

/// Two changed texts as one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Merged {
    /// No line was changed by both.
    Clean(String),
    /// Where both changed the same lines, both stand in the text, marked.
    Marked(String),
}

/// A line of a text that is laid against the one it was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComparedLine {
    /// Whose it is.
    pub of: LineOf,
    /// What it says.
    pub text: String,
}

/// Whose a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LineOf {
    /// In both.
    Both,
    /// Of the text before.
    Before,
    /// Of the text after.
    After,
    /// Lines of both that are left out here.
    Gap,
}

/// What the checks say of a text, and what its mendings would make of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Review {
    /// Everything found, with the text that a fix gives where it can be applied.
    pub findings: Vec<(Finding, Option<String>)>,
    /// An event to try it with, as JSON, where the text makes a document.
    pub sample: Option<String>,
    /// When those whom it asks would be reminded, escalated and out of time, if they were asked now.
    pub ladder: Vec<LadderLevel>,
}

/// A connector as its page writes it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ConnectorForm {
    /// The name by which workflows know it.
    pub name: String,
    /// What the fields of the form say: `kind`, `settings`, `auth`, `limits`.
    pub fields: Map<String, Value>,
    /// What else it has, as JSON or YAML: `operations`, `entities`, `loads`.
    pub more: String,
    /// The document that is imported, as it was given; none where the known one stays.
    pub document: Option<String>,
}

/// What can stand at a place of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completions {
    /// Where the word begins that is completed, in UTF-16 units from the text's beginning.
    pub from: usize,
    /// What can stand there.
    pub options: Vec<Completion>,
    /// Whether these are all, whatever is typed; else they are to be asked for anew with each letter.
    pub is_whole: bool,
}

/// A word that can stand at a place of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completion {
    /// The name or value that is offered, as its owner wrote it: without quotes and escapes.
    pub label: String,
    /// What it is, in a few words; empty where nobody said.
    pub detail: String,
    /// What is written; the word itself where it is the same.
    pub apply: String,
}

/// How long a page waits for what it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CachePolicy {
    /// What was last seen will do, where the answer doesn't come at once.
    CacheFirst,
    /// The answer is waited for.
    NetworkOnly,
}

/// How the line to the server stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Connection {
    /// What changes arrives as it changes.
    Live,
    /// The line broke a moment ago.
    Reconnecting,
    /// The server doesn't answer.
    Offline {
        /// The time of the last answer, in UTC.
        since: DateTime<Utc>,
    },
}

/// A decision on its way to the server, or what else is done with a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QueuedDecision {
    /// Its id, and its `Idempotency-Key`.
    pub id: Uuid,
    /// Id of the request.
    pub approval_id: ApprovalId,
    /// What it is about.
    pub title: String,
    /// What the server is asked.
    #[serde(flatten)]
    pub asks: QueuedRequest,
    /// When it was decided, by this machine's clock.
    pub decided_at: DateTime<Utc>,
    /// Until when it can be undone; it isn't sent before, unless the app is closed or something else is decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo_until: Option<DateTime<Utc>>,
    /// How it stands.
    pub state: QueuedDecisionState,
}

/// What the server is asked by what is queued.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueuedRequest {
    /// To record a decision.
    Decision(NewDecision),
    /// To give the own place to another.
    HandOver(NewHandover),
    /// To put the request off for this person, or no longer.
    Snooze {
        /// The end of the snooze, in UTC; none ends it now.
        until: Option<DateTime<Utc>>,
    },
}

/// How long a decision can be undone, in seconds.
pub const UNDO_SECONDS: u32 = 5;

/// How a decision on its way stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum QueuedDecisionState {
    /// It waits for the server: not yet recorded.
    Queued,
    /// It is being sent.
    Sending,
    /// The server has recorded it.
    Recorded {
        /// When it happened, in UTC.
        at: DateTime<Utc>,
    },
    /// The server refused it: what happened, and what was written is kept.
    #[serde(rename = "Lost")]
    Rejected {
        /// Why the server refused it.
        problem: Box<Problem>,
    },
}

impl QueuedDecisionState {
    /// Whether it is still to reach the server.
    pub fn waits(&self) -> bool {
        matches!(self, Self::Queued | Self::Sending)
    }
}

/// What the Outbox holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum OutboxItem {
    /// A decision of whoever is signed in.
    Own(QueuedDecision),
    /// One of somebody else, or of the same person on another server: it waits until she signs in there.
    OfAnother {
        /// Her name; empty where it isn't known.
        person: String,
        /// The server's address.
        server: String,
        /// When it was decided.
        decided_at: Option<DateTime<Utc>>,
    },
    /// One that this version can't read. It is kept, and not sent.
    Unreadable {
        /// Its id.
        id: String,
        /// When it was decided.
        decided_at: Option<DateTime<Utc>>,
        /// As it is kept.
        text: String,
    },
}

impl OutboxItem {
    /// The decision, where it is one of whoever is signed in.
    pub fn own(&self) -> Option<&QueuedDecision> {
        match self {
            Self::Own(item) => Some(item),
            Self::OfAnother { .. } | Self::Unreadable { .. } => None,
        }
    }
}

/// What taking a decision out of the Outbox came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Withdrawn {
    /// It is sent no more. Where the server hung when it was sent before, that may have been recorded.
    Gone,
    /// The server had recorded it before.
    RecordedBefore {
        /// When it happened, in UTC.
        at: DateTime<Utc>,
    },
    /// It wasn't there any more.
    NotThere,
}

/// What became of a decision at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum DecisionResult {
    /// The server has recorded it.
    Recorded(Box<Approval>),
    /// It is kept in the Outbox until the server answers.
    Queued(QueuedDecision),
    /// The server refused it.
    Rejected(QueuedDecision),
    /// It was undone before it was sent.
    Undone,
}

/// The person's settings on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Light or dark.
    pub theme: Theme,
    /// Whether the system's notifications are raised.
    pub notifications: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { theme: Theme::System, notifications: true }
    }
}

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Theme {
    /// As the system has it.
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// What the shell tells the pages unasked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ShellEvent {
    /// The line to the server changed.
    Connection(Connection),
    /// Something changed on the server.
    Changed {
        /// What kind of thing.
        kind: LiveKind,
        /// The id of the thing.
        id: String,
    },
    /// The Outbox changed.
    Outbox,
    /// Somebody signed in, or was signed out.
    Session(SessionView),
    /// Open a page: a notification was clicked, or a link was followed.
    Open(String),
    /// The window is to be closed while this many decisions wait for the server: the person is asked.
    Leaving(usize),
}

/// The event under which the shell tells.
pub const SHELL_EVENT: &str = "shell-event";
