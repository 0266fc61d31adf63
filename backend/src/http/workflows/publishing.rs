//! Revisions are published: with the rules they ask pinned, and the secret of their webhook made.

use crate::{
    auth::{Principal, seal::SecretKey},
    clock,
    engine::next_due_of,
    http::{audit, body::DocumentBody, problem::ApiResult},
    store::{
        self,
        reviews::StoredReview,
        rules, webhooks, workflows,
        workflows::{NewRevision, StoredWorkflow},
    },
};
use chrono::{DateTime, Utc};
use serde_json::json;
use shared_types::{
    ids::{WorkflowId, WorkspaceId},
    machine::review::{blocking, review},
    workflow::{
        Checked, Document, Finding, Format, check::Environment, document::Trigger, rule::asked_rules,
    },
};
use sqlx::{PgConnection, PgPool};
use std::collections::BTreeMap;

/// A revision on its way in.
pub(super) struct Publication<'a> {
    pub(super) revision: i32,
    pub(super) enabled: bool,
    pub(super) document: &'a Document,
    pub(super) checked: &'a Checked,
    pub(super) written: &'a DocumentBody,
}

pub(super) async fn publish(
    conn: &mut PgConnection,
    principal: &Principal,
    publication: &Publication<'_>,
) -> ApiResult<()> {
    let Publication { revision, enabled, document, checked, written } = *publication;
    let at = clock::now();
    let by = principal.actor();
    let new = NewRevision {
        revision,
        enabled,
        next_due: enabled.then(|| next_due_of(document, at)).flatten(),
        format: written.format,
        source: &written.text,
        value: &checked.value,
        document,
        rules: &pins(conn, principal.workspace, document).await?,
        review: &StoredReview::of(checked),
        by: &by,
        at,
    };
    workflows::publish(conn, principal.workspace, &new).await?;
    if matches!(document.trigger, Trigger::Webhook { .. }) {
        webhooks::ensure(conn, principal.workspace, &document.workflow_id, &SecretKey::fresh_text()).await?;
    }
    let detail = json!({ "revision": revision, "enabled": enabled });
    let entry = audit::entry(principal, "workflow.published", document.workflow_id.as_str(), detail);
    store::audit::insert(conn, &[&entry]).await?;
    Ok(())
}

/// What publishing gives a revision, for one that was published when it could not be given.
pub(super) async fn complete(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    stored: &StoredWorkflow,
    document: &Document,
) -> ApiResult<()> {
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

/// Publishes a first revision outside of a request: the sample data.
pub async fn publish_first(
    pool: &PgPool,
    workspace: WorkspaceId,
    text: &str,
    by: &str,
    at: DateTime<Utc>,
) -> Result<WorkflowId, Vec<Finding>> {
    let checked = review(text, Format::Yaml, &Environment::Unknown);
    let Some(document) = checked.document.clone() else { return Err(checked.findings) };
    let enabled = document.enabled && blocking(&checked.findings).is_empty();
    let next_due = enabled.then(|| next_due_of(&document, at)).flatten();
    let new = NewRevision {
        revision: 1,
        enabled,
        next_due,
        format: Format::Yaml,
        source: text,
        value: &checked.value,
        document: &document,
        rules: &BTreeMap::new(),
        review: &StoredReview::of(&checked),
        by,
        at,
    };
    let written = async {
        let mut transaction = pool.begin().await?;
        workflows::publish(&mut transaction, workspace, &new).await?;
        transaction.commit().await?;
        store::Result::Ok(())
    };
    written
        .await
        .map_err(|error| vec![Finding::error("store", "", format!("It could not be stored: {error}"))])?;
    Ok(document.workflow_id)
}
