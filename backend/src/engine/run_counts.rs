//! Counts the runs that began in each slice of time, a minute after it is over, so that beginning one costs nothing more.

use super::{Engine, loops};
use crate::{
    clock,
    store::{
        self,
        run_counts::{self, SLICE_SECONDS, slice_of},
    },
};
use chrono::Duration as Span;
use std::time::Duration;

const PAUSE: Duration = Duration::from_secs(20);
/// How long after a slice's end all its runs are surely written.
const SETTLED_SECONDS: i64 = 60;
/// How many slices are written in one transaction.
const PART: usize = 30;
/// How far back slices are kept, in hours; a day's count needs the last 24.
const KEPT_HOURS: i64 = 25;

pub(super) async fn run(engine: Engine) {
    loop {
        match tick(&engine).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "runs will be counted later"),
        }
        if !loops::pause(&engine, PAUSE).await {
            return;
        }
    }
}

/// Writes some slices; whether more are due.
async fn tick(engine: &Engine) -> store::Result<bool> {
    let now = engine.0.clock.now();
    let kept_from = slice_of(now - Span::hours(KEPT_HOURS));
    let last_end = slice_of(now - Span::seconds(SETTLED_SECONDS));
    let mut transaction = engine.0.pool.begin().await?;
    let Some(counted_until) = run_counts::lock(&mut transaction, kept_from).await? else { return Ok(false) };
    // After a long time without a server nobody asks for what was before.
    let mut until = counted_until.max(kept_from);
    for _ in 0..PART {
        let end = until + Span::seconds(SLICE_SECONDS);
        if end > last_end || engine.0.stop.is_cancelled() {
            break;
        }
        let (from, below) = (clock::first_id_at(until), clock::first_id_at(end));
        run_counts::write(&mut transaction, until, from, below).await?;
        until = end;
    }
    if until > counted_until {
        let (from, below) = (clock::first_id_at(kept_from), clock::first_id_at(until));
        run_counts::write_failed(&mut transaction, from, below).await?;
        run_counts::advance(&mut transaction, until, kept_from).await?;
    }
    transaction.commit().await?;
    Ok(until + Span::seconds(SLICE_SECONDS) <= last_end && !engine.0.stop.is_cancelled())
}
