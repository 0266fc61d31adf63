//! Schedules: one run for each due time, by an event whose id is the due time, whichever server starts it.

use super::{Accepted, Engine, Incoming, IntakeError, Starts, loops};
use crate::{
    clock,
    store::{self, workflows, workflows::DueSchedule},
};
use chrono::{DateTime, Duration as Span, SecondsFormat, Utc};
use serde_json::Map;
use shared_types::{
    ids::EventId,
    machine::{
        Event,
        input::{Requester, RequesterKind},
    },
    workflow::{Document, document::Trigger, schedule},
};
use std::{sync::Arc, time::Duration};

const PART: i64 = 50;
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
        if !loops::wait(&engine, &engine.0.schedules, pause).await {
            return;
        }
    }
}

async fn tick(engine: &Engine) -> store::Result<Duration> {
    let due = {
        let mut conn = engine.0.pool.acquire().await?;
        workflows::due_schedules(&mut conn, clock::now(), PART).await?
    };
    for schedule in &due {
        start(engine, schedule).await?;
    }
    let mut conn = engine.0.pool.acquire().await?;
    let next = workflows::next_due(&mut conn).await?;
    let until = next.map(|next| (next - clock::now()).to_std().unwrap_or(Duration::ZERO));
    Ok(until.unwrap_or(LONGEST_SLEEP).min(LONGEST_SLEEP))
}

async fn start(engine: &Engine, schedule: &DueSchedule) -> store::Result<()> {
    let now = clock::now();
    if now - schedule.due < Span::minutes(LATE_MINUTES) {
        match engine.intake(schedule.workspace, &event(schedule)).await {
            Ok(Accepted::New(_) | Accepted::Duplicate) | Err(IntakeError::NotEnabled) => {}
            Err(IntakeError::Store(error)) => return Err(error),
            Err(error) => {
                tracing::warn!(workflow.id = %schedule.workflow_id, %error, "a schedule will be tried again");
                return Ok(());
            }
        }
    }
    let next = next_due(&schedule.document, now);
    let mut conn = engine.0.pool.acquire().await?;
    workflows::move_schedule(&mut conn, schedule, next).await?;
    Ok(())
}

fn event(schedule: &DueSchedule) -> Incoming {
    let due = schedule.due.to_rfc3339_opts(SecondsFormat::Secs, true);
    let event = Event {
        kind: "schedule".to_owned(),
        id: EventId(format!("schedule:{}:{due}", schedule.workflow_id)),
        source: None,
        time: schedule.due,
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
fn next_due(document: &serde_json::Value, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let document: Document = serde_json::from_value(document.clone()).ok()?;
    next_due_of(&document, after)
}

/// When a document's schedule is due next; `None` where it has none.
pub fn next_due_of(document: &Document, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let Trigger::Schedule { cron, timezone, .. } = &document.trigger else { return None };
    schedule::next_due(cron, timezone.as_deref(), after).ok().flatten()
}
