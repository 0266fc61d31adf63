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
        let is_probe = self.probes(workspace, route, timeout).await?;
        let limits = &route.connector.spec.limits;
        let lease = match (limits.concurrency, limits.per_second) {
            (None, None) => None,
            (concurrency, per_second) => {
                let bounds = CallBounds { concurrency, per_second };
                Some(self.turn(route, bounds, timeout).await?)
            }
        };
        Ok(Permit { is_probe, lease })
    }

    /// Whether this call finds out for all that wait; an outcome where it is held itself.
    async fn probes(
        &self,
        workspace: WorkspaceId,
        route: &Route,
        timeout: Duration,
    ) -> Result<bool, Outcome> {
        let Some(held_until) = route.standing.held_until else { return Ok(false) };
        let now = self.clock.now();
        let name = &route.connector.name;
        let because = route.standing.held_because.as_deref().unwrap_or("it doesn't answer");
        let held = |until| Outcome::Held {
            message: format!("{name} takes no calls for now: {because}. One call tries from time to time"),
            until,
        };
        if now < held_until {
            return Err(held(held_until));
        }
        let until = now + timeout + LEASE_MARGIN;
        let taken = async {
            let mut conn = self.pool.acquire().await?;
            let id = route.connector.id;
            connector_breaker::take_probe(&mut conn, workspace, id, now, until).await
        };
        match taken.await {
            Ok(true) => Ok(true),
            // Another call finds out just now, or has.
            Ok(false) => Err(held(now + spread(2))),
            Err(error) => Err(unasked(&error)),
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
            Outcome::Held { message, until: self.clock.now() + spread(5) }
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
                Err(error) => return Err(unasked(&error)),
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
        let connector = route.connector.id;
        let failed = failure(outcome, self.clock.now());
        let counts = failed.is_some() || permit.is_probe || route.standing.failures > 0;
        if permit.lease.is_none() && !counts {
            return Ok(());
        }
        let mut conn = self.pool.acquire().await?;
        if let Some((because, retry_after)) = failed {
            let at = self.clock.now();
            let failed = FailedCall { at, is_probe: permit.is_probe, retry_after, because: &because };
            connector_breaker::failed(&mut conn, workspace, connector, &failed).await?;
        } else if counts {
            connector_breaker::answered(&mut conn, workspace, connector).await?;
        }
        if let Some((queue, lease)) = &permit.lease {
            connector_limits::give_back(&mut conn, connector, *lease).await?;
            queue.over.notify_one();
        }
        Ok(())
    }
}

/// What a failure of the system itself is told as, and until when the system asks to be left alone. An answer that says no is
/// none: the system is there.
fn failure(outcome: &Outcome, now: DateTime<Utc>) -> Option<(String, Option<DateTime<Utc>>)> {
    let because = match outcome {
        Outcome::Answered(answer) if answer.status == 429 || answer.status >= 500 => {
            format!("it answered {}", answer.status)
        }
        Outcome::Unanswered { error: ScriptedError::Timeout | ScriptedError::Connection, message } => {
            message.trim_end_matches('.').chars().take(MAX_BECAUSE).collect()
        }
        Outcome::Answered(_) | Outcome::Refused { .. } | Outcome::Held { .. } => return None,
    };
    if let Some(asked) = retry_after(outcome, now).filter(|asked| *asked > chrono::Duration::zero()) {
        let seconds = asked.num_seconds().max(1);
        return Some((format!("{because} and asks for {seconds} s"), Some(now + asked)));
    }
    let count = connector_breaker::OPENS_AFTER;
    Some((format!("{count} calls in a row failed, the last because {because}"), None))
}

/// So many seconds and up to as many again, so that not all come back at once.
fn spread(seconds: u8) -> chrono::Duration {
    let millis = 1000 * i64::from(seconds);
    chrono::Duration::milliseconds(millis + millis * i64::from(crate::clock::random::<1>()[0]) / 255)
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

fn unasked(error: &store::StoreError) -> Outcome {
    Outcome::Unanswered {
        error: ScriptedError::Connection,
        message: format!("The connector's limits could not be read: {error}"),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
