//! Requests that are taken back: what they ask is decided elsewhere, or nobody waits for it any more.

use super::{address::StepAddress, command::Command, state::OpenRequest, transition::Transition};
use crate::{approval::decision::RequestStatus, ids::ApprovalId};

impl Transition<'_> {
    /// An awaited event came: of the requests beside it, those whose step goes to this wait without waiting
    /// itself are decided elsewhere.
    pub(super) fn withdraw_unawaited(&mut self, place: &StepAddress, because: &str) {
        let definition = self.definition;
        let because = format!("Decided elsewhere: {because}");
        self.withdraw_where(&because, |request| {
            let asked_at = &request.place;
            let leads_here = || definition.step(&asked_at.step).and_then(|step| step.next.as_ref());
            !request.waits && asked_at.within == place.within && leads_here() == Some(&place.step)
        });
    }

    /// Requests made in a place's lanes are withdrawn.
    pub(super) fn withdraw_inside(&mut self, place: &StepAddress, because: &str) {
        self.withdraw_where(because, |request| request.place.is_inside(place));
    }

    /// A step failed that had asked: an answer that came already is kept, an open request withdrawn.
    pub(super) fn withdraw_own(&mut self, place: &StepAddress, because: &str) {
        let own = self.state.requests.iter().find(|(_, request)| request.stands_at() == place);
        let Some(approval_id) = own.map(|(id, _)| *id) else { return };
        let withdrawn = self.withdraw(approval_id, because);
        if let Some((request, early)) = withdrawn.and_then(|request| {
            let early = request.early_outcome.clone()?;
            Some((request, early))
        }) {
            self.put_approval(&request, &early);
        }
    }

    fn withdraw_where(&mut self, because: &str, is_meant: impl Fn(&OpenRequest) -> bool) {
        let meant = self.state.requests.iter().filter(|(_, request)| is_meant(request));
        let meant: Vec<ApprovalId> = meant.map(|(id, _)| *id).collect();
        for approval_id in meant {
            self.withdraw(approval_id, because);
        }
    }

    /// Takes a request away; one that is still open is withdrawn.
    fn withdraw(&mut self, approval_id: ApprovalId, because: &str) -> Option<OpenRequest> {
        let is_open = self.state.requests.get(&approval_id)?.early_outcome.is_none();
        if is_open {
            self.clear_deadlines(approval_id);
            let because = Some(because.to_owned());
            self.command(Command::Close { approval_id, status: RequestStatus::Withdrawn, because });
        }
        let request = self.state.requests.remove(&approval_id)?;
        Some(request)
    }
}
