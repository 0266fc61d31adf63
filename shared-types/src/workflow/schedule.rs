//! When a schedule is due.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use croner::{
    Cron,
    parser::{CronParser, Seconds},
};

/// Why a schedule can't be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// The cron text has a fault.
    #[error("\"{cron}\" is no schedule: {why}")]
    Cron {
        /// The text.
        cron: String,
        /// What the parser said.
        why: String,
    },
    /// The zone isn't in the IANA database.
    #[error("\"{0}\" is no time zone; write an IANA name such as Europe/Stockholm")]
    Zone(String),
}

/// Reads a cron text of five or six fields (seconds first).
pub fn parse_cron(cron: &str) -> Result<Cron, ScheduleError> {
    CronParser::builder()
        .seconds(Seconds::Optional)
        .build()
        .parse(cron)
        .map_err(|why| ScheduleError::Cron { cron: cron.to_owned(), why: why.to_string() })
}

/// Reads an IANA zone's name.
pub fn parse_zone(zone: &str) -> Result<Tz, ScheduleError> {
    zone.parse().map_err(|_| ScheduleError::Zone(zone.to_owned()))
}

/// The first due time after `after`; `None` where there is no other.
///
/// Daylight saving as the cron library has it: a time that is skipped counts at the first instant after
/// the gap, a time that comes twice counts once.
pub fn next_due(
    cron: &str,
    zone: Option<&str>,
    after: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, ScheduleError> {
    let zone = zone.map_or(Ok(Tz::UTC), parse_zone)?;
    let cron = parse_cron(cron)?;
    Ok(cron.find_next_occurrence(&after.with_timezone(&zone), false).ok().map(|due| due.with_timezone(&Utc)))
}
