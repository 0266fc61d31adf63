//! Applies an input to a run: read it at `seq` n, apply in memory, write if `seq` is still n; else again.

use super::{
    Engine,
    perform::Work,
    plan::{self, PostCommit},
    resident::{ResidentRun, SnapshotLag},
    watch::RunSummary,
    writer::Job,
};
use crate::store::{
    self, StoreError, audit,
    commit::{Base, Change, Entry, Owners},
    executions,
};
use shared_types::{
    api::executions::Execution,
    ids::{ExecutionId, WorkspaceId},
    machine::{Applied, Input, InputError, Run, RunStatus, SnapshotRef, Stamp, State},
};
use std::{cmp::Ordering, sync::Arc};
use uuid::Uuid;

/// How often an input is applied anew when other servers change the run at the same time.
const MAX_ROUNDS: u32 = 100;

/// An input for a run, with what is written beside it.
#[derive(Debug)]
pub struct Mutation {
    /// The input of the machine.
    pub input: Input,
    /// For the outcome of a call: the epoch of the run when the call was made.
    pub epoch: Option<i32>,
    /// For a decision: its `Idempotency-Key`.
    pub decision_key: Option<String>,
    /// Entries for the audit log.
    pub audit: Vec<audit::Entry>,
    /// For an event that came before the run started: its own id, which the run claims.
    pub claimed_event: Option<Uuid>,
    /// For news of a child run: the child, and the `seq` of its change.
    pub child_notified: Option<(ExecutionId, i32)>,
}

impl Mutation {
    /// An input with nothing beside it.
    pub fn of_input(input: Input) -> Self {
        Self {
            input,
            epoch: None,
            decision_key: None,
            audit: Vec::new(),
            claimed_event: None,
            child_notified: None,
        }
    }
}

/// Why an input changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// There is no such run in the workspace.
    #[error("there is no such run")]
    NoRun,
    /// The machine refused it.
    #[error(transparent)]
    Refused(#[from] InputError),
    /// The call belongs to another server since.
    #[error("the call belongs to another server since")]
    Fenced,
    /// Another run has taken the event.
    #[error("another run has taken the event")]
    Outclaimed,
    /// Others changed the run all the time.
    #[error("the run is changed by too many at once")]
    Contended,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Applies an input to a run, durably. When this returns, the change is committed and the work that follows from it
    /// has begun.
    ///
    /// Two things can come between reading a run and writing it. On this server, the lock of the run's slot puts changes
    /// in line. Between servers, the row's `seq` decides: the update names the `seq` that was read, and changes nothing
    /// if another server was faster. Then the run is read again and the input is applied to what it is now, up to
    /// [`MAX_ROUNDS`] times; in each round somebody's change gets through.
    ///
    /// A run that is in memory may be older than its row. A refusal by such a run is therefore no answer: the run is
    /// read from the database and asked again. Only a run that was just read refuses for good.
    #[tracing::instrument(level = "debug", skip_all, fields(run.id = %id))]
    pub async fn apply(
        &self,
        workspace: WorkspaceId,
        id: ExecutionId,
        mutation: &Mutation,
    ) -> Result<(), ApplyError> {
        let mut slot = self.0.resident.lock(id).await;
        let mut result = Err(ApplyError::Contended);
        for _ in 0..MAX_ROUNDS {
            let (resident, is_fresh) = match slot.take() {
                Some(resident) => (resident, false),
                None => match Box::pin(self.load(workspace, id)).await {
                    Ok(resident) if resident.is_terminated => {
                        result = Err(InputError::Ended.into());
                        break;
                    }
                    Ok(resident) => (resident, true),
                    Err(error) => {
                        result = Err(error);
                        break;
                    }
                },
            };
            match self.attempt(workspace, id, mutation, resident).await {
                Attempt::Written(resident) => {
                    *slot = resident.map(|resident| *resident);
                    result = Ok(());
                    break;
                }
                Attempt::Overtaken => {}
                Attempt::Failed(_, ApplyError::Refused(_)) if !is_fresh => {}
                Attempt::Failed(resident, error) => {
                    *slot = resident.map(|resident| *resident);
                    result = Err(error);
                    break;
                }
            }
        }
        self.0.resident.release(id, slot);
        result
    }

    /// The state of a run as it is stored.
    pub async fn read_state(&self, workspace: WorkspaceId, id: ExecutionId) -> Result<State, ApplyError> {
        Ok(self.load(workspace, id).await?.run.state().clone())
    }

    /// Performs the open work of a run that this server doesn't have in flight.
    ///
    /// Outcomes are recorded, and their work ended, under the same lock: no work is open here that was just done.
    #[tracing::instrument(level = "debug", skip_all, fields(run.id = %id))]
    pub(super) async fn resume_open_calls(
        &self,
        workspace: WorkspaceId,
        id: ExecutionId,
    ) -> Result<(), ApplyError> {
        let mut slot = self.0.resident.lock(id).await;
        let loaded = self.load(workspace, id).await;
        let applied = loaded.map(|resident| {
            if resident.is_terminated {
                return;
            }
            for work in resident.run.open_work().into_iter().filter_map(Work::of) {
                self.perform(workspace, id, resident.epoch, work);
            }
            *slot = resident.run.state().has_open_calls().then_some(resident);
        });
        self.0.resident.release(id, slot);
        applied
    }

    pub(super) async fn load(
        &self,
        workspace: WorkspaceId,
        id: ExecutionId,
    ) -> Result<ResidentRun, ApplyError> {
        let loaded = {
            let mut conn = self.0.pool.acquire().await.map_err(StoreError::from)?;
            executions::load(&mut conn, workspace, id).await?.ok_or(ApplyError::NoRun)?
        };
        let definition =
            self.0.catalog.definition(&self.0.pool, workspace, &loaded.workflow_id, loaded.revision).await?;
        let inputs = u32::try_from(loaded.later.len()).unwrap_or_default();
        let lag = SnapshotLag { state: loaded.snapshot_bytes, inputs, bytes: loaded.later_bytes };
        let later = loaded.later.iter().map(|(stamp, input)| (stamp, input));
        let snapshot = loaded.snapshot;
        let turns = || match snapshot {
            Some(snapshot) => Run::resume(Arc::clone(&definition), snapshot).catch_up(later),
            None => Run::replay(Arc::clone(&definition), later).map(|(run, _)| run),
        };
        let run = self.0.evaluations.turn(&definition, turns).await?;
        let is_terminated = loaded.has_ended && run.state().end.is_none();
        Ok(ResidentRun {
            run,
            is_terminated,
            workflow_id: loaded.workflow_id,
            revision: loaded.revision,
            seq: loaded.seq,
            epoch: loaded.epoch,
            is_owned: loaded.owners.contains(&self.0.server),
            parent: loaded.parent,
            lag,
        })
    }

    /// One attempt: check the fence, apply, plan what follows, write, publish.
    async fn attempt(
        &self,
        workspace: WorkspaceId,
        id: ExecutionId,
        mutation: &Mutation,
        mut resident: ResidentRun,
    ) -> Attempt {
        match mutation.epoch.map(|epoch| epoch.cmp(&resident.epoch)) {
            // The run was taken over since the call was made: its outcome belongs to nobody.
            Some(Ordering::Less) => return Attempt::Failed(None, ApplyError::Fenced),
            // The run in memory is from before it was taken over.
            Some(Ordering::Greater) => return Attempt::Overtaken,
            Some(Ordering::Equal) | None => {}
        }
        let status_before = resident.run.state().status();
        let stamp = match self.stamp_of(workspace, &mutation.input, &resident).await {
            Ok(stamp) => stamp,
            Err(error) => return Attempt::Failed(None, error.into()),
        };
        let definition = Arc::clone(resident.run.definition());
        let transition = || resident.run.apply(&stamp, &mutation.input);
        let applied = match self.0.evaluations.turn(&definition, transition).await {
            Ok(applied) => applied,
            Err(refused) => {
                // A refused input changes nothing, so the run in memory is still good.
                return Attempt::Failed(resident.is_owned.then(|| Box::new(resident)), refused.into());
            }
        };
        let prepared = self.prepare(workspace, mutation, &resident, (stamp, status_before, applied)).await;
        let (change, post_commit) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => return Attempt::Failed(None, error.into()),
        };
        let open_request = resident.run.state().open_request();
        let job = Job { events: Vec::new(), changes: vec![Arc::clone(&change)] };
        match self.0.writer.write(job).await {
            Ok(written) if written.runs.contains(&id) => {}
            Ok(written) if written.outclaimed.contains(&id) => {
                return Attempt::Failed(None, ApplyError::Outclaimed);
            }
            Ok(_) => return Attempt::Overtaken,
            Err(error) => return Attempt::Failed(None, error.into()),
        }
        let is_settled = change.execution.status != RunStatus::Running;
        self.0.watched.publish(id, || {
            is_settled.then(|| RunSummary { execution: change.execution.clone(), open_request })
        });
        self.post_commit(workspace, post_commit);
        self.keep_in_memory(id, resident, change)
    }

    /// The stamp of an input, with what the run has to know of its workspace. Where that changes before the change is
    /// written, nothing is written, and the input is applied again.
    async fn stamp_of(
        &self,
        workspace: WorkspaceId,
        input: &Input,
        resident: &ResidentRun,
    ) -> store::Result<Stamp> {
        let needs = resident.run.environment_needs(input);
        let stamp = self.0.clock.stamp();
        if needs.is_empty() {
            return Ok(stamp);
        }
        let mut environment = Box::pin(self.environment(workspace, &needs)).await?;
        let revision = (&resident.workflow_id, resident.revision);
        if let Some(environment) = environment.as_mut().and_then(Arc::get_mut) {
            environment.author = Box::pin(self.author_for(workspace, input, revision)).await?;
        }
        Ok(Stamp { environment, ..stamp })
    }

    /// Plans what is written with a change that was applied in memory, and what follows once it is committed.
    async fn prepare(
        &self,
        workspace: WorkspaceId,
        mutation: &Mutation,
        resident: &ResidentRun,
        (stamp, status_before, applied): (Stamp, RunStatus, Applied),
    ) -> store::Result<(Arc<Change>, PostCommit)> {
        let state = resident.run.state();
        let id = state.execution_id;
        let (mut side_rows, mut post_commit) = plan::plan(
            self,
            workspace,
            id,
            resident.epoch,
            applied.commands,
            mutation.decision_key.as_deref(),
        )
        .await?;
        side_rows.audit = plan::audit_entries(&mutation.audit, &side_rows.decisions);
        side_rows.claimed_event = mutation.claimed_event;
        side_rows.child_notified = mutation.child_notified;
        side_rows.notifies_parent =
            resident.parent.as_ref().is_some_and(|parent| parent.awaited) && state.status() != status_before;
        post_commit.notifies_parent = side_rows.notifies_parent.then_some(id);
        let owners = self.owners_after(resident, !post_commit.work.is_empty());
        let stays_in_memory = self.is_owned_after(resident, owners);
        let (lag, facts) = (resident.lag, applied.facts);
        let to_text = move || {
            let entry = Entry::new(stamp, &mutation.input, &facts);
            // A run that has ended is only read, and then from its journal: it needs no snapshot.
            let needs_snapshot = state.end.is_none() && lag.is_due(entry.input_bytes(), stays_in_memory);
            let snapshot = needs_snapshot.then(|| store::json_text(&SnapshotRef::V1(state)));
            (entry, snapshot)
        };
        let (entry, snapshot) = self.0.evaluations.follow_up(resident.run.definition(), to_text).await;
        let change = Change {
            workspace,
            execution: Execution::of(state, &resident.workflow_id, resident.revision),
            base: Base::At { seq: resident.seq, epoch: resident.epoch },
            snapshot,
            entries: vec![entry],
            owners,
            side_rows,
        };
        Ok((Arc::new(change), post_commit))
    }

    /// Keeps a run in memory after its change was written, if it has calls in flight here or is large.
    fn keep_in_memory(&self, id: ExecutionId, mut resident: ResidentRun, change: Arc<Change>) -> Attempt {
        resident.seq += 1;
        resident.is_owned = self.is_owned_after(&resident, change.owners);
        resident.lag = resident.lag.after(change.input_bytes(), change.snapshot.as_ref().map(String::len));
        if resident.is_owned {
            return Attempt::Written(Some(Box::new(resident)));
        }
        if change.execution.status != RunStatus::Ended && resident.lag.is_large() {
            self.0.resident.retain(id, resident.lag.size());
            return Attempt::Written(Some(Box::new(resident)));
        }
        let definition = Arc::clone(resident.run.definition());
        self.0.evaluations.discard(&definition, (resident, change));
        Attempt::Written(None)
    }

    /// Who performs the run's calls after a change: those that began calls still in flight, and whoever performs the calls
    /// that the change begins.
    fn owners_after(&self, resident: &ResidentRun, begins_calls: bool) -> Owners {
        if !resident.run.state().has_open_calls() {
            Owners::None
        } else if begins_calls {
            self.performer()
        } else {
            Owners::Unchanged
        }
    }

    /// Whether this server performs calls of the run after a change.
    fn is_owned_after(&self, resident: &ResidentRun, owners: Owners) -> bool {
        match owners {
            Owners::None => false,
            Owners::Unchanged | Owners::AddNobody => resident.is_owned,
            Owners::Add(server) => resident.is_owned || server == self.0.server,
        }
    }
}

/// The outcome of an attempt; a run that may stay in memory is given back.
enum Attempt {
    /// The change is committed.
    Written(Option<Box<ResidentRun>>),
    /// The row had another `seq` than the run that was changed: read it again.
    Overtaken,
    /// Nothing was written.
    Failed(Option<Box<ResidentRun>>, ApplyError),
}
