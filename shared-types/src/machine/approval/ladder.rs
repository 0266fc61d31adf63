//! The dates of a ladder: when the people of each level would be reminded, escalated and out of time, before anybody is asked.

use super::deadlines::Counting;
use crate::{
    approval::decision::RequestLevel,
    ids::StepId,
    workflow::{
        Document, Span,
        approval::{ApprovalSpec, Level},
        calendar::{Calendar, WorkingTime},
        check::every_step,
        step::StepKind,
    },
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// How many reminders are shown.
const MAX_SHOWN: usize = 3;

/// When the people of a level would be reminded, escalated and out of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LadderLevel {
    /// The step that asks.
    pub step_id: StepId,
    /// The level's name, or its number where it has none.
    pub level: String,
    /// The calendar that is counted in.
    pub calendar: Option<String>,
    /// False where that calendar isn't set up, or isn't known here: then there are no dates.
    pub is_counted: bool,
    /// The instants of the first reminders, in UTC, earliest first.
    pub reminders: Vec<DateTime<Utc>>,
    /// Whether more come after them.
    pub more_reminders: bool,
    /// When others are asked besides.
    pub escalates_at: Option<DateTime<Utc>>,
    /// Who that is, as it is written.
    pub escalate_to: Vec<String>,
    /// When it expires.
    pub expires_at: Option<DateTime<Utc>>,
}

/// The dates of each level with a deadline, if it opened at a time.
pub fn ladder(document: &Document, calendars: &[Calendar], at: DateTime<Utc>) -> Vec<LadderLevel> {
    let approvals = every_step(document).filter_map(|(_, step)| {
        if let StepKind::Approval { approval, .. } = &step.kind { Some((&step.id, approval)) } else { None }
    });
    approvals.flat_map(|(step_id, approval)| levels(step_id, approval, calendars, at)).collect()
}

fn levels(
    step_id: &StepId,
    approval: &ApprovalSpec,
    calendars: &[Calendar],
    at: DateTime<Utc>,
) -> Vec<LadderLevel> {
    let named = |name: &String| calendars.iter().find(|calendar| calendar.name == *name);
    let counting = match &approval.calendar {
        None => Some(Counting::Plain),
        Some(name) => named(name)
            .and_then(|calendar| WorkingTime::of(calendar).ok())
            .map(|hours| Counting::Calendar(Box::new(hours))),
    };
    let has_dates = |level: &&Level| {
        level.expires_in.is_some() || level.remind_every.is_some() || level.escalate_after.is_some()
    };
    let of_level = |(n, level): (usize, &Level)| {
        let name = level.name.clone().unwrap_or_else(|| format!("level {}", n + 1));
        let dates = counting.as_ref().map(|counting| dates(counting, level, at)).unwrap_or_default();
        LadderLevel {
            step_id: step_id.clone(),
            level: name,
            calendar: approval.calendar.clone(),
            is_counted: counting.is_some(),
            reminders: dates.reminders,
            more_reminders: dates.more,
            escalates_at: dates.escalates_at,
            escalate_to: level.escalate_to.iter().map(|who| who.source().to_owned()).collect(),
            expires_at: dates.expires_at,
        }
    };
    approval.levels.iter().enumerate().filter(|(_, level)| has_dates(level)).map(of_level).collect()
}

/// How far apart the openings are at which an escalation is held against its expiry, and how many: one week.
const OPENINGS: (i64, i32) = (6, 28);
/// The longest spans that are held against each other so, in milliseconds: a year.
const MAX_COMPARED_MS: i64 = 366 * 24 * 3600 * 1000;

/// An opening of a level in the week from a time on at which it would expire before it escalates, in UTC; none where there is
/// none.
pub fn escalates_late(
    calendar: &Calendar,
    escalate_after: &Span,
    expires_in: &Span,
    from: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    if escalate_after.millis().max(expires_in.millis()) > MAX_COMPARED_MS {
        return None;
    }
    let hours = WorkingTime::of(calendar).ok()?;
    let openings = (0..OPENINGS.1).map(|n| from + chrono::Duration::hours(OPENINGS.0) * n);
    openings.into_iter().find(|at| match (hours.due(*at, escalate_after), hours.due(*at, expires_in)) {
        (Some(escalates), Some(expires)) => escalates >= expires,
        (None, _) | (_, None) => false,
    })
}

#[derive(Default)]
struct Dates {
    reminders: Vec<DateTime<Utc>>,
    more: bool,
    escalates_at: Option<DateTime<Utc>>,
    expires_at: Option<DateTime<Utc>>,
}

fn dates(counting: &Counting, level: &Level, at: DateTime<Utc>) -> Dates {
    // Only whether somebody is named counts here, not who.
    let named = level.escalate_to.iter().map(|who| crate::recipient::Approver::Role(who.source().to_owned()));
    let asked = RequestLevel {
        expires_in: level.expires_in.clone(),
        remind_every: level.remind_every.clone(),
        escalate_after: level.escalate_after.clone(),
        escalate_to: named.collect(),
        ..RequestLevel::new(String::new(), Vec::new())
    };
    let opened = counting.opened(&asked, at);
    let mut reminders: Vec<DateTime<Utc>> = Vec::new();
    let mut next = opened.reminds_at;
    while let (Some(due), Some(every)) = (next, &level.remind_every) {
        if opened.expires_at.is_some_and(|expires_at| due >= expires_at) {
            next = None;
            break;
        }
        if reminders.len() >= MAX_SHOWN {
            break;
        }
        reminders.push(due);
        next = counting.next_reminder(at, due, every);
    }
    Dates {
        reminders,
        more: next.is_some(),
        escalates_at: opened.escalates_at,
        expires_at: opened.expires_at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_dates_are_those_that_a_request_gets() {
        let document: Document = serde_json::from_value(json!({
            "workflow_id": "ask", "name": "Ask", "trigger": { "type": "event", "event": "go" },
            "steps": [{ "id": "ask", "type": "approval", "approval": { "calendar": "business_hours", "levels": [
                { "name": "Finance", "approvers": ["role:finance"], "remind_every": "4h", "escalate_to": ["role:cfo"], "escalate_after": "8h", "expires_in": "2d" },
                { "approvers": ["role:legal"] },
                { "approvers": ["role:legal"], "remind_every": "1d" },
            ] } }],
        }))
        .unwrap();
        let days = ["mon", "tue", "wed", "thu", "fri"].map(|day| (day.to_owned(), json!(["09:00-17:00"])));
        let calendar: Calendar = serde_json::from_value(json!({
            "name": "business_hours", "timezone": "UTC", "hours": serde_json::Map::from_iter(days), "holidays": [],
        }))
        .unwrap();
        // A Friday at noon.
        let at: DateTime<Utc> = "2026-11-27T12:00:00Z".parse().unwrap();
        let levels = ladder(&document, &[calendar], at);
        let time = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        assert_eq!(levels.len(), 2, "a level without spans has no dates");
        assert_eq!(levels[0].level, "Finance");
        assert_eq!(
            levels[0].reminders,
            [time("2026-11-27T16:00:00Z"), time("2026-11-30T12:00:00Z"), time("2026-11-30T16:00:00Z")]
        );
        assert!(!levels[0].more_reminders, "the next would come when it has expired");
        assert_eq!(levels[0].escalates_at, Some(time("2026-11-30T12:00:00Z")));
        assert_eq!(levels[0].expires_at, Some(time("2026-12-01T12:00:00Z")));
        assert_eq!((levels[1].level.as_str(), levels[1].more_reminders), ("level 3", true));
        let unknown = ladder(&document, &[], at);
        assert!(!unknown[0].is_counted && unknown[0].expires_at.is_none());
    }
}
