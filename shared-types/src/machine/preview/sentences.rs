//! What lies ahead, in sentences.

use super::super::{address::StepAddress, request, transition::Transition};
use crate::{
    recipient::Recipient,
    workflow::{
        effect::Effect,
        scope::Scope,
        step::{ActionKind, Step, StepKind, Wait},
    },
};

/// What a run without steps ahead comes to.
pub(super) fn verdict(allowed: bool, subject: Option<&str>) -> String {
    format!("{} is {}.", subject.unwrap_or("The run"), if allowed { "allowed" } else { "blocked" })
}

/// What a step's author calls it.
pub(in crate::machine) fn name_of(step: &Step, scope: &Scope<'_>) -> Option<String> {
    step.name.as_ref().and_then(|name| name.text(scope).ok()).filter(|name| !name.is_empty())
}

/// What a step says of itself.
pub(super) fn sentences_of(
    transition: &Transition<'_>,
    place: &StepAddress,
    step: &Step,
    subject: Option<&str>,
) -> Vec<String> {
    let context = transition.context(place);
    let scope = Scope::masked(&context, transition.stamp.at);
    let named = name_of(step, &scope);
    let own = |text: &str| vec![named.clone().unwrap_or_else(|| text.to_owned())];
    match &step.kind {
        StepKind::Action { action, execute, .. } => {
            let mut said = match (&named, execute.is_empty()) {
                (Some(name), false) => vec![name.clone()],
                (_, _) => execute.iter().map(|effect| sentence(effect, &scope)).collect(),
            };
            match action.kind {
                ActionKind::Allow => said.push(verdict(true, subject)),
                ActionKind::Block => said.push(verdict(false, subject)),
                ActionKind::Execute | ActionKind::RequireApproval => {}
            }
            said
        }
        StepKind::Execute { execute, .. } => {
            named.map_or_else(|| execute.iter().map(|e| sentence(e, &scope)).collect(), |name| vec![name])
        }
        StepKind::Emit { emit } => own(&format!("Publishes {}.", emit.event)),
        StepKind::Set { .. } => Vec::new(),
        StepKind::Fail { .. } => own("The run ends as failed."),
        StepKind::Approval { .. } => own("Somebody else is asked next."),
        StepKind::Condition { .. } | StepKind::Switch { .. } => own("What follows depends on a condition."),
        StepKind::Wait { wait } => own(&match wait {
            Wait::Event(wait) => format!("The run waits for {}.", wait.event),
            Wait::For { r#for } => format!("The run waits for {for}."),
            Wait::Until { .. } => "The run waits for a time.".to_owned(),
        }),
        StepKind::Parallel { .. } => own("Several things follow at once."),
        StepKind::Foreach { .. } => own("The same follows for each item."),
        StepKind::Call { call } => own(&format!("Runs {}.", call.workflow_id)),
        StepKind::Ai { .. } => own("A language model is asked."),
    }
}

/// What an effect says of itself.
pub(super) fn sentence(effect: &Effect, scope: &Scope<'_>) -> String {
    match effect {
        Effect::Notify(notify) => {
            let recipients = notify.recipients.iter().filter_map(|who| who.text(scope).ok());
            let who: Vec<String> = recipients.map(|who| Recipient::from(who).in_words()).collect();
            let message =
                notify.message.as_ref().and_then(|message| message.text(scope).ok()).unwrap_or_default();
            format!("Tells {}: {message}", who.join(", "))
        }
        Effect::EmitEvent(emit) => format!("Publishes {}.", emit.event),
        Effect::Log(_) => "Leaves a line in the trace.".to_owned(),
        Effect::CreateApprovalRequest(_) => "Somebody else is asked next.".to_owned(),
        Effect::HttpRequest(_)
        | Effect::Webhook(_)
        | Effect::CreateRecord(_)
        | Effect::UpdateRecord(_)
        | Effect::Connector(_) => match request::resolve(effect, scope) {
            Ok(resolved) => format!("Calls {}.", resolved.in_words()),
            Err(error) => format!("A call will fail: {error}."),
        },
    }
}
