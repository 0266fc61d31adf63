//! Runs: listed, read with their trace, cancelled.

use super::{
    AppState,
    body::Body,
    idempotency::IdempotencyKey,
    paging::Paging,
    params::{Path, Query},
    problem::{ApiError, ApiResult},
};
use crate::{
    audit,
    auth::Principal,
    engine::{ApplyError, Mutation, TerminationReason},
    store::{child_runs, executions, search::Found},
};
use axum::{Json, extract::State};
use serde_json::{Value, json};
use shared_types::{
    api::{
        Page,
        executions::{
            CalledBy, Cancel, Execution, ExecutionDetail, ExecutionQuery, TraceQuery, TraceTree, TreeQuery,
        },
        problem::Code,
    },
    ids::ExecutionId,
    machine::{Fact, Input, InputError, result::RunResult, trace},
};

/// How many facts an execution is read with.
const TRACE_SHOWN: usize = 1000;
/// How many items of a foreach a tree shows.
const ITEMS_SHOWN: u32 = 20;

pub(super) async fn list(
    State(state): State<AppState>,
    principal: Principal,
    Query(query): Query<ExecutionQuery>,
) -> ApiResult<Json<Page<Execution>>> {
    let paging = Paging::of(&state, &principal, "executions", query.limit);
    let below = paging.after(query.cursor.as_deref())?;
    let only = principal.only_workflows();
    let mut conn = state.pool.acquire().await?;
    let (workspace, only, limit) = (principal.workspace, only.as_deref(), paging.to_read());
    let found = match executions::search(&mut conn, workspace, &query, only, below, limit).await? {
        Some(found) => found,
        None => Found::all(executions::list(&mut conn, workspace, &query, only, below, limit).await?),
    };
    Ok(Json(paging.found(found, |run| run.execution_id.to_string())))
}

pub(super) async fn get(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<ExecutionId>,
) -> ApiResult<Json<ExecutionDetail>> {
    let execution = find(&state, &principal, id).await?;
    let (mut trace, called_by) = {
        let mut conn = state.pool.acquire().await?;
        let called_by = child_runs::parent(&mut conn, principal.workspace, id).await?;
        (executions::trace_after(&mut conn, principal.workspace, id, None, TRACE_SHOWN + 1).await?, called_by)
    };
    let has_more = trace.len() > TRACE_SHOWN;
    trace.truncate(TRACE_SHOWN);
    let paging = trace_paging(&state, &principal, id, None);
    let trace_next_cursor =
        trace.last().filter(|_| has_more).map(|fact| paging.cursor(&fact.seq.to_string()));
    let context = match state.engine.read_state(principal.workspace, id).await {
        Ok(run) => Value::Object(run.context.as_ref().clone()),
        // What else is known of it is shown all the same.
        Err(ApplyError::Store(error)) if error.is_lasting() => {
            tracing::error!(run.id = %id, %error, "a run's state can't be read");
            json!({})
        }
        Err(error) => return Err(error.into()),
    };
    let called_by = called_by.map(|by| CalledBy { execution_id: by.execution_id, step_id: by.place.step });
    Ok(Json(ExecutionDetail { execution, called_by, context, trace, trace_next_cursor }))
}

pub(super) async fn trace(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<ExecutionId>,
    Query(query): Query<TraceQuery>,
) -> ApiResult<Json<Page<Fact>>> {
    let paging = trace_paging(&state, &principal, id, query.limit);
    let after: Option<u32> = paging.after(query.cursor.as_deref())?;
    find(&state, &principal, id).await?;
    let mut conn = state.pool.acquire().await?;
    let most = usize::try_from(paging.to_read()).unwrap_or_default();
    let trace = executions::trace_after(&mut conn, principal.workspace, id, after, most).await?;
    Ok(Json(paging.page(trace, |fact| fact.seq.to_string())))
}

/// The parts of one run's trace: a cursor of another run's means nothing in it.
fn trace_paging(state: &AppState, principal: &Principal, id: ExecutionId, limit: Option<u32>) -> Paging {
    Paging::of(state, principal, &format!("executions/{id}/trace"), limit)
}

pub(super) async fn tree(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<ExecutionId>,
    Query(query): Query<TreeQuery>,
) -> ApiResult<Json<TraceTree>> {
    let items = query.items.unwrap_or(ITEMS_SHOWN);
    find(&state, &principal, id).await?;
    let facts = {
        let mut conn = state.pool.acquire().await?;
        executions::trace(&mut conn, principal.workspace, id).await?
    };
    // Facts by the ten thousand are folded beside what else the server does.
    let nodes = tokio::task::spawn_blocking(move || trace::tree(&facts, items as usize)).await;
    let nodes = nodes.map_err(|error| ApiError::new(Code::Internal, error.to_string()))?;
    Ok(Json(TraceTree { at: state.clock.now(), nodes }))
}

async fn find(state: &AppState, principal: &Principal, id: ExecutionId) -> ApiResult<Execution> {
    let mut conn = state.pool.acquire().await?;
    let found = executions::find(&mut conn, principal.workspace, id).await?;
    found.filter(|run| principal.may_touch(&run.workflow_id)).ok_or_else(ApiError::not_found)
}

pub(super) async fn cancel(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<ExecutionId>,
    claim: IdempotencyKey,
    Body(cancel): Body<Cancel>,
) -> ApiResult<Json<Execution>> {
    find(&state, &principal, id).await?;
    let by = principal.person().map_or_else(|| principal.actor(), |person| person.name.clone());
    let entry = audit::entry(
        &state.clock,
        &principal,
        "execution.cancelled",
        &id.to_string(),
        json!({ "reason": cancel.reason }),
    );
    let because = match cancel.reason.as_deref().filter(|reason| !reason.is_empty()) {
        Some(reason) => format!("Cancelled by {by}: “{reason}”"),
        None => format!("Cancelled by {by}"),
    };
    let mut mutation = Mutation::of_input(Input::Cancel { by, reason: cancel.reason });
    mutation.audit.push(entry.clone());
    let applied = state.engine.apply(principal.workspace, id, &mutation).await;
    if let Err(ApplyError::Store(error)) = &applied
        && error.is_lasting()
    {
        // It can't be asked; it ends all the same.
        let because = TerminationReason::Cancelled { reason: because, audit: entry };
        if !state.engine.terminate(principal.workspace, id, because).await? {
            return Err(ApplyError::Refused(InputError::Ended).into());
        }
        return Ok(Json(find(&state, &principal, id).await?));
    }
    let run = find(&state, &principal, id).await?;
    match applied {
        // This request was sent before, and lost its answer.
        Err(ApplyError::Refused(InputError::Ended))
            if claim.is_given() && run.result == Some(RunResult::Cancelled) => {}
        applied => applied?,
    }
    Ok(Json(run))
}
