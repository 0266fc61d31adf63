//! What an approval would send, resolved when people are asked: the effects along the approved way, up to the first step
//! that needs an answer still to come.

use super::{address::StepAddress, path_ahead::steps_ahead, request, transition::Transition};
use crate::{
    approval::seen::{AT_THE_TIME, ResolvedEffect},
    ids::StepId,
    recipient::Recipient,
    workflow::{
        Template,
        effect::{Effect, Emit, Notify},
        scope::Scope,
        step::{Ahead, Step, StepKind},
        template::TemplateError,
    },
};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use std::{collections::BTreeSet, sync::Arc};

/// How many bytes of resolved requests are kept with a request for a decision. Of what is beyond, the digest is kept.
const MAX_KEPT_BYTES: usize = 64 * 1024;

/// The effects from a step on, resolved as they would be sent now, once the request of `place` is approved.
pub(super) fn resolved_effects(
    transition: &Transition<'_>,
    place: &StepAddress,
    from: &StepId,
    values: &Map<String, Value>,
) -> Vec<ResolvedEffect> {
    resolved(transition, place, (from, 0), values)
}

/// The same from one effect of a step on.
pub(super) fn resolved_effects_from(
    transition: &Transition<'_>,
    place: &StepAddress,
    index: u32,
    values: &Map<String, Value>,
) -> Vec<ResolvedEffect> {
    resolved(transition, place, (&place.step, index), values)
}

/// What an effect would send now, rendered as when it was approved: with that time, and the same placeholders for what the
/// decision brings.
pub(super) fn send_now(
    transition: &Transition<'_>,
    place: &StepAddress,
    effect: &Effect,
    values: &Map<String, Value>,
    resolved_at: DateTime<Utc>,
) -> Value {
    let mut context = transition.context(place);
    context.lay_over(Arc::new(to_be_approved(values)));
    sent_by(effect, &Scope::masked(&context, resolved_at)).ok().flatten().unwrap_or_default()
}

/// The effects of a step; an `emit` step is one.
pub(super) fn effects_of(step: &Step) -> Vec<Effect> {
    let emitted =
        if let StepKind::Emit { emit } = &step.kind { Some(Effect::EmitEvent(emit.clone())) } else { None };
    step.effects().iter().cloned().chain(emitted).collect()
}

fn resolved(
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
        for (index, effect) in (0u32..).zip(&effects_of(step)).skip(skipped) {
            if !sends(effect) {
                continue;
            }
            let needs_answer =
                effect.templates().iter().any(|t| t.names().any(|name| unknown.contains(name)));
            let sent = if needs_answer { None } else { sent_by(effect, &scope).ok().flatten() };
            let Some(request) = sent else { return resolved };
            resolved.push(ResolvedEffect::new(&step.id, index, effect.type_name(), request, &mut room));
        }
        unknown.extend(written_by(step));
    }
    resolved
}

/// What effects see of an approval that isn't there yet: the edits as they stand, and a placeholder for the rest.
fn to_be_approved(values: &Map<String, Value>) -> Map<String, Value> {
    let approval = json!({
        "decision": "approved", "by": AT_THE_TIME, "comment": AT_THE_TIME, "at": AT_THE_TIME, "step": AT_THE_TIME,
        "edits": if values.is_empty() { Value::Null } else { json!(values) },
    });
    Map::from_iter([("approval".to_owned(), approval)])
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

/// Whether an effect sends something to somebody outside of the run.
fn sends(effect: &Effect) -> bool {
    effect.is_outside() || matches!(effect, Effect::Notify(_) | Effect::EmitEvent(_))
}

/// What an effect sends to somebody outside of the run; none if it sends nothing.
fn sent_by(effect: &Effect, scope: &Scope<'_>) -> Result<Option<Value>, TemplateError> {
    match effect {
        Effect::HttpRequest(_)
        | Effect::Webhook(_)
        | Effect::CreateRecord(_)
        | Effect::UpdateRecord(_)
        | Effect::Connector(_) => {
            let resolved = request::resolve(effect, scope)?;
            Ok(serde_json::to_value(resolved).ok())
        }
        Effect::Notify(notify) => message(notify, scope).map(Some),
        Effect::EmitEvent(emit) => event(emit, scope).map(Some),
        Effect::CreateApprovalRequest(_) | Effect::Log(_) => Ok(None),
    }
}

fn message(notify: &Notify, scope: &Scope<'_>) -> Result<Value, TemplateError> {
    let text = |template: &Option<Template>| template.as_ref().map(|t| t.text(scope)).transpose();
    let recipients = notify.recipients.iter().map(|who| who.needed("recipient", scope).map(Recipient::from));
    let recipients: Vec<Recipient> = recipients.collect::<Result<_, _>>()?;
    Ok(
        json!({ "recipients": recipients, "subject": text(&notify.subject)?, "message": text(&notify.message)? }),
    )
}

fn event(emit: &Emit, scope: &Scope<'_>) -> Result<Value, TemplateError> {
    let payload = emit.payload.as_ref().map(|payload| payload.value(scope)).transpose()?;
    Ok(json!({ "event": emit.event, "payload": payload }))
}
