//! Requests that people are to be told of, and notices whose other ways than the app are to be looked at.

use super::Result;
use chrono::{DateTime, Utc};
use shared_types::ids::{ApprovalId, NoticeId, UserId, WorkspaceId};
use sqlx::PgConnection;
use uuid::Uuid;

/// A request that is to be looked at.
#[derive(Debug, Clone, Copy)]
pub struct DueRequest {
    /// The workspace that it belongs to.
    pub workspace: WorkspaceId,
    /// Id of the request, a `UUIDv7`.
    pub approval_id: ApprovalId,
    /// How often it changed, as it was claimed.
    pub changes: i64,
}

/// A notice whose other ways are to be looked at.
#[derive(Debug, Clone)]
pub struct DueNotice {
    /// The workspace that it belongs to.
    pub workspace: WorkspaceId,
    /// The notice.
    pub notice_id: NoticeId,
    /// Whose it is.
    pub user: UserId,
    /// The run that sent it.
    pub execution_id: Option<Uuid>,
    /// The request that it tells of.
    pub approval_id: Option<ApprovalId>,
    /// Its subject line.
    pub subject: Option<String>,
    /// What it says.
    pub message: String,
}

/// Requests that were asked, or changed, in a transaction: they are looked at soon.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn want(
    conn: &mut PgConnection,
    requests: &[(WorkspaceId, ApprovalId)],
    at: DateTime<Utc>,
) -> Result<()> {
    if requests.is_empty() {
        return Ok(());
    }
    let workspaces: Vec<Uuid> = requests.iter().map(|(workspace, _)| workspace.0).collect();
    let approvals: Vec<Uuid> = requests.iter().map(|(_, approval)| approval.0).collect();
    sqlx::query!(
        "insert into outreach (workspace_id, approval_id, next_at)
         select distinct t.workspace, t.approval, $3::timestamptz from unnest($1::uuid[], $2::uuid[]) as t(workspace, approval)
         order by t.workspace, t.approval
         on conflict (workspace_id, approval_id) do update
         set next_at = least(outreach.next_at, excluded.next_at), changes = outreach.changes + 1, attempts = 0",
        &workspaces,
        &approvals,
        at
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes requests that are due, and puts them off so that no other server looks at them meanwhile: for longer the more often
/// nothing came of it.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn claim_requests(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    again_at: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<DueRequest>> {
    let rows = sqlx::query!(
        "update outreach o set next_at = $2::timestamptz + interval '60 s' * ((1 << least(o.attempts, 10)) - 1),
             attempts = attempts + 1
         from (select workspace_id, approval_id from outreach where next_at <= $1 order by next_at limit $3
               for update skip locked) as due
         where o.workspace_id = due.workspace_id and o.approval_id = due.approval_id
         returning o.workspace_id, o.approval_id, o.changes",
        now,
        again_at,
        limit
    )
    .fetch_all(conn)
    .await?;
    let due = rows.into_iter().map(|row| DueRequest {
        workspace: WorkspaceId(row.workspace_id),
        approval_id: ApprovalId(row.approval_id),
        changes: row.changes,
    });
    Ok(due.collect())
}

/// What is known of a request was told: it is looked at again at a time, or no more. One that changed meanwhile is looked at
/// at once.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn settle(
    conn: &mut PgConnection,
    due: &DueRequest,
    again_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<()> {
    if again_at.is_none() {
        sqlx::query!(
            "delete from outreach where workspace_id = $1 and approval_id = $2 and changes = $3",
            due.workspace.0,
            due.approval_id.0,
            due.changes
        )
        .execute(&mut *conn)
        .await?;
    }
    sqlx::query!(
        "update outreach set attempts = 0, next_at = case when changes = $3 then coalesce($4::timestamptz, $5::timestamptz) else $5::timestamptz end
         where workspace_id = $1 and approval_id = $2",
        due.workspace.0,
        due.approval_id.0,
        due.changes,
        again_at,
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes notices that are due, and puts them off so that no other server looks at them meanwhile.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn claim_notices(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    again_at: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<DueNotice>> {
    let rows = sqlx::query!(
        "update notices set next_at = $2
         where id in (select id from notices where next_at <= $1 order by next_at limit $3 for update skip locked)
         returning workspace_id, id, user_id, execution_id, approval_id, subject, message",
        now,
        again_at,
        limit
    )
    .fetch_all(conn)
    .await?;
    let due = rows.into_iter().map(|row| DueNotice {
        workspace: WorkspaceId(row.workspace_id),
        notice_id: NoticeId(row.id),
        user: UserId(row.user_id),
        execution_id: row.execution_id,
        approval_id: row.approval_id.map(ApprovalId),
        subject: row.subject,
        message: row.message,
    });
    Ok(due.collect())
}

/// The other ways of a notice were looked at.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn settle_notice(conn: &mut PgConnection, due: &DueNotice) -> Result<()> {
    sqlx::query!(
        "update notices set next_at = null where workspace_id = $1 and id = $2",
        due.workspace.0,
        due.notice_id.0
    )
    .execute(conn)
    .await?;
    Ok(())
}
