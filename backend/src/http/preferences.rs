//! How the caller wants to be told.

use super::{
    AppState,
    body::Body,
    principal::person,
    problem::{ApiError, ApiResult},
};
use crate::{auth::Principal, store::preferences};
use axum::{Json, extract::State};
use shared_types::{
    api::{preferences::NotificationPreferences, problem::Code},
    preferences::Quiet,
};

pub(super) async fn get(
    State(state): State<AppState>,
    principal: Principal,
) -> ApiResult<Json<NotificationPreferences>> {
    let user = person(&principal)?.user_id;
    let mut conn = state.pool.acquire().await?;
    let mut said = preferences::some(&mut conn, principal.workspace, &[user]).await?;
    Ok(Json(said.remove(&user).unwrap_or_default()))
}

pub(super) async fn put(
    State(state): State<AppState>,
    principal: Principal,
    Body(said): Body<NotificationPreferences>,
) -> ApiResult<Json<NotificationPreferences>> {
    let user = person(&principal)?.user_id;
    if let Some(hours) = &said.quiet_hours {
        Quiet::of(hours).map_err(|fault| ApiError::new(Code::FieldBad, format!("{fault}.")))?;
    }
    let mut conn = state.pool.acquire().await?;
    preferences::put(&mut conn, principal.workspace, user, &said, state.clock.now()).await?;
    Ok(Json(said))
}
