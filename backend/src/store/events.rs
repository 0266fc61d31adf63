//! Events as they are read: for a repetition, for a wait that looks back, and those still to be started.

use super::{OfRow as _, Result, read};
use chrono::{DateTime, Utc};
use serde_json::Value;
use shared_types::{
    ids::{EventId, WorkspaceId},
    machine::Event,
};
use sqlx::PgConnection;
use std::{collections::HashSet, sync::Arc};
use uuid::Uuid;

/// The hash of what was sent under an id, if anything was.
#[tracing::instrument(level = "debug", skip_all)]
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
            requester: self
                .requester
                .map(|value| read("events", "requester", value))
                .transpose()
                .of_row(self.id)?,
            payload: read("events", "payload", self.payload).of_row(self.id)?,
        }))
    }
}

/// Events of a type (or below a prefix that ends in `.*`) that came after a moment, oldest first.
#[tracing::instrument(level = "debug", skip_all)]
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
    /// The workspace that it belongs to.
    pub workspace: WorkspaceId,
    /// The event.
    pub event: Arc<Event>,
    /// How many runs set each other off before it.
    pub depth: u32,
    /// The event from outside from which it descends.
    pub root: Uuid,
    /// How many runs descend from that event so far.
    pub family: u32,
}

/// The oldest of these events.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn pending(conn: &mut PgConnection, limit: i64) -> Result<Vec<Pending>> {
    let rows = sqlx::query!(
        r#"select e.id, e.workspace_id, e.event_id, e.type as kind, e.source, e.time, e.requester, e.payload, e.depth,
             coalesce(e.root, e.id) as "root!",
             (select f.runs from event_families f where f.root = coalesce(e.root, e.id)) as family
         from events e where e.pending order by e.id limit $1"#,
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
                root: row.root,
                family: row.family.and_then(|runs| u32::try_from(runs).ok()).unwrap_or_default(),
                event: event.event()?,
            })
        })
        .collect()
}

/// Holds those of these events whose runs are still to be started, and that no other server holds.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn hold_pending(conn: &mut PgConnection, ids: &[Uuid]) -> Result<HashSet<Uuid>> {
    let locked = sqlx::query_scalar!(
        "select id from events where id = any($1) and pending order by id for update skip locked",
        ids
    )
    .fetch_all(conn)
    .await?;
    Ok(locked.into_iter().collect())
}

/// Counts runs to the events from outside from which they descend; each event with how many there are now.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn count_descendants(
    conn: &mut PgConnection,
    more: &[(Uuid, WorkspaceId, u32)],
) -> Result<Vec<(Uuid, u32)>> {
    if more.is_empty() {
        return Ok(Vec::new());
    }
    let mut more = more.to_vec();
    // In one order everywhere, so that two transactions never wait for each other in a circle.
    more.sort_by_key(|(root, _, _)| *root);
    let roots: Vec<Uuid> = more.iter().map(|(root, _, _)| *root).collect();
    let workspaces: Vec<Uuid> = more.iter().map(|(_, workspace, _)| workspace.0).collect();
    let counts: Vec<i32> = more.iter().map(|(_, _, runs)| i32::try_from(*runs).unwrap_or(i32::MAX)).collect();
    let rows = sqlx::query!(
        "insert into event_families (root, workspace_id, runs)
         select * from unnest($1::uuid[], $2::uuid[], $3::integer[])
         on conflict (root) do update set runs = event_families.runs + excluded.runs
         returning root, runs",
        &roots,
        &workspaces,
        &counts
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.root, u32::try_from(row.runs).unwrap_or_default())).collect())
}

/// Says that the runs of these events were started.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn mark_started(conn: &mut PgConnection, ids: &[Uuid]) -> Result<()> {
    sqlx::query!("update events set pending = false where id = any($1)", ids).execute(conn).await?;
    Ok(())
}
