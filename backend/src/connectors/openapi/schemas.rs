//! Schemas of a document made into JSON Schemas of the draft 2020-12.
//!
//! Only what that draft knows is taken, and only where it has the type that the draft asks for, so that what comes out is
//! always a schema. Schemas that others refer to become definitions; circles among them stay.

use super::{
    Findings,
    document::{Document, Version},
    references::{Lost, followed, pointer_of, tell},
};
use serde_json::{Map, Value, json};
use shared_types::{
    connector::{Definitions, MAX_PATTERN},
    workflow::finding::escape_segment,
};
use std::collections::{BTreeMap, BTreeSet};

/// The types of JSON Schema.
const TYPES: [&str; 7] = ["null", "boolean", "object", "array", "number", "integer", "string"];
/// Where the schemas of a document stand that have names.
const NAMED: &str = "/components/schemas/";

/// The schemas of a document.
#[derive(Debug)]
pub(super) struct Schemas<'d> {
    document: &'d Document,
    /// The names of definitions, by the pointer to what they were made from.
    names: BTreeMap<String, String>,
    taken: BTreeSet<String>,
    /// How many names were made of one, so that the next is found at once.
    used: BTreeMap<String, usize>,
    /// What is referred to and wasn't made into a definition yet: its name and its pointer.
    open: Vec<(String, String)>,
    /// The patterns that are left out, with the place of each.
    bad_patterns: Vec<String>,
}

impl<'d> Schemas<'d> {
    pub(super) fn new(document: &'d Document) -> Self {
        Self {
            document,
            names: BTreeMap::new(),
            taken: BTreeSet::new(),
            used: BTreeMap::new(),
            open: Vec::new(),
            bad_patterns: Vec::new(),
        }
    }

    /// Every definition that the schemas made so far lead to.
    pub(super) fn into_definitions(mut self, findings: &mut Findings) -> Definitions {
        let mut definitions = Map::new();
        while let Some((name, pointer)) = self.open.pop() {
            let schema = self.document.root().pointer(&pointer).cloned().unwrap_or(Value::Bool(true));
            let made = self.made(&schema, &pointer, findings);
            definitions.insert(name, made);
        }
        if let Some(first) = self.bad_patterns.first() {
            let message = format!(
                "{} patterns can't be checked here and are left out: they use what only some readers of patterns know, \
                 or are too large.",
                self.bad_patterns.len()
            );
            findings.warning("openapi.pattern", first.clone(), message);
        }
        Definitions(definitions)
    }

    /// The JSON Schema that a schema of the document says.
    pub(super) fn made(&mut self, schema: &Value, at: &str, findings: &mut Findings) -> Value {
        let Value::Object(map) = schema else {
            return Value::Bool(schema != &Value::Bool(false));
        };
        let mut made = Map::new();
        if let Some(reference) = map.get("$ref").and_then(Value::as_str) {
            match self.reference(schema, reference, at, findings) {
                Some(reference) => made.insert("$ref".to_owned(), json!(reference)),
                None => return Value::Bool(true),
            };
            // In 3.0, what stands beside a reference says nothing.
            if self.document.version == Version::V3_0 {
                return Value::Object(made);
            }
        }
        for (key, value) in map {
            let at = format!("{at}/{}", escape_segment(key));
            if let Some(value) = self.keyword(key, value, &at, findings) {
                made.insert(key.clone(), value);
            }
        }
        if let Some(example) = map.get("example") {
            made.entry("examples").or_insert_with(|| json!([example]));
        }
        self.leave_out_what_is_only_read(map, &mut made);
        if self.document.version == Version::V3_0 { of_3_0(map, made) } else { Value::Object(made) }
    }

    /// The value of a keyword, where the draft knows it and the value is one for it.
    fn keyword(&mut self, key: &str, value: &Value, at: &str, findings: &mut Findings) -> Option<Value> {
        let as_it_is = |fits: bool| fits.then(|| value.clone());
        match key {
            "title" | "description" | "format" | "contentMediaType" | "contentEncoding" => {
                as_it_is(value.is_string())
            }
            "default" | "const" => as_it_is(true),
            "examples" => as_it_is(value.is_array()),
            "enum" => as_it_is(value.as_array().is_some_and(|list| !list.is_empty())),
            "readOnly" | "writeOnly" | "deprecated" | "uniqueItems" => as_it_is(value.is_boolean()),
            "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties"
            | "minContains" | "maxContains" => as_it_is(value.is_u64()),
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => as_it_is(value.is_number()),
            "multipleOf" => as_it_is(value.as_f64().is_some_and(|number| number > 0.0)),
            "type" => types(value),
            "pattern" => self.pattern(value.as_str()?, at).then(|| value.clone()),
            "required" => Some(json!(names(value)?)),
            "dependentRequired" => {
                let lists = value.as_object()?.iter();
                Some(Value::Object(lists.filter_map(|(k, v)| Some((k.clone(), json!(names(v)?)))).collect()))
            }
            "properties" | "dependentSchemas" | "patternProperties" => {
                let mut made = Map::new();
                for (name, schema) in value.as_object()? {
                    let at = format!("{at}/{}", escape_segment(name));
                    if key != "patternProperties" || self.pattern(name, &at) {
                        made.insert(name.clone(), self.made(schema, &at, findings));
                    }
                }
                Some(Value::Object(made))
            }
            "additionalProperties"
            | "unevaluatedProperties"
            | "unevaluatedItems"
            | "items"
            | "contains"
            | "propertyNames"
            | "not"
            | "if"
            | "then"
            | "else" => (value.is_object() || value.is_boolean()).then(|| self.made(value, at, findings)),
            "allOf" | "anyOf" | "oneOf" | "prefixItems" => {
                let list = value.as_array().filter(|list| !list.is_empty())?;
                let made = list.iter().enumerate();
                Some(made.map(|(n, schema)| self.made(schema, &format!("{at}/{n}"), findings)).collect())
            }
            _ => None,
        }
    }

    /// Whether a pattern can be checked here, in a time that its text's length bounds.
    fn pattern(&mut self, pattern: &str, at: &str) -> bool {
        let is_good = regex::RegexBuilder::new(pattern).size_limit(MAX_PATTERN).build().is_ok();
        if !is_good {
            self.bad_patterns.push(at.to_owned());
        }
        is_good
    }

    /// The reference to the definition of what a reference names; none where it leads to nothing, which is told.
    fn reference(
        &mut self,
        schema: &Value,
        reference: &str,
        at: &str,
        findings: &mut Findings,
    ) -> Option<String> {
        let lost = match followed(self.document, schema, at) {
            Ok(_) => None,
            // Beside a reference of 3.1 there may be a schema, which then stands alone.
            Err((reference, lost)) => Some((reference, lost)),
        };
        let pointer = pointer_of(reference);
        match (lost, pointer) {
            (None, Some(pointer)) => Some(format!("#/$defs/{}", self.name(pointer))),
            (Some(lost), _) => {
                tell(at, &lost, findings);
                None
            }
            (None, None) => {
                tell(at, &(reference.to_owned(), Lost::Outside), findings);
                None
            }
        }
    }

    /// The name of the definition that is made from what a pointer leads to.
    fn name(&mut self, pointer: String) -> String {
        if let Some(name) = self.names.get(&pointer) {
            return name.clone();
        }
        let plain = pointer.strip_prefix(NAMED).unwrap_or(&pointer[1.min(pointer.len())..]);
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let plain: String = plain.chars().map(|c| if is_plain(c) { c } else { '.' }).collect();
        let used = self.used.entry(plain.clone()).or_default();
        let mut name = plain.clone();
        while !self.taken.insert(name.clone()) {
            *used += 1;
            name = format!("{plain}.{used}");
        }
        self.names.insert(pointer.clone(), name.clone());
        self.open.push((name.clone(), pointer));
        name
    }

    /// Takes out of `required` what only answers have: a caller can't send it.
    fn leave_out_what_is_only_read(&self, written: &Map<String, Value>, made: &mut Map<String, Value>) {
        let is_only_read = |name: &str| {
            let property = written.get("properties").and_then(|properties| properties.get(name));
            let property = property.and_then(|property| followed(self.document, property, "").ok());
            property.is_some_and(|part| part.value.get("readOnly") == Some(&Value::Bool(true)))
        };
        let Some(Value::Array(required)) = made.get_mut("required") else { return };
        required.retain(|name| !name.as_str().is_some_and(is_only_read));
    }
}

fn types(value: &Value) -> Option<Value> {
    let known = |one: &Value| one.as_str().filter(|one| TYPES.contains(one)).map(str::to_owned);
    match value {
        Value::String(_) => known(value).map(Value::String),
        Value::Array(list) => {
            let known: BTreeSet<String> = list.iter().filter_map(known).collect();
            (!known.is_empty()).then(|| json!(known))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

/// A list of names, each once.
fn names(value: &Value) -> Option<BTreeSet<&str>> {
    Some(value.as_array()?.iter().filter_map(Value::as_str).collect())
}

/// What 3.0 says in its own way: `nullable`, and limits that are excluded by a flag.
fn of_3_0(written: &Map<String, Value>, mut made: Map<String, Value>) -> Value {
    for (limit, excluded) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
        if written.get(excluded) == Some(&Value::Bool(true))
            && let Some(value) = made.remove(limit)
        {
            made.insert(excluded.to_owned(), value);
        }
    }
    if written.get("nullable") != Some(&Value::Bool(true)) {
        return Value::Object(made);
    }
    if let Some(Value::Array(options)) = made.get_mut("enum")
        && !options.contains(&Value::Null)
    {
        options.push(Value::Null);
    }
    match made.get("type").and_then(Value::as_str) {
        Some(one) => {
            let types = json!([one, "null"]);
            made.insert("type".to_owned(), types);
            Value::Object(made)
        }
        // Without a type, it is meant of all of it.
        None => json!({ "anyOf": [made, { "type": "null" }] }),
    }
}
