//! What follows an approval or a rejection, in sentences, for the card.

use super::{
    address::StepAddress, path_ahead::steps_ahead, request, resolved_effects::resolved_effects,
    transition::Transition,
};
use crate::{
    approval::{decision::RequestStatus, seen::ResolvedEffect},
    ids::StepId,
    recipient::Recipient,
    workflow::{
        effect::Effect,
        scope::Scope,
        step::{ActionKind, Outcomes, Step, StepKind, Wait},
    },
};

use serde_json::{Map, Value};

/// How many sentences a side of the card holds.
const MAX_SENTENCES: usize = 8;

pub(super) struct Previews {
    pub(super) approved: Vec<String>,
    pub(super) rejected: Vec<String>,
    pub(super) effects: Vec<ResolvedEffect>,
}

pub(super) fn previews(
    transition: &Transition<'_>,
    step: &Step,
    place: &StepAddress,
    outcomes: &Outcomes,
    subject: Option<&str>,
    values: &Map<String, Value>,
) -> Previews {
    if !step.waits_for_people() {
        let either = vec!["The run goes on either way.".to_owned()];
        return Previews { approved: either.clone(), rejected: either, effects: Vec::new() };
    }
    let is_lane = !place.within.is_empty();
    let follow = |status: RequestStatus| {
        let approved = status == RequestStatus::Approved;
        let following = if approved && is_lane && !outcomes.any() {
            transition.definition.following(&step.id).map(|step| &step.id)
        } else {
            None
        };
        status.link(outcomes).or(following)
    };
    let say = |status: RequestStatus| {
        let approved = status == RequestStatus::Approved;
        match follow(status) {
            Some(to) => sentences_from(transition, place, to, subject),
            None if is_lane => vec![format!("This branch {}.", if approved { "passes" } else { "fails" })],
            None => vec![verdict(approved, subject)],
        }
    };
    let on_approved = follow(RequestStatus::Approved).filter(|_| transition.state.resolves_effects());
    Previews {
        approved: say(RequestStatus::Approved),
        rejected: say(RequestStatus::Rejected),
        effects: on_approved.map(|to| resolved_effects(transition, place, to, values)).unwrap_or_default(),
    }
}

fn verdict(allowed: bool, subject: Option<&str>) -> String {
    format!("{} is {}.", subject.unwrap_or("The run"), if allowed { "allowed" } else { "blocked" })
}

/// The sentences of the steps from one on, until the way forks or ends.
fn sentences_from(
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

/// What a step says of itself.
fn sentences_of(
    transition: &Transition<'_>,
    place: &StepAddress,
    step: &Step,
    subject: Option<&str>,
) -> Vec<String> {
    let context = transition.context(place);
    let scope = Scope::masked(&context, transition.stamp.at);
    let named = step.name.as_ref().and_then(|name| name.text(&scope).ok()).filter(|name| !name.is_empty());
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

fn sentence(effect: &Effect, scope: &Scope<'_>) -> String {
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
