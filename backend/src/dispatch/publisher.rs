//! The one server that numbers messages: whoever holds an advisory lock, until its connection ends.

use super::{DispatchMessage, NUMBERED, Numbered, UNNUMBERED, listener, payloads};
use crate::{clock::Clock, store};
use shared_types::ids::WorkspaceId;
use sqlx::{Connection as _, PgConnection, PgPool};
use std::{collections::HashMap, time::Duration};
use tokio_util::sync::CancellationToken;

const LOCK: i64 = 7_014_002;
const PAUSE: Duration = Duration::from_secs(1);

pub(super) async fn run(pool: PgPool, clock: Clock, stop: CancellationToken) {
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => return,
            published = publish(&pool, &clock) => if let Err(error) = published {
                tracing::debug!(%error, "numbering live messages is tried again");
            },
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// Numbers messages as long as this server holds the lock.
async fn publish(pool: &PgPool, clock: &Clock) -> store::Result<()> {
    let mut holder = pool.acquire().await?.detach();
    if !take_lock(&mut holder).await? {
        holder.close().await?;
        return Ok(());
    }
    let mut listener = listener(pool, &[UNNUMBERED]).await?;
    // Numbers follow the clock, so that they grow from one publisher to the next.
    let first = u64::try_from(clock.now().timestamp_millis()).unwrap_or_default() * 1000;
    let mut numbers: HashMap<WorkspaceId, u64> = HashMap::new();
    loop {
        let Some(notification) = listener.try_recv().await? else { return Ok(()) };
        let messages: Vec<DispatchMessage> = serde_json::from_str(notification.payload()).unwrap_or_default();
        let at = clock.now();
        let numbered: Vec<Numbered> = messages
            .into_iter()
            .map(|message| {
                let n = numbers.entry(message.workspace).or_insert(first);
                *n += 1;
                Numbered { n: *n, at, message }
            })
            .collect();
        for payload in payloads(&numbered) {
            // Over the connection that holds the lock: one that lost it sends nothing.
            store::notify(&mut holder, NUMBERED, &payload).await?;
        }
    }
}

async fn take_lock(conn: &mut PgConnection) -> store::Result<bool> {
    store::try_lock(conn, LOCK).await
}
