//! Webhooks, their secrets and what came in lately.

use super::{OfRow as _, Result, json, read};
use serde_json::Value;
use shared_types::{
    api::webhooks::{Verdict, WebhookDelivery, WebhookSecret},
    ids::{WorkflowId, WorkspaceId},
};
use sqlx::PgConnection;
use uuid::Uuid;

/// How many calls are remembered for each webhook; of those that were refused, which anybody can send, fewer.
const REMEMBERED: i64 = 40;
const REFUSED_REMEMBERED: i64 = 10;

/// A webhook as a call finds it.
#[derive(Debug)]
pub struct Found {
    /// The workspace that it belongs to.
    pub workspace: WorkspaceId,
    /// Of which workflow.
    pub workflow_id: WorkflowId,
    /// Whether the workflow is on.
    pub enabled: bool,
    /// Its newest revision.
    pub revision: i32,
}

/// Gives a workflow a webhook, if it has none.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn ensure(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: &WorkflowId,
    token: &str,
) -> Result<()> {
    sqlx::query!(
        "insert into webhooks (workspace_id, workflow_id, token) values ($1, $2, $3) on conflict do nothing",
        workspace.0,
        id.0,
        token
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes a workflow's webhook away, with its secrets: one that is made later has another address.
#[tracing::instrument(level = "debug", skip_all)]
pub(super) async fn remove(conn: &mut PgConnection, workspace: WorkspaceId, id: &WorkflowId) -> Result<()> {
    sqlx::query!(
        "with secrets as (delete from webhook_secrets where workspace_id = $1 and workflow_id = $2),
             deliveries as (delete from webhook_deliveries where workspace_id = $1 and workflow_id = $2)
         delete from webhooks where workspace_id = $1 and workflow_id = $2",
        workspace.0,
        id.0
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The webhook of a token.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn by_token(conn: &mut PgConnection, token: &str) -> Result<Option<Found>> {
    let row = sqlx::query!(
        "select h.workspace_id, h.workflow_id, w.enabled, w.revision
         from webhooks h join workflows w using (workspace_id, workflow_id)
         where h.token = $1 and w.archived_at is null",
        token
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Found {
        workspace: WorkspaceId(row.workspace_id),
        workflow_id: WorkflowId(row.workflow_id),
        enabled: row.enabled,
        revision: row.revision,
    }))
}

/// A workflow's token and how many calls were refused.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn token_of(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: &WorkflowId,
) -> Result<Option<(String, i64)>> {
    let row = sqlx::query!(
        "select token, refused from webhooks where workspace_id = $1 and workflow_id = $2",
        workspace.0,
        id.0
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| (row.token, row.refused)))
}

/// The live secrets of a webhook, sealed, the oldest first.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn secrets(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: &WorkflowId,
) -> Result<Vec<(WebhookSecret, Vec<u8>)>> {
    let rows = sqlx::query!(
        "select id, sealed, created_at, created_by from webhook_secrets
         where workspace_id = $1 and workflow_id = $2 order by id",
        workspace.0,
        id.0
    )
    .fetch_all(conn)
    .await?;
    let secrets = rows.into_iter().map(|row| {
        let (created_at, created_by) = (row.created_at, row.created_by);
        (WebhookSecret { secret_id: row.id, created_at, created_by }, row.sealed)
    });
    Ok(secrets.collect())
}

/// Adds a sealed secret.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn add_secret(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: &WorkflowId,
    secret: &WebhookSecret,
    sealed: &[u8],
) -> Result<()> {
    sqlx::query!(
        "insert into webhook_secrets (id, workspace_id, workflow_id, sealed, created_at, created_by)
         values ($1, $2, $3, $4, $5, $6)",
        secret.secret_id,
        workspace.0,
        id.0,
        sealed,
        secret.created_at,
        secret.created_by
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Revokes a secret; false where there is none.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn revoke_secret(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: &WorkflowId,
    secret: Uuid,
) -> Result<bool> {
    let revoked = sqlx::query!(
        "delete from webhook_secrets where workspace_id = $1 and workflow_id = $2 and id = $3",
        workspace.0,
        id.0,
        secret
    )
    .execute(conn)
    .await?;
    Ok(revoked.rows_affected() == 1)
}

/// Remembers a call, and forgets those of long ago; never its body.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn remember(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: &WorkflowId,
    delivery_id: Uuid,
    delivery: &WebhookDelivery,
) -> Result<()> {
    let verdict = json(&delivery.verdict);
    let is_refused = delivery.verdict == Verdict::Refused;
    sqlx::query!(
        "insert into webhook_deliveries (id, workspace_id, workflow_id, message_id, verdict, reason, at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        delivery_id,
        workspace.0,
        id.0,
        delivery.message_id,
        verdict.as_str(),
        delivery.reason,
        delivery.at
    )
    .execute(&mut *conn)
    .await?;
    if is_refused {
        sqlx::query!(
            "update webhooks set refused = refused + 1 where workspace_id = $1 and workflow_id = $2",
            workspace.0,
            id.0
        )
        .execute(&mut *conn)
        .await?;
    }
    sqlx::query!(
        "delete from webhook_deliveries
         where workspace_id = $1 and workflow_id = $2 and (verdict = 'refused') = $3 and id <= (
             select id from webhook_deliveries
             where workspace_id = $1 and workflow_id = $2 and (verdict = 'refused') = $3
             order by id desc offset $4 limit 1)",
        workspace.0,
        id.0,
        is_refused,
        if is_refused { REFUSED_REMEMBERED } else { REMEMBERED }
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What came in lately, newest first.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn deliveries(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: &WorkflowId,
) -> Result<Vec<WebhookDelivery>> {
    let rows = sqlx::query!(
        "select message_id, verdict, reason, at from webhook_deliveries
         where workspace_id = $1 and workflow_id = $2 order by id desc limit 50",
        workspace.0,
        id.0
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(WebhookDelivery {
                at: row.at,
                message_id: row.message_id,
                verdict: read("webhook_deliveries", "verdict", Value::String(row.verdict)).of_row(id)?,
                reason: row.reason,
            })
        })
        .collect()
}
