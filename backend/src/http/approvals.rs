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
    store::{
        self,
        approvals::{Position, StoredApproval, StoredDecision},
    },
};
use axum::{Json, extract::State, http::HeaderMap};
use serde_json::{Value, json};
use shared_types::{
    api::{
        Page,
        approvals::{
            Approval, ApprovalQuery, DecidedMany, DecidedOne, NewDecision, NewDecisions, NewHandover,
            NewSnooze, Scope, Sort,
        },
        problem::{Code, Problem},
    },
    approval::{decision::RequestStatus, policy::DecisionRefused, progress::changes_since},
    email::EmailAddress,
    ids::ApprovalId,
    workflow::approval::Verdict,
};

/// How many changes a sentence tells.
const TOLD: usize = 3;

pub(super) async fn list(
    State(state): State<AppState>,
    principal: Principal,
    Query(query): Query<ApprovalQuery>,
) -> ApiResult<Json<Page<Approval>>> {
    if query.mine == Some(true) || query.scope.is_some() {
        person(&principal)?;
    }
    if query.q.is_some() && query.sort.is_some_and(|sort| sort != Sort::Age) {
        let detail = "`sort`: what a search finds comes newest first; leave out `sort` or `q`.";
        return Err(ApiError::new(Code::QueryUnreadable, detail));
    }
    check_scope(&query)?;
    // Each order has cursors of its own.
    let list = match query.sort.unwrap_or_default() {
        Sort::Age => "approvals",
        Sort::Deadline => "approvals/deadline",
        Sort::Amount => "approvals/amount",
    };
    let paging = Paging::of(&state, &principal, list, query.limit);
    let below = paging.after::<Position>(query.cursor.as_deref())?;
    let found =
        approvals::list((&state.pool, &state.clock), &principal, &query, below, paging.to_read()).await?;
    let ended_at = found.ended_at;
    let page = paging.page(found.items, |stored| stored.position(query.sort).to_string());
    let next_cursor = page.next_cursor.or_else(|| ended_at.map(|at| paging.cursor(&at.to_string())));
    let items = approvals::views((&state.pool, &state.clock), &principal, page.items).await?;
    Ok(Json(Page { items, next_cursor }))
}

/// Refuses a scope together with what it can never hold.
fn check_scope(query: &ApprovalQuery) -> ApiResult<()> {
    let Some(scope) = query.scope else { return Ok(()) };
    let is_open = scope != Scope::Decided;
    let detail = match query.status {
        _ if query.mine == Some(true) && scope != Scope::Mine => {
            "`mine`: `scope` names another one; send one of the two."
        }
        Some(status) if is_open != (status == RequestStatus::Pending) => {
            "`status`: `scope=decided` holds closed requests, and every other scope open ones; leave out `status` or `scope`."
        }
        Some(_) | None => return Ok(()),
    };
    Err(ApiError::new(Code::QueryUnreadable, detail))
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

/// How many requests are decided together.
const MAX_TOGETHER: usize = 100;

/// Decides several requests, one after the other; each stands for itself.
pub(super) async fn decide_many(
    State(state): State<AppState>,
    principal: Principal,
    headers: HeaderMap,
    Body(new): Body<NewDecisions>,
) -> ApiResult<Json<DecidedMany>> {
    let person = person(&principal)?;
    let key = idempotency::key(&headers)?;
    if new.items.len() > MAX_TOGETHER {
        let detail = format!("`items`: {} of them; send at most {MAX_TOGETHER} at once.", new.items.len());
        return Err(ApiError::new(Code::FieldBad, detail));
    }
    let ids: Vec<ApprovalId> = new.items.iter().map(|item| item.approval_id).collect();
    check_one_step(&state, &principal, &ids).await?;
    let mut items = Vec::with_capacity(new.items.len());
    for (n, item) in new.items.iter().enumerate() {
        let decision = NewDecision {
            decision: new.decision.into(),
            level: None,
            comment: new.comment.clone(),
            edits: None,
            seen: item.seen.clone(),
            decided_at: new.decided_at,
        };
        let key = key.as_ref().map(|key| format!("{key}:{n}"));
        let parts = (&state.pool, &state.clock, &state.engine);
        let decided = approvals::decide(parts, &principal, person, item.approval_id, &decision, key).await;
        let one = match decided {
            Ok(stored) => view(&state, &principal, stored).await,
            Err(error) => Err(error.into()),
        };
        items.push(match one {
            Ok(Json(approval)) => DecidedOne::Decided(Box::new(approval)),
            Err(error) => DecidedOne::Refused(error.into_problem()),
        });
    }
    Ok(Json(DecidedMany { items }))
}

/// Whether the requests that there are belong to one step of one workflow.
async fn check_one_step(state: &AppState, principal: &Principal, ids: &[ApprovalId]) -> ApiResult<()> {
    let mut conn = state.pool.acquire().await?;
    let stored = store::approvals::some(&mut conn, principal.workspace, ids).await?;
    let mut steps = stored.iter().map(|stored| (&stored.workflow_id, &stored.request.place.step));
    let first = steps.next();
    if steps.any(|step| Some(step) != first) {
        let detail = "`items`: requests that are decided together belong to one step of one workflow.";
        return Err(ApiError::new(Code::FieldBad, detail));
    }
    Ok(())
}

pub(super) async fn delegate(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<ApprovalId>,
    Body(new): Body<NewHandover>,
) -> ApiResult<Json<Approval>> {
    let person = person(&principal)?;
    let to: EmailAddress =
        new.to.parse().map_err(|fault| ApiError::new(Code::FieldBad, format!("`to`: {fault}.")))?;
    let parts = (&state.pool, &state.clock, &state.engine);
    let stored = approvals::hand_over(parts, &principal, person, id, &to, new.comment.as_deref()).await?;
    view(&state, &principal, stored).await
}

pub(super) async fn snooze(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<ApprovalId>,
    Body(new): Body<NewSnooze>,
) -> ApiResult<Json<Approval>> {
    let person = person(&principal)?;
    if new.until <= state.clock.now() {
        return Err(ApiError::new(Code::FieldBad, "`until`: name a time that is still to come."));
    }
    let stored = approvals::find(&state.pool, &principal, id).await?.ok_or_else(ApiError::not_found)?;
    if stored.status != RequestStatus::Pending {
        return Err(closed(&stored));
    }
    approvals::snooze(&state.pool, &principal, person, id, new.until).await?;
    view(&state, &principal, stored).await
}

pub(super) async fn unsnooze(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<ApprovalId>,
) -> ApiResult<Json<Approval>> {
    let person = person(&principal)?;
    let stored = approvals::find(&state.pool, &principal, id).await?.ok_or_else(ApiError::not_found)?;
    approvals::unsnooze(&state.pool, &principal, person, id).await?;
    view(&state, &principal, stored).await
}

async fn view(state: &AppState, principal: &Principal, stored: StoredApproval) -> ApiResult<Json<Approval>> {
    let mut views = approvals::views((&state.pool, &state.clock), principal, vec![stored]).await?;
    views.pop().map(Json).ok_or_else(ApiError::not_found)
}

impl From<DecideError> for ApiError {
    fn from(error: DecideError) -> Self {
        match error {
            DecideError::NotFound => Self::not_found(),
            DecideError::Closed(stored) => closed(&stored),
            DecideError::Changed(stored, seen) => changed(&stored, &seen),
            DecideError::Refused(why) => why.into(),
            DecideError::KeyReused => idempotency::reused(),
            DecideError::LevelClosed(stored, level) => level_closed(&stored, level),
            DecideError::NotHandedOver(why) => why.into(),
            DecideError::Apply(error) => error.into(),
            DecideError::Store(error) => error.into(),
        }
    }
}

/// What was read isn't what is asked: with the difference, and what is asked now.
fn changed(stored: &StoredApproval, seen: &str) -> ApiError {
    let request = &stored.request;
    let now = json!({
        "seen": stored.seen, "subject": request.subject, "reason": request.reason, "amount": request.amount,
        "currency": request.currency, "data": request.data,
    });
    let changes = changes_since(&stored.seen_changes, seen);
    let mut problem = ApiError::from(DecisionRefused::Changed).into_problem();
    if !changes.is_empty() {
        let told =
            changes.iter().take(TOLD).map(|change| format!("{} {}", change.pointer, change.in_words()));
        let told = told.collect::<Vec<_>>().join(", ");
        let more = if changes.len() > TOLD { ", and more" } else { "" };
        problem.detail =
            format!("What is asked has changed since you read it: {told}{more}. Look at it again.");
    }
    problem.with("now", now).with("changes", json!(changes)).into()
}

/// Says which level is open instead of the one that was meant.
fn level_closed(stored: &StoredApproval, level: String) -> ApiError {
    let open = stored.request.levels.get(stored.open).map(|level| level.name.clone());
    ApiError::from(DecisionRefused::LevelClosed { level }).into_problem().with("open", json!(open)).into()
}

/// Says who decided and when, or why the request isn't open.
fn closed(stored: &StoredApproval) -> ApiError {
    let closing = stored.decisions.iter().rev().find(|decision| decision.made.counts());
    let is_decided = !matches!(stored.status, RequestStatus::Expired | RequestStatus::Withdrawn);
    let Some(StoredDecision { made, .. }) = closing.filter(|_| is_decided) else {
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
