//! Requests for decisions, and decisions.

use super::{
    AppState, audit,
    body::Body,
    idempotency,
    paging::Paging,
    params::{Path, Query},
    principal::{only_of, person},
    problem::{ApiError, ApiResult},
};
use crate::{
    auth::{Person, Principal, Who},
    engine::{ApplyError, Mutation},
    store::{
        self, approvals,
        approvals::{StoredApproval, StoredDecision},
        people,
        people::Member,
        roles,
        search::Found,
    },
};
use axum::{Json, extract::State, http::HeaderMap};
use serde_json::{Value, json};
use shared_types::{
    api::{
        Page,
        approvals::{Approval, ApprovalLevel, ApprovalQuery, NewDecision},
        problem::{Code, Problem},
    },
    approval::{
        decision::{Decision, RequestStatus},
        policy::{Candidate, CannotDecide, DecisionRefused, Policy, check_approver, may_decide},
        still_needed::{Asked, still_needed},
    },
    email,
    ids::ApprovalId,
    machine::{Input, InputError},
    recipient::Approver,
    role::RoleNames,
    workflow::approval::Verdict,
};
use uuid::Uuid;

pub(super) async fn list(
    State(state): State<AppState>,
    principal: Principal,
    Query(query): Query<ApprovalQuery>,
) -> ApiResult<Json<Page<Approval>>> {
    let paging = Paging::of(&state, &principal, "approvals", query.limit);
    let below = paging.after(query.cursor.as_deref())?;
    let only = only_of(&principal);
    let page = if query.mine == Some(true) {
        let candidate = candidate(person(&principal)?);
        mine(&state, &principal, &query, &candidate, below, &paging).await?
    } else {
        let mut conn = state.pool.acquire().await?;
        let (workspace, only, limit) = (principal.workspace, only.as_deref(), paging.to_read());
        let found = match approvals::search(&mut conn, workspace, &query, (only, None), below, limit).await? {
            Some(found) => found,
            None => {
                Found::all(approvals::list(&mut conn, workspace, &query, (only, None), below, limit).await?)
            }
        };
        paging.found(found, cursor_of)
    };
    let items = views(&state, &principal, page.items).await?;
    Ok(Json(Page { items, next_cursor: page.next_cursor }))
}

/// The most requests that are looked at for one page.
const MAX_LOOKED_AT: usize = 1000;

fn cursor_of(stored: &StoredApproval) -> String {
    stored.request.approval_id.to_string()
}

/// A page of what is for a person to decide: the database finds what names them, the policy judges each.
async fn mine(
    state: &AppState,
    principal: &Principal,
    query: &ApprovalQuery,
    person: &Candidate<'_>,
    mut below: Option<Uuid>,
    paging: &Paging,
) -> ApiResult<Page<StoredApproval>> {
    let entries = Approver::entries_of(person.email, person.roles);
    let only = only_of(principal);
    let wanted = usize::try_from(paging.to_read()).unwrap_or_default();
    let (mut found, mut looked_at) = (Vec::new(), 0);
    let mut conn = state.pool.acquire().await?;
    loop {
        let (workspace, only, limit) = (principal.workspace, only.as_deref(), paging.to_read());
        let asked = (only, Some(entries.as_slice()));
        let (read, ended_at) =
            match approvals::search(&mut conn, workspace, query, asked, below, limit).await? {
                Some(found) => (found.items, found.ended_at),
                None => (approvals::list(&mut conn, workspace, query, asked, below, limit).await?, None),
            };
        let is_last = read.len() < wanted && ended_at.is_none();
        looked_at += read.len();
        below = ended_at.or_else(|| read.last().map(|stored| stored.request.approval_id.0));
        found.extend(read.into_iter().filter(|stored| check_approver(&policy(stored), person).is_ok()));
        if is_last || found.len() >= wanted {
            return Ok(paging.page(found, cursor_of));
        }
        // A search that ended early has looked at enough.
        if looked_at >= MAX_LOOKED_AT || ended_at.is_some() {
            let next_cursor = below.map(|below| paging.cursor(&below.to_string()));
            return Ok(Page { items: found, next_cursor });
        }
    }
}

pub(super) async fn get(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<ApprovalId>,
) -> ApiResult<Json<Approval>> {
    let stored = find(&state, &principal, id).await?;
    Ok(Json(view(&state, &principal, stored).await?))
}

async fn find(state: &AppState, principal: &Principal, id: ApprovalId) -> ApiResult<StoredApproval> {
    let mut conn = state.pool.acquire().await?;
    let stored = approvals::find(&mut conn, principal.workspace, id).await?;
    stored.filter(|stored| principal.may_touch(&stored.workflow_id)).ok_or_else(ApiError::not_found)
}

async fn view(state: &AppState, principal: &Principal, stored: StoredApproval) -> ApiResult<Approval> {
    let mut views = views(state, principal, vec![stored]).await?;
    views.pop().ok_or_else(ApiError::not_found)
}

/// Requests as a caller sees them, with the names of who is asked.
async fn views(
    state: &AppState,
    principal: &Principal,
    stored: Vec<StoredApproval>,
) -> ApiResult<Vec<Approval>> {
    let mut who: Vec<Approver> =
        stored.iter().flat_map(|s| &s.request.levels).flat_map(|level| level.approvers.clone()).collect();
    who.sort();
    who.dedup();
    let (members, role_names) = if who.is_empty() {
        (Vec::new(), RoleNames::default())
    } else {
        let mut conn = state.pool.acquire().await?;
        let members = people::named(&mut conn, principal.workspace, &who).await?;
        let are_roles = who.iter().any(|approver| matches!(approver, Approver::Role(_)));
        let names = if are_roles {
            roles::names(&mut conn, principal.workspace).await?
        } else {
            RoleNames::default()
        };
        (members, names)
    };
    Ok(stored.into_iter().map(|stored| view_with(principal, stored, &members, &role_names)).collect())
}

fn view_with(
    principal: &Principal,
    stored: StoredApproval,
    members: &[Member],
    role_names: &RoleNames,
) -> Approval {
    let verdict = may_decide_this(principal, &stored);
    let is_open = stored.status == RequestStatus::Pending;
    let needed = is_open.then(|| {
        let people = members
            .iter()
            .map(|member| Asked { name: &member.name, person: Candidate::new(&member.email, &member.roles) });
        still_needed(&policy(&stored), &people.collect::<Vec<_>>(), role_names)
    });
    let request = stored.request;
    let status = if is_open {
        "open".to_owned()
    } else {
        store::json(&stored.status).as_str().unwrap_or_default().to_owned()
    };
    let levels = request.levels.into_iter().map(|level| ApprovalLevel {
        name: level.name,
        approvers: level.approvers,
        quorum: level.quorum,
        status: status.clone(),
        decisions: level.decisions,
    });
    Approval {
        approval_id: request.approval_id,
        execution_id: stored.execution_id,
        workflow_id: stored.workflow_id,
        workflow_name: stored.workflow_name,
        step_id: request.place.step,
        status: stored.status,
        withdrawn_because: stored.withdrawn_because,
        subject: request.subject,
        reason: request.reason,
        amount: request.amount,
        currency: request.currency,
        entity: request.entity,
        entity_id: request.entity_id,
        data: request.data,
        requester: request.requester,
        asked_at: stored.asked_at,
        expires_at: request.expires_at,
        closed_at: stored.closed_at,
        levels: levels.collect(),
        still_needed: needed,
        can_decide: verdict.is_ok(),
        cannot_because: verdict.err().map(|why| format!("{why}.")),
        why: request.why,
        if_approved: request.if_approved,
        if_rejected: request.if_rejected,
        seen: stored.seen,
    }
}

fn policy(stored: &StoredApproval) -> Policy<'_> {
    Policy {
        status: stored.status,
        levels: &stored.request.levels,
        forbid: &stored.request.forbid,
        requester: stored.request.requester.as_ref(),
    }
}

fn candidate(person: &Person) -> Candidate<'_> {
    Candidate::new(&person.email, &person.roles)
}

fn may_decide_this(principal: &Principal, stored: &StoredApproval) -> Result<(), CannotDecide> {
    let Who::Person(person) = &principal.who else { return Err(CannotDecide::NotAsked) };
    may_decide(&policy(stored), &candidate(person))
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
    let stored = find(&state, &principal, id).await?;
    if is_repetition(&stored, person, key.as_deref(), &new) {
        return Ok(Json(view(&state, &principal, stored).await?));
    }
    let mutation = mutation(&principal, person, &stored, &new, key.clone());
    match state.engine.apply(principal.workspace, stored.execution_id, &mutation).await {
        Ok(()) => {}
        Err(ApplyError::Refused(InputError::Decision(refused))) => return Err(not_taken(refused, &stored)),
        Err(ApplyError::Refused(_)) => {
            // Somebody else, or the deadline, was first; or this very decision, sent twice at once.
            let stored = find(&state, &principal, id).await?;
            if !is_repetition(&stored, person, key.as_deref(), &new) {
                return Err(too_late(&stored));
            }
        }
        Err(error) => return Err(error.into()),
    }
    let after = find(&state, &principal, id).await?;
    Ok(Json(view(&state, &principal, after).await?))
}

/// Whether this decision was recorded already: the same person, key and verb.
fn is_repetition(stored: &StoredApproval, person: &Person, key: Option<&str>, new: &NewDecision) -> bool {
    key.is_some()
        && stored.decisions.iter().any(|decision| {
            let made = &decision.made;
            decision.idempotency_key.as_deref() == key
                && email::is_same(&made.by, &person.email)
                && made.decision == new.decision
        })
}

/// Why a decision wasn't taken; where something else was read, with what is asked now.
fn not_taken(refused: DecisionRefused, stored: &StoredApproval) -> ApiError {
    match refused {
        DecisionRefused::CannotDecide(CannotDecide::Closed) => too_late(stored),
        DecisionRefused::Changed => {
            let request = &stored.request;
            let now = json!({
                "seen": stored.seen, "subject": request.subject, "reason": request.reason, "amount": request.amount,
                "currency": request.currency, "data": request.data,
            });
            let detail = "What is asked has changed since you read it; look at it again.";
            Problem::new(Code::ApprovalChanged, detail).with("now", now).into()
        }
        DecisionRefused::CannotDecide(_) | DecisionRefused::CommentNeeded | DecisionRefused::NoForm => {
            refused.into()
        }
    }
}

fn mutation(
    principal: &Principal,
    person: &Person,
    stored: &StoredApproval,
    new: &NewDecision,
    key: Option<String>,
) -> Mutation {
    let approval_id = stored.request.approval_id;
    let comment =
        new.comment.as_deref().map(str::trim).filter(|comment| !comment.is_empty()).map(str::to_owned);
    let decision = Decision {
        verdict: new.decision,
        by: person.email.clone(),
        name: person.name.clone(),
        comment,
        edits: new.edits.clone(),
        roles: Some(person.roles.clone()),
        seen: new.seen.clone(),
        decided_at: new.decided_at,
    };
    let detail = json!({ "decision": new.decision, "execution_id": stored.execution_id });
    let entry = audit::entry(principal, "approval.decided", &approval_id.to_string(), detail);
    Mutation {
        decision_key: key,
        audit: vec![entry],
        ..Mutation::of_input(Input::Decided { approval_id, decision })
    }
}

/// Says who decided and when, or why the request isn't open.
fn too_late(stored: &StoredApproval) -> ApiError {
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
