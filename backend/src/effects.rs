//! What calls the world for a run: one module per kind, behind one guard.

mod answer;
mod guard;
mod headers;
mod http;
mod masking;
mod redirect;

pub use guard::{Allowed, BadAllow};

use crate::{
    auth::seal::SecretKey,
    store::{self, secrets},
};
use masking::Masker;
use redirect::Confidential;
use reqwest::header::HeaderName;
use shared_types::{
    ids::WorkspaceId,
    machine::{
        EffectCall, Outcome,
        request::{HttpRequest, Resolved, resolve},
    },
    workflow::{
        Template,
        effect::Effect,
        scope::{Scope, Secrets},
        test_script::ScriptedError,
    },
};
use sqlx::PgPool;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// What calls the world; clones share it.
#[derive(Clone)]
pub struct Effects {
    pool: PgPool,
    key: SecretKey,
    http: Arc<http::HttpClient>,
}

/// The client for calls could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the client for outgoing calls: {0}")]
pub struct NoClient(#[from] reqwest::Error);

impl Effects {
    /// Makes what calls the world; `allowed` are the hosts that the guard lets through.
    pub fn new(pool: PgPool, key: SecretKey, allowed: Allowed) -> Result<Self, NoClient> {
        Ok(Self { pool, key, http: Arc::new(http::HttpClient::new(allowed)?) })
    }

    /// Makes a call; whatever happens is an outcome.
    pub async fn perform(&self, workspace: WorkspaceId, call: &EffectCall) -> Outcome {
        let known = match self.secrets(workspace, &call.effect).await {
            Ok(known) => known,
            Err(refused) => return refused,
        };
        let masker = Masker::new(known.values().map(String::as_str));
        masker.mask(self.perform_with(call, &known, &masker).await)
    }

    async fn perform_with(
        &self,
        call: &EffectCall,
        known: &BTreeMap<String, String>,
        masker: &Masker,
    ) -> Outcome {
        let scope = Scope { secrets: Secrets::Known(known), ..Scope::masked(&call.context, call.now) };
        let request = match resolve(&call.effect, &scope) {
            Ok(request) => request,
            Err(error) => {
                return Outcome::Refused { code: error.code().to_owned(), message: format!("{error}.") };
            }
        };
        match request {
            Resolved::Http(request) => {
                let call_of_http = http::HttpCall {
                    request: &request,
                    idempotency_key: &call.idempotency_key,
                    confidential: &confidential(&call.effect, &request, masker),
                    host: &host_as_written(&call.effect),
                };
                self.http.call(&call_of_http, Duration::from_millis(call.timeout_ms)).await
            }
            Resolved::Record { entity, .. } => unserved(&entity),
            Resolved::Connector { connector, .. } => unserved(&connector),
        }
    }

    /// The secrets that an effect reads; one that isn't set fails it with its name.
    async fn secrets(
        &self,
        workspace: WorkspaceId,
        effect: &Effect,
    ) -> Result<BTreeMap<String, String>, Outcome> {
        let names: Vec<String> = effect.secrets().into_iter().map(str::to_owned).collect();
        if names.is_empty() {
            return Ok(BTreeMap::new());
        }
        let sealed = Box::pin(self.sealed(workspace, &names)).await.map_err(|error| Outcome::Unanswered {
            error: ScriptedError::Connection,
            message: format!("The secrets could not be read: {error}"),
        })?;
        let mut known = BTreeMap::new();
        for (name, sealed) in sealed {
            let value = self.key.open(workspace, &name, &sealed).map_err(|error| Outcome::Refused {
                code: "secret.sealed".to_owned(),
                message: format!("The secret {name}: {error}."),
            })?;
            known.insert(name, value);
        }
        match names.iter().find(|name| !known.contains_key(*name)) {
            Some(missing) => Err(Outcome::Refused {
                code: "secret.missing".to_owned(),
                message: format!("There is no secret {missing}."),
            }),
            None => Ok(known),
        }
    }

    async fn sealed(
        &self,
        workspace: WorkspaceId,
        names: &[String],
    ) -> store::Result<Vec<(String, Vec<u8>)>> {
        let mut conn = self.pool.acquire().await?;
        secrets::sealed(&mut conn, workspace, names).await
    }
}

fn unserved(what: &str) -> Outcome {
    Outcome::Refused { code: "connector.missing".to_owned(), message: format!("No connector serves {what}.") }
}

/// What of a call holds a secret, by its template or by what came of it.
fn confidential(effect: &Effect, request: &HttpRequest, masker: &Masker) -> Confidential {
    let (Effect::HttpRequest(call) | Effect::Webhook(call)) = effect else { return Confidential::default() };
    let reads_secret = |template: &Template| template.secrets().next().is_some();
    let headers = request
        .headers
        .iter()
        .filter(|(name, value)| call.headers.get(*name).is_some_and(reads_secret) || masker.finds(value));
    let body = call.body.iter().flat_map(|body| body.templates()).any(|(_, template)| reads_secret(template));
    Confidential {
        headers: headers.filter_map(|(name, _)| HeaderName::from_bytes(name.as_bytes()).ok()).collect(),
        body: body || request.body.as_ref().is_some_and(|body| masker.finds_in(body)),
    }
}

/// The host that an effect calls, as its author wrote it: messages may quote it, since no template is filled in.
fn host_as_written(effect: &Effect) -> String {
    let (Effect::HttpRequest(call) | Effect::Webhook(call)) = effect else { return String::new() };
    let source = call.url.source().trim();
    let rest = source.split_once("://").map_or(source, |(_, rest)| rest);
    let mut inside_template = false;
    let mut end = rest.len();
    for (at, c) in rest.char_indices() {
        match c {
            '{' => inside_template = true,
            '}' => inside_template = false,
            '/' | '?' | '#' if !inside_template => {
                end = at;
                break;
            }
            _ => {}
        }
    }
    let authority = &rest[..end];
    authority.rsplit_once('@').map_or(authority, |(_, host)| host).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn webhook(url: &str) -> Effect {
        serde_json::from_value(json!({
            "type": "webhook", "url": url,
            "headers": { "X-Token": "{{ secrets.token }}", "X-Plain": "{{ id }}" },
            "body": { "deep": [{ "key": "{{ secrets.other }}" }] },
        }))
        .unwrap()
    }

    #[test]
    fn a_message_names_the_host_as_its_author_wrote_it() {
        for (url, host) in [
            ("https://shop.example.com/orders/{{ id }}", "shop.example.com"),
            ("https://{{ secrets.host }}.example.com:8443?x=1", "{{ secrets.host }}.example.com:8443"),
            ("{{ base }}/orders", "{{ base }}"),
            ("{{ a / b }}/orders", "{{ a / b }}"),
            ("https://ada:{{ secrets.token }}@example.com/", "example.com"),
        ] {
            assert_eq!(host_as_written(&webhook(url)), host);
        }
    }

    #[test]
    fn the_secrets_of_every_part_of_an_effect_are_found() {
        let effect = webhook("https://{{ secrets.host }}/");
        assert_eq!(effect.secrets().into_iter().collect::<Vec<_>>(), ["host", "other", "token"]);
    }
}
