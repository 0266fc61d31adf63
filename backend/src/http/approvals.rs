//! Requests for decisions, and decisions: `crate::approvals` over HTTP.

use super::{
    AppState,
    body::Body,
    idempotency,
    paging::Paging,
    params::{Path, Query},
    principal::person,
    problem::{ApiError, ApiResult},
};
use crate::{
    approvals::{self, DecideError},
    auth::Principal,
    store::approvals::{StoredApproval, StoredDecision},
};
use axum::{Json, extract::State, http::HeaderMap};
use serde_json::{Value, json};
use shared_types::{
    api::{
        Page,
        approvals::{Approval, ApprovalQuery, NewDecision},
        problem::{Code, Problem},
    },
    approval::{decision::RequestStatus, policy::DecisionRefused},
    ids::ApprovalId,
    workflow::approval::Verdict,
};

pub(super) async fn list(
    State(state): State<AppState>,
    principal: Principal,
    Query(query): Query<ApprovalQuery>,
) -> ApiResult<Json<Page<Approval>>> {
    let paging = Paging::of(&state, &principal, "approvals", query.limit);
    let below = paging.after(query.cursor.as_deref())?;
    let limit = paging.to_read();
    let found = if query.mine == Some(true) {
        let person = person(&principal)?;
        approvals::list_for(&state.pool, &principal, person, &query, below, limit).await?
    } else {
        approvals::list(&state.pool, &principal, &query, below, limit).await?
    };
    let page = paging.found(found, |stored| stored.request.approval_id.to_string());
    let items = approvals::views(&state.pool, &principal, page.items).await?;
    Ok(Json(Page { items, next_cursor: page.next_cursor }))
}

pub(super) async fn get(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<ApprovalId>,
) -> ApiResult<Json<Approval>> {
    let stored = approvals::find(&state.pool, &principal, id).await?;
    view(&state, &principal, stored.ok_or_else(ApiError::not_found)?).await
}

pub(super) async fn decide(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<ApprovalId>,
    headers: HeaderMap,
    Body(new): Body<NewDecision>,
) -> ApiResult<Json<Approval>> {
    let person = person(&principal)?;
    let key = idempotency::key(&headers)?;
    let decided =
        approvals::decide((&state.pool, &state.clock, &state.engine), &principal, person, id, &new, key)
            .await;
    view(&state, &principal, decided?).await
}

async fn view(state: &AppState, principal: &Principal, stored: StoredApproval) -> ApiResult<Json<Approval>> {
    let mut views = approvals::views(&state.pool, principal, vec![stored]).await?;
    views.pop().map(Json).ok_or_else(ApiError::not_found)
}

impl From<DecideError> for ApiError {
    fn from(error: DecideError) -> Self {
        match error {
            DecideError::NotFound => Self::not_found(),
            DecideError::Closed(stored) => closed(&stored),
            DecideError::Changed(stored) => changed(&stored),
            DecideError::Refused(why) => why.into(),
            DecideError::Apply(error) => error.into(),
            DecideError::Store(error) => error.into(),
        }
    }
}

/// What was read isn't what is asked: with what is asked now.
fn changed(stored: &StoredApproval) -> ApiError {
    let request = &stored.request;
    let now = json!({
        "seen": stored.seen, "subject": request.subject, "reason": request.reason, "amount": request.amount,
        "currency": request.currency, "data": request.data,
    });
    ApiError::from(DecisionRefused::Changed).into_problem().with("now", now).into()
}

/// Says who decided and when, or why the request isn't open.
fn closed(stored: &StoredApproval) -> ApiError {
    let Some(StoredDecision { made, .. }) = stored.decisions.last() else {
        let detail = match stored.status {
            RequestStatus::Expired => "It expired before a decision was recorded.".to_owned(),
            RequestStatus::Withdrawn => {
                format!(
                    "It was withdrawn: {}.",
                    stored.withdrawn_because.as_deref().unwrap_or("the run went on")
                )
            }
            RequestStatus::Pending
            | RequestStatus::Approved
            | RequestStatus::Rejected
            | RequestStatus::ChangesRequested => "It isn't open any more.".to_owned(),
        };
        let decided = json!({ "decision": stored.status, "by": Value::Null, "at": stored.closed_at });
        return Problem::new(Code::ApprovalClosed, detail).with("decided", decided).into();
    };
    let verdict = match made.decision {
        Verdict::Approve | Verdict::ApproveWithEdits => "approved",
        Verdict::Reject => "rejected",
        Verdict::RequestChanges => "asked for changes",
    };
    let detail = format!("{} {verdict} it at {}.", made.name, made.at.format("%Y-%m-%d %H:%M UTC"));
    let decided = json!({ "decision": made.decision, "by": made.by, "name": made.name, "at": made.at });
    Problem::new(Code::AlreadyDecided, detail).with("decided", decided).into()
}
