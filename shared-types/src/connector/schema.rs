//! JSON Schemas of inputs: what they need to stand alone, and what of an input doesn't fit them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// How large a pattern of a schema may become when it is made ready, in bytes.
pub const MAX_PATTERN: usize = 1 << 20;
/// Where schemas of a connector lead to each other.
const PREFIX: &str = "#/$defs/";

/// The schemas that a connector's operations share, by name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Definitions(pub Map<String, Value>);

/// How many references are followed from one schema to the next.
const MAX_CHAIN: usize = 16;

impl Definitions {
    /// The schema itself, or the definition that it refers to.
    pub fn followed<'s>(&'s self, schema: &'s Value) -> &'s Value {
        let mut at = schema;
        for _ in 0..MAX_CHAIN {
            let name = at.get("$ref").and_then(Value::as_str).and_then(definition_name);
            let Some(next) = name.and_then(|name| self.0.get(&name)) else { break };
            at = next;
        }
        at
    }
}

/// A schema with all the definitions that it leads to, so that it stands alone.
pub fn self_contained(schema: &Value, definitions: &Definitions) -> Value {
    let mut needed = BTreeSet::new();
    let mut open = vec![schema];
    while let Some(value) = open.pop() {
        for name in referred(value) {
            if let Some(definition) = definitions.0.get(&name)
                && needed.insert(name)
            {
                open.push(definition);
            }
        }
    }
    let mut whole = schema.clone();
    if let (Value::Object(map), false) = (&mut whole, needed.is_empty()) {
        let defs = needed.into_iter().filter_map(|name| {
            let definition = definitions.0.get(&name)?.clone();
            Some((name, definition))
        });
        map.insert("$defs".to_owned(), Value::Object(defs.collect()));
    }
    whole
}

/// How large schemas are with all that they lead to.
#[derive(Debug)]
pub struct SchemaSizes<'d> {
    definitions: BTreeMap<&'d str, (usize, Vec<String>)>,
}

impl<'d> SchemaSizes<'d> {
    /// Measures each definition once.
    pub fn new(definitions: &'d Definitions) -> Self {
        let measured =
            definitions.0.iter().map(|(name, schema)| (name.as_str(), (size(schema), referred(schema))));
        Self { definitions: measured.collect() }
    }

    /// Whether a schema with all that it leads to has at most so many bytes of JSON.
    pub fn is_within(&self, schema: &Value, most: usize) -> bool {
        let mut bytes = size(schema);
        let mut met: BTreeSet<&str> = BTreeSet::new();
        let of_schema = referred(schema);
        let mut open: Vec<&str> = of_schema.iter().map(String::as_str).collect();
        while let Some(name) = open.pop() {
            let Some((&name, (own, referred))) = self.definitions.get_key_value(name) else { continue };
            if met.insert(name) {
                bytes += own;
                open.extend(referred.iter().map(String::as_str));
            }
            if bytes > most {
                return false;
            }
        }
        bytes <= most
    }
}

fn size(schema: &Value) -> usize {
    schema.to_string().len()
}

/// The names of the definitions that a schema leads to by itself.
fn referred(schema: &Value) -> Vec<String> {
    let mut names = Vec::new();
    let mut open = vec![schema];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(map) => {
                names.extend(map.get("$ref").and_then(Value::as_str).and_then(definition_name));
                open.extend(map.values());
            }
            Value::Array(list) => open.extend(list),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    names
}

/// The definition that a reference leads to.
fn definition_name(reference: &str) -> Option<String> {
    let name = reference.strip_prefix(PREFIX)?.split('/').next()?;
    Some(name.replace("~1", "/").replace("~0", "~"))
}

/// What of an input doesn't fit its schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputFault {
    /// Where in the input, as a JSON pointer.
    pub pointer: String,
    /// What is wrong there, in a sentence without its full stop.
    pub message: String,
}

#[cfg(feature = "json-schema")]
pub use validator::{InputSchema, SchemaError};

#[cfg(feature = "json-schema")]
mod validator {
    use super::{Definitions, InputFault, MAX_PATTERN, self_contained};
    use jsonschema::{
        Draft, Keyword, PatternOptions, ValidationError, Validator, error::ValidationErrorKind,
    };
    use serde_json::{Value, json};
    use std::{
        cell::Cell,
        panic,
        time::{Duration, Instant},
    };

    /// How many faults of one input are told.
    const MAX_FAULTS: usize = 20;
    /// How many of the values that may stand at a place are told.
    const MAX_OPTIONS: usize = 20;

    /// How many schemas one input is held against. Those of real systems need some thousands.
    const MAX_WORK: u32 = 500_000;
    /// How long one input is checked at most, and after how many schemas the clock is looked at.
    const MAX_TIME: Duration = Duration::from_secs(2);
    const CLOCK_INTERVAL: u32 = 256;
    /// The keyword that counts. A system's own schemas have none like it: what the draft doesn't know is taken out of them.
    const COUNTED: &str = "x-iw-counted";

    /// A schema of inputs, ready to check.
    #[derive(Debug)]
    pub struct InputSchema(Validator);

    /// A schema that can't be used.
    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    pub struct SchemaError(String);

    impl InputSchema {
        /// Makes a schema ready, with the definitions that it leads to. Nothing outside of them is read.
        ///
        /// # Errors
        /// It isn't a JSON Schema of the draft 2020-12, or leads to what isn't there.
        pub fn new(schema: &Value, definitions: &Definitions) -> Result<Self, SchemaError> {
            let options = jsonschema::options()
                .with_draft(Draft::Draft202012)
                .offline()
                .with_pattern_options(PatternOptions::regex().size_limit(MAX_PATTERN))
                .should_validate_formats(false)
                .with_keyword(COUNTED, |_, _, _| Ok(Box::new(Counting)));
            let mut whole = self_contained(schema, definitions);
            count(&mut whole);
            let built = options.build(&whole);
            built.map(Self).map_err(|error| SchemaError(error.to_string()))
        }

        /// What of an input doesn't fit. `templates` are the places in it that are filled in later, as JSON pointers:
        /// nothing is said of them, nor of what they decide around them.
        pub fn faults(&self, input: &Value, templates: &[String]) -> Vec<InputFault> {
            let check = || {
                let known = self.0.iter_errors(input).filter(|error| is_known(error, templates));
                known.map(|error| fault(&error)).take(MAX_FAULTS).collect()
            };
            WORK.set((0, Some(Instant::now())));
            panic::catch_unwind(panic::AssertUnwindSafe(check)).unwrap_or_else(|stopped| {
                if stopped.is::<TooMuchWork>() {
                    let message = "it takes too much work to check; the schema branches too often".to_owned();
                    return vec![InputFault { pointer: String::new(), message }];
                }
                panic::resume_unwind(stopped)
            })
        }
    }

    thread_local! {
        /// How many schemas the input that this thread checks was held against, and since when.
        static WORK: Cell<(u32, Option<Instant>)> = const { Cell::new((0, None)) };
    }

    /// What stops a check that takes too much work. The validator has no other way to be stopped: schemas that branch and lead
    /// back to themselves make work that doubles with each level of the input.
    struct TooMuchWork;

    /// Counts each time that a schema is held against a value.
    struct Counting;

    impl Counting {
        fn count() {
            let (work, begun) = WORK.get();
            WORK.set((work + 1, begun));
            let is_late = work % CLOCK_INTERVAL == 0 && begun.is_some_and(|begun| begun.elapsed() > MAX_TIME);
            if work >= MAX_WORK || is_late {
                panic::resume_unwind(Box::new(TooMuchWork));
            }
        }
    }

    impl<'i> Keyword<'i> for Counting {
        fn validate(&self, _: &'i Value) -> Result<(), ValidationError<'i>> {
            Self::count();
            Ok(())
        }

        fn is_valid(&self, _: &'i Value) -> bool {
            Self::count();
            true
        }
    }

    /// Has all that may be used many times counted: definitions, and the schemas of items and of properties without a name.
    fn count(whole: &mut Value) {
        count_repeated(whole);
        if let Some(Value::Object(definitions)) = whole.get_mut("$defs") {
            definitions.values_mut().for_each(counted);
        }
    }

    /// The keywords whose schema is held against as many values as an input has.
    const REPEATED: [&str; 6] = [
        "items",
        "contains",
        "additionalProperties",
        "propertyNames",
        "unevaluatedItems",
        "unevaluatedProperties",
    ];

    fn count_repeated(schema: &mut Value) {
        match schema {
            Value::Object(map) => {
                for (key, below) in map.iter_mut() {
                    // What stands under these is data, and no schema.
                    if ["const", "default", "enum", "examples"].contains(&key.as_str()) {
                        continue;
                    }
                    count_repeated(below);
                    if REPEATED.contains(&key.as_str()) {
                        counted(below);
                    } else if key == "patternProperties"
                        && let Value::Object(patterns) = below
                    {
                        patterns.values_mut().for_each(counted);
                    }
                }
            }
            Value::Array(list) => list.iter_mut().for_each(count_repeated),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// Has a schema counted before anything else of it: the validator looks at a keyword of ours last, and not at all where
    /// another one fails before.
    fn counted(schema: &mut Value) {
        if schema.is_object() {
            *schema = json!({ "allOf": [{ COUNTED: true }, schema.take()] });
        }
    }

    /// Whether an error stands whatever the templates become.
    fn is_known(error: &ValidationError<'_>, templates: &[String]) -> bool {
        let at = error.instance_path().as_str();
        let is_below = |place: &str, other: &str| {
            place.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if templates.iter().any(|template| is_below(at, template)) {
            return false;
        }
        let holds_template = templates.iter().any(|template| is_below(template, at));
        let is_of_shape = matches!(
            error.kind(),
            ValidationErrorKind::Required { .. }
                | ValidationErrorKind::AdditionalProperties { .. }
                | ValidationErrorKind::Type { .. }
                | ValidationErrorKind::MinItems { .. }
                | ValidationErrorKind::MaxItems { .. }
                | ValidationErrorKind::MinProperties { .. }
                | ValidationErrorKind::MaxProperties { .. }
        );
        !holds_template || is_of_shape
    }

    fn fault(error: &ValidationError<'_>) -> InputFault {
        let named =
            |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let kind = error.kind();
        let message = if let ValidationErrorKind::Required { property } = kind {
            format!("it needs `{}`", property.as_str().unwrap_or_default())
        } else if let ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } = kind
        {
            format!("it takes no {}", named(unexpected))
        } else if let ValidationErrorKind::Enum { options } = kind {
            let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
            let listed: Vec<String> = options.iter().take(MAX_OPTIONS).map(Value::to_string).collect();
            let more = if options.len() > MAX_OPTIONS { ", …" } else { "" };
            format!("it must be one of {}{more}", listed.join(", "))
        } else if let ValidationErrorKind::Pattern { pattern } = kind {
            format!("it must match the pattern `{pattern}`")
        } else {
            // The value itself may be somebody's secret.
            error.masked_with("it").to_string()
        };
        InputFault { pointer: error.instance_path().as_str().to_owned(), message }
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use serde_json::Map;

        fn schema() -> InputSchema {
            let definitions = json!({
                "Address": { "type": "object", "properties": { "city": {"type": "string"}, "zip": {"$ref": "#/$defs/Zip"} }, "required": ["city"] },
                "Zip": { "type": "string", "pattern": "^[0-9]{5}$" },
                "Unused": { "type": "string", "pattern": "^(a" },
            });
            let definitions = Definitions(definitions.as_object().unwrap().clone());
            let schema = json!({
                "type": "object", "required": ["id", "body"], "additionalProperties": false,
                "properties": {
                    "id": {"type": "integer", "minimum": 1},
                    "kind": {"enum": ["a", "b"]},
                    "body": {"$ref": "#/$defs/Address"},
                },
            });
            InputSchema::new(&schema, &definitions).unwrap()
        }

        fn told(input: &Value, templates: &[&str]) -> Vec<String> {
            let templates: Vec<String> = templates.iter().map(|&at| at.to_owned()).collect();
            let faults = schema().faults(input, &templates).into_iter();
            faults.map(|fault| format!("{}: {}", fault.pointer, fault.message)).collect()
        }

        #[test]
        fn what_does_not_fit_is_told_with_its_place_and_without_its_value() {
            let told = told(&json!({"id": 0, "kind": "c", "body": {"zip": "secret"}, "more": 1}), &[]);
            for expected in [
                "/id: it is less than the minimum of 1",
                "/kind: it must be one of \"a\", \"b\"",
                "/body: it needs `city`",
                "/body/zip: it must match the pattern `^[0-9]{5}$`",
                ": it takes no `more`",
            ] {
                assert!(told.iter().any(|fault| fault == expected), "{expected} in {told:?}");
            }
            assert!(!told.iter().any(|fault| fault.contains("secret")), "{told:?}");
        }

        #[test]
        fn what_templates_decide_is_left_out_and_the_rest_is_told() {
            let input =
                json!({"id": "{{ order.id }}", "kind": "c", "body": {"city": "{{ city }}", "zip": "x"}});
            let told = told(&input, &["/id", "/body/city"]);
            assert_eq!(told.len(), 2, "{told:?}");
            assert!(
                super::super::self_contained(&json!({"$ref": "#/$defs/A"}), &Definitions::default())
                    .get("$defs")
                    .is_none()
            );
            assert_eq!(schema().faults(&json!("{{ all }}"), &[String::new()]), []);
            assert_eq!(schema().faults(&json!({"body": "{{ body }}"}), &["/body".to_owned()]).len(), 1);
        }

        #[test]
        fn a_schema_whose_work_doubles_with_each_level_is_given_up() {
            let half = json!({ "properties": { "a": {"$ref": "#/$defs/A"} } });
            let definitions = Map::from_iter([("A".to_owned(), json!({ "allOf": [half, half] }))]);
            let schema = InputSchema::new(&json!({"$ref": "#/$defs/A"}), &Definitions(definitions)).unwrap();
            let deep = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!({ "a": inner }));
            assert_eq!(schema.faults(&deep(5), &[]), []);
            let faults = schema.faults(&deep(60), &[]);
            assert!(faults[0].message.contains("too much work"), "{faults:?}");
            // The next input begins anew.
            assert_eq!(schema.faults(&deep(5), &[]), []);
        }

        #[test]
        fn a_schema_that_branches_at_each_level_is_stopped_whatever_the_value() {
            for depth in [10, 20, 30, 60] {
                let definition = |n: usize| match n {
                    0 => json!({ "type": "string" }),
                    n => {
                        let below = json!({ "$ref": format!("#/$defs/n{}", n - 1) });
                        json!({ "anyOf": [below, below] })
                    }
                };
                let definitions = (0..=depth).map(|n| (format!("n{n}"), definition(n))).collect();
                let schema = json!({ "properties": { "x": { "$ref": format!("#/$defs/n{depth}") } } });
                let schema = InputSchema::new(&schema, &Definitions(definitions)).unwrap();
                assert_eq!(schema.faults(&json!({ "x": "fits" }), &[]), []);
                assert!(!schema.faults(&json!({ "x": 5 }), &[]).is_empty(), "{depth}");
            }
        }

        #[test]
        fn many_items_that_branch_are_stopped_as_well() {
            let branches: Vec<Value> = (0..1_000).map(|n| json!({ "const": n })).collect();
            let schema = json!({ "items": { "anyOf": branches } });
            let schema = InputSchema::new(&schema, &Definitions::default()).unwrap();
            let many: Vec<Value> = (0..600_000).map(|_| json!("no")).collect();
            assert!(!schema.faults(&Value::Array(many), &[]).is_empty());
        }

        #[test]
        fn a_schema_that_leads_to_itself_is_checked_as_deep_as_the_input_and_a_broken_one_is_refused() {
            let definitions = json!({ "Node": { "type": "object", "properties": { "next": {"$ref": "#/$defs/Node"}, "n": {"type": "integer"} } } });
            let definitions = Definitions(definitions.as_object().unwrap().clone());
            let schema = InputSchema::new(&json!({"$ref": "#/$defs/Node"}), &definitions).unwrap();
            let faults = schema.faults(&json!({"next": {"next": {"n": "x"}}}), &[]);
            assert_eq!(faults[0].pointer, "/next/next/n");
            for broken in [
                json!({"type": "nothing"}),
                json!({"$ref": "#/$defs/Gone"}),
                json!({"$ref": "https://example.com/x"}),
                json!({"pattern": "(a"}),
            ] {
                assert!(InputSchema::new(&broken, &Definitions::default()).is_err(), "{broken}");
            }
        }
    }
}
