//! What lets a call of a connector in: added to its request at the very last moment.

use super::{Effects, http::HttpCall, redirect::Confidential, tokens::TokenKey};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::header::HeaderName;
use serde_json::Value;
use shared_types::{
    connector::{Auth, ClientAuth, HttpRequest},
    machine::{Outcome, input::Answer},
    workflow::{effect::Method, test_script::ScriptedError},
};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// How long a token is taken to last where its giver doesn't say.
const DEFAULT_LIFE: Duration = Duration::from_mins(5);
/// The longest that a token is kept.
const LONGEST_LIFE: Duration = Duration::from_hours(24);

/// What lets a call in.
#[derive(Debug, Default)]
pub(super) struct Credentials {
    header: Option<(String, String)>,
    query: Option<(String, String)>,
    /// The token among it, which isn't a secret of the workspace's.
    pub(super) token: Option<String>,
}

impl Credentials {
    /// The request with them.
    pub(super) fn added_to(&self, mut request: HttpRequest) -> HttpRequest {
        if let Some((name, value)) = &self.header {
            request.headers.retain(|other, _| !other.eq_ignore_ascii_case(name));
            request.headers.insert(name.clone(), value.clone());
        }
        if let Some((name, value)) = &self.query {
            request.query.insert(name.clone(), value.clone());
        }
        request
    }

    /// What of a request with them may be sent only to the system itself; these headers and the body hold secrets of their own.
    pub(super) fn confidential<'n>(
        &self,
        headers: impl Iterator<Item = &'n str>,
        body: bool,
    ) -> Confidential {
        let of = |name: &str| HeaderName::from_bytes(name.as_bytes()).ok();
        let own = self.header.iter().filter_map(|(name, _)| of(name));
        Confidential { headers: own.chain(headers.filter_map(of)).collect(), body }
    }
}

impl Effects {
    /// What lets a call of a connector in. A token is asked for where none is kept.
    ///
    /// # Errors
    /// The outcome of the call, where there is no token to be had.
    pub(super) async fn credentials(
        &self,
        auth: &Auth,
        secrets: &BTreeMap<String, String>,
        key: TokenKey,
        timeout: Duration,
    ) -> Result<Credentials, Outcome> {
        let secret = auth.secret().and_then(|name| secrets.get(name)).map(String::as_str).unwrap_or_default();
        let header = |name: &str, value: String| Credentials {
            header: Some((name.to_owned(), value)),
            ..Credentials::default()
        };
        Ok(match auth {
            Auth::None => Credentials::default(),
            Auth::Bearer { .. } => header("Authorization", format!("Bearer {secret}")),
            Auth::Basic { username, .. } => {
                header("Authorization", format!("Basic {}", STANDARD.encode(format!("{username}:{secret}"))))
            }
            Auth::Header { name, .. } => header(name, secret.to_owned()),
            Auth::Query { name, .. } => {
                Credentials { query: Some((name.clone(), secret.to_owned())), ..Credentials::default() }
            }
            Auth::OAuth2ClientCredentials { .. } => {
                let key = key.of_secret(secret);
                // Others may be asking just now, and take their time.
                let token = self.tokens.get(key, || self.fetch_token(auth, secret, timeout));
                let token =
                    tokio::time::timeout(timeout, token).await.map_err(|_| Outcome::Unanswered {
                        error: ScriptedError::Timeout,
                        message: "No token in time".to_owned(),
                    })??;
                Credentials {
                    token: Some(token.clone()),
                    ..header("Authorization", format!("Bearer {token}"))
                }
            }
        })
    }

    /// Asks for a token (RFC 6749, 4.4): the token, and when it is to be renewed.
    async fn fetch_token(
        &self,
        auth: &Auth,
        secret: &str,
        timeout: Duration,
    ) -> Result<(String, Instant), Outcome> {
        let Auth::OAuth2ClientCredentials { token_url, client_id, scopes, audience, client_auth, .. } = auth
        else {
            return Err(refused("There is no token for this kind of `auth`.".to_owned()));
        };
        let mut form = vec![("grant_type", "client_credentials".to_owned())];
        if !scopes.is_empty() {
            form.push(("scope", scopes.join(" ")));
        }
        form.extend(audience.iter().map(|audience| ("audience", audience.clone())));
        let mut headers = BTreeMap::from([
            ("Accept".to_owned(), "application/json".to_owned()),
            ("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
        ]);
        let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        match client_auth {
            ClientAuth::Header => {
                // Both are encoded as a form before they are joined (RFC 6749, 2.3.1).
                let pair = STANDARD.encode(format!("{}:{}", encoded(client_id), encoded(secret)));
                headers.insert("Authorization".to_owned(), format!("Basic {pair}"));
            }
            ClientAuth::Body => {
                form.push(("client_id", client_id.clone()));
                form.push(("client_secret", secret.to_owned()));
            }
        }
        let pairs = form.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
        let request = HttpRequest {
            method: Method::Post,
            url: token_url.clone(),
            headers,
            query: BTreeMap::new(),
            body: Some(Value::String(pairs.collect::<Vec<_>>().join("&"))),
        };
        let host = reqwest::Url::parse(token_url).ok().and_then(|url| url.host_str().map(str::to_owned));
        let host = host.unwrap_or_default();
        let call = HttpCall {
            request: &request,
            idempotency_key: None,
            confidential: &Confidential { headers: Vec::new(), body: true },
            host: &host,
        };
        let asked = Instant::now();
        match self.http.call(&call, timeout).await {
            Outcome::Answered(answer) => token_of(&answer, &host).map(|(token, life)| (token, asked + life)),
            Outcome::Unanswered { error, message } => {
                Err(Outcome::Unanswered { error, message: format!("No token: {message}") })
            }
            Outcome::Refused { code, message } => {
                Err(Outcome::Refused { code, message: format!("No token: {message}") })
            }
            held @ Outcome::Held { .. } => Err(held),
        }
    }
}

/// The token of an answer, and how long it is used: until a tenth of its life, or half a minute, before its end.
fn token_of(answer: &Answer, host: &str) -> Result<(String, Duration), Outcome> {
    let status = answer.status;
    if status >= 500 || status == 429 {
        let message = format!("No token: {host} answered {status}");
        return Err(Outcome::Unanswered { error: ScriptedError::Connection, message });
    }
    let error = answer.body.get("error").and_then(Value::as_str).unwrap_or_default();
    let is_code =
        !error.is_empty() && error.len() < 60 && error.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let said = if is_code { format!(" ({error})") } else { String::new() };
    if !(200..300).contains(&status) {
        return Err(refused(format!("{host} gave no token: it answered {status}{said}. Look at `auth`.")));
    }
    let Some(token) =
        answer.body.get("access_token").and_then(Value::as_str).filter(|token| !token.is_empty())
    else {
        return Err(refused(format!("{host} gave no token: its answer has no `access_token`.")));
    };
    let seconds =
        answer.body.get("expires_in").and_then(|life| life.as_u64().or_else(|| life.as_str()?.parse().ok()));
    let life = seconds.map_or(DEFAULT_LIFE, Duration::from_secs).min(LONGEST_LIFE);
    Ok((token.to_owned(), life.saturating_sub((life / 10).min(Duration::from_secs(30)))))
}

fn refused(message: String) -> Outcome {
    Outcome::Refused { code: "connector.auth".to_owned(), message }
}
