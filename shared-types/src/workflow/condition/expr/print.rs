//! Printing: the nodes as CEL, as far as its part that we read can say exactly the same.

use crate::workflow::{
    Template, TemplateValue,
    condition::{Condition, Leaf, Operator},
};
use serde_json::Value;

pub(super) fn print(condition: &Condition) -> Option<String> {
    match condition {
        Condition::Leaf(leaf) => print_leaf(leaf),
        Condition::And { and } => joined(and, " && "),
        Condition::Or { or } => joined(or, " || "),
        Condition::Not { not } => Some(format!("!{}", enclosed(not)?)),
        Condition::Expr { expr } => expr.condition().ok().map(|_| expr.source().to_owned()),
    }
}

fn joined(parts: &[Condition], by: &str) -> Option<String> {
    let parts: Option<Vec<String>> = parts
        .iter()
        .map(|part| match part {
            Condition::And { .. } | Condition::Or { .. } | Condition::Expr { .. } => {
                Some(format!("({})", print(part)?))
            }
            Condition::Leaf(_) | Condition::Not { .. } => print(part),
        })
        .collect();
    Some(parts?.join(by))
}

/// A condition as one side: `!` binds tighter than any comparison.
fn enclosed(condition: &Condition) -> Option<String> {
    let text = print(condition)?;
    let is_closed = match condition {
        Condition::Leaf(leaf) => match leaf.operator {
            Operator::Exists | Operator::StartsWith | Operator::EndsWith | Operator::Regex => true,
            Operator::Eq => is_true(leaf),
            Operator::Neq
            | Operator::Gt
            | Operator::Gte
            | Operator::Lt
            | Operator::Lte
            | Operator::In
            | Operator::NotIn
            | Operator::Contains
            | Operator::NotContains
            | Operator::NotExists
            | Operator::IsEmpty
            | Operator::Between
            | Operator::HasAll
            | Operator::HasAny
            | Operator::Before
            | Operator::After
            | Operator::WithinLast
            | Operator::OlderThan => false,
        },
        Condition::Not { .. } => true,
        Condition::And { .. } | Condition::Or { .. } | Condition::Expr { .. } => false,
    };
    Some(if is_closed { text } else { format!("({text})") })
}

fn is_true(leaf: &Leaf) -> bool {
    leaf.value == Some(TemplateValue::Literal(Value::Bool(true)))
}

fn print_leaf(leaf: &Leaf) -> Option<String> {
    let path = print_path(&leaf.field)?;
    let value = || print_value(leaf.value.as_ref()?);
    let is_text =
        matches!(leaf.value, Some(TemplateValue::Literal(Value::String(_)) | TemplateValue::Text(_)));
    Some(match leaf.operator {
        Operator::Eq if is_true(leaf) => path,
        Operator::Neq if leaf.value == Some(TemplateValue::Literal(Value::Null)) => return None,
        Operator::Eq => format!("{path} == {}", value()?),
        Operator::Neq => format!("{path} != {}", value()?),
        Operator::Gt => format!("{path} > {}", value()?),
        Operator::Gte => format!("{path} >= {}", value()?),
        Operator::Lt => format!("{path} < {}", value()?),
        Operator::Lte => format!("{path} <= {}", value()?),
        Operator::In => format!("{path} in {}", print_list(leaf.value.as_ref()?)?),
        Operator::NotIn => format!("!({path} in {})", print_list(leaf.value.as_ref()?)?),
        Operator::Contains if is_text => format!("{path}.contains({})", value()?),
        Operator::Contains => format!("{} in {path}", value()?),
        Operator::NotContains if is_text => format!("!{path}.contains({})", value()?),
        Operator::NotContains => format!("!({} in {path})", value()?),
        Operator::StartsWith => format!("{path}.startsWith({})", value()?),
        Operator::EndsWith => format!("{path}.endsWith({})", value()?),
        Operator::Regex => format!("{path}.matches({})", value()?),
        Operator::Exists => format!("has({path})"),
        Operator::NotExists => format!("!has({path})"),
        Operator::Between => {
            let Some(TemplateValue::Literal(Value::Array(ends))) = &leaf.value else { return None };
            let [low, high] = ends.as_slice() else { return None };
            format!("({path} >= {} && {path} <= {})", print_literal(low)?, print_literal(high)?)
        }
        // Nothing in that part of CEL says exactly these.
        Operator::IsEmpty
        | Operator::HasAll
        | Operator::HasAny
        | Operator::Before
        | Operator::After
        | Operator::WithinLast
        | Operator::OlderThan => return None,
    })
}

fn print_path(field: &str) -> Option<String> {
    let mut parts = field.split('.');
    let first = parts.next()?;
    let is_word = |part: &str| matches!(part, "true" | "false" | "null" | "in");
    let is_name = |part: &str| {
        part.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_alphanumeric() || c == '_')
            && !is_word(part)
    };
    if !is_name(first) {
        return None;
    }
    let mut path = first.to_owned();
    for part in parts {
        let is_number = part.chars().all(|c| c.is_ascii_digit()) && (part == "0" || !part.starts_with('0'));
        if part.is_empty() {
            return None;
        } else if is_name(part) {
            path.extend([".", part]);
        } else if is_number {
            path.extend(["[", part, "]"]);
        } else {
            path.extend(["[", &print_text(part), "]"]);
        }
    }
    Some(path)
}

fn print_list(value: &TemplateValue) -> Option<String> {
    match value {
        TemplateValue::Literal(Value::Array(_)) | TemplateValue::List(_) | TemplateValue::Text(_) => {
            print_value(value)
        }
        TemplateValue::Literal(_) | TemplateValue::Map(_) => None,
    }
}

fn print_value(value: &TemplateValue) -> Option<String> {
    match value {
        TemplateValue::Literal(value) => print_literal(value),
        TemplateValue::Text(template) => template_path(template),
        TemplateValue::List(items) => {
            let items: Option<Vec<String>> = items.iter().map(print_value).collect();
            Some(format!("[{}]", items?.join(", ")))
        }
        TemplateValue::Map(_) => None,
    }
}

fn print_literal(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::String(text) => Some(print_text(text)),
        Value::Array(items) => {
            let items: Option<Vec<String>> = items.iter().map(print_literal).collect();
            Some(format!("[{}]", items?.join(", ")))
        }
        Value::Object(_) => None,
    }
}

fn print_text(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => out.push(c),
        }
    }
    out + "\""
}

/// The path of a template that is one path alone.
fn template_path(template: &Template) -> Option<String> {
    let path = template.path()?;
    let is_exact = path.iter().all(|part| !part.contains('.'));
    if is_exact { print_path(&path.join(".")) } else { None }
}
