//! Reads what a client sent into its type by way of the type's JSON Schema, which is the one that the OpenAPI
//! document shows: all faults are told at once, each with its place.
//!
//! Serde alone would read a list where a struct is expected, and stop at the first fault.

use crate::workflow::{Finding, bounds, schema::check_against};
use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{
    any::TypeId,
    collections::HashMap,
    sync::{LazyLock, PoisonError, RwLock},
};

/// How deep a body may nest: values at the places where they stand in bodies, the deepest in an event of a script.
const MAX_BODY_DEPTH: usize = bounds::MAX_DEPTH + 6;

static SCHEMAS: LazyLock<RwLock<HashMap<TypeId, &'static Value>>> = LazyLock::new(RwLock::default);

/// The JSON Schema of a type, made once for the life of the program.
pub fn schema_of<T: JsonSchema + 'static>() -> &'static Value {
    let of = TypeId::of::<T>();
    if let Some(schema) = SCHEMAS.read().unwrap_or_else(PoisonError::into_inner).get(&of) {
        return schema;
    }
    let mut schemas = SCHEMAS.write().unwrap_or_else(PoisonError::into_inner);
    schemas.entry(of).or_insert_with(|| {
        let generator: SchemaGenerator = SchemaSettings::draft2020_12().into_generator();
        Box::leak(Box::new(generator.into_root_schema_for::<T>().to_value()))
    })
}

/// Reads a value into its type.
///
/// # Errors
/// Every difference from the type's schema, every text that can't be stored, and what nests too deep.
pub fn read<T: DeserializeOwned + JsonSchema + 'static>(value: Value) -> Result<T, Vec<Finding>> {
    let unstorable = unstorable(&value, MAX_BODY_DEPTH);
    if !unstorable.is_empty() {
        return Err(unstorable);
    }
    let findings = check_against(schema_of::<T>(), &value);
    if !findings.is_empty() {
        return Err(findings.into_iter().map(of_body).collect());
    }
    serde_json::from_value(value).map_err(|error| vec![unread(&error)])
}

/// What of a value can't be stored: the character U+0000, and what nests too deep.
pub fn unstorable(value: &Value, most: usize) -> Vec<Finding> {
    if bounds::is_storable(value, most) {
        return Vec::new();
    }
    let deep = bounds::too_deep(value, most).map(|pointer| too_deep(&pointer));
    let zero = bounds::place_of_zero(value).map(|pointer| {
        let message =
            format!("The text at {pointer} holds the character U+0000, which can't be stored; leave it out.");
        Finding::error("text.zero", pointer, message)
    });
    deep.into_iter().chain(zero).collect()
}

/// The finding about a value that nests too deep.
pub fn too_deep(pointer: &str) -> Finding {
    // A pointer to the deepest place is long; its beginning says which value it is.
    let start: Vec<&str> = pointer.split('/').take(4).collect();
    let message = format!(
        "A value at {} nests more than {} deep; make it flatter.",
        start.join("/"),
        bounds::MAX_DEPTH
    );
    Finding::error("value.too_deep", pointer, message)
}

/// The walk over schemas was made for workflows and calls the whole one; here the whole is a body.
fn of_body(mut finding: Finding) -> Finding {
    if finding.pointer.matches('/').count() <= 1 {
        finding.message =
            finding.message.replace("The workflow", "The body").replace("the workflow", "the body");
    }
    // What a format says of a text doesn't name the field.
    let field = finding.pointer.rsplit('/').next().filter(|name| !name.is_empty());
    if let Some(field) = field.filter(|name| !finding.message.contains(&format!("`{name}`")))
        && finding.code != "text.zero"
        && !field.bytes().all(|byte| byte.is_ascii_digit())
    {
        finding.message = format!("`{field}`: {}", finding.message);
    }
    finding.fix = None;
    finding
}

/// What only the type itself refuses: serde's words name no place, so they aren't shown.
fn unread(error: &serde_json::Error) -> Finding {
    let text = error.to_string();
    // Our own types say in their errors what is wrong and what to write.
    let ours = text.contains("write ").then_some(text);
    let message =
        ours.unwrap_or_else(|| "A value is out of the range of its field, or of another kind.".to_owned());
    Finding::error("value.unreadable", "", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{
        approvals::NewDecision, auth::LoginRequest, events::NewEvent, workflows::SimulateRequest,
    };
    use serde_json::json;

    fn faults<T: DeserializeOwned + JsonSchema + 'static>(value: Value) -> Vec<(String, String)> {
        let findings = read::<T>(value).err().unwrap_or_default();
        findings.into_iter().map(|f| (f.code.into_owned(), f.pointer)).collect()
    }

    fn one(code: &str, pointer: &str) -> Vec<(String, String)> {
        vec![(code.into(), pointer.into())]
    }

    #[test]
    fn a_list_is_no_object_at_any_place() {
        assert_eq!(faults::<NewEvent>(json!(["a.b", null, null, null, null, {}])), one("value.type", ""));
        assert_eq!(faults::<LoginRequest>(json!(["a@example.com", "x", null, null])), one("value.type", ""));
        let event = json!({ "event": ["a.b"], "workflow_id": "w" });
        assert_eq!(faults::<SimulateRequest>(event), one("value.type", "/event"));
        let script = json!({ "event": { "type": "a" }, "workflow_id": "w", "script": [["approve"]] });
        assert_eq!(faults::<SimulateRequest>(script), one("value.type", "/script/0"));
        let response = json!({ "event": { "type": "a" }, "script": [{ "effect": "s", "response": [200] }] });
        assert_eq!(faults::<SimulateRequest>(response), one("value.type", "/script/0/response"));
    }

    #[test]
    fn lengths_times_and_unknown_keys_are_told_with_their_place() {
        let long = |n: usize| "ä".repeat(n);
        assert_eq!(faults::<NewEvent>(json!({ "type": "a", "id": long(200), "source": long(200) })), []);
        assert_eq!(faults::<NewEvent>(json!({ "type": "a", "id": long(201) })), one("text.too_long", "/id"));
        assert_eq!(
            faults::<NewDecision>(json!({ "decision": "approve", "comment": long(10_001) })),
            one("text.too_long", "/comment")
        );
        let timed = |time: &str| json!({ "type": "a", "time": time });
        assert_eq!(faults::<NewEvent>(timed("2026-03-01T10:00:00+02:00")), []);
        assert_eq!(faults::<NewEvent>(timed("-5000-01-01T00:00:00Z")), one("time.bad", "/time"));
        assert_eq!(faults::<NewEvent>(timed("2026-03-01T10:00:00")), one("time.bad", "/time"));
        assert_eq!(faults::<NewEvent>(json!({ "type": "a", "paylod": {} })), one("key.unknown", "/paylod"));
        let advance =
            json!({ "event": { "type": "a", "time": "+262142-01-01T00:00:00Z" }, "workflow_id": "w" });
        assert_eq!(faults::<SimulateRequest>(advance), one("time.bad", "/event/time"));
    }

    #[test]
    fn what_can_not_be_stored_is_refused_in_keys_and_values() {
        assert_eq!(
            faults::<NewEvent>(json!({ "type": "a", "payload": { "x": ["\0"] } })),
            one("text.zero", "/payload/x/0")
        );
        assert_eq!(
            faults::<NewEvent>(json!({ "type": "a", "payload": { "x\0": 1 } })),
            one("text.zero", "/payload/x?")
        );
    }
}
