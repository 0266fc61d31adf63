//! What the checks found in revisions, kept with them.

use super::Result;
use serde_json::Value;
use shared_types::{
    ids::{WorkflowId, WorkspaceId},
    machine::review::CHECKS_VERSION,
    workflow::{Checked, check::Reference, finding_list::FindingList},
};
use sqlx::PgConnection;

/// What the checks found in a document, as far as it doesn't change with what is set up around it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StoredReview {
    /// What the document says by itself.
    pub findings: FindingList,
    /// What it refers to outside of itself.
    pub references: Vec<Reference>,
}

impl StoredReview {
    /// What is kept of a check.
    pub fn of(checked: &Checked) -> Self {
        Self { findings: checked.own.clone(), references: checked.references.clone() }
    }

    /// Reads a stored one; `None` where these checks made none, so that it is made anew.
    pub(super) fn read(
        findings: Option<Value>,
        refers_to: Option<Value>,
        reviewed_by: Option<i32>,
    ) -> Option<Self> {
        reviewed_by.filter(|version| *version == CHECKS_VERSION)?;
        Some(Self {
            findings: serde_json::from_value(findings?).ok()?,
            references: serde_json::from_value(refers_to?).ok()?,
        })
    }
}

/// Keeps what was found in a revision that is stored already.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn keep(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: &WorkflowId,
    revision: i32,
    review: &StoredReview,
) -> Result<()> {
    sqlx::query!(
        "update workflow_revisions set findings = $4, refers_to = $5, reviewed_by = $6
         where workspace_id = $1 and workflow_id = $2 and revision = $3",
        workspace.0,
        id.0,
        revision,
        super::json(&review.findings),
        super::json(&review.references),
        CHECKS_VERSION
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The workflows, of every workspace, whose newest revision wasn't reviewed by the checks of this version; those
/// behind a place in their order.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn not_reviewed(
    conn: &mut PgConnection,
    behind: Option<&(WorkspaceId, WorkflowId)>,
    limit: i64,
) -> Result<Vec<(WorkspaceId, WorkflowId)>> {
    let (workspace, id) = behind.map(|(workspace, id)| (workspace.0, id.0.as_str())).unzip();
    let rows = sqlx::query!(
        "select w.workspace_id, w.workflow_id
         from workflows w join workflow_revisions r using (workspace_id, workflow_id, revision)
         where w.archived_at is null and r.reviewed_by is distinct from $3
           and ($1::uuid is null or (w.workspace_id, w.workflow_id) > ($1, $2))
         order by w.workspace_id, w.workflow_id limit $4",
        workspace,
        id,
        CHECKS_VERSION,
        limit
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (WorkspaceId(row.workspace_id), WorkflowId(row.workflow_id))).collect())
}
