//! What an effect would send once its request is approved: rendered before, when people are asked, and again when it comes
//! due, to be compared.

use super::{address::StepAddress, request, transition::Transition};
use crate::{
    approval::seen::AT_THE_TIME,
    ids::WorkflowId,
    recipient::Recipient,
    workflow::{
        Template,
        effect::{Effect, Emit, Notify},
        scope::Scope,
        step::{CallWorkflow, Step, StepKind},
        template::TemplateError,
    },
};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use std::sync::Arc;

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

/// The same of the input of a workflow that is called.
pub(super) fn call_now(
    transition: &Transition<'_>,
    place: &StepAddress,
    call: &CallWorkflow,
    values: &Map<String, Value>,
    resolved_at: DateTime<Utc>,
) -> Value {
    let mut context = transition.context(place);
    context.lay_over(Arc::new(to_be_approved(values)));
    call_by(call, &Scope::masked(&context, resolved_at)).unwrap_or_default()
}

/// The effects of a step; an `emit` step is one.
pub(super) fn effects_of(step: &Step) -> Vec<Effect> {
    let emitted =
        if let StepKind::Emit { emit } = &step.kind { Some(Effect::EmitEvent(emit.clone())) } else { None };
    step.effects().iter().cloned().chain(emitted).collect()
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

/// What an effect sends to somebody outside of the run; none if it sends nothing.
pub(super) fn sent_by(effect: &Effect, scope: &Scope<'_>) -> Result<Option<Value>, TemplateError> {
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
