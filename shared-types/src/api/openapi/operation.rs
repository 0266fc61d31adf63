//! One endpoint as an operation of the OpenAPI document: its parameters, headers, bodies and answers.

use crate::{
    api::{Access, BodyKind, Condition, Endpoint, HttpMethod, Repeated, events::NewEvent, limits},
    workflow::{Document, rule::RuleDocument},
};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// An endpoint with its types as functions, so that all that follows is compiled once and not for each endpoint.
struct Described {
    id: String,
    method: HttpMethod,
    path: &'static str,
    access: Access,
    summary: &'static str,
    tag: &'static str,
    status: u16,
    also: &'static [u16],
    body: BodyKind,
    condition: Condition,
    repeated: Repeated,
    query: fn(&mut SchemaGenerator) -> Schema,
    request: Body,
    response: Body,
}

/// A body's type.
struct Body {
    name: Cow<'static, str>,
    schema: fn(&mut SchemaGenerator) -> Schema,
}

impl Body {
    fn of<T: JsonSchema>() -> Self {
        Self { name: T::schema_name(), schema: SchemaGenerator::subschema_for::<T> }
    }

    fn is_none(&self) -> bool {
        self.name == "NoBody"
    }
}

/// Adds an endpoint to the paths of a document.
pub(super) fn add<E: Endpoint>(schemas: &mut SchemaGenerator, paths: &mut Map<String, Value>) {
    let name = std::any::type_name::<E>();
    let endpoint = Described {
        id: name.rsplit("::").next().unwrap_or(name).to_owned(),
        method: E::METHOD,
        path: E::PATH,
        access: E::ACCESS,
        summary: E::SUMMARY,
        tag: E::TAG,
        status: E::STATUS,
        also: E::ALSO,
        body: E::BODY,
        condition: E::CONDITION,
        repeated: E::REPEATED,
        query: E::Query::json_schema,
        request: Body::of::<E::Request>(),
        response: Body::of::<E::Response>(),
    };
    let path = paths.entry(format!("/api/v1/{}", endpoint.path)).or_insert_with(|| json!({}));
    path[endpoint.method.as_str().to_lowercase()] = endpoint.operation(schemas);
}

impl Described {
    fn operation(&self, schemas: &mut SchemaGenerator) -> Value {
        let mut operation = json!({
            "operationId": self.id,
            "tags": [self.tag],
            "summary": self.summary,
            "parameters": self.parameters(schemas),
            "responses": self.responses(schemas),
            "security": match self.access {
                Access::Public => json!([]),
                Access::Person => json!([{ "token": [] }]),
                Access::Needs(_) => json!([{ "token": [] }, { "key": [] }]),
            },
        });
        if let Access::Needs(permission) = self.access {
            operation["x-permission"] = json!(permission);
        }
        if !self.request.is_none() {
            operation["requestBody"] =
                json!({ "required": self.needs_body(), "content": self.content(schemas) });
        }
        operation
    }

    /// Whether a body has to be sent: one whose fields may all be left out may be left out itself.
    fn needs_body(&self) -> bool {
        let mut alone = SchemaGenerator::default();
        let mut schema = (self.request.schema)(&mut alone).to_value();
        if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|at| at.rsplit('/').next()) {
            schema = alone.definitions().get(name).cloned().unwrap_or_default();
        }
        let is_object = schema.get("type").and_then(Value::as_str) == Some("object");
        self.body != BodyKind::Json || !is_object || schema.get("required").is_some()
    }

    /// How a body may be written.
    fn content(&self, schemas: &mut SchemaGenerator) -> Value {
        let yaml = json!({ "schema": { "type": "string", "description": "The document as YAML 1.2." } });
        match self.body {
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
            BodyKind::ICalendar => json!({ "text/calendar": { "schema": { "type": "string" } } }),
            BodyKind::AnyJson => json!({ "application/json": { "schema": { "description": "Any JSON." } } }),
            BodyKind::Json => json!({ "application/json": { "schema": (self.request.schema)(schemas) } }),
        }
    }

    /// Every status of a success, and the problem that all other statuses carry.
    fn responses(&self, schemas: &mut SchemaGenerator) -> Value {
        let mut responses = Map::new();
        for status in [self.status].iter().chain(self.also) {
            responses.insert(status.to_string(), self.answer(schemas));
        }
        responses.insert("default".to_owned(), json!({ "$ref": "#/components/responses/Problem" }));
        responses.into()
    }

    fn answer(&self, schemas: &mut SchemaGenerator) -> Value {
        // A line of WebSocket messages has no body as HTTP understands it.
        if self.response.is_none() || self.status == 101 {
            return json!({ "description": "Done." });
        }
        let schema = (self.response.schema)(schemas);
        let mut answer =
            json!({ "description": "Done.", "content": { "application/json": { "schema": schema } } });
        if matches!(self.body, BodyKind::Workflow | BodyKind::Rule) && self.repeated != Repeated::Harmless {
            answer["headers"] = json!({
                "ETag": { "description": "For `If-Match`.", "schema": { "type": "string" } },
            });
        }
        answer
    }

    fn parameters(&self, schemas: &mut SchemaGenerator) -> Vec<Value> {
        let mut parameters: Vec<Value> = self
            .path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": path_schema(self.path, name) }))
            .collect();
        let query = (self.query)(schemas).to_value();
        for (name, schema) in query.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let schema = without_null(schema.clone());
            let required = query.get("required").and_then(Value::as_array);
            let required = required.is_some_and(|required| required.iter().any(|one| one == name));
            parameters.push(json!({ "name": name, "in": "query", "required": required, "schema": schema }));
        }
        parameters.extend(self.headers());
        parameters
    }

    fn headers(&self) -> Vec<Value> {
        let header = |name: &str, required: bool, description: &str, schema: Value| json!({ "name": name, "in": "header", "required": required, "description": description, "schema": schema });
        let mut headers = Vec::new();
        if self.method == HttpMethod::Post
            && self.access != Access::Public
            && self.repeated != Repeated::Harmless
        {
            let schema = json!({ "type": "string", "minLength": 1, "maxLength": limits::IDEMPOTENCY_KEY, "pattern": "^[ -~]+$" });
            headers.push(header(
                "Idempotency-Key",
                false,
                "A repeated request with the same key and body gets the same answer.",
                schema,
            ));
        }
        let tag =
            || json!({ "type": "string", "description": "Etags in quotes, separated by commas, or `*`." });
        match self.condition {
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
}

fn path_schema(path: &str, name: &str) -> Value {
    match name {
        "name" if path.starts_with("calendars/") => {
            json!({ "type": "string", "minLength": 1, "maxLength": limits::SLUG, "pattern": "^[a-z0-9_-]+$" })
        }
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
