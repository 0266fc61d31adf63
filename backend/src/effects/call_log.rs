//! Calls of connectors, counted in memory and written together from time to time: what is lost when a server dies is numbers.

use super::Effects;
use crate::store::{
    self,
    connector_health::{self, KEPT_CALLS, NewCall, Rollup},
};
use chrono::{DateTime, Utc};
use shared_types::{api::connectors::ConnectorCall, ids::ExecutionId, machine::Outcome};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};
use uuid::Uuid;

/// How much of a message is kept.
const MAX_ERROR: usize = 500;

/// What was counted since it was written last.
#[derive(Debug, Default)]
pub(super) struct CallLog(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    rollups: BTreeMap<(Uuid, DateTime<Utc>), Rollup>,
    /// By connector, the last ones at the end.
    calls: BTreeMap<Uuid, VecDeque<NewCall>>,
}

/// A call that was made.
pub(super) struct MadeCall<'c> {
    pub(super) connector: Uuid,
    pub(super) operation: &'c str,
    pub(super) execution_id: Option<ExecutionId>,
    pub(super) at: DateTime<Utc>,
    pub(super) took_ms: u32,
    pub(super) outcome: &'c Outcome,
}

impl CallLog {
    pub(super) fn count(&self, id: Uuid, made: &MadeCall<'_>) {
        let (status, error) = match made.outcome {
            Outcome::Answered(answer) if answer.status < 400 => (Some(answer.status), None),
            Outcome::Answered(answer) => {
                (Some(answer.status), Some(format!("It answered {}", answer.status)))
            }
            Outcome::Unanswered { message, .. } | Outcome::Refused { message, .. } => {
                (None, Some(message.chars().take(MAX_ERROR).collect()))
            }
            Outcome::Held { .. } => return,
        };
        let call = ConnectorCall {
            at: made.at,
            operation: made.operation.to_owned(),
            execution_id: made.execution_id,
            status,
            error,
            took_ms: made.took_ms,
        };
        let mut counted = lock(&self.0);
        let rollup = counted.rollups.entry((made.connector, Rollup::since(made.at))).or_default();
        rollup.count(made.took_ms, call.error.is_some());
        let calls = counted.calls.entry(made.connector).or_default();
        if calls.len() == KEPT_CALLS {
            calls.pop_front();
        }
        calls.push_back(NewCall { id, connector: made.connector, call });
    }
}

impl Effects {
    /// Writes what was counted since the last time.
    ///
    /// # Errors
    /// When the database fails; what was counted is then lost.
    pub async fn write_call_log(&self) -> store::Result<()> {
        let Counted { rollups, calls } = std::mem::take(&mut *lock(&self.call_log.0));
        if rollups.is_empty() {
            return Ok(());
        }
        let calls: Vec<NewCall> = calls.into_values().flatten().collect();
        let mut conn = self.pool.acquire().await?;
        connector_health::add(&mut conn, self.clock.now(), &rollups).await?;
        connector_health::keep(&mut conn, &calls).await
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
