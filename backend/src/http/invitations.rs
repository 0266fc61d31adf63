//! Invitations, as the person who is invited answers them.

use super::{
    AppState,
    params::Path,
    principal::person,
    problem::{ApiError, ApiResult},
};
use crate::{
    audit,
    auth::Principal,
    clock::Clock,
    store::{self, invitations, people, people::Account},
};
use axum::{Json, extract::State, http::StatusCode};
use serde_json::json;
use shared_types::{
    api::{Page, invitations::Invitation},
    ids::InvitationId,
};
use sqlx::PgConnection;
use std::net::IpAddr;

pub(super) async fn list(
    State(state): State<AppState>,
    principal: Principal,
) -> ApiResult<Json<Page<Invitation>>> {
    let user = person(&principal)?.user_id;
    let mut conn = state.pool.acquire().await?;
    let items = invitations::open_of(&mut conn, user).await?;
    Ok(Json(Page { items, next_cursor: None }))
}

pub(super) async fn accept(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<InvitationId>,
) -> ApiResult<StatusCode> {
    answer(&state, &principal, id, true).await
}

pub(super) async fn decline(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<InvitationId>,
) -> ApiResult<StatusCode> {
    answer(&state, &principal, id, false).await
}

async fn answer(
    state: &AppState,
    principal: &Principal,
    id: InvitationId,
    accepts: bool,
) -> ApiResult<StatusCode> {
    let user = person(principal)?.user_id;
    let address = principal.address.as_deref().and_then(|address| address.parse().ok());
    let mut transaction = state.pool.begin().await?;
    let account = people::account(&mut transaction, user).await?.ok_or_else(ApiError::not_found)?;
    if accepts {
        accept_as(&mut transaction, &state.clock, &account, id, address).await?;
    } else {
        answer_as(&mut transaction, &state.clock, &account, id, false, address).await?;
    }
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Accepts an invitation for the person who is invited.
pub(super) async fn accept_as(
    conn: &mut PgConnection,
    clock: &Clock,
    account: &Account,
    id: InvitationId,
    address: Option<IpAddr>,
) -> ApiResult<()> {
    answer_as(conn, clock, account, id, true, address).await
}

/// The answer stands in the audit log of the workspace that invited.
async fn answer_as(
    conn: &mut PgConnection,
    clock: &Clock,
    account: &Account,
    id: InvitationId,
    accepts: bool,
    address: Option<IpAddr>,
) -> ApiResult<()> {
    let answered = invitations::answer(conn, id, account.user_id, accepts, clock.now()).await?;
    let answered = answered.ok_or_else(ApiError::not_found)?;
    let action = if accepts { "invitation.accepted" } else { "invitation.declined" };
    let detail = json!({ "invitation_id": id, "roles": answered.roles });
    let entry = audit::entry_of(clock, account, answered.workspace, address, action, detail);
    store::audit::insert(conn, &[&entry]).await?;
    Ok(())
}
