//! A document as an outline for people: its steps in order, branches and bodies indented, with where each leads.

use super::{
    Document,
    document::Trigger,
    schedule,
    step::{ActionKind, Step, StepKind},
};
use crate::ids::StepId;

/// A line of an outline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutlineLine {
    /// How deep it stands.
    pub depth: usize,
    /// What stands there.
    pub entry: OutlineEntry,
}

/// What stands in a line of an outline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutlineEntry {
    /// A step.
    Step {
        /// Its id.
        id: StepId,
        /// Its place in the document.
        pointer: String,
        /// What it does.
        does: Does,
        /// Where it leads, with the word for when.
        links: Vec<(String, StepId)>,
    },
    /// A branch begins, or the body for each item.
    Lane(String),
}

/// What a step does, as far as an icon can say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
    /// It goes one way or another.
    Chooses,
    /// It asks people.
    Asks,
    /// It says `allow`.
    Allows,
    /// It says `block`.
    Blocks,
    /// It waits.
    Waits,
    /// It goes several ways at once, or does the same for each item.
    Spreads,
    /// It runs another workflow.
    Calls,
    /// It ends as failed.
    Fails,
    /// It calls, tells, puts or publishes something.
    Acts,
}

/// The outline of a document.
pub fn outline(document: &Document) -> Vec<OutlineLine> {
    let mut lines = Vec::new();
    sequence(&document.steps, "/steps", 0, &mut lines);
    lines
}

fn sequence(steps: &[Step], at: &str, depth: usize, lines: &mut Vec<OutlineLine>) {
    for (n, step) in steps.iter().enumerate() {
        self::step(step, &format!("{at}/{n}"), depth, lines);
    }
}

fn step(step: &Step, pointer: &str, depth: usize, lines: &mut Vec<OutlineLine>) {
    let links = step.links().into_iter().map(|(key, to)| {
        let word = key.rsplit('/').next().unwrap_or_default().trim_start_matches("on_").replace('_', " ");
        (word, to.clone())
    });
    let entry = OutlineEntry::Step {
        id: step.id.clone(),
        pointer: pointer.to_owned(),
        does: does(step),
        links: links.collect(),
    };
    lines.push(OutlineLine { depth, entry });
    if let StepKind::Parallel { parallel } = &step.kind {
        for (n, single) in parallel.steps.iter().enumerate() {
            self::step(single, &format!("{pointer}/parallel/steps/{n}"), depth + 1, lines);
        }
        for (n, branch) in parallel.branches.iter().enumerate() {
            lines.push(OutlineLine { depth: depth + 1, entry: OutlineEntry::Lane(branch.id.clone()) });
            let at = format!("{pointer}/parallel/branches/{n}/steps");
            sequence(&branch.steps, &at, depth + 2, lines);
        }
    } else if let Some(foreach) = step.foreach() {
        let name = format!("each {}", foreach.item_var.as_deref().unwrap_or("item"));
        lines.push(OutlineLine { depth: depth + 1, entry: OutlineEntry::Lane(name) });
        sequence(&foreach.steps, &format!("{pointer}/foreach/steps"), depth + 2, lines);
    }
}

fn does(step: &Step) -> Does {
    if step.asks() {
        return Does::Asks;
    }
    if let Some(action) = step.action() {
        return match action.kind {
            ActionKind::Allow => Does::Allows,
            ActionKind::Block => Does::Blocks,
            ActionKind::Execute | ActionKind::RequireApproval => Does::Acts,
        };
    }
    if matches!(step.kind, StepKind::Condition { .. } | StepKind::Switch { .. }) {
        Does::Chooses
    } else if matches!(step.kind, StepKind::Wait { .. }) {
        Does::Waits
    } else if matches!(step.kind, StepKind::Parallel { .. } | StepKind::Foreach { .. }) {
        Does::Spreads
    } else if matches!(step.kind, StepKind::Call { .. }) {
        Does::Calls
    } else if matches!(step.kind, StepKind::Fail { .. }) {
        Does::Fails
    } else {
        Does::Acts
    }
}

/// What starts a document, in a few words.
pub fn starts_on(trigger: &Trigger) -> String {
    match trigger {
        Trigger::Event { event, .. } => event.clone(),
        Trigger::Schedule { cron, timezone, .. } => schedule::in_words(cron, timezone.as_deref()),
        Trigger::Manual { .. } => "by hand".to_owned(),
        Trigger::Webhook { .. } => "webhook".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn branches_and_bodies_are_indented_below_their_step() {
        let document: Document = serde_json::from_value(json!({
            "workflow_id": "w", "name": "W", "trigger": { "type": "manual" }, "steps": [
                { "id": "both", "type": "parallel", "next": "done", "parallel": {
                    "steps": [{ "id": "one", "type": "set", "set": {} }],
                    "branches": [{ "id": "b", "steps": [{ "id": "two", "type": "wait", "wait": { "for": "1h" } }] }],
                } },
                { "id": "done", "type": "foreach", "foreach": { "items": [1], "item_var": "line", "steps": [
                    { "id": "three", "type": "fail", "on_error": "three" },
                ] } },
            ],
        }))
        .unwrap();
        let lines = outline(&document);
        let shown: Vec<(usize, String)> = lines
            .iter()
            .map(|line| match &line.entry {
                OutlineEntry::Step { id, links, .. } => {
                    let links: Vec<String> = links.iter().map(|(word, to)| format!(" {word}>{to}")).collect();
                    (line.depth, format!("{id}{}", links.concat()))
                }
                OutlineEntry::Lane(name) => (line.depth, format!("({name})")),
            })
            .collect();
        let expected = [
            (0, "both next>done"),
            (1, "one"),
            (1, "(b)"),
            (2, "two"),
            (0, "done"),
            (1, "(each line)"),
            (2, "three error>three"),
        ];
        assert_eq!(shown, expected.map(|(depth, text)| (depth, text.to_owned())));
    }
}
