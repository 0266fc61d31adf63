//! A stand-in for the systems that workflows call: answers as log, and remembers what it was asked.

use axum::{
    Router,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode},
    response::{IntoResponse as _, Response},
    routing::any,
};
use serde_json::Value;
use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::Notify;

#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) path: String,
    /// What stands behind the `?`, as it came.
    pub(crate) query: String,
    pub(crate) body: Value,
    pub(crate) key: String,
    pub(crate) authorization: String,
    /// Every header with its value, in the order in which they came.
    pub(crate) headers: Vec<(String, String)>,
}

impl Call {
    /// The values of a header, however often it came.
    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect()
    }
}

/// How the shop answers.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    Json(u16, Value),
    Header(u16, &'static str, String),
    Slow(Duration),
    /// A body, once this is notified.
    Held(Arc<Notify>, Value),
    /// 503, once this is notified.
    HeldFailure(Arc<Notify>),
    Large(usize),
    /// A status, headers of which a name may come twice, and the body's bytes.
    Raw(u16, Vec<(&'static str, String)>, Vec<u8>),
}

#[derive(Clone, Default)]
struct Log {
    calls: Arc<Mutex<Vec<Call>>>,
    replies: Arc<Mutex<VecDeque<Reply>>>,
    /// The answer where no reply is left; null for an empty object.
    otherwise: Arc<Mutex<Value>>,
}

pub(crate) struct Shop {
    pub(crate) address: SocketAddr,
    log: Log,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        let log = Log::default();
        let app = Router::new().route("/{*path}", any(take)).with_state(log.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, log }
    }

    /// Answers the next calls like this; 200 with an empty object when nothing is left.
    pub(crate) fn reply(&self, replies: impl IntoIterator<Item = Reply>) {
        self.log.replies.lock().unwrap().extend(replies);
    }

    /// Answers with this whenever no reply is left.
    pub(crate) fn otherwise(&self, body: Value) {
        *self.log.otherwise.lock().unwrap() = body;
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.log.calls.lock().unwrap().clone()
    }
}

async fn take(
    State(log): State<Log>,
    method: Method,
    Path(path): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: String,
) -> Response {
    let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let all = headers.iter().map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    log.calls.lock().unwrap().push(Call {
        method: method.to_string(),
        path,
        query: query.unwrap_or_default(),
        body: serde_json::from_str(&body).unwrap_or(Value::String(body)),
        key: header("idempotency-key"),
        authorization: header("authorization"),
        headers: all.collect(),
    });
    let reply = log.replies.lock().unwrap().pop_front();
    let code = |status: u16| StatusCode::from_u16(status).unwrap();
    match reply {
        None => {
            let otherwise = log.otherwise.lock().unwrap().clone();
            let body = if otherwise.is_null() { serde_json::json!({}) } else { otherwise };
            axum::Json(body).into_response()
        }
        Some(Reply::Json(status, body)) => (code(status), axum::Json(body)).into_response(),
        Some(Reply::Header(status, name, value)) => (code(status), [(name, value)]).into_response(),
        Some(Reply::Slow(pause)) => {
            tokio::time::sleep(pause).await;
            StatusCode::OK.into_response()
        }
        Some(Reply::Held(released, body)) => {
            released.notified().await;
            axum::Json(body).into_response()
        }
        Some(Reply::HeldFailure(released)) => {
            released.notified().await;
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
        Some(Reply::Large(size)) => "x".repeat(size).into_response(),
        Some(Reply::Raw(status, headers, body)) => {
            let mut response = Response::new(axum::body::Body::from(body));
            *response.status_mut() = code(status);
            for (name, value) in headers {
                let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
                response.headers_mut().append(HeaderName::from_static(name), value);
            }
            response
        }
    }
}
