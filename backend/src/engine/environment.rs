//! What runs have to know of their workspace: read before an input is applied; and when people, absences or calendars
//! change, open requests are looked at again.

use super::{ApplyError, Engine, Mutation, loops};
use crate::{
    dispatch::Loop,
    store::{
        self,
        approvals::{self, StoredApproval},
        calendars,
        environment::{self, UncheckedRequest},
        outreach,
    },
};
use shared_types::{
    approval::{decision::RequestStatus, people::People},
    ids::{ApprovalId, WorkflowId, WorkspaceId},
    machine::{EnvironmentNeeds, Input, InputError, RunEnvironment},
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// How often the loop looks without being woken.
const PAUSE: Duration = Duration::from_secs(5);
/// How many requests are looked at in one go.
const PART: i64 = 200;

impl Engine {
    /// Reads what a run has to know of its workspace to take an input; none where it needs nothing.
    pub(super) async fn environment(
        &self,
        workspace: WorkspaceId,
        needs: &EnvironmentNeeds,
    ) -> store::Result<Option<Arc<RunEnvironment>>> {
        if needs.is_empty() {
            return Ok(None);
        }
        let mut conn = self.0.pool.acquire().await?;
        let mut read = environment::environment(&mut conn, workspace, needs, self.0.clock.now()).await?;
        drop(conn);
        // Read after the version, which every change of a connector raises.
        read.operations = self.0.effects.connectors().bound(workspace, &needs.operations).await?;
        Ok(Some(Arc::new(read)))
    }

    /// The address of whoever made the revision of a run, for an input that may have to tell them.
    pub(super) async fn author_for(
        &self,
        workspace: WorkspaceId,
        input: &Input,
        (workflow_id, revision): (&WorkflowId, i32),
    ) -> store::Result<Option<String>> {
        if !matches!(input, Input::EnvironmentChanged { .. }) {
            return Ok(None);
        }
        let mut conn = self.0.pool.acquire().await?;
        let author = environment::author(&mut conn, workspace, &workflow_id.0, revision).await?;
        // A key, or the server itself, can't be told.
        Ok(author.filter(|author| author.contains('@')))
    }

    /// Wakes the loop that looks at open requests: people, absences or calendars changed.
    pub fn environment_changed(&self) {
        self.0.waking.wake(Loop::Environment);
    }
}

pub(super) async fn run(engine: Engine) {
    loop {
        match tick(&engine).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "open requests will be looked at later"),
        }
        if !loops::wait(&engine, Loop::Environment, PAUSE).await {
            return;
        }
    }
}

/// Looks at some open requests; whether more are to be looked at.
async fn tick(engine: &Engine) -> Result<bool, ApplyError> {
    let unchecked = {
        let mut conn = engine.0.pool.acquire().await.map_err(store::StoreError::from)?;
        environment::count_absences(&mut conn, engine.0.clock.now()).await?;
        environment::unchecked(&mut conn, PART).await?
    };
    if unchecked.is_empty() || engine.0.stop.is_cancelled() {
        return Ok(false);
    }
    let mut by_workspace: BTreeMap<WorkspaceId, Vec<UncheckedRequest>> = BTreeMap::new();
    for request in unchecked {
        by_workspace.entry(request.workspace).or_default().push(request);
    }
    for (workspace, mut requests) in by_workspace {
        let mut failed = Vec::new();
        for request in changed(engine, workspace, &requests).await? {
            let input = Input::EnvironmentChanged { approval_id: request.approval_id };
            match engine.apply(workspace, request.execution_id, &Mutation::of_input(input)).await {
                // Closed meanwhile, or it stands as it did.
                Ok(()) | Err(ApplyError::Refused(InputError::NotExpected | InputError::Ended)) => {}
                Err(error) => {
                    failed.push(request.approval_id);
                    tracing::warn!(%error, approval.id = %request.approval_id, "a request wasn't looked at");
                }
            }
        }
        // What failed is looked at again.
        requests.retain(|request| !failed.contains(&request.approval_id));
        let mut conn = engine.0.pool.acquire().await.map_err(store::StoreError::from)?;
        environment::mark_checked(&mut conn, &requests).await?;
        // Others may come to decide by it: whoever stands in for somebody, or has a role now.
        let concerned: Vec<_> = requests.iter().map(|request| (workspace, request.approval_id)).collect();
        outreach::want(&mut conn, &concerned, engine.0.clock.now()).await?;
        engine.0.waking.wake(Loop::Deliveries);
    }
    Ok(true)
}

/// Those of the requests of a workspace whose open level can be filled no more or again, or whose calendar changed since they
/// were looked at. They are told apart here, so that a change of a person doesn't load every run that asks.
async fn changed<'r>(
    engine: &Engine,
    workspace: WorkspaceId,
    requests: &'r [UncheckedRequest],
) -> store::Result<Vec<&'r UncheckedRequest>> {
    let ids: Vec<_> = requests.iter().map(|request| request.approval_id).collect();
    let mut conn = engine.0.pool.acquire().await?;
    let stored = approvals::some(&mut conn, workspace, &ids).await?;
    let now = engine.0.clock.now();
    let needs = approvals::people_needs(&stored);
    let people = environment::people(&mut conn, workspace, &needs, now).await?;
    let people = People::new(&people, now);
    let mut named: Vec<String> = stored.iter().filter_map(|stored| stored.request.calendar.clone()).collect();
    named.sort();
    named.dedup();
    let versions = calendars::versions(&mut conn, workspace, &named).await?;
    let mut stored: BTreeMap<ApprovalId, StoredApproval> =
        stored.into_iter().map(|stored| (stored.request.approval_id, stored)).collect();
    let mut is_changed = |request: &&UncheckedRequest| {
        let stored = stored.remove(&request.approval_id);
        stored.filter(|stored| stored.status == RequestStatus::Pending).is_some_and(|stored| {
            let counted_in = stored.request.calendar.as_ref().and_then(|name| versions.get(name));
            counted_in.is_some_and(|version| *version > request.checked)
                || stored.policy().stuck(&people) != stored.stuck
        })
    };
    Ok(requests.iter().filter(|request| is_changed(request)).collect())
}
