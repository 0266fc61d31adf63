//! Messages to people, and what went out to the world.

use super::{
    AppState,
    paging::Paging,
    params::{Path, Query},
    principal::person,
    problem::{ApiError, ApiResult},
};
use crate::{
    auth::Principal,
    store::{deliveries, notices},
};
use axum::{Json, extract::State, http::StatusCode};
use shared_types::{
    api::{
        Page,
        notices::{Delivery, DeliveryQuery, Notice, NoticeQuery},
    },
    ids::NoticeId,
};

pub(super) async fn list(
    State(state): State<AppState>,
    principal: Principal,
    Query(query): Query<NoticeQuery>,
) -> ApiResult<Json<Page<Notice>>> {
    let user = person(&principal)?.user_id;
    let paging = Paging::of(&state, &principal, "notices", query.limit);
    let below = paging.after(query.cursor.as_deref())?;
    let unread = query.unread.unwrap_or_default();
    let mut conn = state.pool.acquire().await?;
    let items = notices::list(&mut conn, principal.workspace, user, unread, below, paging.to_read()).await?;
    Ok(Json(paging.page(items, |notice| notice.notice_id.to_string())))
}

pub(super) async fn read(
    State(state): State<AppState>,
    principal: Principal,
    Path(notice_id): Path<NoticeId>,
) -> ApiResult<StatusCode> {
    let user = person(&principal)?.user_id;
    let mut conn = state.pool.acquire().await?;
    if notices::mark_read(&mut conn, principal.workspace, user, notice_id, state.clock.now()).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::not_found())
    }
}

pub(super) async fn deliveries(
    State(state): State<AppState>,
    principal: Principal,
    Query(query): Query<DeliveryQuery>,
) -> ApiResult<Json<Page<Delivery>>> {
    let paging = Paging::of(&state, &principal, "deliveries", query.limit);
    let below = paging.after(query.cursor.as_deref())?;
    let mut conn = state.pool.acquire().await?;
    let items =
        deliveries::list(&mut conn, principal.workspace, query.status, below, paging.to_read()).await?;
    Ok(Json(paging.page(items, |delivery| delivery.delivery_id.to_string())))
}
