//! What is urgent, when a person's hours are quiet, and by which ways they are told so.

use crate::{
    api::preferences::{MessagePreference, QuietHours},
    workflow::calendar::{Calendar, DAYS, WorkingTime},
};
use chrono::{DateTime, Duration, Utc};
use std::collections::BTreeMap;

/// How near a deadline makes a request urgent, in hours.
pub const URGENT_HOURS: i64 = 2;

/// When a request becomes urgent: so long before its deadline, or at once where it was escalated. None where it never does.
pub fn urgent_from(expires_at: Option<DateTime<Utc>>, is_escalated: bool) -> Option<DateTime<Utc>> {
    if is_escalated {
        return Some(DateTime::<Utc>::MIN_UTC);
    }
    expires_at?.checked_sub_signed(Duration::hours(URGENT_HOURS))
}

impl MessagePreference {
    /// Whether something is sent that is urgent, or isn't.
    pub fn takes(self, is_urgent: bool) -> bool {
        match self {
            Self::All => true,
            Self::Urgent => is_urgent,
            Self::None => false,
        }
    }
}

/// Quiet hours that were read and found sound.
#[derive(Debug, Clone)]
pub struct Quiet {
    hours: WorkingTime,
    lets_urgent_through: bool,
}

/// What is wrong with quiet hours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadQuietHours {
    /// A time of the day can't be read.
    #[error("`quiet_hours.{field}`: \"{text}\" is no time of the day; write one such as 22:00")]
    Time {
        /// The field.
        field: &'static str,
        /// What it holds.
        text: String,
    },
    /// The zone is unknown.
    #[error("`quiet_hours.timezone`: \"{0}\" is no time zone; write an IANA name such as Europe/Stockholm")]
    Zone(String),
    /// A day is unknown.
    #[error("`quiet_hours.days`: \"{0}\" is no day; write mon, tue, wed, thu, fri, sat or sun")]
    Day(String),
    /// There is no day.
    #[error("`quiet_hours.days`: name at least one day, or leave it out for every day")]
    NoDay,
    /// They never end, so that nobody would ever be told.
    #[error(
        "`quiet_hours`: they never end; name an `until` that differs from `from`, or send nothing by that way"
    )]
    Endless,
}

impl Quiet {
    /// Reads quiet hours.
    ///
    /// # Errors
    /// See [`BadQuietHours`].
    pub fn of(written: &QuietHours) -> Result<Self, BadQuietHours> {
        let from = minute("from", &written.from)?;
        let until = minute("until", &written.until)?;
        let days = days(written)?;
        let is_whole_day = from % DAY == until % DAY;
        if from == until || (is_whole_day && days.iter().all(|is_named| *is_named)) {
            return Err(BadQuietHours::Endless);
        }
        // What crosses midnight is two spans, each on its day.
        let mut hours: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (n, _) in days.iter().enumerate().filter(|(_, is_named)| **is_named) {
            let mut add = |n: usize, from: u16, until: u16| {
                if from < until {
                    hours.entry(DAYS[n % DAYS.len()].to_owned()).or_default().push(span(from, until));
                }
            };
            if from < until {
                add(n, from, until);
            } else {
                add(n, from, DAY);
                add(n + 1, 0, until);
            }
        }
        let name = "quiet_hours".to_owned();
        let timezone = written.timezone.trim().to_owned();
        let calendar = Calendar { name, timezone, hours, holidays: Vec::new() };
        let hours =
            WorkingTime::of(&calendar).map_err(|_| BadQuietHours::Zone(shortened(&written.timezone)))?;
        Ok(Self { hours, lets_urgent_through: written.urgent })
    }

    /// Until when something has to wait that would be told at a time; none where it is told at once. Where urgent things come
    /// through, it waits no longer than until it is urgent (`urgent_from`).
    pub fn holds_until(
        &self,
        at: DateTime<Utc>,
        urgent_from: Option<DateTime<Utc>>,
    ) -> Option<DateTime<Utc>> {
        let until = self.hours.open_until(at)?;
        match urgent_from.filter(|_| self.lets_urgent_through) {
            Some(from) if from <= at => None,
            Some(from) => Some(until.min(from)),
            None => Some(until),
        }
    }
}

/// The minutes of a day.
const DAY: u16 = 24 * 60;

fn days(written: &QuietHours) -> Result<[bool; 7], BadQuietHours> {
    let Some(named) = &written.days else { return Ok([true; 7]) };
    if named.is_empty() {
        return Err(BadQuietHours::NoDay);
    }
    let mut days = [false; 7];
    for day in named {
        let n = DAYS.iter().position(|known| known == day);
        days[n.ok_or_else(|| BadQuietHours::Day(shortened(day)))?] = true;
    }
    Ok(days)
}

/// `22:00`, `7:00` or `24:00` as a minute of the day.
fn minute(field: &'static str, text: &str) -> Result<u16, BadQuietHours> {
    let read = || {
        let (hour, minute) = text.trim().split_once(':')?;
        let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if hour.len() > 2 || minute.len() != 2 || !is_number(hour) || !is_number(minute) {
            return None;
        }
        let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
        let of_day = hour * 60 + minute;
        (minute < 60 && of_day <= DAY).then_some(of_day)
    };
    read().ok_or_else(|| BadQuietHours::Time { field, text: shortened(text) })
}

fn span(from: u16, until: u16) -> String {
    format!("{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, until / 60, until % 60)
}

fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests;
