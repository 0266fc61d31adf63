//! What a document fetches before its first step.

use super::{Finding, Span, bounds, scope::is_reserved};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The most names that one document loads.
pub const MAX_LOADS: usize = 20;
/// The longest age that a cached answer may have, in milliseconds: a day.
pub const MAX_AGE_MS: i64 = 24 * 3_600_000;

/// What to fetch before the first step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ContextLoad {
    /// Names such as `order.details`, served by connectors.
    #[schemars(length(max = MAX_LOADS))]
    pub load: Vec<LoadEntry>,
}

/// One of the names to fetch, as it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum LoadEntry {
    /// By its name alone: the run fails where it can't be loaded.
    Name(#[schemars(length(min = 1, max = bounds::MAX_NAME))] String),
    /// With how it is loaded.
    Options(LoadOptions),
}

/// How a name is loaded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadOptions {
    /// The name, such as `customer.profile`.
    #[schemars(length(min = 1, max = bounds::MAX_NAME))]
    pub name: String,
    /// Whether the run goes on without it where it can't be loaded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// How old a cached answer may be; without it as the connector says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<Span>,
}

impl LoadEntry {
    /// The name as it is written, such as `customer.profile`.
    pub fn name(&self) -> &str {
        match self {
            Self::Name(name) | Self::Options(LoadOptions { name, .. }) => name,
        }
    }

    /// The key of the context into which it is merged: the name's first part.
    pub fn key(&self) -> &str {
        let name = self.name();
        name.split_once('.').map_or(name, |(key, _)| key)
    }

    /// Whether the run goes on without it where it can't be loaded.
    pub fn is_optional(&self) -> bool {
        matches!(self, Self::Options(LoadOptions { optional: true, .. }))
    }

    /// How old a cached answer may be, where the document says.
    pub fn max_age(&self) -> Option<&Span> {
        match self {
            Self::Name(_) => None,
            Self::Options(options) => options.max_age.as_ref(),
        }
    }
}

/// Why a text can't be the name of what is loaded, in a sentence.
pub fn name_fault(name: &str) -> Option<String> {
    let is_odd =
        |part: &str| part.is_empty() || part.contains(|c: char| c.is_whitespace() || "[]{}".contains(c));
    if name.split('.').any(is_odd) || name.chars().count() > bounds::MAX_NAME {
        return Some(format!("`{name}` is no name of what is loaded; write one such as customer.profile."));
    }
    let key = name.split('.').next().unwrap_or_default();
    is_reserved(key).then(|| format!("`{key}` means something of its own; load under another name."))
}

/// Why a span can't be the age of a cached answer, in a sentence.
pub fn age_fault(max_age: &Span) -> Option<String> {
    (max_age.millis() > MAX_AGE_MS).then(|| "`max_age` is at most 24h.".to_owned())
}

/// What is wrong with what a document loads.
pub(super) fn check(context: &ContextLoad, findings: &mut Vec<Finding>) {
    let mut seen = BTreeSet::new();
    for (n, entry) in context.load.iter().enumerate() {
        let at = format!("/context/load/{n}");
        let at_name = if matches!(entry, LoadEntry::Name(_)) { at.clone() } else { format!("{at}/name") };
        if let Some(fault) = name_fault(entry.name()) {
            findings.push(Finding::error("load.name", at_name, fault));
        } else if !seen.insert(entry.name()) {
            let message = format!("{} is loaded twice; name it once.", entry.name());
            findings.push(Finding::error("load.twice", at_name, message));
        }
        if let Some(fault) = entry.max_age().and_then(age_fault) {
            findings.push(Finding::error("load.max_age", format!("{at}/max_age"), fault));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::workflow::{
        Format,
        check::{Environment, check},
    };

    #[test]
    fn a_load_that_can_not_be_is_found_at_its_place() {
        let found = |load: &str| {
            let text = format!(
                "workflow_id: w\nname: W\ntrigger: {{ type: manual }}\ncontext: {{ load: {load} }}\n\
                 steps: [{{ id: a, type: set, set: {{ b: 1 }} }}]\n"
            );
            let findings = check(&text, Format::Yaml, &Environment::Unknown).findings;
            findings.into_iter().map(|f| (f.code.into_owned(), f.pointer)).collect::<Vec<_>>()
        };
        for (written, code, pointer) in [
            ("[steps.a]", "load.name", "/context/load/0"),
            ("[{ name: event.data }]", "load.name", "/context/load/0/name"),
            ("[now_plus_1h.x]", "load.name", "/context/load/0"),
            ("['customer..profile']", "load.name", "/context/load/0"),
            ("['customer profile']", "load.name", "/context/load/0"),
            ("[a.b, { name: a.b, optional: true }]", "load.twice", "/context/load/1/name"),
            ("[{ name: a.b, max_age: 25h }]", "load.max_age", "/context/load/0/max_age"),
            ("[{ name: a.b, max_age: soon }]", "duration.bad", "/context/load/0/max_age"),
            ("[{ optional: true }]", "key.missing", "/context/load/0"),
            ("[{ name: a.b, optinal: true }]", "key.unknown", "/context/load/0/optinal"),
            ("[3]", "value.type", "/context/load/0"),
        ] {
            assert_eq!(found(written), [(code.to_owned(), pointer.to_owned())], "{written}");
        }
        assert_eq!(found("[order.details, customer, { name: a.b, optional: true, max_age: 0s }]"), []);
    }
}
