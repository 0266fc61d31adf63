//! Requests for decisions: found, listed for a person, shown, and decided. Whatever a person decides by comes here.

mod deciding;
mod view;

pub use deciding::DecideError;
pub use view::views;

use crate::{
    auth::{Person, Principal},
    store::{self, approvals, approvals::StoredApproval, search::Found},
};
use shared_types::{
    api::approvals::ApprovalQuery,
    approval::policy::{Candidate, Policy, check_approver},
    ids::ApprovalId,
    recipient::Approver,
};
use sqlx::PgPool;
use uuid::Uuid;

pub use deciding::decide;

/// The most requests that are looked at for one page of what a person may decide.
const MAX_LOOKED_AT: usize = 1000;

/// A request that the caller may see.
///
/// # Errors
/// When the database fails.
pub async fn find(
    pool: &PgPool,
    principal: &Principal,
    id: ApprovalId,
) -> store::Result<Option<StoredApproval>> {
    let mut conn = pool.acquire().await?;
    let stored = approvals::find(&mut conn, principal.workspace, id).await?;
    Ok(stored.filter(|stored| principal.may_touch(&stored.workflow_id)))
}

/// Requests that the caller may see, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(
    pool: &PgPool,
    principal: &Principal,
    query: &ApprovalQuery,
    below: Option<Uuid>,
    limit: i64,
) -> store::Result<Found<StoredApproval>> {
    read(pool, principal, query, None, below, limit).await
}

/// The same, of those that are for a person to decide: the database finds what names them, the policy judges each.
///
/// # Errors
/// When the database fails.
pub async fn list_for(
    pool: &PgPool,
    principal: &Principal,
    person: &Person,
    query: &ApprovalQuery,
    mut below: Option<Uuid>,
    limit: i64,
) -> store::Result<Found<StoredApproval>> {
    let candidate = candidate(person);
    let entries = Approver::entries_of(candidate.email, candidate.roles);
    let wanted = usize::try_from(limit).unwrap_or_default();
    let (mut items, mut looked_at) = (Vec::new(), 0);
    loop {
        let found = read(pool, principal, query, Some(&entries), below, limit).await?;
        let is_last = found.items.len() < wanted && found.ended_at.is_none();
        looked_at += found.items.len();
        below = found.ended_at.or_else(|| found.items.last().map(|stored| stored.request.approval_id.0));
        let is_theirs = |stored: &StoredApproval| check_approver(&policy(stored), &candidate).is_ok();
        items.extend(found.items.into_iter().filter(is_theirs));
        if is_last || items.len() >= wanted {
            return Ok(Found::all(items));
        }
        // A search that ended early has looked at enough.
        if looked_at >= MAX_LOOKED_AT || found.ended_at.is_some() {
            return Ok(Found { items, ended_at: below });
        }
    }
}

async fn read(
    pool: &PgPool,
    principal: &Principal,
    query: &ApprovalQuery,
    entries: Option<&[String]>,
    below: Option<Uuid>,
    limit: i64,
) -> store::Result<Found<StoredApproval>> {
    let only = principal.only_workflows();
    let among = (only.as_deref(), entries);
    let mut conn = pool.acquire().await?;
    match approvals::search(&mut conn, principal.workspace, query, among, below, limit).await? {
        Some(found) => Ok(found),
        None => {
            Ok(Found::all(approvals::list(&mut conn, principal.workspace, query, among, below, limit).await?))
        }
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
