//! Requests for decisions as they are read.

mod decisions;
mod search;

pub(super) use decisions::insert as insert_decisions;
pub use decisions::{NewDecision, StoredDecision};
pub use search::search;

use super::{OfRow as _, Result, read, read_word};
use chrono::{DateTime, Utc};
use serde_json::Value;
use shared_types::{
    api::approvals::ApprovalQuery,
    approval::decision::RequestStatus,
    ids::{ApprovalId, ExecutionId, WorkflowId, WorkspaceId},
    machine::command::Request,
};
use sqlx::PgConnection;
use std::collections::BTreeMap;
use uuid::Uuid;

/// A request as stored.
#[derive(Debug, Clone)]
pub struct StoredApproval {
    /// The run that asks.
    pub execution_id: ExecutionId,
    /// Of which workflow.
    pub workflow_id: WorkflowId,
    /// What people call the workflow.
    pub workflow_name: String,
    /// How it stands.
    pub status: RequestStatus,
    /// Why it was withdrawn.
    pub withdrawn_because: Option<String>,
    /// The request as the machine made it.
    pub request: Request,
    /// The hash of what is seen.
    pub seen: String,
    /// When it was asked.
    pub asked_at: DateTime<Utc>,
    /// When it was closed.
    pub closed_at: Option<DateTime<Utc>>,
    /// The decisions, oldest first. The levels of the request hold them as well.
    pub decisions: Vec<StoredDecision>,
}

struct Row {
    id: Uuid,
    execution_id: Uuid,
    workflow_id: String,
    workflow_name: String,
    status: String,
    withdrawn_because: Option<String>,
    request: Value,
    seen: String,
    asked_at: DateTime<Utc>,
    closed_at: Option<DateTime<Utc>>,
}

impl Row {
    fn stored(self, decisions: Vec<StoredDecision>) -> Result<StoredApproval> {
        let mut request: Request = read("approvals", "request", self.request).of_row(self.execution_id)?;
        for decision in &decisions {
            let level = usize::try_from(decision.level).unwrap_or(usize::MAX);
            if let Some(level) = request.levels.get_mut(level) {
                level.decisions.push(decision.made.clone());
            }
        }
        Ok(StoredApproval {
            execution_id: ExecutionId(self.execution_id),
            workflow_id: WorkflowId(self.workflow_id),
            workflow_name: self.workflow_name,
            status: read_word("approvals", "status", &self.status).of_row(self.execution_id)?,
            withdrawn_because: self.withdrawn_because,
            request,
            seen: self.seen,
            asked_at: self.asked_at,
            closed_at: self.closed_at,
            decisions,
        })
    }
}

/// Reads a request.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn find(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: ApprovalId,
) -> Result<Option<StoredApproval>> {
    let row = sqlx::query_as!(
        Row,
        "select a.id, a.execution_id, a.workflow_id, w.name as workflow_name, a.status, a.withdrawn_because, a.request,
             a.seen, a.asked_at, a.closed_at
         from approvals a join workflows w using (workspace_id, workflow_id)
         where a.workspace_id = $1 and a.id = $2",
        workspace.0,
        id.0
    )
    .fetch_optional(&mut *conn)
    .await?;
    Ok(with_decisions(conn, workspace, row.into_iter().collect()).await?.pop())
}

/// Which requests are listed: with the first, those of these workflows; with the second, those that name one of these
/// `role:` and `user:` entries.
pub type Among<'a> = (Option<&'a [String]>, Option<&'a [String]>);

/// Lists requests, newest first. The query's text is [`search`]'s.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn list(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    query: &ApprovalQuery,
    (only, asked): Among<'_>,
    below: Option<Uuid>,
    limit: i64,
) -> Result<Vec<StoredApproval>> {
    let rows = sqlx::query_as!(
        Row,
        "select a.id, a.execution_id, a.workflow_id, w.name as workflow_name, a.status, a.withdrawn_because, a.request,
             a.seen, a.asked_at, a.closed_at
         from approvals a join workflows w using (workspace_id, workflow_id)
         where a.workspace_id = $1
           and ($2::uuid is null or a.id < $2)
           and ($3::text is null or a.status = $3)
           and ($4::text[] is null or a.approvers && $4)
           and ($5::text is null or a.workflow_id = $5)
           and ($6::text[] is null or a.workflow_id = any($6))
         order by a.id desc limit $7",
        workspace.0,
        below,
        query.status.map(RequestStatus::as_str),
        asked,
        query.workflow_id.as_ref().map(|id| id.0.as_str()),
        only,
        limit
    )
    .fetch_all(&mut *conn)
    .await?;
    with_decisions(conn, workspace, rows).await
}

/// Requests with their decisions, which are read by one query for all of them.
async fn with_decisions(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    rows: Vec<Row>,
) -> Result<Vec<StoredApproval>> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut decisions = decisions::of(conn, workspace, &ids).await?;
    rows.into_iter()
        .map(|row| {
            let made = decisions.remove(&row.id).unwrap_or_default();
            row.stored(made)
        })
        .collect()
}

/// The open request of each of these runs that has one; the oldest where it has several.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn open_of(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    runs: &[ExecutionId],
) -> Result<BTreeMap<ExecutionId, ApprovalId>> {
    let ids: Vec<Uuid> = runs.iter().map(|run| run.0).collect();
    let rows = sqlx::query!(
        "select distinct on (execution_id) execution_id, id from approvals
         where workspace_id = $1 and execution_id = any($2) and status = 'pending' order by execution_id, id",
        workspace.0,
        &ids
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (ExecutionId(row.execution_id), ApprovalId(row.id))).collect())
}
