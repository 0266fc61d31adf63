//! Workflows: checked as they come in, published as revisions, turned on and off.

use super::{
    AppState, audit,
    body::{Body, Path, Query, Written},
    idempotency::Claim,
    paging,
    problem::{ApiError, ApiResult},
};
use crate::{
    auth::{Caller, seal::SecretKey},
    clock,
    dispatch::Message,
    engine::{Accepted, Incoming, Starts, next_due_of},
    store::{
        self, executions, people, rules, secrets, webhooks, workflows,
        workflows::{NewRevision, Stored},
    },
};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use chrono::{DateTime, Duration, Utc};
use serde_json::{Map, Value, json};
use shared_types::{
    api::{
        Page,
        executions::Execution,
        live::LiveKind,
        problem::{Code, Problem},
        workflows::{
            Activity, Findings, ManualStart, Revision, RevisionQuery, SimulateRequest, Workflow,
            WorkflowQuery, WorkflowSummary,
        },
    },
    ids::{EventId, WorkflowId, WorkspaceId},
    machine::{
        Definition, Event,
        review::{blocking, review},
        simulate::simulate as run_simulation,
        supported::unsupported,
    },
    workflow::{
        Checked, Document, Finding, Format, approval::FormField, check::Around, document::Trigger,
        finding::escape_segment, rule::asked_rules,
    },
};
use sqlx::{PgConnection, PgPool};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// How many of a schedule's next times are shown.
const TIMES_SHOWN: usize = 10;

pub(super) async fn validate(
    State(state): State<AppState>,
    caller: Caller,
    written: Written,
) -> ApiResult<Json<Findings>> {
    let around = around(&state, caller.workspace).await?;
    let findings = review(&written.text, written.format, &around).findings;
    Ok(Json(Findings { findings }))
}

pub(super) async fn simulate(
    State(state): State<AppState>,
    caller: Caller,
    Body(request): Body<SimulateRequest>,
) -> ApiResult<Json<Value>> {
    let (text, format) = match (&request.document, &request.workflow_id) {
        (Some(Value::String(text)), None) => (text.clone(), Format::Yaml),
        (Some(document), None) => (document.to_string(), Format::Json),
        (None, Some(id)) => {
            let stored = find(&state, &caller, id, None).await?;
            (stored.source, stored.format)
        }
        (_, _) => {
            return Err(ApiError::new(Code::FieldBad, "Send `document` or `workflow_id`, one of them."));
        }
    };
    let rules = {
        let mut conn = state.pool.acquire().await?;
        rules::all(&mut conn, caller.workspace).await?
    };
    let checked = review(&text, format, &Around::Unknown);
    let document = sound(&checked)?;
    let findings = unsupported(&document);
    if !findings.is_empty() {
        let detail = "The workflow holds what this server can't run yet.";
        return Err(Problem::new(Code::WorkflowUnsupported, detail).with_findings(findings).into());
    }
    let simulation = tokio::task::spawn_blocking(move || {
        run_simulation(&Arc::new(Definition::with_rules(document, rules)), &request.event, &request.script)
    });
    let simulation = simulation.await.map_err(|error| ApiError::new(Code::Internal, error.to_string()))?;
    Ok(Json(store::json(&simulation)))
}

/// The document, unless it has errors.
fn sound(checked: &Checked) -> ApiResult<Document> {
    if let (Some(document), false) = (&checked.document, checked.has_errors()) {
        Ok(document.clone())
    } else {
        let errors =
            checked.findings.iter().filter(|f| f.severity == shared_types::workflow::Severity::Error);
        let first = errors.clone().next().map(|finding| finding.message.clone()).unwrap_or_default();
        let detail = match errors.count() {
            0 | 1 => first,
            count => format!("{first} And {} more.", count - 1),
        };
        Err(Problem::new(Code::DocumentBad, detail).with_findings(checked.findings.clone()).into())
    }
}

/// What is set up around a workspace's workflows.
async fn around(state: &AppState, workspace: WorkspaceId) -> ApiResult<Around> {
    let mut conn = state.pool.acquire().await?;
    let roles = people::roles(&mut conn, workspace).await?;
    let secrets: BTreeSet<String> =
        secrets::names(&mut conn, workspace).await?.into_iter().map(|secret| secret.name).collect();
    let rules = rules::all(&mut conn, workspace).await?;
    let workflows = workflows::neighbours(&mut conn, workspace).await?;
    Ok(Around::Known { roles, secrets, mail: state.mail, rules, workflows })
}

pub(super) async fn create(
    State(state): State<AppState>,
    caller: Caller,
    claim: Claim,
    written: Written,
) -> ApiResult<Response> {
    let around = around(&state, caller.workspace).await?;
    let checked = review(&written.text, written.format, &around);
    let document = sound(&checked)?;
    touchable(&caller, &document.workflow_id)?;
    let mut transaction = state.pool.begin().await?;
    store::lock_setup(&mut transaction).await?;
    let known = workflows::find(&mut transaction, caller.workspace, &document.workflow_id, None).await?;
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
    publish(&mut transaction, &caller, &publication).await?;
    let stored = workflows::find(&mut transaction, caller.workspace, &document.workflow_id, None).await?;
    let workflow = view(stored.ok_or_else(ApiError::not_found)?, &around);
    claim.keep(&state, &mut transaction, StatusCode::CREATED, &workflow).await?;
    transaction.commit().await?;
    tell_changed(&state, &caller, &document.workflow_id);
    Ok(tagged(StatusCode::CREATED, workflow))
}

/// A revision on its way in.
struct Publication<'a> {
    revision: i32,
    enabled: bool,
    document: &'a Document,
    checked: &'a Checked,
    written: &'a Written,
}

async fn publish(conn: &mut PgConnection, caller: &Caller, publication: &Publication<'_>) -> ApiResult<()> {
    let Publication { revision, enabled, document, checked, written } = *publication;
    let at = clock::now();
    let by = caller.actor();
    let new = NewRevision {
        revision,
        enabled,
        next_due: enabled.then(|| next_due_of(document, at)).flatten(),
        format: written.format,
        source: &written.text,
        value: &checked.value,
        document,
        rules: &pins(conn, caller.workspace, document).await?,
        by: &by,
        at,
    };
    workflows::publish(conn, caller.workspace, &new).await?;
    if matches!(document.trigger, Trigger::Webhook { .. }) {
        webhooks::ensure(conn, caller.workspace, &document.workflow_id, &SecretKey::fresh_text()).await?;
    }
    let detail = json!({ "revision": revision, "enabled": enabled });
    let entry = audit::entry(caller, "workflow.published", document.workflow_id.as_str(), detail);
    store::audit::insert(conn, &[&entry]).await?;
    Ok(())
}

/// What publishing gives a revision, for one that was published when it could not be given.
async fn complete(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    stored: &Stored,
    document: &Document,
) -> ApiResult<()> {
    if matches!(document.trigger, Trigger::Webhook { .. }) {
        webhooks::ensure(conn, workspace, &document.workflow_id, &SecretKey::fresh_text()).await?;
    }
    let mut pins = pins(conn, workspace, document).await?;
    for (rule, version) in &mut pins {
        *version = stored.rules.get(rule).copied().flatten().or(*version);
    }
    if pins != stored.rules {
        workflows::pin(conn, workspace, &document.workflow_id, stored.revision, &pins).await?;
    }
    Ok(())
}

/// The stored rules that a document asks, as they stand at its publishing; none where it asks the latest.
async fn pins(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    document: &Document,
) -> store::Result<BTreeMap<String, Option<i32>>> {
    let mut pins = BTreeMap::new();
    for (id, places) in asked_rules(document) {
        rules::hold(conn, workspace, &id).await?;
        let is_pinned = places.iter().any(|place| !place.latest);
        let known = if is_pinned { rules::latest(conn, workspace, &id).await? } else { None };
        pins.insert(id, known.map(|rule| rule.version));
    }
    Ok(pins)
}

/// Publishes a first revision outside of a request: the sample data.
pub async fn publish_first(
    pool: &PgPool,
    workspace: WorkspaceId,
    text: &str,
    by: &str,
    at: DateTime<Utc>,
) -> Result<WorkflowId, Vec<shared_types::workflow::Finding>> {
    let checked = review(text, Format::Yaml, &Around::Unknown);
    let Some(document) = checked.document.clone() else { return Err(checked.findings) };
    let enabled = document.enabled && blocking(&checked.findings).is_empty();
    let next_due = enabled.then(|| next_due_of(&document, at)).flatten();
    let new = NewRevision {
        revision: 1,
        enabled,
        next_due,
        format: Format::Yaml,
        source: text,
        value: &checked.value,
        document: &document,
        rules: &BTreeMap::new(),
        by,
        at,
    };
    let written = async {
        let mut transaction = pool.begin().await?;
        workflows::publish(&mut transaction, workspace, &new).await?;
        transaction.commit().await?;
        store::Result::Ok(())
    };
    written.await.map_err(|error| {
        vec![shared_types::workflow::Finding::error("store", "", format!("It could not be stored: {error}"))]
    })?;
    Ok(document.workflow_id)
}

pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<WorkflowQuery>,
) -> ApiResult<Json<Page<WorkflowSummary>>> {
    let limit = paging::limit(query.limit)?;
    let day_ago = clock::first_id_at(clock::now() - Duration::hours(24));
    let mut conn = state.pool.acquire().await?;
    let (q, above) = (query.q.as_deref(), query.cursor.as_deref());
    let items = workflows::list(&mut conn, caller.workspace, q, above, day_ago, limit).await?;
    let mut page = paging::page(items, limit, |workflow| workflow.workflow_id.to_string());
    page.items.retain(|workflow| caller.may_touch(&workflow.workflow_id));
    Ok(Json(page))
}

pub(super) async fn get(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<WorkflowId>,
    Query(query): Query<RevisionQuery>,
) -> ApiResult<Response> {
    let stored = find(&state, &caller, &id, query.revision).await?;
    respond(&state, &caller, stored, StatusCode::OK).await
}

async fn find(
    state: &AppState,
    caller: &Caller,
    id: &WorkflowId,
    revision: Option<i32>,
) -> ApiResult<Stored> {
    if !caller.may_touch(id) {
        return Err(ApiError::not_found());
    }
    let mut conn = state.pool.acquire().await?;
    let stored = workflows::find(&mut conn, caller.workspace, id, revision).await?;
    let stored = stored.filter(|stored| stored.archived_at.is_none() || revision.is_some());
    stored.ok_or_else(ApiError::not_found)
}

fn touchable(caller: &Caller, id: &WorkflowId) -> ApiResult<()> {
    if caller.may_touch(id) {
        return Ok(());
    }
    Err(ApiError::new(Code::Forbidden, format!("This key isn't for the workflow {id}.")))
}

/// Answers a workflow as it stands, and tells everybody that it changed.
async fn answer(
    state: &AppState,
    caller: &Caller,
    id: &WorkflowId,
    status: StatusCode,
) -> ApiResult<Response> {
    tell_changed(state, caller, id);
    let stored = find(state, caller, id, None).await?;
    respond(state, caller, stored, status).await
}

/// Tells the people who look at workflows, and the scheduler.
fn tell_changed(state: &AppState, caller: &Caller, id: &WorkflowId) {
    let message = Message {
        workspace: caller.workspace,
        kind: LiveKind::WorkflowChanged,
        id: id.to_string(),
        to: None,
    };
    state.dispatch.tell([message]);
    state.engine.schedules_changed();
}

async fn respond(
    state: &AppState,
    caller: &Caller,
    stored: Stored,
    status: StatusCode,
) -> ApiResult<Response> {
    Ok(tagged(status, view(stored, &around(state, caller.workspace).await?)))
}

fn view(stored: Stored, around: &Around) -> Workflow {
    let checked = review(&stored.source, stored.format, around);
    let schedule = checked.document.as_ref().and_then(Document::schedule);
    let next_times = schedule.map(|schedule| schedule.due_after(clock::now()).take(TIMES_SHOWN).collect());
    let findings = checked.findings;
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
    caller: Caller,
    Path(id): Path<WorkflowId>,
    headers: HeaderMap,
    written: Written,
) -> ApiResult<Response> {
    let checked = review(&written.text, written.format, &around(&state, caller.workspace).await?);
    let document = sound(&checked)?;
    if document.workflow_id != id {
        let detail = format!("The document is of {}, the address of {id}.", document.workflow_id);
        return Err(ApiError::new(Code::WorkflowIdDiffers, detail));
    }
    touchable(&caller, &id)?;
    let mut transaction = state.pool.begin().await?;
    let known = precondition(&mut transaction, &caller, &id, &headers).await?;
    let runs = blocking(&checked.findings).is_empty();
    let (revision, enabled) = match known {
        Some(known) => (known.newest + 1, known.enabled && runs),
        None => (1, document.enabled && runs),
    };
    let publication =
        Publication { revision, enabled, document: &document, checked: &checked, written: &written };
    publish(&mut transaction, &caller, &publication).await?;
    transaction.commit().await?;
    answer(&state, &caller, &id, if revision == 1 { StatusCode::CREATED } else { StatusCode::OK }).await
}

/// Holds the workflow and compares `If-Match` with how it stands; `None` for a new one, by `If-None-Match: *`.
async fn precondition(
    conn: &mut PgConnection,
    caller: &Caller,
    id: &WorkflowId,
    headers: &HeaderMap,
) -> ApiResult<Option<Stored>> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    workflows::lock(conn, caller.workspace, id).await?;
    let known = workflows::find(conn, caller.workspace, id, None).await?;
    let known = known.filter(|known| known.archived_at.is_none());
    if text(header::IF_NONE_MATCH) == Some("*") {
        return match known {
            None => Ok(None),
            Some(known) => Err(changed(&known, "There is a workflow with this id.")),
        };
    }
    let Some(wanted) = text(header::IF_MATCH) else {
        let detail = "Send If-Match with the workflow's etag, or If-None-Match: * for a new one.";
        return Err(ApiError::new(Code::PreconditionNeeded, detail));
    };
    let known = known.ok_or_else(ApiError::not_found)?;
    if wanted != "*" && wanted != workflows::etag(known.newest) {
        return Err(changed(
            &known,
            &format!("Revision {} was published meanwhile; read it, then send yours again.", known.newest),
        ));
    }
    Ok(Some(known))
}

/// Who changed what, for a person whose copy is old.
fn changed(known: &Stored, detail: &str) -> ApiError {
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
    caller: Caller,
    Path(id): Path<WorkflowId>,
    headers: HeaderMap,
) -> ApiResult<StatusCode> {
    if !caller.may_touch(&id) {
        return Err(ApiError::not_found());
    }
    let mut transaction = state.pool.begin().await?;
    precondition(&mut transaction, &caller, &id, &headers).await?.ok_or_else(ApiError::not_found)?;
    workflows::archive(&mut transaction, caller.workspace, &id, clock::now()).await?;
    let entry = audit::entry(&caller, "workflow.archived", id.as_str(), json!({}));
    store::audit::insert(&mut transaction, &[&entry]).await?;
    transaction.commit().await?;
    tell_changed(&state, &caller, &id);
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn enable(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<WorkflowId>,
) -> ApiResult<Response> {
    toggle(&state, &caller, &id, true).await
}

pub(super) async fn disable(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<WorkflowId>,
) -> ApiResult<Response> {
    toggle(&state, &caller, &id, false).await
}

async fn toggle(state: &AppState, caller: &Caller, id: &WorkflowId, enabled: bool) -> ApiResult<Response> {
    let stored = find(state, caller, id, None).await?;
    let document: Document = store::read("workflow_revisions", "document", stored.document.clone())?;
    if enabled {
        let findings = unsupported(&document);
        if !findings.is_empty() {
            let detail = findings.first().map(|finding| finding.message.clone()).unwrap_or_default();
            return Err(Problem::new(Code::WorkflowUnsupported, detail).with_findings(findings).into());
        }
    }
    let next_due = enabled.then(|| next_due_of(&document, clock::now())).flatten();
    let mut transaction = state.pool.begin().await?;
    if enabled {
        complete(&mut transaction, caller.workspace, &stored, &document).await?;
    }
    if workflows::set_enabled(&mut transaction, caller.workspace, id, enabled, next_due).await? {
        let action = if enabled { "workflow.enabled" } else { "workflow.disabled" };
        let entry = audit::entry(caller, action, id.as_str(), json!({}));
        store::audit::insert(&mut transaction, &[&entry]).await?;
    }
    transaction.commit().await?;
    answer(state, caller, id, StatusCode::OK).await
}

pub(super) async fn revisions(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<WorkflowId>,
) -> ApiResult<Json<Page<Revision>>> {
    find(&state, &caller, &id, None).await?;
    let mut conn = state.pool.acquire().await?;
    let items = workflows::revisions(&mut conn, caller.workspace, &id).await?;
    Ok(Json(Page { items, next_cursor: None }))
}

pub(super) async fn activity(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<WorkflowId>,
) -> ApiResult<Json<Activity>> {
    find(&state, &caller, &id, None).await?;
    let mut conn = state.pool.acquire().await?;
    Ok(Json(executions::activity(&mut conn, caller.workspace, &id).await?))
}

/// Holds an input against a form.
fn fits(form: &[FormField], input: &Map<String, Value>) -> ApiResult<()> {
    let faults = FormField::faults(form, input);
    let findings: Vec<Finding> = faults
        .iter()
        .map(|fault| {
            let pointer = format!("/input/{}", escape_segment(&fault.field));
            Finding::error("field.bad", pointer, fault.to_string())
        })
        .collect();
    match findings.first() {
        Some(first) => {
            Err(Problem::new(Code::InputBad, first.message.clone()).with_findings(findings).into())
        }
        None => Ok(()),
    }
}

pub(super) async fn start(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<WorkflowId>,
    claim: Claim,
    Body(start): Body<ManualStart>,
) -> ApiResult<(StatusCode, Json<Execution>)> {
    let stored = find(&state, &caller, &id, None).await?;
    let document: Document = store::read("workflow_revisions", "document", stored.document)?;
    let Trigger::Manual { form } = &document.trigger else {
        return Err(ApiError::new(
            Code::WorkflowNotManual,
            "The workflow's trigger isn't `manual`; what starts it is its event.",
        ));
    };
    fits(form, &start.input)?;
    let event = Event {
        kind: "manual".to_owned(),
        // The same request has the same event, and an event starts nothing twice.
        id: EventId(format!("manual:{}", claim.stable_id().unwrap_or_else(|| clock::new_id().to_string()))),
        source: None,
        time: clock::now(),
        requester: Some(caller.requester()),
        payload: start.input,
    };
    let event_id = event.id.clone();
    let incoming = Incoming {
        event: Arc::new(event),
        content_hash: claim.request_hash(),
        starts: Starts::Only(id.clone()),
        audit: Some(audit::entry(&caller, "execution.started", "", json!({ "workflow_id": id }))),
    };
    let run = match state.engine.intake(caller.workspace, &incoming).await? {
        Accepted::New(mut runs) => runs.pop().map(|run| run.standing.execution),
        Accepted::Duplicate => {
            let mut conn = state.pool.acquire().await?;
            executions::started_by(&mut conn, caller.workspace, &event_id).await?.pop()
        }
    };
    Ok((StatusCode::CREATED, Json(run.ok_or_else(ApiError::not_found)?)))
}
