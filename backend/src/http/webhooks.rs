//! Webhooks: a workflow's own URL, which whoever has a live secret may call.

use super::{
    AppState,
    body::{self, Body},
    idempotency::IdempotencyKey,
    media::MediaType,
    params::{Path, Paths},
    problem::{ApiError, ApiResult},
};
use crate::{
    audit,
    auth::{
        Principal,
        webhook::{self, SignedMessage},
    },
    engine::{Accepted, Incoming, IntakeError, RunSummary, Starts},
    store::{self, executions, webhooks, webhooks::Found, workflows},
};
use axum::{
    Json,
    body::Bytes,
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use shared_types::{
    api::{
        events::{EventAccepted, StartedRun},
        limits::WEBHOOK_SECRET_MIN,
        problem::Code,
        reading,
        webhooks::{NewWebhookSecret, Verdict, Webhook, WebhookDelivery, WebhookSecret, WebhookSecretShown},
    },
    ids::{EventId, WorkflowId},
    machine::{Definition, Event},
    requester::{Requester, RequesterKind},
    workflow::{
        bounds,
        document::{Signature, Trigger},
    },
};
use std::sync::Arc;
use uuid::Uuid;

/// How many secrets are live at once, so that they can be rotated.
const MAX_SECRETS: usize = 2;
/// How long a webhook's secret may be, in bytes.
const MAX_SECRET: usize = 200;

pub(super) async fn receive(
    State(state): State<AppState>,
    Path(token): Path<String>,
    headers: HeaderMap,
    request: Request,
) -> ApiResult<(StatusCode, Json<EventAccepted>)> {
    let media = MediaType::of(&headers);
    let body = body::signed_bytes(request, &state).await?;
    let found = {
        let mut conn = state.pool.acquire().await?;
        webhooks::by_token(&mut conn, &token).await?.ok_or_else(ApiError::not_found)?
    };
    let definition = state.engine.definition(found.workspace, &found.workflow_id, found.revision).await?;
    let Trigger::Webhook { signature, .. } = &definition.document().trigger else {
        return Err(ApiError::not_found());
    };
    let secrets = secrets(&state, &found).await?;
    let verified = {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let message = SignedMessage { header: &header, body: &body };
        webhook::verify(signature.unwrap_or_default(), &secrets, &message, state.clock.now())
    };
    let message_id = match verified {
        Ok(id) => id,
        Err(error) => {
            remember(&state, &found, None, Verdict::Refused, Some(error.to_string())).await?;
            metrics::counter!("iw_webhooks_refused_total").increment(1);
            return Err(ApiError::new(Code::SignatureBad, format!("The call is refused: {error}.")));
        }
    };
    // What changes something is carried through, also where the sender hangs up.
    let outcome =
        tokio::spawn(async move { take(&state, &found, &definition, message_id, &body, &media).await });
    outcome.await.map_err(|error| ApiError::new(Code::Internal, error.to_string()))?
}

/// The live secrets of a webhook, opened.
async fn secrets(state: &AppState, found: &Found) -> ApiResult<Vec<String>> {
    let sealed = {
        let mut conn = state.pool.acquire().await?;
        webhooks::secrets(&mut conn, found.workspace, &found.workflow_id).await?
    };
    let name = sealed_as(&found.workflow_id);
    let opened = sealed.iter().filter_map(|(_, sealed)| state.key.open(found.workspace, &name, sealed).ok());
    Ok(opened.collect())
}

async fn take(
    state: &AppState,
    found: &Found,
    definition: &Arc<Definition>,
    message_id: String,
    body: &Bytes,
    media: &MediaType,
) -> ApiResult<(StatusCode, Json<EventAccepted>)> {
    let payload = match payload(body, media) {
        Ok(payload) => payload,
        Err(error) => {
            let reason = Some(error.problem().detail.clone());
            remember(state, found, Some(message_id), Verdict::Unreadable, reason).await?;
            return Err(error);
        }
    };
    let id = EventId(format!("webhook:{}:{message_id}", found.workflow_id));
    if !found.enabled {
        remember(state, found, Some(message_id), Verdict::Disabled, None).await?;
        return Err(ApiError::new(Code::WorkflowDisabled, "The workflow is disabled; nothing was started."));
    }
    let event = Event {
        kind: "webhook".to_owned(),
        id: id.clone(),
        source: None,
        time: state.clock.now(),
        requester: Some(Requester {
            kind: RequesterKind::Key,
            name: format!("Webhook of {}", found.workflow_id),
            email: None,
        }),
        payload,
    };
    if !state.engine.admits(definition, &event).await {
        remember(state, found, Some(message_id), Verdict::Filtered, None).await?;
        let accepted = EventAccepted { event_id: id, duplicate: false, runs: Vec::new() };
        return Ok((StatusCode::ACCEPTED, Json(accepted)));
    }
    let incoming = Incoming {
        event: Arc::new(event),
        content_hash: Sha256::digest(body).to_vec(),
        starts: Starts::Only(found.workflow_id.clone()),
        audit: None,
    };
    let (duplicate, runs) = match state.engine.intake(found.workspace, &incoming).await {
        Ok(Accepted::New(started)) => {
            (false, started.into_iter().map(|started| shown(started.summary)).collect())
        }
        Ok(Accepted::Duplicate) => {
            let mut conn = state.pool.acquire().await?;
            let runs = executions::started_by(&mut conn, found.workspace, &id).await?;
            let standing = |execution| shown(RunSummary { execution, open_request: None });
            (true, runs.into_iter().map(standing).collect())
        }
        Err(error @ IntakeError::IdReused) => {
            let reason = Some("The message's id was used with another body.".to_owned());
            remember(state, found, Some(message_id), Verdict::Replayed, reason).await?;
            return Err(error.into());
        }
        Err(error) => return Err(error.into()),
    };
    let verdict = if duplicate { Verdict::Replayed } else { Verdict::Taken };
    remember(state, found, Some(message_id), verdict, None).await?;
    Ok((StatusCode::ACCEPTED, Json(EventAccepted { event_id: id, duplicate, runs })))
}

fn shown(RunSummary { execution: run, open_request }: RunSummary) -> StartedRun {
    StartedRun {
        execution_id: run.execution_id,
        workflow_id: run.workflow_id,
        status: run.status,
        result: run.result,
        reason: run.reason,
        approval_id: open_request,
    }
}

/// The context that a body brings: its keys, or all of it as `body` where it has none.
fn payload(bytes: &Bytes, media: &MediaType) -> ApiResult<Map<String, Value>> {
    let value = match body::json(body::without_mark(bytes)) {
        Ok(value) => value,
        // JSON is taken under any type; what isn't JSON and doesn't say that it is, is told what to send.
        Err(_) if matches!(media, MediaType::Yaml | MediaType::NdJson | MediaType::Other(_)) => {
            return Err(media.refused("JSON as application/json"));
        }
        Err(error) => return Err(error),
    };
    let findings = reading::unstorable(&value, bounds::MAX_DEPTH + 1);
    if !findings.is_empty() {
        return Err(body::refused(findings));
    }
    Ok(match value {
        Value::Object(payload) => payload,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::from_iter([("body".to_owned(), value)])
        }
    })
}

async fn remember(
    state: &AppState,
    found: &Found,
    message_id: Option<String>,
    verdict: Verdict,
    reason: Option<String>,
) -> ApiResult<()> {
    let delivery = WebhookDelivery { at: state.clock.now(), message_id, verdict, reason };
    let mut conn = state.pool.acquire().await?;
    webhooks::remember(&mut conn, found.workspace, &found.workflow_id, state.clock.new_id(), &delivery)
        .await?;
    Ok(())
}

/// What a webhook's secrets are sealed under.
fn sealed_as(id: &WorkflowId) -> String {
    format!("webhook:{id}")
}

/// A workflow that has a webhook, and how its sender signs.
async fn webhook_of(state: &AppState, principal: &Principal, id: &WorkflowId) -> ApiResult<Signature> {
    if !principal.may_touch(id) {
        return Err(ApiError::not_found());
    }
    let mut conn = state.pool.acquire().await?;
    let stored = workflows::find(&mut conn, principal.workspace, id, None).await?;
    let stored = stored.filter(|stored| stored.archived_at.is_none()).ok_or_else(ApiError::not_found)?;
    let trigger = stored.document.get("trigger").cloned().unwrap_or_default();
    match store::read("workflow_revisions", "document", trigger)? {
        Trigger::Webhook { signature, .. } => Ok(signature.unwrap_or_default()),
        Trigger::Event { .. } | Trigger::Schedule { .. } | Trigger::Manual { .. } => {
            Err(ApiError::new(Code::NotAWebhook, "The workflow's trigger isn't `webhook`."))
        }
    }
}

pub(super) async fn get(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<WorkflowId>,
) -> ApiResult<Json<Webhook>> {
    let signature = webhook_of(&state, &principal, &id).await?;
    let mut conn = state.pool.acquire().await?;
    let found = webhooks::token_of(&mut conn, principal.workspace, &id).await?;
    let (token, refused) = found.ok_or_else(ApiError::not_found)?;
    let secrets = webhooks::secrets(&mut conn, principal.workspace, &id).await?;
    Ok(Json(Webhook {
        url: format!("{}/api/v1/hooks/{token}", state.public_url.trim_end_matches('/')),
        signature,
        secrets: secrets.into_iter().map(|(secret, _)| secret).collect(),
        refused,
        deliveries: webhooks::deliveries(&mut conn, principal.workspace, &id).await?,
        workflow_id: id,
    }))
}

pub(super) async fn add_secret(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<WorkflowId>,
    claim: IdempotencyKey,
    Body(new): Body<NewWebhookSecret>,
) -> ApiResult<(StatusCode, Json<WebhookSecretShown>)> {
    webhook_of(&state, &principal, &id).await?;
    let value = new.value.unwrap_or_else(webhook::fresh_secret);
    if webhook::strength(&value) < WEBHOOK_SECRET_MIN || value.len() > MAX_SECRET {
        let detail = format!(
            "`value` must have {WEBHOOK_SECRET_MIN} bytes at least, counted without `whsec_` and Base64, and {MAX_SECRET} \
             at most; leave it out to have one made."
        );
        return Err(ApiError::new(Code::FieldBad, detail));
    }
    let secret = WebhookSecret {
        secret_id: state.clock.new_id(),
        created_at: state.clock.now(),
        created_by: principal.actor(),
    };
    let sealed = state.key.seal(principal.workspace, &sealed_as(&id), &value);
    let mut transaction = state.pool.begin().await?;
    workflows::lock(&mut transaction, principal.workspace, &id).await?;
    let live = webhooks::secrets(&mut transaction, principal.workspace, &id).await?;
    if live.len() >= MAX_SECRETS {
        let detail = "The webhook has two live secrets, which is the maximum; revoke the old one first.";
        return Err(ApiError::new(Code::SecretsTwo, detail));
    }
    webhooks::add_secret(&mut transaction, principal.workspace, &id, &secret, &sealed).await?;
    let entry = audit::entry(
        &state.clock,
        &principal,
        "webhook.secret_added",
        id.as_str(),
        json!({ "secret_id": secret.secret_id }),
    );
    store::audit::insert(&mut transaction, &[&entry]).await?;
    let shown = WebhookSecretShown { secret_id: secret.secret_id, value };
    claim.keep(&state, &mut transaction, StatusCode::CREATED, &shown).await?;
    transaction.commit().await?;
    Ok((StatusCode::CREATED, Json(shown)))
}

pub(super) async fn revoke_secret(
    State(state): State<AppState>,
    principal: Principal,
    Paths(id, secret): Paths<WorkflowId, Uuid>,
) -> ApiResult<StatusCode> {
    // Also where the trigger is another by now: it might become this one again.
    if !principal.may_touch(&id) {
        return Err(ApiError::not_found());
    }
    let mut transaction = state.pool.begin().await?;
    if !webhooks::revoke_secret(&mut transaction, principal.workspace, &id, secret).await? {
        return Err(ApiError::not_found());
    }
    let entry = audit::entry(
        &state.clock,
        &principal,
        "webhook.secret_revoked",
        id.as_str(),
        json!({ "secret_id": secret }),
    );
    store::audit::insert(&mut transaction, &[&entry]).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
