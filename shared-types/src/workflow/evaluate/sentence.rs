//! A comparison in words, for people: what was seen, what it was held against, and why times could not be compared.

use super::{items, time_of};
use crate::workflow::{
    bounds::{self, BadInstant},
    condition::Operator,
    number::{Money, Quantity, grouped},
    template::as_text,
};
use serde_json::Value;

/// A comparison as a part of a sentence: `order.total is 12,400, at least 10,000`.
pub(super) fn clause(
    op: Operator,
    field: &str,
    seen: Option<&Value>,
    value: Option<&Value>,
    money: Option<Money<'_>>,
) -> String {
    let writing = Writing::of(seen, value, money);
    let is = match seen {
        Some(seen) => format!("{field} is {}", writing.show(seen)),
        None => format!("{field} isn't there"),
    };
    match (op, value) {
        (Operator::Exists | Operator::NotExists, _) => is,
        (op, Some(value)) => {
            let compared = match value.as_array().map(Vec::as_slice) {
                Some([low, high]) if op == Operator::Between => {
                    format!("from {} to {}", writing.show(low), writing.show(high))
                }
                Some(_) | None => format!("{} {}", op.phrase(), writing.show(value)),
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

/// How both sides of a comparison are written, so that they read alike.
#[derive(Clone, Copy)]
enum Writing<'a> {
    /// As they are; numbers in groups.
    Plain,
    /// Texts that hold numbers count as numbers here, and are written as such.
    Numbers,
    /// As amounts of this currency.
    Money(&'a str),
}

impl<'a> Writing<'a> {
    fn of(seen: Option<&Value>, value: Option<&Value>, money: Option<Money<'a>>) -> Self {
        let Some(seen) = seen.and_then(Quantity::of) else { return Self::Plain };
        let is_compared_as_number = || value.is_some_and(|value| items(value).iter().any(Value::is_number));
        match money {
            Some(money) if money.is_surely(seen) => Self::Money(money.currency),
            _ if is_compared_as_number() => Self::Numbers,
            _ => Self::Plain,
        }
    }

    /// A value for people: figures in groups, lists with commas, long ones cut.
    fn show(self, value: &Value) -> String {
        let text = match (self, value, Quantity::of(value)) {
            (Self::Money(currency), _, Some(quantity)) => {
                Money { amount: &quantity.to_string(), currency }.to_string()
            }
            (Self::Numbers, Value::String(text), Some(_)) => grouped(text.trim()),
            (_, Value::Null, _) => "null".to_owned(),
            (_, Value::Number(_), _) => grouped(&as_text(value)),
            (_, Value::Array(list), _) => {
                list.iter().map(|one| self.show(one)).collect::<Vec<_>>().join(", ")
            }
            (_, Value::String(text), _) if text.is_empty() => "an empty text".to_owned(),
            (_, Value::Bool(_) | Value::String(_) | Value::Object(_), _) => as_text(value),
        };
        if text.chars().count() > 80 { text.chars().take(79).chain(['…']).collect() } else { text }
    }
}

fn show(value: &Value) -> String {
    Writing::Plain.show(value)
}
