//! What is asked by machines: health, metrics, the API's description.

use super::{AppState, principal, problem::ApiError};
use crate::{auth::token_hash, store};
use axum::{
    Json, Router,
    extract::{ConnectInfo, Path, State},
    http::{Extensions, HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
    routing::get,
};
use serde_json::{Value, json};
use shared_types::{
    api::{openapi, problem::Code},
    workflow::schema,
};
use std::{
    net::SocketAddr,
    sync::{Arc, LazyLock},
};
use utoipa_swagger_ui::Config;

/// Headers by which a proxy says that it asks for somebody else.
const FORWARDED: [&str; 3] = ["forwarded", "x-forwarded-for", "x-real-ip"];

static OPENAPI: LazyLock<Value> = LazyLock::new(openapi::document);
static SWAGGER: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| Arc::new(Config::from("/openapi.json")));

pub(super) fn mount(router: Router<AppState>) -> Router<AppState> {
    router
        .route("/healthz", get(|| async { Json(json!({ "status": "ok" })) }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/openapi.json", get(|| async { Json(&*OPENAPI) }))
        .route("/workflow.schema.json", get(|| async { Json(schema::schema()) }))
        .route("/docs", get(|| async { Redirect::permanent("/docs/") }))
        .route("/docs/", get(|| swagger(Path(String::new()))))
        .route("/docs/{*file}", get(swagger))
}

/// Ready means that the database answers.
async fn ready(State(state): State<AppState>) -> Result<Json<Value>, ApiError> {
    let mut conn = state.pool.acquire().await?;
    store::ping(&mut conn).await?;
    Ok(Json(json!({ "status": "ready" })))
}

/// What was counted, for this machine and for whoever has the token. Others aren't told that there is anything.
async fn metrics(
    State(state): State<AppState>,
    headers: HeaderMap,
    extensions: Extensions,
) -> Result<Response, ApiError> {
    let is_forwarded = FORWARDED.iter().any(|name| headers.contains_key(*name));
    let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical());
    // A proxy on this machine forwards what others ask.
    let is_local = peer.is_some_and(|ip| ip.is_loopback()) && !is_forwarded;
    if !is_local {
        let wanted = state.metrics_token.as_deref().ok_or_else(ApiError::not_found)?;
        let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let sent = sent.and_then(principal::bearer).unwrap_or_default();
        // Hashes are compared, so that the time taken tells nothing of the token.
        if token_hash(sent) != token_hash(wanted) {
            let detail = "Send the token of IW_METRICS_TOKEN in the header Authorization: Bearer …";
            return Err(ApiError::new(Code::Unauthenticated, detail));
        }
    }
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind)], state.metrics.render()).into_response())
}

async fn swagger(Path(file): Path<String>) -> Response {
    match utoipa_swagger_ui::serve(&file, Arc::clone(&SWAGGER)) {
        Ok(Some(file)) => {
            ([(header::CONTENT_TYPE, file.content_type)], file.bytes.into_owned()).into_response()
        }
        Ok(None) | Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}
