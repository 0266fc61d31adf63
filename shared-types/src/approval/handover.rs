//! Handing one's place in a request to another: who may, and to whom.

use super::{
    decision::MadeDecision,
    people::People,
    policy::{CannotDecide, Policy, third_person},
};
use crate::email;

impl Policy<'_> {
    /// Hands a person's places at the open level to another; gives for whom that one can then decide.
    ///
    /// # Errors
    /// When the person can't decide themselves, or the other may not.
    pub fn hand_over(
        &self,
        people: &People<'_>,
        from: &str,
        to: &str,
    ) -> Result<Vec<String>, HandoverRefused> {
        let rights = self.rights(people, from).map_err(HandoverRefused::Sender)?;
        if rights.capacities.is_empty() {
            return Err(HandoverRefused::Sender(CannotDecide::OnlyVeto));
        }
        if email::is_same(from, to) {
            return Err(HandoverRefused::ToOneself);
        }
        let Some(receiver) = people.find(to).filter(|person| person.active) else {
            return Err(HandoverRefused::NoMember);
        };
        let name = || receiver.name.clone();
        if let Some(bar) = self.barred(people, receiver) {
            return Err(HandoverRefused::Barred { name: name(), because: third_person(&bar) });
        }
        if !receiver.is_able() {
            return Err(HandoverRefused::Barred {
                name: name(),
                because: "whose role doesn't allow deciding".into(),
            });
        }
        let has_decided = |made: &MadeDecision| email::is_same(&made.by, to);
        if self.level().is_some_and(|level| level.counted().any(has_decided)) {
            return Err(HandoverRefused::Barred { name: name(), because: "who has decided already".into() });
        }
        Ok(rights
            .capacities
            .into_iter()
            .map(|c| c.stands_for.unwrap_or_else(|| email::normal_form(from)))
            .collect())
    }
}

/// Why a place can't be handed over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandoverRefused {
    /// The person has no place to hand over.
    #[error(transparent)]
    Sender(CannotDecide),
    /// They name themselves.
    #[error("You have this already; name somebody else")]
    ToOneself,
    /// The other isn't a member.
    #[error("There is no active member with this address")]
    NoMember,
    /// The other can't decide.
    #[error("This can't be handed to {name}, {because}")]
    Barred {
        /// What the other is called.
        name: String,
        /// Why: a clause.
        because: String,
    },
}
