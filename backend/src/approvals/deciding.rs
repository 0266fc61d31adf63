//! A person decides. The machine judges the decision as it applies it; here is what stands around that.

use super::find;
use crate::{
    audit,
    auth::{Person, Principal},
    clock::Clock,
    engine::{ApplyError, Engine, Mutation},
    store::{StoreError, approvals::StoredApproval},
};
use serde_json::{Map, Value, json};
use shared_types::{
    api::approvals::NewDecision,
    approval::{
        decision::Decision,
        handover::HandoverRefused,
        policy::{CannotDecide, DecisionRefused},
    },
    email,
    ids::ApprovalId,
    machine::{Input, InputError},
    workflow::approval::Verb,
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
    /// The approver read something else. With the request as it stands, and the hash of what they read.
    #[error("what is asked has changed since it was read")]
    Changed(Box<StoredApproval>, String),
    /// The policy doesn't take it.
    #[error(transparent)]
    Refused(DecisionRefused),
    /// The key was used with another decision.
    #[error("the key was used with another decision")]
    KeyReused,
    /// The level that is meant isn't open. With the request as it stands.
    #[error("the level isn't open")]
    LevelClosed(Box<StoredApproval>, String),
    /// The policy doesn't let the place be handed over.
    #[error(transparent)]
    NotHandedOver(HandoverRefused),
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
    if is_reused(&stored, person, key.as_deref(), new) {
        return Err(DecideError::KeyReused);
    }
    if is_repetition(&stored, person, key.as_deref(), new) {
        return Ok(stored);
    }
    let mutation = mutation(clock, principal, person, &stored, new, key.clone());
    match engine.apply(principal.workspace, stored.execution_id, &mutation).await {
        Ok(()) => read().await,
        Err(ApplyError::Refused(InputError::Decision(DecisionRefused::Changed))) => {
            Err(DecideError::Changed(Box::new(read().await?), new.seen.clone().unwrap_or_default()))
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
        Err(ApplyError::Refused(InputError::Decision(DecisionRefused::LevelClosed { level }))) => {
            let stored = read().await?;
            if is_repetition(&stored, person, key.as_deref(), new) {
                return Ok(stored);
            }
            Err(DecideError::LevelClosed(Box::new(stored), level))
        }
        Err(ApplyError::Refused(InputError::Decision(
            why @ (DecisionRefused::CannotDecide(CannotDecide::Decided { .. })
            | DecisionRefused::NothingToRetract),
        ))) => {
            // This very decision, sent twice at once; or another of the same person.
            let stored = read().await?;
            if is_repetition(&stored, person, key.as_deref(), new) {
                return Ok(stored);
            }
            Err(DecideError::Refused(why))
        }
        Err(ApplyError::Refused(InputError::Decision(why))) => Err(DecideError::Refused(why)),
        Err(error) => Err(error.into()),
    }
}

/// Whether this decision was recorded already: the same person, key and verdict; or taken back by this very retraction.
fn is_repetition(stored: &StoredApproval, person: &Person, key: Option<&str>, new: &NewDecision) -> bool {
    key.is_some()
        && stored.decisions.iter().any(|decision| {
            let made = &decision.made;
            let is_it = match new.decision.verdict() {
                Some(verdict) => decision.idempotency_key.as_deref() == key && made.decision == verdict,
                None => decision.retraction_key.as_deref() == key,
            };
            is_it && email::is_same(&made.by, &person.email)
        })
}

/// A comment as it is stored: without spaces around it, none if nothing is left.
fn said(comment: Option<&String>) -> Option<&str> {
    comment.map(|comment| comment.trim()).filter(|comment| !comment.is_empty())
}

/// Edits, none if there are none of them.
fn edited(edits: Option<&Map<String, Value>>) -> Option<&Map<String, Value>> {
    edits.filter(|edits| !edits.is_empty())
}

/// Whether this person used the key for another decision of the request.
fn is_reused(stored: &StoredApproval, person: &Person, key: Option<&str>, new: &NewDecision) -> bool {
    let Some(verdict) = new.decision.verdict().filter(|_| key.is_some()) else { return false };
    stored.decisions.iter().any(|decision| {
        let made = &decision.made;
        decision.idempotency_key.as_deref() == key
            && email::is_same(&made.by, &person.email)
            && (made.decision != verdict
                || said(made.comment.as_ref()) != said(new.comment.as_ref())
                || edited(made.edits.as_ref()) != edited(new.edits.as_ref()))
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
    let comment = said(new.comment.as_ref()).map(str::to_owned);
    let input = match new.decision.verdict() {
        None => Input::Retracted {
            approval_id,
            by: person.email.clone(),
            name: person.name.clone(),
            level: new.level.clone(),
        },
        Some(verdict) => {
            let decision = Decision {
                verdict,
                by: person.email.clone(),
                name: person.name.clone(),
                comment,
                edits: new.edits.clone(),
                level: new.level.clone(),
                roles: Some(person.roles.clone()),
                seen: new.seen.clone(),
                decided_at: new.decided_at,
            };
            Input::Decided { approval_id, decision }
        }
    };
    let mut detail =
        json!({ "decision": new.decision, "level": new.level, "execution_id": stored.execution_id });
    let is_retraction = new.decision == Verb::Retract;
    if is_retraction && let Ok(made) = stored.policy().retractable(&person.email, new.level.as_deref()) {
        let mut levels = stored.request.levels.iter();
        let at = levels.find(|level| level.decisions.iter().any(|other| other.n == made.n));
        detail["level"] = json!(at.map(|level| &level.name));
        detail["for"] = json!(made.represented());
    }
    let action = if is_retraction { "approval.retracted" } else { "approval.decided" };
    let entry = audit::entry(clock, principal, action, &approval_id.to_string(), detail);
    Mutation { decision_key: key, audit: vec![entry], ..Mutation::of_input(input) }
}
