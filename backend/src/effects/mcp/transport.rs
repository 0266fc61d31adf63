//! Exchanges with MCP servers, by the guarded client: bounded in bytes, and with what went wrong below the protocol.

use crate::effects::http::CallError;
use futures_util::{StreamExt as _, stream::BoxStream};
use reqwest::{
    Client,
    header::{HeaderName, HeaderValue},
};
use rmcp::{
    model::ClientJsonRpcMessage,
    transport::streamable_http_client::{
        SseError, StreamableHttpClient, StreamableHttpError, StreamableHttpPostResponse,
        StreamableHttpResponseLimits,
    },
};
use sse_stream::Sse;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// What went wrong below the protocol.
#[derive(Debug)]
pub(super) enum Fault {
    /// The request wasn't made, or had no answer.
    Call(CallError),
    /// The server answered with a status of HTTP, and no message.
    Status { status: u16, retry_after: Option<String> },
    /// There was more than is read.
    TooLarge,
    /// The server knows the session no longer.
    SessionEnded,
    /// What came isn't a message of the protocol.
    NotProtocol(String),
}

/// Makes exchanges and keeps the last fault; clones share it.
#[derive(Debug, Clone)]
pub(super) struct GuardedTransport {
    client: Client,
    fault: Arc<Mutex<Option<Fault>>>,
}

type Headers = HashMap<HeaderName, HeaderValue>;
type TransportError = StreamableHttpError<reqwest::Error>;
type Events = BoxStream<'static, Result<Sse, SseError>>;

impl GuardedTransport {
    /// By a client that may call the server.
    pub(super) fn new(client: Client) -> Self {
        Self { client, fault: Arc::default() }
    }

    /// The last fault, once.
    pub(super) fn take_fault(&self) -> Option<Fault> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn record_fault(&self, fault: Fault) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
    }

    /// Records the reason of an error, and gives the error as the protocol's library needs it.
    fn with_fault_recorded(&self, error: TransportError) -> TransportError {
        let status = |status, retry_after| Fault::Status { status, retry_after };
        let not_protocol = |content_type: &str| Fault::NotProtocol(content_type.to_owned());
        let fault = if let StreamableHttpError::Client(error) = error {
            self.record_fault(Fault::Call(error.into()));
            return StreamableHttpError::UnexpectedEndOfStream;
        } else if let StreamableHttpError::HttpStatus(answered) = &error {
            status(answered.status, answered.retry_after.clone())
        } else if let StreamableHttpError::AuthRequired(_) = &error {
            status(401, None)
        } else if let StreamableHttpError::InsufficientScope(_) = &error {
            status(403, None)
        } else if let StreamableHttpError::SessionExpired = &error {
            Fault::SessionEnded
        } else if let StreamableHttpError::ResponseBodyTooLarge { .. } = &error {
            Fault::TooLarge
        } else if let StreamableHttpError::UnexpectedContentType(kind) = &error {
            not_protocol(kind.as_deref().unwrap_or_default())
        } else if let StreamableHttpError::UnexpectedServerResponse(told) = &error {
            // The library tells other statuses in words: `HTTP 404 Not Found: …`.
            let code = told.strip_prefix("HTTP ").and_then(|rest| rest.get(..3)?.parse().ok());
            code.map_or_else(|| not_protocol(""), |code| status(code, None))
        } else {
            not_protocol("")
        };
        self.record_fault(fault);
        error
    }

    /// The events of an answer, until there are more bytes of them than are read.
    fn bounded(&self, events: Events, max_bytes: usize) -> Events {
        let transport = self.clone();
        let mut bytes = 0;
        let counted = move |event: &Result<Sse, SseError>| {
            bytes += event.as_ref().map_or(0, |event| event.data.as_ref().map_or(0, String::len));
            // An event that ends by itself is told as one that broke; where it was too long, that is why.
            let is_too_large = bytes > max_bytes
                || event.as_ref().is_err_and(|error| error.to_string().contains("maximum size"));
            if is_too_large {
                transport.record_fault(Fault::TooLarge);
            }
            std::future::ready(!is_too_large)
        };
        events.take_while(counted).boxed()
    }
}

impl StreamableHttpClient for GuardedTransport {
    type Error = reqwest::Error;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        auth_header: Option<String>,
        custom_headers: Headers,
    ) -> Result<StreamableHttpPostResponse, TransportError> {
        let limits = StreamableHttpResponseLimits::default();
        self.post_message_with_response_limits(uri, message, session_id, auth_header, custom_headers, limits)
            .await
    }

    async fn post_message_with_response_limits(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        auth_header: Option<String>,
        custom_headers: Headers,
        limits: StreamableHttpResponseLimits,
    ) -> Result<StreamableHttpPostResponse, TransportError> {
        let answered = self
            .client
            .post_message_with_response_limits(uri, message, session_id, auth_header, custom_headers, limits)
            .await;
        match answered {
            Ok(StreamableHttpPostResponse::Sse(events, session)) => {
                let events = self.bounded(events, limits.max_json_response_size);
                Ok(StreamableHttpPostResponse::Sse(events, session))
            }
            Ok(answered) => Ok(answered),
            Err(error) => Err(self.with_fault_recorded(error)),
        }
    }

    async fn delete_session(
        &self,
        uri: Arc<str>,
        session_id: Arc<str>,
        auth_header: Option<String>,
        custom_headers: Headers,
    ) -> Result<(), TransportError> {
        self.client.delete_session(uri, session_id, auth_header, custom_headers).await
    }

    async fn get_stream(
        &self,
        uri: Arc<str>,
        session_id: Option<Arc<str>>,
        last_event_id: Option<String>,
        auth_header: Option<String>,
        custom_headers: Headers,
    ) -> Result<Events, TransportError> {
        let limit = StreamableHttpResponseLimits::default().max_sse_event_size;
        self.get_stream_with_max_sse_event_size(
            uri,
            session_id,
            last_event_id,
            auth_header,
            custom_headers,
            limit,
        )
        .await
    }

    async fn get_stream_with_max_sse_event_size(
        &self,
        uri: Arc<str>,
        session_id: Option<Arc<str>>,
        last_event_id: Option<String>,
        auth_header: Option<String>,
        custom_headers: Headers,
        max_event: usize,
    ) -> Result<Events, TransportError> {
        // What a server tells unasked isn't needed here; the rest of an answer that broke is.
        if last_event_id.is_none() {
            return Err(StreamableHttpError::ServerDoesNotSupportSse);
        }
        let client = &self.client;
        let events = client
            .get_stream_with_max_sse_event_size(
                uri,
                session_id,
                last_event_id,
                auth_header,
                custom_headers,
                max_event,
            )
            .await?;
        Ok(self.bounded(events, max_event))
    }
}
