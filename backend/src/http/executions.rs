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
    engine::{ApplyError, Given},
    store::executions,
};
use axum::{Json, extract::State};
use serde_json::{Value, json};
use shared_types::{
    api::{
        Page,
        executions::{Cancel, Execution, ExecutionDetail, ExecutionQuery},
    },
    ids::ExecutionId,
    machine::{Input, Refused, state::RunResult},
};

pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<ExecutionQuery>,
) -> ApiResult<Json<Page<Execution>>> {
    let limit = paging::limit(query.limit)?;
    let below = paging::cursor(query.cursor.as_deref())?;
    let mut conn = state.pool.acquire().await?;
    let items = executions::list(&mut conn, caller.workspace, &query, below, limit).await?;
    let mut page = paging::page(items, limit, |run| run.execution_id.to_string());
    page.items.retain(|run| caller.may_touch(&run.workflow_id));
    Ok(Json(page))
}

pub(super) async fn get(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ExecutionId>,
) -> ApiResult<Json<ExecutionDetail>> {
    let execution = find(&state, &caller, id).await?;
    let trace = {
        let mut conn = state.pool.acquire().await?;
        executions::trace(&mut conn, id).await?
    };
    let run = state.engine.look(caller.workspace, id).await?;
    let context = Value::Object(run.context.as_ref().clone());
    Ok(Json(ExecutionDetail { execution, context, trace }))
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
