//! Asking people, the short way and natively, and what their answer does.

use super::{
    InputError, MAX_DEPTH,
    address::StepAddress,
    command::{Command, Request},
    event::Event,
    fact::StepState,
    failure,
    failure::{Failure, RunError},
    frames::Activity,
    input::Timer,
    preview,
    result::RunDecision,
    state::OpenRequest,
    texts,
    texts::{MAX_AMOUNT, MAX_ENTITY_ID, MAX_REASON, MAX_SUBJECT},
    transition::{Next, Transition},
};
use crate::{
    approval::{
        decision::{Decision, RequestLevel, RequestOutcome, RequestStatus},
        policy::{Standing, judge, standing},
    },
    ids::{ApprovalId, EventId, StepId},
    recipient::{Approver, listed},
    workflow::{
        Span, TemplateValue,
        approval::{ApprovalSpec, Forbid, FormField, Verdict},
        check::SETTINGS,
        effect::ShortRequest,
        scope::Scope,
        step::{ActionKind, Outcomes, Step},
        template::as_text,
    },
};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// What a step says about the request that it makes.
struct RequestSpec {
    subject: Option<String>,
    reason: Option<String>,
    amount: Option<String>,
    currency: Option<String>,
    entity: Option<String>,
    entity_id: Option<String>,
    data: Map<String, Value>,
    levels: Vec<RequestLevel>,
    expires_at: Option<DateTime<Utc>>,
    forbid: Vec<Forbid>,
    form: Vec<FormField>,
}

impl Transition<'_> {
    pub(super) fn ask_by_effect(
        &mut self,
        step: &Step,
        place: &StepAddress,
        request: &ShortRequest,
    ) -> Result<(), Failure> {
        self.may_wait(place)?;
        let context = self.context(place);
        let scope = Scope::masked(&context, self.entered_at(place));
        let data: Map<String, Value> = request
            .data
            .iter()
            .map(|(key, value)| Ok((key.clone(), value.value(&scope)?)))
            .collect::<Result<_, Failure>>()?;
        let text = |key: &str| data.get(key).map(as_text).filter(|text| !text.is_empty());
        let approvers = short_approvers(&data)?;
        let expires_at = match text("expires_in") {
            Some(span) => Some(self.stamp.at + parse_span(&span)?.duration()),
            None => None,
        };
        let says_why = step.action().is_some_and(|action| action.reason.is_some());
        let reason = if says_why { self.state.reason.clone() } else { text("reason") };
        let reason = reason.map(|reason| texts::shortened(reason, MAX_REASON));
        let name = text("approver_role").unwrap_or_else(|| listed(&approvers));
        let spec = RequestSpec {
            subject: text("subject").map(|subject| texts::shortened(subject, MAX_SUBJECT)),
            reason,
            amount: short(text("amount"), "amount")?,
            currency: short(text("currency"), "currency")?,
            entity: request.entity.clone(),
            entity_id: entity_id(request.entity_id.as_ref(), &scope)?,
            levels: vec![RequestLevel { name, approvers, quorum: 1, decisions: Vec::new() }],
            expires_at,
            forbid: vec![Forbid::Requester],
            form: Vec::new(),
            data: data.into_iter().filter(|(key, _)| !SETTINGS.contains(&key.as_str())).collect(),
        };
        self.ask_people(step, place, spec);
        Ok(())
    }

    pub(super) fn approval(
        &mut self,
        step: &Step,
        place: &StepAddress,
        spec: &ApprovalSpec,
    ) -> Result<Next, Failure> {
        self.may_wait(place)?;
        let context = self.context(place);
        let scope = Scope::masked(&context, self.stamp.at);
        let template = |t: &Option<crate::workflow::Template>| {
            t.as_ref().map(|t| t.text(&scope)).transpose().map(|text| text.filter(|text| !text.is_empty()))
        };
        let amount = spec.amount.as_ref().map(|amount| amount.text(&scope)).transpose()?;
        let mut levels = Vec::new();
        for (n, level) in spec.levels.iter().enumerate() {
            let named = level.approvers.iter().map(|who| who.value(&scope));
            let approvers = approvers(&named.collect::<Result<Vec<_>, _>>()?)?;
            let name = level.name.clone().unwrap_or_else(|| level_name(&approvers, n));
            levels.push(RequestLevel {
                name,
                approvers,
                quorum: level.quorum.unwrap_or(1),
                decisions: Vec::new(),
            });
        }
        let expires_in = spec.levels.first().and_then(|level| level.expires_in.as_ref());
        let spec = RequestSpec {
            subject: template(&spec.subject)?.map(|subject| texts::shortened(subject, MAX_SUBJECT)),
            reason: template(&spec.reason)?.map(|reason| texts::shortened(reason, MAX_REASON)),
            amount: short(amount.filter(|amount| !amount.is_empty()), "amount")?,
            currency: short(template(&spec.currency)?, "currency")?,
            entity: spec.entity.clone(),
            entity_id: entity_id(spec.entity_id.as_ref(), &scope)?,
            data: spec
                .show
                .iter()
                .map(|(k, v)| Ok((k.clone(), v.value(&scope)?)))
                .collect::<Result<_, Failure>>()?,
            levels,
            expires_at: expires_in.map(|span| self.stamp.at + span.duration()),
            forbid: spec.forbid.clone().unwrap_or_else(|| vec![Forbid::Requester]),
            form: spec.form.clone(),
        };
        let approval_id = self.ask_people(step, place, spec);
        Ok(self.set_frame(place, Activity::AwaitingApproval { approval_id }))
    }

    fn ask_people(&mut self, step: &Step, place: &StepAddress, spec: RequestSpec) -> ApprovalId {
        let approval_id = ApprovalId(self.fresh_id());
        let outcomes = step.outcomes().cloned().unwrap_or_default();
        let waits = step.waits_for_people();
        let subject = spec.subject.or_else(|| self.state.subject.clone());
        let asked = asked_in_words(&spec.levels);
        let previews = preview::previews(self, step, place, &outcomes, subject.as_deref());
        if let Some(at) = spec.expires_at {
            self.command(Command::SetTimer { timer: Timer::Expiry { approval_id }, at });
        }
        let fact = self.fact(place, StepState::Waiting);
        fact.reason = Some(format!("Asks {asked}"));
        fact.input = Some(json!({
            "approval_id": approval_id, "approvers": spec.levels.first().map(|level| &level.approvers),
            "expires_at": spec.expires_at, "data": spec.data,
        }));
        if spec.reason.is_some() {
            self.state.reason.clone_from(&spec.reason);
        }
        let request = Request {
            approval_id,
            place: place.clone(),
            subject,
            reason: spec.reason,
            amount: spec.amount.or_else(|| self.state.amount.clone()),
            currency: spec.currency.or_else(|| self.state.currency.clone()),
            entity: spec.entity,
            entity_id: spec.entity_id,
            data: spec.data,
            levels: spec.levels,
            forbid: spec.forbid,
            form: spec.form,
            expires_at: spec.expires_at,
            requester: self.state.requester.clone(),
            why: self.state.conditions_on_path(&place.within),
            if_approved: previews.approved,
            if_rejected: previews.rejected,
            effects: previews.effects,
        };
        let seen = request.seen_hash();
        let open = OpenRequest {
            place: place.clone(),
            asked_at: self.stamp.at,
            waits,
            blocks: step.action().is_some_and(|action| action.kind == ActionKind::Block),
            asked,
            levels: request.levels.clone(),
            forbid: request.forbid.clone(),
            seen: seen.clone(),
            expires_at: request.expires_at,
            entity: request.entity.clone(),
            entity_id: request.entity_id.clone(),
            early_outcome: None,
        };
        self.state.requests.insert(approval_id, open);
        self.command(Command::Ask { request: Box::new(request), seen });
        approval_id
    }

    /// A person decided: the policy judges it by the request as it stands now.
    pub(super) fn decided(&mut self, approval_id: ApprovalId, decision: &Decision) -> Result<(), InputError> {
        if self.state.end.is_some() {
            return Err(InputError::Ended);
        }
        let requester = self.state.requester.as_ref();
        let Some(request) =
            self.state.requests.get_mut(&approval_id).filter(|request| request.early_outcome.is_none())
        else {
            return Err(InputError::NotExpected);
        };
        judge(&request.policy(requester), &request.seen, decision)?;
        let level = match standing(&request.levels) {
            Standing::Open { level } => level,
            Standing::Closed(_) => 0,
        };
        let made = decision.made(self.stamp.at);
        let Some(asked) = request.levels.get_mut(level) else { return Err(InputError::NotExpected) };
        asked.decisions.push(made.clone());
        let (standing, expires) = (standing(&request.levels), request.expires_at.is_some());
        let level = u32::try_from(level).unwrap_or(u32::MAX);
        self.command(Command::RecordDecision { approval_id, level, made });
        if let Standing::Closed(_) = standing {
            if expires {
                self.command(Command::ClearTimer { timer: Timer::Expiry { approval_id } });
            }
            self.close_request(approval_id, RequestOutcome::Decided(decision.clone()));
        }
        Ok(())
    }

    pub(super) fn expired(&mut self, approval_id: ApprovalId) -> Result<(), InputError> {
        match self.state.requests.get(&approval_id) {
            Some(request) if request.early_outcome.is_none() => {}
            Some(_) | None => return Err(InputError::NotExpected),
        }
        self.close_request(approval_id, RequestOutcome::Expired);
        Ok(())
    }

    /// A request has its answer: it is closed and told, and the run goes on if it waits for it.
    fn close_request(&mut self, approval_id: ApprovalId, answered: RequestOutcome) {
        let status = answered.status();
        self.command(Command::Close { approval_id, status, because: None });
        self.publish_decided(approval_id, &answered);
        let Some(request) = self.state.requests.get(&approval_id) else { return };
        let place = request.place.clone();
        let asking = Activity::AwaitingApproval { approval_id };
        let waits = request.waits;
        if waits && self.state.frame(&place).is_some_and(|frame| frame.activity == asking) {
            let flow = self.complete_request(approval_id, &answered);
            self.continue_from(&place, flow);
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
    pub(super) fn complete_request(&mut self, approval_id: ApprovalId, answered: &RequestOutcome) -> Next {
        let Some(request) = self.state.requests.remove(&approval_id) else { return Next::Stay };
        let place = request.place;
        let outcomes =
            self.definition.step(&place.step).and_then(Step::outcomes).cloned().unwrap_or_default();
        let status = answered.status();
        let reason = answer_in_words(answered);
        self.put_approval(&place, answered);
        self.record_rejection(&place, status, &reason);
        self.state.reason = Some(reason.clone());
        let flow = match status.link(&outcomes) {
            Some(next) => Next::To(next.clone()),
            None => self.complete_without_links(&place, &outcomes, status, &reason),
        };
        self.take_frame(&place);
        let waited = super::wait::milliseconds(self.stamp.at - request.asked_at);
        let fact = self.fact(&place, StepState::Done);
        fact.duration_ms = Some(waited);
        fact.reason = Some(reason);
        fact.output = Some(json!({ "decision": status, "by": by(answered), "next": flow.next() }));
        flow
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
        let Some(request) = self.state.requests.remove(&approval_id) else { return };
        self.put_approval(&request.place, answered);
        let still: Vec<String> = self.state.waits_for().into_iter().map(|waits| waits.what).collect();
        let fact = self.fact(&request.place, StepState::Done);
        fact.reason =
            Some(format!("{}; the run still waits for {}", answer_in_words(answered), still.join(" and ")));
        fact.output = Some(json!({ "decision": answered.status(), "by": by(answered) }));
    }

    pub(super) fn put_approval(&mut self, place: &StepAddress, answered: &RequestOutcome) {
        let value = self.approval_value(&place.step, answered);
        self.put(&place.within, "approval", value);
    }

    fn approval_value(&self, step: &StepId, answered: &RequestOutcome) -> Value {
        let decision = match answered {
            RequestOutcome::Decided(decision) => Some(decision),
            RequestOutcome::Expired => None,
        };
        json!({
            "decision": answered.status(), "by": by(answered),
            "comment": decision.and_then(|d| d.comment.as_ref()), "edits": decision.and_then(|d| d.edits.as_ref()),
            "at": self.stamp.at.to_rfc3339_opts(SecondsFormat::AutoSi, true), "step": step,
        })
    }

    fn publish_decided(&mut self, approval_id: ApprovalId, answered: &RequestOutcome) {
        let depth = self.state.depth + 1;
        let Some(request) = self.state.requests.get(&approval_id).filter(|_| depth <= MAX_DEPTH) else {
            return;
        };
        let mut payload = match self.approval_value(&request.place.step, answered) {
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
            id: EventId(format!("{approval_id}:decided")),
            source: Some(format!("execution:{}", self.state.execution_id)),
            time: self.stamp.at,
            requester: self.state.requester.clone(),
            payload,
        };
        let place = request.place.clone();
        self.command(Command::Publish { place, index: None, event: Arc::new(event), depth });
    }
}

fn not_approved(status: RequestStatus, reason: &str, step: &StepId) -> RunError {
    Failure::new(&format!("approval.{}", status.as_str()), reason).at(step)
}

fn entity_id(id: Option<&TemplateValue>, scope: &Scope<'_>) -> Result<Option<String>, Failure> {
    let Some(id) = id else { return Ok(None) };
    let text = id.text(scope)?;
    if text.is_empty() {
        return Err(Failure::new(
            "template.missing",
            format!("entity_id is empty: {} gives nothing.", id.source()),
        ));
    }
    failure::fitting(text, "entity_id", MAX_ENTITY_ID).map(Some)
}

/// An amount or a currency, which is short.
fn short(text: Option<String>, what: &str) -> Result<Option<String>, Failure> {
    text.map(|text| failure::fitting(text, what, MAX_AMOUNT)).transpose()
}

fn short_approvers(data: &Map<String, Value>) -> Result<Vec<Approver>, Failure> {
    let role = data.get("approver_role").map(as_text).filter(|role| !role.trim().is_empty());
    let role = role.map(|role| Value::String(format!("role:{}", role.trim())));
    let named = match data.get("approvers").cloned() {
        Some(Value::Array(list)) => list,
        other => other.into_iter().collect(),
    };
    approvers(&role.into_iter().chain(named).collect::<Vec<_>>())
}

/// Who is asked, of what templates gave: `role:` and `user:` entries, addresses, and lists of these.
fn approvers(named: &[Value]) -> Result<Vec<Approver>, Failure> {
    let each = named.iter().flat_map(|one| match one {
        Value::Array(list) => list.as_slice(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            std::slice::from_ref(one)
        }
    });
    let mut all: Vec<Approver> = Vec::new();
    for who in each.map(as_text).filter(|who| !who.trim().is_empty()) {
        let approver = who.parse::<Approver>().map_err(|fault| {
            let shown = texts::shortened(who.clone(), MAX_AMOUNT);
            Failure::new("approver.bad", format!("\"{shown}\" can't be asked: {fault}."))
        })?;
        if !all.contains(&approver) {
            all.push(approver);
        }
    }
    if all.is_empty() {
        return Err(Failure::new("template.missing", "Nobody is asked: the approvers give nothing."));
    }
    Ok(all)
}

fn parse_span(text: &str) -> Result<Span, Failure> {
    text.parse().map_err(|error| Failure::new("duration.bad", format!("expires_in: {error}.")))
}

fn level_name(approvers: &[Approver], n: usize) -> String {
    match approvers {
        [one] => one.name().to_owned(),
        _ => format!("level {}", n + 1),
    }
}

/// `one of sales_manager`, `ada@example.com or legal`.
fn asked_in_words(levels: &[RequestLevel]) -> String {
    let approvers = levels.first().map(|level| level.approvers.as_slice()).unwrap_or_default();
    let words: Vec<String> = approvers
        .iter()
        .map(|approver| match approver {
            Approver::Role(role) => format!("one of {role}"),
            Approver::Person(address) => address.clone(),
        })
        .collect();
    words.join(" or ")
}

fn by(answered: &RequestOutcome) -> Option<&str> {
    match answered {
        RequestOutcome::Decided(decision) => Some(&decision.by),
        RequestOutcome::Expired => None,
    }
}

fn answer_in_words(answered: &RequestOutcome) -> String {
    let RequestOutcome::Decided(decision) = answered else { return "Nobody decided in time".to_owned() };
    let verdict = match decision.verdict {
        Verdict::Approve => "approved",
        Verdict::ApproveWithEdits => "approved with edits",
        Verdict::Reject => "rejected",
        Verdict::RequestChanges => "asked for changes",
    };
    match decision.comment.as_deref().filter(|comment| !comment.is_empty()) {
        Some(comment) => format!("{} {verdict}: “{comment}”", decision.name),
        None => format!("{} {verdict}", decision.name),
    }
}
