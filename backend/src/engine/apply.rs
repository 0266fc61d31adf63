//! Something happens to a run: read where it stands, apply, write where it still stands there; else again.

use super::{
    Engine,
    assemble::{self, DecisionRecord},
    hot::{HotRun, Kept},
    perform::Work,
    watch::Standing,
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
pub struct Given {
    /// What happens.
    pub input: Input,
    /// For the outcome of a call: the epoch under which it was made.
    pub epoch: Option<i32>,
    /// For a decision: how it is kept with the request.
    pub record: Option<DecisionRecord>,
    /// What is written into the audit log.
    pub audit: Vec<audit::Entry>,
    /// A called run whose change this run hears of with this.
    pub heard: Option<(ExecutionId, i32)>,
}

impl Given {
    /// An input with nothing beside it.
    pub fn just(input: Input) -> Self {
        Self { input, epoch: None, record: None, audit: Vec::new(), heard: None }
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
        given: &Given,
    ) -> Result<(), ApplyError> {
        let mut slot = self.0.hot.lock(id).await;
        let mut result = Err(ApplyError::Contended);
        for _ in 0..MAX_ROUNDS {
            let (hot, is_fresh) = match slot.take() {
                Some(hot) => (hot, false),
                None => match Box::pin(self.load(workspace, id)).await {
                    Ok(hot) if hot.is_set_aside => {
                        result = Err(InputError::Ended.into());
                        break;
                    }
                    Ok(hot) => (hot, true),
                    Err(error) => {
                        result = Err(error);
                        break;
                    }
                },
            };
            match self.round(workspace, id, given, hot).await {
                Round::Written(hot) => {
                    *slot = hot.map(|hot| *hot);
                    result = Ok(());
                    break;
                }
                Round::Overtaken => {}
                // Another server may have changed the run since: it is asked as it stands now.
                Round::Failed(_, ApplyError::Refused(_)) if !is_fresh => {}
                Round::Failed(hot, error) => {
                    *slot = hot.map(|hot| *hot);
                    result = Err(error);
                    break;
                }
            }
        }
        self.0.hot.tidy(id, slot);
        result
    }

    /// Where a run stands, for somebody who looks.
    pub async fn look(&self, workspace: WorkspaceId, id: ExecutionId) -> Result<State, ApplyError> {
        Ok(self.load(workspace, id).await?.run.state().clone())
    }

    /// Performs what a run has out and this server doesn't have under way.
    ///
    /// An outcome is recorded, and its work ended, under the same lock: nothing is out here that was just done.
    pub(super) async fn take_over(&self, workspace: WorkspaceId, id: ExecutionId) -> Result<(), ApplyError> {
        let mut slot = self.0.hot.lock(id).await;
        let loaded = self.load(workspace, id).await;
        let applied = loaded.map(|hot| {
            if hot.is_set_aside {
                return;
            }
            for work in hot.run.open_work().into_iter().filter_map(Work::of) {
                self.perform(workspace, id, hot.epoch, work);
            }
            *slot = hot.run.state().has_open_calls().then_some(hot);
        });
        self.0.hot.tidy(id, slot);
        applied
    }

    pub(super) async fn load(&self, workspace: WorkspaceId, id: ExecutionId) -> Result<HotRun, ApplyError> {
        let loaded = {
            let mut conn = self.0.pool.acquire().await.map_err(StoreError::from)?;
            executions::load(&mut conn, workspace, id).await?.ok_or(ApplyError::NoRun)?
        };
        let definition =
            self.0.catalog.definition(&self.0.pool, workspace, &loaded.workflow_id, loaded.revision).await?;
        let inputs = u32::try_from(loaded.later.len()).unwrap_or_default();
        let kept = Kept { state: loaded.snapshot_bytes, inputs, bytes: loaded.later_bytes };
        let later = loaded.later.iter().map(|(stamp, input)| (stamp, input));
        let snapshot = loaded.snapshot;
        let turns = || match snapshot {
            Some(snapshot) => Run::resume(Arc::clone(&definition), snapshot).catch_up(later),
            None => Run::replay(Arc::clone(&definition), later).map(|(run, _)| run),
        };
        let run = self.0.evaluations.turn(&definition, turns).await?;
        let is_set_aside = loaded.has_ended && run.state().end.is_none();
        Ok(HotRun {
            run,
            is_set_aside,
            workflow_id: loaded.workflow_id,
            revision: loaded.revision,
            seq: loaded.seq,
            epoch: loaded.epoch,
            owners: loaded.owners,
            caller: loaded.caller,
            kept,
        })
    }

    /// One try: apply to the run as read, write it where nothing came between.
    async fn round(&self, workspace: WorkspaceId, id: ExecutionId, given: &Given, hot: HotRun) -> Round {
        match given.epoch.map(|epoch| epoch.cmp(&hot.epoch)) {
            Some(Ordering::Less) => return Round::Failed(None, ApplyError::Fenced),
            // What is in memory is older than the call: it is read again.
            Some(Ordering::Greater) => return Round::Overtaken,
            Some(Ordering::Equal) | None => {}
        }
        let mut hot = hot;
        let before = hot.run.state().status();
        let stamp = clock::stamp();
        let definition = Arc::clone(hot.run.definition());
        let turn = || hot.run.apply(&stamp, &given.input);
        let applied = match self.0.evaluations.turn(&definition, turn).await {
            Ok(applied) => applied,
            Err(refused) => {
                // What is refused changes nothing, so the run in memory is still good.
                let is_own = hot.owners.contains(&self.0.server);
                let keep = is_own.then(|| Box::new(hot));
                return Round::Failed(keep, refused.into());
            }
        };
        let record = given.record.as_ref().map(|record| (record, stamp.at));
        let assembled = assemble::assemble(self, workspace, id, hot.epoch, applied.commands, record).await;
        let (mut follows, mut after) = match assembled {
            Ok(assembled) => assembled,
            Err(error) => return Round::Failed(None, error.into()),
        };
        follows.audit.clone_from(&given.audit);
        follows.heard = given.heard;
        let state = hot.run.state();
        follows.tells_caller =
            hot.caller.as_ref().is_some_and(|caller| caller.awaited) && state.status() != before;
        after.tells_caller = follows.tells_caller.then_some(id);
        let owners = self.owners_after(&hot, !after.work.is_empty());
        let stays = owners.contains(&self.0.server);
        let (kept, facts) = (hot.kept, applied.facts);
        let written = move || {
            let entry = Entry::new(stamp, &given.input, &facts);
            // What has ended is read at most, and then from the journal.
            let stores = state.end.is_none() && kept.is_due(entry.input_bytes(), stays);
            let snapshot = stores.then(|| store::json_text(&SnapshotRef::V1(state)));
            (entry, snapshot)
        };
        let (entry, snapshot) = self.0.evaluations.follow_up(&definition, written).await;
        let input_bytes = entry.input_bytes();
        let change = Arc::new(Change {
            workspace,
            execution: Execution::of(state, &hot.workflow_id, hot.revision),
            base: Base::At { seq: hot.seq, epoch: given.epoch },
            snapshot,
            entries: vec![entry],
            owners: owners.clone(),
            follows,
        });
        let open_request = state.open_request();
        let job = Job { events: Vec::new(), changes: vec![Arc::clone(&change)] };
        let written = match self.0.writer.write(job).await {
            Ok(written) => written,
            Err(error) => return Round::Failed(None, error.into()),
        };
        if !written.runs.contains(&id) {
            return Round::Overtaken;
        }
        hot.seq += 1;
        hot.owners = owners;
        hot.kept = hot.kept.after(input_bytes, change.snapshot.as_ref().map(String::len));
        let settled = change.execution.status != RunStatus::Running;
        self.0
            .watched
            .tell(id, || settled.then(|| Standing { execution: change.execution.clone(), open_request }));
        self.after(workspace, after);
        let is_warm = !stays && change.execution.status != RunStatus::Ended && hot.kept.is_large();
        if is_warm {
            self.0.hot.keep_warm(id, hot.kept.size());
        }
        if stays || is_warm {
            return Round::Written(Some(Box::new(hot)));
        }
        self.0.evaluations.discard(&definition, (hot, change));
        Round::Written(None)
    }

    /// The servers that have the run's calls. Whoever begins calls performs them; those that were out before stay with
    /// whoever began them.
    fn owners_after(&self, hot: &HotRun, begins_calls: bool) -> Vec<uuid::Uuid> {
        if !hot.run.state().has_open_calls() {
            return Vec::new();
        }
        let mut owners = hot.owners.clone();
        if begins_calls && !owners.contains(&self.0.server) {
            owners.push(self.0.server);
        }
        owners
    }
}

/// What a try came to; a run that is still good to use is given back.
enum Round {
    Written(Option<Box<HotRun>>),
    Overtaken,
    Failed(Option<Box<HotRun>>, ApplyError),
}
