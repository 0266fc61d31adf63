//! Calls of connectors' operations: the input checked, the request made from it, and what of the answer counts.

use super::{
    Effects,
    http::HttpCall,
    masking::Masker,
    sql::{self, SqlCall},
    tokens::TokenKey,
};
use crate::connectors::{ReadyConnector, Route};
use serde_json::{Map, Value};
use shared_types::{
    api::connectors::{ConnectorChecked, OperationTried},
    connector::{
        Auth, ConnectorKind, HttpRequest, InputFault, Operation, OperationRequest, RequestError, SqlRequest,
    },
    ids::{ExecutionId, WorkspaceId},
    machine::{EffectCall, Outcome, input::Answer},
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
/// How many faults of an input a failed step tells.
const FAULTS_TOLD: usize = 5;

/// A request with what its messages may say.
pub(super) struct Prepared {
    request: OperationRequest,
    /// Whether it only reads.
    reads: bool,
    host: String,
}

impl Effects {
    /// Calls an operation for a run.
    pub(super) async fn call_operation(
        &self,
        (workspace, execution_id): (WorkspaceId, ExecutionId),
        route: &Route,
        input: Value,
        call: &EffectCall,
        secrets: &BTreeMap<String, String>,
    ) -> Outcome {
        let prepared = match prepared(route, input) {
            Ok(prepared) => prepared,
            // What a template says of a value may quote a secret.
            Err(refused) => return Masker::new(secrets.values().map(String::as_str)).mask(refused),
        };
        let timeout = Duration::from_millis(call.timeout_ms);
        let send = || self.send(&route.connector, &prepared, Some(&call.idempotency_key), secrets, timeout);
        counted(route, self.gated((workspace, execution_id), route, timeout, send).await)
    }

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
    /// needs no input, else by its address alone.
    pub async fn check_connector(
        &self,
        workspace: WorkspaceId,
        connector: &Arc<ReadyConnector>,
        id: Uuid,
    ) -> ConnectorChecked {
        let mut operations = connector.catalog.operations.iter().filter(|one| one.safe && needs_nothing(one));
        let is_database = matches!(connector.spec.kind, ConnectorKind::Sql { .. });
        let by_operation = operations.find_map(|operation| {
            if is_database {
                return None;
            }
            let route = Route::new(Arc::clone(connector), &operation.id).ok()?;
            let prepared = prepared(&route, Value::Object(Map::new())).ok()?;
            Some((Some(operation.id.clone()), prepared))
        });
        let (operation, prepared) = by_operation.unwrap_or_else(|| (None, address_alone(connector)));
        let begun = Instant::now();
        let own = connector.spec.auth.secret().into_iter();
        let outcome = match self.secrets(workspace, own).await {
            Ok(secrets) => {
                let key = format!("check:{id}");
                self.send(connector, &prepared, Some(&key), &secrets, TRIAL_TIME).await
            }
            Err(refused) => refused,
        };
        let (status, answers, let_in, detail) = match outcome {
            Outcome::Answered(answer) => {
                let (status, is_page) = (answer.status, is_page(&answer));
                let let_in = match status {
                    401 | 403 | 407 => Some(false),
                    // Without an operation nobody may have asked who we are; a page is what signs people in.
                    200..300 if (operation.is_some() || is_database) && !is_page => Some(true),
                    _ => None,
                };
                let detail = match let_in {
                    Some(true) => format!("It answers {status} and lets us in."),
                    Some(false) => format!("It answers {status} and doesn't let us in; look at `auth`."),
                    None if is_page => {
                        format!("It answers {status} with a page of HTML; look at the address.")
                    }
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
                let answers =
                    of_database || ["answer.", "value.", "redirect."].iter().any(|of| code.starts_with(of));
                (None, answers, let_in, message)
            }
        };
        let took_ms = u32::try_from(begun.elapsed().as_millis()).unwrap_or(u32::MAX);
        ConnectorChecked { answers, let_in, status, operation, detail, took_ms }
    }

    /// Sends what an operation sends, with what lets it in.
    pub(super) async fn send(
        &self,
        connector: &ReadyConnector,
        prepared: &Prepared,
        idempotency_key: Option<&str>,
        secrets: &BTreeMap<String, String>,
        timeout: Duration,
    ) -> Outcome {
        match &prepared.request {
            OperationRequest::Http(request) => {
                self.send_http(connector, (request, &prepared.host), idempotency_key, secrets, timeout).await
            }
            OperationRequest::Sql(request) => {
                let (ConnectorKind::Sql { settings, .. }, Auth::Basic { username, secret }) =
                    (&connector.spec.kind, &connector.spec.auth)
                else {
                    let message = "A database needs `auth` of the type `basic`.".to_owned();
                    return Outcome::Refused { code: "connector.unreadable".to_owned(), message };
                };
                let call = SqlCall {
                    settings,
                    request,
                    user: username,
                    password: secrets.get(secret).map(String::as_str).unwrap_or_default(),
                    call_key: idempotency_key.unwrap_or_default(),
                    reads: prepared.reads,
                };
                let outcome = Box::pin(sql::run(&self.allowed, &call, timeout)).await;
                Masker::new(secrets.values().map(String::as_str)).mask(outcome)
            }
        }
    }

    /// Sends a request with what lets it in. A token that isn't taken any more is renewed once.
    async fn send_http(
        &self,
        connector: &ReadyConnector,
        (request, host): (&HttpRequest, &str),
        idempotency_key: Option<&str>,
        secrets: &BTreeMap<String, String>,
        timeout: Duration,
    ) -> Outcome {
        let begun = Instant::now();
        let auth = &connector.spec.auth;
        let key = || TokenKey::new(connector.id, connector.revision);
        let mut renewed = false;
        loop {
            let left = timeout.saturating_sub(begun.elapsed());
            let credentials = match self.credentials(auth, secrets, key(), left).await {
                Ok(credentials) => credentials,
                Err(outcome) => return Masker::new(secrets.values().map(String::as_str)).mask(outcome),
            };
            let known = secrets.values().chain(&credentials.token).map(String::as_str);
            let masker = Masker::new(known);
            let in_body = request.body.as_ref().is_some_and(|body| masker.finds_in(body));
            let in_headers = request.headers.iter().filter(|(_, value)| masker.finds(value));
            let in_headers = in_headers.map(|(name, _)| name.as_str());
            let call = HttpCall {
                request: &credentials.added_to(request.clone()),
                idempotency_key,
                confidential: &credentials.confidential(in_headers, in_body),
                host,
            };
            let outcome = self.http.call(&call, timeout.saturating_sub(begun.elapsed())).await;
            if let (Some(token), Outcome::Answered(Answer { status: 401, .. }), false) =
                (&credentials.token, &outcome, renewed)
            {
                let secret = auth.secret().and_then(|name| secrets.get(name)).map(String::as_str);
                self.tokens.forget(key().of_secret(secret.unwrap_or_default()), token).await;
                renewed = true;
                continue;
            }
            return masker.mask(outcome);
        }
    }
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

fn host_of(url: &str) -> String {
    let host = reqwest::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
    host.unwrap_or_default()
}

/// The request of an input that fits; else the outcome that says what doesn't.
pub(super) fn prepared(route: &Route, input: Value) -> Result<Prepared, Outcome> {
    let operation = route.operation();
    let unfit = |message: String| Outcome::Refused { code: "connector.input".to_owned(), message };
    let faults = route.connector.faults(operation, &input).map_err(|error| Outcome::Refused {
        code: "connector.unreadable".to_owned(),
        message: format!("{error}."),
    })?;
    if !faults.is_empty() {
        return Err(unfit(in_words(&route.name(), &faults)));
    }
    let Value::Object(input) = input else {
        return Err(unfit(format!("The input of {} is no map.", route.name())));
    };
    let base_url = &route.connector.catalog.base_url;
    match operation.call.request(base_url, &input) {
        Ok(request) => {
            let host = match &request {
                OperationRequest::Http(request) => host_of(&request.url),
                OperationRequest::Sql(request) => host_of(&request.database),
            };
            Ok(Prepared { request, reads: operation.safe, host })
        }
        Err(
            error @ (RequestError::Input { .. } | RequestError::Statement(_) | RequestError::Template(_)),
        ) => Err(unfit(format!("The input of {} makes no request: {error}.", route.name()))),
    }
}

fn in_words(name: &str, faults: &[InputFault]) -> String {
    let told = faults.iter().take(FAULTS_TOLD).map(|fault| match fault.pointer.as_str() {
        "" => fault.message.clone(),
        pointer => format!("{pointer}: {}", fault.message),
    });
    let more = if faults.len() > FAULTS_TOLD { "; and more" } else { "" };
    format!("The input of {name} doesn't fit: {}{more}.", told.collect::<Vec<_>>().join("; "))
}

/// Whether an answer is a page for people.
fn is_page(answer: &Answer) -> bool {
    let content_type = answer.headers.get("content-type").and_then(Value::as_str).unwrap_or_default();
    // Some systems say so of answers without a body as well.
    content_type.to_ascii_lowercase().starts_with("text/html") && !answer.body.is_null()
}

/// What of an answer counts: its output, and the identifier of a record that was made.
pub(super) fn counted(route: &Route, outcome: Outcome) -> Outcome {
    let Outcome::Answered(answer) = outcome else { return outcome };
    if !(200..300).contains(&answer.status) {
        return Outcome::Answered(answer);
    }
    if is_page(&answer) {
        // A page for people: of whoever stands in between, or of another address than was meant.
        return Outcome::Refused {
            code: "connector.html".to_owned(),
            message: format!(
                "{} answered {} with a page of HTML; look at the connector's address.",
                route.name(),
                answer.status
            ),
        };
    }
    let id = route.id_pointer().map(|pointer| {
        let id = answer.body.pointer(pointer).filter(|id| id.is_string() || id.is_number());
        id.cloned().ok_or_else(|| {
            let message = format!(
                "{} answered {} without an identifier at {pointer}; the record may have been made.",
                route.name(),
                answer.status
            );
            Outcome::Refused { code: "connector.record_id".to_owned(), message }
        })
    });
    let record_id = match id.transpose() {
        Ok(id) => id,
        Err(refused) => return refused,
    };
    Outcome::Answered(Answer { body: route.operation().output(answer.body), record_id, ..answer })
}
