//! Requests for decisions as they are read.

mod decisions;
mod list;
mod search;

pub use decisions::{NewDecision, StoredDecision, VoidedDecisions};
pub(super) use decisions::{insert as insert_decisions, void as void_decisions};
pub use list::{Asked, Position, list, list_by_amount, list_by_deadline};
pub use search::search;

use super::{OfRow as _, Result, read, read_word};
use chrono::{DateTime, Utc};
use serde_json::Value;
use shared_types::{
    approval::{
        decision::RequestStatus,
        policy::Policy,
        progress::{Reopening, RequestProgress, SeenChange},
    },
    ids::{ApprovalId, ExecutionId, WorkflowId, WorkspaceId},
    machine::{command::Request, environment::PeopleNeeds},
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
    /// The request as the machine made it, with what became of it since.
    pub request: Request,
    /// Which level is open, from 0.
    pub open: usize,
    /// Why the open level can't be filled, in a sentence.
    pub stuck: Option<String>,
    /// When and why it was opened again after it was approved.
    pub reopened: Vec<Reopening>,
    /// How what is asked changed since it was first asked.
    pub seen_changes: Vec<SeenChange>,
    /// The hash of what is seen.
    pub seen: String,
    /// When it was asked.
    pub asked_at: DateTime<Utc>,
    /// When it was closed.
    pub closed_at: Option<DateTime<Utc>>,
    /// The decisions, oldest first. The levels of the request hold them as well.
    pub decisions: Vec<StoredDecision>,
}

impl StoredApproval {
    /// What its policy looks at.
    pub fn policy(&self) -> Policy<'_> {
        Policy {
            status: self.status,
            levels: &self.request.levels,
            open: self.open,
            forbid: &self.request.forbid,
            veto: &self.request.veto,
            form: &self.request.form,
            requester: self.request.requester.as_ref(),
        }
    }
}

/// The people whom requests concern: whoever an entry names, is behind it, decided it, or was handed it.
pub fn people_needs<'a>(stored: impl IntoIterator<Item = &'a StoredApproval>) -> PeopleNeeds {
    let mut needs = PeopleNeeds::default();
    for StoredApproval { request, .. } in stored {
        for level in &request.levels {
            needs.entries.extend(level.approvers.iter().chain(&level.escalate_to).cloned());
            needs.persons.extend(level.decisions.iter().map(|made| made.by.clone()));
            let handovers = level.progress.handovers.iter();
            needs.persons.extend(handovers.flat_map(|handover| [handover.from.clone(), handover.to.clone()]));
        }
        needs.entries.extend(request.veto.iter().cloned());
        needs.persons.extend(request.requester.as_ref().and_then(|requester| requester.email.clone()));
    }
    needs.entries.sort();
    needs.entries.dedup();
    needs.persons.sort();
    needs.persons.dedup();
    needs
}

struct Row {
    id: Uuid,
    execution_id: Uuid,
    workflow_id: String,
    workflow_name: String,
    status: String,
    withdrawn_because: Option<String>,
    request: Value,
    progress: Option<Value>,
    seen: String,
    asked_at: DateTime<Utc>,
    closed_at: Option<DateTime<Utc>>,
}

impl Row {
    fn stored(self, decisions: Vec<StoredDecision>) -> Result<StoredApproval> {
        let mut request: Request = read("approvals", "request", self.request).of_row(self.execution_id)?;
        let progress: Option<RequestProgress> = self
            .progress
            .map(|value| read("approvals", "progress", value))
            .transpose()
            .of_row(self.execution_id)?;
        let progress = progress.map(|progress| take_over(&mut request, progress)).unwrap_or_default();
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
            open: progress.open,
            stuck: progress.stuck,
            reopened: progress.reopened,
            seen_changes: progress.seen_changes,
            seen: self.seen,
            asked_at: self.asked_at,
            closed_at: self.closed_at,
            decisions,
        })
    }
}

/// Puts what became of a request into it.
fn take_over(request: &mut Request, progress: RequestProgress) -> RequestProgress {
    for (level, progress) in request.levels.iter_mut().zip(&progress.levels) {
        level.progress = progress.clone();
    }
    request.expires_at = request.levels.get(progress.open).and_then(|level| level.progress.expires_at);
    request.values.clone_from(&progress.values);
    if let Some(resolved) = &progress.resolved {
        request.if_approved.clone_from(&resolved.if_approved);
        request.if_rejected.clone_from(&resolved.if_rejected);
        request.effects.clone_from(&resolved.effects);
    }
    progress
}

/// Keeps a request as it is until the transaction ends.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn hold(conn: &mut PgConnection, workspace: WorkspaceId, id: ApprovalId) -> Result<()> {
    sqlx::query!(
        "select 1 as held from approvals where workspace_id = $1 and id = $2 for share",
        workspace.0,
        id.0
    )
    .fetch_optional(conn)
    .await?;
    Ok(())
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
             a.progress, a.seen, a.asked_at, a.closed_at
         from approvals a join workflows w using (workspace_id, workflow_id)
         where a.workspace_id = $1 and a.id = $2",
        workspace.0,
        id.0
    )
    .fetch_optional(&mut *conn)
    .await?;
    Ok(with_decisions(conn, workspace, row.into_iter().collect()).await?.pop())
}

/// Reads some requests.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn some(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    ids: &[ApprovalId],
) -> Result<Vec<StoredApproval>> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows = sqlx::query_as!(
        Row,
        "select a.id, a.execution_id, a.workflow_id, w.name as workflow_name, a.status, a.withdrawn_because, a.request,
             a.progress, a.seen, a.asked_at, a.closed_at
         from approvals a join workflows w using (workspace_id, workflow_id)
         where a.workspace_id = $1 and a.id = any($2)",
        workspace.0,
        &ids
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
