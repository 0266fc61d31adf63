//! Events as they are read: for a repetition, for a wait that looks back, and those still to be started.

use super::{Result, read};
use shared_types::{
    ids::{EventId, WorkspaceId},
    machine::Event,
};
use sqlx::PgConnection;
use uuid::Uuid;

/// The hash of what was sent under an id, if anything was.
pub async fn content_hash(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    id: &EventId,
) -> Result<Option<Vec<u8>>> {
    let hash = sqlx::query_scalar!(
        "select content_hash from event_ids where workspace_id = $1 and event_id = $2",
        workspace.0,
        id.0
    )
    .fetch_optional(conn)
    .await?;
    Ok(hash)
}

/// Events of a type (or below a prefix that ends in `.*`) that came after a moment, oldest first.
pub async fn since(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    pattern: &str,
    after: Uuid,
    limit: i64,
) -> Result<Vec<(Uuid, Event)>> {
    let like = pattern.strip_suffix('*').map(super::executions::like_prefix);
    let rows = sqlx::query!(
        "select id, event_id, type, source, time, requester, payload from events
         where workspace_id = $1 and id > $2
           and (case when $4::text is null then type = $3 else type like $4 end)
         order by id limit $5",
        workspace.0,
        after,
        pattern,
        like,
        limit
    )
    .fetch_all(conn)
    .await?;
    let event = |row_id, event_id, kind, source, time, requester: Option<serde_json::Value>, payload| {
        Ok((
            row_id,
            Event {
                kind,
                id: EventId(event_id),
                source,
                time,
                requester: requester.map(|value| read("events", "requester", value)).transpose()?,
                payload: read("events", "payload", payload)?,
            },
        ))
    };
    rows.into_iter()
        .map(|row| event(row.id, row.event_id, row.r#type, row.source, row.time, row.requester, row.payload))
        .collect()
}

/// An event that a workflow published, whose runs are still to be started.
#[derive(Debug)]
pub struct Pending {
    /// The server's own id.
    pub id: Uuid,
    /// Where.
    pub workspace: WorkspaceId,
    /// The event.
    pub event: Event,
    /// How many runs set each other off before it.
    pub depth: u32,
}

/// The oldest of these events, held for this transaction.
pub async fn claim_pending(conn: &mut PgConnection, limit: i64) -> Result<Vec<Pending>> {
    let rows = sqlx::query!(
        "select id, workspace_id, event_id, type, source, time, requester, payload, depth from events
         where pending order by id limit $1 for update skip locked",
        limit
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Pending {
                id: row.id,
                workspace: WorkspaceId(row.workspace_id),
                depth: u32::try_from(row.depth).unwrap_or_default(),
                event: Event {
                    kind: row.r#type,
                    id: EventId(row.event_id),
                    source: row.source,
                    time: row.time,
                    requester: row.requester.map(|value| read("events", "requester", value)).transpose()?,
                    payload: read("events", "payload", row.payload)?,
                },
            })
        })
        .collect()
}

/// Says that the runs of these events were started.
pub async fn mark_started(conn: &mut PgConnection, ids: &[Uuid]) -> Result<()> {
    sqlx::query!("update events set pending = false where id = any($1)", ids).execute(conn).await?;
    Ok(())
}
