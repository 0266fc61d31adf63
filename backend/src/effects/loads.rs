//! Loads of `context.load`: an answer that is kept, or one call for all who need the same at the time.

use super::{
    Effects,
    load_cache::{CacheKey, KeptAnswer, LoadCache},
    no_route,
    operations::{counted, prepared},
};
use crate::connectors::{LoadRoute, NoRoute};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use shared_types::{
    ids::{ExecutionId, WorkspaceId},
    machine::{LoadCall, LoadOutcome, Outcome, input::Answer, input::LoadSource},
    workflow::{Span, TemplateValue, scope::Scope},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::OnceCell;

/// How long one attempt may take where the connector doesn't say.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// What came of one call, for all who need it.
#[derive(Debug, Clone)]
struct Flown {
    /// When it began, in UTC.
    since: DateTime<Utc>,
    /// What counts of the answer, or what came of the call.
    answer: Result<Arc<Value>, Outcome>,
    /// Whether it was kept, and nobody was called.
    is_kept: bool,
}

/// The calls that are out, and the answers that are kept; clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Loads {
    cache: LoadCache,
    out: Arc<Mutex<HashMap<CacheKey, Arc<OnceCell<Flown>>>>>,
}

impl Loads {
    /// What came of the call of a key that is out, else of a new one; with whether it was called for here.
    async fn shared<F: Future<Output = Flown>>(
        &self,
        key: &CacheKey,
        call: impl FnOnce() -> F,
    ) -> (Flown, bool) {
        let cell = Arc::clone(lock(&self.out).entry(key.clone()).or_default());
        let mut is_own = false;
        // Where whoever calls is gone, the next one does.
        let flown = cell.get_or_init(async || {
            is_own = true;
            call().await
        });
        let flown = flown.await.clone();
        let mut out = lock(&self.out);
        if out.get(key).is_some_and(|current| Arc::ptr_eq(current, &cell)) {
            out.remove(key);
        }
        drop(out);
        (flown, is_own)
    }
}

impl Effects {
    /// Loads what a document names; whatever happens is an outcome.
    pub async fn load(
        &self,
        workspace: WorkspaceId,
        execution_id: ExecutionId,
        call: &LoadCall,
    ) -> LoadOutcome {
        let now = || self.clock.now();
        let route = match self.connectors.load_route(workspace, &call.name).await {
            Ok(route) => route,
            Err(NoRoute::Unserved(_)) => {
                let message = format!("No connector serves {}; it stays as the event brought it", call.name);
                return LoadOutcome::Unserved { message };
            }
            Err(error) => return LoadOutcome::Failed { outcome: no_route(&error), retry: None },
        };
        let failed = |outcome| LoadOutcome::Failed { outcome, retry: route.load.retry.clone() };
        let input = match input_of(&route, call) {
            Ok(input) => input,
            Err(refused) => return failed(refused),
        };
        let own = route.load.max_age.as_ref().map(Span::millis);
        let max_age_ms = call.max_age_ms.or(own).unwrap_or_default();
        let key = key(workspace, &route, &input);
        if let Some(kept) = self.loads.cache.get(&key, now(), max_age_ms) {
            return loaded(&route, &kept.value, Some(now() - kept.since));
        }
        let fly = async || {
            // A call that was out a moment ago may have answered since.
            if let Some(kept) = self.loads.cache.get(&key, now(), max_age_ms) {
                return Flown { since: kept.since, answer: Ok(kept.value), is_kept: true };
            }
            let since = now();
            let answer = self.call_for_load((workspace, execution_id), &route, input).await;
            if let Ok(value) = &answer {
                self.loads.cache.put(key.clone(), KeptAnswer { value: Arc::clone(value), since });
            }
            Flown { since, answer, is_kept: false }
        };
        let (flown, is_own) = self.loads.shared(&key, fly).await;
        match &flown.answer {
            Ok(value) => loaded(&route, value, (!is_own || flown.is_kept).then(|| now() - flown.since)),
            // Another call may have had an answer meanwhile.
            Err(outcome) => match self.loads.cache.get(&key, now(), max_age_ms) {
                Some(kept) => loaded(&route, &kept.value, Some(now() - kept.since)),
                None => failed(outcome.clone()),
            },
        }
    }

    async fn call_for_load(
        &self,
        (workspace, execution_id): (WorkspaceId, ExecutionId),
        route: &LoadRoute,
        input: Value,
    ) -> Result<Arc<Value>, Outcome> {
        let prepared = prepared(&route.route, input)?;
        let connector = &route.route.connector;
        let secrets = self.secrets(workspace, connector.spec.auth.secret().into_iter()).await?;
        let timeout = route.load.timeout.as_ref().map(|span| span.millis().unsigned_abs());
        let timeout = timeout.map_or(DEFAULT_TIMEOUT, Duration::from_millis);
        let send = || self.send(connector, &prepared, None, &secrets, timeout);
        let answered = self.gated((workspace, execution_id), &route.route, timeout, send).await;
        match counted(&route.route, answered) {
            Outcome::Answered(answer) if (200..300).contains(&answer.status) => Ok(Arc::new(answer.body)),
            Outcome::Answered(mut answer) => {
                // Only what says whether to try again is told of it.
                answer.headers.retain(|name, _| name == "retry-after");
                Err(Outcome::Answered(Answer { body: Value::Null, ..answer }))
            }
            outcome @ (Outcome::Unanswered { .. } | Outcome::Refused { .. } | Outcome::Held { .. }) => {
                Err(outcome)
            }
        }
    }
}

fn key(workspace: WorkspaceId, route: &LoadRoute, input: &Value) -> CacheKey {
    let connector = &route.route.connector;
    CacheKey {
        workspace,
        connector: connector.id,
        revision: connector.revision,
        purges: route.purges,
        operation: route.route.operation().id.clone(),
        input: input.to_string(),
    }
}

fn input_of(route: &LoadRoute, call: &LoadCall) -> Result<Value, Outcome> {
    let scope = Scope::masked(&call.context, call.now);
    let input = route.load.input.as_ref().map(|input: &TemplateValue| input.value(&scope)).transpose();
    let input = input.map_err(|error| Outcome::Refused {
        code: error.code().to_owned(),
        message: format!("The input of {}: {error}.", route.route.name()),
    })?;
    Ok(input.unwrap_or_else(|| json!(Map::new())))
}

fn loaded(route: &LoadRoute, value: &Value, age: Option<chrono::Duration>) -> LoadOutcome {
    let from = LoadSource {
        operation: route.route.name(),
        revision: route.route.connector.revision,
        age_ms: age.map(|age| age.num_milliseconds().max(0)),
    };
    LoadOutcome::Loaded { value: value.clone(), from: Some(from) }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
