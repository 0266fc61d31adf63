//! Tools of MCP servers: listed and called over streamable HTTP, one session for each call.

mod transport;

use super::{
    answer::{self, AnswerError},
    credentials::Credentials,
    http::{CallError, HttpClient},
};
use moka::sync::Cache;
use reqwest::{
    Url,
    header::{HeaderName, HeaderValue},
};
use rmcp::{
    RoleClient,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ClientCapabilities, ClientConfig,
        ClientRequest, ErrorData, Implementation, JsonObject, ListToolsRequest, PaginatedRequestParams,
        ProtocolVersion, ServerResult,
    },
    service::{ClientInitializeError, ClientLifecycleMode, Peer, ServiceError, serve_client_with_lifecycle},
    transport::streamable_http_client::{StreamableHttpClientTransport, StreamableHttpClientTransportConfig},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use shared_types::{
    connector::{HttpRequest, McpRequest},
    machine::{Outcome, input::Answer},
    workflow::{effect::Method, test_script::ScriptedError},
};
use std::{collections::BTreeMap, time::Duration};
use transport::{Fault, GuardedTransport};

/// How many bytes are read of one response.
const MAX_BYTES: usize = 2 * 1024 * 1024;
/// How many bytes are read of a server's tools.
const MAX_LISTED_BYTES: usize = 4 * 1024 * 1024;
/// How many tools are read of a server; more than a connector may have.
const MAX_TOOLS: usize = 1_001;
/// How much of what a server says is kept until secrets in it are masked; then it is shortened.
const MAX_MESSAGE: usize = 20_000;
/// How many pages of tools may be empty.
const MAX_EMPTY_PAGES: u32 = 3;
/// The name in a call's `_meta` under which its key is sent.
const CALL_KEY: &str = "idempotencyKey";

/// How many servers are remembered, and for how long.
const MAX_SERVERS: u64 = 1_000;
const REMEMBERED_FOR: Duration = Duration::from_hours(1);

/// The addresses of servers that speak only revisions with sessions: the next call needn't find that out again. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct SessionServers(Cache<String, ()>);

impl Default for SessionServers {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(MAX_SERVERS).time_to_live(REMEMBERED_FOR).build())
    }
}

/// A server with what lets us in.
#[derive(Debug, Clone, Copy)]
pub(super) struct McpServer<'c> {
    pub(super) http: &'c HttpClient,
    pub(super) sessions: &'c SessionServers,
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
    /// The connection ended before the answer, so that the call may be tried again.
    Broken,
    /// What came isn't an answer.
    Unreadable,
    /// The list of tools doesn't end.
    EndlessPages,
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
                let kind = printable(&content_type);
                let with = if kind.is_empty() { String::new() } else { format!(" with {kind}") };
                refused("mcp.answer", format!("{host} answers{with}, but not as an MCP server does."))
            }
            Self::Refused(error) => refused(
                "mcp.refused",
                format!("{host} refused it: {} ({}).", printable(&error.message), error.code.0),
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
                refused("mcp.answer", format!("{host} answers what can't be read as its answer."))
            }
            Self::EndlessPages => refused("mcp.answer", format!("{host} gives pages of tools without end.")),
            Self::Fault(Fault::SessionEnded) => Outcome::Unanswered {
                error: ScriptedError::Connection,
                message: format!("{host} ended the session"),
            },
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
    let (listed, tool) = (request.has_headers, request.tool.clone());
    let called = server.exchange(timeout, MAX_BYTES, |peer: Peer<RoleClient>| async move {
        if listed {
            // The library mirrors arguments into headers as the list of the same session says.
            find_tool(&peer, &tool).await?;
        }
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
        let (mut cursor, mut bytes, mut empty_pages) = (None, 0, 0);
        while tools.len() < MAX_TOOLS {
            let page = tools_page(&peer, cursor.clone()).await?;
            empty_pages += u32::from(page.tools.is_empty());
            for tool in page.tools {
                bytes += tool.to_string().len();
                tools.push(tool);
            }
            if bytes > MAX_LISTED_BYTES {
                return Err(McpError::Fault(Fault::TooLarge));
            }
            match page.next_cursor {
                None => break,
                // A server that gives empty pages or the same one for ever would keep us until the time is up.
                next if next == cursor || empty_pages > MAX_EMPTY_PAGES => {
                    return Err(McpError::EndlessPages);
                }
                next => cursor = next,
            }
        }
        Ok(Value::Array(tools))
    });
    listed.await
}

/// A page of tools, as its server wrote them: one that can't be read is nothing against the others.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToolsPage {
    tools: Vec<Value>,
    #[serde(default)]
    next_cursor: Option<String>,
}

/// Reads the list up to the page that has a tool.
async fn find_tool(peer: &Peer<RoleClient>, name: &str) -> Result<(), McpError> {
    let mut cursor = None;
    for _ in 0..MAX_TOOLS {
        let page = tools_page(peer, cursor).await?;
        let is_there = page.tools.iter().any(|tool| tool.get("name").is_some_and(|other| other == name));
        cursor = page.next_cursor;
        if is_there || cursor.is_none() {
            break;
        }
    }
    Ok(())
}

async fn tools_page(peer: &Peer<RoleClient>, cursor: Option<String>) -> Result<ToolsPage, McpError> {
    let params = PaginatedRequestParams::default().with_cursor(cursor);
    let request = ListToolsRequest { params: Some(params), ..ListToolsRequest::default() };
    let answer = peer.send_request(ClientRequest::ListToolsRequest(request)).await?;
    let page = if let ServerResult::ListToolsResult(page) = answer {
        serde_json::to_value(page)
    } else if let ServerResult::CustomResult(page) = answer {
        Ok(page.0)
    } else {
        return Err(McpError::Unreadable);
    };
    page.and_then(serde_json::from_value).map_err(|_| McpError::Unreadable)
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
        let mode = if self.sessions.0.contains_key(self.address) {
            ClientLifecycleMode::Initialize
        } else {
            ClientLifecycleMode::Auto {
                preferred_versions: vec![ProtocolVersion::LATEST],
                legacy_version: Some(ProtocolVersion::LATEST_WITH_INITIALIZE),
            }
        };
        let info = ClientConfig::new(
            ClientCapabilities::default(),
            Implementation::new("intelligent-workflows", env!("CARGO_PKG_VERSION")),
        )
        // What a session may begin with; the newest revision has none.
        .with_protocol_version(ProtocolVersion::LATEST_WITH_INITIALIZE);
        let streamed = StreamableHttpClientTransport::with_client(transport.clone(), config);
        let fault = || transport.take_fault().map(McpError::Fault);
        let session = serve_client_with_lifecycle(info, streamed, mode).await;
        let session = session.map_err(|error| {
            // It may have learned the newer revision meanwhile.
            self.sessions.0.invalidate(self.address);
            refusal(error).or_else(fault).unwrap_or(McpError::Unreadable)
        })?;
        if session.peer().peer_info().is_some_and(|info| info.protocol_version.has_initialize()) {
            self.sessions.0.insert(self.address.to_owned(), ());
        }
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

/// What a server said as it refused to begin a session.
fn refusal(error: ClientInitializeError) -> Option<McpError> {
    if let ClientInitializeError::JsonRpcError(error) = error {
        return Some(McpError::Refused(error));
    }
    let ClientInitializeError::LegacyFallbackFailed { fallback, .. } = error else { return None };
    refusal(*fallback)
}

/// What counts of a tool's result: its structured content, else its text, else all of its content.
fn body_of(result: &CallToolResult) -> Result<Value, McpError> {
    let text = || {
        let texts = result.content.iter().map(|block| Some(block.as_text()?.text.as_str()));
        texts.collect::<Option<Vec<&str>>>().map(|texts| texts.join("\n"))
    };
    if result.is_error == Some(true) {
        return Err(McpError::Tool(printable(&text().unwrap_or_default())));
    }
    let structured = result.structured_content.as_ref().filter(|content| !content.is_null());
    let body = match (structured, text()) {
        (Some(structured), _) => answer::json_of_text(&structured.to_string()),
        (None, Some(text)) => answer::body_of_text(&text),
        (None, None) => answer::json_of_text(&json!({ "content": result.content }).to_string()),
    };
    body.map_err(McpError::Answer)
}

fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_MESSAGE).collect()
}
