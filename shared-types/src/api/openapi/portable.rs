//! Writes schemas in the forms that generators of clients can read, which is less than JSON Schema allows. `cargo xtask
//! test` runs two generators over the document.

use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// What schemas refer to each other by.
pub(super) const COMPONENTS: &str = "#/components/schemas/";

/// Parts of the workflow language that hold themselves, which generators can't follow. Clients treat them as objects;
/// the language's own schema describes them.
const OBJECTS: [(&str, &str); 3] = [
    ("Condition", "A condition of the workflow language; /workflow.schema.json describes it."),
    ("Step", "A step of the workflow language; /workflow.schema.json describes it."),
    (
        "Why",
        "The values that a condition saw, as a tree: `op`, `result`, and `of` or `field`, `seen` and `value`.",
    ),
];

/// Makes a document's schemas portable.
pub(super) fn make_portable(document: &mut Value) {
    if let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
        for (name, description) in OBJECTS {
            schemas.insert(
                name.to_owned(),
                json!({ "type": "object", "additionalProperties": true, "description": description }),
            );
        }
        name_variants(schemas);
    }
    spell_out(document);
    drop_unused(document);
}

/// Gives the variants of an untagged union schemas of their own, named after the key that tells each apart.
fn name_variants(schemas: &mut Map<String, Value>) {
    let mut named = Vec::new();
    for (name, schema) in schemas.iter_mut() {
        let variants = schema.get_mut("anyOf").and_then(Value::as_array_mut);
        for variant in variants.into_iter().flatten() {
            let key = variant.pointer("/required/0").and_then(Value::as_str).map(in_pascal_case);
            if let Some(key) = key.filter(|_| variant.get("properties").is_some()) {
                let own = format!("{name}{key}");
                let reference = json!({ "$ref": format!("{COMPONENTS}{own}") });
                named.push((own, std::mem::replace(variant, reference)));
            }
        }
    }
    schemas.extend(named);
}

fn in_pascal_case(key: &str) -> String {
    let words = key.split('_').map(|word| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    });
    words.collect()
}

/// Writes the schema `true`, which allows anything, as `{}`, and leaves out the default null of what is optional.
fn spell_out(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if map.get("default").is_some_and(Value::is_null) {
                map.remove("default");
            }
            for (key, inner) in map.iter_mut() {
                if matches!((key.as_str(), &*inner), ("items" | "schema", Value::Bool(true))) {
                    *inner = json!({});
                }
                if key == "properties"
                    && let Value::Object(properties) = inner
                {
                    for property in properties.values_mut().filter(|property| property.is_boolean()) {
                        *property = json!({});
                    }
                }
                spell_out(inner);
            }
        }
        Value::Array(list) => list.iter_mut().for_each(spell_out),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Leaves out the schemas that no operation leads to.
fn drop_unused(document: &mut Value) {
    let mut used = BTreeSet::new();
    let mut found = Vec::new();
    for part in ["/paths", "/components/responses"] {
        references(document.pointer(part).unwrap_or(&Value::Null), &mut found);
    }
    while let Some(name) = found.pop() {
        if let Some(schema) = document.pointer(&format!("/components/schemas/{name}")) {
            references(schema, &mut found);
        }
        used.insert(name);
        found.retain(|name| !used.contains(name));
    }
    if let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
        schemas.retain(|name, _| used.contains(name));
    }
}

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            let name = map.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix(COMPONENTS));
            found.extend(name.map(str::to_owned));
            map.values().for_each(|inner| references(inner, found));
        }
        Value::Array(list) => list.iter().for_each(|inner| references(inner, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
