//! What was approved is what runs: an effect that would send something else than what people saw isn't sent, and its request
//! is open again at its first level.

use super::super::{
    address::StepAddress,
    command::{Command, RequestUpdate, Voided},
    fact::StepState,
    frames::Activity,
    preview,
    resolved_effects::{resolved_effects_from, send_now},
    state::{ApprovedRequest, OpenRequest, ResumePoint},
    transition::{Next, Transition},
};
use crate::{
    approval::{
        decision::LevelProgress,
        progress::{FieldChange, Reopening, ResolvedAnew, differences},
        seen::ResolvedEffect,
    },
    ids::ApprovalId,
    workflow::{effect::Effect, step::StepKind},
};
use serde_json::json;

impl Transition<'_> {
    /// Keeps what people approved, to hold its effects against it when they come due.
    pub(super) fn hold_approved(&mut self, approval_id: ApprovalId, request: &OpenRequest) {
        if !request.effects.is_empty() && request.resolved_at.is_some() {
            let request = OpenRequest { resumes: None, ..request.clone() };
            self.state.approved.push(ApprovedRequest { approval_id, request });
        }
    }

    /// Whether an effect that comes due is what people approved. One that isn't opens its request again, and the run stands
    /// at the effect; one that nobody approved, or that is as it was, may be sent.
    pub(in crate::machine) fn held_back(
        &mut self,
        place: &StepAddress,
        index: u32,
        effect: &Effect,
    ) -> Option<Next> {
        let is_this = |held: &ResolvedEffect| held.step_id == place.step && held.index == index;
        let is_on_the_way = |approved: &ApprovedRequest| {
            approved.request.place.within == place.within && approved.request.effects.iter().any(is_this)
        };
        let at = self.state.approved.iter().position(is_on_the_way)?;
        let request = &self.state.approved[at].request;
        let held = request.effects.iter().find(|held| is_this(held))?.clone();
        let resolved_at = request.resolved_at?;
        let now = send_now(self, place, effect, &request.values, resolved_at);
        let mut room = usize::MAX;
        let sent = ResolvedEffect::new(&place.step, index, effect.type_name(), now.clone(), &mut room);
        if sent.digest == held.digest {
            let approved = &mut self.state.approved[at];
            approved.request.effects.retain(|other| !is_this(other));
            if approved.request.effects.is_empty() {
                self.state.approved.remove(at);
            }
            return None;
        }
        let approved = self.state.approved.remove(at);
        let changes = match &held.request {
            Some(before) => differences(before, &now),
            // What was too large to be kept differs as a whole.
            None => {
                vec![FieldChange { pointer: String::new(), from: json!(held.digest), to: json!(sent.digest) }]
            }
        };
        Some(self.reopen(approved, place, index, &changes))
    }

    /// Opens a request again, at its first level, and stands at the effect that would send something else.
    fn reopen(
        &mut self,
        approved: ApprovedRequest,
        place: &StepAddress,
        index: u32,
        changes: &[FieldChange],
    ) -> Next {
        let definition = self.definition;
        let ApprovedRequest { approval_id, mut request } = approved;
        let now = self.stamp.at;
        let named: Vec<&str> = changes.iter().map(|change| change.pointer.as_str()).collect();
        let because = format!(
            "{} would send something else than what was approved: {}",
            place.step,
            if named == [""] { "all of it".to_owned() } else { named.join(", ") }
        );
        let effects = resolved_effects_from(self, place, index, &request.values);
        request.show_anew(request.values.clone(), effects);
        if let Some(step) = definition.step(&request.place.step) {
            let outcomes = step.outcomes().cloned().unwrap_or_default();
            let subject = request.subject.clone();
            let previews =
                preview::previews(self, step, &request.place, &outcomes, subject.as_deref(), &request.values);
            request.resolved = Some(Box::new(ResolvedAnew {
                if_approved: previews.approved,
                if_rejected: previews.rejected,
                effects: request.effects.clone(),
            }));
        }
        request.resolved_at = Some(now);
        request.round += 1;
        request.stuck = None;
        request.early_outcome = None;
        request.resumes = Some(ResumePoint { place: place.clone(), index });
        request.reopened.push(Reopening { at: now, because: because.clone(), changes: changes.to_vec() });
        let mut voided = Vec::new();
        for level in &mut request.levels {
            level.progress = LevelProgress::default();
            for made in level.decisions.iter_mut().filter(|made| made.counts()) {
                made.superseded_at = Some(now);
                voided.push(made.n);
            }
        }
        self.state.requests.insert(approval_id, request);
        self.command(Command::VoidDecisions { approval_id, decisions: voided, voided: Voided::Superseded });
        self.open_first_level(approval_id);
        let fact = self.fact(place, StepState::Waiting);
        fact.reason = Some(format!("Not sent, and asked again: {because}"));
        fact.output = Some(json!({ "approval_id": approval_id, "changes": changes }));
        self.announce_reopened(approval_id);
        self.set_frame(place, Activity::AwaitingApproval { approval_id })
    }

    fn announce_reopened(&mut self, approval_id: ApprovalId) {
        let Some(request) = self.state.requests.get(&approval_id) else { return };
        let update = RequestUpdate {
            approval_id,
            progress: request.progress(),
            seen: request.seen.clone(),
            approvers: request.entries(),
            asks_others: true,
            reopens: true,
        };
        self.command(Command::UpdateRequest(Box::new(update)));
    }

    /// Goes on with the effect that waited for its request to be approved anew.
    pub(super) fn resume_effects(&mut self, resumes: &ResumePoint) -> Next {
        let definition = self.definition;
        let Some(step) = definition.step(&resumes.place.step) else { return Next::Stay };
        let resumed = if let StepKind::Emit { emit } = &step.kind {
            self.take_frame(&resumes.place);
            self.emit(step, &resumes.place, emit)
        } else {
            self.effects(step, &resumes.place, resumes.index)
        };
        match resumed {
            Ok(next) => next,
            Err(failure) => self.step_failed(&resumes.place, failure).next,
        }
    }
}
