//! The OpenAPI 3.1 document, assembled from the endpoints.

use super::{
    Access, Endpoint, HttpMethod, absences, approvals, audit, auth, calendars, connectors, events,
    executions, invitations, keys, live, notices, preferences, problem, roles, rules, secrets, users,
    webhooks, workflows,
};
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

mod operation;
mod portable;

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
            roles::ListRoles,
            roles::NameRole,
            roles::UnnameRole,
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
            absences::CreateAbsence,
            absences::ListAbsences,
            absences::UpdateAbsence,
            absences::DeleteAbsence,
            calendars::PutCalendar,
            calendars::ListCalendars,
            calendars::GetCalendar,
            calendars::DeleteCalendar,
            calendars::PutHolidays,
            calendars::CalendarDue,
            connectors::CreateConnector,
            connectors::ListConnectors,
            connectors::GetConnector,
            connectors::PutConnector,
            connectors::DeleteConnector,
            connectors::PreviewConnector,
            connectors::CheckConnector,
            connectors::PurgeConnector,
            connectors::ListConnectorCalls,
            connectors::ListOperations,
            connectors::TryOperation,
            approvals::ListApprovals,
            approvals::GetApproval,
            approvals::Decide,
            approvals::DecideMany,
            approvals::DelegateApproval,
            approvals::SnoozeApproval,
            approvals::UnsnoozeApproval,
            notices::ListNotices,
            notices::ReadNotice,
            notices::ListDeliveries,
            preferences::GetPreferences,
            preferences::PutPreferences,
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
        ($($endpoint:ty),*) => { $(operation::add::<$endpoint>(&mut schemas, &mut paths);)* };
    }
    every_endpoint!(operations);
    let problem = schemas.subschema_for::<problem::Problem>();
    let codes: Vec<&str> = problem::Code::ALL.iter().map(|code| code.as_str()).collect();
    let mut document = json!({
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
    });
    portable::make_portable(&mut document);
    document
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::{
        Format,
        check::{Environment, check},
        document, rule,
    };
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn every_endpoint_stands_in_the_document_once() {
        let document = super::document();
        let paths = document["paths"].as_object().unwrap();
        let operations: usize = paths.values().map(|path| path.as_object().unwrap().len()).sum();
        assert_eq!(operations, endpoints().len());
        let unique: BTreeSet<_> = endpoints().iter().map(|e| (e.method.as_str(), e.path)).collect();
        assert_eq!(unique.len(), endpoints().len());
        assert!(document["components"]["schemas"]["Approval"].is_object());
    }

    #[test]
    fn every_reference_stays_in_the_document_and_no_schema_is_a_bare_word() {
        let document = super::document();
        let mut open = vec![&document];
        while let Some(value) = open.pop() {
            match value {
                Value::Object(map) => {
                    if let Some(target) = map.get("$ref").and_then(Value::as_str) {
                        let pointer = target.strip_prefix('#').unwrap();
                        assert!(document.pointer(pointer).is_some(), "{target}");
                    }
                    assert!(map.get("schema").is_none_or(Value::is_object), "{map:?}");
                    open.extend(map.values());
                }
                Value::Array(list) => open.extend(list),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
        let header = |path: &str, method: &str, name: &str| {
            let parameters = document["paths"][path][method]["parameters"].as_array().unwrap().iter();
            parameters
                .filter(|parameter| parameter["in"] == "header")
                .any(|parameter| parameter["name"] == name)
        };
        assert!(header("/api/v1/events", "post", "Idempotency-Key"));
        assert!(header("/api/v1/workflows/{workflow_id}", "put", "If-Match"));
        assert!(header("/api/v1/workflows/{workflow_id}", "put", "If-None-Match"));
        assert!(header("/api/v1/rules/{rule_id}", "delete", "If-Match"));
        assert!(document["paths"]["/api/v1/events"]["post"]["responses"]["200"].is_object());
        assert!(document["paths"]["/api/v1/workflows/{workflow_id}"]["put"]["responses"]["201"].is_object());
        assert_eq!(
            document["components"]["schemas"]["NewKey"]["properties"]["scopes"]["items"]["enum"][0],
            "events:write"
        );
    }

    /// The names that stand beside a parameter in the paths, by what stands before it.
    fn names_beside_parameters() -> BTreeMap<String, BTreeSet<&'static str>> {
        let mut beside: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        let split = |path: &'static str| path.split('/').collect::<Vec<_>>();
        for with in endpoints().iter().map(|endpoint| split(endpoint.path)) {
            for (n, _) in with.iter().enumerate().filter(|(_, part)| part.starts_with('{')) {
                let names = endpoints().into_iter().map(|other| split(other.path)).filter_map(|other| {
                    let name = *other.get(n)?;
                    (other[..n] == with[..n] && !name.starts_with('{')).then_some(name)
                });
                beside.entry(with[..n].join("/")).or_default().extend(names);
            }
        }
        // A request's id is the server's own, a UUID: no author chooses one.
        beside.retain(|place, names| !names.is_empty() && place != "approvals");
        beside
    }

    #[test]
    fn an_id_that_is_a_path_of_the_api_is_refused_where_authors_choose_it() {
        let reserved = names_beside_parameters();
        let expected = [
            ("rules".to_owned(), BTreeSet::from(rule::RESERVED_IDS)),
            ("workflows".to_owned(), BTreeSet::from(document::RESERVED_IDS)),
        ];
        assert_eq!(reserved, BTreeMap::from(expected));
        for id in document::RESERVED_IDS {
            let text = format!(
                "workflow_id: {id}\nname: W\ntrigger: {{ type: manual }}\nsteps: [{{ id: a, type: set, set: {{ b: 1 }} }}]\n"
            );
            let findings = check(&text, Format::Yaml, &Environment::Unknown).findings;
            assert_eq!(
                findings.iter().map(|f| (f.code.as_ref(), f.pointer.as_str())).collect::<Vec<_>>(),
                [("id.reserved", "/workflow_id")]
            );
        }
        for id in rule::RESERVED_IDS {
            let text = format!("rule_id: {id}\nname: R\ncondition: {{ expr: x }}\n");
            let findings = rule::check_rule(&text, Format::Yaml).0.findings;
            assert_eq!(
                findings.iter().map(|f| (f.code.as_ref(), f.pointer.as_str())).collect::<Vec<_>>(),
                [("id.reserved", "/rule_id")]
            );
        }
    }
}
