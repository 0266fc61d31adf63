//! Workflows on their way in: reviewed, published as revisions, turned on and off, archived. Whatever publishes comes
//! here, so that every revision has its rules pinned, its webhook's secret and its entry in the audit log.

mod levels;
mod operations;
mod reviewing;

pub use reviewing::ReviewError;

use crate::{
    audit::Actor,
    auth::seal::SecretKey,
    clock::Clock,
    connectors::Connectors,
    dispatch::{Dispatch, DispatchMessage},
    engine::{Engine, next_due_of},
    reviews::{NotReviewed, Reviews},
    store::{
        self, StoreError, audit,
        reviews::StoredReview,
        rules, webhooks, workflows,
        workflows::{NewRevision, StoredWorkflow},
    },
};
use serde_json::json;
use shared_types::{
    api::live::LiveKind,
    ids::{WorkflowId, WorkspaceId},
    machine::{review::blocking, supported::unsupported},
    workflow::{Checked, Document, Finding, Format, document::Trigger, rule::asked_rules},
};
use sqlx::{PgConnection, PgPool};
use std::collections::BTreeMap;

/// Reviews and publishes workflows; clones share it.
#[derive(Debug, Clone)]
pub struct Publishing {
    pool: PgPool,
    clock: Clock,
    reviews: Reviews,
    connectors: Connectors,
    mail: bool,
}

/// Why a workflow isn't published or changed.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The document has errors.
    #[error("the document has errors")]
    Invalid(Vec<Finding>),
    /// The document holds what this server can't run yet.
    #[error("the document holds what this server can't run yet")]
    Unsupported(Vec<Finding>),
    /// There is no such workflow.
    #[error("there is no such workflow")]
    NotFound,
    /// There is one with the id of what is created.
    #[error("there is a workflow {0}")]
    IdTaken(WorkflowId),
    /// There is one, and none was expected.
    #[error("there is a workflow with this id")]
    NotNew(Box<StoredWorkflow>),
    /// Another revision was published than the one that was expected.
    #[error("another revision was published meanwhile")]
    Changed(Box<StoredWorkflow>),
    /// It wasn't reviewed.
    #[error(transparent)]
    NotReviewed(#[from] NotReviewed),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ReviewError> for PublishError {
    fn from(error: ReviewError) -> Self {
        match error {
            ReviewError::NotReviewed(error) => error.into(),
            ReviewError::Store(error) => error.into(),
        }
    }
}

/// What whoever changes a workflow has read of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// Nothing: it is new.
    New,
    /// One of the revisions with these tags.
    OneOf(Vec<String>),
    /// Whatever is there.
    Any,
}

/// A text without errors, ready to be published.
#[derive(Debug)]
pub struct ValidDocument {
    /// The document.
    pub document: Document,
    /// What was found in it.
    pub checked: Checked,
    text: String,
    format: Format,
}

impl ValidDocument {
    /// Whether nothing keeps it from being run.
    fn is_runnable(&self) -> bool {
        blocking(&self.checked.findings).is_empty()
    }
}

/// The document, unless it has errors.
///
/// # Errors
/// The findings, where an error is among them.
pub fn require_valid(checked: &Checked) -> Result<Document, PublishError> {
    match &checked.document {
        Some(document) if !checked.has_errors() => Ok(document.clone()),
        Some(_) | None => Err(PublishError::Invalid(checked.findings.clone())),
    }
}

impl Publishing {
    /// What publishes into this database. `mail` says whether mail can be sent.
    pub fn new(pool: PgPool, clock: Clock, reviews: Reviews, connectors: Connectors, mail: bool) -> Self {
        Self { pool, clock, reviews, connectors, mail }
    }

    /// Reviews a text that is to be published.
    ///
    /// # Errors
    /// It has errors, or it could not be reviewed.
    pub async fn read(
        &self,
        workspace: WorkspaceId,
        text: String,
        format: Format,
    ) -> Result<ValidDocument, PublishError> {
        let checked = self.review(workspace, &text, format).await?;
        let document = require_valid(&checked)?;
        Ok(ValidDocument { document, checked, text, format })
    }

    /// A stored document that this server can run.
    ///
    /// # Errors
    /// It holds what this server can't run, can't be read any more, or there is no time to look.
    pub async fn runnable(
        &self,
        workspace: WorkspaceId,
        stored: &StoredWorkflow,
    ) -> Result<Document, PublishError> {
        let value = stored.document.clone();
        let read = self.reviews.run(workspace, move || {
            let document: Document = store::read("workflow_revisions", "document", value)?;
            let findings = unsupported(&document);
            store::Result::Ok((document, findings))
        });
        let (document, findings) = read.await??;
        if findings.is_empty() { Ok(document) } else { Err(PublishError::Unsupported(findings)) }
    }
}

/// Publishes a workflow that isn't there: a new one, or an archived one, which comes back with a new revision and its
/// history.
///
/// # Errors
/// There is one with this id, or the store failed.
pub async fn create(
    conn: &mut PgConnection,
    clock: &Clock,
    actor: &Actor,
    valid: &ValidDocument,
) -> Result<StoredWorkflow, PublishError> {
    let id = &valid.document.workflow_id;
    store::lock_workspace(conn, actor.workspace).await?;
    let revision = match workflows::find(conn, actor.workspace, id, None).await? {
        Some(known) if known.archived_at.is_none() => return Err(PublishError::IdTaken(known.workflow_id)),
        Some(known) => known.newest + 1,
        None => 1,
    };
    let enabled = valid.document.enabled && valid.is_runnable();
    publish(conn, clock, actor, revision, enabled, valid).await?;
    workflows::find(conn, actor.workspace, id, None).await?.ok_or(PublishError::NotFound)
}

/// Publishes a revision over the one that is expected, and gives its number.
///
/// # Errors
/// Something else is there than what is expected, or the store failed.
pub async fn replace(
    conn: &mut PgConnection,
    clock: &Clock,
    actor: &Actor,
    expected: &Expected,
    valid: &ValidDocument,
) -> Result<i32, PublishError> {
    let known = hold(conn, actor.workspace, &valid.document.workflow_id, expected).await?;
    let (revision, enabled) = match known {
        Some(known) => (known.newest + 1, known.enabled && valid.is_runnable()),
        None => (1, valid.document.enabled && valid.is_runnable()),
    };
    publish(conn, clock, actor, revision, enabled, valid).await?;
    Ok(revision)
}

/// Archives a workflow: it starts nothing any more, and isn't listed.
///
/// # Errors
/// Something else is there than what is expected, or the store failed.
pub async fn archive(
    conn: &mut PgConnection,
    clock: &Clock,
    actor: &Actor,
    id: &WorkflowId,
    expected: &Expected,
) -> Result<(), PublishError> {
    hold(conn, actor.workspace, id, expected).await?.ok_or(PublishError::NotFound)?;
    workflows::archive(conn, actor.workspace, id, clock.now()).await?;
    audit::insert(conn, &[&actor.entry(clock, "workflow.archived", id.as_str(), json!({}))]).await?;
    Ok(())
}

/// Turns a workflow on, given its document, or off.
///
/// # Errors
/// When the database fails.
pub async fn set_enabled(
    conn: &mut PgConnection,
    clock: &Clock,
    actor: &Actor,
    stored: &StoredWorkflow,
    document: Option<&Document>,
) -> store::Result<()> {
    let enabled = document.is_some();
    let next_due = document.and_then(|document| next_due_of(document, clock.now()));
    if let Some(document) = document {
        complete(conn, actor.workspace, stored, document).await?;
    }
    if workflows::set_enabled(conn, actor.workspace, &stored.workflow_id, enabled, next_due).await? {
        let action = if enabled { "workflow.enabled" } else { "workflow.disabled" };
        audit::insert(conn, &[&actor.entry(clock, action, stored.workflow_id.as_str(), json!({}))]).await?;
    }
    Ok(())
}

/// Tells the people who look at workflows, and the scheduler, once a change is committed.
pub fn tell_changed(dispatch: &Dispatch, engine: &Engine, workspace: WorkspaceId, id: &WorkflowId) {
    let kind = LiveKind::WorkflowChanged;
    dispatch.tell([DispatchMessage { workspace, kind, id: id.to_string(), to: None }]);
    engine.schedules_changed();
}

/// Holds a workflow until the transaction ends, and compares it with what is expected; `None` for a new one.
async fn hold(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: &WorkflowId,
    expected: &Expected,
) -> Result<Option<StoredWorkflow>, PublishError> {
    workflows::lock(conn, workspace, id).await?;
    let known = workflows::find(conn, workspace, id, None).await?;
    let known = known.filter(|known| known.archived_at.is_none());
    match (expected, known) {
        (Expected::New, None) => Ok(None),
        (Expected::New, Some(known)) => Err(PublishError::NotNew(Box::new(known))),
        (Expected::OneOf(_) | Expected::Any, None) => Err(PublishError::NotFound),
        (Expected::Any, Some(known)) => Ok(Some(known)),
        (Expected::OneOf(tags), Some(known)) => {
            if tags.contains(&workflows::etag(known.newest)) {
                Ok(Some(known))
            } else {
                Err(PublishError::Changed(Box::new(known)))
            }
        }
    }
}

async fn publish(
    conn: &mut PgConnection,
    clock: &Clock,
    actor: &Actor,
    revision: i32,
    enabled: bool,
    valid: &ValidDocument,
) -> store::Result<()> {
    let ValidDocument { document, checked, text, format } = valid;
    let at = clock.now();
    let new = NewRevision {
        revision,
        enabled,
        next_due: enabled.then(|| next_due_of(document, at)).flatten(),
        format: *format,
        source: text,
        value: &checked.value,
        document,
        rules: &pins(conn, actor.workspace, document).await?,
        review: &StoredReview::of(checked),
        by: &actor.name,
        at,
    };
    workflows::publish(conn, actor.workspace, &new).await?;
    if matches!(document.trigger, Trigger::Webhook { .. }) {
        webhooks::ensure(conn, actor.workspace, &document.workflow_id, &SecretKey::fresh_text()).await?;
    }
    let detail = json!({ "revision": revision, "enabled": enabled });
    audit::insert(conn, &[&actor.entry(clock, "workflow.published", document.workflow_id.as_str(), detail)])
        .await
}

/// What publishing gives a revision, for one that was published when it could not be given.
async fn complete(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    stored: &StoredWorkflow,
    document: &Document,
) -> store::Result<()> {
    if matches!(document.trigger, Trigger::Webhook { .. }) {
        webhooks::ensure(conn, workspace, &document.workflow_id, &SecretKey::fresh_text()).await?;
    }
    let mut pins = pins(conn, workspace, document).await?;
    for (rule, version) in &mut pins {
        *version = stored.rules.get(rule).copied().flatten().or(*version);
    }
    if pins != stored.rules {
        workflows::pin(conn, workspace, &document.workflow_id, stored.revision, &pins).await?;
    }
    Ok(())
}

/// The stored rules that a document asks, as they stand at its publishing; none where it asks the latest.
async fn pins(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    document: &Document,
) -> store::Result<BTreeMap<String, Option<i32>>> {
    let mut pins = BTreeMap::new();
    for (id, places) in asked_rules(document) {
        rules::hold(conn, workspace, &id).await?;
        let is_pinned = places.iter().any(|place| !place.latest);
        let known = if is_pinned { rules::latest(conn, workspace, &id).await? } else { None };
        pins.insert(id, known.map(|rule| rule.version));
    }
    Ok(pins)
}
