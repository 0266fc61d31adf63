//! What the checks say about a document.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;

/// A problem found in a document, with its place and, where possible, a fix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Stable, for programs: `link.nowhere`.
    pub code: Cow<'static, str>,
    /// How much it matters.
    pub severity: Severity,
    /// Where, as a JSON pointer (RFC 6901).
    pub pointer: String,
    /// A sentence for people.
    pub message: String,
    /// A JSON Patch (RFC 6902) that mends it.
    pub fix: Option<Vec<PatchOp>>,
    /// The line in the text as written, from 1; 0 where there is no text.
    pub line: u64,
    /// The column in the text as written, from 1; 0 where there is no text.
    pub column: u64,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It can't be saved as a revision.
    Error,
    /// It is saved, and can't be enabled on this server.
    Unsupported,
    /// It may be enabled.
    Warning,
}

/// One operation of a JSON Patch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum PatchOp {
    /// Adds a value.
    Add {
        /// JSON Pointer (RFC 6901) of the value.
        path: String,
        /// What.
        value: Value,
    },
    /// Replaces a value.
    Replace {
        /// JSON Pointer (RFC 6901) of the value.
        path: String,
        /// The new value.
        value: Value,
    },
    /// Removes a value.
    Remove {
        /// JSON Pointer (RFC 6901) of the value.
        path: String,
    },
    /// Moves a value.
    Move {
        /// JSON Pointer (RFC 6901) of the value to move.
        from: String,
        /// JSON Pointer (RFC 6901) of its new place.
        path: String,
    },
}

impl Finding {
    /// An error at a place.
    pub fn error(code: &'static str, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, pointer.into(), message.into())
    }

    /// Something that this server can't run.
    pub fn unsupported(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Unsupported, "unsupported", pointer.into(), message.into())
    }

    /// Something that may be meant, but looks wrong.
    pub fn warning(code: &'static str, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, pointer.into(), message.into())
    }

    fn new(severity: Severity, code: &'static str, pointer: String, message: String) -> Self {
        Self { code: Cow::Borrowed(code), severity, pointer, message, fix: None, line: 0, column: 0 }
    }

    /// The same with a mending.
    #[must_use]
    pub fn with_fix(mut self, fix: Vec<PatchOp>) -> Self {
        self.fix = Some(fix);
        self
    }
}

/// Escapes one segment of a JSON pointer.
pub fn escape_segment(segment: &str) -> Cow<'_, str> {
    if segment.contains(['~', '/']) {
        Cow::Owned(segment.replace('~', "~0").replace('/', "~1"))
    } else {
        Cow::Borrowed(segment)
    }
}

/// The longest word for which a likely meaning is looked for, in letters.
const LONGEST_GUESS: usize = 100;

/// The candidate that is most like `word`, if any is like enough to be what was meant.
///
/// A word of more than a hundred letters isn't guessed at, since comparing takes the product of both lengths.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > 4 * LONGEST_GUESS {
        return None;
    }
    let letters = word.chars().count();
    if letters > LONGEST_GUESS {
        return None;
    }
    let limit = if letters < 4 { 1 } else { (letters / 3).max(2) };
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= 4 * LONGEST_GUESS)
        .filter(|candidate| candidate.chars().count().abs_diff(letters) <= limit)
        .map(|candidate| (edit_distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance: the least number of letters to add, drop or exchange.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let exchanged = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = exchanged.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
