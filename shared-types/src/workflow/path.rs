//! Paths into a run's context: names separated by dots; `lines[0]` is `lines.0`, and `['ship-to']` a key.

use serde_json::Value;
use std::borrow::Cow;

/// The names of a path; `None` where it can't be read.
pub fn parse(path: &str) -> Option<Vec<&str>> {
    let mut names = Vec::new();
    let mut rest = path;
    let mut is_first = true;
    while !rest.is_empty() {
        if let Some(bracket) = rest.strip_prefix('[').filter(|_| !is_first) {
            let (inside, after) = match bracket.chars().next()? {
                quote @ ('\'' | '"') => {
                    let (inside, after) = bracket[1..].split_once(quote)?;
                    (inside, after.strip_prefix(']')?)
                }
                _ => bracket.split_once(']').filter(|(n, _)| n.bytes().all(|b| b.is_ascii_digit()))?,
            };
            names.push(inside);
            rest = after;
        } else {
            let name = if is_first { rest } else { rest.strip_prefix('.')? };
            let end = name.find(['.', '[']).unwrap_or(name.len());
            names.push(&name[..end]);
            rest = &name[end..];
        }
        is_first = false;
    }
    (!names.is_empty() && names.iter().all(|name| !name.is_empty())).then_some(names)
}

/// The names of a path that a document holds; one that can't be read leads nowhere.
pub fn names(path: &str) -> Vec<&str> {
    if path.contains('[') { parse(path).unwrap_or_else(|| vec![path]) } else { path.split('.').collect() }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_with_dots_or_brackets() {
        for (path, names) in [
            ("order", Some(vec!["order"])),
            ("order.lines.0.sku", Some(vec!["order", "lines", "0", "sku"])),
            ("order.lines[0].sku", Some(vec!["order", "lines", "0", "sku"])),
            ("order['ship-to'].city", Some(vec!["order", "ship-to", "city"])),
            ("order[\"a.b\"][1][2]", Some(vec!["order", "a.b", "1", "2"])),
            ("lines[x]", None),
            ("lines[0", None),
            ("lines[0]sku", None),
            ("['a']", None),
            ("a..b", None),
            ("a.", None),
            ("", None),
        ] {
            assert_eq!(parse(path), names, "{path}");
        }
    }
}
