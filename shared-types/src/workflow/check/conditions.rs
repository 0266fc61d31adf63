//! Conditions: something to ask, a value where one is needed, and of the right kind.

use super::{Place, step_conditions};
use crate::workflow::{
    Finding, Span, TemplateValue, bounds,
    condition::{Condition, Leaf, Operator},
    evaluate::{compile_regex, equal, time_of},
    number::Quantity,
    step::StepKind,
};
use serde_json::Value;

pub(super) fn check_step(place: &Place<'_>, findings: &mut Vec<Finding>) {
    if let StepKind::Condition { condition, rule_id, .. } = &place.step.kind {
        match (condition, rule_id) {
            (None, None) => {
                let message = "A condition step needs `condition` or `rule_id`.";
                findings.push(Finding::error("condition.missing", &place.pointer, message));
            }
            (Some(_), Some(_)) => {
                let message = "`condition` and `rule_id` can't stand together.";
                findings.push(Finding::error("condition.twice", &place.pointer, message));
            }
            (Some(_), None) | (None, Some(_)) => {}
        }
    }
    for (below, condition) in step_conditions(place.step) {
        check(&format!("{}/{below}", place.pointer), condition, findings);
    }
}

pub(in crate::workflow) fn check(at: &str, condition: &Condition, findings: &mut Vec<Finding>) {
    for (below, leaf) in condition.leaves() {
        check_leaf(&format!("{at}{below}"), leaf, findings);
    }
    for (below, expr) in condition.expressions() {
        let pointer = format!("{at}{below}");
        match expr.condition() {
            // What its nodes say is said at the expression, which has no pointers inside.
            Ok(nodes) => {
                let mut inside = Vec::new();
                check("", nodes, &mut inside);
                check_secrets(nodes, &mut inside);
                findings.extend(inside.into_iter().map(|f| Finding { pointer: pointer.clone(), ..f }));
            }
            Err(_) if expr.source().is_empty() => {
                findings.push(Finding::error("expr.bad", pointer, "`expr` is empty; write what is asked."));
            }
            Err(error) => {
                let message = format!("The expression can't be read at {error}");
                findings.push(Finding::error("expr.bad", pointer, message));
            }
        }
    }
    check_contradictions(at, condition, findings);
}

/// Secrets that an expression reads; those of other conditions are found with their texts.
fn check_secrets(nodes: &Condition, findings: &mut Vec<Finding>) {
    let reads_secret = |leaf: &Leaf| {
        let in_value = leaf.value.iter().flat_map(TemplateValue::templates);
        leaf.field.split('.').next() == Some("secrets")
            || in_value.map(|(_, template)| template).any(|template| template.secrets().next().is_some())
    };
    if nodes.leaves().into_iter().any(|(_, leaf)| reads_secret(leaf)) {
        let message = "An expression can't read a secret: its value never comes to conditions.";
        findings.push(Finding::error("secret.misplaced", "", message));
    }
}

/// Parts of each `and` in it, however deep, that exclude each other.
fn check_contradictions(at: &str, condition: &Condition, findings: &mut Vec<Finding>) {
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

fn check_leaf(at: &str, leaf: &Leaf, findings: &mut Vec<Finding>) {
    let op = leaf.operator;
    let word = op.as_str();
    let Some(value) = &leaf.value else {
        if op.needs_value() {
            let message = format!("`{word}` compares with a `value`; there is none.");
            findings.push(Finding::error("value.missing", at, message));
        }
        return;
    };
    let pointer = format!("{at}/value");
    let TemplateValue::Literal(literal) = value else { return };
    match op {
        Operator::Regex => match literal.as_str() {
            Some(pattern) => {
                if let Err(fault) = compile_regex(pattern) {
                    findings.push(Finding::error("regex.bad", pointer, format!("{fault}.")));
                }
            }
            None => {
                findings.push(Finding::error("value.type", pointer, "`value` must be a regular expression."));
            }
        },
        Operator::Between => check_between(literal, pointer, findings),
        Operator::In | Operator::NotIn | Operator::HasAll | Operator::HasAny => match literal.as_array() {
            Some(list) if list.is_empty() && matches!(op, Operator::In | Operator::HasAny) => {
                findings.push(Finding::warning(
                    "condition.never",
                    pointer,
                    "This is never true: the list is empty.",
                ));
            }
            Some(_) => {}
            None => findings.push(Finding::error("value.type", pointer, format!("`{word}` takes a list."))),
        },
        Operator::WithinLast | Operator::OlderThan => {
            if literal.as_str().is_none_or(|text| text.parse::<Span>().is_err()) {
                let message = format!("`{word}` takes a duration such as 24h or 7d.");
                findings.push(Finding::error("duration.bad", pointer, message));
            }
        }
        Operator::StartsWith | Operator::EndsWith => {
            if !literal.is_string() {
                let message =
                    format!("`{word}` compares with a text, and this is {literal}: put quotes around it.");
                findings.push(Finding::error("value.type", pointer, message));
            }
        }
        Operator::Before | Operator::After => {
            if literal.as_str().and_then(time_of).is_none() {
                let why = match literal.as_str() {
                    Some(text) => {
                        bounds::instant(text).err().map(|fault| fault.to_string()).unwrap_or_default()
                    }
                    None => format!("{literal} is none; write a text such as 2026-03-01T10:00:00Z"),
                };
                let message = format!("`{word}` compares with a time: {why}.");
                findings.push(Finding::error("time.bad", pointer, message));
            }
        }
        Operator::Gt | Operator::Gte | Operator::Lt | Operator::Lte => {
            if !literal.is_number() && !literal.is_string() {
                let message =
                    format!("This is never true: `{word}` compares numbers, texts and times, not {literal}.");
                findings.push(Finding::warning("condition.never", pointer, message));
            }
        }
        Operator::Exists | Operator::NotExists | Operator::IsEmpty => {
            if !literal.is_null() {
                let message = format!("`{word}` compares with nothing; its `value` is ignored.");
                findings.push(Finding::warning("value.unused", pointer, message));
            }
        }
        Operator::Eq | Operator::Neq | Operator::Contains | Operator::NotContains => {}
    }
}

fn check_between(literal: &Value, pointer: String, findings: &mut Vec<Finding>) {
    match literal.as_array().map(Vec::as_slice) {
        Some([low, high]) => {
            if let (Some(low), Some(high)) = (Quantity::of(low), Quantity::of(high))
                && low.order(high).is_gt()
            {
                let message = "This is never true: the low end is above the high end.";
                findings.push(Finding::warning("condition.never", pointer, message));
            }
        }
        Some(_) | None => {
            findings.push(Finding::error("value.type", pointer, "`between` takes two ends: [low, high]."));
        }
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

fn excludes(a: &Leaf, a_value: &Value, b: &Leaf, b_value: &Value) -> bool {
    if a.operator == Operator::Eq && b.operator == Operator::Eq {
        return !equal(a_value, b_value);
    }
    let (Some(low), Some(high)) = (Quantity::of(a_value), Quantity::of(b_value)) else { return false };
    match (a.operator, b.operator) {
        (Operator::Gt, Operator::Lt | Operator::Lte) | (Operator::Gte, Operator::Lt) => {
            low.order(high).is_ge()
        }
        (Operator::Gte, Operator::Lte) => low.order(high).is_gt(),
        _ => false,
    }
}
