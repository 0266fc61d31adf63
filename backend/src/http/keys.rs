//! API keys.

use super::{
    AppState,
    body::Body,
    idempotency::IdempotencyKey,
    params::Path,
    problem::{ApiError, ApiResult},
    users::field,
};
use crate::{
    audit,
    auth::{Principal, keys::fresh, token_hash},
    store::{self, keys, workflows},
};
use axum::{Json, extract::State, http::StatusCode};
use serde_json::json;
use shared_types::{
    api::{
        Page, SCOPES,
        keys::{CreatedKey, Key, NewKey},
        problem::Code,
    },
    ids::KeyId,
    label::Label,
};

pub(super) async fn create(
    State(state): State<AppState>,
    principal: Principal,
    claim: IdempotencyKey,
    Body(new): Body<NewKey>,
) -> ApiResult<(StatusCode, Json<CreatedKey>)> {
    let name: Label = field("name", &new.name)?;
    let now = state.clock.now();
    if new.expires_at.is_some_and(|until| until <= now) {
        let detail =
            "`expires_at`: this time is past; give one to come, or null for a key that never expires.";
        return Err(ApiError::new(Code::FieldBad, detail));
    }
    if let Some(unknown) = new.scopes.iter().find(|scope| !SCOPES.iter().any(|(name, _)| name == scope)) {
        let known = SCOPES.map(|(name, _)| name).join(", ");
        return Err(ApiError::new(
            Code::FieldBad,
            format!("`scopes`: there is no scope \"{unknown}\"; there are {known}."),
        ));
    }
    let text = fresh();
    let about = Key {
        key_id: KeyId(state.clock.new_id()),
        name: name.into_text(),
        scopes: new.scopes,
        workflows: new.workflows,
        expires_at: new.expires_at,
        created_at: now,
    };
    let mut transaction = state.pool.begin().await?;
    for id in about.workflows.iter().flatten() {
        if workflows::find(&mut transaction, principal.workspace, id, None).await?.is_none() {
            let detail = format!(
                "`workflows`: there is no workflow \"{id}\"; write ids of workflows, or null for all."
            );
            return Err(ApiError::new(Code::FieldBad, detail));
        }
    }
    keys::insert(&mut transaction, principal.workspace, &about, &token_hash(&text), &principal.actor())
        .await?;
    let detail = json!({ "name": about.name, "scopes": about.scopes });
    let entry = audit::entry(&state.clock, &principal, "key.made", &about.key_id.to_string(), detail);
    store::audit::insert(&mut transaction, &[&entry]).await?;
    let created = CreatedKey { key: text, about };
    claim.keep(&state, &mut transaction, StatusCode::CREATED, &created).await?;
    transaction.commit().await?;
    Ok((StatusCode::CREATED, Json(created)))
}

pub(super) async fn list(State(state): State<AppState>, principal: Principal) -> ApiResult<Json<Page<Key>>> {
    let mut conn = state.pool.acquire().await?;
    let items = keys::list(&mut conn, principal.workspace).await?;
    Ok(Json(Page { items, next_cursor: None }))
}

pub(super) async fn revoke(
    State(state): State<AppState>,
    principal: Principal,
    Path(key_id): Path<KeyId>,
) -> ApiResult<StatusCode> {
    let mut transaction = state.pool.begin().await?;
    let hash = keys::revoke(&mut transaction, principal.workspace, key_id, state.clock.now()).await?;
    let hash = hash.ok_or_else(ApiError::not_found)?;
    let entry = audit::entry(&state.clock, &principal, "key.revoked", &key_id.to_string(), json!({}));
    store::audit::insert(&mut transaction, &[&entry]).await?;
    transaction.commit().await?;
    state.recent_keys.forget(&hash);
    Ok(StatusCode::NO_CONTENT)
}
