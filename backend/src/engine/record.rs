//! Records inputs with runs, in transactions of their own, however long the database is away.

use super::{ApplyError, Engine, Mutation, terminate::TerminationReason};
use crate::store::StoreError;
use shared_types::{
    ids::{ExecutionId, WorkspaceId},
    machine::{Input, LoadOutcome, Outcome},
};
use std::time::Duration;

/// The pause before the first retry; each pause is twice as long as the one before.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Whether an input was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recorded {
    /// It is part of the run's journal.
    Done,
    /// The run doesn't wait for it, or has it already.
    Unwanted,
    /// There is no such run, or not yet.
    NoRun,
    /// The server stops, or the run can't be read.
    NotNow,
}

/// Records an input with a run, and tries again for as long as the database is away.
pub(super) async fn record(
    engine: &Engine,
    workspace: WorkspaceId,
    id: ExecutionId,
    mutation: &Mutation,
) -> Recorded {
    let mut pause = FIRST_PAUSE;
    let mut instead = None;
    loop {
        let mutation = instead.as_ref().unwrap_or(mutation);
        match engine.apply(workspace, id, mutation).await {
            Ok(()) => return Recorded::Done,
            Err(ApplyError::Fenced | ApplyError::Outclaimed | ApplyError::Refused(_)) => {
                return Recorded::Unwanted;
            }
            Err(ApplyError::NoRun) => return Recorded::NoRun,
            Err(ApplyError::Store(error)) if error.is_lasting() => match unstorable(mutation, &error) {
                Some(refused) => {
                    instead = Some(refused);
                    continue;
                }
                None => {
                    match Box::pin(engine.terminate(workspace, id, TerminationReason::Store(&error))).await {
                        Ok(_) => return Recorded::Unwanted,
                        Err(error) => tracing::warn!(run.id = %id, %error, "a run is to be set aside again"),
                    }
                }
            },
            Err(error @ (ApplyError::Contended | ApplyError::Store(_))) => {
                tracing::warn!(run.id = %id, %error, "an outcome is to be recorded again");
            }
        }
        // Work whose outcome isn't recorded is done again by the server that takes the run over, under the same key.
        if !pause_before_retry(engine, &mut pause).await {
            return Recorded::NotNow;
        }
    }
}

/// The outcome that replaces one which the database can't hold: it fails the step. `None` if that was tried, or for
/// other inputs.
fn unstorable(mutation: &Mutation, error: &StoreError) -> Option<Mutation> {
    if matches!(error, StoreError::Unreadable { .. }) {
        return None;
    }
    let refused = |what: &str| Outcome::Refused {
        code: "value.unstorable".to_owned(),
        message: format!("The database can't hold what {what} comes to."),
    };
    let input = if let Input::EffectDone { place, index, attempt, took_ms, outcome } = &mutation.input
        && !matches!(outcome, Outcome::Refused { .. })
    {
        let (place, index, attempt, took_ms) = (place.clone(), *index, *attempt, *took_ms);
        Input::EffectDone { place, index, attempt, took_ms, outcome: refused("the step") }
    } else if let Input::Loaded { place, index, attempt, took_ms, outcome } = &mutation.input
        && matches!(outcome, LoadOutcome::Loaded { .. })
    {
        let (place, index, attempt, took_ms) = (place.clone(), *index, *attempt, *took_ms);
        let outcome = LoadOutcome::Failed { outcome: refused("the load"), retry: None };
        Input::Loaded { place, index, attempt, took_ms, outcome }
    } else {
        return None;
    };
    Some(Mutation { epoch: mutation.epoch, ..Mutation::of_input(input) })
}

/// Pauses before something is tried again; false when the server stops.
pub(super) async fn pause_before_retry(engine: &Engine, pause: &mut Duration) -> bool {
    tokio::select! {
        () = engine.0.stop.cancelled() => return false,
        () = tokio::time::sleep(*pause) => {}
    }
    *pause = (*pause * 2).min(LONGEST_PAUSE);
    true
}
