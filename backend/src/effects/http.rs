//! HTTP calls: guarded at every hop, bounded in time and size, with the run's idempotency key.

use super::{
    NoClient,
    answer::{self, AnswerError},
    guard::{Guard, NoAddress, PublicNames, is_public},
    headers::{self, BadHeader},
    redirect::{self, Confidential, Hop, MAX_REDIRECTS, RedirectError},
};
use reqwest::{
    Client, Method, Response, Url,
    header::{self, HeaderName, HeaderValue},
    redirect::Policy,
};
use serde_json::Value;
use shared_types::{
    machine::{Outcome, input::Answer, request::HttpRequest},
    workflow::test_script::ScriptedError,
};
use std::{error::Error, net::IpAddr, sync::Arc, time::Duration};

static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Makes HTTP calls.
#[derive(Debug)]
pub(super) struct HttpClient {
    guarded: Client,
    trusted: Client,
    guard: Guard,
}

/// A call with what is known about it besides its bytes.
#[derive(Debug)]
pub(super) struct HttpCall<'c> {
    pub(super) request: &'c HttpRequest,
    /// The same for every attempt; none for what may be sent any number of times.
    pub(super) idempotency_key: Option<&'c str>,
    /// What may be sent only to the origin that the author named.
    pub(super) confidential: &'c Confidential,
    /// The host as the author wrote it, templates and all: what messages may say.
    pub(super) host: &'c str,
}

/// Why a call came to no answer. No message quotes what a template gave, since a secret may stand in it.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    #[error("The address can't be read; it begins with http:// or https://, then a host")]
    BadUrl,
    #[error("The address is private; an administrator may allow it (IW_OUTBOUND_ALLOW)")]
    Private,
    #[error(transparent)]
    Header(#[from] BadHeader),
    #[error("The request can't be made; look at its `url`")]
    Unsendable,
    #[error(transparent)]
    Redirect(#[from] RedirectError),
    #[error(transparent)]
    Answer(AnswerError),
    #[error("The connection failed")]
    Sending(reqwest::Error),
}

impl CallError {
    /// The stable code of the step's failure.
    fn code(&self) -> &'static str {
        match self {
            Self::BadUrl => "url.bad",
            Self::Private => "outbound.private",
            Self::Header(_) => "header.bad",
            Self::Unsendable => "request.bad",
            Self::Redirect(error) => error.code(),
            Self::Answer(error) => error.code(),
            Self::Sending(_) => "connection",
        }
    }

    pub(super) fn outcome(&self, host: &str) -> Outcome {
        let Self::Sending(error) = self else {
            return Outcome::Refused { code: self.code().to_owned(), message: self.to_string() };
        };
        let (error, message) = if error.is_timeout() {
            (ScriptedError::Timeout, format!("No answer from {host} in time"))
        } else if error.is_connect() {
            (ScriptedError::Connection, format!("No connection to {host}"))
        } else {
            (ScriptedError::Connection, format!("The connection to {host} broke"))
        };
        Outcome::Unanswered { error, message }
    }
}

impl From<reqwest::Error> for CallError {
    fn from(error: reqwest::Error) -> Self {
        let causes = std::iter::successors(error.source(), |cause| (*cause).source());
        let mut refusals = causes.filter_map(<dyn Error>::downcast_ref::<NoAddress>);
        if refusals.any(|refusal| matches!(refusal, NoAddress::Private)) {
            return Self::Private;
        }
        if error.is_builder() { Self::Unsendable } else { Self::Sending(error) }
    }
}

impl From<AnswerError> for CallError {
    fn from(error: AnswerError) -> Self {
        match error {
            AnswerError::Broken(error) => error.into(),
            kept @ (AnswerError::TooLarge | AnswerError::TooDeep | AnswerError::Unstorable) => {
                Self::Answer(kept)
            }
        }
    }
}

impl HttpClient {
    pub(super) fn new(guard: Guard) -> Result<Self, NoClient> {
        let builder = || {
            Client::builder()
                .redirect(Policy::none())
                .connect_timeout(Duration::from_secs(10))
                .pool_idle_timeout(Duration::from_secs(30))
                .user_agent(concat!("intelligent-workflows/", env!("CARGO_PKG_VERSION")))
        };
        let guarded = builder().no_proxy().dns_resolver(Arc::new(PublicNames::from(&guard))).build()?;
        Ok(Self { guarded, trusted: builder().no_proxy().build()?, guard })
    }

    /// Makes a call; whatever happens is an outcome.
    pub(super) async fn call(&self, call: &HttpCall<'_>, timeout: Duration) -> Outcome {
        match tokio::time::timeout(timeout, self.send(call)).await {
            Ok(Ok(answer)) => Outcome::Answered(answer),
            Ok(Err(error)) => error.outcome(call.host),
            Err(_) => Outcome::Unanswered {
                error: ScriptedError::Timeout,
                message: format!("No answer from {} within {} ms", call.host, timeout.as_millis()),
            },
        }
    }

    async fn send(&self, call: &HttpCall<'_>) -> Result<Answer, CallError> {
        let mut hop = first_hop(call)?;
        for _ in 0..=MAX_REDIRECTS {
            let response = self.send_hop(&hop).await?;
            let status = response.status();
            match redirect::target(status, response.headers(), &hop.url)? {
                Some(to) => hop = hop.redirected(status, to, call.confidential)?,
                None => return Ok(answer::read(response).await?),
            }
        }
        Err(RedirectError::Endless.into())
    }

    async fn send_hop(&self, hop: &Hop) -> Result<Response, CallError> {
        let client = self.client_for(&hop.url)?;
        let mut builder = client.request(hop.method.clone(), hop.url.clone()).headers(hop.headers.clone());
        if let Some(body) = &hop.body {
            builder = builder.body(body.clone());
        }
        Ok(builder.send().await?)
    }

    /// The client that may call an address.
    pub(super) fn client_for(&self, url: &Url) -> Result<&Client, CallError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(CallError::BadUrl);
        }
        if self.guard.allows(url) {
            return Ok(&self.trusted);
        }
        let host = url.host_str().unwrap_or_default();
        let literal: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
        if literal.is_some_and(|address| !is_public(address)) {
            return Err(CallError::Private);
        }
        Ok(&self.guarded)
    }
}

/// The request as its author wrote it, with the server's own headers.
fn first_hop(call: &HttpCall<'_>) -> Result<Hop, CallError> {
    let request = call.request;
    let mut url = Url::parse(&request.url).map_err(|_| CallError::BadUrl)?;
    if !request.query.is_empty() {
        url.query_pairs_mut().extend_pairs(&request.query);
    }
    let method = Method::from_bytes(request.method.as_str().as_bytes()).map_err(|_| CallError::Unsendable)?;
    let mut headers = headers::sendable(&request.headers)?;
    if let Some(key) = call.idempotency_key {
        let key = HeaderValue::from_str(key).map_err(|_| CallError::Unsendable)?;
        headers.insert(IDEMPOTENCY_KEY.clone(), key);
    }
    let body = match &request.body {
        None => None,
        Some(Value::String(text)) => Some(text.clone().into()),
        Some(body) => {
            let json = HeaderValue::from_static("application/json");
            headers.entry(header::CONTENT_TYPE).or_insert(json);
            Some(body.to_string().into())
        }
    };
    Ok(Hop { method, url, headers, body })
}
