//! Roles of a workspace, and what people call them.

use super::{
    AppState,
    body::Body,
    params::Path,
    problem::{ApiError, ApiResult},
    users::field,
};
use crate::{
    audit,
    auth::Principal,
    store::{self, roles},
};
use axum::{Json, extract::State, http::StatusCode};
use serde_json::json;
use shared_types::{
    api::{
        BASE_ROLES, Page,
        problem::Code,
        roles::{Role, RoleName},
    },
    label::Label,
    role,
};

pub(super) async fn list(State(state): State<AppState>, principal: Principal) -> ApiResult<Json<Page<Role>>> {
    let mut conn = state.pool.acquire().await?;
    let items = roles::list(&mut conn, principal.workspace).await?;
    Ok(Json(Page { items, next_cursor: None }))
}

pub(super) async fn name(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    Body(named): Body<RoleName>,
) -> ApiResult<StatusCode> {
    if !role::is_id(&id) {
        let detail = format!("\"{id}\" is no role; use 1 to {} letters, digits, `_`, `-`.", role::MAX_LENGTH);
        return Err(ApiError::new(Code::FieldBad, detail));
    }
    if BASE_ROLES.iter().any(|(base, _)| *base == id) {
        let detail = format!("`{id}` is a base role and can't be named; only approver roles can.");
        return Err(ApiError::new(Code::FieldBad, detail));
    }
    let name: Label = field("name", &named.name)?;
    let mut transaction = state.pool.begin().await?;
    roles::put(&mut transaction, principal.workspace, &id, &name).await?;
    let entry = audit::entry(&state.clock, &principal, "role.named", &id, json!({ "name": name.as_str() }));
    store::audit::insert(&mut transaction, &[&entry]).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn unname(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
) -> ApiResult<StatusCode> {
    let mut transaction = state.pool.begin().await?;
    if !roles::delete(&mut transaction, principal.workspace, &id).await? {
        return Err(ApiError::not_found());
    }
    let entry = audit::entry(&state.clock, &principal, "role.unnamed", &id, json!({}));
    store::audit::insert(&mut transaction, &[&entry]).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
