//! Events that workflows published: their runs are started here, each event once, whichever server does it.

use super::{Engine, intake::is_started_by, loops};
use crate::store::{self, commit, events};
use shared_types::{ids::WorkspaceId, machine::Event};
use std::{sync::Arc, time::Duration};

const PART: i64 = 50;
const LONGEST_SLEEP: Duration = Duration::from_secs(2);

pub(super) async fn run(engine: Engine) {
    loop {
        let pause = match tick(&engine).await {
            Ok(0) => LONGEST_SLEEP,
            Ok(_) => Duration::ZERO,
            Err(error) => {
                tracing::warn!(%error, "published events will be looked at again");
                LONGEST_SLEEP
            }
        };
        if !loops::wait(&engine, &engine.0.published, pause).await {
            return;
        }
    }
}

/// Starts the runs of some events; how many events there were.
async fn tick(engine: &Engine) -> store::Result<usize> {
    let mut transaction = engine.0.pool.begin().await?;
    let pending = events::claim_pending(&mut transaction, PART).await?;
    let mut started = Vec::new();
    let mut changes = Vec::new();
    let mut offers: Vec<(WorkspaceId, Arc<Event>)> = Vec::new();
    for pending in &pending {
        // Read anew: a transaction that published an event may have waited behind one that enabled a workflow.
        let active = engine.0.catalog.reload(&engine.0.pool, pending.workspace).await?;
        let listening: Vec<_> =
            active.workflows.iter().filter(|w| is_started_by(w, &pending.event)).cloned().collect();
        let runs =
            engine.begin_all(pending.workspace, &listening, &pending.event, pending.depth, None).await?;
        changes.extend(runs.iter().map(|run| Arc::clone(&run.change)));
        started.push((pending.workspace, runs));
        offers.push((pending.workspace, Arc::clone(&pending.event)));
    }
    let changes: Vec<&commit::Change> = changes.iter().map(Arc::as_ref).collect();
    commit::commit(&mut transaction, &[], &changes).await?;
    let ids: Vec<_> = pending.iter().map(|pending| pending.id).collect();
    events::mark_started(&mut transaction, &ids).await?;
    #[cfg(feature = "faults")]
    if !ids.is_empty() {
        crate::faults::point();
    }
    transaction.commit().await?;
    for (workspace, runs) in started {
        engine.go_on(workspace, runs);
    }
    for (workspace, event) in offers {
        engine.offer_to_waits(workspace, event).await;
    }
    Ok(pending.len())
}
