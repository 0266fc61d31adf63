//! What follows an approval or a rejection, in sentences, for the card.

use super::{address::StepAddress, decision::RequestStatus, request, transition::Transition};
use crate::{
    ids::StepId,
    recipient::Recipient,
    workflow::{
        effect::Effect,
        scope::Scope,
        step::{ActionKind, Outcomes, Step, StepKind, Wait},
    },
};
use std::collections::BTreeSet;

/// How many sentences a side of the card holds.
const MAX_SENTENCES: usize = 8;

pub(super) struct Previews {
    pub(super) approved: Vec<String>,
    pub(super) rejected: Vec<String>,
}

pub(super) fn previews(
    transition: &Transition<'_>,
    step: &Step,
    place: &StepAddress,
    outcomes: &Outcomes,
    subject: Option<&str>,
) -> Previews {
    let waits = step.waits_for_people();
    let is_lane = !place.within.is_empty();
    let follow = |status: RequestStatus| {
        if !waits {
            return vec!["The run goes on either way.".to_owned()];
        }
        let approved = status == RequestStatus::Approved;
        let following = if approved && is_lane && !outcomes.any() {
            transition.definition.following(&step.id).map(|step| &step.id)
        } else {
            None
        };
        match status.link(outcomes).or(following) {
            Some(to) => along(transition, place, to, subject),
            None if is_lane => vec![format!("This branch {}.", if approved { "passes" } else { "fails" })],
            None => vec![verdict(approved, subject)],
        }
    };
    Previews { approved: follow(RequestStatus::Approved), rejected: follow(RequestStatus::Rejected) }
}

fn verdict(allowed: bool, subject: Option<&str>) -> String {
    format!("{} is {}.", subject.unwrap_or("The run"), if allowed { "allowed" } else { "blocked" })
}

/// The sentences of the steps from one on, until the way forks or ends.
fn along(
    transition: &Transition<'_>,
    place: &StepAddress,
    from: &StepId,
    subject: Option<&str>,
) -> Vec<String> {
    let mut sentences = Vec::new();
    let mut seen = BTreeSet::new();
    let mut next = Some(from.clone());
    while let Some(id) = next.take() {
        let Some(step) = transition.definition.step(&id).filter(|_| seen.insert(id.clone())) else { break };
        if sentences.len() >= MAX_SENTENCES {
            sentences.push("More follows.".to_owned());
            break;
        }
        let (said, on) = sentences_of(transition, place, step, subject);
        sentences.extend(said);
        next = match on {
            On::Along(Some(next)) => Some(next),
            On::Along(None) if !place.within.is_empty() => {
                transition.definition.following(&step.id).map(|step| step.id.clone())
            }
            On::Along(None) | On::Forks => None,
        };
    }
    if sentences.is_empty() {
        sentences.push("Nothing more happens.".to_owned());
    }
    sentences
}

/// Whether the way goes on behind a step.
enum On {
    /// Along its `next`, if it has one.
    Along(Option<StepId>),
    /// What follows isn't known yet, or it ends.
    Forks,
}

/// What a step says of itself, and where the way leads if it doesn't fork here.
fn sentences_of(
    transition: &Transition<'_>,
    place: &StepAddress,
    step: &Step,
    subject: Option<&str>,
) -> (Vec<String>, On) {
    let context = transition.context(place);
    let scope = Scope::masked(&context, transition.stamp.at);
    let along = || On::Along(step.next.clone());
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
            (said, if step.asks() { On::Forks } else { along() })
        }
        StepKind::Execute { execute, .. } => {
            let said = named
                .map_or_else(|| execute.iter().map(|e| sentence(e, &scope)).collect(), |name| vec![name]);
            (said, if step.asks() { On::Forks } else { along() })
        }
        StepKind::Emit { emit } => (own(&format!("Publishes {}.", emit.event)), along()),
        StepKind::Set { .. } => (Vec::new(), along()),
        StepKind::Fail { .. } => (own("The run ends as failed."), On::Forks),
        StepKind::Approval { .. } => (own("Somebody else is asked next."), On::Forks),
        StepKind::Condition { .. } | StepKind::Switch { .. } => {
            (own("What follows depends on a condition."), On::Forks)
        }
        StepKind::Wait { wait } => {
            let what = match wait {
                Wait::Event(wait) => format!("The run waits for {}.", wait.event),
                Wait::For { r#for } => format!("The run waits for {for}."),
                Wait::Until { .. } => "The run waits for a time.".to_owned(),
            };
            (own(&what), along())
        }
        StepKind::Parallel { .. } => (own("Several things follow at once."), along()),
        StepKind::Foreach { .. } => (own("The same follows for each item."), along()),
        StepKind::Call { call } => (own(&format!("Runs {}.", call.workflow_id)), along()),
        StepKind::Ai { .. } => (own("A language model is asked."), along()),
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
