//! The audit log.

use super::{AppState, paging::Paging, params::Query, problem::ApiResult};
use crate::{auth::Caller, clock, store::audit};
use axum::{Json, extract::State};
use serde_json::Value;
use shared_types::{
    api::{
        Page,
        audit::{AuditEntry, AuditQuery},
    },
    ids::AuditId,
};

/// An entry for something that a caller does.
pub(super) fn entry(caller: &Caller, action: &'static str, subject: &str, detail: Value) -> audit::Entry {
    audit::Entry {
        id: AuditId(clock::new_id()),
        workspace: caller.workspace,
        at: clock::now(),
        actor: caller.actor(),
        action,
        subject: subject.to_owned(),
        address: caller.address.clone(),
        detail,
    }
}

pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<AuditQuery>,
) -> ApiResult<Json<Page<AuditEntry>>> {
    let paging = Paging::of(&state, &caller, "audit", query.limit);
    let below = paging.after(query.cursor.as_deref())?;
    let mut conn = state.pool.acquire().await?;
    let entries = audit::list(&mut conn, caller.workspace, &query, below, paging.to_read()).await?;
    Ok(Json(paging.page(entries, |entry| entry.audit_id.to_string())))
}
