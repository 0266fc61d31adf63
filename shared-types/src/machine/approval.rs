//! Asking people, the short way and natively. What their answer does is in the files below.

mod deadlines;
mod deciding;
pub mod ladder;
mod needs;
mod outcome;
mod reopening;
mod shown_anew;
mod suspension;

use super::{
    address::StepAddress,
    command::{Command, Request},
    fact::StepState,
    failure,
    failure::Failure,
    frames::Activity,
    preview,
    preview::Asked,
    state::OpenRequest,
    texts,
    texts::{MAX_AMOUNT, MAX_ENTITY_ID, MAX_REASON, MAX_SUBJECT},
    transition::{Next, Transition},
};
use crate::{
    approval::{
        decision::RequestLevel,
        quorum::Quorum,
        seen::{content_hash, seen_hash, seen_hash_of},
    },
    ids::ApprovalId,
    recipient::{Approver, listed},
    workflow::{
        Span, Template, TemplateValue,
        approval::{ApprovalSpec, Forbid, FormField, Level, QuorumSpec},
        check::SETTINGS,
        effect::ShortRequest,
        scope::Scope,
        step::{ActionKind, Step},
        template::as_text,
    },
};
use deadlines::Counting;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

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
    forbid: Vec<Forbid>,
    veto: Vec<Approver>,
    form: Vec<FormField>,
    values: Map<String, Value>,
    calendar: Option<String>,
    quick: bool,
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
        let expires_in = text("expires_in").map(|span| parse_span(&span)).transpose()?;
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
            levels: vec![RequestLevel { expires_in, ..RequestLevel::new(name, approvers) }],
            forbid: vec![Forbid::Requester],
            veto: Vec::new(),
            form: Vec::new(),
            values: Map::new(),
            calendar: None,
            quick: data.get("quick").is_some_and(|quick| *quick == Value::Bool(true)),
            data: data.into_iter().filter(|(key, _)| !SETTINGS.contains(&key.as_str())).collect(),
        };
        self.ask_people(step, place, spec)?;
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
        let template = |t: &Option<Template>| {
            t.as_ref().map(|t| t.text(&scope)).transpose().map(|text| text.filter(|text| !text.is_empty()))
        };
        let amount = spec.amount.as_ref().map(|amount| amount.text(&scope)).transpose()?;
        let levels = spec.levels.iter().enumerate().map(|(n, level)| request_level(level, n, &scope));
        let defaults = spec.form.iter().map(|field| {
            let default = field.default.as_ref().map_or(Ok(Value::Null), |default| default.value(&scope))?;
            Ok((field.name.clone(), default))
        });
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
            levels: levels.collect::<Result<_, _>>()?,
            forbid: spec.forbid.clone().unwrap_or_else(|| vec![Forbid::Requester]),
            veto: optional_approvers(&spec.veto, &scope)?,
            values: defaults.collect::<Result<_, Failure>>()?,
            form: spec.form.iter().map(|field| FormField { default: None, ..field.clone() }).collect(),
            calendar: spec.calendar.clone(),
            quick: spec.quick,
        };
        let approval_id = self.ask_people(step, place, spec)?;
        Ok(self.set_frame(place, Activity::AwaitingApproval { approval_id }))
    }

    fn ask_people(
        &mut self,
        step: &Step,
        place: &StepAddress,
        mut spec: RequestSpec,
    ) -> Result<ApprovalId, Failure> {
        let counting = self.counting(spec.calendar.as_deref())?;
        let expires_at = if self.state.asks_in_levels() {
            let first = spec.levels.first_mut();
            first.and_then(|level| {
                level.progress = counting.opened(level, self.stamp.at);
                level.progress.expires_at
            })
        } else {
            // Earlier machines have no spans in a level.
            let span = spec.levels.first_mut().and_then(|level| level.expires_in.take());
            span.map(|span| counting.due(self.stamp.at, &span))
        };
        let approval_id = ApprovalId(self.fresh_id());
        let subject = spec.subject.or_else(|| self.state.subject.clone());
        let asked = asked_in_words(spec.levels.first());
        let asking =
            Asked { step, place, subject: subject.as_deref(), resumes: None, suspended: &[], at: None };
        let previews = preview::previews(self, &asking, &spec.values);
        let fact = self.fact(place, StepState::Waiting);
        fact.reason = Some(format!("Asks {asked}"));
        fact.input = Some(json!({
            "approval_id": approval_id, "approvers": spec.levels.first().map(|level| &level.approvers),
            "expires_at": expires_at, "data": spec.data,
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
            values: spec.values,
            veto: spec.veto,
            calendar: spec.calendar,
            quick: spec.quick,
            expires_at,
            requester: self.state.requester.clone(),
            why: self.state.conditions_on_path(&place.within),
            if_approved: previews.approved,
            if_rejected: previews.rejected,
            effects: previews.effects,
        };
        let request = Box::new(request);
        let open = self.open_request(step, asked, &request, previews.is_cut);
        let seen = open.seen.clone();
        self.state.requests.insert(approval_id, open);
        self.set_deadlines(approval_id);
        self.command(Command::Ask { request, seen });
        Ok(approval_id)
    }

    /// What the run keeps of a request that it makes.
    fn open_request(&self, step: &Step, asked: String, request: &Request, is_cut: bool) -> OpenRequest {
        let in_levels = self.state.asks_in_levels();
        let content = if in_levels { content_hash(&request.shown()) } else { String::new() };
        let seen = if in_levels {
            seen_hash_of(&content, &request.values, &request.effects)
        } else {
            seen_hash(&request.shown())
        };
        OpenRequest {
            place: request.place.clone(),
            subject: request.subject.clone().filter(|_| in_levels),
            asked_at: self.stamp.at,
            waits: step.waits_for_people(),
            blocks: step.action().is_some_and(|action| action.kind == ActionKind::Block),
            asked,
            levels: request.levels.clone(),
            forbid: request.forbid.clone(),
            seen,
            expires_at: request.expires_at,
            entity: request.entity.clone(),
            entity_id: request.entity_id.clone(),
            open: 0,
            veto: request.veto.clone(),
            form: if in_levels { request.form.clone() } else { Vec::new() },
            values: request.values.clone(),
            calendar: request.calendar.clone(),
            stuck: None,
            decision_count: 0,
            content,
            effects: if in_levels { request.effects.clone() } else { Vec::new() },
            resolved_at: in_levels.then_some(self.stamp.at),
            resolved: None,
            round: 0,
            reopened: Vec::new(),
            seen_changes: Vec::new(),
            resumes: None,
            suspended: Vec::new(),
            defaults: if self.state.looks_ahead() { request.values.clone() } else { Map::new() },
            is_cut,
            early_outcome: None,
        }
    }

    /// How a request's deadlines are counted.
    fn counting(&self, calendar: Option<&str>) -> Result<Counting, Failure> {
        let Some(name) = calendar else { return Ok(Counting::Plain) };
        let environment = self.stamp.environment.as_deref();
        match environment.and_then(|environment| environment.working_time(name)) {
            Some(working_time) => Ok(Counting::Calendar(Box::new(working_time))),
            None => Err(Failure::new("calendar.missing", format!("The calendar {name} isn't set up."))),
        }
    }
}

/// A level as a step asks it.
fn request_level(level: &Level, n: usize, scope: &Scope<'_>) -> Result<RequestLevel, Failure> {
    let mut by_entry: Vec<(&str, Vec<Approver>)> = Vec::new();
    for who in &level.approvers {
        by_entry.push((who.source(), approvers(&[who.value(scope)?])?));
    }
    let mut asked: Vec<Approver> = Vec::new();
    for approver in by_entry.iter().flat_map(|(_, approvers)| approvers) {
        if !asked.contains(approver) {
            asked.push(approver.clone());
        }
    }
    let name = level.name.clone().unwrap_or_else(|| level_name(&asked, n));
    Ok(RequestLevel {
        quorum: quorum(level.quorum.as_ref(), &by_entry)?,
        rejections: level.rejections.unwrap_or(1),
        expires_in: level.expires_in.clone(),
        remind_every: level.remind_every.clone(),
        escalate_after: level.escalate_after.clone(),
        escalate_to: optional_approvers(&level.escalate_to, scope)?,
        ..RequestLevel::new(name, asked)
    })
}

/// The quorum of a level whose entries name these approvers.
fn quorum(spec: Option<&QuorumSpec>, by_entry: &[(&str, Vec<Approver>)]) -> Result<Quorum, Failure> {
    let places = match spec {
        None => return Ok(Quorum::Count(1)),
        Some(QuorumSpec::Count(count)) => return Ok(Quorum::Count(*count)),
        Some(QuorumSpec::ByEntry(places)) => places,
    };
    let mut resolved: BTreeMap<Approver, u32> = BTreeMap::new();
    for (entry, count) in places {
        let written = by_entry.iter().find(|(source, _)| source.trim() == entry.trim());
        let approver = match written {
            Some((_, approvers)) => approvers.first().cloned(),
            None => entry.parse().ok(),
        };
        let approver = approver.ok_or_else(|| {
            Failure::new("quorum.bad", format!("The quorum names \"{entry}\", which isn't an approver."))
        })?;
        *resolved.entry(approver).or_default() += count;
    }
    Ok(Quorum::ByEntry(resolved))
}

/// Entries of which there may be none.
fn optional_approvers(entries: &[Template], scope: &Scope<'_>) -> Result<Vec<Approver>, Failure> {
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let named = entries.iter().map(|who| who.value(scope)).collect::<Result<Vec<_>, _>>()?;
    approvers(&named)
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

/// `one of sales_manager`, `ada@example.com or legal`, `2 of finance`.
fn asked_in_words(level: Option<&RequestLevel>) -> String {
    let Some(level) = level else { return String::new() };
    let many = level.quorum.places() > 1;
    let words: Vec<String> = level
        .approvers
        .iter()
        .map(|approver| match approver {
            Approver::Role(role) if many => role.clone(),
            Approver::Role(role) => format!("one of {role}"),
            Approver::Person(address) => address.clone(),
        })
        .collect();
    if many { format!("{} of {}", level.quorum.places(), words.join(" and ")) } else { words.join(" or ") }
}
