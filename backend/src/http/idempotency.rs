//! `Idempotency-Key`: the same key and body answers the same again.

use super::{
    AppState,
    problem::{ApiError, ApiResult},
};
use crate::{
    auth::{Principal, Who},
    store::{
        self,
        idempotency::{self, StoredResponse},
    },
};
use axum::{
    body::{Body, to_bytes},
    extract::{FromRequestParts, Request},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use shared_types::{
    api::{limits::IDEMPOTENCY_KEY, problem::Code},
    ids::WorkspaceId,
};
use sqlx::PgConnection;
use std::{convert::Infallible, sync::Arc};

/// The header.
const KEY: &str = "idempotency-key";

/// The key of a request; every endpoint that reads it reads it here.
pub(super) fn key(headers: &HeaderMap) -> ApiResult<Option<String>> {
    let mut sent = headers.get_all(KEY).iter();
    let Some(first) = sent.next() else { return Ok(None) };
    let rule = format!("Idempotency-Key must be 1 to {IDEMPOTENCY_KEY} printable ASCII characters");
    if sent.next().is_some() {
        return Err(ApiError::new(
            Code::HeaderBad,
            format!("{rule}, sent once; it was sent more than once."),
        ));
    }
    checked_key(first.as_bytes()).map(Some)
}

/// A key that fits the rule for the header `Idempotency-Key`.
pub(super) fn checked_key(bytes: &[u8]) -> ApiResult<String> {
    let rule = format!("Idempotency-Key must be 1 to {IDEMPOTENCY_KEY} printable ASCII characters");
    let is_printable = bytes.iter().all(|byte| (b' '..=b'~').contains(byte));
    match std::str::from_utf8(bytes) {
        Ok(text) if is_printable && (1..=IDEMPOTENCY_KEY).contains(&bytes.len()) => Ok(text.to_owned()),
        _ if bytes.is_empty() => Err(ApiError::new(Code::HeaderBad, format!("{rule}; it is empty."))),
        _ if is_printable => Err(ApiError::new(Code::HeaderBad, format!("{rule}; it has {}.", bytes.len()))),
        _ => Err(ApiError::new(Code::HeaderBad, format!("{rule}; it holds another character."))),
    }
}

/// A request's `Idempotency-Key`, for a handler that keeps its answer in the transaction that it tells of.
#[derive(Clone)]
pub(super) struct IdempotencyKey(Option<Arc<Claimed>>);

struct Claimed {
    workspace: WorkspaceId,
    actor: String,
    key: String,
    request_hash: Vec<u8>,
}

impl IdempotencyKey {
    /// Keeps the answer with what was changed. Where the same request was quicker, this one fails, changes
    /// nothing, and is answered as that one was.
    pub(super) async fn keep<T: Serialize>(
        &self,
        state: &AppState,
        conn: &mut PgConnection,
        status: StatusCode,
        answer: &T,
    ) -> ApiResult<()> {
        let Some(claimed) = &self.0 else { return Ok(()) };
        if claimed.keep(state, conn, status, &store::json_text(answer)).await? {
            return Ok(());
        }
        Err(reused())
    }

    /// Whether the request has a key.
    pub(super) fn is_given(&self) -> bool {
        self.0.is_some()
    }

    /// An id that is the same whenever this caller sends this key; nothing without a key.
    pub(super) fn stable_id(&self) -> Option<String> {
        let claimed = self.0.as_ref()?;
        let digest = Sha256::digest(format!("{}\n{}", claimed.actor, claimed.key));
        let bytes = digest.first_chunk::<16>().copied().unwrap_or_default();
        Some(uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string())
    }

    /// Of what was sent under the key.
    pub(super) fn request_hash(&self) -> Vec<u8> {
        self.0.as_ref().map(|claimed| claimed.request_hash.clone()).unwrap_or_default()
    }
}

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or(Self(None)))
    }
}

impl Claimed {
    async fn find(&self, state: &AppState) -> ApiResult<Option<StoredResponse>> {
        let mut conn = state.pool.acquire().await?;
        Ok(idempotency::find(&mut conn, self.workspace, &self.actor, &self.key).await?)
    }

    /// Keeps an answer; false where there is one.
    async fn keep(
        &self,
        state: &AppState,
        conn: &mut PgConnection,
        status: StatusCode,
        answer: &str,
    ) -> ApiResult<bool> {
        // An answer may hold what is shown only once, such as a key; it is kept as secrets are.
        let sealed = state.key.seal(self.workspace, &self.key, answer);
        let stored = StoredResponse {
            request_hash: self.request_hash.clone(),
            status: i16::try_from(status.as_u16()).unwrap_or_default(),
            body: STANDARD.encode(sealed),
        };
        Ok(idempotency::keep(conn, self.workspace, &self.actor, &self.key, &stored, state.clock.now())
            .await?)
    }
}

/// Answers a request, or answers it again.
pub(super) async fn once(state: &AppState, principal: &Principal, request: Request, next: Next) -> Response {
    let key = match key(request.headers()) {
        Ok(Some(key)) => key,
        Ok(None) => return next.run(request).await,
        Err(error) => return error.into_response(),
    };
    match once_with(state, principal, request, next, key).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

/// How much of an answer is kept to be given again, in bytes.
const MAX_ANSWER: usize = 16 * 1024 * 1024;

async fn once_with(
    state: &AppState,
    principal: &Principal,
    request: Request,
    next: Next,
    key: String,
) -> ApiResult<Response> {
    let (mut parts, body) = request.into_parts();
    // The guard has read it, up to the endpoint's own limit.
    let body = to_bytes(body, usize::MAX)
        .await
        .map_err(|_| ApiError::new(Code::RequestBad, "The body can't be read; send it again."))?;
    let mut hash = Sha256::new();
    hash.update(parts.method.as_str());
    hash.update(parts.uri.path());
    hash.update(&body);
    let request_hash = hash.finalize().to_vec();
    let claimed =
        Arc::new(Claimed { workspace: principal.workspace, actor: owner(principal), key, request_hash });
    if let Some(kept) = claimed.find(state).await? {
        return answer_again(state, &claimed, &kept);
    }
    parts.extensions.insert(IdempotencyKey(Some(Arc::clone(&claimed))));
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    if !response.status().is_success() {
        // The same request, sent twice at once, may have got there first.
        return match claimed.find(state).await? {
            Some(kept) => answer_again(state, &claimed, &kept),
            None => Ok(response),
        };
    }
    // What wasn't kept with its change changes nothing when it is done again; its answer is kept here.
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, MAX_ANSWER).await.unwrap_or_default();
    let mut conn = state.pool.acquire().await?;
    claimed.keep(state, &mut conn, parts.status, &String::from_utf8_lossy(&body)).await?;
    Ok(Response::from_parts(parts, Body::from(body)))
}

/// Whose keys a caller's are. Two API keys may have one name, so that theirs are told apart by their ids.
fn owner(principal: &Principal) -> String {
    match &principal.who {
        Who::Person(person) => person.email.clone(),
        Who::Key(key) => format!("key:{}", key.key_id),
    }
}

/// The key came before with another request.
pub(super) fn reused() -> ApiError {
    let detail = "This Idempotency-Key was sent before with another request; take a new one.";
    ApiError::new(Code::IdempotencyReused, detail)
}

fn answer_again(state: &AppState, claimed: &Claimed, kept: &StoredResponse) -> ApiResult<Response> {
    if kept.request_hash != claimed.request_hash {
        return Err(reused());
    }
    let status = u16::try_from(kept.status).ok().and_then(|status| StatusCode::from_u16(status).ok());
    let sealed = STANDARD.decode(&kept.body).unwrap_or_default();
    let body = state.key.open(claimed.workspace, &claimed.key, &sealed);
    let body = body.map_err(|error| ApiError::new(Code::Internal, error.to_string()))?;
    let has_body = !body.is_empty();
    // What has an etag in its body had it in its header too.
    let etag = serde_json::from_str::<Value>(&body).ok();
    let etag = etag.as_ref().and_then(|body| HeaderValue::from_str(body.get("etag")?.as_str()?).ok());
    let mut response = (status.unwrap_or(StatusCode::OK), body).into_response();
    if has_body {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if let Some(etag) = etag {
        response.headers_mut().insert(header::ETAG, etag);
    }
    Ok(response)
}
