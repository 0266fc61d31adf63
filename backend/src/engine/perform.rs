//! What a run has asked for is done, and what came of it recorded: in a transaction of its own, however long
//! the database is away.

use super::{ApplyError, Engine, Mutation, child_runs, set_aside::Because};
use crate::store::{self, StoreError, rules};
use shared_types::{
    ids::{ExecutionId, WorkspaceId},
    machine::{Command, EffectCall, Input, Outcome, StartRun, StepAddress},
    workflow::rule::Rule,
};
use std::time::{Duration, Instant};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What a run has asked for and waits for.
#[derive(Debug)]
pub(super) enum Work {
    /// A call of something outside.
    Call(Box<EffectCall>),
    /// A run of another workflow.
    Run(Box<StartRun>),
    /// A stored rule.
    Rule { place: StepAddress, rule_id: String },
}

impl Work {
    /// The work that a command asks for, if it asks for any.
    pub(super) fn of(command: Command) -> Option<Self> {
        match command {
            Command::Perform(call) => Some(Self::Call(call)),
            Command::StartRun(start) => Some(Self::Run(start)),
            Command::ReadRule { place, rule_id } => Some(Self::Rule { place, rule_id }),
            Command::StopRun { .. }
            | Command::SetTimer { .. }
            | Command::ClearTimer { .. }
            | Command::Ask(_)
            | Command::Close { .. }
            | Command::AwaitEvent(_)
            | Command::StopAwaiting { .. }
            | Command::Notify(_)
            | Command::Publish { .. }
            | Command::Finish(_) => None,
        }
    }
}

/// Does what a run has asked for and records what came of it, unless another server took the run over.
pub(super) async fn perform(
    engine: &Engine,
    workspace: WorkspaceId,
    execution_id: ExecutionId,
    epoch: i32,
    work: Work,
) {
    let mutation = match work {
        Work::Call(call) => Some(make(engine, workspace, epoch, *call).await),
        Work::Run(start) => {
            let begun = retried(engine, || child_runs::begin(engine, workspace, execution_id, &start));
            Box::pin(begun).await
        }
        Work::Rule { place, rule_id } => {
            let read = Box::pin(retried(engine, || read_rule(engine, workspace, &rule_id)));
            read.await.map(|rule| Mutation::of_input(Input::RuleRead { place, rule: rule.map(Box::new) }))
        }
    };
    if let Some(mutation) = mutation {
        record(engine, workspace, execution_id, &mutation).await;
    }
}

async fn make(engine: &Engine, workspace: WorkspaceId, epoch: i32, call: EffectCall) -> Mutation {
    let begun = Instant::now();
    let outcome = engine.0.effects.perform(workspace, &call).await;
    #[cfg(feature = "faults")]
    crate::faults::point();
    let took_ms = u32::try_from(begun.elapsed().as_millis()).unwrap_or(u32::MAX);
    metrics::histogram!("iw_call_seconds").record(begun.elapsed().as_secs_f64());
    // The call's context goes here: then the run can change its own in place.
    let EffectCall { place, index, attempt, .. } = call;
    let input = Input::EffectDone { place, index, attempt, took_ms, outcome };
    Mutation { epoch: Some(epoch), ..Mutation::of_input(input) }
}

async fn read_rule(
    engine: &Engine,
    workspace: WorkspaceId,
    rule_id: &str,
) -> store::Result<Option<Option<Rule>>> {
    let mut conn = engine.0.pool.acquire().await?;
    Ok(Some(rules::latest(&mut conn, workspace, rule_id).await?))
}

/// Tries until the database answers; nothing where there is nothing to record, or the server stops.
async fn retried<T, F: Future<Output = store::Result<Option<T>>>>(
    engine: &Engine,
    attempt: impl Fn() -> F,
) -> Option<T> {
    let mut pause = FIRST_PAUSE;
    loop {
        match attempt().await {
            Ok(done) => return done,
            Err(error) => tracing::warn!(%error, "what a run asked for is tried again"),
        }
        if !rest(engine, &mut pause).await {
            return None;
        }
    }
}

/// What became of something that was to be recorded with a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recorded {
    /// It is part of the run.
    Done,
    /// The run doesn't wait for it, or knows it already.
    Unwanted,
    /// There is no such run, or not yet.
    NoRun,
    /// The server stops, or the run can't be read.
    NotNow,
}

/// Records what came of something, however long the database is away.
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
            Err(ApplyError::Fenced | ApplyError::Refused(_)) => return Recorded::Unwanted,
            Err(ApplyError::NoRun) => return Recorded::NoRun,
            Err(ApplyError::Store(error)) if error.is_lasting() => match unstorable(mutation, &error) {
                Some(refused) => {
                    instead = Some(refused);
                    continue;
                }
                None => match Box::pin(engine.set_aside(workspace, id, Because::Store(&error))).await {
                    Ok(_) => return Recorded::Unwanted,
                    Err(error) => tracing::warn!(run.id = %id, %error, "a run is to be set aside again"),
                },
            },
            Err(error @ (ApplyError::Contended | ApplyError::Store(_))) => {
                tracing::warn!(run.id = %id, %error, "an outcome is to be recorded again");
            }
        }
        // What isn't recorded is done again by whoever takes the run over, under the same key.
        if !rest(engine, &mut pause).await {
            return Recorded::NotNow;
        }
    }
}

/// A call's outcome that can't be stored, as one that fails its step; nothing where that was tried, or for other inputs.
fn unstorable(mutation: &Mutation, error: &StoreError) -> Option<Mutation> {
    let Input::EffectDone { place, index, attempt, took_ms, outcome } = &mutation.input else { return None };
    if matches!(outcome, Outcome::Refused { .. }) || matches!(error, StoreError::Unreadable { .. }) {
        return None;
    }
    let outcome = Outcome::Refused {
        code: "value.unstorable".to_owned(),
        message: "The database can't hold what the step comes to.".to_owned(),
    };
    let (place, index, attempt, took_ms) = (place.clone(), *index, *attempt, *took_ms);
    let input = Input::EffectDone { place, index, attempt, took_ms, outcome };
    Some(Mutation { epoch: mutation.epoch, ..Mutation::of_input(input) })
}

/// Pauses before something is tried again; false when the server stops.
async fn rest(engine: &Engine, pause: &mut Duration) -> bool {
    tokio::select! {
        () = engine.0.stop.cancelled() => return false,
        () = tokio::time::sleep(*pause) => {}
    }
    *pause = (*pause * 2).min(LONGEST_PAUSE);
    true
}
