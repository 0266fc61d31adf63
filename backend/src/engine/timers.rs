//! Timers: the due ones are claimed and applied, then the loop sleeps until the next.

use super::{ApplyError, Engine, Mutation, loops, terminate::TerminationReason};
use crate::{
    dispatch::Loop,
    store::{
        self, StoreError,
        timers::{self, DueTimer},
    },
};
use chrono::Duration as Span;
use futures_util::{StreamExt as _, stream};
use shared_types::{ids::ExecutionId, machine::Input};
use std::{collections::HashMap, time::Duration};

/// How many are claimed together; as many runs are woken beside each other.
const PART: i64 = 256;
/// A claimed timer comes again after this, in case its server died over it.
const CLAIM_SECONDS: i64 = 10;
/// How often a timer's server may end over it before its run is set aside.
const MOST_ATTEMPTS: i32 = 3;
/// The loop looks at least this often: another server may have set a timer.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

pub(super) async fn run(engine: Engine) {
    loop {
        let pause = match tick(&engine).await {
            Ok(pause) => pause,
            Err(error) => {
                tracing::warn!(%error, "timers will be looked at again");
                LONGEST_SLEEP
            }
        };
        if !loops::wait(&engine, Loop::Timers, pause).await {
            return;
        }
    }
}

/// Applies what is due; how long until the next.
async fn tick(engine: &Engine) -> store::Result<Duration> {
    let now = engine.0.clock.now();
    let (due, next) = {
        let mut conn = engine.0.pool.acquire().await?;
        let due = timers::claim_due(&mut conn, now, now + Span::seconds(CLAIM_SECONDS), PART).await?;
        (due, timers::next(&mut conn).await?)
    };
    let all_of_them = i64::try_from(due.len()).unwrap_or_default() < PART;
    let (again, fresh): (Vec<DueTimer>, Vec<DueTimer>) = due.into_iter().partition(|due| due.attempts > 0);
    stream::iter(by_run(fresh))
        .for_each_concurrent(None, async |due| {
            for due in due {
                if let Err(error) = fire(engine, &due).await {
                    tracing::warn!(run.id = %due.execution_id, %error, "a timer comes again");
                }
            }
        })
        .await;
    for due in again {
        if let Err(error) = fire_repeated(engine, &due).await {
            tracing::warn!(run.id = %due.execution_id, %error, "a timer comes again");
        }
    }
    if !all_of_them {
        return Ok(Duration::ZERO);
    }
    let until = next.map(|next| (next - engine.0.clock.now()).to_std().unwrap_or(Duration::ZERO));
    Ok(until.unwrap_or(LONGEST_SLEEP).min(LONGEST_SLEEP))
}

/// The timers of each run together: those of one run are applied one after another, in the order in which they were
/// due, and runs beside each other, so that their changes are committed together.
fn by_run(due: Vec<DueTimer>) -> impl Iterator<Item = Vec<DueTimer>> {
    let mut runs: HashMap<ExecutionId, Vec<DueTimer>> = HashMap::new();
    for due in due {
        runs.entry(due.execution_id).or_default().push(due);
    }
    runs.into_values()
}

/// Applies one that was claimed before and not applied: its server may have ended over it. Such are applied one after
/// the other, each counted before, so that only the one that ends its server again and again is set aside.
async fn fire_repeated(engine: &Engine, due: &DueTimer) -> Result<(), ApplyError> {
    let mut conn = engine.0.pool.acquire().await.map_err(StoreError::from)?;
    let attempts = timers::count_attempt(&mut conn, due).await?;
    drop(conn);
    if attempts.is_some_and(|attempts| attempts > MOST_ATTEMPTS) {
        engine.terminate(due.workspace, due.execution_id, TerminationReason::EndedItsServer).await?;
        return Ok(());
    }
    let rung = fire(engine, due).await;
    let mut conn = engine.0.pool.acquire().await.map_err(StoreError::from)?;
    timers::forget_attempts(&mut conn, due).await?;
    rung
}

/// Applies one; one that its run doesn't know any more is dropped.
async fn fire(engine: &Engine, due: &DueTimer) -> Result<(), ApplyError> {
    let mutation = Mutation::of_input(Input::TimerDue { timer: due.timer.clone() });
    match engine.apply(due.workspace, due.execution_id, &mutation).await {
        Err(ApplyError::Refused(_) | ApplyError::NoRun) => {
            let mut conn = engine.0.pool.acquire().await.map_err(StoreError::from)?;
            Ok(timers::drop_one(&mut conn, due).await?)
        }
        Err(ApplyError::Store(error)) if error.is_lasting() => {
            engine.terminate(due.workspace, due.execution_id, TerminationReason::Store(&error)).await?;
            Ok(())
        }
        done => done,
    }
}
