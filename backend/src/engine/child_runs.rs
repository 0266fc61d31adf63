//! Child runs: each is started once, its parent is notified of its changes, and it is stopped if the parent's step ends. What
//! is still to be done stands in the table `child_runs`, and any server does it after a crash.

use super::{
    ApplyError, Engine, Mutation,
    catalog::{Active, ActiveWorkflow},
    record::{Recorded, record},
    writer::Job,
};
use crate::store::{self, child_runs, child_runs::ParentRun, commit::NewEvent, executions, workflows};
use serde_json::{Map, Value};
use shared_types::{
    ids::{ExecutionId, WorkspaceId},
    machine::{
        ChildStatus, Event, Input, RunStatus, StartRun, State, VERSION, child_run::ChildEnd, input::Start,
    },
    workflow::{approval::FormField, document::Trigger, scope::is_reserved},
};
use std::sync::Arc;

/// Starts a child run. Returns an input for the parent if the parent must be notified at once.
pub(super) async fn begin(
    engine: &Engine,
    workspace: WorkspaceId,
    parent: ExecutionId,
    start: &StartRun,
) -> store::Result<Option<Mutation>> {
    if is_there(engine, workspace, start).await? {
        return Ok(begun(start));
    }
    let mut active = engine.0.catalog.active(&engine.0.pool, workspace).await?;
    loop {
        let Some(workflow) = find(&active, start) else {
            // What is remembered may be old; what is read now is not.
            active = engine.0.catalog.reload(&engine.0.pool, workspace).await?;
            if find(&active, start).is_some() {
                continue;
            }
            return Ok(Some(refused(start, not_on(engine, workspace, start).await?)));
        };
        if start.revision.is_some_and(|approved| approved != workflow.revision) {
            // What is remembered may be old; the current revision may be the approved one.
            active = engine.0.catalog.reload(&engine.0.pool, workspace).await?;
            let current = find(&active, start).map(|workflow| workflow.revision);
            match current {
                None => continue,
                Some(current) if start.revision == Some(current) => continue,
                Some(revision) => {
                    return Ok(Some(Mutation::of_input(input(
                        start,
                        ChildStatus::OtherRevision { revision },
                    ))));
                }
            }
        }
        if let Some(fault) = input_fault(&workflow, &start.input) {
            return Ok(Some(refused(start, ("call.input", fault))));
        }
        match write(engine, workspace, parent, start, &workflow, active.version).await? {
            ChildStart::Stale => active = engine.0.catalog.reload(&engine.0.pool, workspace).await?,
            ChildStart::Before => {
                // What became of it since an earlier attempt.
                engine.stop_and_notify(workspace, start.execution_id);
                break;
            }
            ChildStart::Begun => {
                #[cfg(feature = "faults")]
                crate::faults::point();
                // Whoever called it may have given up before it was there.
                let mut conn = engine.0.pool.acquire().await?;
                if child_runs::stop_reason(&mut conn, workspace, start.execution_id).await?.is_some() {
                    engine.stop_and_notify(workspace, start.execution_id);
                }
                break;
            }
        }
    }
    Ok(begun(start))
}

/// The notification for a parent that waits for the start only.
fn begun(start: &StartRun) -> Option<Mutation> {
    (!start.awaited).then(|| Mutation::of_input(input(start, ChildStatus::Started)))
}

/// True if the child was started before, or must not start any more. A child that exists is settled.
async fn is_there(engine: &Engine, workspace: WorkspaceId, start: &StartRun) -> store::Result<bool> {
    let child = start.execution_id;
    let mut conn = engine.0.pool.acquire().await?;
    let is_there = executions::find(&mut conn, workspace, child).await?.is_some();
    let is_unwanted = !is_there && child_runs::stop_reason(&mut conn, workspace, child).await?.is_some();
    if is_unwanted {
        // It never started, so there is nothing to end.
        child_runs::stopped(&mut conn, workspace, child).await?;
    }
    drop(conn);
    if is_there {
        engine.stop_and_notify(workspace, child);
    }
    Ok(is_there || is_unwanted)
}

enum ChildStart {
    Begun,
    Before,
    Stale,
}

async fn write(
    engine: &Engine,
    workspace: WorkspaceId,
    parent: ExecutionId,
    start: &StartRun,
    workflow: &ActiveWorkflow,
    version: i64,
) -> store::Result<ChildStart> {
    let event = Arc::new(Event {
        kind: "manual".to_owned(),
        id: start.event_id.clone(),
        source: Some(format!("execution:{parent}")),
        time: engine.0.clock.now(),
        requester: start.requester.clone(),
        payload: start.input.clone(),
    });
    let row = engine.0.clock.new_id();
    let publisher = Some(parent);
    let parent = ParentRun { execution_id: parent, place: start.place.clone(), awaited: start.awaited };
    let run = Start {
        execution_id: start.execution_id,
        event: Arc::clone(&event),
        depth: start.depth,
        limits: engine.0.limits,
        version: VERSION,
        unserved: workflow.unserved.to_vec(),
        fault: None,
    };
    let begun = engine.begin(workspace, workflow, run, Some(parent), Some(row)).await?;
    let event = NewEvent {
        id: row,
        workspace,
        event,
        content_hash: Vec::new(),
        depth: start.depth,
        pending: false,
        publisher,
        catalog_version: Some(version),
    };
    let job = Job { events: vec![event], changes: vec![Arc::clone(&begun.change)] };
    let written = engine.0.writer.write(job).await?;
    if written.stale.contains(&row) {
        return Ok(ChildStart::Stale);
    }
    if !written.events.contains(&row) {
        return Ok(ChildStart::Before);
    }
    engine.run_started(workspace, vec![begun]);
    Ok(ChildStart::Begun)
}

fn find(active: &Active, start: &StartRun) -> Option<ActiveWorkflow> {
    active.workflows.iter().find(|workflow| workflow.workflow_id == start.workflow_id).cloned()
}

fn input(start: &StartRun, child_status: ChildStatus) -> Input {
    Input::Child { place: start.place.clone(), seq: 1, status: child_status }
}

fn refused(start: &StartRun, (code, message): (&'static str, String)) -> Mutation {
    Mutation::of_input(input(start, ChildStatus::Refused { code: code.to_owned(), message }))
}

/// Why a workflow that isn't on can't be run.
async fn not_on(
    engine: &Engine,
    workspace: WorkspaceId,
    start: &StartRun,
) -> store::Result<(&'static str, String)> {
    let id = &start.workflow_id;
    let mut conn = engine.0.pool.acquire().await?;
    Ok(match workflows::find(&mut conn, workspace, id, None).await? {
        None => ("call.unknown", format!("There is no workflow {id}.")),
        Some(workflow) if workflow.archived_at.is_some() => {
            ("call.archived", format!("The workflow {id} is archived."))
        }
        Some(_) => ("call.disabled", format!("The workflow {id} is disabled.")),
    })
}

/// Why an input isn't what a workflow's form asks for.
fn input_fault(workflow: &ActiveWorkflow, input: &Map<String, Value>) -> Option<String> {
    let Trigger::Manual { form } = &workflow.definition.document().trigger else { return None };
    let faults = FormField::field_faults(form, input);
    let first = faults.first()?;
    Some(format!("The input for {}: {first}", workflow.workflow_id))
}

/// Ends a called run that is to end, and tells its caller what it is still to hear.
pub(super) async fn stop_and_notify(engine: &Engine, workspace: WorkspaceId, child: ExecutionId) {
    if let Err(error) = try_settle(engine, workspace, child).await {
        tracing::warn!(run.id = %child, %error, "a called run will be looked at again");
        engine.0.recheck.request();
    }
}

async fn try_settle(engine: &Engine, workspace: WorkspaceId, child: ExecutionId) -> store::Result<()> {
    let (stop, parent) = {
        let mut conn = engine.0.pool.acquire().await?;
        let stop = child_runs::stop_reason(&mut conn, workspace, child).await?;
        (stop, child_runs::parent(&mut conn, workspace, child).await?)
    };
    if let Some(because) = stop {
        let by = "the run that called it".to_owned();
        let mutation = Mutation::of_input(Input::Cancel { by, reason: Some(because) });
        return match record(engine, workspace, child, &mutation).await {
            Recorded::Done | Recorded::Unwanted => {
                let mut conn = engine.0.pool.acquire().await?;
                child_runs::stopped(&mut conn, workspace, child).await
            }
            // A run that isn't there yet looks for this itself when it is.
            Recorded::NoRun => Ok(()),
            Recorded::NotNow => {
                engine.0.recheck.request();
                Ok(())
            }
        };
    }
    let Some(parent) = parent.filter(|parent| parent.awaited) else { return Ok(()) };
    let resident = match engine.load(workspace, child).await {
        Ok(resident) => resident,
        Err(ApplyError::Store(error)) => return Err(error),
        Err(_) => return Ok(()),
    };
    let child_status = child_status(resident.run.state());
    let input = Input::Child { place: parent.place, seq: resident.seq, status: child_status };
    let mutation = Mutation { child_notified: Some((child, resident.seq)), ..Mutation::of_input(input) };
    match record(engine, workspace, parent.execution_id, &mutation).await {
        Recorded::Done => Ok(()),
        Recorded::NotNow => {
            engine.0.recheck.request();
            Ok(())
        }
        Recorded::Unwanted | Recorded::NoRun => {
            let mut conn = engine.0.pool.acquire().await?;
            child_runs::parent_notified(&mut conn, workspace, child, resident.seq).await
        }
    }
}

fn child_status(state: &State) -> ChildStatus {
    let Some(end) = &state.end else {
        return if state.status() == RunStatus::Running {
            ChildStatus::Working
        } else {
            ChildStatus::Waiting
        };
    };
    let brought = state.context.get("event");
    let is_own = |name: &str, value: &Value| {
        !is_reserved(name) && brought.and_then(|event| event.get(name)) != Some(value)
    };
    let own = state.context.iter().filter(|(name, value)| is_own(name, value));
    ChildStatus::Ended(Box::new(ChildEnd {
        result: end.result,
        decision: state.decision,
        reason: state.reason.clone(),
        values: own.map(|(name, value)| (name.clone(), value.clone())).collect(),
    }))
}

/// Looks for what a server that died left undone.
pub(super) async fn resume_unfinished(engine: Engine) {
    let undone = async {
        let mut conn = engine.0.pool.acquire().await?;
        child_runs::pending(&mut conn).await
    };
    match undone.await {
        Ok(undone) => {
            for (workspace, child) in undone {
                stop_and_notify(&engine, workspace, child).await;
            }
        }
        Err(error) => {
            tracing::warn!(%error, "called runs will be looked at again");
            engine.0.recheck.request();
        }
    }
}
