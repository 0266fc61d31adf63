//! Messages to the world.

use super::{OfRow as _, Result, read_word};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use shared_types::{
    api::notices::{Channel, Delivery, DeliveryStatus},
    ids::{ApprovalId, DeliveryId, ExecutionId, UserId, WorkspaceId},
};
use sqlx::PgConnection;
use uuid::Uuid;

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryKind {
    /// Words that were written as it was made.
    Message,
    /// A request, as it stands when the message goes out.
    Request,
}

impl DeliveryKind {
    /// The name as stored.
    fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Request => "request",
        }
    }
}

/// A message that is to go out.
#[derive(Debug, Clone)]
pub struct DueDelivery {
    /// The workspace that it belongs to.
    pub workspace: WorkspaceId,
    /// Its id, a `UUIDv7`.
    pub id: DeliveryId,
    /// By which way.
    pub channel: Channel,
    /// What it is.
    pub kind: DeliveryKind,
    /// The recipient: an address, `user:`, `role:` or a channel.
    pub recipient: String,
    /// The member whom it is for.
    pub user: Option<UserId>,
    /// The request that it tells of.
    pub approval_id: Option<ApprovalId>,
    /// Its subject line.
    pub subject: Option<String>,
    /// What it says.
    pub message: String,
    /// Whether it waited for quiet hours to end.
    pub in_quiet_hours: bool,
    /// How often it was tried, this time too.
    pub attempts: i32,
}

/// A message to a member that is to go out.
#[derive(Debug, Clone)]
pub struct NewDelivery {
    /// Its id, a `UUIDv7`.
    pub id: DeliveryId,
    /// By which way.
    pub channel: Channel,
    /// What it is.
    pub kind: DeliveryKind,
    /// The recipient, as that way names them.
    pub recipient: String,
    /// The member whom it is for.
    pub user: UserId,
    /// The run that it comes from.
    pub execution_id: ExecutionId,
    /// The request that it tells of.
    pub approval_id: Option<ApprovalId>,
    /// Its subject line.
    pub subject: Option<String>,
    /// What it says.
    pub message: String,
    /// What the member is sent once by each way.
    pub dedup_key: String,
    /// Until when it is held, as their hours are quiet.
    pub held_until: Option<DateTime<Utc>>,
}

/// Writes messages to members; how many were new, or no longer wait for quiet hours to end. One who was sent the same by the
/// same way isn't sent it again.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn insert(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    new: &[NewDelivery],
    at: DateTime<Utc>,
) -> Result<usize> {
    if new.is_empty() {
        return Ok(0);
    }
    let ids: Vec<Uuid> = new.iter().map(|new| new.id.0).collect();
    let channels: Vec<&str> = new.iter().map(|new| new.channel.as_str()).collect();
    let kinds: Vec<&str> = new.iter().map(|new| new.kind.as_str()).collect();
    let recipients: Vec<&str> = new.iter().map(|new| new.recipient.as_str()).collect();
    let users: Vec<Uuid> = new.iter().map(|new| new.user.0).collect();
    let executions: Vec<Uuid> = new.iter().map(|new| new.execution_id.0).collect();
    let approvals: Vec<Option<Uuid>> = new.iter().map(|new| new.approval_id.map(|id| id.0)).collect();
    let subjects: Vec<Option<&str>> = new.iter().map(|new| new.subject.as_deref()).collect();
    let messages: Vec<&str> = new.iter().map(|new| new.message.as_str()).collect();
    let keys: Vec<&str> = new.iter().map(|new| new.dedup_key.as_str()).collect();
    let held: Vec<Option<DateTime<Utc>>> = new.iter().map(|new| new.held_until).collect();
    let written = sqlx::query!(
        "insert into deliveries (id, workspace_id, channel, kind, recipient, user_id, execution_id, approval_id, subject,
             message, dedup_key, in_quiet_hours, status, next_at, created_at)
         select t.id, $1, t.channel, t.kind, t.recipient, t.person, t.execution, t.approval, t.subject, t.message, t.dedup_key,
             t.held is not null, 'pending', coalesce(t.held, $2), $2
         from unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::uuid[], $8::uuid[], $9::uuid[], $10::text[],
             $11::text[], $12::text[], $13::timestamptz[])
           as t(id, channel, kind, recipient, person, execution, approval, subject, message, dedup_key, held)
         on conflict (workspace_id, user_id, channel, dedup_key) where dedup_key is not null do update
         set in_quiet_hours = false, next_at = excluded.next_at
         where deliveries.in_quiet_hours and deliveries.status = 'pending' and not excluded.in_quiet_hours",
        workspace.0,
        at,
        &ids,
        &channels as &[&str],
        &kinds as &[&str],
        &recipients as &[&str],
        &users,
        &executions,
        &approvals as &[Option<Uuid>],
        &subjects as &[Option<&str>],
        &messages as &[&str],
        &keys as &[&str],
        &held as &[Option<DateTime<Utc>>]
    )
    .execute(conn)
    .await?;
    Ok(usize::try_from(written.rows_affected()).unwrap_or(usize::MAX))
}

/// Takes messages that are due by these ways, and puts them off to `again_at` so that no other server sends them meanwhile.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn claim_due(
    conn: &mut PgConnection,
    channels: &[Channel],
    now: DateTime<Utc>,
    again_at: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<DueDelivery>> {
    let channels: Vec<&str> = channels.iter().map(|channel| channel.as_str()).collect();
    let rows = sqlx::query!(
        "update deliveries set next_at = $2, attempts = attempts + 1
         where id in (select id from deliveries where status = 'pending' and next_at <= $1 and channel = any($4)
                      order by next_at limit $3 for update skip locked)
         returning workspace_id, id, channel, kind, recipient, user_id, approval_id, subject, message, in_quiet_hours, attempts",
        now,
        again_at,
        limit,
        &channels as &[&str]
    )
    .fetch_all(conn)
    .await?;
    let due = rows.into_iter().map(|row| {
        Ok(DueDelivery {
            workspace: WorkspaceId(row.workspace_id),
            id: DeliveryId(row.id),
            channel: read_word("deliveries", "channel", &row.channel).of_row(row.id)?,
            kind: read_word("deliveries", "kind", &row.kind).of_row(row.id)?,
            recipient: row.recipient,
            user: row.user_id.map(UserId),
            approval_id: row.approval_id.map(ApprovalId),
            subject: row.subject,
            message: row.message,
            in_quiet_hours: row.in_quiet_hours,
            attempts: row.attempts,
        })
    });
    Ok(readable(due))
}

/// Those that can be read: one that a newer server wrote, with a word that isn't known here, is left to that one.
fn readable(due: impl Iterator<Item = Result<DueDelivery>>) -> Vec<DueDelivery> {
    let readable = due
        .filter_map(|due| due.inspect_err(|error| tracing::error!(%error, "a delivery can't be read")).ok());
    readable.collect()
}

/// Takes what else was held for a member by one way and is due, so that all of it goes out together.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn claim_held(
    conn: &mut PgConnection,
    with: &DueDelivery,
    now: DateTime<Utc>,
    again_at: DateTime<Utc>,
) -> Result<Vec<DueDelivery>> {
    let rows = sqlx::query!(
        "update deliveries set next_at = $5, attempts = attempts + 1
         where id in (select id from deliveries where status = 'pending' and in_quiet_hours and workspace_id = $1 and user_id = $2
                        and channel = $3 and next_at <= $4 and id <> $6 order by id for update skip locked)
         returning id, kind, recipient, approval_id, subject, message, attempts",
        with.workspace.0,
        with.user.map(|user| user.0),
        with.channel.as_str(),
        now,
        again_at,
        with.id.0
    )
    .fetch_all(conn)
    .await?;
    let due = rows.into_iter().map(|row| {
        Ok(DueDelivery {
            id: DeliveryId(row.id),
            kind: read_word("deliveries", "kind", &row.kind).of_row(row.id)?,
            recipient: row.recipient,
            approval_id: row.approval_id.map(ApprovalId),
            subject: row.subject,
            message: row.message,
            attempts: row.attempts,
            ..with.clone()
        })
    });
    Ok(readable(due))
}

/// The ids of messages, and how often each was tried as it was claimed: whoever claimed one since then says what came of it.
fn claimed(all: &[DueDelivery]) -> (Vec<Uuid>, Vec<i32>) {
    all.iter().map(|due| (due.id.0, due.attempts)).unzip()
}

/// Records that messages went out.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn mark_delivered(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    all: &[DueDelivery],
    at: DateTime<Utc>,
) -> Result<()> {
    let (ids, attempts) = claimed(all);
    sqlx::query!(
        "update deliveries d set status = 'delivered', delivered_at = $3, next_at = null, reason = null
         from unnest($1::uuid[], $2::integer[]) as t(id, attempts)
         where d.id = t.id and d.attempts = t.attempts and d.workspace_id = $4",
        &ids,
        &attempts,
        at,
        workspace.0
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Records that messages could not go out; without `again_at` they are kept as undeliverable.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn mark_failed(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    all: &[DueDelivery],
    reason: &str,
    again_at: Option<DateTime<Utc>>,
) -> Result<()> {
    let status = if again_at.is_some() { DeliveryStatus::Pending } else { DeliveryStatus::Undeliverable };
    let (ids, attempts) = claimed(all);
    sqlx::query!(
        "update deliveries d set status = $3, reason = $4, next_at = $5
         from unnest($1::uuid[], $2::integer[]) as t(id, attempts)
         where d.id = t.id and d.attempts = t.attempts and d.status = 'pending' and d.workspace_id = $6",
        &ids,
        &attempts,
        status.as_str(),
        reason,
        again_at,
        workspace.0
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Lists messages, newest first.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn list(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    status: Option<DeliveryStatus>,
    below: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Delivery>> {
    let rows = sqlx::query!(
        "select id, channel, execution_id, recipient, subject, message, status, reason, created_at, delivered_at
         from deliveries
         where workspace_id = $1 and ($2::text is null or status = $2) and ($3::uuid is null or id < $3)
         order by id desc limit $4",
        workspace.0,
        status.map(DeliveryStatus::as_str),
        below,
        limit
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Delivery {
                delivery_id: DeliveryId(row.id),
                channel: read_word("deliveries", "channel", &row.channel).of_row(row.id)?,
                execution_id: ExecutionId(row.execution_id),
                recipient: row.recipient,
                subject: row.subject,
                message: row.message,
                status: read_word("deliveries", "status", &row.status).of_row(row.id)?,
                reason: row.reason,
                created_at: row.created_at,
                delivered_at: row.delivered_at,
            })
        })
        .collect()
}
