//! The steps that lie ahead, as far as they are known before they are entered.

use super::{address::StepAddress, transition::Transition};
use crate::{
    ids::StepId,
    workflow::step::{Ahead, Step},
};

/// The steps from one on, up to the first behind which the way forks or ends.
pub(super) fn steps_ahead<'t>(
    transition: &Transition<'t>,
    place: &StepAddress,
    from: &StepId,
) -> Vec<&'t Step> {
    let definition = transition.definition;
    let mut way: Vec<&Step> = Vec::new();
    let mut next = definition.step(from);
    while let Some(step) = next.filter(|step| way.iter().all(|passed| passed.id != step.id)) {
        way.push(step);
        next = match (forks(step), &step.next) {
            (true, _) => None,
            (false, Some(next)) => definition.step(next),
            (false, None) if place.within.is_empty() => None,
            (false, None) => definition.following(&step.id),
        };
    }
    way
}

/// Whether what follows a step isn't known yet, or it ends.
fn forks(step: &Step) -> bool {
    step.ahead() == Ahead::Forks || step.asks()
}
