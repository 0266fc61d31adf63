//! One endpoint as an operation of the OpenAPI document: its parameters, headers, bodies and answers.

use crate::{
    api::{Access, BodyKind, Condition, Endpoint, HttpMethod, Repeated, events::NewEvent, limits},
    workflow::{Document, rule::RuleDocument},
};
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// Adds an endpoint to the paths of a document.
pub(super) fn add<E: Endpoint>(schemas: &mut SchemaGenerator, paths: &mut Map<String, Value>) {
    let mut operation = json!({
        "operationId": operation_id::<E>(),
        "tags": [E::TAG],
        "summary": E::SUMMARY,
        "parameters": parameters::<E>(schemas),
        "responses": responses::<E>(schemas),
        "security": match E::ACCESS {
            Access::Public => json!([]),
            Access::Person => json!([{ "token": [] }]),
            Access::Needs(_) => json!([{ "token": [] }, { "key": [] }]),
        },
    });
    if let Access::Needs(permission) = E::ACCESS {
        operation["x-permission"] = json!(permission);
    }
    if E::Request::schema_name() != "NoBody" {
        operation["requestBody"] = json!({ "required": needs_body::<E>(), "content": content::<E>(schemas) });
    }
    let path = paths.entry(format!("/api/v1/{}", E::PATH)).or_insert_with(|| json!({}));
    path[E::METHOD.as_str().to_lowercase()] = operation;
}

fn operation_id<E: Endpoint>() -> String {
    let name = std::any::type_name::<E>();
    name.rsplit("::").next().unwrap_or(name).to_owned()
}

/// Whether a body has to be sent: one whose fields may all be left out may be left out itself.
fn needs_body<E: Endpoint>() -> bool {
    let schema = schemars::schema_for!(E::Request).to_value();
    let is_object = schema.get("type").and_then(Value::as_str) == Some("object");
    E::BODY != BodyKind::Json || !is_object || schema.get("required").is_some()
}

/// How a body may be written.
fn content<E: Endpoint>(schemas: &mut SchemaGenerator) -> Value {
    let yaml = json!({ "schema": { "type": "string", "description": "The document as YAML 1.2." } });
    match E::BODY {
        BodyKind::Workflow => {
            json!({ "application/json": { "schema": schemas.subschema_for::<Document>() }, "application/yaml": yaml })
        }
        BodyKind::Rule => json!({
            "application/json": { "schema": schemas.subschema_for::<RuleDocument>() }, "application/yaml": yaml,
        }),
        BodyKind::Events => json!({
            "application/json": { "schema": schemas.subschema_for::<Vec<NewEvent>>() },
            "application/x-ndjson": { "schema": { "type": "string", "description": "One event a line." } },
        }),
        BodyKind::AnyJson => json!({ "application/json": { "schema": { "description": "Any JSON." } } }),
        BodyKind::Json => json!({ "application/json": { "schema": schemas.subschema_for::<E::Request>() } }),
    }
}

/// Every status of a success, and the problem that all other statuses carry.
fn responses<E: Endpoint>(schemas: &mut SchemaGenerator) -> Value {
    let mut responses = Map::new();
    for status in [E::STATUS].iter().chain(E::ALSO) {
        responses.insert(status.to_string(), answer::<E>(schemas));
    }
    responses.insert("default".to_owned(), json!({ "$ref": "#/components/responses/Problem" }));
    responses.into()
}

fn answer<E: Endpoint>(schemas: &mut SchemaGenerator) -> Value {
    // A line of WebSocket messages has no body as HTTP understands it.
    if E::Response::schema_name() == "NoBody" || E::STATUS == 101 {
        return json!({ "description": "Done." });
    }
    let schema = schemas.subschema_for::<E::Response>();
    let mut answer =
        json!({ "description": "Done.", "content": { "application/json": { "schema": schema } } });
    if matches!(E::BODY, BodyKind::Workflow | BodyKind::Rule) && E::REPEATED != Repeated::Harmless {
        answer["headers"] = json!({
            "ETag": { "description": "For `If-Match`.", "schema": { "type": "string" } },
        });
    }
    answer
}

fn parameters<E: Endpoint>(schemas: &mut SchemaGenerator) -> Vec<Value> {
    let mut parameters: Vec<Value> = E::PATH
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": path_schema(name) }))
        .collect();
    let query = E::Query::json_schema(schemas).to_value();
    for (name, schema) in query.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let schema = without_null(schema.clone());
        parameters.push(json!({ "name": name, "in": "query", "required": false, "schema": schema }));
    }
    parameters.extend(headers::<E>());
    parameters
}

fn path_schema(name: &str) -> Value {
    match name {
        "workflow_id" | "rule_id" => {
            json!({ "type": "string", "minLength": 1, "maxLength": limits::SLUG, "pattern": "^[A-Za-z0-9_][A-Za-z0-9_.-]*$" })
        }
        "name" => {
            json!({ "type": "string", "minLength": 1, "maxLength": limits::SECRET_NAME, "pattern": "^[A-Za-z][A-Za-z0-9_]*$" })
        }
        "token" => {
            json!({ "type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[A-Za-z0-9_-]+$" })
        }
        _ => json!({ "type": "string", "format": "uuid" }),
    }
}

/// The schema of a parameter: one that is left out is not sent, so that it is never null.
fn without_null(mut schema: Value) -> Value {
    if let Some(kinds) = schema.get_mut("type").and_then(Value::as_array_mut) {
        kinds.retain(|kind| kind != "null");
        if let [only] = kinds.as_slice() {
            schema["type"] = only.clone();
        }
    }
    if let Some(variants) = schema.get_mut("anyOf").and_then(Value::as_array_mut) {
        variants.retain(|variant| variant.get("type").is_none_or(|kind| kind != "null"));
    }
    let Some(map) = schema.as_object_mut() else { return schema };
    map.remove("default");
    if let Some(Value::Array(mut variants)) = map.remove("anyOf") {
        if let [Value::Object(only)] = variants.as_mut_slice() {
            map.append(only);
        } else {
            map.insert("anyOf".to_owned(), variants.into());
        }
    }
    schema
}

fn headers<E: Endpoint>() -> Vec<Value> {
    let header = |name: &str, required: bool, description: &str, schema: Value| json!({ "name": name, "in": "header", "required": required, "description": description, "schema": schema });
    let mut headers = Vec::new();
    if E::METHOD == HttpMethod::Post && E::ACCESS != Access::Public && E::REPEATED != Repeated::Harmless {
        let schema = json!({ "type": "string", "minLength": 1, "maxLength": limits::IDEMPOTENCY_KEY, "pattern": "^[ -~]+$" });
        headers.push(header(
            "Idempotency-Key",
            false,
            "The same key and body are answered the same again.",
            schema,
        ));
    }
    let tag = || json!({ "type": "string", "description": "Etags in quotes, separated by commas, or `*`." });
    match E::CONDITION {
        Condition::None => {}
        Condition::Match => {
            headers.push(header("If-Match", true, "The etag of what was read.", tag()));
        }
        Condition::MatchOrNew => {
            headers.push(header("If-Match", false, "The etag of what was read.", tag()));
            let any = json!({ "type": "string", "enum": ["*"] });
            headers.push(header("If-None-Match", false, "`*` for what isn't there yet.", any));
        }
    }
    headers
}
