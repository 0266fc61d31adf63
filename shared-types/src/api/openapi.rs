//! The OpenAPI 3.1 document, assembled from the endpoints.

use super::{
    Access, Endpoint, HttpMethod, approvals, audit, auth, events, executions, invitations, keys, live,
    notices, problem, rules, secrets, users, webhooks, workflows,
};
use crate::workflow::rule::RuleDocument;
use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

/// What is known of an endpoint without its types.
#[derive(Debug, Clone, Copy)]
pub struct Described {
    /// The method.
    pub method: HttpMethod,
    /// The path below `/api/v1/`.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    /// The status of a plain success.
    pub status: u16,
}

macro_rules! every_endpoint {
    ($each:ident) => {
        $each! {
            auth::Login,
            auth::Refresh,
            auth::Logout,
            auth::Me,
            auth::ChangePassword,
            users::CreateUser,
            users::ListUsers,
            users::UpdateUser,
            invitations::ListInvitations,
            invitations::AcceptInvitation,
            invitations::DeclineInvitation,
            keys::CreateKey,
            keys::ListKeys,
            keys::RevokeKey,
            secrets::PutSecret,
            secrets::ListSecrets,
            secrets::DeleteSecret,
            workflows::CreateWorkflow,
            workflows::ListWorkflows,
            workflows::ValidateWorkflow,
            workflows::SimulateWorkflow,
            workflows::GetWorkflow,
            workflows::PutWorkflow,
            workflows::ArchiveWorkflow,
            workflows::EnableWorkflow,
            workflows::DisableWorkflow,
            workflows::ListRevisions,
            workflows::GetActivity,
            workflows::StartWorkflow,
            rules::CreateRule,
            rules::ListRules,
            rules::TryRule,
            rules::GetRule,
            rules::PutRule,
            rules::ArchiveRule,
            rules::ListRuleVersions,
            events::SendEvent,
            events::SendEvents,
            webhooks::ReceiveWebhook,
            webhooks::GetWebhook,
            webhooks::AddWebhookSecret,
            webhooks::RevokeWebhookSecret,
            executions::ListExecutions,
            executions::GetExecution,
            executions::ListTrace,
            executions::GetTree,
            executions::CancelExecution,
            approvals::ListApprovals,
            approvals::GetApproval,
            approvals::Decide,
            notices::ListNotices,
            notices::ReadNotice,
            notices::ListDeliveries,
            audit::ListAudit,
            live::Live
        }
    };
}

/// An endpoint that stands in the document: a server mounts no others.
pub trait Listed: Endpoint {}

macro_rules! listed {
    ($($endpoint:ty),*) => { $(impl Listed for $endpoint {})* };
}
every_endpoint!(listed);

/// Every endpoint.
pub fn endpoints() -> Vec<Described> {
    macro_rules! described {
        ($($endpoint:ty),*) => { vec![$(describe::<$endpoint>()),*] };
    }
    every_endpoint!(described)
}

fn describe<E: Endpoint>() -> Described {
    Described { method: E::METHOD, path: E::PATH, access: E::ACCESS, status: E::STATUS }
}

/// The whole document.
pub fn document() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    let mut schemas = settings.into_generator();
    let mut paths: Map<String, Value> = Map::new();
    macro_rules! operations {
        ($($endpoint:ty),*) => { $(add::<$endpoint>(&mut schemas, &mut paths);)* };
    }
    every_endpoint!(operations);
    let problem = schemas.subschema_for::<problem::Problem>();
    let codes: Vec<&str> = problem::Code::ALL.iter().map(|code| code.as_str()).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Intelligent Workflows",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Events in, decisions out: workflows that decide, call other systems and ask people.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas.take_definitions(true),
            "responses": {
                "Problem": {
                    "description": "What went wrong (RFC 9457).",
                    "content": { "application/problem+json": { "schema": problem } },
                },
            },
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "An access token, or an API key." },
                "key": { "type": "apiKey", "in": "header", "name": "X-API-Key" },
            },
        },
        "x-problem-codes": codes,
    })
}

fn add<E: Endpoint>(schemas: &mut SchemaGenerator, paths: &mut Map<String, Value>) {
    let mut operation = json!({
        "operationId": operation_id::<E>(),
        "tags": [E::TAG],
        "summary": E::SUMMARY,
        "parameters": parameters::<E>(schemas),
        "responses": { E::STATUS.to_string(): answer::<E::Response>(schemas), "default": { "$ref": "#/components/responses/Problem" } },
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
        let content = content::<E>(schemas);
        operation["requestBody"] = json!({ "required": true, "content": content });
    }
    let path = paths.entry(format!("/api/v1/{}", E::PATH)).or_insert_with(|| json!({}));
    path[E::METHOD.as_str().to_lowercase()] = operation;
}

/// How a body may be written; what is read as text, so that its author's words are kept, has no type of its own.
fn content<E: Endpoint>(schemas: &mut SchemaGenerator) -> Value {
    let text = json!({ "schema": { "type": "string" } });
    let is_read_as_text = E::Request::schema_name() == "AnyValue";
    match E::TAG {
        "workflows" if is_read_as_text => json!({
            "application/json": { "schema": { "$ref": "urn:iw:schema:workflow:1" } }, "application/yaml": text,
        }),
        "rules" if is_read_as_text => json!({
            "application/json": { "schema": schemas.subschema_for::<RuleDocument>() }, "application/yaml": text,
        }),
        "events" if is_read_as_text => json!({
            "application/json": { "schema": schemas.subschema_for::<Vec<events::NewEvent>>() },
            "application/x-ndjson": text,
        }),
        _ => json!({ "application/json": { "schema": schemas.subschema_for::<E::Request>() } }),
    }
}

fn operation_id<E: Endpoint>() -> String {
    let name = std::any::type_name::<E>();
    name.rsplit("::").next().unwrap_or(name).to_owned()
}

fn answer<T: JsonSchema>(schemas: &mut SchemaGenerator) -> Value {
    if T::schema_name() == "NoBody" {
        return json!({ "description": "Done." });
    }
    let schema = schemas.subschema_for::<T>();
    json!({ "description": "Done.", "content": { "application/json": { "schema": schema } } })
}

fn parameters<E: Endpoint>(schemas: &mut SchemaGenerator) -> Vec<Value> {
    let in_path = E::PATH.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<Value> = in_path
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    let query = E::Query::json_schema(schemas).to_value();
    for (name, schema) in query.get("properties").and_then(Value::as_object).into_iter().flatten() {
        parameters.push(json!({ "name": name, "in": "query", "required": false, "schema": schema }));
    }
    parameters
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_endpoint_stands_in_the_document_once() {
        let document = document();
        let paths = document["paths"].as_object().unwrap();
        let operations: usize = paths.values().map(|path| path.as_object().unwrap().len()).sum();
        assert_eq!(operations, endpoints().len());
        let unique: BTreeSet<_> = endpoints().iter().map(|e| (e.method.as_str(), e.path)).collect();
        assert_eq!(unique.len(), endpoints().len());
        assert!(document["components"]["schemas"]["Approval"].is_object());
    }
}
