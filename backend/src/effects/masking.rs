//! Puts a mask over every secret that comes back, in whatever common encoding, since what comes back is kept and shown.
//!
//! Two automata find the secrets in one pass each. Escapes are undone before the search, so that a text of which only some
//! characters are escaped is found as well; base64 is found by what a secret becomes at each of its three alignments. The
//! work grows with the size of the answer alone.

mod encoding;

use aho_corasick::{AhoCorasick, MatchKind};
use encoding::{View, patterns};
use serde_json::{Map, Value};
use shared_types::{
    machine::{Outcome, input::Answer},
    workflow::scope::MASK,
};
use std::ops::Range;

/// The shortest secret that is looked for; shorter ones would mask ordinary words.
const SHORTEST: usize = 4;

/// Finds some secrets and puts the mask over them.
#[derive(Debug, Default)]
pub(super) struct Masker {
    finders: Vec<AhoCorasick>,
    /// Whether a secret holds a blank, which a form encodes as `+`.
    has_blank: bool,
}

impl Masker {
    /// A masker of these secrets.
    pub(super) fn new<'s>(secrets: impl IntoIterator<Item = &'s str>) -> Self {
        let mut found = patterns(secrets.into_iter().filter(|secret| secret.chars().count() >= SHORTEST));
        let has_blank = found.any_case.iter().any(|pattern| pattern.contains(&b' '));
        let finder = |patterns: &mut Vec<Vec<u8>>, any_case: bool| {
            patterns.sort_unstable();
            patterns.dedup();
            // Building fails only for patterns of more than four billion bytes.
            AhoCorasick::builder()
                .match_kind(MatchKind::Standard)
                .ascii_case_insensitive(any_case)
                .build(patterns)
                .ok()
        };
        let finders = if found.any_case.is_empty() {
            Vec::new()
        } else {
            [finder(&mut found.any_case, true), finder(&mut found.as_is, false)]
                .into_iter()
                .flatten()
                .collect()
        };
        Self { finders, has_blank }
    }

    /// Whether a secret stands in a text.
    pub(super) fn finds(&self, text: &str) -> bool {
        !self.places(text).is_empty()
    }

    /// Whether a secret stands anywhere in a value.
    pub(super) fn finds_in(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.finds(text),
            Value::Number(number) => self.finds(&number.to_string()),
            Value::Array(list) => list.iter().any(|item| self.finds_in(item)),
            Value::Object(map) => map.iter().any(|(key, value)| self.finds(key) || self.finds_in(value)),
            Value::Null | Value::Bool(_) => false,
        }
    }

    /// The outcome with every secret masked.
    pub(super) fn mask(&self, outcome: Outcome) -> Outcome {
        if self.finders.is_empty() {
            return outcome;
        }
        match outcome {
            Outcome::Answered(Answer { status, headers, body, record_id }) => Outcome::Answered(Answer {
                status,
                headers: self.mask_map(headers),
                body: self.mask_value(body),
                record_id: record_id.map(|id| self.mask_value(id)),
            }),
            Outcome::Unanswered { error, message } => {
                Outcome::Unanswered { error, message: self.mask_text(message) }
            }
            Outcome::Refused { code, message } => Outcome::Refused { code, message: self.mask_text(message) },
            Outcome::Held { message, until } => Outcome::Held { message: self.mask_text(message), until },
        }
    }

    pub(super) fn mask_value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.mask_text(text)),
            Value::Number(number) => {
                let text = number.to_string();
                if self.finds(&text) { Value::String(self.mask_text(text)) } else { Value::Number(number) }
            }
            Value::Array(list) => list.into_iter().map(|item| self.mask_value(item)).collect(),
            Value::Object(map) => Value::Object(self.mask_map(map)),
            Value::Null | Value::Bool(_) => value,
        }
    }

    fn mask_map(&self, map: Map<String, Value>) -> Map<String, Value> {
        map.into_iter().map(|(key, value)| (self.mask_text(key), self.mask_value(value))).collect()
    }

    fn mask_text(&self, text: String) -> String {
        let places = self.places(&text);
        if places.is_empty() {
            return text;
        }
        let mut masked = String::with_capacity(text.len());
        let mut from = 0;
        for place in places {
            masked.push_str(&text[from..place.start]);
            masked.push_str(MASK);
            from = place.end;
        }
        masked.push_str(&text[from..]);
        masked
    }

    /// Where secrets stand in a text, in order and apart from each other. Overlapping secrets are one place.
    fn places(&self, text: &str) -> Vec<Range<usize>> {
        if self.finders.is_empty() {
            return Vec::new();
        }
        let mut found = Vec::new();
        View::each(text, self.has_blank, |view| {
            for finder in &self.finders {
                for place in finder.find_overlapping_iter(view.bytes()) {
                    join(&mut found, view.origin(place.range()));
                }
            }
        });
        found.sort_unstable_by_key(|place: &Range<usize>| place.start);
        let mut places = Vec::new();
        for place in found {
            join(&mut places, text.floor_char_boundary(place.start)..text.ceil_char_boundary(place.end));
        }
        places
    }
}

/// Adds a place to the last one where they overlap, else behind it.
fn join(places: &mut Vec<Range<usize>>, place: Range<usize>) {
    match places.last_mut() {
        Some(last) if place.start < last.end && last.start < place.end => {
            *last = last.start.min(place.start)..last.end.max(place.end);
        }
        Some(_) | None => places.push(place),
    }
}

#[cfg(test)]
mod tests;
