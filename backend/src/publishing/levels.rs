//! What the people and calendars of a workspace make of the levels of a document: whether they can be filled, and whether they
//! escalate in time.

use crate::store::{self, calendars, environment};
use chrono::{DateTime, Duration, Utc};
use shared_types::{
    approval::{coverage, people::Person},
    ids::WorkspaceId,
    machine::{environment::PeopleNeeds, ladder},
    workflow::check::{EscalationReference, Judged, LevelReference, Reference, Target},
};
use sqlx::PgConnection;

/// How far ahead absences are looked at for levels that nobody can fill.
const DAYS_AHEAD: i64 = 366;

/// How many levels of a document are looked at: each asks the database.
const MAX_JUDGED: usize = 100;

/// What is found at the levels that a document refers to.
pub(super) async fn judged(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    references: &[Reference],
    now: DateTime<Utc>,
) -> store::Result<Vec<Judged>> {
    let mut judged = Vec::new();
    let of_levels = references.iter().filter(|reference| {
        matches!(reference.to, Target::Level(_) | Target::Apart(_) | Target::Escalation(_))
    });
    for reference in of_levels.take(MAX_JUDGED) {
        let found = match &reference.to {
            Target::Level(level) => {
                gaps(&mut *conn, workspace, level, now).await?.map(|message| ("level.unfilled", message))
            }
            Target::Apart(levels) => {
                let people = people(&mut *conn, workspace, levels, (now, now)).await?;
                let shortage = coverage::shortage_apart(levels, &people, now);
                shortage.map(|message| ("levels.unfilled", message))
            }
            Target::Escalation(escalation) => {
                let late = escalates_late(&mut *conn, workspace, escalation, now).await?;
                late.map(|message| ("escalation.late", message))
            }
            Target::Rule(_)
            | Target::Workflow(_)
            | Target::Context(_)
            | Target::Operation(_)
            | Target::Record(_)
            | Target::Approver(_)
            | Target::Veto(_)
            | Target::Recipient(_)
            | Target::Calendar(_)
            | Target::Secret(_)
            | Target::Event(_)
            | Target::Trigger(_) => None,
        };
        let found = found.map(|(code, message)| Judged {
            target: reference.to.clone(),
            code,
            message,
            below: String::new(),
        });
        judged.extend(found.filter(|found| !judged.contains(found)));
    }
    Ok(judged)
}

async fn people(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    levels: &[LevelReference],
    between: (DateTime<Utc>, DateTime<Utc>),
) -> store::Result<Vec<Person>> {
    let entries = levels.iter().flat_map(|level| level.approvers.iter().chain(&level.escalate_to));
    let entries = entries.filter_map(|entry| entry.parse().ok()).collect();
    let needs = PeopleNeeds { entries, persons: Vec::new() };
    environment::people_between(conn, workspace, &needs, between).await
}

/// Why and when a level can't be filled by the people who are there. One that names nobody at all is told by its entries.
async fn gaps(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    level: &LevelReference,
    now: DateTime<Utc>,
) -> store::Result<Option<String>> {
    let ahead = now + Duration::days(DAYS_AHEAD);
    let people = people(conn, workspace, std::slice::from_ref(level), (now, ahead)).await?;
    let told: Vec<String> = coverage::gaps(level, &people, now).iter().map(|gap| gap.in_words(now)).collect();
    Ok((!told.is_empty() && !people.is_empty()).then(|| told.join(" ")))
}

/// When a level would expire in its calendar before it escalates.
async fn escalates_late(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    escalation: &EscalationReference,
    now: DateTime<Utc>,
) -> store::Result<Option<String>> {
    let EscalationReference { calendar, escalate_after, expires_in } = escalation;
    let found = calendars::named(conn, workspace, std::slice::from_ref(calendar)).await?;
    let late =
        found.first().and_then(|calendar| ladder::escalates_late(calendar, escalate_after, expires_in, now));
    Ok(late.map(|opened| {
        format!(
            "In the hours of {calendar} the level expires after {expires_in} before it escalates after {escalate_after}, for \
             example when it opens on {}; shorten `escalate_after`.",
            opened.format("%-d %B %Y at %H:%M UTC")
        )
    }))
}
