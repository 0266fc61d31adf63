//! What follows an approval or a rejection: in sentences for the card, and what is sent.

mod earlier;
mod look_ahead;
mod sentences;
mod steps_ahead;

use super::{
    address::StepAddress,
    resolved_effects::{to_be_approved, to_be_decided},
    state::ResumePoint,
    transition::Transition,
};
use crate::{
    approval::{decision::RequestStatus, seen::ResolvedEffect},
    ids::StepId,
    workflow::step::{Outcomes, Step},
};
use chrono::{DateTime, Utc};
use look_ahead::{From, look_ahead};
use sentences::verdict;
use serde_json::{Map, Value};

pub(super) struct Previews {
    pub(super) approved: Vec<String>,
    pub(super) rejected: Vec<String>,
    pub(super) effects: Vec<ResolvedEffect>,
    /// Whether an approval sends more than these.
    pub(super) is_cut: bool,
}

/// The request whose decision opens the ways.
pub(super) struct Asked<'r> {
    /// The step that asks.
    pub(super) step: &'r Step,
    /// The address of this step, with the branches and items around it.
    pub(super) place: &'r StepAddress,
    /// What it is about.
    pub(super) subject: Option<&'r str>,
    /// Where the run goes on if it was opened again.
    pub(super) resumes: Option<&'r ResumePoint>,
    /// Where it goes on besides, in other branches and items.
    pub(super) suspended: &'r [ResumePoint],
    /// The time with which what follows is resolved, where that isn't now.
    pub(super) at: Option<DateTime<Utc>>,
}

pub(super) fn previews(
    transition: &mut Transition<'_>,
    asked: &Asked<'_>,
    values: &Map<String, Value>,
) -> Previews {
    if !asked.step.waits_for_people() {
        let either = vec!["The run goes on either way.".to_owned()];
        return Previews { approved: either.clone(), rejected: either, effects: Vec::new(), is_cut: false };
    }
    if !transition.state.looks_ahead() {
        return earlier_previews(transition, asked, values);
    }
    let outcomes = asked.step.outcomes().cloned().unwrap_or_default();
    let approved = match (asked.resumes, followed(transition, asked, &outcomes, RequestStatus::Approved)) {
        (Some(resumes), _) => Some(From::Points(resumes, asked.suspended)),
        (None, step) => step.map(From::Step),
    };
    let rejected = followed(transition, asked, &outcomes, RequestStatus::Rejected).map(From::Step);
    let (approved, effects, is_cut) = match approved {
        Some(from) => {
            let decision = to_be_approved(values);
            let ahead = look_ahead(transition, asked, &from, decision);
            (ahead.sentences, ahead.effects, ahead.is_cut)
        }
        None => (vec![end_of(asked, true)], Vec::new(), false),
    };
    let rejected = match rejected {
        Some(from) => {
            let decision = to_be_decided("rejected", values);
            look_ahead(transition, asked, &from, decision).sentences
        }
        None => vec![end_of(asked, false)],
    };
    Previews { approved, rejected, effects, is_cut }
}

/// What machines before version 5 say.
fn earlier_previews(transition: &Transition<'_>, asked: &Asked<'_>, values: &Map<String, Value>) -> Previews {
    let outcomes = asked.step.outcomes().cloned().unwrap_or_default();
    let say = |status: RequestStatus| match followed(transition, asked, &outcomes, status) {
        Some(to) => earlier::sentences_from(transition, asked.place, to, asked.subject),
        None => vec![end_of(asked, status == RequestStatus::Approved)],
    };
    let effects = match (asked.resumes, followed(transition, asked, &outcomes, RequestStatus::Approved)) {
        (_, _) if !transition.state.resolves_effects() => Vec::new(),
        (Some(at), _) => earlier::resolved(transition, &at.place, (&at.place.step, at.index), values),
        (None, Some(to)) => earlier::resolved(transition, asked.place, (to, 0), values),
        (None, None) => Vec::new(),
    };
    Previews {
        approved: say(RequestStatus::Approved),
        rejected: say(RequestStatus::Rejected),
        effects,
        is_cut: false,
    }
}

/// The step to which a decision leads.
fn followed<'s>(
    transition: &Transition<'s>,
    asked: &Asked<'s>,
    outcomes: &'s Outcomes,
    status: RequestStatus,
) -> Option<&'s StepId> {
    let goes_on = status == RequestStatus::Approved && !asked.place.within.is_empty() && !outcomes.any();
    let following = transition.definition.following(&asked.step.id).filter(|_| goes_on).map(|step| &step.id);
    status.link(outcomes).or(following)
}

/// What a decision that leads nowhere comes to.
fn end_of(asked: &Asked<'_>, approved: bool) -> String {
    if asked.place.within.is_empty() {
        return verdict(approved, asked.subject);
    }
    format!("This branch {}.", if approved { "passes" } else { "fails" })
}
