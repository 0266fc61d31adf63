//! What a value may be so that it can be stored and read back: how deep it nests, which characters it holds, and
//! which moments it may name.
//!
//! The walks here keep their own stack, so that no value, however deep, can end the program.

use super::finding::escape_segment;
use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, Utc};
use serde_json::{Map, Value};
use std::{iter::Enumerate, slice};

/// How deep a value may nest: a number or a text has the depth 0, `[]` the depth 1, `[[1]]` the depth 2.
pub const MAX_DEPTH: usize = 64;

/// How long the name of a workflow or a rule may be, in characters.
pub const MAX_NAME: usize = 300;
/// How long its description may be, in characters.
pub const MAX_DESCRIPTION: usize = 10_000;
/// How long one of its tags may be, in characters.
pub const MAX_TAG: usize = 100;

/// The years that a moment may lie in, so that the database and every client can hold it.
pub const YEARS: std::ops::RangeInclusive<i32> = 1..=9999;

/// Why a text names no moment that can be stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadInstant {
    /// The text has a date and a time, and doesn't say in which zone.
    #[error("\"{0}\" has no time zone; write {0}Z for UTC, or {0}+01:00")]
    NoZone(String),
    /// The moment lies outside of the years that can be stored.
    #[error("\"{0}\" lies outside of the years 1 to 9999")]
    Year(String),
    /// The text is no moment at all.
    #[error("\"{0}\" is no time; write RFC 3339 such as 2026-03-01T10:00:00Z")]
    NoTime(String),
}

/// Reads a moment as RFC 3339 writes it.
///
/// # Errors
/// Says what is wrong with the text and what to write instead.
pub fn instant(text: &str) -> Result<DateTime<Utc>, BadInstant> {
    let shown = || text.chars().take(40).collect::<String>();
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        let time = time.with_timezone(&Utc);
        return if holds(time) { Ok(time) } else { Err(BadInstant::Year(shown())) };
    }
    let far =
        text.strip_prefix(['+', '-']).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if far && text.parse::<DateTime<Utc>>().is_ok() {
        return Err(BadInstant::Year(shown()));
    }
    let is_local = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M"]
        .iter()
        .any(|form| NaiveDateTime::parse_from_str(text, form).is_ok());
    if is_local {
        return Err(BadInstant::NoZone(shown().replace(' ', "T")));
    }
    if NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok() {
        return Err(BadInstant::NoZone(format!("{}T00:00:00", shown())));
    }
    Err(BadInstant::NoTime(shown()))
}

/// Whether a moment lies in the years that can be stored.
pub fn holds(time: DateTime<Utc>) -> bool {
    YEARS.contains(&time.year())
}

/// How deep a value nests.
pub fn depth(value: &Value) -> usize {
    let mut deepest = 0;
    walk(value, |depth, _, _| {
        deepest = deepest.max(depth);
        false
    });
    deepest
}

/// Whether a value nests at most `most` deep and holds no character U+0000: nearly every value does, and is looked at
/// once. Where one doesn't, [`too_deep`] and [`place_of_zero`] say why.
pub fn is_storable(value: &Value, most: usize) -> bool {
    let is_text = |text: &str| !text.as_bytes().contains(&0);
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => is_text(text),
        Value::Array(list) => {
            most.checked_sub(1).is_some_and(|most| list.iter().all(|item| is_storable(item, most)))
        }
        Value::Object(map) => most
            .checked_sub(1)
            .is_some_and(|most| map.iter().all(|(key, value)| is_text(key) && is_storable(value, most))),
    }
}

/// The place of the first value that is nested in more than `most` others, as a JSON pointer.
pub fn too_deep(value: &Value, most: usize) -> Option<String> {
    walk(value, |depth, _, _| depth > most)
}

/// The same for the values of a map, each of which may nest [`MAX_DEPTH`] deep.
pub fn too_deep_in(map: &Map<String, Value>) -> Option<String> {
    map.iter().filter(|(_, value)| !is_storable(value, MAX_DEPTH)).find_map(|(key, value)| {
        too_deep(value, MAX_DEPTH).map(|below| format!("/{}{below}", escape_segment(key)))
    })
}

/// The place of the first text or key that holds the character U+0000, which the database can't store.
pub fn place_of_zero(value: &Value) -> Option<String> {
    let found = walk(value, |_, key, value| {
        key.is_some_and(|key| key.contains('\0')) || value.as_str().is_some_and(|text| text.contains('\0'))
    });
    found.map(|pointer| pointer.replace('\0', "?"))
}

enum Children<'v> {
    None,
    List(Enumerate<slice::Iter<'v, Value>>),
    Map(serde_json::map::Iter<'v>),
}

enum Segment<'v> {
    Root,
    Index(usize),
    Key(&'v str),
}

/// Visits a value and everything in it, parents first, with its depth and the key under which it stands. Stops at
/// the first for which `stop` holds, and tells its place.
fn walk<'v>(value: &'v Value, mut stop: impl FnMut(usize, Option<&str>, &Value) -> bool) -> Option<String> {
    let mut path: Vec<(Segment<'v>, Children<'v>)> = Vec::new();
    let mut next = Some((Segment::Root, value));
    loop {
        if let Some((segment, value)) = next.take() {
            let children = match value {
                Value::Array(list) => Children::List(list.iter().enumerate()),
                Value::Object(map) => Children::Map(map.iter()),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Children::None,
            };
            let depth = path.len() + usize::from(!matches!(children, Children::None));
            let key = if let Segment::Key(key) = segment { Some(key) } else { None };
            let is_found = stop(depth, key, value);
            path.push((segment, children));
            if is_found {
                return Some(pointer(&path));
            }
        }
        next = match path.last_mut() {
            None => return None,
            Some((_, Children::None)) => None,
            Some((_, Children::List(list))) => list.next().map(|(n, item)| (Segment::Index(n), item)),
            Some((_, Children::Map(map))) => map.next().map(|(key, item)| (Segment::Key(key), item)),
        };
        if next.is_none() {
            path.pop();
        }
    }
}

fn pointer(path: &[(Segment<'_>, Children<'_>)]) -> String {
    let segments = path.iter().map(|(segment, _)| match segment {
        Segment::Root => String::new(),
        Segment::Index(n) => format!("/{n}"),
        Segment::Key(key) => format!("/{}", escape_segment(key)),
    });
    segments.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn nested(depth: usize) -> Value {
        (0..depth).fold(json!(1), |inner, n| if n % 2 == 0 { json!([inner]) } else { json!({ "a": inner }) })
    }

    #[test]
    fn depth_counts_the_lists_and_maps_around_a_value() {
        for (value, wanted) in
            [(json!(1), 0), (json!([]), 1), (json!({}), 1), (json!([[1], 2]), 2), (nested(64), 64)]
        {
            assert_eq!(depth(&value), wanted, "{value}");
        }
        assert_eq!(too_deep(&nested(64), MAX_DEPTH), None);
        let pointer = too_deep(&nested(65), MAX_DEPTH).unwrap();
        assert_eq!(pointer.matches('/').count(), 64, "{pointer}");
        assert_eq!(too_deep(&json!({ "x": [1], "y/z": [[2]] }), 2), Some("/y~1z/0".into()));
    }

    #[test]
    fn a_value_of_any_depth_is_measured_without_the_stack() {
        let mut deep = json!(1);
        for _ in 0..200_000 {
            deep = Value::Array(vec![deep]);
        }
        assert_eq!(depth(&deep), 200_000);
        // Dropping it as a whole would recurse; taken apart it doesn't.
        while let Value::Array(mut list) = deep {
            deep = list.pop().unwrap_or_default();
        }
    }

    #[test]
    fn a_zero_character_is_found_in_keys_and_texts_at_any_place() {
        assert_eq!(place_of_zero(&json!({ "a": ["b", "c\0"] })), Some("/a/1".into()));
        assert_eq!(place_of_zero(&json!({ "a": { "b\0": 1 } })), Some("/a/b?".into()));
        assert_eq!(place_of_zero(&json!({ "a": ["b", 1, null, {}] })), None);
    }

    #[test]
    fn a_moment_has_a_zone_and_a_year_that_can_be_stored() {
        for good in [
            "2026-03-01T10:00:00Z",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
            "2026-03-01T10:00:00.5+02:00",
        ] {
            assert!(instant(good).is_ok(), "{good}");
        }
        for (bad, says) in [
            ("-5000-01-01T00:00:00Z", "years 1 to 9999"),
            ("+262142-01-01T00:00:00Z", "years 1 to 9999"),
            ("0000-06-01T00:00:00Z", "years 1 to 9999"),
            ("0001-01-01T00:00:00+05:00", "years 1 to 9999"),
            ("2026-03-01T10:00:00", "write 2026-03-01T10:00:00Z"),
            ("2026-03-01 10:00:00", "write 2026-03-01T10:00:00Z"),
            ("2026-03-01", "write 2026-03-01T00:00:00Z"),
            ("next tuesday", "RFC 3339"),
            ("", "RFC 3339"),
        ] {
            let said = instant(bad).unwrap_err().to_string();
            assert!(said.contains(says), "{bad}: {said}");
        }
    }

    #[test]
    fn what_is_storable_is_neither_too_deep_nor_holds_a_zero() {
        let zero = "a\0b";
        for value in [
            json!(null),
            json!([]),
            json!({}),
            json!("text"),
            json!(zero),
            json!([1, ["x", { "y": zero }]]),
            json!({ zero: 1 }),
            nested(3),
            nested(4),
            nested(5),
            json!([nested(3), nested(4)]),
        ] {
            let expected = too_deep(&value, 4).is_none() && place_of_zero(&value).is_none();
            assert_eq!(is_storable(&value, 4), expected, "{value}");
        }
    }
}
