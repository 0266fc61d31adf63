//! Calendars: when the people of a workspace work. Deadlines and reminders are counted in them.
//!
//! A [`Calendar`] is what people write and the API carries. [`WorkingTime`] is one that was read and found sound: it counts.

mod count;
mod hours;

pub use count::WorkingTime;
pub use hours::OpenHours;

use super::Finding;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How many holidays a calendar may have.
pub const MAX_HOLIDAYS: usize = 2_000;
/// How many spans of open hours a day may have.
pub(crate) const MAX_SPANS: usize = 24;
/// How long the name of a calendar may be, in characters.
const MAX_NAME: usize = 100;

/// The days of the week as `hours` names them, Monday first.
pub const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A calendar of a workspace, as people write it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// Its name, by which workflows refer to it.
    pub name: String,
    /// The time zone that its hours are meant in: an IANA name, such as `Europe/Stockholm`.
    pub timezone: String,
    /// The open hours by day (`mon` to `sun`), such as `["09:00-12:00", "13:00-17:00"]`. A day that isn't named is closed.
    pub hours: BTreeMap<String, Vec<String>>,
    /// The days that differ from the week.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<Holiday>,
}

/// A day that differs from the week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Holiday {
    /// A closed day: `2026-12-25`.
    Closed(String),
    /// A day with hours of its own.
    Hours {
        /// The day: `2026-12-24`.
        date: String,
        /// Its open hours; none closes it.
        hours: Vec<String>,
    },
}

impl Holiday {
    /// The day as it is written.
    pub fn date(&self) -> &str {
        match self {
            Self::Closed(date) | Self::Hours { date, .. } => date,
        }
    }
}

/// What is wrong with a calendar, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarFault {
    /// The place in the calendar, as a JSON pointer.
    pub pointer: String,
    /// What is wrong and what to write instead, in a sentence.
    pub message: String,
}

impl CalendarFault {
    fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into() }
    }
}

/// What is wrong with each of some calendars, at its place below a pointer.
pub fn faults(calendars: &[Calendar], at: &str) -> Vec<Finding> {
    let each = calendars.iter().enumerate().filter_map(|(n, calendar)| {
        let faults = WorkingTime::of(calendar).err()?;
        Some(faults.into_iter().map(move |fault| {
            Finding::error("calendar.invalid", format!("{at}/{n}{}", fault.pointer), fault.message)
        }))
    });
    each.flatten().collect()
}

/// Why a name can't be a calendar's, in a sentence.
pub fn name_fault(name: &str) -> Option<String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
    if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(fits) {
        return Some(format!(
            "a calendar's name has 1 to {MAX_NAME} small letters, digits, `_` and `-`, such as business_hours"
        ));
    }
    None
}
