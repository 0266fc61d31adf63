//! Timers: the due ones are claimed and applied, then the loop sleeps until the next.

use super::{ApplyError, Engine, Given, loops};
use crate::{
    clock,
    store::{self, timers},
};
use chrono::Duration as Span;
use shared_types::machine::Input;
use std::time::Duration;

const PART: i64 = 100;
/// A claimed timer comes again after this, in case its server died over it.
const CLAIM_SECONDS: i64 = 10;
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
        if !loops::wait(&engine, &engine.0.timers, pause).await {
            return;
        }
    }
}

/// Applies what is due; how long until the next.
async fn tick(engine: &Engine) -> store::Result<Duration> {
    let now = clock::now();
    let (due, next) = {
        let mut conn = engine.0.pool.acquire().await?;
        let due = timers::claim_due(&mut conn, now, now + Span::seconds(CLAIM_SECONDS), PART).await?;
        (due, timers::next(&mut conn).await?)
    };
    let all_of_them = i64::try_from(due.len()).unwrap_or_default() < PART;
    for due in due {
        let given = Given::just(Input::TimerDue { timer: due.timer.clone() });
        match engine.apply(due.workspace, due.execution_id, &given).await {
            Ok(()) => {}
            Err(ApplyError::Refused(_) | ApplyError::NoRun) => {
                let mut conn = engine.0.pool.acquire().await?;
                timers::drop_one(&mut conn, due.execution_id, &due.timer).await?;
            }
            Err(error) => tracing::warn!(run.id = %due.execution_id, %error, "a timer comes again"),
        }
    }
    if !all_of_them {
        return Ok(Duration::ZERO);
    }
    let until = next.map(|next| (next - clock::now()).to_std().unwrap_or(Duration::ZERO));
    Ok(until.unwrap_or(LONGEST_SLEEP).min(LONGEST_SLEEP))
}
