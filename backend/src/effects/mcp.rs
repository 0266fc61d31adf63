//! Tools of MCP servers: listed and called over streamable HTTP, one session for each call.

mod transport;

use super::{
    answer::{self, AnswerError},
    credentials::Credentials,
    http::{CallError, HttpClient},
};
use reqwest::{
    Url,
    header::{HeaderName, HeaderValue},
};
use rmcp::{
    RoleClient,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ClientCapabilities, ClientConfig, ErrorData,
        Implementation, JsonObject, PaginatedRequestParams, ProtocolVersion,
    },
    service::{ClientLifecycleMode, Peer, ServiceError, serve_client_with_lifecycle},
    transport::streamable_http_client::{StreamableHttpClientTransport, StreamableHttpClientTransportConfig},
};
use serde_json::{Map, Value, json};
use shared_types::{
    connector::{HttpRequest, McpRequest},
    machine::{Outcome, input::Answer},
    workflow::{effect::Method, test_script::ScriptedError},
};
use std::{collections::BTreeMap, time::Duration};
use transport::{Fault, GuardedTransport};

/// How many bytes of messages are read for one call.
const MAX_BYTES: usize = 2 * 1024 * 1024;
/// How many bytes are read of a server's tools.
const MAX_LISTED_BYTES: usize = 4 * 1024 * 1024;
/// How many tools are read of a server; more than a connector may have.
const MAX_TOOLS: usize = 1_001;
/// How much of what a server says is told.
const MAX_MESSAGE: usize = 500;
/// The name in a call's `_meta` under which its key is sent.
const CALL_KEY: &str = "idempotencyKey";

/// A server with what lets us in.
#[derive(Debug, Clone, Copy)]
pub(super) struct McpServer<'c> {
    pub(super) http: &'c HttpClient,
    pub(super) address: &'c str,
    pub(super) credentials: &'c Credentials,
    /// The server as messages name it.
    pub(super) host: &'c str,
}

/// Why an exchange came to no answer.
#[derive(Debug)]
enum McpError {
    /// Something below the protocol.
    Fault(Fault),
    /// The server refused the request.
    Refused(ErrorData),
    /// The tool failed, with what it says.
    Tool(String),
    /// The tool asks back, or goes on by itself.
    Unfinished,
    /// The answer can't be kept.
    Answer(AnswerError),
    /// The connection broke.
    Broken,
    /// What came isn't an answer.
    Unreadable,
}

impl McpError {
    fn outcome(self, host: &str) -> Outcome {
        let refused = |code: &str, message: String| Outcome::Refused { code: code.to_owned(), message };
        match self {
            Self::Fault(Fault::Call(error)) => error.outcome(host),
            Self::Fault(Fault::Status { status, retry_after }) => {
                let retry_after = retry_after.map(|after| ("retry-after".to_owned(), after.into()));
                let headers = Map::from_iter(retry_after);
                Outcome::Answered(Answer { status, headers, body: Value::Null, record_id: None })
            }
            Self::Fault(Fault::TooLarge) => refused(
                AnswerError::TooLarge.code(),
                format!("The answer of {host} is larger than what is read; ask for less of it."),
            ),
            Self::Fault(Fault::NotProtocol(content_type)) => {
                let kind: String = content_type.chars().take(100).collect();
                let with = if kind.is_empty() { String::new() } else { format!(" with {kind}") };
                refused("mcp.answer", format!("{host} answers{with}, but not as an MCP server does."))
            }
            Self::Refused(error) => refused(
                "mcp.refused",
                format!("{host} refused it: {} ({}).", told(&error.message), error.code.0),
            ),
            Self::Tool(text) => {
                refused("mcp.tool", format!("The tool failed: {}.", text.trim_end_matches('.')))
            }
            Self::Unfinished => refused(
                "mcp.unfinished",
                format!("The tool of {host} asks back or goes on by itself, which can't be awaited."),
            ),
            Self::Answer(error) => refused(error.code(), format!("{error}.")),
            Self::Unreadable => {
                refused("mcp.answer", format!("{host} answers what isn't the answer of a tool."))
            }
            Self::Broken => Outcome::Unanswered {
                error: ScriptedError::Connection,
                message: format!("The connection to {host} broke"),
            },
        }
    }
}

impl From<ServiceError> for McpError {
    fn from(error: ServiceError) -> Self {
        if let ServiceError::McpError(error) = error {
            Self::Refused(error)
        } else if matches!(error, ServiceError::UnexpectedResponse) {
            Self::Unreadable
        } else {
            Self::Broken
        }
    }
}

/// Calls a tool; whatever happens is an outcome. The key is the same for every attempt.
pub(super) async fn call(
    server: McpServer<'_>,
    request: &McpRequest,
    key: Option<&str>,
    timeout: Duration,
) -> Outcome {
    let mut params =
        CallToolRequestParams::new(request.tool.clone()).with_arguments(request.arguments.clone());
    let key = key.map(|key| JsonObject::from_iter([(CALL_KEY.to_owned(), key.into())]));
    params.meta = key.map(Into::into);
    let called = server.exchange(timeout, MAX_BYTES, |peer: Peer<RoleClient>| async move {
        match peer.call_tool_once(params).await? {
            CallToolResponse::Complete(result) => body_of(&result),
            CallToolResponse::InputRequired(_) | CallToolResponse::Task(_) => Err(McpError::Unfinished),
            _ => Err(McpError::Unreadable),
        }
    });
    called.await
}

/// Asks for the tools of a server: the answer is the list of them, as the server describes them.
pub(super) async fn tools(server: McpServer<'_>, timeout: Duration) -> Outcome {
    let listed = server.exchange(timeout, MAX_LISTED_BYTES, |peer: Peer<RoleClient>| async move {
        let mut tools: Vec<Value> = Vec::new();
        let (mut cursor, mut bytes) = (None, 0);
        while tools.len() < MAX_TOOLS {
            let params = PaginatedRequestParams::default().with_cursor(cursor);
            let page = peer.list_tools(Some(params)).await?;
            let is_empty = page.tools.is_empty();
            for tool in &page.tools {
                let tool = serde_json::to_value(tool).map_err(|_| McpError::Unreadable)?;
                bytes += tool.to_string().len();
                tools.push(tool);
            }
            if bytes > MAX_LISTED_BYTES {
                return Err(McpError::Fault(Fault::TooLarge));
            }
            cursor = page.next_cursor;
            // A server that gives empty pages for ever would keep us until the time is up.
            if cursor.is_none() || is_empty {
                break;
            }
        }
        Ok(Value::Array(tools))
    });
    listed.await
}

impl McpServer<'_> {
    /// What comes of some requests in a session of their own.
    async fn exchange<F: Future<Output = Result<Value, McpError>>>(
        self,
        timeout: Duration,
        max_bytes: usize,
        work: impl FnOnce(Peer<RoleClient>) -> F,
    ) -> Outcome {
        match tokio::time::timeout(timeout, self.in_session(max_bytes, work)).await {
            Ok(Ok(body)) => {
                Outcome::Answered(Answer { status: 200, headers: Map::new(), body, record_id: None })
            }
            Ok(Err(error)) => error.outcome(self.host),
            Err(_) => Outcome::Unanswered {
                error: ScriptedError::Timeout,
                message: format!("No answer from {} within {} ms", self.host, timeout.as_millis()),
            },
        }
    }

    async fn in_session<F: Future<Output = Result<Value, McpError>>>(
        self,
        max_bytes: usize,
        work: impl FnOnce(Peer<RoleClient>) -> F,
    ) -> Result<Value, McpError> {
        let (url, custom_headers) = self.address().map_err(|error| McpError::Fault(Fault::Call(error)))?;
        let client = self.http.client_for(&url).map_err(|error| McpError::Fault(Fault::Call(error)))?;
        let transport = GuardedTransport::new(client.clone());
        let mut config = StreamableHttpClientTransportConfig::with_uri(url.as_str());
        config.custom_headers = custom_headers.into_iter().collect();
        config.max_sse_event_size = max_bytes;
        config.max_json_response_size = max_bytes;
        config.reinit_on_expired_session = false;
        let mode = ClientLifecycleMode::Auto {
            preferred_versions: vec![ProtocolVersion::LATEST],
            legacy_version: Some(ProtocolVersion::LATEST_WITH_INITIALIZE),
        };
        let info = ClientConfig::new(
            ClientCapabilities::default(),
            Implementation::new("intelligent-workflows", env!("CARGO_PKG_VERSION")),
        );
        let streamed = StreamableHttpClientTransport::with_client(transport.clone(), config);
        let fault = || transport.take_fault().map(McpError::Fault);
        let session = serve_client_with_lifecycle(info, streamed, mode).await;
        let session = session.map_err(|_| fault().unwrap_or(McpError::Unreadable))?;
        // The session is ended behind the answer, as it goes out of scope.
        work(session.peer().clone()).await.map_err(|error| {
            let is_of_transport = matches!(error, McpError::Broken | McpError::Unreadable);
            if is_of_transport { fault().unwrap_or(error) } else { error }
        })
    }

    /// The address and the headers with what lets us in.
    fn address(&self) -> Result<(Url, Vec<(HeaderName, HeaderValue)>), CallError> {
        let bare = HttpRequest {
            method: Method::Post,
            url: self.address.to_owned(),
            headers: BTreeMap::new(),
            query: BTreeMap::new(),
            body: None,
        };
        let request = self.credentials.added_to(bare);
        let mut url = Url::parse(&request.url).map_err(|_| CallError::BadUrl)?;
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        let headers = super::headers::sendable(&request.headers)?;
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        Ok((url, headers))
    }
}

/// What counts of a tool's result: its structured content, else its text, else all of its content.
fn body_of(result: &CallToolResult) -> Result<Value, McpError> {
    let text = || {
        let texts = result.content.iter().map(|block| Some(block.as_text()?.text.as_str()));
        texts.collect::<Option<Vec<&str>>>().map(|texts| texts.join("\n"))
    };
    if result.is_error == Some(true) {
        return Err(McpError::Tool(told(&text().unwrap_or_default())));
    }
    let structured = result.structured_content.as_ref().filter(|content| !content.is_null());
    let body = match (structured, text()) {
        (Some(structured), _) => answer::json_of_text(&structured.to_string()),
        (None, Some(text)) => answer::body_of_text(&text),
        (None, None) => answer::json_of_text(&json!({ "content": result.content }).to_string()),
    };
    body.map_err(McpError::Answer)
}

fn told(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_MESSAGE).collect()
}
