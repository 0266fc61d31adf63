//! What follows an approval or a rejection, in sentences, for the card.

use super::{asking::link, command::RequestStatus, request, turn::Turn};
use crate::{
    ids::StepId,
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

pub(super) fn previews(turn: &Turn<'_>, step: &Step, outcomes: &Outcomes, subject: Option<&str>) -> Previews {
    let waits = outcomes.any() || step.next.is_none();
    let follow = |status| {
        if !waits {
            return vec!["The run goes on either way.".to_owned()];
        }
        match link(outcomes, status) {
            Some(to) => along(turn, to, subject),
            None => vec![verdict(status == RequestStatus::Approved, subject)],
        }
    };
    Previews { approved: follow(RequestStatus::Approved), rejected: follow(RequestStatus::Rejected) }
}

fn verdict(allowed: bool, subject: Option<&str>) -> String {
    format!("{} is {}.", subject.unwrap_or("The run"), if allowed { "allowed" } else { "blocked" })
}

/// The sentences of the steps from one on, until the way forks or ends.
fn along(turn: &Turn<'_>, from: &StepId, subject: Option<&str>) -> Vec<String> {
    let mut sentences = Vec::new();
    let mut seen = BTreeSet::new();
    let mut next = Some(from.clone());
    while let Some(id) = next.take() {
        let Some(step) = turn.definition.step(&id).filter(|_| seen.insert(id.clone())) else { break };
        if sentences.len() >= MAX_SENTENCES {
            sentences.push("More follows.".to_owned());
            break;
        }
        let (said, on) = sentences_of(turn, step, subject);
        sentences.extend(said);
        next = on;
    }
    if sentences.is_empty() {
        sentences.push("Nothing more happens.".to_owned());
    }
    sentences
}

/// What a step says of itself, and where the way leads if it doesn't fork here.
fn sentences_of(turn: &Turn<'_>, step: &Step, subject: Option<&str>) -> (Vec<String>, Option<StepId>) {
    let scope = Scope::masked(&turn.state.context, turn.stamp.at);
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
            (said, if step.asks() { None } else { step.next.clone() })
        }
        StepKind::Execute { execute, .. } => {
            let said = named
                .map_or_else(|| execute.iter().map(|e| sentence(e, &scope)).collect(), |name| vec![name]);
            (said, if step.asks() { None } else { step.next.clone() })
        }
        StepKind::Emit { emit } => (own(&format!("Publishes {}.", emit.event)), step.next.clone()),
        StepKind::Set { .. } => (Vec::new(), step.next.clone()),
        StepKind::Fail { .. } => (own("The run ends as failed."), None),
        StepKind::Approval { .. } => (own("Somebody else is asked next."), None),
        StepKind::Condition { .. } | StepKind::Switch { .. } => {
            (own("What follows depends on a condition."), None)
        }
        StepKind::Wait { wait } => {
            let what = match wait {
                Wait::Event(wait) => format!("The run waits for {}.", wait.event),
                Wait::For { r#for } => format!("The run waits for {for}."),
                Wait::Until { .. } => "The run waits for a time.".to_owned(),
            };
            (own(&what), step.next.clone())
        }
        StepKind::Parallel { .. } | StepKind::Foreach { .. } => (own("Several things follow at once."), None),
        StepKind::Call { call } => (own(&format!("Runs {}.", call.workflow_id)), step.next.clone()),
        StepKind::Ai { .. } => (own("A language model is asked."), step.next.clone()),
    }
}

fn sentence(effect: &Effect, scope: &Scope<'_>) -> String {
    match effect {
        Effect::Notify(notify) => {
            let who: Vec<String> = notify.recipients.iter().filter_map(|who| who.text(scope).ok()).collect();
            let who: Vec<&str> =
                who.iter().map(|who| who.split_once(':').map_or(who.as_str(), |(_, name)| name)).collect();
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
