//! The audit log.

use super::{AppState, paging::Paging, params::Query, problem::ApiResult};
use crate::{auth::Principal, store::audit};
use axum::{Json, extract::State};
use shared_types::api::{
    Page,
    audit::{AuditEntry, AuditQuery},
};

pub(super) async fn list(
    State(state): State<AppState>,
    principal: Principal,
    Query(query): Query<AuditQuery>,
) -> ApiResult<Json<Page<AuditEntry>>> {
    let paging = Paging::of(&state, &principal, "audit", query.limit);
    let below = paging.after(query.cursor.as_deref())?;
    let mut conn = state.pool.acquire().await?;
    let entries = audit::list(&mut conn, principal.workspace, &query, below, paging.to_read()).await?;
    Ok(Json(paging.page(entries, |entry| entry.audit_id.to_string())))
}
