//! What calls the world for a run: one module per kind, behind one guard.

mod answer;
mod call_log;
mod credentials;
mod gate;
mod guard;
mod headers;
mod http;
mod load_cache;
mod loads;
mod masking;
mod mcp;
mod operations;
mod redirect;
mod sql;
mod tokens;
mod trials;

pub use guard::{Allowed, BadAllow, Guard, Names};

use crate::{
    auth::seal::SecretKey,
    clock::Clock,
    connectors::{Connectors, NoRoute, NotReady, Route},
    store::{self, secrets},
};
use masking::Masker;
use redirect::Confidential;
use reqwest::header::HeaderName;
use serde_json::Value;
use shared_types::{
    connector::{CalledOperation, record_input},
    ids::{ExecutionId, WorkspaceId},
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
    connectors: Connectors,
    tokens: Arc<tokens::Tokens>,
    loads: loads::Loads,
    gate: Arc<gate::Gate>,
    call_log: Arc<call_log::CallLog>,
    mcp_sessions: mcp::SessionServers,
    guard: Guard,
    clock: Clock,
}

/// The client for calls could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the client for outgoing calls: {0}")]
pub struct NoClient(#[from] reqwest::Error);

impl Effects {
    /// Makes what calls the world; `guard` decides which addresses may be called.
    pub fn new(
        pool: PgPool,
        key: SecretKey,
        connectors: Connectors,
        guard: Guard,
        clock: Clock,
    ) -> Result<Self, NoClient> {
        let http = Arc::new(http::HttpClient::new(guard.clone())?);
        Ok(Self {
            pool,
            key,
            http,
            connectors,
            tokens: Arc::default(),
            loads: loads::Loads::default(),
            gate: Arc::default(),
            call_log: Arc::default(),
            mcp_sessions: mcp::SessionServers::default(),
            guard,
            clock,
        })
    }

    /// Makes a call; whatever happens is an outcome.
    pub async fn perform(
        &self,
        workspace: WorkspaceId,
        execution_id: ExecutionId,
        call: &EffectCall,
    ) -> Outcome {
        let route = match self.route(workspace, call).await {
            Ok(route) => route,
            Err(error) => return no_route(&error),
        };
        let own = route.as_ref().and_then(|route| route.connector.spec.auth.secret());
        let names = call.effect.secrets().into_iter().chain(own);
        let known = match self.secrets(workspace, names).await {
            Ok(known) => known,
            Err(refused) => return refused,
        };
        let scope = Scope { secrets: Secrets::Known(&known), ..Scope::masked(&call.context, call.now) };
        let resolved = match resolve(&call.effect, &scope) {
            Ok(resolved) => resolved,
            Err(error) => {
                let refused =
                    Outcome::Refused { code: error.code().to_owned(), message: format!("{error}.") };
                return Masker::new(known.values().map(String::as_str)).mask(refused);
            }
        };
        match (resolved, route) {
            (Resolved::Http(request), _) => self.call(call, &request, &known).await,
            (Resolved::Record { entity_id, data, .. }, Some(route)) => {
                let call_of = &route.operation().call;
                let input = record_input(call_of, route.id_input().as_ref(), entity_id.as_deref(), data);
                self.call_operation((workspace, execution_id), &route, Value::Object(input), call, &known)
                    .await
            }
            (Resolved::Connector { input, .. }, Some(route)) => {
                self.call_operation((workspace, execution_id), &route, input, call, &known).await
            }
            (Resolved::Record { .. } | Resolved::Connector { .. }, None) => Outcome::Refused {
                code: "connector.missing".to_owned(),
                message: "No connector serves it.".to_owned(),
            },
        }
    }

    /// Makes a call that the workflow's author wrote out.
    async fn call(
        &self,
        call: &EffectCall,
        request: &HttpRequest,
        known: &BTreeMap<String, String>,
    ) -> Outcome {
        let masker = Masker::new(known.values().map(String::as_str));
        let call_of_http = http::HttpCall {
            request,
            idempotency_key: Some(&call.idempotency_key),
            confidential: &confidential(&call.effect, request, &masker),
            host: &host_as_written(&call.effect),
        };
        masker.mask(self.http.call(&call_of_http, Duration::from_millis(call.timeout_ms)).await)
    }

    /// The operation of a connector that a call names; none for one that says all of its request itself.
    async fn route(&self, workspace: WorkspaceId, call: &EffectCall) -> Result<Option<Route>, NoRoute> {
        let Some(called) = CalledOperation::of(&call.effect) else { return Ok(None) };
        self.connectors.route(workspace, &called, call.approved_revision).await.map(Some)
    }

    /// The connectors whose operations it calls.
    pub fn connectors(&self) -> &Connectors {
        &self.connectors
    }

    /// The secrets of these names; one that isn't set fails the call with its name.
    async fn secrets<'n>(
        &self,
        workspace: WorkspaceId,
        names: impl Iterator<Item = &'n str>,
    ) -> Result<BTreeMap<String, String>, Outcome> {
        let names: Vec<String> = names.map(str::to_owned).collect();
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

/// An operation that can't be called; one that can't be read now may be read later.
fn no_route(error: &NoRoute) -> Outcome {
    if let NoRoute::NotReady(NotReady::Store(error)) = error {
        return Outcome::Unanswered {
            error: ScriptedError::Connection,
            message: format!("The connector could not be read: {error}"),
        };
    }
    Outcome::Refused { code: error.code().to_owned(), message: format!("{error}.") }
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
