//! A comparison in words, for people: what was seen, what it was held against, and why times could not be compared.

use super::{items, time_of};
use crate::workflow::{
    bounds::{self, BadInstant},
    condition::Operator,
    number::grouped,
    template::as_text,
};
use serde_json::Value;

/// A comparison as a part of a sentence: `order.total is 12,400, at least 10,000`.
pub(super) fn clause(
    op: Operator,
    field: &str,
    seen: Option<&Value>,
    value: Option<&Value>,
    missing: bool,
) -> String {
    let is = match seen {
        Some(seen) if !missing => format!("{field} is {}", show(seen)),
        Some(_) | None => format!("{field} isn't there"),
    };
    match (op, value) {
        (Operator::Exists | Operator::NotExists, _) => is,
        (op, Some(value)) => {
            let compared = match value.as_array().map(Vec::as_slice) {
                Some([low, high]) if op == Operator::Between => {
                    format!("from {} to {}", show(low), show(high))
                }
                Some(_) | None => format!("{} {}", op.phrase(), show(value)),
            };
            let note = seen.and_then(|seen| not_a_time(op, seen, value)).unwrap_or_default();
            format!("{is}, {compared}{note}")
        }
        (op, None) => format!("{is}, {}", op.phrase()),
    }
}

/// Says in brackets why a comparison of times had no two times to compare.
fn not_a_time(op: Operator, seen: &Value, value: &Value) -> Option<String> {
    let fault = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) if time_of(text).is_some() => None,
        Value::String(text) => bounds::instant(text).err(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Some(BadInstant::NoTime(show(value)))
        }
    };
    match op {
        Operator::Before | Operator::After => Some(format!(" ({})", fault(seen).or_else(|| fault(value))?)),
        Operator::WithinLast | Operator::OlderThan => Some(format!(" ({})", fault(seen)?)),
        Operator::Gt | Operator::Gte | Operator::Lt | Operator::Lte | Operator::Between => {
            // Two texts are ordered as texts unless both are times: a time that lacks its zone is told.
            let mut texts = items(value).iter().chain([seen]).map(Value::as_str);
            if !texts.clone().any(|text| text.is_some_and(|text| time_of(text).is_some())) {
                return None;
            }
            let local = texts.find_map(|text| match bounds::instant(text?) {
                Err(local @ BadInstant::NoZone(_)) if time_of(text?).is_none() => Some(local),
                Ok(_) | Err(_) => None,
            });
            Some(format!(" (compared as texts: {})", local?))
        }
        Operator::Eq
        | Operator::Neq
        | Operator::In
        | Operator::NotIn
        | Operator::Contains
        | Operator::NotContains
        | Operator::StartsWith
        | Operator::EndsWith
        | Operator::Regex
        | Operator::Exists
        | Operator::NotExists
        | Operator::IsEmpty
        | Operator::HasAll
        | Operator::HasAny => None,
    }
}

/// A value for people: figures in groups, lists with commas, long ones cut.
fn show(value: &Value) -> String {
    let text = match value {
        Value::Null => "null".to_owned(),
        Value::Number(_) => grouped(&as_text(value)),
        Value::Array(list) => list.iter().map(show).collect::<Vec<_>>().join(", "),
        Value::String(text) if text.is_empty() => "an empty text".to_owned(),
        Value::Bool(_) | Value::String(_) | Value::Object(_) => as_text(value),
    };
    if text.chars().count() > 80 { text.chars().take(79).chain(['…']).collect() } else { text }
}
