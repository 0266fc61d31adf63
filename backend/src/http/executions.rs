//! Runs: listed, read with their trace, cancelled.

use super::{
    AppState, audit,
    body::{Body, Path, Query},
    idempotency::Claim,
    paging,
    problem::{ApiError, ApiResult},
};
use crate::{
    auth::Caller,
    clock,
    engine::{ApplyError, Given},
    store::{calls, executions, search::Found},
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
    machine::{Fact, Input, Refused, state::RunResult, trace},
};

/// How many facts an execution is read with.
const TRACE_SHOWN: usize = 1000;
/// How many items of a foreach a tree shows.
const ITEMS_SHOWN: u32 = 20;
const MAX_ITEMS_SHOWN: u32 = 2000;

pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<ExecutionQuery>,
) -> ApiResult<Json<Page<Execution>>> {
    let limit = paging::limit(query.limit)?;
    let below = paging::cursor(query.cursor.as_deref())?;
    let mut conn = state.pool.acquire().await?;
    let found = match executions::search(&mut conn, caller.workspace, &query, below, limit).await? {
        Some(found) => found,
        None => Found::all(executions::list(&mut conn, caller.workspace, &query, below, limit).await?),
    };
    let mut page = paging::found(found, limit, |run| run.execution_id.to_string());
    page.items.retain(|run| caller.may_touch(&run.workflow_id));
    Ok(Json(page))
}

pub(super) async fn get(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ExecutionId>,
) -> ApiResult<Json<ExecutionDetail>> {
    let execution = find(&state, &caller, id).await?;
    let (mut trace, called_by) = {
        let mut conn = state.pool.acquire().await?;
        let called_by = calls::caller(&mut conn, caller.workspace, id).await?;
        (executions::trace_after(&mut conn, id, None, TRACE_SHOWN + 1).await?, called_by)
    };
    let has_more = trace.len() > TRACE_SHOWN;
    trace.truncate(TRACE_SHOWN);
    let trace_next_cursor = trace.last().filter(|_| has_more).map(|fact| fact.seq.to_string());
    let run = state.engine.look(caller.workspace, id).await?;
    let context = Value::Object(run.context.as_ref().clone());
    let called_by = called_by.map(|by| CalledBy { execution_id: by.execution_id, step_id: by.place.step });
    Ok(Json(ExecutionDetail { execution, called_by, context, trace, trace_next_cursor }))
}

pub(super) async fn trace(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ExecutionId>,
    Query(query): Query<TraceQuery>,
) -> ApiResult<Json<Page<Fact>>> {
    let limit = paging::limit(query.limit)?;
    let after: Option<u32> = query.cursor.as_deref().map(str::parse).transpose().map_err(|_| {
        ApiError::new(Code::CursorBad, "`cursor` must be the `next_cursor` of an answer, unchanged.")
    })?;
    find(&state, &caller, id).await?;
    let mut conn = state.pool.acquire().await?;
    let most = usize::try_from(limit).unwrap_or_default();
    let trace = executions::trace_after(&mut conn, id, after, most).await?;
    Ok(Json(paging::page(trace, limit, |fact| fact.seq.to_string())))
}

pub(super) async fn tree(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ExecutionId>,
    Query(query): Query<TreeQuery>,
) -> ApiResult<Json<TraceTree>> {
    let items = query.items.unwrap_or(ITEMS_SHOWN);
    if items > MAX_ITEMS_SHOWN {
        let detail = format!("`items` must be at most {MAX_ITEMS_SHOWN}.");
        return Err(ApiError::new(Code::QueryUnreadable, detail));
    }
    find(&state, &caller, id).await?;
    let facts = {
        let mut conn = state.pool.acquire().await?;
        executions::trace(&mut conn, id).await?
    };
    // Facts by the ten thousand are folded beside what else the server does.
    let nodes = tokio::task::spawn_blocking(move || trace::tree(&facts, items as usize)).await;
    let nodes = nodes.map_err(|error| ApiError::new(Code::Internal, error.to_string()))?;
    Ok(Json(TraceTree { at: clock::now(), nodes }))
}

async fn find(state: &AppState, caller: &Caller, id: ExecutionId) -> ApiResult<Execution> {
    let mut conn = state.pool.acquire().await?;
    let found = executions::find(&mut conn, caller.workspace, id).await?;
    found.filter(|run| caller.may_touch(&run.workflow_id)).ok_or_else(ApiError::not_found)
}

pub(super) async fn cancel(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ExecutionId>,
    claim: Claim,
    Body(cancel): Body<Cancel>,
) -> ApiResult<Json<Execution>> {
    find(&state, &caller, id).await?;
    let by = caller.person().map_or_else(|| caller.actor(), |person| person.name.clone());
    let entry =
        audit::entry(&caller, "execution.cancelled", &id.to_string(), json!({ "reason": cancel.reason }));
    let mut given = Given::just(Input::Cancel { by, reason: cancel.reason });
    given.audit.push(entry);
    let applied = state.engine.apply(caller.workspace, id, &given).await;
    let run = find(&state, &caller, id).await?;
    match applied {
        // This request was sent before, and lost its answer.
        Err(ApplyError::Refused(Refused::Ended))
            if claim.is_given() && run.result == Some(RunResult::Cancelled) => {}
        applied => applied?,
    }
    Ok(Json(run))
}
