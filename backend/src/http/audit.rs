//! The audit log.

use super::{AppState, paging::Paging, params::Query, problem::ApiResult};
use crate::{
    auth::Principal,
    clock,
    store::{audit, people::Account},
};
use axum::{Json, extract::State};
use serde_json::Value;
use shared_types::{
    api::{
        Page,
        audit::{AuditEntry, AuditQuery},
    },
    ids::{AuditId, WorkspaceId},
};
use std::net::IpAddr;

/// An entry for something that a caller does.
pub(super) fn entry(
    principal: &Principal,
    action: &'static str,
    subject: &str,
    detail: Value,
) -> audit::Entry {
    audit::Entry {
        id: AuditId(clock::new_id()),
        workspace: principal.workspace,
        at: clock::now(),
        actor: principal.actor(),
        action,
        subject: subject.to_owned(),
        address: principal.address.clone(),
        detail,
    }
}

/// An entry for something that is told of a person who isn't let in, or not yet.
pub(super) fn entry_of(
    account: &Account,
    workspace: WorkspaceId,
    address: Option<IpAddr>,
    action: &'static str,
    detail: Value,
) -> audit::Entry {
    audit::Entry {
        id: AuditId(clock::new_id()),
        workspace,
        at: clock::now(),
        actor: account.email.clone(),
        action,
        subject: account.email.clone(),
        address: address.map(|address| address.to_string()),
        detail,
    }
}

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
