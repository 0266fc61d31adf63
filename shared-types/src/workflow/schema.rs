//! Holds a value against the very JSON Schema that editors and agents are given.
//!
//! The schema comes from the Rust types, so there is one description of the language; unlike serde, this
//! walk goes on after a fault and knows the place of each. What passes it can be read into the types.

mod format;
mod keywords;

use super::finding::{Finding, PatchOp, closest, escape_segment};
use keywords::{allows_null, is_null, leading_keys, tags, type_fits, type_in_words, types, variants, words};
use serde_json::{Map, Value};
use std::{collections::BTreeSet, sync::LazyLock};

/// Up to how many keys are named where another is found.
const FEW_KEYS: usize = 6;

/// How many findings are gathered before the rest of a value is left unread.
const MAX_GATHERED: usize = 20_000;

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let mut schema = schemars::schema_for!(super::Document).to_value();
    schema["title"] = "Workflow".into();
    schema["$id"] = "urn:iw:schema:workflow:1".into();
    schema
});

/// The JSON Schema of a workflow document.
pub fn schema() -> &'static Value {
    &SCHEMA
}

/// Everything in which `document` differs from the shape of a workflow.
pub fn check_shape(document: &Value) -> Vec<Finding> {
    check_against(schema(), document)
}

/// Everything in which a value differs from a schema.
pub fn check_against(schema: &Value, value: &Value) -> Vec<Finding> {
    let mut walk = Walk { root: schema, findings: Vec::new() };
    walk.value(schema, value, "");
    walk.findings
}

impl<'s> Object<'s> {
    fn property(&self, key: &str) -> Option<&'s Value> {
        self.properties.iter().rev().find_map(|properties| properties.get(key))
    }

    /// The names of all properties, in order.
    fn names(&self) -> BTreeSet<&'s str> {
        self.properties.iter().flat_map(|properties| properties.keys()).map(String::as_str).collect()
    }
}

struct Walk<'s> {
    root: &'s Value,
    findings: Vec<Finding>,
}

/// The keys that an object may have, gathered from a schema, what it refers to, and the variant that fits.
#[derive(Default)]
struct Object<'s> {
    /// The properties of each schema that describes it; a later one counts before an earlier one.
    properties: Vec<&'s Map<String, Value>>,
    required: Vec<&'s str>,
    rest: Option<&'s Value>,
    open: bool,
}

impl<'s> Walk<'s> {
    fn value(&mut self, schema: &'s Value, value: &Value, at: &str) {
        if self.findings.len() >= MAX_GATHERED {
            return;
        }
        self.text(schema, value, at);
        if schema.get("$ref").is_some() && value.is_string() {
            self.format(schema, value, at);
            self.text(self.resolve(schema), value, at);
        }
        let schema = self.resolve(schema);
        if value.is_null() && allows_null(schema) {
            return;
        }
        if let Some(words) = words(schema) {
            return self.word(&words, value, at);
        }
        if !schema.get("properties").is_some_and(Value::is_object)
            && let Some(variants) = variants(schema)
        {
            let variants: Vec<&Value> =
                variants.iter().map(|v| self.resolve(v)).filter(|v| !is_null(v)).collect();
            if let Some(variant) = self.choose(&variants, value, at) {
                self.value(variant, value, at);
            }
            return;
        }
        if !self.has_type(schema, value, at) {
            return;
        }
        match value {
            Value::Object(map) => self.object(schema, map, at),
            Value::Array(list) => self.list(schema, list, at),
            Value::String(_) | Value::Number(_) => self.scalar(schema, value, at),
            Value::Null | Value::Bool(_) => {}
        }
        self.format(schema, value, at);
    }

    fn object(&mut self, schema: &'s Value, map: &Map<String, Value>, at: &str) {
        let mut object = Object::default();
        self.gather(schema, map, at, &mut object);
        for key in object.required.iter().filter(|key| !map.contains_key(**key)) {
            self.findings.push(Finding::error("key.missing", at, format!("{} needs `{key}`.", place(at))));
        }
        for (key, value) in map {
            let below = || format!("{at}/{}", escape_segment(key));
            match object.property(key).or(object.rest) {
                Some(schema) => self.value(schema, value, &below()),
                None if object.open => {}
                None => self.unknown_key(key, &object, map, at, below()),
            }
        }
    }

    fn gather(&mut self, schema: &'s Value, map: &Map<String, Value>, at: &str, object: &mut Object<'s>) {
        if let Some(target) = schema.get("$ref") {
            self.gather(self.target(target), map, at, object);
        }
        object.properties.extend(schema.get("properties").and_then(Value::as_object));
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        object.required.extend(required.filter_map(Value::as_str));
        match schema.get("additionalProperties") {
            Some(Value::Bool(true)) => object.open = true,
            Some(rest @ Value::Object(_)) => object.rest = Some(rest),
            Some(_) => {}
            None => {
                object.open |= schema.get("properties").is_none()
                    && schema.get("$ref").is_none()
                    && variants(schema).is_none();
            }
        }
        if let Some(parts) = variants(schema) {
            let parts: Vec<&Value> = parts.iter().map(|v| self.resolve(v)).collect();
            let value = Value::Object(map.clone());
            match self.choose(&parts, &value, at) {
                Some(variant) => self.gather(variant, map, at, object),
                // The finding about the tag is enough; which keys may stand beside it isn't known.
                None => object.open = true,
            }
        }
    }

    /// The variant that a value means to be; of tagged objects, the one with its tag. Where there is none,
    /// a finding says so.
    fn choose(&mut self, variants: &[&'s Value], value: &Value, at: &str) -> Option<&'s Value> {
        if let [only] = variants {
            return Some(only);
        }
        if let Some((tag, words)) = tags(variants) {
            let Some(map) = value.as_object() else {
                self.wrong_type("a map", value, at);
                return None;
            };
            let Some(word) = map.get(tag) else {
                let list = words.join(", ");
                let message = format!("{} needs `{tag}`: {list}.", place(at));
                self.findings.push(Finding::error("key.missing", at, message));
                return None;
            };
            let found = word.as_str().and_then(|word| words.iter().position(|known| *known == word));
            if found.is_none() {
                self.word(&words, word, &format!("{at}/{tag}"));
            }
            return found.map(|n| variants[n]);
        }
        let fits = |variant: &&&Value| {
            let required = variant.get("required").and_then(Value::as_array);
            let complete = required
                .is_none_or(|keys| keys.iter().filter_map(Value::as_str).all(|key| value.get(key).is_some()));
            type_fits(variant, value) && complete
        };
        let overlap = |variant: &&&Value| {
            let properties = variant.get("properties").and_then(Value::as_object);
            properties.map_or(0, |known| known.keys().filter(|key| value.get(key).is_some()).count())
        };
        if let Some(map) = value.as_object()
            && let Some(keys) = leading_keys(variants)
            && !keys.iter().any(|key| map.contains_key(*key))
        {
            let message = format!("{} needs one of `{}`.", place(at), keys.join("`, `"));
            self.findings.push(Finding::error("key.missing", at, message));
            return None;
        }
        let nearest = || variants.iter().filter(|v| type_fits(v, value)).rev().max_by_key(overlap);
        let chosen = variants.iter().find(fits).or_else(nearest).copied();
        if chosen.is_none() {
            let mut wanted: Vec<&str> = Vec::new();
            for word in variants.iter().flat_map(|v| types(v)).map(type_in_words) {
                if !wanted.contains(&word) {
                    wanted.push(word);
                }
            }
            self.wrong_type(&wanted.join(" or "), value, at);
        }
        chosen
    }

    fn list(&mut self, schema: &'s Value, list: &[Value], at: &str) {
        let min = schema.get("minItems").and_then(Value::as_u64).unwrap_or_default();
        if (list.len() as u64) < min {
            self.findings.push(Finding::error("list.empty", at, format!("{} must not be empty.", place(at))));
        }
        if let Some(items) = schema.get("items") {
            for (n, item) in list.iter().enumerate() {
                self.value(items, item, &format!("{at}/{n}"));
            }
        }
    }

    fn scalar(&mut self, schema: &Value, value: &Value, at: &str) {
        let is_u32 = schema.get("format").is_some_and(|format| format == "uint32");
        let largest = Some(f64::from(u32::MAX)).filter(|_| is_u32);
        let limit =
            |key: &str| schema.get(key).and_then(Value::as_f64).or(largest.filter(|_| key == "maximum"));
        let Some(number) = value.as_f64() else { return };
        if limit("minimum").is_some_and(|min| number < min)
            || limit("maximum").is_some_and(|max| number > max)
        {
            let (min, max) = (limit("minimum").unwrap_or_default(), limit("maximum"));
            let range = max.map_or_else(|| format!("at least {min}"), |max| format!("from {min} to {max}"));
            self.findings.push(Finding::error("value.range", at, format!("{} must be {range}.", place(at))));
        }
    }

    /// Holds a text against `not: { enum: […] }`, and its length, counted in Unicode characters, against `minLength`
    /// and `maxLength`.
    fn text(&mut self, schema: &Value, value: &Value, at: &str) {
        let Some(text) = value.as_str() else { return };
        let reserved = schema.get("not").and_then(|not| not.get("enum")).and_then(Value::as_array);
        if reserved.is_some_and(|words| words.contains(value)) {
            let message = format!("{} is \"{text}\", which is a path of the API; choose another.", place(at));
            self.findings.push(Finding::error("id.reserved", at, message));
        }
        let limit = |key: &str| schema.get(key).and_then(Value::as_u64);
        let (min, max) = (limit("minLength").unwrap_or_default(), limit("maxLength").unwrap_or(u64::MAX));
        // A character takes a byte at least, so that most texts needn't be counted.
        if text.len() as u64 > max && text.chars().count() as u64 > max {
            let message = format!("{} is too long: it may have up to {max} characters.", place(at));
            self.findings.push(Finding::error("text.too_long", at, message));
        } else if (text.len() as u64) < min {
            let message = format!("{} must have {min} characters or more.", place(at));
            self.findings.push(Finding::error("text.too_short", at, message));
        }
    }

    fn word(&mut self, words: &[&str], value: &Value, at: &str) {
        let Some(word) = value.as_str() else {
            return self.wrong_type(&format!("one of {}", words.join(", ")), value, at);
        };
        if words.contains(&word) {
            return;
        }
        let code = if at.ends_with("/operator") { "operator.unknown" } else { "value.unknown" };
        let message = format!("{} is \"{word}\"; it can be {}.", place(at), words.join(", "));
        let finding = Finding::error(code, at, message);
        self.findings.push(match closest(word, words.iter().copied()) {
            Some(close) => {
                finding.with_fix(vec![PatchOp::Replace { path: at.to_owned(), value: close.into() }])
            }
            None => finding,
        });
    }

    fn unknown_key(
        &mut self,
        key: &str,
        object: &Object<'_>,
        map: &Map<String, Value>,
        at: &str,
        below: String,
    ) {
        let names = object.names();
        let free = names.iter().copied().filter(|known| !map.contains_key(*known));
        let finding = if let Some(close) = closest(key, free) {
            let to = format!("{at}/{close}");
            Finding::error("key.unknown", &below, format!("`{key}` is no key here; `{close}` is."))
                .with_fix(vec![PatchOp::Move { from: below, path: to }])
        } else {
            let known: Vec<&str> = names.into_iter().collect();
            let keys = match known.as_slice() {
                [] => String::new(),
                [only] => format!(", whose only key is `{only}`"),
                few if few.len() <= FEW_KEYS => format!(", whose keys are `{}`", few.join("`, `")),
                _ => String::new(),
            };
            let message = format!("`{key}` is no key of {}{keys}.", place(at).to_lowercase());
            Finding::error("key.unknown", &below, message).with_fix(vec![PatchOp::Remove { path: below }])
        };
        self.findings.push(finding);
    }

    fn has_type(&mut self, schema: &Value, value: &Value, at: &str) -> bool {
        if type_fits(schema, value) {
            return true;
        }
        let mut wanted: Vec<&str> = types(schema).into_iter().map(type_in_words).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let wanted = wanted.join(" or ");
        self.wrong_type(&wanted, value, at);
        false
    }

    fn wrong_type(&mut self, wanted: &str, value: &Value, at: &str) {
        let got = match value {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
            Value::String(_) => "a text",
            Value::Array(_) => "a list",
            Value::Object(_) => "a map",
        };
        self.findings.push(Finding::error(
            "value.type",
            at,
            format!("{} is {got}; it must be {wanted}.", place(at)),
        ));
    }

    fn resolve(&self, schema: &'s Value) -> &'s Value {
        match schema.get("$ref") {
            // A reference beside keys of its own is an object; `gather` joins the two.
            Some(target) if schema.get("properties").is_none() => self.resolve(self.target(target)),
            Some(_) | None => schema,
        }
    }

    fn target(&self, reference: &Value) -> &'s Value {
        let pointer = reference.as_str().unwrap_or_default().trim_start_matches('#');
        self.root.pointer(pointer).unwrap_or(&Value::Null)
    }
}

/// How a place is called in a sentence.
fn place(at: &str) -> String {
    match at.rsplit('/').next().unwrap_or_default() {
        "" => "The workflow".to_owned(),
        number if number.bytes().all(|b| b.is_ascii_digit()) => format!("Entry {number} of `{}`", parent(at)),
        key => format!("`{}`", key.replace("~1", "/").replace("~0", "~")),
    }
}

fn parent(at: &str) -> &str {
    at.rsplit('/').nth(1).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn codes(document: &Value) -> Vec<(String, String)> {
        check_shape(document).into_iter().map(|f| (f.code.into_owned(), f.pointer)).collect()
    }

    fn document(steps: &Value) -> Value {
        json!({"workflow_id": "w", "name": "W", "trigger": {"type": "manual"}, "steps": steps})
    }

    #[test]
    fn a_sound_document_has_no_findings_and_reads_into_the_types() {
        let document = document(&json!([
            {"id": "a", "type": "condition", "condition": {"and": [{"field": "x.y", "operator": ">=", "value": 1}]}, "on_true": "b"},
            {"id": "b", "type": "action", "action": {"type": "block", "reason": "no"}, "on_approved": "a",
             "execute": [{"type": "webhook", "url": "{{ u }}"}, {"type": "create_approval_request", "data": {"approver_role": "x"}}]},
            {"id": "c", "type": "wait", "wait": {"for": "2h"}, "retry": {"max_attempts": 3, "retry_on": ["5xx", 409, "*"]}},
            {"id": "d", "type": "wait", "wait": {"event": "a.b", "match": {"id": "{{ id }}"}}, "metadata": {"any": ["thing"]}},
            {"id": "e", "type": "fail", "reason": "because"},
        ]));
        assert_eq!(codes(&document), Vec::<(String, String)>::new());
        let typed: super::super::Document = serde_json::from_value(document.clone()).unwrap();
        let mut back = serde_json::to_value(&typed).unwrap();
        back["steps"][0]["condition"]["and"][0]["operator"] = ">=".into();
        assert_eq!(back, document);
    }

    #[test]
    fn every_fault_is_found_at_once_with_its_place() {
        let found = codes(&document(&json!([
            {"id": "a b", "type": "condition", "condition": {"field": "x..y", "operator": "gtee", "value": 1}, "on_ture": "b"},
            {"id": "b", "type": "conditoin"},
            {"id": "c", "type": "wait", "wait": {"for": "soon"}, "retry": {"max_attempts": 0, "retry_on": ["maybe"]}},
            {"id": "d", "type": "execute", "execute": {"type": "log"}},
            {"id": "e", "type": "execute", "execute": [{"type": "http_request"}, {"message": "x"}, {"type": "log", "message": "{{ x"}]},
            {"id": "f", "type": "condition", "condition": {"and": []}},
            {"type": "set", "set": {"a": "{{ | }}"}, "timeout": 5},
        ])));
        let expected = [
            ("id.bad", "/steps/0/id"),
            ("field.bad", "/steps/0/condition/field"),
            ("operator.unknown", "/steps/0/condition/operator"),
            ("key.unknown", "/steps/0/on_ture"),
            ("value.unknown", "/steps/1/type"),
            ("duration.bad", "/steps/2/wait/for"),
            ("value.range", "/steps/2/retry/max_attempts"),
            ("value.unknown", "/steps/2/retry/retry_on/0"),
            ("value.type", "/steps/3/execute"),
            ("key.missing", "/steps/4/execute/0"),
            ("key.missing", "/steps/4/execute/1"),
            ("template.bad", "/steps/4/execute/2/message"),
            ("list.empty", "/steps/5/condition/and"),
            ("key.missing", "/steps/6"),
            ("template.bad", "/steps/6/set/a"),
            ("value.type", "/steps/6/timeout"),
        ];
        let found: Vec<(&str, &str)> = found.iter().map(|(c, p)| (c.as_str(), p.as_str())).collect();
        for wanted in expected {
            assert!(found.contains(&wanted), "{wanted:?} in {found:#?}");
        }
        assert_eq!(found.len(), expected.len(), "{found:#?}");
    }

    #[test]
    fn a_misspelt_key_carries_its_mending() {
        let findings =
            check_shape(&document(&json!([{"id": "a", "type": "execute", "execute": [], "nxet": "b"}])));
        assert_eq!(
            findings[0].fix,
            Some(vec![PatchOp::Move { from: "/steps/0/nxet".into(), path: "/steps/0/next".into() }])
        );
    }

    #[test]
    fn a_key_that_is_none_is_told_with_those_that_are() {
        let findings = check_shape(&document(&json!([
            {"id": "a", "type": "switch", "cases": [{"when": {"expr": "x"}, "label": "y", "to": "b"}]}
        ])));
        let message = &findings[0].message;
        assert!(message.ends_with("whose keys are `next`, `when`."), "{message}");
    }
}
