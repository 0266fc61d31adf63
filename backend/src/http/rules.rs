//! Stored rules: checked and tested as they come in, kept in versions, and never taken from who asks them.

use super::{
    AppState,
    body::{self, Body, DocumentBody},
    idempotency::IdempotencyKey,
    paging::Paging,
    params::{Path, Query},
    preconditions::IfMatch,
    problem::{ApiError, ApiResult},
};
use crate::{
    audit,
    auth::Principal,
    clock::Clock,
    store::{
        self,
        rules::{self, NewVersion, RuleRow},
        workflows::etag,
    },
};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use shared_types::{
    api::{
        Page,
        problem::{Code, Problem},
        rules::{
            RuleQuery, RuleSummary, RuleTrial, RuleTried, RuleUse, RuleVersionInfo, RuleVersionQuery,
            StoredRule,
        },
    },
    workflow::{
        Format,
        evaluate::{evaluate, time_of},
        rule::{RuleDocument, check_rule},
        scope::Scope,
    },
};
use sqlx::PgConnection;

async fn require_valid(
    state: &AppState,
    principal: &Principal,
    written: &DocumentBody,
) -> ApiResult<RuleDocument> {
    let (text, format) = (written.text.clone(), written.format);
    let (checked, rule) = state.reviews.run(principal.workspace, move || check_rule(&text, format)).await?;
    rule.ok_or_else(|| {
        if checked.findings.iter().any(|finding| finding.code == "text.zero") {
            return body::refused(checked.findings);
        }
        let detail = checked.findings.first().map(|finding| finding.message.clone()).unwrap_or_default();
        Problem::new(Code::RuleBad, detail).with_findings(checked.findings).into()
    })
}

/// Rules are of the whole workspace; a key for some workflows only can't change what others ask.
fn for_all(principal: &Principal) -> ApiResult<()> {
    if principal.is_for_all() {
        return Ok(());
    }
    Err(ApiError::new(Code::Forbidden, "This key is limited to some workflows; rules are shared by all."))
}

pub(super) async fn create(
    State(state): State<AppState>,
    principal: Principal,
    claim: IdempotencyKey,
    written: DocumentBody,
) -> ApiResult<Response> {
    for_all(&principal)?;
    let rule = require_valid(&state, &principal, &written).await?;
    let mut transaction = state.pool.begin().await?;
    store::lock_workspace(&mut transaction, principal.workspace).await?;
    let version = match rules::find(&mut transaction, principal.workspace, &rule.rule_id, None).await? {
        Some(known) if !known.archived => {
            let detail = format!("There is a rule {}; PUT writes a new version of it.", rule.rule_id);
            return Err(ApiError::new(Code::RuleExists, detail));
        }
        Some(known) => known.version + 1,
        None => 1,
    };
    let stored = write(&mut transaction, &state.clock, &principal, version, &rule, &written).await?;
    claim.keep(&state, &mut transaction, StatusCode::CREATED, &stored).await?;
    transaction.commit().await?;
    Ok(tagged(StatusCode::CREATED, &stored))
}

async fn write(
    conn: &mut PgConnection,
    clock: &Clock,
    principal: &Principal,
    version: i32,
    rule: &RuleDocument,
    written: &DocumentBody,
) -> ApiResult<StoredRule> {
    let new = NewVersion {
        version,
        document: rule,
        format: written.format,
        source: &written.text,
        by: &principal.actor(),
        at: clock.now(),
    };
    rules::put(conn, principal.workspace, &new).await?;
    let entry = audit::entry(clock, principal, "rule.written", &rule.rule_id, json!({ "version": version }));
    store::audit::insert(conn, &[&entry]).await?;
    read(conn, principal, &rule.rule_id, None).await
}

async fn read(
    conn: &mut PgConnection,
    principal: &Principal,
    id: &str,
    version: Option<i32>,
) -> ApiResult<StoredRule> {
    let stored = rules::find(conn, principal.workspace, id, version).await?;
    let stored = stored.filter(|stored| !stored.archived || version.is_some());
    let stored = stored.ok_or_else(ApiError::not_found)?;
    let used_by = rules::used_by(conn, principal.workspace, id).await?;
    let RuleRow { version, document, format, source, created_at, created_by, .. } = stored;
    Ok(StoredRule {
        rule_id: id.to_owned(),
        version,
        expr: document.condition.to_expr(),
        document,
        format,
        source,
        etag: etag(version),
        updated_at: created_at,
        updated_by: created_by,
        used_by: used_by
            .into_iter()
            .filter(|(workflow_id, _)| principal.may_touch(workflow_id))
            .map(|(workflow_id, version)| RuleUse { workflow_id, version })
            .collect(),
    })
}

fn tagged(status: StatusCode, rule: &StoredRule) -> Response {
    let etag = HeaderValue::from_str(&rule.etag);
    let mut response = (status, Json(rule)).into_response();
    if let Ok(etag) = etag {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

pub(super) async fn list(
    State(state): State<AppState>,
    principal: Principal,
    Query(query): Query<RuleQuery>,
) -> ApiResult<Json<Page<RuleSummary>>> {
    let paging = Paging::of(&state, &principal, "rules", query.limit);
    let above: Option<String> = paging.after(query.cursor.as_deref())?;
    let mut conn = state.pool.acquire().await?;
    let items = rules::list(&mut conn, principal.workspace, above.as_deref(), paging.to_read()).await?;
    Ok(Json(paging.page(items, |rule| rule.rule_id.clone())))
}

pub(super) async fn get(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    Query(query): Query<RuleVersionQuery>,
) -> ApiResult<Response> {
    let mut conn = state.pool.acquire().await?;
    Ok(tagged(StatusCode::OK, &read(&mut conn, &principal, &id, query.version).await?))
}

pub(super) async fn versions(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
) -> ApiResult<Json<Page<RuleVersionInfo>>> {
    let mut conn = state.pool.acquire().await?;
    let items = rules::versions(&mut conn, principal.workspace, &id).await?;
    if items.is_empty() {
        return Err(ApiError::not_found());
    }
    Ok(Json(Page { items, next_cursor: None }))
}

pub(super) async fn put(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    headers: HeaderMap,
    written: DocumentBody,
) -> ApiResult<Response> {
    for_all(&principal)?;
    let rule = require_valid(&state, &principal, &written).await?;
    if rule.rule_id != id {
        let detail = format!("The document's id is {}, the path's id is {id}.", rule.rule_id);
        return Err(ApiError::new(Code::RuleIdDiffers, detail));
    }
    let mut transaction = state.pool.begin().await?;
    let known = precondition(&mut transaction, &principal, &id, &headers).await?;
    let stored =
        write(&mut transaction, &state.clock, &principal, known.version + 1, &rule, &written).await?;
    transaction.commit().await?;
    Ok(tagged(StatusCode::OK, &stored))
}

/// Holds the rule and compares `If-Match` with how it stands.
async fn precondition(
    conn: &mut PgConnection,
    principal: &Principal,
    id: &str,
    headers: &HeaderMap,
) -> ApiResult<StoredRule> {
    let Some(wanted) = IfMatch::of(headers)? else {
        return Err(ApiError::new(Code::PreconditionNeeded, "Send If-Match with the rule's etag."));
    };
    rules::lock(conn, principal.workspace, id).await?;
    let known = read(conn, principal, id, None).await?;
    if !wanted.names(&known.etag) {
        let detail = format!(
            "Version {} was written meanwhile by {}; read it, then send yours again.",
            known.version, known.updated_by
        );
        let changed = json!({
            "version": known.version, "etag": known.etag, "by": known.updated_by, "at": known.updated_at,
            "document": known.document,
        });
        return Err(Problem::new(Code::PreconditionFailed, detail).with("changed", changed).into());
    }
    Ok(known)
}

pub(super) async fn archive(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> ApiResult<StatusCode> {
    for_all(&principal)?;
    let mut transaction = state.pool.begin().await?;
    let known = precondition(&mut transaction, &principal, &id, &headers).await?;
    if !known.used_by.is_empty() {
        let ids: Vec<&str> = known.used_by.iter().map(|by| by.workflow_id.as_str()).collect();
        let detail = format!("The rule is used by {}; remove it from these first.", ids.join(", "));
        return Err(Problem::new(Code::RuleUsed, detail).with("used_by", json!(known.used_by)).into());
    }
    rules::archive(&mut transaction, principal.workspace, &id, state.clock.now()).await?;
    let entry = audit::entry(&state.clock, &principal, "rule.deleted", &id, json!({}));
    store::audit::insert(&mut transaction, &[&entry]).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn try_it(
    State(state): State<AppState>,
    principal: Principal,
    Body(trial): Body<RuleTrial>,
) -> ApiResult<Json<RuleTried>> {
    let now = state.clock.now();
    state.reviews.run(principal.workspace, move || try_rule(trial, now)).await?.map(Json)
}

fn try_rule(trial: RuleTrial, now: DateTime<Utc>) -> ApiResult<RuleTried> {
    let (text, format) = match trial.document.as_str() {
        Some(text) => (text.to_owned(), Format::Yaml),
        None => (trial.document.to_string(), Format::Json),
    };
    let (checked, rule) = check_rule(&text, format);
    let findings = checked.findings;
    let Some(rule) = rule else {
        return Ok(RuleTried { findings, result: None, reason: None, why: None });
    };
    let now = trial.given.now.as_deref().and_then(time_of).unwrap_or(now);
    let mut context = trial.given.payload.clone();
    context.entry("event").or_insert_with(|| Value::Object(trial.given.payload));
    let why = evaluate(&rule.condition, &Scope::masked(&context, now))
        .map_err(|error| ApiError::new(Code::RuleBad, format!("{error}.")))?;
    let (result, reason) = (Some(why.holds()), Some(why.sentence()));
    Ok(RuleTried { findings, result, reason, why: Some(why) })
}
