//! Servers say that they live; what a dead one had in flight is taken over under a higher epoch.

use super::{Engine, child_runs, correlation, loops};
use crate::{
    clock,
    store::{self, executions, idempotency, servers, sessions},
};
use chrono::Duration as Span;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// How long a server counts as alive after it last said so, in milliseconds; tests that kill servers wait less.
const ALIVE_MS: i64 = if cfg!(feature = "faults") { 1500 } else { 9000 };
const BEAT: Duration =
    if cfg!(feature = "faults") { Duration::from_millis(300) } else { Duration::from_secs(2) };
const PART: i64 = 100;
/// How often old rows are cleared away.
const SWEEP: Duration = Duration::from_mins(10);

/// Makes this server known, and the others forgotten where there can be none.
pub(super) async fn join(engine: &Engine, alone: bool) -> store::Result<()> {
    let mut conn = engine.0.pool.acquire().await?;
    let now = clock::now();
    if alone {
        servers::forget_dead(&mut conn, now + Span::days(1)).await?;
    }
    servers::join(&mut conn, engine.0.server, now + Span::milliseconds(ALIVE_MS)).await
}

pub(super) async fn run(engine: Engine) {
    let unsignalled = Notify::new();
    let mut swept = Instant::now();
    loop {
        if let Err(error) = heartbeat(&engine).await {
            tracing::warn!(%error, "this server could not say that it lives");
        }
        if swept.elapsed() > SWEEP {
            swept = Instant::now();
            if let Err(error) = sweep(&engine).await {
                tracing::warn!(%error, "old rows will be cleared away later");
            }
        }
        if !loops::wait(&engine, &unsignalled, BEAT).await {
            return;
        }
    }
}

async fn heartbeat(engine: &Engine) -> store::Result<()> {
    let mut conn = engine.0.pool.acquire().await?;
    let until = clock::now() + Span::milliseconds(ALIVE_MS);
    if !servers::renew(&mut conn, engine.0.server, until).await? {
        // Others took this server for dead. What it holds in memory may be old; its epochs are.
        tracing::warn!("this server was taken for dead; it begins anew");
        engine.0.resident.clear();
        servers::join(&mut conn, engine.0.server, until).await?;
    }
    let died = servers::forget_dead(&mut conn, clock::now()).await?;
    let mut reclaimed = executions::reclaim(&mut conn, engine.0.server, PART).await?;
    let is_requested = engine.0.recheck.take_request();
    if is_requested {
        match executions::owned(&mut conn, engine.0.server).await {
            Ok(own) => reclaimed.extend(own),
            Err(error) => {
                engine.0.recheck.request();
                return Err(error);
            }
        }
    }
    drop(conn);
    if reclaimed.is_empty() && !is_requested && died == 0 {
        return Ok(());
    }
    tracing::info!(runs = reclaimed.len(), "looks for calls that nobody makes any more");
    for (workspace, id) in reclaimed {
        // Calls are made again under their old attempt's number and key.
        if let Err(error) = engine.take_over(workspace, id).await {
            tracing::error!(run.id = %id, %error, "a run could not be taken over; it is tried again");
            engine.0.recheck.request();
        }
    }
    engine.0.loops.spawn(correlation::look_again(engine.clone()));
    engine.0.loops.spawn(child_runs::look_again(engine.clone()));
    Ok(())
}

async fn sweep(engine: &Engine) -> store::Result<()> {
    let mut conn = engine.0.pool.acquire().await?;
    idempotency::forget(&mut conn, clock::now() - Span::days(7)).await?;
    sessions::forget_old(&mut conn, clock::now() - Span::days(1)).await?;
    Ok(())
}

/// Hands back what this server owns.
pub(super) async fn leave(engine: &Engine) {
    let left = async {
        let mut conn = engine.0.pool.acquire().await?;
        executions::hand_back(&mut conn, engine.0.server).await
    };
    if let Err(error) = left.await {
        tracing::warn!(%error, "what is in flight is taken over when this server's time has run out");
    }
}
