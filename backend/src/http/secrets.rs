//! Secrets: set and deleted here, read by nobody.

use super::{
    AppState,
    body::Body,
    params::Path,
    problem::{ApiError, ApiResult},
};
use crate::{
    audit,
    auth::Principal,
    store::{self, secrets},
};
use axum::{Json, extract::State, http::StatusCode};
use serde_json::json;
use shared_types::api::{
    Page,
    limits::{SECRET_NAME, SECRET_VALUE},
    problem::Code,
    secrets::{SecretName, SecretValue},
};

/// How many characters a secret has at least.
const SHORTEST: usize = 8;

pub(super) async fn put(
    State(state): State<AppState>,
    principal: Principal,
    Path(name): Path<String>,
    Body(secret): Body<SecretValue>,
) -> ApiResult<StatusCode> {
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.len() <= SECRET_NAME
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_name {
        return Err(ApiError::new(
            Code::FieldBad,
            format!(
                "A secret's name begins with a letter and holds up to {SECRET_NAME} letters, digits and `_`."
            ),
        ));
    }
    if secret.value.len() > SECRET_VALUE {
        let detail =
            format!("`value` must have at most {SECRET_VALUE} bytes; it has {}.", secret.value.len());
        return Err(ApiError::new(Code::FieldBad, detail));
    }
    if secret.value.chars().count() < SHORTEST {
        let detail = format!(
            "`value` must have at least {SHORTEST} characters: a shorter secret can be guessed, and can't be masked \
             without masking ordinary words. DELETE removes a secret."
        );
        return Err(ApiError::new(Code::FieldBad, detail));
    }
    let sealed = state.key.seal(principal.workspace, &name, &secret.value);
    let mut transaction = state.pool.begin().await?;
    secrets::put(&mut transaction, principal.workspace, &name, &sealed, state.clock.now()).await?;
    let entry = audit::entry(&state.clock, &principal, "secret.set", &name, json!({}));
    store::audit::insert(&mut transaction, &[&entry]).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn list(
    State(state): State<AppState>,
    principal: Principal,
) -> ApiResult<Json<Page<SecretName>>> {
    let mut conn = state.pool.acquire().await?;
    let items = secrets::names(&mut conn, principal.workspace).await?;
    Ok(Json(Page { items, next_cursor: None }))
}

pub(super) async fn delete(
    State(state): State<AppState>,
    principal: Principal,
    Path(name): Path<String>,
) -> ApiResult<StatusCode> {
    let mut transaction = state.pool.begin().await?;
    if !secrets::delete(&mut transaction, principal.workspace, &name).await? {
        return Err(ApiError::not_found());
    }
    let entry = audit::entry(&state.clock, &principal, "secret.deleted", &name, json!({}));
    store::audit::insert(&mut transaction, &[&entry]).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
