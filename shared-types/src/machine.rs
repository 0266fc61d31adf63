//! The run machine: the one place that knows what a step means.
//!
//! It does no IO. [`Run::apply`] takes what happened (an effect's outcome, a timer, an event, a decision, a
//! cancel) with its time and an id, and gives back commands for whoever drives it and facts for people.
//! The same inputs give the same state, commands and facts, byte for byte: the server's engine, the
//! desktop's simulator, a workflow's own tests and replays all run this code.
//!
//! Where a run stands is a tree of [`frames::Frame`]s, each with an address ([`StepAddress`]) that timers, idempotency
//! keys and facts carry. Secrets never enter: an effect's [`command::EffectCall`] carries its template with the frozen
//! context, and the effects' side renders it at the last moment.

mod address;
mod approval;
mod cancellation;
pub mod child_run;
pub mod command;
mod completion;
mod conditions;
mod context_writes;
mod definition;
mod effects;
mod emit;
pub mod environment;
pub mod event;
pub mod fact;
mod fail;
pub mod failure;
mod foreach;
mod frame_tree;
pub mod frames;
pub mod input;
pub mod limits;
mod loading;
mod outcomes;
mod parallel;
mod preview;
pub mod request;
mod resolved_effects;
pub mod result;
mod retry;
pub mod review;
mod set;
pub mod simulate;
pub mod state;
pub mod subworkflow;
pub mod supported;
mod texts;
pub mod trace;
mod transition;
mod version;
mod wait;
mod way_ahead;
mod withdraw;

pub use address::{LOADING, StepAddress};
pub use approval::ladder;
pub use child_run::ChildStatus;
pub use command::{Applied, Command, EffectCall, LoadCall, StartRun};
pub use definition::Definition;
pub use environment::{EnvironmentNeeds, RunEnvironment};
pub use event::Event;
pub use fact::{Fact, StepState};
pub use failure::RunError;
pub use input::{Input, LoadOutcome, Outcome, Stamp, Timer};
pub use limits::Limits;
pub use result::RunDecision;
pub use retry::retry_after;
pub use state::{RunStatus, Snapshot, SnapshotRef, State};
pub use version::VERSION;

use crate::approval::{handover::HandoverRefused, policy::DecisionRefused};
use std::sync::Arc;
use transition::Transition;

/// The deepest chain of runs that set each other off by events.
pub const MAX_DEPTH: u32 = 16;

/// One run: its definition and where it stands.
#[derive(Debug, Clone)]
pub struct Run {
    definition: Arc<Definition>,
    state: State,
}

/// Why an input changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// The run has ended.
    #[error("the run has ended")]
    Ended,
    /// Nothing in the run stands where the input belongs.
    #[error("nothing waits for this")]
    NotExpected,
    /// A start for a run that has started.
    #[error("the run has started")]
    Started,
    /// The policy of the request doesn't take the decision.
    #[error(transparent)]
    Decision(#[from] DecisionRefused),
    /// The policy of the request doesn't let the person hand over their place.
    #[error(transparent)]
    Handover(#[from] HandoverRefused),
}

impl Run {
    /// Starts a run and takes it as far as it goes by itself.
    pub fn start(definition: Arc<Definition>, stamp: &Stamp, start: &input::Start) -> (Self, Applied) {
        let mut state = State::new(start, stamp.at);
        let mut turn = Transition::new(&definition, &mut state, stamp);
        turn.start(start);
        let applied = turn.finish();
        (Self { definition, state }, applied)
    }

    /// Takes up a run where a snapshot left it.
    pub fn resume(definition: Arc<Definition>, snapshot: Snapshot) -> Self {
        let Snapshot::V1(state) = snapshot;
        Self { definition, state: *state }
    }

    /// Takes what the journal has after the snapshot.
    ///
    /// # Errors
    /// When the journal has an input that the machine refuses.
    pub fn catch_up<'j>(
        mut self,
        journal: impl IntoIterator<Item = (&'j Stamp, &'j Input)>,
    ) -> Result<Self, InputError> {
        for (stamp, input) in journal {
            self.apply(stamp, input)?;
        }
        Ok(self)
    }

    /// Takes up a run by applying its journal again.
    ///
    /// # Errors
    /// When the journal doesn't begin with a start, or has an input that the machine refuses.
    pub fn replay<'j>(
        definition: Arc<Definition>,
        journal: impl IntoIterator<Item = (&'j Stamp, &'j Input)>,
    ) -> Result<(Self, Vec<Applied>), InputError> {
        let mut journal = journal.into_iter();
        let Some((stamp, Input::Start(start))) = journal.next() else { return Err(InputError::NotExpected) };
        let (mut run, first) = Self::start(definition, stamp, start);
        let mut applied = vec![first];
        for (stamp, input) in journal {
            applied.push(run.apply(stamp, input)?);
        }
        Ok((run, applied))
    }

    /// Takes what happened.
    ///
    /// # Errors
    /// When the input changes nothing; the state is then as before. An outcome that comes too late is no
    /// error: it is recorded as late.
    pub fn apply(&mut self, stamp: &Stamp, input: &Input) -> Result<Applied, InputError> {
        let mut turn = Transition::new(&self.definition, &mut self.state, stamp);
        match input {
            Input::Start(_) => return Err(InputError::Started),
            Input::EffectDone { place, index, attempt, took_ms, outcome } => {
                turn.effect_done(place, *index, *attempt, *took_ms, outcome)?;
            }
            Input::TimerDue { timer } => turn.timer_due(timer)?,
            Input::EventArrived { place, event } => turn.event_arrived(place, event)?,
            Input::Decided { approval_id, decision } => turn.decided(*approval_id, decision)?,
            Input::Retracted { approval_id, by, name, level } => {
                turn.retracted(*approval_id, by, name, level.as_deref())?;
            }
            Input::HandedOver { approval_id, by, name, to, comment } => {
                turn.handed_over(*approval_id, (by, name), to, comment.as_deref())?;
            }
            Input::EnvironmentChanged { approval_id } => turn.environment_changed(*approval_id)?,
            Input::Loaded { place, index, attempt, took_ms, outcome } => {
                turn.loaded(place, *index, *attempt, *took_ms, outcome)?;
            }
            Input::RuleRead { place, rule } => turn.rule_read(place, rule.as_deref())?,
            Input::Child { place, seq, status: stands } => turn.child_changed(place, *seq, stands)?,
            Input::Cancel { by, reason } => turn.cancel(by, reason.as_deref())?,
        }
        Ok(turn.finish())
    }

    /// What of its workspace the run has to know to take an input.
    pub fn environment_needs(&self, input: &Input) -> EnvironmentNeeds {
        self.definition.environment_needs(&self.state, input)
    }

    /// Where the run stands.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Where the run stands, to be stored.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::V1(Box::new(self.state.clone()))
    }

    /// What it runs.
    pub fn definition(&self) -> &Arc<Definition> {
        &self.definition
    }

    /// What is out, as it was commanded: for a worker that takes over.
    pub fn open_work(&self) -> Vec<Command> {
        effects::open_work(&self.definition, &self.state)
    }
}
