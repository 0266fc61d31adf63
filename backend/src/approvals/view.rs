//! A request as a caller sees it: who is asked by name, whether they may decide, who is still needed.

use super::{candidate, policy};
use crate::{
    auth::{Principal, Who},
    store::{self, approvals::StoredApproval, people, people::Member, roles},
};
use shared_types::{
    api::approvals::{Approval, ApprovalLevel},
    approval::{
        decision::RequestStatus,
        policy::{Candidate, CannotDecide, may_decide},
        still_needed::{Asked, still_needed},
    },
    recipient::Approver,
    role::RoleNames,
};
use sqlx::PgPool;

/// Requests as a caller sees them. The people and the names of roles are read by two queries for all of them.
///
/// # Errors
/// When the database fails.
pub async fn views(
    pool: &PgPool,
    principal: &Principal,
    stored: Vec<StoredApproval>,
) -> store::Result<Vec<Approval>> {
    let mut who: Vec<Approver> =
        stored.iter().flat_map(|s| &s.request.levels).flat_map(|level| level.approvers.clone()).collect();
    who.sort();
    who.dedup();
    let (members, role_names) = if who.is_empty() {
        (Vec::new(), RoleNames::default())
    } else {
        let mut conn = pool.acquire().await?;
        let members = people::named(&mut conn, principal.workspace, &who).await?;
        let are_roles = who.iter().any(|approver| matches!(approver, Approver::Role(_)));
        let names = if are_roles {
            roles::names(&mut conn, principal.workspace).await?
        } else {
            RoleNames::default()
        };
        (members, names)
    };
    Ok(stored.into_iter().map(|stored| view(principal, stored, &members, &role_names)).collect())
}

fn view(
    principal: &Principal,
    stored: StoredApproval,
    members: &[Member],
    role_names: &RoleNames,
) -> Approval {
    let may_decide = may_decide_this(principal, &stored);
    let is_open = stored.status == RequestStatus::Pending;
    let needed = is_open.then(|| {
        let people = members
            .iter()
            .map(|member| Asked { name: &member.name, person: Candidate::new(&member.email, &member.roles) });
        still_needed(&policy(&stored), &people.collect::<Vec<_>>(), role_names)
    });
    let request = stored.request;
    let level_status = if is_open { "open" } else { stored.status.as_str() };
    let levels = request.levels.into_iter().map(|level| ApprovalLevel {
        name: level.name,
        approvers: level.approvers,
        quorum: level.quorum,
        status: level_status.to_owned(),
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
        can_decide: may_decide.is_ok(),
        cannot_because: may_decide.err().map(|why| format!("{why}.")),
        why: request.why,
        if_approved: request.if_approved,
        if_rejected: request.if_rejected,
        seen: stored.seen,
    }
}

fn may_decide_this(principal: &Principal, stored: &StoredApproval) -> Result<(), CannotDecide> {
    let Who::Person(person) = &principal.who else { return Err(CannotDecide::NotAsked) };
    may_decide(&policy(stored), &candidate(person))
}
