//! Workflows: listed, read, and published by `crate::publishing` over HTTP.

use super::{
    AppState,
    body::DocumentBody,
    idempotency::IdempotencyKey,
    paging::Paging,
    params::{Path, Query},
    preconditions::{self, IfMatch},
    problem::{ApiError, ApiResult},
};
use crate::{
    audit::Actor,
    auth::Principal,
    clock,
    publishing::{self, Expected},
    store::{
        executions, run_counts, workflows,
        workflows::{Filter, StoredWorkflow},
    },
};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use chrono::{DateTime, Duration, Utc};
use serde::Deserialize as _;
use serde_json::Value;
use shared_types::{
    api::{
        Page,
        problem::Code,
        workflows::{Activity, Revision, RevisionQuery, Workflow, WorkflowQuery, WorkflowSummary},
    },
    ids::WorkflowId,
    workflow::{Finding, document::Trigger},
};

mod dry_run;
mod problems;
mod starting;

pub(super) use dry_run::{simulate, validate};
pub(super) use starting::start;

/// How many of a schedule's next times are shown.
const TIMES_SHOWN: usize = 10;

pub(super) async fn create(
    State(state): State<AppState>,
    principal: Principal,
    claim: IdempotencyKey,
    written: DocumentBody,
) -> ApiResult<Response> {
    let valid = state.publishing.read(principal.workspace, written.text, written.format).await?;
    touchable(&principal, &valid.document.workflow_id)?;
    let mut transaction = state.pool.begin().await?;
    let stored = publishing::create(&mut transaction, &state.clock, &Actor::from(&principal), &valid).await?;
    let workflow = view(stored, valid.checked.findings, state.clock.now());
    claim.keep(&state, &mut transaction, StatusCode::CREATED, &workflow).await?;
    transaction.commit().await?;
    tell_changed(&state, &principal, &workflow.workflow_id);
    Ok(tagged(StatusCode::CREATED, workflow))
}

pub(super) async fn list(
    State(state): State<AppState>,
    principal: Principal,
    Query(query): Query<WorkflowQuery>,
) -> ApiResult<Json<Page<WorkflowSummary>>> {
    let paging = Paging::of(&state, &principal, "workflows", query.limit);
    let above: Option<String> = paging.after(query.cursor.as_deref())?;
    let only = principal.only_workflows();
    let mut conn = state.pool.acquire().await?;
    let counted_until = run_counts::counted_until(&mut conn).await?;
    let counted =
        run_counts::Span::since(state.clock.now() - Duration::hours(24), counted_until, clock::first_id_at);
    let filter = Filter { q: query.q.as_deref(), only: only.as_deref(), above: above.as_deref() };
    let items = workflows::list(&mut conn, principal.workspace, &filter, counted, paging.to_read()).await?;
    Ok(Json(paging.page(items, |workflow| workflow.workflow_id.to_string())))
}

pub(super) async fn get(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<WorkflowId>,
    Query(query): Query<RevisionQuery>,
) -> ApiResult<Response> {
    let stored = find(&state, &principal, &id, query.revision).await?;
    respond(&state, &principal, stored, StatusCode::OK).await
}

async fn find(
    state: &AppState,
    principal: &Principal,
    id: &WorkflowId,
    revision: Option<i32>,
) -> ApiResult<StoredWorkflow> {
    if !principal.may_touch(id) {
        return Err(ApiError::not_found());
    }
    let mut conn = state.pool.acquire().await?;
    let stored = workflows::find(&mut conn, principal.workspace, id, revision).await?;
    let stored = stored.filter(|stored| stored.archived_at.is_none() || revision.is_some());
    stored.ok_or_else(ApiError::not_found)
}

fn touchable(principal: &Principal, id: &WorkflowId) -> ApiResult<()> {
    if principal.may_touch(id) {
        return Ok(());
    }
    Err(ApiError::new(Code::Forbidden, format!("This key isn't for the workflow {id}.")))
}

/// Answers a workflow as it stands, and tells everybody that it changed.
async fn answer(
    state: &AppState,
    principal: &Principal,
    id: &WorkflowId,
    status: StatusCode,
) -> ApiResult<Response> {
    tell_changed(state, principal, id);
    let stored = find(state, principal, id, None).await?;
    respond(state, principal, stored, status).await
}

fn tell_changed(state: &AppState, principal: &Principal, id: &WorkflowId) {
    publishing::tell_changed(&state.dispatch, &state.engine, principal.workspace, id);
}

async fn respond(
    state: &AppState,
    principal: &Principal,
    stored: StoredWorkflow,
    status: StatusCode,
) -> ApiResult<Response> {
    let findings = state.publishing.findings_of(principal.workspace, &stored).await?;
    Ok(tagged(status, view(stored, findings, state.clock.now())))
}

fn view(stored: StoredWorkflow, findings: Vec<Finding>, now: DateTime<Utc>) -> Workflow {
    // The trigger alone: reading the whole document for each answer would take long for a large one.
    let trigger: Option<Trigger> =
        stored.document.get("trigger").and_then(|trigger| Trigger::deserialize(trigger).ok());
    let schedule = trigger.as_ref().and_then(Trigger::schedule);
    let next_times = schedule.map(|schedule| schedule.due_after(now).take(TIMES_SHOWN).collect());
    let name = stored.document.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    Workflow {
        workflow_id: stored.workflow_id,
        name,
        revision: stored.revision,
        enabled: stored.enabled,
        format: stored.format,
        source: stored.source,
        document: stored.document,
        etag: workflows::etag(stored.revision),
        updated_at: stored.created_at,
        updated_by: stored.created_by,
        findings,
        next_times: next_times.unwrap_or_default(),
    }
}

/// A workflow with its tag in the header.
fn tagged(status: StatusCode, workflow: Workflow) -> Response {
    let etag = HeaderValue::from_str(&workflow.etag);
    let mut response = (status, Json(workflow)).into_response();
    if let Ok(etag) = etag {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

pub(super) async fn put(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<WorkflowId>,
    headers: HeaderMap,
    written: DocumentBody,
) -> ApiResult<Response> {
    let valid = state.publishing.read(principal.workspace, written.text, written.format).await?;
    if valid.document.workflow_id != id {
        let detail = format!("The document's id is {}, the path's id is {id}.", valid.document.workflow_id);
        return Err(ApiError::new(Code::WorkflowIdDiffers, detail));
    }
    touchable(&principal, &id)?;
    let expected = expected(&headers)?;
    let mut transaction = state.pool.begin().await?;
    let revision =
        publishing::replace(&mut transaction, &state.clock, &Actor::from(&principal), &expected, &valid)
            .await?;
    transaction.commit().await?;
    answer(&state, &principal, &id, if revision == 1 { StatusCode::CREATED } else { StatusCode::OK }).await
}

/// What the sender has read of the workflow, by `If-Match`, or by `If-None-Match: *` for a new one.
fn expected(headers: &HeaderMap) -> ApiResult<Expected> {
    let wanted = IfMatch::of(headers)?;
    if preconditions::is_for_new(headers) {
        return Ok(Expected::New);
    }
    match wanted {
        Some(IfMatch::Any) => Ok(Expected::Any),
        Some(IfMatch::OneOf(tags)) => Ok(Expected::OneOf(tags)),
        None => {
            let detail = "Send If-Match with the workflow's etag, or If-None-Match: * for a new one.";
            Err(ApiError::new(Code::PreconditionNeeded, detail))
        }
    }
}

pub(super) async fn archive(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<WorkflowId>,
    headers: HeaderMap,
) -> ApiResult<StatusCode> {
    if !principal.may_touch(&id) {
        return Err(ApiError::not_found());
    }
    let expected = expected(&headers)?;
    let mut transaction = state.pool.begin().await?;
    publishing::archive(&mut transaction, &state.clock, &Actor::from(&principal), &id, &expected).await?;
    transaction.commit().await?;
    tell_changed(&state, &principal, &id);
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn enable(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<WorkflowId>,
) -> ApiResult<Response> {
    toggle(&state, &principal, &id, true).await
}

pub(super) async fn disable(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<WorkflowId>,
) -> ApiResult<Response> {
    toggle(&state, &principal, &id, false).await
}

async fn toggle(
    state: &AppState,
    principal: &Principal,
    id: &WorkflowId,
    enabled: bool,
) -> ApiResult<Response> {
    let stored = find(state, principal, id, None).await?;
    // A document that can't be read any more can still be disabled.
    let document =
        if enabled { Some(state.publishing.runnable(principal.workspace, &stored).await?) } else { None };
    let mut transaction = state.pool.begin().await?;
    publishing::set_enabled(
        &mut transaction,
        &state.clock,
        &Actor::from(principal),
        &stored,
        document.as_ref(),
    )
    .await?;
    transaction.commit().await?;
    answer(state, principal, id, StatusCode::OK).await
}

pub(super) async fn revisions(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<WorkflowId>,
) -> ApiResult<Json<Page<Revision>>> {
    find(&state, &principal, &id, None).await?;
    let mut conn = state.pool.acquire().await?;
    let items = workflows::revisions(&mut conn, principal.workspace, &id).await?;
    Ok(Json(Page { items, next_cursor: None }))
}

pub(super) async fn activity(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<WorkflowId>,
) -> ApiResult<Json<Activity>> {
    find(&state, &principal, &id, None).await?;
    let mut conn = state.pool.acquire().await?;
    Ok(Json(executions::activity(&mut conn, principal.workspace, &id).await?))
}
