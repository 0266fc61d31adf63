//! What the pages may ask the shell: each command once, with its answer.

use super::{
    CachePolicy, Comparison, Completions, Connection, ConnectorForm, DecisionResult, Draft, Loaded,
    OutboxItem, Review, SessionView, Settings, Withdrawn,
};
use crate::{
    api::{
        Page,
        absences::{Absence, NewAbsence},
        approvals::{Approval, NewDecision, NewHandover, Scope},
        auth::PasswordChange,
        calendars::{ImportedHolidays, StoredCalendar},
        connectors::{
            Connector, ConnectorCall, ConnectorChecked, ConnectorOperation, ConnectorPreview, OperationTried,
        },
        executions::{Execution, ExecutionDetail, ExecutionQuery, TraceTree},
        invitations::Invitation,
        notices::Notice,
        preferences::NotificationPreferences,
        roles::Role,
        rules::{RuleSummary, RuleTried, StoredRule},
        secrets::SecretName,
        webhooks::{Webhook, WebhookSecretShown},
        workflows::{Activity, Workflow, WorkflowSummary},
    },
    ids::{AbsenceId, ApprovalId, InvitationId},
    workflow::calendar::Calendar,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// Something that a page asks of the shell.
pub trait Command: Serialize + DeserializeOwned + Send + 'static {
    /// Its name on the way.
    const NAME: &'static str;

    /// What the shell answers.
    type Answer: Serialize + DeserializeOwned + Send;
}

/// Defines the commands, and a macro that hands all of them to another macro: `for_each_command!(then)` is
/// `then! { ReadSession SignIn … }`.
macro_rules! commands {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $kind:ty),* } => $answer:ty;)*) => {
        $(
            $(#[$doc])*
            #[derive(Serialize, Deserialize)]
            #[expect(clippy::allow_attributes, reason = "a command without fields has none to document")]
            #[allow(missing_docs, reason = "the command's own line says what they are")]
            pub struct $name {
                $(pub $field: $kind,)*
            }

            impl Command for $name {
                const NAME: &'static str = stringify!($name);
                type Answer = $answer;
            }
        )*

        /// Hands the names of all commands to a macro.
        #[macro_export]
        macro_rules! for_each_command {
            ($then:ident) => {
                $then! { $($name)* }
            };
        }
    };
}

commands! {
    /// Who is signed in.
    ReadSession {} => SessionView;
    /// Signs in to a server; the workspace is named where the person belongs to several.
    SignIn { server: String, email: String, password: String, workspace: Option<String> } => SessionView;
    /// Signs out; what waits in the Outbox stays.
    SignOut {} => ();
    /// Answers whether to close the window although decisions wait.
    Leave { really: bool } => ();
    /// Changes the own password.
    ChangePassword { change: PasswordChange } => ();
    /// The roles of the workspace, as it calls them.
    ListRoles { policy: CachePolicy } => Loaded<Page<Role>>;
    /// The settings of this machine.
    ReadSettings {} => Settings;
    /// Changes the settings of this machine.
    KeepSettings { settings: Settings } => ();
    /// How the line to the server stands.
    ReadConnection {} => Connection;
    /// How whoever is signed in wants to be told.
    ReadPreferences { policy: CachePolicy } => Loaded<NotificationPreferences>;
    /// Says how whoever is signed in wants to be told.
    KeepPreferences { preferences: NotificationPreferences } => NotificationPreferences;
    /// The invitations of whoever is signed in.
    ListInvitations { policy: CachePolicy } => Loaded<Page<Invitation>>;
    /// Accepts or declines an invitation.
    AnswerInvitation { id: InvitationId, accept: bool } => ();
    /// Every request that waits for whoever is signed in.
    ListWaiting { policy: CachePolicy } => Loaded<Vec<Approval>>;
    /// The requests of one tab of the Inbox; of those that are decided, the newest.
    ListRequests { scope: Scope, policy: CachePolicy } => Loaded<Vec<Approval>>;
    /// Hands the own place in a request to another.
    HandOver { id: ApprovalId, title: String, handover: NewHandover } => DecisionResult;
    /// Puts a request off until a time, or no longer; kept in the Outbox until the server answers, as handing over is.
    SnoozeRequest { id: ApprovalId, title: String, until: Option<DateTime<Utc>> } => DecisionResult;
    /// The own absences, or those of everybody.
    ListAbsences { everybody: bool, policy: CachePolicy } => Loaded<Page<Absence>>;
    /// Enters an absence.
    EnterAbsence { absence: NewAbsence } => Absence;
    /// Deletes an absence.
    DeleteAbsence { id: AbsenceId } => ();
    /// The calendars of the workspace.
    ListCalendars { policy: CachePolicy } => Loaded<Page<StoredCalendar>>;
    /// Sets a calendar.
    SetCalendar { calendar: Calendar } => StoredCalendar;
    /// Deletes a calendar.
    DeleteCalendar { name: String } => ();
    /// Takes the holidays of an iCalendar file into a calendar.
    ImportHolidays { name: String, file: String } => ImportedHolidays;
    /// One request.
    ReadApproval { id: ApprovalId, policy: CachePolicy } => Loaded<Approval>;
    /// Decides a request; kept in the Outbox until the server answers. One that can be undone is sent some seconds later.
    DecideApproval { id: ApprovalId, title: String, decision: NewDecision, can_undo: bool } => DecisionResult;
    /// Takes back the decision of a request that can still be undone.
    UndoDecision { id: ApprovalId } => Withdrawn;
    /// The Outbox.
    ListOutbox {} => Vec<OutboxItem>;
    /// Sends what waits in the Outbox now.
    RetryOutbox {} => ();
    /// Takes a decision out of the Outbox.
    WithdrawQueued { id: String } => Withdrawn;
    /// Writes a decision that this version can't read into the folder of downloads; the path of the file.
    ExportQueued { id: String } => String;
    /// The messages to whoever is signed in.
    ListNotices { policy: CachePolicy } => Loaded<Page<Notice>>;
    /// Marks a message as read.
    MarkNoticeRead { id: String } => ();
    /// Says which request's card is in front; it needs no notification.
    SetInFront { id: Option<String> } => ();
    /// A page of runs.
    ListRuns { query: ExecutionQuery, policy: CachePolicy } => Loaded<Page<Execution>>;
    /// One run with its trace.
    ReadRun { id: String, policy: CachePolicy } => Loaded<ExecutionDetail>;
    /// The trace of a run as a tree, with so many items of each loop.
    ReadRunTree { id: String, items: u32, policy: CachePolicy } => Loaded<TraceTree>;
    /// Cancels a run.
    CancelRun { id: String, reason: Option<String> } => Execution;
    /// The workflows of the workspace.
    ListWorkflows { policy: CachePolicy } => Loaded<Page<WorkflowSummary>>;
    /// One workflow as it was published last.
    ReadWorkflow { id: String, policy: CachePolicy } => Loaded<Workflow>;
    /// What each step of a workflow did lately.
    ReadActivity { id: String, policy: CachePolicy } => Loaded<Activity>;
    /// Turns a workflow on or off.
    SetWorkflowEnabled { id: String, enabled: bool } => Workflow;
    /// Starts a run by hand.
    StartWorkflow { id: String, input: Map<String, Value> } => Execution;
    /// Archives a workflow.
    ArchiveWorkflow { id: String, etag: String } => ();
    /// The webhook of a workflow.
    ReadWebhook { id: String, policy: CachePolicy } => Loaded<Webhook>;
    /// Adds a secret to a webhook; it is made where none is given.
    AddWebhookSecret { id: String, value: Option<String> } => WebhookSecretShown;
    /// Revokes a secret of a webhook.
    RevokeWebhookSecret { id: String, secret: String } => ();
    /// The connectors of the workspace.
    ListConnectors { policy: CachePolicy } => Loaded<Page<Connector>>;
    /// The current revision of a connector, with its health and what uses it.
    ReadConnector { name: String, policy: CachePolicy } => Loaded<Connector>;
    /// All operations of a revision of a connector.
    ListOperations { name: String, revision: i32, policy: CachePolicy } => Loaded<Vec<ConnectorOperation>>;
    /// The last calls of a connector.
    ListConnectorCalls { name: String, policy: CachePolicy } => Loaded<Page<ConnectorCall>>;
    /// Asks whether a connector's system answers, and lets us in.
    CheckConnector { name: String } => ConnectorChecked;
    /// Calls an operation of a connector.
    TryOperation { name: String, operation: String, input: Map<String, Value> } => OperationTried;
    /// Says what writing a connector would change.
    PreviewConnector { form: ConnectorForm } => ConnectorPreview;
    /// Writes a connector; without `base` it is a new one.
    SaveConnector { form: ConnectorForm, base: Option<String> } => Connector;
    /// Forgets what was loaded through a connector.
    PurgeConnector { name: String } => ();
    /// Deletes a connector.
    DeleteConnector { name: String } => ();
    /// The names of the workspace's secrets.
    ListSecrets { policy: CachePolicy } => Loaded<Page<SecretName>>;
    /// Sets a secret.
    SetSecret { name: String, value: String } => ();
    /// What can stand at a place of a workflow's text.
    CompleteWorkflow { text: String, at: usize } => Option<Completions>;
    /// The stored rules.
    ListRules { policy: CachePolicy } => Loaded<Page<RuleSummary>>;
    /// One stored rule.
    ReadRule { id: String, policy: CachePolicy } => Loaded<StoredRule>;
    /// Writes a version of a rule over the one with the etag `base`, or a new rule.
    SaveRule { id: Option<String>, text: String, base: Option<String> } => StoredRule;
    /// Deletes a rule that nobody asks.
    DeleteRule { id: String, etag: String } => ();
    /// Tries a rule with a payload.
    TryRule { text: String, payload: String } => RuleTried;
    /// Checks a document on this machine.
    ReviewWorkflow { text: String } => Review;
    /// What I and they made of the revision that mine began from, and both together.
    CompareWorkflow { id: String, revision: i32, mine: String, theirs: String } => Comparison;
    /// Simulates a run of a document on this machine.
    TryWorkflow { text: String, event: String, script: String } => Value;
    /// The draft of a workflow.
    ReadDraft { id: String } => Option<Draft>;
    /// Keeps a draft on this machine.
    KeepDraft { id: String, text: String, base: Option<String> } => ();
    /// Discards a draft.
    DropDraft { id: String } => ();
    /// Publishes a revision over the one with the etag `base`, or a new workflow.
    SaveWorkflow { id: Option<String>, text: String, base: Option<String> } => Workflow;
}
