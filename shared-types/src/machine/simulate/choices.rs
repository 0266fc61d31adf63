//! What could happen next to a run that stands, as entries of a script: for whoever steps through it.

use super::world::World;
use crate::{
    ids::StepId,
    machine::{Run, event::AwaitedEvent},
    workflow::{
        Span,
        approval::Verdict,
        duration::in_words,
        test_script::{ScriptItem, ScriptedEvent},
    },
};
use chrono::Duration;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Something that could happen next.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Choice {
    /// The step that waits for it; nothing where time passes for all.
    pub step: Option<StepId>,
    /// What it is, in words.
    pub label: String,
    /// It, as an entry of a script.
    pub item: ScriptItem,
}

pub(super) fn choices(world: &World<'_>, run: &Run) -> Vec<Choice> {
    let mut choices = Vec::new();
    for request in run.state().requests.values().filter(|request| request.early_outcome.is_none()) {
        let step = &request.place.step;
        choices.push(decision(step, "Approve", Verdict::Approve));
        choices.push(decision(step, "Reject", Verdict::Reject));
    }
    choices.extend(world.awaited.iter().map(event));
    if let Some((at, _)) = world.next_timer() {
        let seconds = (at - world.now).num_milliseconds().max(0).div_euclid(1000) + 1;
        let seconds = if (at - world.now).subsec_nanos() == 0 { seconds - 1 } else { seconds };
        if let Ok(advance) = format!("{}s", seconds.max(1)).parse::<Span>() {
            let label = format!("Let {} pass", in_words(Duration::seconds(seconds.max(1))));
            choices.push(Choice { step: None, label, item: ScriptItem::Advance { advance } });
        }
    }
    choices
}

fn decision(step: &StepId, label: &str, verdict: Verdict) -> Choice {
    let item = ScriptItem::Decide {
        decide: verdict.into(),
        comment: (verdict == Verdict::Reject).then(|| "Not as it is".to_owned()),
        by: None,
        roles: None,
        step: Some(step.clone()),
        edits: None,
    };
    Choice { step: Some(step.clone()), label: label.to_owned(), item }
}

/// An event that the wait takes: of its type, with all that must match.
fn event(awaited: &AwaitedEvent) -> Choice {
    let kind = awaited.event.strip_suffix('*').map_or_else(|| awaited.event.clone(), |p| format!("{p}any"));
    let mut payload = Value::Object(Map::new());
    for (path, value) in &awaited.matches {
        let mut at = &mut payload;
        for segment in path.split('.') {
            if !at.is_object() {
                *at = json!({});
            }
            at = &mut at[segment];
        }
        *at = value.clone();
    }
    let payload = if let Value::Object(payload) = payload { payload } else { Map::new() };
    let label = format!("Send {kind}");
    let event = ScriptedEvent { kind, payload, ..ScriptedEvent::default() };
    Choice { step: Some(awaited.place.step.clone()), label, item: ScriptItem::Event { event } }
}
