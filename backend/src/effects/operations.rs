//! Calls of connectors' operations: the input checked, the request made from it, and what of the answer counts.

use super::{
    Effects,
    http::HttpCall,
    masking::Masker,
    mcp::{self, McpServer},
    sql::{self, SqlCall},
    tokens::TokenKey,
};
use crate::connectors::{ReadyConnector, Route};
use serde_json::Value;
use shared_types::{
    connector::{Auth, ConnectorKind, HttpRequest, InputFault, McpRequest, OperationRequest, RequestError},
    ids::{ExecutionId, WorkspaceId},
    machine::{EffectCall, Outcome, input::Answer},
};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// How many faults of an input a failed step tells.
const FAULTS_TOLD: usize = 5;

/// A request with what its messages may say.
pub(super) struct Prepared {
    pub(super) request: OperationRequest,
    /// Whether it only reads.
    pub(super) reads: bool,
    pub(super) host: String,
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
                let sent = Sent::Http { request, host: &prepared.host, idempotency_key };
                self.send_authorized(connector, sent, secrets, timeout).await
            }
            OperationRequest::Mcp(request) => {
                let sent = Sent::Tool { request, host: &prepared.host, idempotency_key };
                self.send_authorized(connector, sent, secrets, timeout).await
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
                let outcome = Box::pin(sql::run(&self.guard, &call, timeout)).await;
                shortened(Masker::new(secrets.values().map(String::as_str)).mask(outcome))
            }
        }
    }

    /// Sends something with what lets it in. A token that isn't taken any more is renewed once.
    pub(super) async fn send_authorized(
        &self,
        connector: &ReadyConnector,
        sent: Sent<'_>,
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
            let left = timeout.saturating_sub(begun.elapsed());
            let server = |address, host| McpServer {
                http: &self.http,
                sessions: &self.mcp_sessions,
                address,
                credentials: &credentials,
                host,
            };
            let outcome = match sent {
                Sent::Http { request, host, idempotency_key } => {
                    let in_body = request.body.as_ref().is_some_and(|body| masker.finds_in(body));
                    let in_headers = request.headers.iter().filter(|(_, value)| masker.finds(value));
                    let in_headers = in_headers.map(|(name, _)| name.as_str());
                    let call = HttpCall {
                        request: &credentials.added_to(request.clone()),
                        idempotency_key,
                        confidential: &credentials.confidential(in_headers, in_body),
                        host,
                    };
                    self.http.call(&call, left).await
                }
                Sent::Tool { request, host, idempotency_key } => {
                    Box::pin(mcp::call(server(&request.server, host), request, idempotency_key, left)).await
                }
                Sent::ListTools { address, host } => Box::pin(mcp::tools(server(address, host), left)).await,
            };
            if let (Some(token), Outcome::Answered(Answer { status: 401, .. }), false) =
                (&credentials.token, &outcome, renewed)
            {
                let secret = auth.secret().and_then(|name| secrets.get(name)).map(String::as_str);
                self.tokens.forget(key().of_secret(secret.unwrap_or_default()), token).await;
                renewed = true;
                continue;
            }
            return shortened(masker.mask(outcome));
        }
    }
}

/// How many characters of what a system says are told.
const MAX_DETAIL: usize = 600;

/// The outcome with its message cut; only once secrets in it are masked, since half of one is no longer found.
fn shortened(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Refused { code, message } if message.chars().count() > MAX_DETAIL => {
            let begin: String = message.chars().take(MAX_DETAIL).collect();
            Outcome::Refused { code, message: format!("{begin}…") }
        }
        Outcome::Unanswered { error, message } if message.chars().count() > MAX_DETAIL => {
            let begin: String = message.chars().take(MAX_DETAIL).collect();
            Outcome::Unanswered { error, message: format!("{begin}…") }
        }
        outcome @ (Outcome::Answered(_)
        | Outcome::Refused { .. }
        | Outcome::Unanswered { .. }
        | Outcome::Held { .. }) => outcome,
    }
}

/// What is sent with what lets it in.
#[derive(Clone, Copy)]
pub(super) enum Sent<'s> {
    /// A request of HTTP.
    Http { request: &'s HttpRequest, host: &'s str, idempotency_key: Option<&'s str> },
    /// A call of a tool.
    Tool { request: &'s McpRequest, host: &'s str, idempotency_key: Option<&'s str> },
    /// The question for a server's tools.
    ListTools { address: &'s str, host: &'s str },
}

pub(super) fn host_of(url: &str) -> String {
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
                OperationRequest::Mcp(request) => host_of(&request.server),
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
pub(super) fn is_page(answer: &Answer) -> bool {
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
