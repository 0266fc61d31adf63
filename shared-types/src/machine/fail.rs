//! `fail`: the run ends as failed, or the branch or item.

use super::{
    address::StepAddress,
    fact::StepState,
    failure::Failure,
    transition::{Next, Transition},
};
use crate::workflow::{Template, scope::Scope};

impl Transition<'_> {
    pub(super) fn fail(&mut self, place: &StepAddress, reason: Option<&Template>) -> Result<Next, Failure> {
        let context = self.context(place);
        let scope = Scope::masked(&context, self.stamp.at);
        let message = reason.map_or_else(|| Ok("The workflow says so.".to_owned()), |r| r.text(&scope))?;
        self.fact(place, StepState::Failed).reason = Some(message.clone());
        Ok(Next::Fail(Failure::new("fail", message).at(&place.step)))
    }
}
