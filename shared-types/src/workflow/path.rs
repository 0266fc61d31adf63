//! Paths into a run's context: names separated by dots.

use serde_json::Value;
use std::borrow::Cow;

/// Follows `segments` below `value`: keys of maps, numbers from 0 in lists, `length` of a list or text.
pub fn follow<'a, 's>(value: &'a Value, segments: impl Iterator<Item = &'s str>) -> Option<Cow<'a, Value>> {
    let mut at = value;
    let mut segments = segments.peekable();
    while let Some(segment) = segments.next() {
        let found = match at {
            Value::Object(map) => map.get(segment),
            Value::Array(list) => segment.parse::<usize>().ok().and_then(|index| list.get(index)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        };
        match found {
            Some(found) => at = found,
            None if segment == "length" && segments.peek().is_none() => return length(at).map(Cow::Owned),
            None => return None,
        }
    }
    Some(Cow::Borrowed(at))
}

fn length(value: &Value) -> Option<Value> {
    match value {
        Value::Array(list) => Some(Value::from(list.len())),
        Value::String(text) => Some(Value::from(text.chars().count())),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}
