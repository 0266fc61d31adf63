//! What follows a decision as machines before version 5 say it: along the steps that are known without looking at what
//! conditions and branches come to. Their runs replay with the same hashes.

use super::{
    super::{
        address::StepAddress,
        resolved_effects::{effects_of, sends, sent_by, to_be_approved},
        transition::Transition,
        way_ahead::{MAX_KEPT_BYTES, MAX_SENTENCES},
    },
    sentences::sentences_of,
};
use crate::{
    approval::seen::ResolvedEffect,
    ids::StepId,
    workflow::{
        scope::Scope,
        step::{Ahead, Step, StepKind},
    },
};
use serde_json::{Map, Value};
use std::{collections::BTreeSet, sync::Arc};

/// The sentences of the steps from one on, until the way forks or ends.
pub(super) fn sentences_from(
    transition: &Transition<'_>,
    place: &StepAddress,
    from: &StepId,
    subject: Option<&str>,
) -> Vec<String> {
    let mut sentences = Vec::new();
    for step in steps_ahead(transition, place, from) {
        if sentences.len() >= MAX_SENTENCES {
            sentences.push("More follows.".to_owned());
            break;
        }
        sentences.extend(sentences_of(transition, place, step, subject));
    }
    if sentences.is_empty() {
        sentences.push("Nothing more happens.".to_owned());
    }
    sentences
}

/// The effects from one effect of a step on, resolved as they would be sent now, once the request of `place` is approved; up
/// to the first step that needs an answer still to come.
pub(in crate::machine) fn resolved(
    transition: &Transition<'_>,
    place: &StepAddress,
    (from, first): (&StepId, u32),
    values: &Map<String, Value>,
) -> Vec<ResolvedEffect> {
    let mut context = transition.context(place);
    let mut unknown = BTreeSet::new();
    if transition.state.asks_in_levels() {
        context.lay_over(Arc::new(to_be_approved(values)));
    } else {
        // Earlier machines end at whatever reads the decision.
        unknown.insert("approval".to_owned());
    }
    let scope = Scope::masked(&context, transition.stamp.at);
    let mut resolved = Vec::new();
    let mut room = MAX_KEPT_BYTES;
    for step in steps_ahead(transition, place, from) {
        if step.ahead() != Ahead::Known {
            break;
        }
        let skipped = if step.id == *from { first as usize } else { 0 };
        for (index, effect) in (0u32..).zip(effects_of(step)).skip(skipped) {
            let effect = effect.as_ref();
            if !sends(effect) {
                continue;
            }
            let needs_answer =
                effect.templates().iter().any(|t| t.names().any(|name| unknown.contains(name)));
            let sent = if needs_answer { None } else { sent_by(effect, &scope, None).ok().flatten() };
            let Some(request) = sent else { return resolved };
            resolved.push(ResolvedEffect::new(&step.id, index, effect.type_name(), request, &mut room));
        }
        unknown.extend(written_by(step));
    }
    resolved
}

/// The names of the context that a step writes once it is entered.
fn written_by(step: &Step) -> Vec<String> {
    if let StepKind::Set { set } = &step.kind {
        return set.keys().filter_map(|path| path.split('.').next()).map(str::to_owned).collect();
    }
    let answered = step.effects().iter().filter(|effect| effect.is_outside());
    answered
        .flat_map(|effect| ["steps", "data"].into_iter().chain(effect.save_as()).map(str::to_owned))
        .collect()
}

/// The steps from one on, up to the first behind which the way forks or ends.
fn steps_ahead<'t>(transition: &Transition<'t>, place: &StepAddress, from: &StepId) -> Vec<&'t Step> {
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
