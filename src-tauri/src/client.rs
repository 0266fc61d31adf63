//! The API's endpoints, called as they are defined.

use reqwest::{Method, Response, StatusCode};
use shared_types::{
    api::{Endpoint, HttpMethod, NoBody, NoQuery, problem::Problem},
    desktop::Failure,
};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(10);
/// For endpoints that ask other systems, which have 30 s for it.
const SLOW_TIMEOUT: Duration = Duration::from_secs(40);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);
/// Shorter than the 30 s after which the server closes an idle connection, so that no request meets one that closes.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// Calls a server.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
}

/// A call, as its endpoint has it.
pub(crate) struct Request<'a, E: Endpoint> {
    /// The values of the path's parameters, in order.
    pub(crate) path: &'a [&'a str],
    /// The query.
    pub(crate) query: &'a E::Query,
    /// The body.
    pub(crate) body: &'a E::Request,
    /// Further headers.
    pub(crate) headers: &'a [(&'static str, String)],
}

impl<'a, E: Endpoint<Query = NoQuery, Request = NoBody>> Request<'a, E> {
    /// A call of an endpoint that takes nothing but its path.
    pub(crate) fn at(path: &'a [&'a str]) -> Self {
        Self { path, query: &NoQuery {}, body: &NoBody {}, headers: &[] }
    }
}

/// What a document is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DocumentKind {
    Json,
    Yaml,
    ICalendar,
}

/// A document to send.
pub(crate) struct Document<'a> {
    /// As it is written.
    pub(crate) text: &'a str,
    /// What it is written in.
    pub(crate) kind: DocumentKind,
    /// The etag that it builds on.
    pub(crate) if_match: Option<&'a str>,
}

impl Client {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .build()?;
        Ok(Self { http })
    }

    /// Sends a document as it is written.
    pub(crate) async fn send_document<E: Endpoint>(
        &self,
        server: &str,
        token: &str,
        path: &[&str],
        document: &Document<'_>,
    ) -> Result<E::Response, Failure> {
        let url = format!("{server}/api/v1/{}", fill(E::PATH, path));
        let request = if E::METHOD == HttpMethod::Put { self.http.put(url) } else { self.http.post(url) };
        let kind = match document.kind {
            DocumentKind::Json => "application/json",
            DocumentKind::Yaml => "application/yaml",
            DocumentKind::ICalendar => "text/calendar",
        };
        let mut request =
            request.bearer_auth(token).header("content-type", kind).body(document.text.to_owned());
        if let Some(etag) = document.if_match {
            request = request.header("if-match", etag);
        }
        read::<E>(request.send().await.map_err(|_| Failure::Offline)?).await
    }

    /// Calls an endpoint of a server.
    pub(crate) async fn call<E: Endpoint>(
        &self,
        server: &str,
        token: Option<&str>,
        call: &Request<'_, E>,
    ) -> Result<E::Response, Failure> {
        let url = format!("{server}/api/v1/{}", fill(E::PATH, call.path));
        let method = match E::METHOD {
            HttpMethod::Get => Method::GET,
            HttpMethod::Post => Method::POST,
            HttpMethod::Put => Method::PUT,
            HttpMethod::Patch => Method::PATCH,
            HttpMethod::Delete => Method::DELETE,
        };
        let timeout = if E::ASKS_OTHERS { SLOW_TIMEOUT } else { TIMEOUT };
        let mut request = self.http.request(method, url).query(call.query).timeout(timeout);
        if E::METHOD != HttpMethod::Get {
            request = request.json(call.body);
        }
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        for (name, value) in call.headers {
            request = request.header(*name, value);
        }
        read::<E>(request.send().await.map_err(|_| Failure::Offline)?).await
    }
}

async fn read<E: Endpoint>(response: Response) -> Result<E::Response, Failure> {
    let status = response.status();
    let text = response.text().await.map_err(|_| Failure::Offline)?;
    if status.is_success() {
        let text = if status == StatusCode::NO_CONTENT { "{}" } else { &text };
        return serde_json::from_str(text)
            .map_err(|error| Failure::Shell(format!("The server's answer can't be read: {error}.")));
    }
    match serde_json::from_str::<Problem>(&text) {
        // A server without its database is as good as none: what was seen is shown, what is decided is kept.
        Ok(problem) if problem.status == 503 => Err(Failure::Offline),
        Ok(problem) => Err(Failure::Refused(Box::new(problem))),
        Err(_) => Err(Failure::Shell(format!("The server answered {status}, and nothing that can be read."))),
    }
}

/// A path with its parameters filled in.
fn fill(path: &str, values: &[&str]) -> String {
    let mut values = values.iter();
    let parts = path.split('/').map(|part| {
        if part.starts_with('{') {
            values.next().map_or_else(String::new, |value| encode(value))
        } else {
            part.to_owned()
        }
    });
    parts.collect::<Vec<_>>().join("/")
}

fn encode(segment: &str) -> String {
    let keep = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
    segment.bytes().map(|b| if keep(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paths_parameters_are_filled_in_and_cannot_leave_their_place() {
        assert_eq!(fill("approvals/{approval_id}/decisions", &["a1"]), "approvals/a1/decisions");
        assert_eq!(fill("workflows/{workflow_id}", &["../users"]), "workflows/..%2Fusers");
    }
}
