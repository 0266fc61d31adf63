//! A person hands their place in a request to another. The machine judges it as it applies it.

use super::{DecideError, find};
use crate::{
    audit,
    auth::{Person, Principal},
    clock::Clock,
    engine::{ApplyError, Engine, Mutation},
    store::approvals::StoredApproval,
};
use serde_json::json;
use shared_types::{
    approval::{handover::HandoverRefused, policy::CannotDecide},
    email::EmailAddress,
    ids::ApprovalId,
    machine::{Input, InputError},
};
use sqlx::PgPool;

/// Hands a person's place to another, and gives the request as it stands then.
///
/// # Errors
/// See [`DecideError`].
pub async fn hand_over(
    (pool, clock, engine): (&PgPool, &Clock, &Engine),
    principal: &Principal,
    person: &Person,
    id: ApprovalId,
    to: &EmailAddress,
    comment: Option<&str>,
) -> Result<StoredApproval, DecideError> {
    let stored = find(pool, principal, id).await?.ok_or(DecideError::NotFound)?;
    let comment = comment.map(str::trim).filter(|comment| !comment.is_empty()).map(str::to_owned);
    let detail = json!({ "to": to.as_str(), "execution_id": stored.execution_id });
    let entry = audit::entry(clock, principal, "approval.handed_over", &id.to_string(), detail);
    let input = Input::HandedOver {
        approval_id: id,
        by: person.email.clone(),
        name: person.name.clone(),
        to: to.to_string(),
        comment,
    };
    let mutation = Mutation { audit: vec![entry], ..Mutation::of_input(input) };
    let read = async || find(pool, principal, id).await?.ok_or(DecideError::NotFound);
    match engine.apply(principal.workspace, stored.execution_id, &mutation).await {
        Ok(()) => read().await,
        Err(ApplyError::Refused(
            InputError::Handover(HandoverRefused::Sender(CannotDecide::Closed))
            | InputError::Ended
            | InputError::NotExpected,
        )) => Err(DecideError::Closed(Box::new(read().await?))),
        Err(ApplyError::Refused(InputError::Handover(why))) => Err(DecideError::NotHandedOver(why)),
        Err(error) => Err(error.into()),
    }
}
