//! `Idempotency-Key`: the same key and body answers the same again.

use super::{AppState, MAX_BODY, problem::ApiError};
use crate::{
    auth::Caller,
    clock,
    store::idempotency::{self, Kept},
};
use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use shared_types::api::problem::Code;

/// The header.
pub(super) const KEY: &str = "idempotency-key";

/// Answers a request, or answers it again.
pub(super) async fn once(state: &AppState, caller: &Caller, request: Request, next: Next) -> Response {
    let Some(key) = request.headers().get(KEY).and_then(|key| key.to_str().ok()).map(str::to_owned) else {
        return next.run(request).await;
    };
    match once_with(state, caller, request, next, &key).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

async fn once_with(
    state: &AppState,
    caller: &Caller,
    request: Request,
    next: Next,
    key: &str,
) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, MAX_BODY).await.map_err(|_| {
        ApiError::new(Code::BodyTooLarge, format!("The body is larger than {MAX_BODY} bytes."))
    })?;
    let mut hash = Sha256::new();
    hash.update(parts.method.as_str());
    hash.update(parts.uri.path());
    hash.update(&body);
    let hash = hash.finalize().to_vec();
    let actor = caller.actor();
    let kept = {
        let mut conn = state.pool.acquire().await?;
        idempotency::find(&mut conn, caller.workspace, &actor, key).await?
    };
    if let Some(kept) = kept {
        return answer_again(state, caller, key, &kept, &hash);
    }
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    if !response.status().is_success() {
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, 16 * MAX_BODY).await.unwrap_or_default();
    let status = i16::try_from(parts.status.as_u16()).unwrap_or_default();
    // An answer may hold what is shown only once, such as a key; it is kept as secrets are.
    let sealed = state.key.seal(caller.workspace, key, &String::from_utf8_lossy(&body));
    let text = STANDARD.encode(sealed);
    let mut conn = state.pool.acquire().await?;
    let kept = Kept { request_hash: hash, status, body: text };
    idempotency::keep(&mut conn, caller.workspace, &actor, key, &kept, clock::now()).await?;
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn answer_again(
    state: &AppState,
    caller: &Caller,
    key: &str,
    kept: &Kept,
    hash: &[u8],
) -> Result<Response, ApiError> {
    if kept.request_hash != hash {
        let detail = "This Idempotency-Key was sent before with another request; take a new one.";
        return Err(ApiError::new(Code::IdempotencyReused, detail));
    }
    let status = u16::try_from(kept.status).ok().and_then(|status| StatusCode::from_u16(status).ok());
    let sealed = STANDARD.decode(&kept.body).unwrap_or_default();
    let body = state.key.open(caller.workspace, key, &sealed);
    let body = body.map_err(|error| ApiError::new(Code::Internal, error.to_string()))?;
    let has_body = !body.is_empty();
    let mut response = (status.unwrap_or(StatusCode::OK), body).into_response();
    if has_body {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    Ok(response)
}
