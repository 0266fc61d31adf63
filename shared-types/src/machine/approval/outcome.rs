//! What the answer to a request does: it is published, and the run goes on where it waited.

use super::super::{
    MAX_DEPTH,
    address::StepAddress,
    command::Command,
    event::Event,
    fact::StepState,
    failure::{Failure, RunError},
    result::RunDecision,
    state::OpenRequest,
    transition::{Next, Transition},
    wait,
};
use crate::{
    approval::decision::{RequestLevel, RequestOutcome, RequestStatus},
    ids::{ApprovalId, EventId, StepId},
    workflow::{
        approval::Verdict,
        step::{Outcomes, Step},
    },
};
use chrono::SecondsFormat;
use serde_json::{Map, Value, json};
use std::sync::Arc;

impl Transition<'_> {
    /// A request has its answer: it is closed and told, and the run goes on if it waits for it.
    pub(super) fn close_request(&mut self, approval_id: ApprovalId, answered: RequestOutcome) {
        let status = answered.status();
        self.command(Command::Close { approval_id, status, because: None });
        self.publish_decided(approval_id, &answered);
        let Some(request) = self.state.requests.get(&approval_id) else { return };
        let (place, asked_at) = (request.stands_at().clone(), request.place.clone());
        let suspended = request.suspended.clone();
        let (waits, is_open_again) = (request.waits, request.resumes.is_some());
        if waits && (is_open_again || self.is_asked_at(&place, approval_id)) {
            let flow = self.complete_request(approval_id, &answered);
            let is_approved = status == RequestStatus::Approved;
            self.continue_from(if is_approved { &place } else { &asked_at }, flow);
            if is_approved {
                self.resume_suspended(approval_id, &suspended);
            }
        } else if waits {
            // The step's other effects are still under way; the answer is kept until they are through.
            if let Some(request) = self.state.requests.get_mut(&approval_id) {
                request.early_outcome = Some(answered);
            }
        } else {
            self.record_unawaited_outcome(approval_id, &answered);
        }
    }

    /// The run goes on from where it waited for a decision.
    pub(in crate::machine) fn complete_request(
        &mut self,
        approval_id: ApprovalId,
        answered: &RequestOutcome,
    ) -> Next {
        let reason = self.answer_in_words(approval_id, answered);
        let Some(request) = self.state.requests.remove(&approval_id) else { return Next::Stay };
        let place = request.place.clone();
        let stands_at = request.stands_at().clone();
        let outcomes =
            self.definition.step(&place.step).and_then(Step::outcomes).cloned().unwrap_or_default();
        let status = answered.status();
        self.put_approval(&request, answered);
        self.record_rejection(&place, status, &reason);
        self.state.reason = Some(reason.clone());
        if status == RequestStatus::Approved {
            self.hold_approved(approval_id, &request);
        }
        let resumes = request.resumes.clone().filter(|_| status == RequestStatus::Approved);
        let flow = match (&resumes, status.link(&outcomes)) {
            (Some(_), _) => Next::Stay,
            (None, Some(next)) => Next::To(next.clone()),
            (None, None) => self.complete_without_links(&place, &outcomes, status, &reason),
        };
        let stands = self.is_asked_at(&stands_at, approval_id);
        if request.resumes.is_some() && resumes.is_none() {
            self.leave_lane_of(&place, &reason);
        } else if resumes.is_none() {
            self.take_frame(&stands_at);
        }
        let waited = wait::milliseconds(self.stamp.at - request.asked_at);
        let fact = self.fact(&stands_at, StepState::Done);
        fact.duration_ms = Some(waited);
        fact.reason = Some(reason);
        fact.output = Some(json!({ "decision": status, "by": by(answered), "next": flow.next() }));
        match resumes {
            Some(resumes) if stands => self.resume_effects(&resumes),
            // What it stood at was given up meanwhile, and nothing came due since.
            Some(_) => Next::Stay,
            None => flow,
        }
    }

    /// What became of a request: who decided, for whom, and what they said.
    fn answer_in_words(&self, approval_id: ApprovalId, answered: &RequestOutcome) -> String {
        let RequestOutcome::Decided(decision) = answered else { return "Nobody decided in time".to_owned() };
        let verdict = verdict_in_words(decision.verdict);
        let people = self.people();
        let for_whom = self.for_whom(approval_id, decision, &self.people_at(&people));
        match decision.comment.as_deref().filter(|comment| !comment.is_empty()) {
            Some(comment) => format!("{} {verdict}{for_whom}: “{comment}”", decision.name),
            None => format!("{} {verdict}{for_whom}", decision.name),
        }
    }

    /// A branch that asks people passes when they approve; whoever is asked last decides.
    fn record_rejection(&mut self, place: &StepAddress, status: RequestStatus, reason: &str) {
        if let Some(lane) = self.state.lane_mut(&place.within) {
            let is_refused = status != RequestStatus::Approved;
            lane.rejection = is_refused.then(|| not_approved(status, reason, &place.step));
        }
    }

    /// The decision itself is the result: of the run, or of the branch that asked.
    fn complete_without_links(
        &mut self,
        place: &StepAddress,
        outcomes: &Outcomes,
        status: RequestStatus,
        reason: &str,
    ) -> Next {
        let approved = status == RequestStatus::Approved;
        if place.within.is_empty() {
            self.state.decision = Some(if approved { RunDecision::Allowed } else { RunDecision::Blocked });
            return Next::End(None);
        }
        match (approved, outcomes.any()) {
            (true, true) => Next::End(None),
            (true, false) => self.following_or_end(place, None),
            (false, _) => Next::End(Some(not_approved(status, reason, &place.step))),
        }
    }

    /// A request was answered that the run didn't wait for: it says what it still waits for.
    fn record_unawaited_outcome(&mut self, approval_id: ApprovalId, answered: &RequestOutcome) {
        let answer = self.answer_in_words(approval_id, answered);
        let Some(request) = self.state.requests.remove(&approval_id) else { return };
        self.put_approval(&request, answered);
        let still: Vec<String> = self.state.waits_for().into_iter().map(|waits| waits.what).collect();
        let fact = self.fact(&request.place, StepState::Done);
        fact.reason = Some(format!("{answer}; the run still waits for {}", still.join(" and ")));
        fact.output = Some(json!({ "decision": answered.status(), "by": by(answered) }));
    }

    pub(in crate::machine) fn put_approval(&mut self, request: &OpenRequest, answered: &RequestOutcome) {
        let value = self.approval_value(request, answered);
        self.put(&request.place.within, "approval", value);
    }

    fn approval_value(&self, request: &OpenRequest, answered: &RequestOutcome) -> Value {
        let decision = match answered {
            RequestOutcome::Decided(decision) => Some(decision),
            RequestOutcome::Expired => None,
        };
        let edits = if request.values.is_empty() {
            json!(decision.and_then(|d| d.edits.as_ref()))
        } else {
            json!(request.values)
        };
        let mut value = json!({
            "decision": answered.status(), "by": by(answered),
            "comment": decision.and_then(|d| d.comment.as_ref()), "edits": edits,
            "at": self.stamp.at.to_rfc3339_opts(SecondsFormat::AutoSi, true), "step": request.place.step,
        });
        if self.state.asks_in_levels() {
            value["decisions"] = decisions_of(request);
        }
        value
    }

    fn publish_decided(&mut self, approval_id: ApprovalId, answered: &RequestOutcome) {
        let depth = self.state.depth + 1;
        let Some(request) = self.state.requests.get(&approval_id).filter(|_| depth <= MAX_DEPTH) else {
            return;
        };
        let mut payload = match self.approval_value(request, answered) {
            Value::Object(map) => map,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                Map::new()
            }
        };
        payload.insert("approval_id".to_owned(), json!(approval_id));
        payload.insert("execution_id".to_owned(), json!(self.state.execution_id));
        payload.insert("entity".to_owned(), json!(request.entity));
        payload.insert("entity_id".to_owned(), json!(request.entity_id));
        let event = Event {
            kind: "approval.decided".to_owned(),
            id: decided_id(approval_id, request.round),
            source: Some(format!("execution:{}", self.state.execution_id)),
            time: self.stamp.at,
            requester: self.state.requester.clone(),
            payload,
        };
        let place = request.place.clone();
        self.command(Command::Publish { place, index: None, event: Arc::new(event), depth });
    }
}

/// The id of the event that tells of a request's end; each round has one of its own.
fn decided_id(approval_id: ApprovalId, round: u32) -> EventId {
    match round {
        0 => EventId(format!("{approval_id}:decided")),
        round => EventId(format!("{approval_id}:decided:{round}")),
    }
}

fn not_approved(status: RequestStatus, reason: &str, step: &StepId) -> RunError {
    Failure::new(&format!("approval.{}", status.as_str()), reason).at(step)
}

/// The decisions that count, level after level.
fn decisions_of(request: &OpenRequest) -> Value {
    let of_level = |level: &'_ RequestLevel| -> Vec<Value> {
        let counted = level.counted().filter(|made| !made.by_edit);
        counted
            .map(|made| {
                let at = made.at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
                json!({ "level": level.name, "decision": made.decision, "by": made.by, "comment": made.comment, "at": at })
            })
            .collect()
    };
    request.levels.iter().flat_map(of_level).collect()
}

fn by(answered: &RequestOutcome) -> Option<&str> {
    match answered {
        RequestOutcome::Decided(decision) => Some(&decision.by),
        RequestOutcome::Expired => None,
    }
}

pub(super) fn verdict_in_words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Approve => "approved",
        Verdict::ApproveWithEdits => "approved with edits",
        Verdict::Reject => "rejected",
        Verdict::RequestChanges => "asked for changes",
    }
}
