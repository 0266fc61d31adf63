//! Schedules: one run for each due time, by an event whose id is the due time, whichever server starts it.

use super::{Accepted, Engine, Incoming, IntakeError, Starts, loops};
use crate::{
    dispatch::Loop,
    store::{self, workflows, workflows::DueSchedule},
};
use chrono::{DateTime, Duration as Span, SecondsFormat, Utc};
use serde_json::Map;
use shared_types::{
    ids::EventId,
    machine::Event,
    requester::{Requester, RequesterKind},
    workflow::{Document, document::CatchUp},
};
use std::{sync::Arc, time::Duration};

const PART: i64 = 50;
const SHORTEST_SLEEP: Duration = Duration::from_millis(100);
const LONGEST_SLEEP: Duration = Duration::from_secs(5);
/// A due time that is longer ago passed while nothing ran, and is left out.
const LATE_MINUTES: i64 = 5;

pub(super) async fn run(engine: Engine) {
    loop {
        let pause = match tick(&engine).await {
            Ok(pause) => pause,
            Err(error) => {
                tracing::warn!(%error, "schedules will be looked at again");
                LONGEST_SLEEP
            }
        };
        if !loops::wait(&engine, Loop::Schedules, pause).await {
            return;
        }
    }
}

async fn tick(engine: &Engine) -> store::Result<Duration> {
    let due = {
        let mut conn = engine.0.pool.acquire().await?;
        workflows::due_schedules(&mut conn, engine.0.clock.now(), PART).await?
    };
    for schedule in &due {
        start(engine, schedule).await?;
    }
    let mut conn = engine.0.pool.acquire().await?;
    let next = workflows::next_due(&mut conn).await?;
    let until = next.map(|next| (next - engine.0.clock.now()).to_std().unwrap_or(Duration::ZERO));
    let until = until.unwrap_or(LONGEST_SLEEP).min(LONGEST_SLEEP);
    // One that could not be moved on is still due; it doesn't keep the server busy.
    let is_full = due.len() == usize::try_from(PART).unwrap_or_default();
    Ok(if due.is_empty() || is_full { until } else { until.max(SHORTEST_SLEEP) })
}

/// Starts what a due schedule is to start, and moves it on.
async fn start(engine: &Engine, schedule: &DueSchedule) -> store::Result<()> {
    let now = engine.0.clock.now();
    let document: Option<Document> = serde_json::from_value(schedule.document.clone()).ok();
    let plan = document.as_ref().and_then(|document| plan(document, schedule.due, now));
    if let Some(due) = plan.as_ref().and_then(|plan| plan.starts) {
        match engine.intake(schedule.workspace, &event(schedule, due)).await {
            Ok(Accepted::New(_) | Accepted::Duplicate) | Err(IntakeError::NotEnabled) => {}
            Err(IntakeError::Store(error)) => return Err(error),
            Err(error @ IntakeError::IdReused) => {
                tracing::error!(workflow.id = %schedule.workflow_id, %error, "a due time is left out");
            }
            Err(error @ IntakeError::Unsettled) => {
                tracing::warn!(workflow.id = %schedule.workflow_id, %error, "a schedule will be tried again");
                return Ok(());
            }
        }
    }
    let mut conn = engine.0.pool.acquire().await?;
    workflows::move_schedule(&mut conn, schedule, plan.and_then(|plan| plan.next)).await?;
    Ok(())
}

/// What a due schedule starts, and when it is due again.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    starts: Option<DateTime<Utc>>,
    next: Option<DateTime<Utc>>,
}

/// A due time that is long ago passed while nothing ran: the document says what becomes of such.
fn plan(document: &Document, due: DateTime<Utc>, now: DateTime<Utc>) -> Option<Plan> {
    let schedule = document.schedule()?;
    let after = |at: DateTime<Utc>| schedule.due_after(at).next();
    let is_late = now - due >= Span::minutes(LATE_MINUTES);
    Some(match document.catch_up() {
        // Each in its turn: the next one may be over too.
        CatchUp::All => Plan { starts: Some(due), next: after(due) },
        CatchUp::Last => Plan { starts: Some(schedule.last_due(due, now).unwrap_or(due)), next: after(now) },
        CatchUp::None => Plan { starts: (!is_late).then_some(due), next: after(now) },
    })
}

fn event(schedule: &DueSchedule, due: DateTime<Utc>) -> Incoming {
    let word = due.to_rfc3339_opts(SecondsFormat::Secs, true);
    let event = Event {
        kind: "schedule".to_owned(),
        id: EventId(format!("schedule:{}:{word}", schedule.workflow_id)),
        source: None,
        time: due,
        requester: Some(Requester {
            kind: RequesterKind::Schedule,
            name: schedule.workflow_id.0.clone(),
            email: None,
        }),
        payload: Map::new(),
    };
    Incoming {
        event: Arc::new(event),
        content_hash: Vec::new(),
        starts: Starts::Only(schedule.workflow_id.clone()),
        audit: None,
    }
}

/// When a document's schedule is due next; `None` where it has none.
pub fn next_due_of(document: &Document, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
    document.schedule()?.due_after(after).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passed_while_nothing_ran_is_left_out_or_its_last_is_started_or_each_of_it() {
        let at = |text: &str| -> DateTime<Utc> { text.parse().unwrap() };
        let (due, now) = (at("2026-03-01T10:00:00Z"), at("2026-03-01T13:20:00Z"));
        for (catch_up, starts, next) in [
            ("none", None, "2026-03-01T14:00:00Z"),
            ("last", Some("2026-03-01T13:00:00Z"), "2026-03-01T14:00:00Z"),
            ("all", Some("2026-03-01T10:00:00Z"), "2026-03-01T11:00:00Z"),
        ] {
            let document: Document = serde_json::from_value(serde_json::json!({
                "workflow_id": "w", "name": "W", "steps": [],
                "trigger": { "type": "schedule", "cron": "0 * * * *", "catch_up": catch_up },
            }))
            .unwrap();
            let plan = plan(&document, due, now).unwrap();
            assert_eq!(plan, Plan { starts: starts.map(at), next: Some(at(next)) }, "{catch_up}");
        }
    }
}
