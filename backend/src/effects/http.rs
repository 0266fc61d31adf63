//! HTTP calls: guarded at every hop, bounded in time and size, with the run's idempotency key.

use super::{
    NoClient,
    guard::{Allowed, PublicOnly, is_public},
};
use reqwest::{Client, Response, Url, header, redirect};
use serde_json::{Map, Value};
use shared_types::{
    machine::{Outcome, input::Answer, request::HttpRequest},
    workflow::script::ScriptedError,
};
use std::{net::IpAddr, time::Duration};

/// How much of an answer is kept.
const MAX_ANSWER: usize = 1024 * 1024;
const MAX_REDIRECTS: u32 = 5;

/// Makes HTTP calls.
#[derive(Debug)]
pub(super) struct Caller {
    guarded: Client,
    trusted: Client,
    allowed: Allowed,
}

/// Why a call came to no answer.
enum Failed {
    Refused { code: &'static str, message: String },
    Sending(reqwest::Error),
}

impl From<reqwest::Error> for Failed {
    fn from(error: reqwest::Error) -> Self {
        Self::Sending(error)
    }
}

impl Caller {
    pub(super) fn new(allowed: Allowed) -> Result<Self, NoClient> {
        let builder = || {
            Client::builder()
                .redirect(redirect::Policy::none())
                .connect_timeout(Duration::from_secs(10))
                .pool_idle_timeout(Duration::from_secs(30))
                .user_agent(concat!("intelligent-workflows/", env!("CARGO_PKG_VERSION")))
        };
        let guarded = builder().no_proxy().dns_resolver(std::sync::Arc::new(PublicOnly)).build()?;
        Ok(Self { guarded, trusted: builder().no_proxy().build()?, allowed })
    }

    /// Makes a call; whatever happens is an outcome.
    pub(super) async fn call(&self, request: &HttpRequest, key: &str, timeout: Duration) -> Outcome {
        match tokio::time::timeout(timeout, self.send(request, key)).await {
            Ok(Ok(answer)) => Outcome::Answered(answer),
            Ok(Err(Failed::Refused { code, message })) => Outcome::Refused { code: code.to_owned(), message },
            Ok(Err(Failed::Sending(error))) => unanswered(error),
            Err(_) => Outcome::Unanswered {
                error: ScriptedError::Timeout,
                message: format!("No answer within {} ms", timeout.as_millis()),
            },
        }
    }

    async fn send(&self, request: &HttpRequest, key: &str) -> Result<Answer, Failed> {
        let mut url = read_url(&request.url)?;
        url.query_pairs_mut().extend_pairs(&request.query);
        if request.query.is_empty() && url.query() == Some("") {
            url.set_query(None);
        }
        for _ in 0..=MAX_REDIRECTS {
            let response = self.hop(&url, request, key).await?;
            match location(&response, &url) {
                Some(next) => {
                    // A redirect to another place gets neither headers nor body that were meant for the first.
                    if next.origin() != url.origin() {
                        return Err(refused(
                            "redirect.elsewhere",
                            format!("It redirects to {}", host_of(&next)),
                        ));
                    }
                    url = next;
                }
                None => return read_answer(response).await,
            }
        }
        Err(refused("redirect.endless", format!("It redirects more than {MAX_REDIRECTS} times")))
    }

    async fn hop(&self, url: &Url, request: &HttpRequest, key: &str) -> Result<Response, Failed> {
        let client = self.client_for(url)?;
        let method = reqwest::Method::from_bytes(request.method.as_str().as_bytes())
            .map_err(|_| refused("request.bad", "The method can't be sent".to_owned()))?;
        let mut builder = client.request(method, url.clone());
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        builder = builder.header("Idempotency-Key", key);
        builder = match &request.body {
            Some(Value::String(text)) => builder.body(text.clone()),
            Some(body) => {
                let typed = request.headers.keys().any(|name| name.eq_ignore_ascii_case("content-type"));
                let builder = builder.body(body.to_string());
                if typed { builder } else { builder.header(header::CONTENT_TYPE, "application/json") }
            }
            None => builder,
        };
        Ok(builder.send().await?)
    }

    /// The client that may call an address.
    fn client_for(&self, url: &Url) -> Result<&Client, Failed> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(refused("url.bad", format!("{} can't be called, only http and https", url.scheme())));
        }
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or_default();
        if self.allowed.lets(host, port) {
            return Ok(&self.trusted);
        }
        let literal: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
        if literal.is_some_and(|address| !is_public(address)) {
            return Err(private(host, port));
        }
        Ok(&self.guarded)
    }
}

fn refused(code: &'static str, message: String) -> Failed {
    Failed::Refused { code, message }
}

fn private(host: &str, port: u16) -> Failed {
    let message =
        format!("{host}:{port} is a private address; an administrator may allow it (IW_OUTBOUND_ALLOW)");
    refused("outbound.private", message)
}

fn read_url(text: &str) -> Result<Url, Failed> {
    Url::parse(text).map_err(|error| refused("url.bad", format!("The address can't be read: {error}")))
}

fn host_of(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}

fn location(response: &Response, from: &Url) -> Option<Url> {
    if !response.status().is_redirection() {
        return None;
    }
    let location = response.headers().get(header::LOCATION)?.to_str().ok()?;
    from.join(location).ok()
}

async fn read_answer(mut response: Response) -> Result<Answer, Failed> {
    let status = response.status().as_u16();
    let headers: Map<String, Value> = response
        .headers()
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), clean(&String::from_utf8_lossy(value.as_bytes())).into())
        })
        .collect();
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if bytes.len() + chunk.len() > MAX_ANSWER {
            return Err(refused("answer.too_large", format!("The answer is larger than {MAX_ANSWER} bytes")));
        }
        bytes.extend_from_slice(&chunk);
    }
    let is_json =
        headers.get("content-type").and_then(Value::as_str).is_none_or(|kind| kind.contains("json"));
    let text = String::from_utf8_lossy(&bytes);
    let body = if text.is_empty() {
        Value::Null
    } else if is_json {
        serde_json::from_str(&clean(&text)).unwrap_or_else(|_| Value::String(clean(&text)))
    } else {
        Value::String(clean(&text))
    };
    Ok(Answer { status, headers, body })
}

/// Takes out what the database can't keep: zero bytes, also where JSON escapes them.
fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}").replace("\\u0000", "\\ufffd")
}

fn unanswered(error: reqwest::Error) -> Outcome {
    let is_private = std::iter::successors(std::error::Error::source(&error), |e| e.source())
        .any(|source| source.to_string().contains("leads to a private address"));
    if is_private {
        let message = "The address is private; an administrator may allow it (IW_OUTBOUND_ALLOW)".to_owned();
        return Outcome::Refused { code: "outbound.private".to_owned(), message };
    }
    if error.is_builder() {
        let message = format!("The request can't be made: {}", error.without_url());
        return Outcome::Refused { code: "request.bad".to_owned(), message };
    }
    // The address may hold a secret; it is left out.
    let (kind, words) = if error.is_timeout() {
        (ScriptedError::Timeout, "No answer in time")
    } else if error.is_connect() {
        (ScriptedError::Connection, "No connection")
    } else {
        (ScriptedError::Connection, "The connection broke")
    };
    Outcome::Unanswered { error: kind, message: words.to_owned() }
}
