//! What an effect would send once its request is approved: rendered before, when people are asked, and again when it comes
//! due, to be compared.

use super::{
    address::StepAddress,
    environment::RunEnvironment,
    request::{self, Resolved},
    set::put_at,
    transition::Transition,
};
use crate::{
    approval::seen::AT_THE_TIME,
    connector::{BoundOperation, record_input},
    ids::WorkflowId,
    recipient::Recipient,
    workflow::{
        Template, TemplateValue,
        effect::{Effect, Emit, Notify},
        scope::Scope,
        step::{CallWorkflow, Step, StepKind},
        template::TemplateError,
    },
};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

/// With what something was resolved when people were asked.
pub(super) struct ResolvedWith {
    /// The values of the form.
    pub(super) values: Map<String, Value>,
    /// The time at which it was resolved, in UTC.
    pub(super) at: DateTime<Utc>,
    /// The paths at which placeholders stood for values that are made at the time.
    pub(super) placeholders: Vec<String>,
}

impl ResolvedWith {
    /// What a step sees now, with that time and the same placeholders.
    fn scope_of<T>(
        &self,
        transition: &Transition<'_>,
        place: &StepAddress,
        resolve: impl FnOnce(&Scope<'_>) -> T,
    ) -> T {
        let mut context = transition.context(place);
        let mut over = to_be_approved(&self.values);
        for path in &self.placeholders {
            let (name, below) = path.split_once('.').map_or((path.as_str(), None), |(n, b)| (n, Some(b)));
            let known = || context.layers().whole(name).map(Cow::into_owned);
            let mut whole = over.remove(name).or_else(known).unwrap_or_default();
            match below {
                None => whole = json!(AT_THE_TIME),
                Some(below) => put_at(&mut whole, below, json!(AT_THE_TIME)),
            }
            over.insert(name.to_owned(), whole);
        }
        context.lay_over(Arc::new(over));
        resolve(&Scope::masked(&context, self.at))
    }
}

/// What an effect would send now, resolved as when it was approved.
pub(super) fn send_now(
    transition: &Transition<'_>,
    place: &StepAddress,
    effect: &Effect,
    with: &ResolvedWith,
) -> Value {
    let known = transition.stamp.environment.as_deref();
    with.scope_of(transition, place, |scope| sent_by(effect, scope, known).ok().flatten().unwrap_or_default())
}

/// The same of the input of a workflow that is called.
pub(super) fn call_now(
    transition: &Transition<'_>,
    place: &StepAddress,
    call: &CallWorkflow,
    with: &ResolvedWith,
) -> Value {
    with.scope_of(transition, place, |scope| call_by(call, scope).unwrap_or_default())
}

/// The same of the values of a `set` step that are made at the time: those of these paths.
pub(super) fn set_now(
    transition: &Transition<'_>,
    place: &StepAddress,
    set: &BTreeMap<String, TemplateValue>,
    paths: &Map<String, Value>,
    with: &ResolvedWith,
) -> Value {
    with.scope_of(transition, place, |scope| {
        let made = set.iter().filter(|(path, _)| paths.contains_key(*path));
        let made = made.map(|(path, value)| (path.clone(), value.value(scope).unwrap_or_default()));
        Value::Object(made.collect())
    })
}

/// The effects of a step; an `emit` step is one.
pub(super) fn effects_of(step: &Step) -> impl Iterator<Item = Cow<'_, Effect>> {
    let emitted = if let StepKind::Emit { emit } = &step.kind { Some(emit.clone()) } else { None };
    let emitted = emitted.map(|emit| Cow::Owned(Effect::EmitEvent(emit)));
    step.effects().iter().map(Cow::Borrowed).chain(emitted)
}

/// What effects see of an approval that isn't there yet: the edits as they stand, and a placeholder for the rest.
pub(super) fn to_be_approved(values: &Map<String, Value>) -> Map<String, Value> {
    to_be_decided("approved", values)
}

/// The same of another decision.
pub(super) fn to_be_decided(decision: &str, values: &Map<String, Value>) -> Map<String, Value> {
    let approval = json!({
        "decision": decision, "by": AT_THE_TIME, "comment": AT_THE_TIME, "at": AT_THE_TIME, "step": AT_THE_TIME,
        "edits": if values.is_empty() { Value::Null } else { json!(values) },
    });
    Map::from_iter([("approval".to_owned(), approval)])
}

/// Whether an effect sends something to somebody outside of the run.
pub(super) fn sends(effect: &Effect) -> bool {
    effect.is_outside() || matches!(effect, Effect::Notify(_) | Effect::EmitEvent(_))
}

/// What an effect sends to somebody outside of the run; none if it sends nothing. What a connector makes of an input is known
/// where its operation is.
pub(super) fn sent_by(
    effect: &Effect,
    scope: &Scope<'_>,
    known: Option<&RunEnvironment>,
) -> Result<Option<Value>, TemplateError> {
    match effect {
        Effect::HttpRequest(_)
        | Effect::Webhook(_)
        | Effect::CreateRecord(_)
        | Effect::UpdateRecord(_)
        | Effect::Connector(_) => {
            let resolved = request::resolve(effect, scope)?;
            let bound = known.and_then(|known| known.operation(effect));
            let request = bound.and_then(|bound| request_of(bound, &resolved));
            Ok(request.or_else(|| serde_json::to_value(resolved).ok()))
        }
        Effect::Notify(notify) => message(notify, scope).map(Some),
        Effect::EmitEvent(emit) => event(emit, scope).map(Some),
        Effect::CreateApprovalRequest(_) | Effect::Log(_) => Ok(None),
    }
}

/// The request that an operation makes of what an effect gives it; none where it makes none.
fn request_of(bound: &BoundOperation, resolved: &Resolved) -> Option<Value> {
    let input = match resolved {
        Resolved::Connector { input, .. } => Cow::Borrowed(input.as_object()?),
        Resolved::Record { entity_id, data, .. } => {
            let id_input = bound.id_input.as_ref();
            Cow::Owned(record_input(&bound.call, id_input, entity_id.as_deref(), data.clone()))
        }
        Resolved::Http(_) => return None,
    };
    serde_json::to_value(bound.call.request(&bound.base_url, &input).ok()?).ok()
}

/// What a run of another workflow is started with.
pub(super) fn call_by(call: &CallWorkflow, scope: &Scope<'_>) -> Result<Value, TemplateError> {
    let input = call.input.as_ref().map(|input| input.value(scope)).transpose()?;
    Ok(json!({ "workflow_id": call.workflow_id, "input": input }))
}

/// What people see of the revision of a workflow that is called; none where there is no such workflow.
pub(super) fn revision_of(workflow_id: &WorkflowId, revision: Option<i32>) -> Value {
    json!({ "workflow_id": workflow_id, "revision": revision })
}

/// What people see of the version of a rule that is asked as it stands.
pub(super) fn version_of(rule_id: &str, version: i32) -> Value {
    json!({ "rule_id": rule_id, "version": version })
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
