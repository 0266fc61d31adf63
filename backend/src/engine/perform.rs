//! Performs the work that a run commands: calls of effects, child runs to start, rules to read.

use super::{
    Engine, Mutation, child_runs,
    record::{FIRST_PAUSE, pause_before_retry, record},
};
use crate::store::{self, rules};
use shared_types::{
    ids::{ExecutionId, WorkspaceId},
    machine::{Command, EffectCall, Input, LoadCall, StartRun, StepAddress},
    workflow::rule::Rule,
};
use std::time::Instant;

/// Work that a run has commanded and waits for.
#[derive(Debug)]
pub(super) enum Work {
    /// A call of something outside.
    Call(Box<EffectCall>),
    /// A run of another workflow.
    Run(Box<StartRun>),
    /// What a document loads before its first step.
    Load(Box<LoadCall>),
    /// A stored rule.
    Rule { place: StepAddress, rule_id: String },
}

impl Work {
    /// The work of a command, if it has any.
    pub(super) fn of(command: Command) -> Option<Self> {
        match command {
            Command::Perform(call) => Some(Self::Call(call)),
            Command::StartRun(start) => Some(Self::Run(start)),
            Command::Load(load) => Some(Self::Load(load)),
            Command::ReadRule { place, rule_id } => Some(Self::Rule { place, rule_id }),
            Command::StopRun { .. }
            | Command::SetTimer { .. }
            | Command::ClearTimer { .. }
            | Command::Ask { .. }
            | Command::RecordDecision { .. }
            | Command::VoidDecisions { .. }
            | Command::UpdateRequest(_)
            | Command::Close { .. }
            | Command::AwaitEvent(_)
            | Command::StopAwaiting { .. }
            | Command::Notify(_)
            | Command::Publish { .. }
            | Command::Finish(_) => None,
        }
    }
}

/// Performs work and records its outcome, unless another server took the run over.
#[tracing::instrument(level = "debug", skip_all, fields(run.id = %execution_id))]
pub(super) async fn perform(
    engine: &Engine,
    workspace: WorkspaceId,
    execution_id: ExecutionId,
    epoch: i32,
    work: Work,
) {
    let mutation = match work {
        Work::Call(call) => Some(make(engine, (workspace, execution_id), epoch, *call).await),
        Work::Load(call) => Some(load(engine, (workspace, execution_id), epoch, *call).await),
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

async fn make(
    engine: &Engine,
    (workspace, execution_id): (WorkspaceId, ExecutionId),
    epoch: i32,
    call: EffectCall,
) -> Mutation {
    let begun = Instant::now();
    let outcome = engine.0.effects.perform(workspace, execution_id, &call).await;
    #[cfg(feature = "faults")]
    crate::faults::point();
    let took_ms = u32::try_from(begun.elapsed().as_millis()).unwrap_or(u32::MAX);
    metrics::histogram!("iw_call_seconds").record(begun.elapsed().as_secs_f64());
    // The call's context goes here: then the run can change its own in place.
    let EffectCall { place, index, attempt, .. } = call;
    let input = Input::EffectDone { place, index, attempt, took_ms, outcome };
    Mutation { epoch: Some(epoch), ..Mutation::of_input(input) }
}

async fn load(
    engine: &Engine,
    (workspace, execution_id): (WorkspaceId, ExecutionId),
    epoch: i32,
    call: LoadCall,
) -> Mutation {
    let begun = Instant::now();
    let outcome = Box::pin(engine.0.effects.load(workspace, execution_id, &call)).await;
    #[cfg(feature = "faults")]
    crate::faults::point();
    let took_ms = u32::try_from(begun.elapsed().as_millis()).unwrap_or(u32::MAX);
    metrics::histogram!("iw_load_seconds").record(begun.elapsed().as_secs_f64());
    let LoadCall { place, index, attempt, .. } = call;
    let input = Input::Loaded { place, index, attempt, took_ms, outcome };
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

/// Tries until the database answers. `None` if there is nothing to record, or the server stops.
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
        if !pause_before_retry(engine, &mut pause).await {
            return None;
        }
    }
}
