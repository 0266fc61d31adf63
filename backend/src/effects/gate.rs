//! What stands before each call of a connector: whether its system answers at all, and how many calls it takes.
//!
//! After some failures in a row no call is made for a while; then one is, and finds out for all (a circuit breaker). Calls over
//! the limits of a connector queue here for a while. A call that isn't made is held: its run waits without holding anything.

use super::{Effects, call_log::MadeCall};
use crate::{
    connectors::Route,
    store::{
        self,
        connector_breaker::{self, FailedCall},
        connector_limits::{self, CallBounds, Turn},
    },
};
use chrono::{DateTime, Utc};
use shared_types::{
    ids::{ExecutionId, WorkspaceId},
    machine::{Outcome, retry_after},
    workflow::test_script::ScriptedError,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;
use uuid::Uuid;

/// How long a call queues for its turn before its run waits without it.
const LONGEST_QUEUE: Duration = Duration::from_secs(20);
/// How often it is asked again whether another server's call is over.
const ASK_AGAIN: Duration = Duration::from_millis(200);
/// How far calls that wait are spread over time, and how long those wait at least that had no turn.
const HELD_SPREAD: chrono::Duration = chrono::Duration::seconds(5);
/// The longest that a system is left alone because it asks for it.
const LONGEST_REST: chrono::Duration = chrono::Duration::minutes(5);
/// How much longer than its call a lease lives.
const LEASE_MARGIN: Duration = Duration::from_secs(5);
/// How much of what a system said is told.
const MAX_BECAUSE: usize = 300;

/// The queues of calls for their turn, by connector.
#[derive(Debug, Default)]
pub(super) struct Gate(Mutex<HashMap<Uuid, Arc<Queue>>>);

#[derive(Debug, Default)]
struct Queue {
    /// Whoever is first asks; the others wait in order.
    first: tokio::sync::Mutex<()>,
    /// A call of this server is over.
    over: tokio::sync::Notify,
}

impl Gate {
    fn queue(&self, connector: Uuid) -> Arc<Queue> {
        let mut queues = lock(&self.0);
        // What nobody waits in is made anew.
        queues.retain(|id, queue| *id == connector || Arc::strong_count(queue) > 1);
        Arc::clone(queues.entry(connector).or_default())
    }
}

/// A call that may be made.
struct Permit {
    is_probe: bool,
    /// The lease to give back.
    lease: Option<(Arc<Queue>, Uuid)>,
}

impl Effects {
    /// Makes a call of a connector when it may be made.
    pub(super) async fn gated<F: Future<Output = Outcome>>(
        &self,
        (workspace, execution_id): (WorkspaceId, ExecutionId),
        route: &Route,
        timeout: Duration,
        call: impl FnOnce() -> F,
    ) -> Outcome {
        let permit = match Box::pin(self.permit(workspace, route, timeout)).await {
            Ok(permit) => permit,
            Err(outcome) => return outcome,
        };
        let outcome = self.logged(route, Some(execution_id), call()).await;
        if let Err(error) = Box::pin(self.give_back(workspace, route, &permit, &outcome)).await {
            // The lease runs out, and the next call counts.
            tracing::warn!(%error, "what came of a connector's call isn't counted");
        }
        outcome
    }

    /// Makes a call, and counts it.
    pub(super) async fn logged(
        &self,
        route: &Route,
        execution_id: Option<ExecutionId>,
        call: impl Future<Output = Outcome>,
    ) -> Outcome {
        let (at, begun) = (self.clock.now(), Instant::now());
        let outcome = call.await;
        let made = MadeCall {
            connector: route.connector.id,
            operation: &route.operation().id,
            execution_id,
            at,
            took_ms: u32::try_from(begun.elapsed().as_millis()).unwrap_or(u32::MAX),
            outcome: &outcome,
        };
        self.call_log.count(self.clock.new_id(), &made);
        outcome
    }

    async fn permit(
        &self,
        workspace: WorkspaceId,
        route: &Route,
        timeout: Duration,
    ) -> Result<Permit, Outcome> {
        let held = route.standing.held_until.filter(|until| self.clock.now() < *until);
        if let Some(until) = held {
            return Err(held_back(route, until + spread(HELD_SPREAD)));
        }
        let limits = &route.connector.spec.limits;
        let lease = match (limits.concurrency, limits.per_second) {
            (None, None) => None,
            (concurrency, per_second) => {
                let bounds = CallBounds { concurrency, per_second };
                Some(self.turn(route, bounds, timeout).await?)
            }
        };
        // After the turn, so that it is used at once.
        match self.probes(workspace, route, timeout).await {
            Ok(is_probe) => Ok(Permit { is_probe, lease }),
            Err(outcome) => {
                if let Err(error) = self.give_lease_back(route, lease.as_ref()).await {
                    tracing::warn!(%error, "a lease of a connector's call runs out by itself");
                }
                Err(outcome)
            }
        }
    }

    /// Whether this call finds out for all that wait; an outcome where it is held itself.
    async fn probes(
        &self,
        workspace: WorkspaceId,
        route: &Route,
        timeout: Duration,
    ) -> Result<bool, Outcome> {
        if route.standing.held_until.is_none() {
            return Ok(false);
        }
        let now = self.clock.now();
        let until = now + timeout + LEASE_MARGIN;
        let taken = async {
            let mut conn = self.pool.acquire().await?;
            let id = route.connector.id;
            connector_breaker::take_probe(&mut conn, workspace, id, now, until).await
        };
        match taken.await {
            Ok(true) => Ok(true),
            // Another call finds out just now, or has.
            Ok(false) => Err(held_back(route, now + HELD_SPREAD + spread(HELD_SPREAD))),
            Err(error) => Err(self.unasked(&error)),
        }
    }

    /// What could not be asked of our own database is asked again, and is no attempt.
    fn unasked(&self, error: &store::StoreError) -> Outcome {
        tracing::warn!(%error, "a connector's call waits, since its limits can't be read");
        Outcome::Held {
            message: "The connector's limits can't be read for now".to_owned(),
            until: self.clock.now() + spread(HELD_SPREAD),
        }
    }

    /// Queues for the turn of a call within the connector's limits.
    async fn turn(
        &self,
        route: &Route,
        bounds: CallBounds,
        timeout: Duration,
    ) -> Result<(Arc<Queue>, Uuid), Outcome> {
        let connector = route.connector.id;
        let queue = self.gate.queue(connector);
        let deadline = Instant::now() + LONGEST_QUEUE;
        let late = || {
            let message = format!("{} takes {}", route.connector.name, in_words(bounds));
            Outcome::Held { message, until: self.clock.now() + HELD_SPREAD + spread(HELD_SPREAD) }
        };
        let Ok(first) = tokio::time::timeout_at(deadline, queue.first.lock()).await else {
            return Err(late());
        };
        let lease = self.clock.new_id();
        loop {
            let over = queue.over.notified();
            let taken = async {
                let mut conn = self.pool.acquire().await?;
                connector_limits::take(&mut conn, connector, bounds, (lease, timeout + LEASE_MARGIN)).await
            };
            let pause = match Box::pin(taken).await {
                Ok(Turn::Now) => break,
                Ok(Turn::AllRun) => ASK_AGAIN,
                Ok(Turn::After(pause)) => pause,
                Err(error) => return Err(self.unasked(&error)),
            };
            let until = deadline.min(Instant::now() + pause);
            tokio::select! {
                () = over => {}
                () = tokio::time::sleep_until(until) => {}
            }
            if Instant::now() >= deadline {
                return Err(late());
            }
        }
        drop(first);
        Ok((queue, lease))
    }

    async fn give_back(
        &self,
        workspace: WorkspaceId,
        route: &Route,
        permit: &Permit,
        outcome: &Outcome,
    ) -> store::Result<()> {
        self.give_lease_back(route, permit.lease.as_ref()).await?;
        let connector = route.connector.id;
        let at = self.clock.now();
        let is_probe = permit.is_probe;
        match told_of(outcome, at) {
            Told::Failed { because, retry_after } => {
                let mut conn = self.pool.acquire().await?;
                let failed = FailedCall { at, is_probe, retry_after, because: &because };
                connector_breaker::failed(&mut conn, workspace, connector, &failed).await
            }
            Told::Answered if is_probe || route.standing.failures > 0 => {
                let mut conn = self.pool.acquire().await?;
                connector_breaker::answered(&mut conn, workspace, connector, is_probe).await
            }
            Told::Nothing if is_probe => {
                let mut conn = self.pool.acquire().await?;
                connector_breaker::give_probe_back(&mut conn, workspace, connector).await
            }
            Told::Answered | Told::Nothing => Ok(()),
        }
    }

    async fn give_lease_back(&self, route: &Route, lease: Option<&(Arc<Queue>, Uuid)>) -> store::Result<()> {
        let Some((queue, lease)) = lease else { return Ok(()) };
        let mut conn = self.pool.acquire().await?;
        connector_limits::give_back(&mut conn, route.connector.id, *lease).await?;
        queue.over.notify_one();
        Ok(())
    }
}

/// What an outcome tells of the system.
enum Told {
    /// It is there: it answered, be it with no.
    Answered,
    /// It isn't, or asks to be left alone.
    Failed {
        /// As part of a sentence.
        because: String,
        /// Until when it asks to be left alone.
        retry_after: Option<DateTime<Utc>>,
    },
    /// It wasn't reached, for a reason that isn't its own.
    Nothing,
}

fn told_of(outcome: &Outcome, now: DateTime<Utc>) -> Told {
    let because = match outcome {
        Outcome::Answered(answer) if answer.status == 429 || answer.status >= 500 => {
            format!("it answered {}", answer.status)
        }
        Outcome::Unanswered { error: ScriptedError::Timeout | ScriptedError::Connection, message } => {
            message.trim_end_matches('.').chars().take(MAX_BECAUSE).collect()
        }
        Outcome::Answered(_) => return Told::Answered,
        Outcome::Refused { code, .. } => {
            let is_there = ["answer.", "value.", "redirect."].iter().any(|of| code.starts_with(of))
                || ["sql.error", "sql.rows", "sql.answer", "mcp.tool", "mcp.refused", "mcp.unfinished"]
                    .contains(&code.as_str());
            return if is_there { Told::Answered } else { Told::Nothing };
        }
        Outcome::Held { .. } => return Told::Nothing,
    };
    let asked = retry_after(outcome, now).filter(|asked| *asked > chrono::Duration::zero());
    if let Some(asked) = asked {
        let because = format!("{because} and asks for {} s", asked.num_seconds().max(1));
        return Told::Failed { because, retry_after: Some(now + asked.min(LONGEST_REST)) };
    }
    Told::Failed { because: format!("its calls fail, the last because {because}"), retry_after: None }
}

/// A call that isn't made before then.
fn held_back(route: &Route, until: DateTime<Utc>) -> Outcome {
    let because = route.standing.held_because.as_deref().unwrap_or("it doesn't answer");
    let name = &route.connector.name;
    Outcome::Held {
        message: format!("{name} takes no calls for now: {because}. One call tries from time to time"),
        until,
    }
}

/// The bounds in words: `8 calls at once and 20 a second`.
fn in_words(bounds: CallBounds) -> String {
    let calls = |n: u32| if n == 1 { "1 call".to_owned() } else { format!("{n} calls") };
    match (bounds.concurrency, bounds.per_second) {
        (Some(n), None) => format!("{} at once", calls(n)),
        (None, Some(n)) => format!("{} a second", calls(n)),
        (Some(at_once), Some(n)) => format!("{} at once and {n} a second", calls(at_once)),
        (None, None) => "no calls".to_owned(),
    }
}

/// Up to so much, so that not all come back at once.
fn spread(most: chrono::Duration) -> chrono::Duration {
    most * i32::from(crate::clock::random::<1>()[0]) / 255
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
