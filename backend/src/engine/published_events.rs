//! Events that workflows published: their runs are started here, each event once, whichever server does it.
//!
//! Events are looked at first and held only to be written, so that no second connection is taken inside a transaction.
//! Each event stands for itself, and so does each run that it starts: what can't be stored holds up nothing else.

use super::{
    Engine,
    catalog::{Active, ActiveWorkflow},
    intake::StartedInMemory,
    loops,
};
use crate::{
    dispatch::Loop,
    store::{
        self, StoreError, commit,
        events::{self, Pending},
    },
};
use shared_types::{
    ids::{ExecutionId, WorkspaceId},
    machine::input::{Start, StartFault},
};
use sqlx::{Acquire as _, PgConnection};
use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    sync::Arc,
    time::Duration,
};
use uuid::Uuid;

const PART: i64 = 50;
const LONGEST_SLEEP: Duration = Duration::from_secs(2);
/// The most runs that may descend from one event from outside, by the events that runs publish.
const MAX_DESCENDANTS: u32 = 1_000;

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
        if !loops::wait(&engine, Loop::Published, pause).await {
            return;
        }
    }
}

/// Starts the runs of some events; how many events there were.
async fn tick(engine: &Engine) -> store::Result<usize> {
    let pending = {
        let mut conn = engine.0.pool.acquire().await?;
        events::pending(&mut conn, PART).await?
    };
    match start_all(engine, &pending, false).await {
        Err(error) if error.is_lasting() => {
            tracing::error!(%error, "a run of a published event can't be stored as it starts");
            let mut started = 0;
            for event in &pending {
                started += start_all(engine, std::slice::from_ref(event), true).await?;
            }
            Ok(started)
        }
        started => started,
    }
}

/// An event with the runs that it starts.
struct EventRuns<'p> {
    pending: &'p Pending,
    runs: Vec<StartedInMemory>,
}

/// Starts the runs of these events in one transaction; of how many events. `apart` writes each run by itself, and one
/// that can't be stored as a failed one.
async fn start_all(engine: &Engine, pending: &[Pending], apart: bool) -> store::Result<usize> {
    let mut event_runs = begin_all(engine, pending).await?;
    let mut transaction = engine.0.pool.begin().await?;
    let ids: Vec<Uuid> = pending.iter().map(|pending| pending.id).collect();
    // Those that another server has started meanwhile, or is about to, are left to it.
    let locked = events::hold_pending(&mut transaction, &ids).await?;
    event_runs.retain(|started| locked.contains(&started.pending.id));
    if !count_descendants(&mut transaction, &event_runs).await? {
        // Another server counted beside this one: what descends from these events is counted anew.
        return Ok(pending.len());
    }
    if apart {
        for started in &mut event_runs {
            write_each_alone(engine, &mut transaction, started).await?;
        }
    } else {
        let changes = event_runs.iter().flat_map(|started| &started.runs).map(|run| run.change.as_ref());
        commit::commit(&mut transaction, &[], &changes.collect::<Vec<_>>()).await?;
    }
    let locked: Vec<Uuid> = locked.into_iter().collect();
    events::mark_started(&mut transaction, &locked).await?;
    #[cfg(feature = "faults")]
    if !locked.is_empty() {
        crate::faults::point();
    }
    transaction.commit().await?;
    for EventRuns { pending, runs } in event_runs {
        engine.run_started(pending.workspace, runs);
        engine.offer_to_waits(pending.workspace, Arc::clone(&pending.event)).await;
    }
    Ok(locked.len())
}

/// Starts the runs in memory. What starts runs is read after the events were: a transaction that published an event
/// may have waited behind one that enabled a workflow.
async fn begin_all<'p>(engine: &Engine, pending: &'p [Pending]) -> store::Result<Vec<EventRuns<'p>>> {
    let mut catalogs: HashMap<WorkspaceId, Arc<Active>> = HashMap::new();
    let mut counts: HashMap<Uuid, u32> = HashMap::new();
    let mut event_runs = Vec::with_capacity(pending.len());
    for pending in pending {
        let active = match catalogs.entry(pending.workspace) {
            Entry::Occupied(read) => Arc::clone(read.get()),
            Entry::Vacant(unread) => {
                let active = engine.0.catalog.reload(&engine.0.pool, pending.workspace).await?;
                Arc::clone(unread.insert(active))
            }
        };
        let mut runs = Vec::new();
        for workflow in &active.workflows {
            if !engine.is_started_by(workflow, &pending.event).await {
                continue;
            }
            let count = counts.entry(pending.root).or_insert(pending.family);
            // One run says what happened; more would only be as many again.
            if *count > MAX_DESCENDANTS {
                continue;
            }
            let fault = (*count >= MAX_DESCENDANTS).then(too_many);
            *count += 1;
            runs.push(begin(engine, pending, workflow, fault).await?);
        }
        event_runs.push(EventRuns { pending, runs });
    }
    Ok(event_runs)
}

fn too_many() -> StartFault {
    StartFault {
        code: "limit.descendants".to_owned(),
        message: format!(
            "More than {MAX_DESCENDANTS} runs descend from one event by those that runs publish."
        ),
    }
}

async fn begin(
    engine: &Engine,
    pending: &Pending,
    workflow: &ActiveWorkflow,
    fault: Option<StartFault>,
) -> store::Result<StartedInMemory> {
    let start = Start {
        execution_id: ExecutionId(engine.0.clock.new_id()),
        event: Arc::clone(&pending.event),
        depth: pending.depth,
        limits: engine.0.limits,
        version: shared_types::machine::VERSION,
        unserved: workflow.unserved.to_vec(),
        fault,
    };
    engine.begin(pending.workspace, workflow, start, None, None).await
}

/// Counts the runs to the events from outside from which they descend; false where others counted meanwhile.
async fn count_descendants(conn: &mut PgConnection, event_runs: &[EventRuns<'_>]) -> store::Result<bool> {
    let mut counts: HashMap<Uuid, (WorkspaceId, u32, u32)> = HashMap::new();
    for EventRuns { pending, runs } in event_runs.iter().filter(|started| !started.runs.is_empty()) {
        let (_, _, more) = counts.entry(pending.root).or_insert((pending.workspace, pending.family, 0));
        *more += u32::try_from(runs.len()).unwrap_or(u32::MAX);
    }
    let expected: HashSet<(Uuid, u32)> =
        counts.iter().map(|(root, (_, before, more))| (*root, before + more)).collect();
    let more: Vec<_> = counts.iter().map(|(root, (workspace, _, more))| (*root, *workspace, *more)).collect();
    let counted: HashSet<(Uuid, u32)> = events::count_descendants(conn, &more).await?.into_iter().collect();
    Ok(counted == expected)
}

/// Writes each run of an event by itself. One that can't be stored becomes one that failed as it started.
async fn write_each_alone(
    engine: &Engine,
    conn: &mut PgConnection,
    started: &mut EventRuns<'_>,
) -> store::Result<()> {
    for run in &mut started.runs {
        let mut part = conn.begin().await?;
        let written = commit::commit(&mut part, &[], &[run.change.as_ref()]).await;
        match written {
            Ok(_) => part.commit().await?,
            Err(error) if error.is_lasting() => {
                part.rollback().await?;
                *run = failed(engine, started.pending, run, &error).await?;
                commit::commit(conn, &[], &[run.change.as_ref()]).await?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn failed(
    engine: &Engine,
    pending: &Pending,
    run: &StartedInMemory,
    error: &StoreError,
) -> store::Result<StartedInMemory> {
    tracing::error!(workflow = %run.change.execution.workflow_id, %error, "a run can't be stored as it starts");
    let workflow = ActiveWorkflow {
        workflow_id: run.change.execution.workflow_id.clone(),
        revision: run.change.execution.revision,
        definition: Arc::clone(run.definition()),
        unserved: Arc::default(),
    };
    let fault = StartFault {
        code: "value.unstorable".to_owned(),
        message: "The database can't hold what the run comes to as it starts.".to_owned(),
    };
    begin(engine, pending, &workflow, Some(fault)).await
}
