//! What of its workspace a run has to know to take an input.

use super::super::{
    Definition,
    environment::{EnvironmentNeeds, PeopleNeeds},
    input::{Input, Timer},
    state::{OpenRequest, State},
};
use crate::{ids::ApprovalId, recipient::Approver};

impl Definition {
    /// What of its workspace a run has to know to take an input: what the steps ahead may ask, and for what happens to a
    /// request the people whom it concerns. What can't lead to a step that asks needs no rules and no revisions.
    pub(in crate::machine) fn environment_needs(&self, state: &State, input: &Input) -> EnvironmentNeeds {
        let of_request = |approval_id: &ApprovalId, persons: Vec<String>| {
            let request = state.requests.get(approval_id);
            let people = request.map(|request| PeopleNeeds {
                entries: request.named().cloned().collect(),
                persons: concerned(state, request, persons),
            });
            EnvironmentNeeds { people, ..self.needs_at_start() }
        };
        let of_open_request = |approval_id: &ApprovalId, persons: Vec<String>| EnvironmentNeeds {
            rules: Vec::new(),
            workflows: Vec::new(),
            operations: Vec::new(),
            ..of_request(approval_id, persons)
        };
        match input {
            Input::Decided { approval_id, decision } => of_request(approval_id, vec![decision.by.clone()]),
            Input::Retracted { approval_id, by, .. } => of_request(approval_id, vec![by.clone()]),
            Input::HandedOver { approval_id, by, to, .. } => {
                of_open_request(approval_id, vec![by.clone(), to.clone()])
            }
            Input::EnvironmentChanged { approval_id }
            | Input::TimerDue {
                timer: Timer::Reminder { approval_id } | Timer::Escalation { approval_id },
            } => of_open_request(approval_id, Vec::new()),
            Input::TimerDue {
                timer:
                    Timer::Retry { .. }
                    | Timer::Expiry { .. }
                    | Timer::WaitElapsed { .. }
                    | Timer::StepTimeout { .. },
            }
            | Input::Start(_)
            | Input::EffectDone { .. }
            | Input::EventArrived { .. }
            | Input::Loaded { .. }
            | Input::RuleRead { .. }
            | Input::Child { .. } => self.needs_at_start(),
            Input::Cancel { .. } | Input::TimerDue { timer: Timer::RunTimeout } => {
                EnvironmentNeeds::default()
            }
        }
    }
}

/// Everybody who did something to a request, is behind it, or does something now.
fn concerned(state: &State, request: &OpenRequest, mut persons: Vec<String>) -> Vec<String> {
    persons.extend(state.requester.as_ref().and_then(|requester| requester.email.clone()));
    for level in &request.levels {
        persons.extend(level.decisions.iter().map(|made| made.by.clone()));
        persons.extend(level.progress.handovers.iter().map(|handover| handover.to.clone()));
    }
    persons.sort();
    persons.dedup();
    persons
}

impl OpenRequest {
    /// Every entry of the request, also those that count later.
    fn named(&self) -> impl Iterator<Item = &Approver> {
        let levels = self.levels.iter();
        levels.flat_map(|level| level.approvers.iter().chain(&level.escalate_to)).chain(&self.veto)
    }

    /// The entries by which a request is found for those who may come to decide it: its approvers, those to whom it is
    /// escalated, those with a veto, and those to whom it was handed.
    pub(in crate::machine) fn entries(&self) -> Vec<Approver> {
        let escalated =
            self.levels.iter().filter(|level| level.is_escalated()).flat_map(|level| &level.escalate_to);
        let handed = self.levels.iter().flat_map(|level| &level.progress.handovers);
        let handed = handed.map(|handover| Approver::Person(handover.to.clone()));
        let asked = self.levels.iter().flat_map(|level| &level.approvers);
        let mut entries: Vec<Approver> =
            asked.chain(escalated).chain(&self.veto).cloned().chain(handed).collect();
        entries.sort();
        entries.dedup();
        entries
    }
}
