//! Connectors tried by an administrator or an author: an operation called once, and whether the system answers at all.

use super::{
    Effects,
    masking::Masker,
    operations::{Prepared, Sent, counted, host_of, is_page, prepared},
};
use crate::connectors::{Catalog, ReadyConnector, Route};
use serde_json::{Map, Value, json};
use shared_types::{
    api::connectors::{ConnectorChecked, OperationTried},
    connector::{
        ConnectorKind, ConnectorSpec, HttpRequest, InputFault, Operation, OperationRequest, SqlRequest,
    },
    ids::WorkspaceId,
    machine::{Outcome, input::Answer},
    workflow::{Finding, effect::Method},
};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};
use uuid::Uuid;

/// How long a trial may take.
const TRIAL_TIME: Duration = Duration::from_secs(30);

impl Effects {
    /// Calls an operation for somebody who tries it.
    ///
    /// # Errors
    /// What of the input doesn't fit.
    pub async fn try_operation(
        &self,
        workspace: WorkspaceId,
        route: &Route,
        input: Map<String, Value>,
        id: Uuid,
    ) -> Result<OperationTried, Vec<Finding>> {
        let input = Value::Object(input);
        let faults = route.connector.faults(route.operation(), &input).unwrap_or_default();
        if !faults.is_empty() {
            let finding = |fault: InputFault| {
                let message = format!("{}: {}.", fault.pointer.trim_start_matches('/'), fault.message);
                let message = message.trim_start_matches(": ").to_owned();
                Finding::error("connector.input", format!("/input{}", fault.pointer), message)
            };
            return Err(faults.into_iter().map(finding).collect());
        }
        let begun = Instant::now();
        let own = route.connector.spec.auth.secret().into_iter();
        let (request, outcome) = match (prepared(route, input), self.secrets(workspace, own).await) {
            (Ok(prepared), Ok(secrets)) => {
                let request = serde_json::to_value(&prepared.request).unwrap_or_default();
                let key = format!("try:{id}");
                let send = self.send(&route.connector, &prepared, Some(&key), &secrets, TRIAL_TIME);
                let answered = self.logged(route, None, send).await;
                let masker = Masker::new(secrets.values().map(String::as_str));
                (masker.mask_value(request), counted(route, answered))
            }
            (Ok(prepared), Err(refused)) => {
                (serde_json::to_value(&prepared.request).unwrap_or_default(), refused)
            }
            (Err(refused), _) => (Value::Null, refused),
        };
        let took_ms = u32::try_from(begun.elapsed().as_millis()).unwrap_or(u32::MAX);
        let tried = |answer: Answer, error| OperationTried {
            request,
            status: Some(answer.status).filter(|status| *status > 0),
            headers: answer.headers,
            body: answer.body,
            error,
            took_ms,
        };
        Ok(match outcome {
            Outcome::Answered(answer) => tried(answer, None),
            Outcome::Unanswered { message, .. }
            | Outcome::Refused { message, .. }
            | Outcome::Held { message, .. } => {
                let none = Answer { status: 0, headers: Map::new(), body: Value::Null, record_id: None };
                tried(none, Some(message))
            }
        })
    }

    /// Finds out whether a connector's system answers, and whether it lets us in: by the first operation that only reads and
    /// needs no input, by a statement or the list of tools where that is its kind, else by its address alone.
    pub async fn check_connector(
        &self,
        workspace: WorkspaceId,
        connector: &Arc<ReadyConnector>,
        id: Uuid,
    ) -> ConnectorChecked {
        let begun = Instant::now();
        let (operation, outcome) = match &connector.spec.kind {
            ConnectorKind::Mcp { .. } => (None, self.listed_tools(workspace, connector).await),
            ConnectorKind::OpenApi { .. } | ConnectorKind::Http { .. } | ConnectorKind::Sql { .. } => {
                let (operation, prepared) =
                    harmless(connector).unwrap_or_else(|| (None, address_alone(connector)));
                let own = connector.spec.auth.secret().into_iter();
                let outcome = match self.secrets(workspace, own).await {
                    Ok(secrets) => {
                        let key = format!("check:{id}");
                        self.send(connector, &prepared, Some(&key), &secrets, TRIAL_TIME).await
                    }
                    Err(refused) => refused,
                };
                (operation, outcome)
            }
        };
        let took_ms = u32::try_from(begun.elapsed().as_millis()).unwrap_or(u32::MAX);
        ConnectorChecked { took_ms, ..checked(connector, operation, outcome) }
    }

    /// The tools of the MCP server that a description names: the document that is imported.
    ///
    /// # Errors
    /// Why there are none, as a sentence.
    pub async fn list_tools(
        &self,
        workspace: WorkspaceId,
        spec: &ConnectorSpec,
        id: Uuid,
    ) -> Result<String, String> {
        let connector = ReadyConnector::unstored(id, spec.clone(), Catalog::default());
        let listed = self.listed_tools(workspace, &connector).await;
        self.tokens.remove_connector(connector.id);
        match listed {
            Outcome::Answered(Answer { status: 200, body, .. }) => Ok(json!({ "tools": body }).to_string()),
            Outcome::Answered(answer) => Err(format!("It answers {}.", answer.status)),
            Outcome::Refused { message, .. } => Err(message),
            Outcome::Unanswered { message, .. } | Outcome::Held { message, .. } => Err(format!("{message}.")),
        }
    }

    /// An answer with the tools of a connector's server, or what came of asking for them.
    async fn listed_tools(&self, workspace: WorkspaceId, connector: &ReadyConnector) -> Outcome {
        let ConnectorKind::Mcp { settings } = &connector.spec.kind else {
            let message = "Only an MCP server has tools.".to_owned();
            return Outcome::Refused { code: "connector.unreadable".to_owned(), message };
        };
        let own = connector.spec.auth.secret().into_iter();
        let secrets = match self.secrets(workspace, own).await {
            Ok(secrets) => secrets,
            Err(refused) => return refused,
        };
        let host = host_of(&settings.base_url);
        let sent = Sent::ListTools { address: &settings.base_url, host: &host };
        self.send_authorized(connector, sent, &secrets, TRIAL_TIME).await
    }
}

/// What an outcome says of a system: whether it answers, and lets us in.
fn checked(connector: &ReadyConnector, operation: Option<String>, outcome: Outcome) -> ConnectorChecked {
    let is_database = matches!(connector.spec.kind, ConnectorKind::Sql { .. });
    let is_mcp = matches!(connector.spec.kind, ConnectorKind::Mcp { .. });
    let (status, answers, let_in, detail) = match outcome {
        Outcome::Answered(answer) => {
            let (status, is_page) = (answer.status, is_page(&answer));
            let let_in = match status {
                401 | 403 | 407 => Some(false),
                // Without an operation nobody may have asked who we are; a page is what signs people in.
                200..300 if (operation.is_some() || is_database || is_mcp) && !is_page => Some(true),
                _ => None,
            };
            let tools = answer.body.as_array().filter(|_| is_mcp);
            let detail = match let_in {
                Some(true) if let Some(tools) = tools => {
                    let tools = tools.len();
                    format!("It has {tools} tool{} and lets us in.", if tools == 1 { "" } else { "s" })
                }
                Some(true) => format!("It answers {status} and lets us in."),
                Some(false) => format!("It answers {status} and doesn't let us in; look at `auth`."),
                None if is_page => format!("It answers {status} with a page of HTML; look at the address."),
                None => format!("It answers {status}, which doesn't say whether it lets us in."),
            };
            (Some(status), true, let_in, detail)
        }
        Outcome::Unanswered { message, .. } | Outcome::Held { message, .. } => {
            (None, false, None, format!("{message}."))
        }
        Outcome::Refused { code, message } => {
            let let_in = (code == "connector.auth" || code.starts_with("secret.")).then_some(false);
            let of_database = is_database && ["sql.error", "connector.auth"].contains(&code.as_str());
            let answers = of_database
                || ["answer.", "value.", "redirect.", "mcp."].iter().any(|of| code.starts_with(of));
            (None, answers, let_in, message)
        }
    };
    ConnectorChecked { answers, let_in, status, operation, detail, took_ms: 0 }
}

/// The first operation that only reads and needs no input, with its request.
fn harmless(connector: &Arc<ReadyConnector>) -> Option<(Option<String>, Prepared)> {
    if matches!(connector.spec.kind, ConnectorKind::Sql { .. }) {
        return None;
    }
    connector.catalog.operations.iter().filter(|one| one.safe && needs_nothing(one)).find_map(|operation| {
        let route = Route::new(Arc::clone(connector), &operation.id).ok()?;
        let prepared = prepared(&route, Value::Object(Map::new())).ok()?;
        Some((Some(operation.id.clone()), prepared))
    })
}

/// Whether an operation can be called with an empty input.
fn needs_nothing(operation: &Operation) -> bool {
    operation.path_inputs().is_empty()
        && operation.input_schema.get("required").and_then(Value::as_array).is_none_or(Vec::is_empty)
}

/// A request to the address of a connector.
fn address_alone(connector: &ReadyConnector) -> Prepared {
    let url = connector.catalog.base_url.clone();
    if let ConnectorKind::Sql { settings, .. } = &connector.spec.kind {
        let statement = "select 1 as answers".to_owned();
        let request = SqlRequest { database: url, statement, parameters: BTreeMap::new() };
        return Prepared {
            request: OperationRequest::Sql(request),
            reads: true,
            host: settings.host.clone(),
        };
    }
    let request = HttpRequest {
        method: Method::Get,
        url,
        headers: BTreeMap::new(),
        query: BTreeMap::new(),
        body: None,
    };
    Prepared { host: host_of(&request.url), request: OperationRequest::Http(request), reads: true }
}
