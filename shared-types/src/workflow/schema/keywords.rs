//! What a schema says, read from its keys.

use serde_json::Value;

/// The key whose constant tells the variants apart, and the constants.
pub(super) fn tags<'s>(variants: &[&'s Value]) -> Option<(&'s str, Vec<&'s str>)> {
    let constants = |variant: &'s Value| {
        let properties = variant.get("properties").and_then(Value::as_object);
        properties.into_iter().flatten().find_map(|(key, p)| Some((key.as_str(), p.get("const")?.as_str()?)))
    };
    let found: Option<Vec<(&str, &str)>> = variants.iter().map(|v| constants(v)).collect();
    let found = found?;
    let tag = found.first()?.0;
    Some((tag, found.into_iter().map(|(_, word)| word).collect()))
}

/// The key by which each of some untagged maps is known: the only one that it needs.
pub(super) fn leading_keys<'s>(variants: &[&'s Value]) -> Option<Vec<&'s str>> {
    let only = |variant: &'s Value| match variant.get("required")?.as_array()?.as_slice() {
        [key] => key.as_str(),
        _ => None,
    };
    variants.iter().map(|variant| only(variant)).collect()
}

pub(super) fn variants(schema: &Value) -> Option<&Vec<Value>> {
    schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array)
}

pub(super) fn is_null(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("null")
}

pub(super) fn allows_null(schema: &Value) -> bool {
    types(schema).contains(&"null") || variants(schema).is_some_and(|v| v.iter().any(is_null))
}

/// The words of an enumeration.
pub(super) fn words(schema: &Value) -> Option<Vec<&str>> {
    if let Some(list) = schema.get("enum").and_then(Value::as_array) {
        return list.iter().map(Value::as_str).collect();
    }
    if let Some(word) = schema.get("const").and_then(Value::as_str) {
        return Some(vec![word]);
    }
    variants(schema)?
        .iter()
        .map(|v| words(v).filter(|_| v.get("type").is_none_or(|t| t == "string")))
        .collect::<Option<Vec<_>>>()
        .map(|lists| lists.concat())
}

pub(super) fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        Some(_) | None => Vec::new(),
    }
}

pub(super) fn type_fits(schema: &Value, value: &Value) -> bool {
    match schema.get("type") {
        Some(Value::String(one)) => is_of(one, value),
        Some(Value::Array(many)) if !many.is_empty() => {
            many.iter().filter_map(Value::as_str).any(|name| is_of(name, value))
        }
        Some(_) | None => true,
    }
}

/// Whether a value is of a type of JSON Schema.
fn is_of(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    }
}

pub(super) fn type_in_words(name: &str) -> &str {
    match name {
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        "string" => "a text",
        "array" => "a list",
        "object" => "a map",
        other => other,
    }
}
