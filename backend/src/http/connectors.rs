//! Connectors: described, compared before they are written, tried, deleted.

mod shown;
mod written;

use super::{
    AppState,
    body::Body,
    idempotency::IdempotencyKey,
    paging::Paging,
    params::{Path, Paths, Query},
    preconditions::IfMatch,
    problem::{ApiError, ApiResult},
};
use crate::{
    audit,
    auth::Principal,
    connectors::{Catalog, Described, NoRoute, ReadyConnector, Route},
    store::{
        self, connector_health,
        connectors::{self, NewRevision, StoredConnector},
        workflows::etag,
    },
};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};
use shared_types::{
    api::{
        Page, Permission,
        connectors::{
            Connector, ConnectorBody, ConnectorCall, ConnectorChecked, ConnectorOperation, ConnectorPreview,
            OperationQuery, OperationTrial, OperationTried,
        },
        problem::{Code, Problem},
    },
    connector::{ConnectorName, ConnectorSpec, Operation, self_contained},
    workflow::{Finding, finding::escape_segment},
};
use shown::Around;
use sqlx::PgConnection;
use std::sync::Arc;
use uuid::Uuid;
use written::{Written, read, same_name};

pub(super) async fn create(
    State(state): State<AppState>,
    principal: Principal,
    claim: IdempotencyKey,
    Body(body): Body<ConnectorBody>,
) -> ApiResult<Response> {
    let written = read(&state, &principal, body, None).await?;
    let mut transaction = state.pool.begin().await?;
    store::lock_workspace(&mut transaction, principal.workspace).await?;
    if connectors::current(&mut transaction, principal.workspace, written.name.as_str()).await?.is_some() {
        let detail = format!("There is a connector {}; PUT writes a new revision of it.", written.name);
        return Err(ApiError::new(Code::ConnectorExists, detail));
    }
    let shown = write(&state, &mut transaction, &principal, (state.clock.new_id(), 1), &written).await?;
    claim.keep(&state, &mut transaction, StatusCode::CREATED, &shown).await?;
    transaction.commit().await?;
    Ok(tagged(StatusCode::CREATED, &shown))
}

pub(super) async fn put(
    State(state): State<AppState>,
    principal: Principal,
    Path(name): Path<String>,
    headers: HeaderMap,
    Body(body): Body<ConnectorBody>,
) -> ApiResult<Response> {
    let Some(wanted) = IfMatch::of(&headers)? else {
        return Err(ApiError::new(Code::PreconditionNeeded, "Send If-Match with the connector's etag."));
    };
    same_name(&body, &name)?;
    let known = known_document(&state, &principal, &name, &body).await?;
    let written = read(&state, &principal, body, known).await?;
    let mut transaction = state.pool.begin().await?;
    store::lock_workspace(&mut transaction, principal.workspace).await?;
    let known = find(&mut transaction, &principal, &name).await?;
    if !wanted.names(&etag(known.revision)) {
        let detail = format!(
            "Revision {} was written meanwhile by {}; read it, then send yours again.",
            known.revision, known.created_by
        );
        let changed = json!({
            "revision": known.revision, "etag": etag(known.revision), "by": known.created_by, "at": known.created_at,
        });
        return Err(Problem::new(Code::PreconditionFailed, detail).with("changed", changed).into());
    }
    let next = (known.id, known.revision + 1);
    let shown = write(&state, &mut transaction, &principal, next, &written).await?;
    transaction.commit().await?;
    Ok(tagged(StatusCode::OK, &shown))
}

pub(super) async fn list(
    State(state): State<AppState>,
    principal: Principal,
) -> ApiResult<Json<Page<Connector>>> {
    let mut conn = state.pool.acquire().await?;
    let stored = connectors::all(&mut conn, principal.workspace).await?;
    let around = Around::read(&state, &mut conn, &principal, None).await?;
    let items = stored.into_iter().map(|stored| around.shown(&principal, stored)).collect();
    Ok(Json(Page { items, next_cursor: None }))
}

pub(super) async fn get(
    State(state): State<AppState>,
    principal: Principal,
    Path(name): Path<String>,
) -> ApiResult<Response> {
    let mut conn = state.pool.acquire().await?;
    let stored = find(&mut conn, &principal, &name).await?;
    let around = Around::read(&state, &mut conn, &principal, Some(&name)).await?;
    Ok(tagged(StatusCode::OK, &around.shown(&principal, stored)))
}

pub(super) async fn delete(
    State(state): State<AppState>,
    principal: Principal,
    Path(name): Path<String>,
) -> ApiResult<StatusCode> {
    let mut transaction = state.pool.begin().await?;
    store::lock_workspace(&mut transaction, principal.workspace).await?;
    let stored = find(&mut transaction, &principal, &name).await?;
    let around = Around::read(&state, &mut transaction, &principal, Some(&name)).await?;
    let used_by = around.used_by(&stored.name);
    if !used_by.is_empty() {
        let ids: Vec<&str> = used_by.iter().map(|id| id.as_str()).collect();
        let detail = format!("Enabled workflows use it: {}. Change or disable them first.", ids.join(", "));
        return Err(Problem::new(Code::ConnectorUsed, detail).with("used_by", json!(used_by)).into());
    }
    connectors::delete(&mut transaction, principal.workspace, &name).await?;
    let entry = audit::entry(&state.clock, &principal, "connector.deleted", &name, json!({}));
    store::audit::insert(&mut transaction, &[&entry]).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn preview(
    State(state): State<AppState>,
    principal: Principal,
    Path(name): Path<String>,
    Body(body): Body<ConnectorBody>,
) -> ApiResult<Json<ConnectorPreview>> {
    same_name(&body, &name)?;
    let known = known_document(&state, &principal, &name, &body).await?;
    let written = read(&state, &principal, body, known).await?;
    let before = match state.connectors.named(principal.workspace, &name).await {
        Ok(connector) => Some(connector),
        Err(NoRoute::NoConnector(_)) => None,
        Err(error) => return Err(unreadable(&error)),
    };
    let Described { catalog, findings, overview } = written.described;
    let known = before.clone();
    let work = move || {
        let none = Catalog::default();
        compared(known.as_ref().map_or(&none, |known| &known.catalog), &catalog)
    };
    let compared = state.reviews.run(principal.workspace, work).await?;
    let mut preview = ConnectorPreview { findings, offered_auth: overview.offered_auth, ..compared };
    let around = Around::read(&state, &mut *state.pool.acquire().await?, &principal, Some(&name)).await?;
    let touched = preview.changed.iter().chain(&preview.removed);
    let spec = before.as_ref().map_or(&written.spec, |before| &before.spec);
    preview.used_by = touched.flat_map(|operation| around.uses(&name, spec, operation)).collect();
    preview.used_by.sort();
    Ok(Json(preview))
}

pub(super) async fn check(
    State(state): State<AppState>,
    principal: Principal,
    Path(name): Path<String>,
) -> ApiResult<Json<ConnectorChecked>> {
    let connector = named(&state, &principal, &name).await?;
    Ok(Json(state.engine.check_connector(principal.workspace, &connector).await))
}

pub(super) async fn calls(
    State(state): State<AppState>,
    principal: Principal,
    Path(name): Path<String>,
) -> ApiResult<Json<Page<ConnectorCall>>> {
    let mut conn = state.pool.acquire().await?;
    let known = connectors::current(&mut conn, principal.workspace, &name).await?;
    known.ok_or_else(ApiError::not_found)?;
    let items = connector_health::last_calls(&mut conn, principal.workspace, &name).await?;
    Ok(Json(Page { items, next_cursor: None }))
}

pub(super) async fn purge(
    State(state): State<AppState>,
    principal: Principal,
    Path(name): Path<String>,
) -> ApiResult<StatusCode> {
    let mut transaction = state.pool.begin().await?;
    if !connectors::purge(&mut transaction, principal.workspace, &name).await? {
        return Err(ApiError::not_found());
    }
    let entry = audit::entry(&state.clock, &principal, "connector.purged", &name, json!({}));
    store::audit::insert(&mut transaction, &[&entry]).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What appears, changes and goes from one catalog to the next.
fn compared(before: &Catalog, after: &Catalog) -> ConnectorPreview {
    let contained = |operation: &Operation, of: &Catalog| {
        let schema = |schema: &Value| self_contained(schema, &of.definitions);
        (schema(&operation.input_schema), operation.output_schema.as_ref().map(schema))
    };
    let mut preview = ConnectorPreview::default();
    for operation in &after.operations {
        match before.operation(&operation.id) {
            None => preview.added.push(operation.id.clone()),
            Some(known)
                if known.call != operation.call
                    || known.safe != operation.safe
                    || contained(known, before) != contained(operation, after) =>
            {
                preview.changed.push(operation.id.clone());
            }
            Some(_) => {}
        }
    }
    let gone = before.operations.iter().filter(|known| after.operation(&known.id).is_none());
    preview.removed = gone.map(|known| known.id.clone()).collect();
    preview
}

/// How large a page of operations may be, in bytes of their schemas.
const PAGE_BYTES: usize = 8 * 1024 * 1024;

pub(super) async fn operations(
    State(state): State<AppState>,
    principal: Principal,
    Path(name): Path<String>,
    Query(query): Query<OperationQuery>,
) -> ApiResult<Json<Page<ConnectorOperation>>> {
    let paging = Paging::of(&state, &principal, "operations", None);
    let after: Option<String> = paging.after(query.cursor.as_deref())?;
    let connector = named(&state, &principal, &name).await?;
    let work = move || {
        let is_after = |operation: &&Operation| after.as_ref().is_none_or(|after| operation.id > *after);
        let mut items: Vec<ConnectorOperation> = Vec::new();
        let mut bytes = 0;
        for operation in connector.catalog.operations.iter().filter(is_after) {
            if bytes > PAGE_BYTES {
                return (items, true);
            }
            let schema = |schema: &Value| self_contained(schema, &connector.catalog.definitions);
            let (input, output) =
                (schema(&operation.input_schema), operation.output_schema.as_ref().map(schema));
            bytes += input.to_string().len() + output.as_ref().map_or(0, |output| output.to_string().len());
            items.push(ConnectorOperation {
                id: operation.id.clone(),
                summary: operation.summary.clone(),
                input_schema: input,
                output_schema: output,
                safe: operation.safe,
            });
        }
        (items, false)
    };
    let (items, has_more) = state.reviews.run(principal.workspace, work).await?;
    let next_cursor = items.last().filter(|_| has_more).map(|last| paging.cursor(&last.id));
    Ok(Json(Page { items, next_cursor }))
}

pub(super) async fn try_operation(
    State(state): State<AppState>,
    principal: Principal,
    Paths(name, id): Paths<String, String>,
    Body(trial): Body<OperationTrial>,
) -> ApiResult<Json<OperationTried>> {
    let connector = named(&state, &principal, &name).await?;
    let route = Route::new(connector, &id).map_err(|_| ApiError::not_found())?;
    if !route.operation().safe && !principal.may(Permission::ManageConnectors) {
        let detail = format!("{} changes something there; only an administrator may try it.", route.name());
        return Err(ApiError::new(Code::Forbidden, detail));
    }
    if !route.operation().safe {
        // Before the call, which may have been made whatever happens next.
        let entry =
            audit::entry(&state.clock, &principal, "connector.tried", &name, json!({ "operation": id }));
        store::audit::insert(&mut *state.pool.acquire().await?, &[&entry]).await?;
    }
    let tried = state.engine.try_operation(principal.workspace, &route, trial.input).await;
    let tried = tried.map_err(|findings| {
        let detail = findings.first().map(|finding| finding.message.clone()).unwrap_or_default();
        Problem::new(Code::ConnectorInputBad, detail).with_findings(findings)
    })?;
    Ok(Json(tried))
}

/// A connector ready to be called.
async fn named(state: &AppState, principal: &Principal, name: &str) -> ApiResult<Arc<ReadyConnector>> {
    state.connectors.named(principal.workspace, name).await.map_err(|error| match error {
        NoRoute::NoConnector(_) => ApiError::not_found(),
        error @ (NoRoute::NoOperation { .. }
        | NoRoute::Unserved(_)
        | NoRoute::Replaced(_)
        | NoRoute::BadName(_)
        | NoRoute::NotReady(_)) => unreadable(&error),
    })
}

fn unreadable(error: &NoRoute) -> ApiError {
    tracing::error!(%error, "a connector can't be used");
    ApiError::new(Code::Internal, format!("{error}."))
}

/// The document that was imported before, for a description of the same kind.
async fn known_document(
    state: &AppState,
    principal: &Principal,
    name: &str,
    body: &ConnectorBody,
) -> ApiResult<Option<String>> {
    let mut conn = state.pool.acquire().await?;
    let stored = connectors::find(&mut conn, principal.workspace, name).await?;
    if stored.is_none_or(|stored| stored.spec.kind.name() != body.spec.kind.name()) {
        return Ok(None);
    }
    Ok(connectors::document(&mut conn, principal.workspace, name).await?)
}

async fn find(conn: &mut PgConnection, principal: &Principal, name: &str) -> ApiResult<StoredConnector> {
    connectors::find(conn, principal.workspace, name).await?.ok_or_else(ApiError::not_found)
}

async fn write(
    state: &AppState,
    conn: &mut PgConnection,
    principal: &Principal,
    (id, revision): (Uuid, i32),
    written: &Written,
) -> ApiResult<Connector> {
    let Written { name, spec, document, described } = written;
    served_once(conn, principal, name, spec).await?;
    let by = principal.actor();
    let new = NewRevision {
        id,
        name,
        revision,
        spec,
        document: document.as_deref(),
        catalog: &store::json_text(&described.catalog),
        overview: &described.overview,
        findings: &described.findings,
        at: state.clock.now(),
        by: &by,
    };
    connectors::put(&mut *conn, principal.workspace, &new).await?;
    let detail = json!({ "revision": revision });
    let entry = audit::entry(&state.clock, principal, "connector.written", name.as_str(), detail);
    store::audit::insert(&mut *conn, &[&entry]).await?;
    let stored = find(conn, principal, name.as_str()).await?;
    Ok(Around::read(state, conn, principal, Some(name.as_str())).await?.shown(principal, stored))
}

/// Refuses what another connector serves already.
async fn served_once(
    conn: &mut PgConnection,
    principal: &Principal,
    name: &ConnectorName,
    spec: &ConnectorSpec,
) -> ApiResult<()> {
    let finding = |key: &str, (served, by): &(String, String)| {
        let pointer = format!("/{key}/{}", escape_segment(served));
        let message = format!("The connector {by} serves {served} already; name it in one of them.");
        Finding::error("connector.served", pointer, message)
    };
    let is_other = |by: &str| by != name.as_str();
    let entities = connectors::entities(&mut *conn, principal.workspace).await?;
    let entities = entities.iter().filter(|(entity, by)| is_other(by) && spec.entities.contains_key(entity));
    let loads = connectors::loads(conn, principal.workspace).await?;
    let loads = loads.iter().filter(|(load, by)| is_other(by) && spec.loads.contains_key(load));
    let findings: Vec<Finding> = entities
        .map(|served| finding("entities", served))
        .chain(loads.map(|served| finding("loads", served)))
        .collect();
    match findings.first() {
        None => Ok(()),
        Some(first) => {
            let detail = first.message.clone();
            Err(Problem::new(Code::ConnectorBad, detail).with_findings(findings).into())
        }
    }
}

fn tagged(status: StatusCode, connector: &Connector) -> Response {
    let etag = HeaderValue::from_str(&connector.etag);
    let mut response = (status, Json(connector)).into_response();
    if let Ok(etag) = etag {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}
