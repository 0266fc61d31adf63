//! Changing one's own password.

use super::{count, place};
use crate::{
    audit,
    auth::{
        Principal,
        password::{self, Comer},
        throttle::Subject,
    },
    http::{
        AppState,
        body::Body,
        principal,
        problem::{ApiError, ApiResult},
    },
    store::{self, people, sessions},
};
use axum::{extract::State, http::StatusCode};
use serde_json::json;
use shared_types::api::{auth::PasswordChange, problem::Code};

/// The new password ends the person's other sessions, everywhere.
pub(in crate::http) async fn change_password(
    State(state): State<AppState>,
    principal: Principal,
    Body(change): Body<PasswordChange>,
) -> ApiResult<StatusCode> {
    let person = principal::person(&principal)?;
    password::check_for(&change.new, &person.email, &person.name)
        .map_err(|weak| ApiError::new(Code::FieldBad, format!("`new`: {weak}.")))?;
    let wrong = || ApiError::new(Code::FieldBad, "`old`: this isn't your password.");
    if change.old.chars().count() > password::MAX_LENGTH {
        return Err(wrong());
    }
    let verifying = place(&state, Comer::Known)?;
    let counted = count(&state, vec![Subject::Person(person.user_id)]).await?;
    let account = {
        let mut conn = state.pool.acquire().await?;
        people::account(&mut conn, person.user_id).await?
    };
    let hash = account.and_then(|account| account.password_hash);
    if !verifying.verify(change.old, hash).await {
        let entry = audit::entry(&state.clock, &principal, "password.refused", &person.email, json!({}));
        let mut conn = state.pool.acquire().await?;
        store::audit::insert(&mut conn, &[&entry]).await?;
        return Err(wrong());
    }
    let hashed = place(&state, Comer::Known)?.hash(change.new).await;
    let hashed = hashed.map_err(|error| ApiError::new(Code::Internal, error.to_string()))?;
    let mut transaction = state.pool.begin().await?;
    counted.succeeded(&mut transaction).await?;
    people::set_password(&mut transaction, person.user_id, &hashed).await?;
    sessions::end_of_person(&mut transaction, person.user_id, None, person.session, state.clock.now())
        .await?;
    let entry = audit::entry(&state.clock, &principal, "password.changed", &person.email, json!({}));
    store::audit::insert(&mut transaction, &[&entry]).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
