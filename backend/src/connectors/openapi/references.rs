//! References between parts of a document.

use super::{Findings, document::Document};
use serde_json::Value;

/// How many references are followed from one place.
const MAX_CHAIN: usize = 64;

/// A part of a document with the place where it stands.
#[derive(Debug, Clone)]
pub(super) struct Part<'d> {
    /// The part.
    pub(super) value: &'d Value,
    /// Where it stands, as a JSON pointer.
    pub(super) at: String,
}

/// Why a reference leads to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lost {
    /// It leads out of the document.
    Outside,
    /// Nothing is there.
    Missing,
    /// It leads back to itself.
    Circle,
}

impl Lost {
    pub(super) fn in_words(self) -> &'static str {
        match self {
            Self::Outside => "it leads out of the document; put what it names into the document",
            Self::Missing => "nothing is there",
            Self::Circle => "it leads back to itself, with nothing at its end",
        }
    }
}

/// The part itself, or what it refers to.
pub(super) fn followed<'d>(
    document: &'d Document,
    value: &'d Value,
    at: &str,
) -> Result<Part<'d>, (String, Lost)> {
    let mut part = Part { value, at: at.to_owned() };
    for _ in 0..MAX_CHAIN {
        let Some(reference) = part.value.get("$ref").and_then(Value::as_str) else { return Ok(part) };
        let lost = |lost| (reference.to_owned(), lost);
        let pointer = pointer_of(reference).ok_or_else(|| lost(Lost::Outside))?;
        let value = document.root().pointer(&pointer).ok_or_else(|| lost(Lost::Missing))?;
        part = Part { value, at: pointer };
    }
    let reference = part.value.get("$ref").and_then(Value::as_str).unwrap_or_default();
    Err((reference.to_owned(), Lost::Circle))
}

/// The same; where it leads to nothing, that is told, and there is nothing.
pub(super) fn found<'d>(
    document: &'d Document,
    value: &'d Value,
    at: &str,
    findings: &mut Findings,
) -> Option<Part<'d>> {
    followed(document, value, at).map_err(|lost| tell(at, &lost, findings)).ok()
}

/// Tells that a reference leads to nothing.
pub(super) fn tell(at: &str, (reference, lost): &(String, Lost), findings: &mut Findings) {
    let reference: String = reference.chars().take(200).collect();
    let message = format!("The reference `{reference}` isn't followed: {}.", lost.in_words());
    let code = if *lost == Lost::Circle { "openapi.circle" } else { "openapi.reference" };
    findings.warning(code, format!("{at}/$ref"), message);
}

/// The pointer that a reference within the document has behind its `#`.
pub(super) fn pointer_of(reference: &str) -> Option<String> {
    let fragment = reference.strip_prefix('#')?;
    if !fragment.is_empty() && !fragment.starts_with('/') {
        return None;
    }
    if !fragment.contains('%') {
        return Some(fragment.to_owned());
    }
    let decoded = percent_encoding::percent_decode_str(fragment).decode_utf8().ok()?;
    Some(decoded.into_owned())
}
