//! Workflows: checked as they come in, published as revisions, turned on and off.

use super::{
    AppState, audit,
    body::DocumentBody,
    idempotency::IdempotencyKey,
    paging::Paging,
    params::{Path, Query},
    preconditions::{self, IfMatch},
    principal::only_of,
    problem::{ApiError, ApiResult},
};
use crate::{
    auth::Principal,
    clock,
    dispatch::DispatchMessage,
    engine::next_due_of,
    store::{
        self, executions, run_counts, workflows,
        workflows::{Filter, StoredWorkflow},
    },
};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use chrono::Duration;
use serde::Deserialize as _;
use serde_json::{Value, json};
use shared_types::{
    api::{
        Page,
        live::LiveKind,
        problem::{Code, Problem},
        workflows::{Activity, Revision, RevisionQuery, Workflow, WorkflowQuery, WorkflowSummary},
    },
    ids::WorkflowId,
    machine::{review::blocking, supported::unsupported},
    workflow::{Document, Finding, document::Trigger},
};
use sqlx::PgConnection;

mod dry_run;
mod publishing;
mod reviewing;
mod starting;

use dry_run::require_valid;
pub(super) use dry_run::{simulate, validate};
pub use publishing::publish_first;
use publishing::{Publication, complete, publish};
pub use reviewing::review_stored;
use reviewing::{findings_of, review};
pub(super) use starting::start;

/// How many of a schedule's next times are shown.
const TIMES_SHOWN: usize = 10;

pub(super) async fn create(
    State(state): State<AppState>,
    principal: Principal,
    claim: IdempotencyKey,
    written: DocumentBody,
) -> ApiResult<Response> {
    let checked = review(&state, principal.workspace, &written.text, written.format).await?;
    let document = require_valid(&checked)?;
    touchable(&principal, &document.workflow_id)?;
    let mut transaction = state.pool.begin().await?;
    store::lock_workspace(&mut transaction, principal.workspace).await?;
    let known = workflows::find(&mut transaction, principal.workspace, &document.workflow_id, None).await?;
    let revision = match known {
        Some(known) if known.archived_at.is_none() => {
            let detail =
                format!("There is a workflow {}; PUT publishes a new revision of it.", document.workflow_id);
            return Err(ApiError::new(Code::WorkflowExists, detail));
        }
        // An archived one comes back with a new revision, and its history stays.
        Some(known) => known.newest + 1,
        None => 1,
    };
    let enabled = document.enabled && blocking(&checked.findings).is_empty();
    let publication =
        Publication { revision, enabled, document: &document, checked: &checked, written: &written };
    publish(&mut transaction, &principal, &publication).await?;
    let stored = workflows::find(&mut transaction, principal.workspace, &document.workflow_id, None).await?;
    let workflow = view(stored.ok_or_else(ApiError::not_found)?, checked.findings);
    claim.keep(&state, &mut transaction, StatusCode::CREATED, &workflow).await?;
    transaction.commit().await?;
    tell_changed(&state, &principal, &document.workflow_id);
    Ok(tagged(StatusCode::CREATED, workflow))
}

pub(super) async fn list(
    State(state): State<AppState>,
    principal: Principal,
    Query(query): Query<WorkflowQuery>,
) -> ApiResult<Json<Page<WorkflowSummary>>> {
    let paging = Paging::of(&state, &principal, "workflows", query.limit);
    let above: Option<String> = paging.after(query.cursor.as_deref())?;
    let only = only_of(&principal);
    let mut conn = state.pool.acquire().await?;
    let counted_until = run_counts::counted_until(&mut conn).await?;
    let counted =
        run_counts::Span::since(clock::now() - Duration::hours(24), counted_until, clock::first_id_at);
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

/// Tells the people who look at workflows, and the scheduler.
fn tell_changed(state: &AppState, principal: &Principal, id: &WorkflowId) {
    let message = DispatchMessage {
        workspace: principal.workspace,
        kind: LiveKind::WorkflowChanged,
        id: id.to_string(),
        to: None,
    };
    state.dispatch.tell([message]);
    state.engine.schedules_changed();
}

async fn respond(
    state: &AppState,
    principal: &Principal,
    stored: StoredWorkflow,
    status: StatusCode,
) -> ApiResult<Response> {
    let findings = findings_of(state, principal.workspace, &stored).await?;
    Ok(tagged(status, view(stored, findings)))
}

fn view(stored: StoredWorkflow, findings: Vec<Finding>) -> Workflow {
    // The trigger alone: reading the whole document for each answer would take long for a large one.
    let trigger: Option<Trigger> =
        stored.document.get("trigger").and_then(|trigger| Trigger::deserialize(trigger).ok());
    let schedule = trigger.as_ref().and_then(Trigger::schedule);
    let next_times = schedule.map(|schedule| schedule.due_after(clock::now()).take(TIMES_SHOWN).collect());
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
    let checked = review(&state, principal.workspace, &written.text, written.format).await?;
    let document = require_valid(&checked)?;
    if document.workflow_id != id {
        let detail = format!("The document is of {}, the address of {id}.", document.workflow_id);
        return Err(ApiError::new(Code::WorkflowIdDiffers, detail));
    }
    touchable(&principal, &id)?;
    let mut transaction = state.pool.begin().await?;
    let known = precondition(&mut transaction, &principal, &id, &headers).await?;
    let runs = blocking(&checked.findings).is_empty();
    let (revision, enabled) = match known {
        Some(known) => (known.newest + 1, known.enabled && runs),
        None => (1, document.enabled && runs),
    };
    let publication =
        Publication { revision, enabled, document: &document, checked: &checked, written: &written };
    publish(&mut transaction, &principal, &publication).await?;
    transaction.commit().await?;
    answer(&state, &principal, &id, if revision == 1 { StatusCode::CREATED } else { StatusCode::OK }).await
}

/// Holds the workflow and compares `If-Match` with how it stands; `None` for a new one, by `If-None-Match: *`.
async fn precondition(
    conn: &mut PgConnection,
    principal: &Principal,
    id: &WorkflowId,
    headers: &HeaderMap,
) -> ApiResult<Option<StoredWorkflow>> {
    let wanted = IfMatch::of(headers)?;
    workflows::lock(conn, principal.workspace, id).await?;
    let known = workflows::find(conn, principal.workspace, id, None).await?;
    let known = known.filter(|known| known.archived_at.is_none());
    if preconditions::is_for_new(headers) {
        return match known {
            None => Ok(None),
            Some(known) => Err(changed(&known, "There is a workflow with this id.")),
        };
    }
    let Some(wanted) = wanted else {
        let detail = "Send If-Match with the workflow's etag, or If-None-Match: * for a new one.";
        return Err(ApiError::new(Code::PreconditionNeeded, detail));
    };
    let known = known.ok_or_else(ApiError::not_found)?;
    if !wanted.names(&workflows::etag(known.newest)) {
        return Err(changed(
            &known,
            &format!("Revision {} was published meanwhile; read it, then send yours again.", known.newest),
        ));
    }
    Ok(Some(known))
}

/// Who changed what, for a person whose copy is old.
fn changed(known: &StoredWorkflow, detail: &str) -> ApiError {
    let detail = format!(
        "{detail} It is of {} at {}.",
        known.created_by,
        known.created_at.format("%Y-%m-%d %H:%M UTC")
    );
    let changed = json!({
        "revision": known.newest, "etag": workflows::etag(known.newest),
        "by": known.created_by, "at": known.created_at, "source": known.source,
    });
    Problem::new(Code::PreconditionFailed, detail).with("changed", changed).into()
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
    let mut transaction = state.pool.begin().await?;
    precondition(&mut transaction, &principal, &id, &headers).await?.ok_or_else(ApiError::not_found)?;
    workflows::archive(&mut transaction, principal.workspace, &id, clock::now()).await?;
    let entry = audit::entry(&principal, "workflow.archived", id.as_str(), json!({}));
    store::audit::insert(&mut transaction, &[&entry]).await?;
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
    let document = if enabled { Some(runnable(state, principal, &stored).await?) } else { None };
    let next_due = document.as_ref().and_then(|document| next_due_of(document, clock::now()));
    let mut transaction = state.pool.begin().await?;
    if let Some(document) = &document {
        complete(&mut transaction, principal.workspace, &stored, document).await?;
    }
    if workflows::set_enabled(&mut transaction, principal.workspace, id, enabled, next_due).await? {
        let action = if enabled { "workflow.enabled" } else { "workflow.disabled" };
        let entry = audit::entry(principal, action, id.as_str(), json!({}));
        store::audit::insert(&mut transaction, &[&entry]).await?;
    }
    transaction.commit().await?;
    answer(state, principal, id, StatusCode::OK).await
}

/// A stored document that this server can run.
async fn runnable(state: &AppState, principal: &Principal, stored: &StoredWorkflow) -> ApiResult<Document> {
    let value = stored.document.clone();
    let read = state.reviews.run(principal.workspace, move || {
        let document: Document = store::read("workflow_revisions", "document", value)?;
        let findings = unsupported(&document);
        store::Result::Ok((document, findings))
    });
    let (document, findings) = read.await??;
    match findings.first() {
        None => Ok(document),
        Some(first) => {
            let detail = first.message.clone();
            Err(Problem::new(Code::WorkflowUnsupported, detail).with_findings(findings).into())
        }
    }
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
