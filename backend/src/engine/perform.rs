//! A call is made, and its outcome recorded: in a transaction of its own, however long the database is away.

use super::{ApplyError, Engine, Given};
use shared_types::{
    ids::{ExecutionId, WorkspaceId},
    machine::{Call, Input},
};
use std::time::{Duration, Instant};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Makes a call and records what came of it, unless another server took the run over meanwhile.
pub(super) async fn perform(
    engine: &Engine,
    workspace: WorkspaceId,
    execution_id: ExecutionId,
    epoch: i32,
    call: Call,
) {
    let begun = Instant::now();
    let outcome = engine.0.effects.perform(workspace, &call).await;
    #[cfg(feature = "faults")]
    crate::faults::point();
    let took_ms = u32::try_from(begun.elapsed().as_millis()).unwrap_or(u32::MAX);
    metrics::histogram!("iw_call_seconds").record(begun.elapsed().as_secs_f64());
    let (place, index, attempt) = (call.place.clone(), call.index, call.attempt);
    // Its context goes with it: then the run can change its own in place.
    drop(call);
    let input = Input::EffectDone { place, index, attempt, took_ms, outcome };
    let given = Given { input, epoch: Some(epoch), record: None, audit: Vec::new() };
    let mut pause = FIRST_PAUSE;
    loop {
        match engine.apply(workspace, execution_id, &given).await {
            Err(ApplyError::Store(error)) if error.is_unreachable() => {
                tracing::warn!(run.id = %execution_id, %error, "an outcome waits for the database");
            }
            Ok(()) | Err(ApplyError::Fenced | ApplyError::Refused(_) | ApplyError::NoRun) => return,
            Err(error @ (ApplyError::Contended | ApplyError::Store(_))) => {
                tracing::error!(run.id = %execution_id, %error, "an outcome could not be recorded");
                return;
            }
        }
        tokio::select! {
            // What isn't recorded is made again by whoever takes the run over, under the same key.
            () = engine.0.stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
