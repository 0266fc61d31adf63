//! What is asked by machines: health, metrics, the API's description.

use super::{AppState, problem::ApiError};
use crate::store;
use axum::{
    Json, Router,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
    routing::get,
};
use serde_json::{Value, json};
use shared_types::{api::openapi, workflow::shape};
use std::sync::{Arc, LazyLock};
use utoipa_swagger_ui::Config;

static OPENAPI: LazyLock<Value> = LazyLock::new(openapi::document);
static SWAGGER: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| Arc::new(Config::from("/openapi.json")));

pub(super) fn mount(router: Router<AppState>) -> Router<AppState> {
    router
        .route("/healthz", get(|| async { Json(json!({ "status": "ok" })) }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/openapi.json", get(|| async { Json(&*OPENAPI) }))
        .route("/workflow.schema.json", get(|| async { Json(shape::schema()) }))
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

async fn metrics(State(state): State<AppState>) -> String {
    state.metrics.render()
}

async fn swagger(Path(file): Path<String>) -> Response {
    match utoipa_swagger_ui::serve(&file, Arc::clone(&SWAGGER)) {
        Ok(Some(file)) => {
            ([(header::CONTENT_TYPE, file.content_type)], file.bytes.into_owned()).into_response()
        }
        Ok(None) | Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}
