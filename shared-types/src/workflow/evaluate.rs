//! Evaluating a condition, with the whole tree of values seen, so that a person can be told why.

mod sentence;
#[cfg(test)]
mod tests;

use super::{
    Span,
    condition::{Condition, Leaf, Operator, expr::ExprError},
    number::{Money, Quantity},
    path,
    scope::Scope,
    template::{TemplateError, count_work},
};
use chrono::{DateTime, NaiveDate, Utc};
use regex::RegexBuilder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{borrow::Cow, cmp::Ordering};

/// How many pairs of values one comparison may look at.
const MAX_PAIRS: u64 = 1_000_000;
/// How many characters a regular expression may have.
const MAX_PATTERN: usize = 4_000;
/// What compiling a regular expression counts as, in units of a template's work.
const REGEX_WORK: u64 = 2_000;

/// Why a condition is true or false.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Why {
    /// A group of conditions.
    Group {
        /// `and`, `or` or `not`.
        op: GroupOp,
        /// Its parts.
        of: Vec<Why>,
        /// Whether it holds.
        result: bool,
    },
    /// A comparison.
    Leaf {
        /// The operator's name.
        op: Operator,
        /// Path of the field in the context: `order.total`.
        field: String,
        /// What was there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seen: Option<Value>,
        /// What it was compared with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<Value>,
        /// Whether nothing was there.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        missing: bool,
        /// Whether it holds.
        result: bool,
    },
}

/// How a group joins its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GroupOp {
    /// All hold.
    And,
    /// One holds.
    Or,
    /// It doesn't hold.
    Not,
}

/// Why a condition couldn't be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// A template in it failed.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// Its regular expression can't be read or is too large.
    #[error("the regular expression \"{pattern}\" can't be used: {why}")]
    Regex {
        /// The text.
        pattern: String,
        /// What the library said.
        why: String,
    },
    /// It compares more pairs of values than a condition may.
    #[error("{field} {phrase} compares more than {MAX_PAIRS} pairs of values", phrase = operator.phrase())]
    TooManyPairs {
        /// Path of the field in the context: `order.total`.
        field: String,
        /// How it compares.
        operator: Operator,
    },
    /// Its `expr` can't be read.
    #[error("the expression \"{expr}\" can't be read: {why}")]
    Expr {
        /// The text.
        expr: String,
        /// What is wrong, with its column.
        why: ExprError,
    },
}

impl Why {
    /// Whether the condition holds.
    pub fn holds(&self) -> bool {
        match self {
            Self::Group { result, .. } | Self::Leaf { result, .. } => *result,
        }
    }

    /// The whole in one sentence: `order.total is 12,400, at least 10,000: true`.
    pub fn sentence(&self) -> String {
        self.sentence_with(None)
    }

    /// The same for somebody who sees the money at stake: what equals it is written as money, with what it is held
    /// against: `order.total is €12,400.00, at least €10,000.00: true`.
    pub fn sentence_with(&self, money: Option<Money<'_>>) -> String {
        format!("{}: {}", self.clause(money), self.holds())
    }

    fn clause(&self, money: Option<Money<'_>>) -> String {
        match self {
            Self::Group { op: GroupOp::Not, of, .. } => {
                format!("not ({})", of.first().map(|part| part.clause(money)).unwrap_or_default())
            }
            Self::Group { op, of, .. } => {
                let word = if *op == GroupOp::And { " and " } else { " or " };
                let parts: Vec<String> = of
                    .iter()
                    .map(|part| match part {
                        Self::Group { of, .. } if of.len() > 1 => format!("({})", part.clause(money)),
                        Self::Group { .. } | Self::Leaf { .. } => part.clause(money),
                    })
                    .collect();
                parts.join(word)
            }
            Self::Leaf { op, field, seen, value, missing, .. } => {
                let seen = if *missing { None } else { seen.as_ref() };
                sentence::clause(*op, field, seen, value.as_ref(), money)
            }
        }
    }
}

/// Asks a condition.
///
/// # Errors
/// When a template in it fails or a regular expression can't be used; what is merely missing is false.
pub fn evaluate(condition: &Condition, scope: &Scope<'_>) -> Result<Why, ConditionError> {
    match condition {
        Condition::Leaf(leaf) => evaluate_leaf(leaf, scope),
        Condition::And { and } => {
            let of = and.iter().map(|c| evaluate(c, scope)).collect::<Result<Vec<_>, _>>()?;
            let result = of.iter().all(Why::holds);
            Ok(Why::Group { op: GroupOp::And, of, result })
        }
        Condition::Or { or } => {
            let of = or.iter().map(|c| evaluate(c, scope)).collect::<Result<Vec<_>, _>>()?;
            let result = of.iter().any(Why::holds);
            Ok(Why::Group { op: GroupOp::Or, of, result })
        }
        Condition::Not { not } => {
            let inner = evaluate(not, scope)?;
            let result = !inner.holds();
            Ok(Why::Group { op: GroupOp::Not, of: vec![inner], result })
        }
        Condition::Expr { expr } => match expr.condition() {
            Ok(condition) => evaluate(condition, scope),
            Err(why) => Err(ConditionError::Expr { expr: expr.source().to_owned(), why: why.clone() }),
        },
    }
}

fn evaluate_leaf(leaf: &Leaf, scope: &Scope<'_>) -> Result<Why, ConditionError> {
    let value = leaf.value.as_ref().map(|value| value.value(scope)).transpose()?;
    let seen = scope.find(path::names(&leaf.field).into_iter());
    let op = leaf.operator;
    let result = match seen.as_deref() {
        Some(Value::Null) if op == Operator::Eq => value == Some(Value::Null),
        None | Some(Value::Null) => op.holds_for_missing(),
        Some(seen) => {
            let value = value.as_ref().unwrap_or(&Value::Null);
            count_pairs(leaf, seen, value)?;
            let reads_time = matches!(op, Operator::WithinLast | Operator::OlderThan);
            compare(op, seen, value, if reads_time { scope.compared_time() } else { scope.now })?
        }
    };
    let missing = seen.is_none();
    let field = leaf.field.clone();
    Ok(Why::Leaf { op, field, seen: seen.map(Cow::into_owned), value, missing, result })
}

/// Counts how many pairs of values a comparison looks at, and refuses too many.
fn count_pairs(leaf: &Leaf, seen: &Value, value: &Value) -> Result<(), ConditionError> {
    let length = |value: &Value| value.as_array().map_or(1, Vec::len) as u64;
    let pairs = match leaf.operator {
        Operator::HasAll | Operator::HasAny => length(seen).saturating_mul(length(value)),
        Operator::In | Operator::NotIn => length(value),
        Operator::Contains | Operator::NotContains => length(seen),
        Operator::Eq
        | Operator::Neq
        | Operator::Gt
        | Operator::Gte
        | Operator::Lt
        | Operator::Lte
        | Operator::StartsWith
        | Operator::EndsWith
        | Operator::Regex
        | Operator::Exists
        | Operator::NotExists
        | Operator::IsEmpty
        | Operator::Between
        | Operator::Before
        | Operator::After
        | Operator::WithinLast
        | Operator::OlderThan => 1,
    };
    if pairs > MAX_PAIRS {
        return Err(ConditionError::TooManyPairs { field: leaf.field.clone(), operator: leaf.operator });
    }
    // What is compared is looked at byte by byte where it is a text.
    let text = seen.as_str().map_or(0, str::len) as u64 / 256;
    count_work(pairs + text);
    Ok(())
}

/// The items of a list; a value that is none stands for itself.
fn items(value: &Value) -> &[Value] {
    value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice)
}

fn compare(op: Operator, seen: &Value, value: &Value, now: DateTime<Utc>) -> Result<bool, ConditionError> {
    let order = |accept: fn(Ordering) -> bool| order_of(seen, value).is_some_and(accept);
    let list = || items(value);
    Ok(match op {
        Operator::Eq => equal(seen, value),
        Operator::Neq => !equal(seen, value),
        Operator::Gt => order(Ordering::is_gt),
        Operator::Gte => order(Ordering::is_ge),
        Operator::Lt => order(Ordering::is_lt),
        Operator::Lte => order(Ordering::is_le),
        Operator::In => list().iter().any(|item| equal(seen, item)),
        Operator::NotIn => !list().iter().any(|item| equal(seen, item)),
        Operator::Contains => contains(seen, value),
        Operator::NotContains => !contains(seen, value),
        Operator::StartsWith => both_texts(seen, value).is_some_and(|(a, b)| a.starts_with(b)),
        Operator::EndsWith => both_texts(seen, value).is_some_and(|(a, b)| a.ends_with(b)),
        Operator::Regex => match both_texts(seen, value) {
            Some((text, pattern)) => compile_regex(pattern)?.is_match(text),
            None => false,
        },
        // What isn't there was looked at before.
        Operator::Exists | Operator::NotExists => op == Operator::Exists,
        Operator::IsEmpty => is_empty(seen),
        Operator::Between => match value.as_array().map(Vec::as_slice) {
            Some([low, high]) => {
                order_of(seen, low).is_some_and(Ordering::is_ge)
                    && order_of(seen, high).is_some_and(Ordering::is_le)
            }
            Some(_) | None => false,
        },
        Operator::HasAll => seen.as_array().is_some_and(|_| list().iter().all(|item| contains(seen, item))),
        Operator::HasAny => seen.as_array().is_some_and(|_| list().iter().any(|item| contains(seen, item))),
        Operator::Before => both_times(seen, value).is_some_and(|(a, b)| a < b),
        Operator::After => both_times(seen, value).is_some_and(|(a, b)| a > b),
        Operator::WithinLast => {
            age(seen, value, now).is_some_and(|(age, span)| age >= chrono::Duration::zero() && age <= span)
        }
        Operator::OlderThan => age(seen, value, now).is_some_and(|(age, span)| age > span),
    })
}

/// Equality: two texts as texts, numbers as decimals (also a text with a number), the rest by parts.
pub fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::String(a), Value::String(b)) => a == b,
        (Value::Number(_), Value::Number(_) | Value::String(_)) | (Value::String(_), Value::Number(_)) => {
            matches!((Quantity::of(a), Quantity::of(b)), (Some(a), Some(b)) if a.order(b).is_eq())
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equal(a, b)))
        }
        (
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_),
            b,
        ) => a == b,
    }
}

/// The order of two values of one kind; `None` where they can't be ordered.
pub(super) fn order_of(a: &Value, b: &Value) -> Option<Ordering> {
    if let (Some(a), Some(b)) = (Quantity::of(a), Quantity::of(b)) {
        return Some(a.order(b));
    }
    let (a, b) = both_texts(a, b)?;
    match (time_of(a), time_of(b)) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        (Some(_) | None, Some(_) | None) => Some(a.cmp(b)),
    }
}

fn contains(whole: &Value, part: &Value) -> bool {
    match whole {
        Value::Array(list) => list.iter().any(|item| equal(item, part)),
        Value::String(text) => part.as_str().is_some_and(|part| text.contains(part)),
        Value::Object(map) => part.as_str().is_some_and(|key| map.contains_key(key)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn both_texts<'a>(a: &'a Value, b: &'a Value) -> Option<(&'a str, &'a str)> {
    Some((a.as_str()?, b.as_str()?))
}

fn both_times(a: &Value, b: &Value) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let (a, b) = both_texts(a, b)?;
    Some((time_of(a)?, time_of(b)?))
}

/// A time as RFC 3339, or a date, which counts from its midnight in UTC.
pub fn time_of(text: &str) -> Option<DateTime<Utc>> {
    if !text.starts_with(|c: char| c.is_ascii_digit()) || text.len() < 10 {
        return None;
    }
    DateTime::parse_from_rfc3339(text).map(|time| time.with_timezone(&Utc)).ok().or_else(|| {
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
        Some(date.and_hms_opt(0, 0, 0)?.and_utc())
    })
}

/// How long ago `seen` was, and the span it is held against.
fn age(seen: &Value, span: &Value, now: DateTime<Utc>) -> Option<(chrono::Duration, chrono::Duration)> {
    let seen = time_of(seen.as_str()?)?;
    let span: Span = span.as_str()?.parse().ok()?;
    Some((now - seen, span.duration()))
}

/// Compiles a regular expression of bounded size; matching takes linear time.
///
/// # Errors
/// When it can't be read, or is too large.
pub fn compile_regex(pattern: &str) -> Result<regex::Regex, ConditionError> {
    let fault = |why: &str| {
        let shown = pattern.chars().take(200).collect();
        ConditionError::Regex { pattern: shown, why: why.to_owned() }
    };
    if pattern.len() > MAX_PATTERN {
        return Err(fault(&format!("it has more than {MAX_PATTERN} characters")));
    }
    count_work(REGEX_WORK);
    RegexBuilder::new(pattern).size_limit(256 * 1024).nest_limit(50).build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => fault("it is too large; use fewer or smaller repetitions"),
        // The library draws the pattern with a mark; its last line says what is wrong.
        error @ (regex::Error::Syntax(_) | _) => {
            let drawn = error.to_string();
            let last = drawn.lines().last().unwrap_or_default();
            fault(last.strip_prefix("error: ").unwrap_or(last))
        }
    })
}
