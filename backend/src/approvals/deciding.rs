//! A person decides. The machine judges the decision as it applies it; here is what stands around that.

use super::find;
use crate::{
    audit,
    auth::{Person, Principal},
    clock::Clock,
    engine::{ApplyError, Engine, Mutation},
    store::{StoreError, approvals::StoredApproval},
};
use serde_json::json;
use shared_types::{
    api::approvals::NewDecision,
    approval::{
        decision::Decision,
        policy::{CannotDecide, DecisionRefused},
    },
    email,
    ids::ApprovalId,
    machine::{Input, InputError},
};
use sqlx::PgPool;

/// Why a decision wasn't taken.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// There is no such request, or it isn't the caller's to see.
    #[error("there is no such request")]
    NotFound,
    /// Somebody else, time or the run was first. With the request as it was closed.
    #[error("the request is closed")]
    Closed(Box<StoredApproval>),
    /// The approver read something else. With the request as it stands.
    #[error("what is asked has changed since it was read")]
    Changed(Box<StoredApproval>),
    /// The policy doesn't take it.
    #[error(transparent)]
    Refused(DecisionRefused),
    /// It could not be applied to the run.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Records a person's decision, and gives the request as it stands then. Sent again under its key, a decision that was
/// recorded is answered again.
///
/// # Errors
/// See [`DecideError`].
pub async fn decide(
    (pool, clock, engine): (&PgPool, &Clock, &Engine),
    principal: &Principal,
    person: &Person,
    id: ApprovalId,
    new: &NewDecision,
    key: Option<String>,
) -> Result<StoredApproval, DecideError> {
    let read = || async { find(pool, principal, id).await?.ok_or(DecideError::NotFound) };
    let stored = read().await?;
    if is_repetition(&stored, person, key.as_deref(), new) {
        return Ok(stored);
    }
    let mutation = mutation(clock, principal, person, &stored, new, key.clone());
    match engine.apply(principal.workspace, stored.execution_id, &mutation).await {
        Ok(()) => read().await,
        Err(ApplyError::Refused(InputError::Decision(DecisionRefused::Changed))) => {
            Err(DecideError::Changed(Box::new(stored)))
        }
        Err(ApplyError::Refused(
            InputError::Decision(DecisionRefused::CannotDecide(CannotDecide::Closed))
            | InputError::Ended
            | InputError::NotExpected
            | InputError::Started,
        )) => {
            // Somebody else, or the deadline, was first; or this very decision, sent twice at once.
            let stored = read().await?;
            if is_repetition(&stored, person, key.as_deref(), new) {
                return Ok(stored);
            }
            Err(DecideError::Closed(Box::new(stored)))
        }
        Err(ApplyError::Refused(InputError::Decision(why))) => Err(DecideError::Refused(why)),
        Err(error) => Err(error.into()),
    }
}

/// Whether this decision was recorded already: the same person, key and verdict.
fn is_repetition(stored: &StoredApproval, person: &Person, key: Option<&str>, new: &NewDecision) -> bool {
    key.is_some()
        && stored.decisions.iter().any(|decision| {
            let made = &decision.made;
            decision.idempotency_key.as_deref() == key
                && email::is_same(&made.by, &person.email)
                && made.decision == new.decision
        })
}

fn mutation(
    clock: &Clock,
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
    let entry = audit::entry(clock, principal, "approval.decided", &approval_id.to_string(), detail);
    Mutation {
        decision_key: key,
        audit: vec![entry],
        ..Mutation::of_input(Input::Decided { approval_id, decision })
    }
}
