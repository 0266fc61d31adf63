//! Events as they are read: for a repetition, for a wait that looks back, and those still to be started.

use super::{Result, read};
use chrono::{DateTime, Utc};
use serde_json::Value;
use shared_types::{
    ids::{EventId, WorkspaceId},
    machine::Event,
};
use sqlx::PgConnection;
use std::sync::Arc;
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

/// An event as stored.
struct Row {
    id: Uuid,
    event_id: String,
    kind: String,
    source: Option<String>,
    time: DateTime<Utc>,
    requester: Option<Value>,
    payload: Value,
}

impl Row {
    fn event(self) -> Result<Arc<Event>> {
        Ok(Arc::new(Event {
            kind: self.kind,
            id: EventId(self.event_id),
            source: self.source,
            time: self.time,
            requester: self.requester.map(|value| read("events", "requester", value)).transpose()?,
            payload: read("events", "payload", self.payload)?,
        }))
    }
}

/// Events of a type (or below a prefix that ends in `.*`) that came after a moment, oldest first.
pub async fn since(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    pattern: &str,
    after: Uuid,
    limit: i64,
) -> Result<Vec<(Uuid, Arc<Event>)>> {
    // Two questions, so that each is answered out of its index: by type, or by time.
    let rows = match pattern.strip_suffix('*') {
        None => {
            sqlx::query_as!(
                Row,
                "select id, event_id, type as kind, source, time, requester, payload from events
                 where workspace_id = $1 and type = $2 and id > $3 order by id limit $4",
                workspace.0,
                pattern,
                after,
                limit
            )
            .fetch_all(conn)
            .await?
        }
        Some(prefix) => {
            sqlx::query_as!(
                Row,
                "select id, event_id, type as kind, source, time, requester, payload from events
                 where workspace_id = $1 and type like $2 and id > $3 order by id limit $4",
                workspace.0,
                super::executions::like_prefix(prefix),
                after,
                limit
            )
            .fetch_all(conn)
            .await?
        }
    };
    rows.into_iter().map(|row| Ok((row.id, row.event()?))).collect()
}

/// An event that a workflow published, whose runs are still to be started.
#[derive(Debug)]
pub struct Pending {
    /// The server's own id.
    pub id: Uuid,
    /// Where.
    pub workspace: WorkspaceId,
    /// The event.
    pub event: Arc<Event>,
    /// How many runs set each other off before it.
    pub depth: u32,
}

/// The oldest of these events, held for this transaction.
pub async fn claim_pending(conn: &mut PgConnection, limit: i64) -> Result<Vec<Pending>> {
    let rows = sqlx::query!(
        "select id, workspace_id, event_id, type as kind, source, time, requester, payload, depth from events
         where pending order by id limit $1 for update skip locked",
        limit
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let event = Row {
                id: row.id,
                event_id: row.event_id,
                kind: row.kind,
                source: row.source,
                time: row.time,
                requester: row.requester,
                payload: row.payload,
            };
            Ok(Pending {
                id: row.id,
                workspace: WorkspaceId(row.workspace_id),
                depth: u32::try_from(row.depth).unwrap_or_default(),
                event: event.event()?,
            })
        })
        .collect()
}

/// Says that the runs of these events were started.
pub async fn mark_started(conn: &mut PgConnection, ids: &[Uuid]) -> Result<()> {
    sqlx::query!("update events set pending = false where id = any($1)", ids).execute(conn).await?;
    Ok(())
}
