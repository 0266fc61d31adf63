//! Servers say that they live; what a dead one had in flight is taken over under a higher epoch.

use super::{Engine, child_runs, correlation, loops};
use crate::store::{self, idempotency, owners, servers, sessions};
use chrono::Duration as Span;
use shared_types::ids::{ExecutionId, WorkspaceId};
use std::time::{Duration, Instant};

/// How long a server counts as alive after it last said so, in milliseconds; tests that kill servers wait less.
const ALIVE_MS: i64 = if cfg!(feature = "faults") { 1500 } else { 9000 };
const BEAT: Duration =
    if cfg!(feature = "faults") { Duration::from_millis(300) } else { Duration::from_secs(2) };
const PART: i64 = 100;
/// How often old rows are cleared away.
const CLEAR_EVERY: Duration = Duration::from_mins(10);

/// Makes this server known, and the others forgotten where there can be none.
pub(super) async fn join(engine: &Engine, alone: bool) -> store::Result<()> {
    let mut conn = engine.0.pool.acquire().await?;
    let now = engine.0.clock.now();
    if alone {
        servers::forget_dead(&mut conn, now + Span::days(1)).await?;
    }
    servers::join(&mut conn, engine.0.server, now + Span::milliseconds(ALIVE_MS)).await
}

pub(super) async fn run(engine: Engine) {
    let mut cleared_at = Instant::now();
    loop {
        if let Err(error) = renew_lease_and_take_over(&engine).await {
            tracing::warn!(%error, "this server could not say that it lives");
        }
        if cleared_at.elapsed() > CLEAR_EVERY {
            cleared_at = Instant::now();
            if let Err(error) = clear_old_rows(&engine).await {
                tracing::warn!(%error, "old rows will be cleared away later");
            }
        }
        if !loops::pause(&engine, BEAT).await {
            return;
        }
    }
}

async fn renew_lease_and_take_over(engine: &Engine) -> store::Result<()> {
    renew_lease(engine).await?;
    let died = {
        let mut conn = engine.0.pool.acquire().await?;
        servers::forget_dead(&mut conn, engine.0.clock.now()).await?
    };
    let taken = take_over_from_the_dead(engine).await?;
    let is_rechecked = recheck_own_runs(engine).await?;
    if taken > 0 || is_rechecked || died > 0 {
        engine.0.loops.spawn(correlation::match_all_waits(engine.clone()));
        engine.0.loops.spawn(child_runs::resume_unfinished(engine.clone()));
    }
    Ok(())
}

/// Says that this server lives.
async fn renew_lease(engine: &Engine) -> store::Result<()> {
    let mut conn = engine.0.pool.acquire().await?;
    let until = engine.0.clock.now() + Span::milliseconds(ALIVE_MS);
    if !servers::renew(&mut conn, engine.0.server, until).await? {
        // Others took this server for dead. What it holds in memory may be old; its epochs are.
        tracing::warn!("this server was taken for dead; it begins anew");
        engine.0.resident.clear();
        servers::join(&mut conn, engine.0.server, until).await?;
    }
    Ok(())
}

/// Makes the open calls of runs whose server has died, under a higher epoch; how many runs these were.
async fn take_over_from_the_dead(engine: &Engine) -> store::Result<usize> {
    if !engine.0.role.performs() {
        return Ok(0);
    }
    let reclaimed = async {
        let mut conn = engine.0.pool.acquire().await?;
        owners::reclaim(&mut conn, engine.0.server, PART).await
    };
    // One whose answer was lost may stand: then these calls are this server's.
    let reclaimed = reclaimed.await.inspect_err(|_| engine.0.recheck.request())?;
    let count = reclaimed.len();
    resume_all(engine, reclaimed);
    Ok(count)
}

/// Looks for calls that this server should have in flight and hasn't, where that was asked for; false where not.
async fn recheck_own_runs(engine: &Engine) -> store::Result<bool> {
    if !engine.0.recheck.take_request() {
        return Ok(false);
    }
    let owned = async {
        let mut conn = engine.0.pool.acquire().await?;
        owners::owned(&mut conn, engine.0.server).await
    };
    match owned.await {
        Ok(own) => resume_all(engine, own),
        Err(error) => {
            engine.0.recheck.request();
            return Err(error);
        }
    }
    Ok(true)
}

/// Makes the open calls of runs, again under their old attempt's number and key; what is in flight here stays. Each run by
/// itself, so that one that takes long holds up no other.
pub(super) fn resume_all(engine: &Engine, runs: Vec<(WorkspaceId, ExecutionId)>) {
    for (workspace, id) in runs {
        let engine = engine.clone();
        engine.clone().0.tasks.spawn(async move {
            if let Err(error) = engine.resume_open_calls(workspace, id).await {
                tracing::error!(run.id = %id, %error, "a run could not be taken over; it is tried again");
                engine.0.recheck.request();
            }
        });
    }
}

async fn clear_old_rows(engine: &Engine) -> store::Result<()> {
    let mut conn = engine.0.pool.acquire().await?;
    idempotency::forget(&mut conn, engine.0.clock.now() - Span::days(7)).await?;
    sessions::forget_old(&mut conn, engine.0.clock.now() - Span::days(1)).await?;
    Ok(())
}

/// Hands back what this server owns.
pub(super) async fn leave(engine: &Engine) {
    let left = async {
        let mut conn = engine.0.pool.acquire().await?;
        owners::hand_back(&mut conn, engine.0.server).await
    };
    if let Err(error) = left.await {
        tracing::warn!(%error, "what is in flight is taken over when this server's time has run out");
    }
}
