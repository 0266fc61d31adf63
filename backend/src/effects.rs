//! What calls the world for a run: one module per kind, behind one guard.

mod guard;
mod http;

pub use guard::{Allowed, BadAllow};

use crate::{
    auth::seal::SecretKey,
    store::{self, secrets},
};
use serde_json::{Map, Value};
use shared_types::{
    ids::WorkspaceId,
    machine::{
        Call, Outcome,
        request::{Resolved, resolve},
    },
    workflow::{
        effect::Effect,
        scope::{MASK, Scope, Secrets},
        script::ScriptedError,
    },
};
use sqlx::PgPool;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// The shortest secret that is looked for in what comes back; shorter ones would mask ordinary words.
const SHORTEST_MASKED: usize = 6;

/// What calls the world; clones share it.
#[derive(Clone)]
pub struct Effects {
    pool: PgPool,
    key: SecretKey,
    http: Arc<http::Caller>,
}

/// The client for calls could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the client for outgoing calls: {0}")]
pub struct NoClient(#[from] reqwest::Error);

impl Effects {
    /// Makes what calls the world; `allowed` are the hosts that the guard lets through.
    pub fn new(pool: PgPool, key: SecretKey, allowed: Allowed) -> Result<Self, NoClient> {
        Ok(Self { pool, key, http: Arc::new(http::Caller::new(allowed)?) })
    }

    /// Makes a call; whatever happens is an outcome.
    pub async fn perform(&self, workspace: WorkspaceId, call: &Call) -> Outcome {
        let known = match self.secrets(workspace, &call.effect).await {
            Ok(known) => known,
            Err(refused) => return refused,
        };
        let scope = Scope { context: call.context.layers(), now: call.now, secrets: Secrets::Known(&known) };
        let request = match resolve(&call.effect, &scope) {
            Ok(request) => request,
            Err(error) => {
                return Outcome::Refused { code: error.code().to_owned(), message: format!("{error}.") };
            }
        };
        let outcome = match request {
            Resolved::Http(request) => {
                let timeout = Duration::from_millis(call.timeout_ms);
                self.http.call(&request, &call.idempotency_key, timeout).await
            }
            Resolved::Record { entity, .. } => unserved(&entity),
            Resolved::Connector { connector, .. } => unserved(&connector),
        };
        mask(outcome, &known)
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
        let sealed = self.sealed(workspace, &names).await.map_err(|error| Outcome::Unanswered {
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

/// Puts the mask over every secret that comes back, since what comes back is kept and shown.
fn mask(outcome: Outcome, known: &BTreeMap<String, String>) -> Outcome {
    let secrets: Vec<&str> =
        known.values().map(String::as_str).filter(|s| s.len() >= SHORTEST_MASKED).collect();
    if secrets.is_empty() {
        return outcome;
    }
    let hide = |text: &str| secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, MASK));
    match outcome {
        Outcome::Answered(mut answer) => {
            answer.headers = hide_in_map(&answer.headers, &hide);
            answer.body = hide_in(&answer.body, &hide);
            Outcome::Answered(answer)
        }
        Outcome::Unanswered { error, message } => Outcome::Unanswered { error, message: hide(&message) },
        Outcome::Refused { code, message } => Outcome::Refused { code, message: hide(&message) },
    }
}

fn hide_in(value: &Value, hide: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(hide(text)),
        Value::Array(list) => list.iter().map(|item| hide_in(item, hide)).collect(),
        Value::Object(map) => Value::Object(hide_in_map(map, hide)),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn hide_in_map(map: &Map<String, Value>, hide: &dyn Fn(&str) -> String) -> Map<String, Value> {
    map.iter().map(|(key, value)| (key.clone(), hide_in(value, hide))).collect()
}
