//! What became of a request since it was asked: kept beside it, and rewritten when it changes.

use super::{decision::LevelProgress, seen::ResolvedEffect};
use crate::workflow::{finding::escape_segment, template::as_text};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// What became of a request so far, apart from its decisions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RequestProgress {
    /// Which level is open, from 0.
    #[serde(default)]
    pub open: usize,
    /// What became of each level.
    #[serde(default)]
    pub levels: Vec<LevelProgress>,
    /// What the form's fields hold.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub values: Map<String, Value>,
    /// Why the open level can't be filled, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stuck: Option<String>,
    /// What follows, where edits changed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved: Option<Box<ResolvedAnew>>,
    /// How often it was opened again.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub round: u32,
    /// When and why it was opened again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reopened: Vec<Reopening>,
    /// How what is asked changed since it was first asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seen_changes: Vec<SeenChange>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// A request was opened again, since what was approved isn't what would be sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reopening {
    /// When it was opened again, in UTC.
    pub at: DateTime<Utc>,
    /// Why, in a sentence.
    pub because: String,
    /// What would be sent otherwise.
    pub changes: Vec<FieldChange>,
}

/// A part of what is sent that isn't what was approved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FieldChange {
    /// The place in the request, as a JSON pointer.
    pub pointer: String,
    /// What was approved; null where there was nothing.
    pub from: Value,
    /// What would be sent; null where there is nothing.
    pub to: Value,
}

impl FieldChange {
    /// `from 30 to 14`; what isn't there is nothing.
    pub fn in_words(&self) -> String {
        let text = |value: &Value| if value.is_null() { "nothing".to_owned() } else { as_text(value) };
        format!("from {} to {}", text(&self.from), text(&self.to))
    }
}

/// What is asked became something else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeenChange {
    /// The hash of what people saw before.
    pub before: String,
    /// What changed: below `/form` the fields, and below `/effects/{step_id}/{index}` what is sent.
    pub changes: Vec<FieldChange>,
}

/// What changed since people saw what a hash names; nothing where that is unknown.
pub fn changes_since(steps: &[SeenChange], seen: &str) -> Vec<FieldChange> {
    let Some(first) = steps.iter().rposition(|step| step.before == seen) else { return Vec::new() };
    let mut merged: Vec<FieldChange> = Vec::new();
    for change in steps[first..].iter().flat_map(|step| &step.changes) {
        match merged.iter_mut().find(|earlier| earlier.pointer == change.pointer) {
            Some(earlier) => earlier.to.clone_from(&change.to),
            None => merged.push(change.clone()),
        }
    }
    merged.retain(|change| change.from != change.to);
    merged
}

/// How many changes are told.
const MAX_CHANGES: usize = 50;

/// Every part in which two values differ: the innermost maps and lists that both have are looked into.
pub fn differences(from: &Value, to: &Value) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    compare(from, to, String::new(), &mut changes);
    changes
}

fn compare(from: &Value, to: &Value, pointer: String, changes: &mut Vec<FieldChange>) {
    if from == to || changes.len() >= MAX_CHANGES {
        return;
    }
    match (from, to) {
        (Value::Object(before), Value::Object(after)) => {
            let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            for key in keys {
                let at = |map: &Map<String, Value>| map.get(key).cloned().unwrap_or_default();
                compare(&at(before), &at(after), format!("{pointer}/{}", escape_segment(key)), changes);
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            for n in 0..before.len().max(after.len()) {
                let at = |list: &[Value]| list.get(n).cloned().unwrap_or_default();
                compare(&at(before), &at(after), format!("{pointer}/{n}"), changes);
            }
        }
        (from, to) => changes.push(FieldChange { pointer, from: from.clone(), to: to.clone() }),
    }
}

impl RequestProgress {
    /// When the open level expires.
    pub fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.levels.get(self.open).and_then(|level| level.expires_at)
    }
}

/// What follows a decision, resolved anew with edits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResolvedAnew {
    /// What follows an approval, in words.
    pub if_approved: Vec<String>,
    /// What follows a rejection, in words.
    pub if_rejected: Vec<String>,
    /// What an approval sends.
    pub effects: Vec<ResolvedEffect>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_differs_is_named_by_its_place() {
        let from = json!({ "body": { "total": 5, "lines": [1, 2], "a/b": 1 }, "url": "u" });
        let to = json!({ "body": { "total": 6, "lines": [1], "note": "x", "a/b": 2 }, "url": "u" });
        let named: Vec<String> = differences(&from, &to)
            .iter()
            .map(|change| format!("{} {} {}", change.pointer, change.from, change.to))
            .collect();
        assert_eq!(
            named,
            ["/body/a~1b 1 2", "/body/lines/1 2 null", "/body/note null \"x\"", "/body/total 5 6"]
        );
        assert_eq!(differences(&from, &from), []);
    }
}
