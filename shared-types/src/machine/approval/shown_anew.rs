//! What people see of a request becomes something else, and the difference is kept for those who decide on what they read.

use crate::{
    approval::{
        progress::{FieldChange, SeenChange, differences},
        seen::{AT_THE_TIME, ResolvedEffect, seen_hash_of},
    },
    machine::state::OpenRequest,
};
use serde_json::{Map, Value, json};

/// How many changes of what is seen are kept with a request, the last ones.
const KEPT: usize = 20;

impl OpenRequest {
    /// From now on, the form holds these values, and an approval sends these effects.
    pub(super) fn show_anew(&mut self, values: Map<String, Value>, effects: Vec<ResolvedEffect>) {
        let before = shown(&self.values, &self.effects);
        let mut changes = differences(&before, &shown(&values, &effects));
        changes.retain(|change| ![&change.from, &change.to].iter().any(|value| is_filled_in(value)));
        let seen = seen_hash_of(&self.content, &values, &effects);
        (self.values, self.effects) = (values, effects);
        let before = std::mem::replace(&mut self.seen, seen);
        if before != self.seen {
            if self.seen_changes.len() >= KEPT {
                self.seen_changes.remove(0);
            }
            self.seen_changes.push(SeenChange { before, changes });
        }
    }

    /// What the last change of what is asked made of the form's fields.
    pub(super) fn form_changes(&self) -> Vec<FieldChange> {
        let last = self.seen_changes.last().map(|change| change.changes.as_slice()).unwrap_or_default();
        last.iter().filter(|change| change.pointer.starts_with("/form/")).cloned().collect()
    }
}

fn shown(values: &Map<String, Value>, effects: &[ResolvedEffect]) -> Value {
    let mut sent: Map<String, Value> = Map::new();
    for effect in effects {
        // What is too large to be kept is named by its hash.
        let mut request = effect.request.clone().unwrap_or_else(|| json!(effect.digest));
        // A time, a secret or a part of the decision is no difference.
        for place in &effect.filled_in {
            if let Some(filled_in) = request.pointer_mut(place) {
                *filled_in = json!(AT_THE_TIME);
            }
        }
        let step = sent.entry(effect.place()).or_insert_with(|| json!({}));
        step[effect.index.to_string()] = request;
    }
    json!({ "form": values, "effects": sent })
}

fn is_filled_in(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.contains(AT_THE_TIME))
}

/// ` (credit_days from 30 to 14)`.
pub(super) fn changes_in_words(changes: &[FieldChange]) -> String {
    let each = changes.iter().map(|change| {
        let field = change.pointer.trim_start_matches("/form/");
        format!("{field} {}", change.in_words())
    });
    let each: Vec<String> = each.collect();
    if each.is_empty() { String::new() } else { format!(" ({})", each.join(", ")) }
}
