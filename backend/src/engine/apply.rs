//! Something happens to a run: read where it stands, apply, write where it still stands there; else again.

use super::{
    Engine,
    perform::Work,
    plan::{self, DecisionRecord},
    resident::{ResidentRun, SnapshotLag},
    watch::RunSummary,
    writer::Job,
};
use crate::{
    clock,
    store::{
        self, StoreError, audit,
        commit::{Base, Change, Entry},
        executions,
    },
};
use shared_types::{
    api::executions::Execution,
    ids::{ExecutionId, WorkspaceId},
    machine::{Input, InputError, Run, RunStatus, SnapshotRef, State},
};
use std::{cmp::Ordering, sync::Arc};

/// How often a change is tried against others before it gives up; each round, one of them got through.
const MAX_ROUNDS: u32 = 100;

/// What happens to a run, with what is written beside it.
#[derive(Debug)]
pub struct Mutation {
    /// What happens.
    pub input: Input,
    /// For the outcome of a call: the epoch under which it was made.
    pub epoch: Option<i32>,
    /// For a decision: how it is kept with the request.
    pub record: Option<DecisionRecord>,
    /// What is written into the audit log.
    pub audit: Vec<audit::Entry>,
    /// A called run whose change this run hears of with this.
    pub child_notified: Option<(ExecutionId, i32)>,
}

impl Mutation {
    /// An input with nothing beside it.
    pub fn of_input(input: Input) -> Self {
        Self { input, epoch: None, record: None, audit: Vec::new(), child_notified: None }
    }
}

/// Why it changed nothing.
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
    /// Others changed the run all the time.
    #[error("the run is changed by too many at once")]
    Contended,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Applies what happens to a run, durably; what follows is under way when this returns.
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
                    Ok(resident) if resident.is_set_aside => {
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
                // Another server may have changed the run since: it is asked as it stands now.
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

    /// Where a run stands, for somebody who looks.
    pub async fn read_state(&self, workspace: WorkspaceId, id: ExecutionId) -> Result<State, ApplyError> {
        Ok(self.load(workspace, id).await?.run.state().clone())
    }

    /// Performs what a run has out and this server doesn't have under way.
    ///
    /// An outcome is recorded, and its work ended, under the same lock: nothing is out here that was just done.
    pub(super) async fn take_over(&self, workspace: WorkspaceId, id: ExecutionId) -> Result<(), ApplyError> {
        let mut slot = self.0.resident.lock(id).await;
        let loaded = self.load(workspace, id).await;
        let applied = loaded.map(|resident| {
            if resident.is_set_aside {
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
        let is_set_aside = loaded.has_ended && run.state().end.is_none();
        Ok(ResidentRun {
            run,
            is_set_aside,
            workflow_id: loaded.workflow_id,
            revision: loaded.revision,
            seq: loaded.seq,
            epoch: loaded.epoch,
            owners: loaded.owners,
            parent: loaded.parent,
            lag,
        })
    }

    /// One try: apply to the run as read, write it where nothing came between.
    async fn attempt(
        &self,
        workspace: WorkspaceId,
        id: ExecutionId,
        mutation: &Mutation,
        resident: ResidentRun,
    ) -> Attempt {
        match mutation.epoch.map(|epoch| epoch.cmp(&resident.epoch)) {
            Some(Ordering::Less) => return Attempt::Failed(None, ApplyError::Fenced),
            // What is in memory is older than the call: it is read again.
            Some(Ordering::Greater) => return Attempt::Overtaken,
            Some(Ordering::Equal) | None => {}
        }
        let mut resident = resident;
        let before = resident.run.state().status();
        let stamp = clock::stamp();
        let definition = Arc::clone(resident.run.definition());
        let turn = || resident.run.apply(&stamp, &mutation.input);
        let applied = match self.0.evaluations.turn(&definition, turn).await {
            Ok(applied) => applied,
            Err(refused) => {
                // What is refused changes nothing, so the run in memory is still good.
                let is_own = resident.owners.contains(&self.0.server);
                let keep = is_own.then(|| Box::new(resident));
                return Attempt::Failed(keep, refused.into());
            }
        };
        let record = mutation.record.as_ref().map(|record| (record, stamp.at));
        let assembled = plan::plan(self, workspace, id, resident.epoch, applied.commands, record).await;
        let (mut side_rows, mut post_commit) = match assembled {
            Ok(assembled) => assembled,
            Err(error) => return Attempt::Failed(None, error.into()),
        };
        side_rows.audit.clone_from(&mutation.audit);
        side_rows.child_notified = mutation.child_notified;
        let state = resident.run.state();
        side_rows.notifies_parent =
            resident.parent.as_ref().is_some_and(|parent| parent.awaited) && state.status() != before;
        post_commit.tells_caller = side_rows.notifies_parent.then_some(id);
        let owners = self.owners_after(&resident, !post_commit.work.is_empty());
        let stays = owners.contains(&self.0.server);
        let (lag, facts) = (resident.lag, applied.facts);
        let written = move || {
            let entry = Entry::new(stamp, &mutation.input, &facts);
            // What has ended is read at most, and then from the journal.
            let stores = state.end.is_none() && lag.is_due(entry.input_bytes(), stays);
            let snapshot = stores.then(|| store::json_text(&SnapshotRef::V1(state)));
            (entry, snapshot)
        };
        let (entry, snapshot) = self.0.evaluations.follow_up(&definition, written).await;
        let input_bytes = entry.input_bytes();
        let change = Arc::new(Change {
            workspace,
            execution: Execution::of(state, &resident.workflow_id, resident.revision),
            base: Base::At { seq: resident.seq, epoch: mutation.epoch },
            snapshot,
            entries: vec![entry],
            owners: owners.clone(),
            side_rows,
        });
        let open_request = state.open_request();
        let job = Job { events: Vec::new(), changes: vec![Arc::clone(&change)] };
        let written = match self.0.writer.write(job).await {
            Ok(written) => written,
            Err(error) => return Attempt::Failed(None, error.into()),
        };
        if !written.runs.contains(&id) {
            return Attempt::Overtaken;
        }
        resident.seq += 1;
        resident.owners = owners;
        resident.lag = resident.lag.after(input_bytes, change.snapshot.as_ref().map(String::len));
        let settled = change.execution.status != RunStatus::Running;
        self.0.watched.publish(id, || {
            settled.then(|| RunSummary { execution: change.execution.clone(), open_request })
        });
        self.post_commit(workspace, post_commit);
        let is_warm = !stays && change.execution.status != RunStatus::Ended && resident.lag.is_large();
        if is_warm {
            self.0.resident.retain(id, resident.lag.size());
        }
        if stays || is_warm {
            return Attempt::Written(Some(Box::new(resident)));
        }
        self.0.evaluations.discard(&definition, (resident, change));
        Attempt::Written(None)
    }

    /// The servers that have the run's calls. Whoever begins calls performs them; those that were out before stay with
    /// whoever began them.
    fn owners_after(&self, resident: &ResidentRun, begins_calls: bool) -> Vec<uuid::Uuid> {
        if !resident.run.state().has_open_calls() {
            return Vec::new();
        }
        let mut owners = resident.owners.clone();
        if begins_calls && !owners.contains(&self.0.server) {
            owners.push(self.0.server);
        }
        owners
    }
}

/// What a try came to; a run that is still good to use is given back.
enum Attempt {
    Written(Option<Box<ResidentRun>>),
    Overtaken,
    Failed(Option<Box<ResidentRun>>, ApplyError),
}
