//! Comparisons: a value of the right kind, and one with which they can be true and false.

use crate::workflow::{
    Finding, Span, TemplateValue, bounds,
    condition::{Condition, Leaf, Operator},
    evaluate::{compile_regex, equal, order_of, time_of},
};
use serde_json::Value;
use std::cmp::Ordering;

pub(super) fn check_leaf(at: &str, leaf: &Leaf, findings: &mut Vec<Finding>) {
    let op = leaf.operator;
    let Some(value) = &leaf.value else {
        if op.needs_value() {
            let message = format!("`{}` compares with a `value`; there is none.", op.as_str());
            findings.push(Finding::error("value.missing", at, message));
        }
        return;
    };
    let TemplateValue::Literal(literal) = value else { return };
    let pointer = format!("{at}/value");
    if let Some((code, message)) = kind_fault(op, literal) {
        findings.push(Finding::error(code, pointer, message));
    } else if let Some((code, why)) = constant(op, literal) {
        let always = if code == "condition.never" { "never" } else { "always" };
        findings.push(Finding::warning(code, pointer, format!("This is {always} true: {why}.")));
    } else if !op.needs_value() && !literal.is_null() {
        let message = format!("`{}` compares with nothing; its `value` is ignored.", op.as_str());
        findings.push(Finding::warning("value.unused", pointer, message));
    }
}

/// Why an operator can't compare with a value: the code and the message.
fn kind_fault(op: Operator, literal: &Value) -> Option<(&'static str, String)> {
    let word = op.as_str();
    match op {
        Operator::Regex => match literal.as_str() {
            Some(pattern) => compile_regex(pattern).err().map(|fault| ("regex.bad", format!("{fault}."))),
            None => Some(("value.type", "`value` must be a regular expression.".to_owned())),
        },
        Operator::Between => (literal.as_array().map(Vec::len) != Some(2))
            .then(|| ("value.type", "`between` takes two ends: [low, high].".to_owned())),
        Operator::In | Operator::NotIn | Operator::HasAll | Operator::HasAny => {
            (!literal.is_array()).then(|| ("value.type", format!("`{word}` takes a list.")))
        }
        Operator::WithinLast | Operator::OlderThan => {
            let is_span = literal.as_str().is_some_and(|text| text.parse::<Span>().is_ok());
            (!is_span).then(|| ("duration.bad", format!("`{word}` takes a duration such as 24h or 7d.")))
        }
        Operator::StartsWith | Operator::EndsWith => (!literal.is_string()).then(|| {
            let message =
                format!("`{word}` compares with a text, and this is {literal}: put quotes around it.");
            ("value.type", message)
        }),
        Operator::Before | Operator::After => {
            let why = match literal.as_str() {
                Some(text) if time_of(text).is_some() => return None,
                Some(text) => bounds::instant(text).err().map(|fault| fault.to_string()).unwrap_or_default(),
                None => format!("{literal} is none; write a text such as 2026-03-01T10:00:00Z"),
            };
            Some(("time.bad", format!("`{word}` compares with a time: {why}.")))
        }
        Operator::Eq
        | Operator::Neq
        | Operator::Gt
        | Operator::Gte
        | Operator::Lt
        | Operator::Lte
        | Operator::Contains
        | Operator::NotContains
        | Operator::Exists
        | Operator::NotExists
        | Operator::IsEmpty => None,
    }
}

/// Why a comparison has one result whatever the field is, as long as it is there: the code and the reason.
fn constant(op: Operator, literal: &Value) -> Option<(&'static str, String)> {
    let is_one_of = |operators: &[Operator]| operators.contains(&op);
    let (never, always) = ("condition.never", "condition.always");
    if literal.as_array().is_some_and(Vec::is_empty) {
        if is_one_of(&[Operator::In, Operator::HasAny]) {
            return Some((never, "the list is empty".to_owned()));
        }
        if is_one_of(&[Operator::NotIn, Operator::HasAll]) {
            return Some((always, "the list is empty".to_owned()));
        }
    }
    let is_ordered = literal.is_number() || literal.is_string();
    if is_one_of(&[Operator::Gt, Operator::Gte, Operator::Lt, Operator::Lte]) && !is_ordered {
        let word = op.as_str();
        return Some((never, format!("`{word}` compares numbers, texts and times, not {literal}")));
    }
    if is_one_of(&[Operator::StartsWith, Operator::EndsWith]) && literal.as_str() == Some("") {
        return Some((always, "every text begins and ends with an empty one".to_owned()));
    }
    let span = literal.as_str().and_then(|text| text.parse::<Span>().ok());
    if op == Operator::WithinLast && span.is_some_and(|span| span.millis() == 0) {
        return Some((never, "no time is that short".to_owned()));
    }
    if op == Operator::Between {
        return Some((never, ends_fault(literal)?));
    }
    None
}

/// Why nothing lies between two ends.
fn ends_fault(literal: &Value) -> Option<String> {
    let [low, high] = literal.as_array()?.as_slice() else { return None };
    match order_of(low, high) {
        Some(Ordering::Greater) => Some("the low end is above the high end".to_owned()),
        Some(Ordering::Less | Ordering::Equal) => None,
        None => {
            Some(format!("{low} and {high} can't be compared; write two numbers, two texts or two times"))
        }
    }
}

/// Parts of each `and` in it, however deep, that exclude each other.
pub(super) fn check_contradictions(at: &str, condition: &Condition, findings: &mut Vec<Finding>) {
    let (key, parts) = match condition {
        Condition::And { and } => ("and", and.as_slice()),
        Condition::Or { or } => ("or", or.as_slice()),
        Condition::Not { not } => return check_contradictions(&format!("{at}/not"), not, findings),
        Condition::Leaf(_) | Condition::Expr { .. } => return,
    };
    if key == "and"
        && let Some((a, b)) = contradiction(parts)
    {
        let message = format!("This is never true: {a} and {b}.");
        findings.push(Finding::warning("condition.never", at, message));
    }
    for (n, part) in parts.iter().enumerate() {
        check_contradictions(&format!("{at}/{key}/{n}"), part, findings);
    }
}

/// How many parts of one `and` are compared with each other, pair by pair.
const MAX_COMPARED: usize = 100;

/// Two parts of an `and` on one field that exclude each other, among its first hundred comparisons.
fn contradiction(parts: &[Condition]) -> Option<(String, String)> {
    let leaves: Vec<(&Leaf, &Value)> = parts
        .iter()
        .filter_map(|part| match part {
            Condition::Leaf(leaf) => match &leaf.value {
                Some(TemplateValue::Literal(value)) => Some((leaf, value)),
                Some(TemplateValue::Text(_) | TemplateValue::List(_) | TemplateValue::Map(_)) | None => None,
            },
            Condition::And { .. } | Condition::Or { .. } | Condition::Not { .. } | Condition::Expr { .. } => {
                None
            }
        })
        .take(MAX_COMPARED)
        .collect();
    for (n, (a, a_value)) in leaves.iter().enumerate() {
        for (b, b_value) in &leaves[n + 1..] {
            if a.field == b.field && (excludes(a, a_value, b, b_value) || excludes(b, b_value, a, a_value)) {
                let say =
                    |leaf: &Leaf, value: &Value| format!("{} {} {value}", leaf.field, leaf.operator.phrase());
                return Some((say(a, a_value), say(b, b_value)));
            }
        }
    }
    None
}

/// Whether nothing that `a` accepts is accepted by `b`.
fn excludes(a: &Leaf, a_value: &Value, b: &Leaf, b_value: &Value) -> bool {
    match (a.operator, b.operator) {
        (Operator::Eq, Operator::Eq) => !equal(a_value, b_value),
        (Operator::Eq, Operator::In) => {
            b_value.as_array().is_some_and(|list| !list.iter().any(|one| equal(one, a_value)))
        }
        (Operator::Eq, Operator::NotIn) => {
            b_value.as_array().is_some_and(|list| list.iter().any(|one| equal(one, a_value)))
        }
        (Operator::Eq, Operator::Neq) => equal(a_value, b_value),
        (Operator::Gt, Operator::Lt | Operator::Lte | Operator::Eq)
        | (Operator::Gte | Operator::Eq, Operator::Lt)
        | (Operator::After, Operator::Before) => order_of(a_value, b_value).is_some_and(Ordering::is_ge),
        (Operator::Gte, Operator::Lte | Operator::Eq) | (Operator::Eq, Operator::Lte) => {
            order_of(a_value, b_value).is_some_and(Ordering::is_gt)
        }
        _ => false,
    }
}
