//! When a schedule is due.

mod blackout;
mod cron;
mod words;

pub use blackout::{Blackout, BlackoutSpan, Day};
pub use cron::{CronFault, fault as cron_fault};
pub use words::in_words;

use chrono::{DateTime, Duration, LocalResult, NaiveDateTime, TimeZone as _, Timelike as _, Utc};
use chrono_tz::Tz;
use croner::{
    Cron,
    parser::{CronParser, Seconds},
};

/// Why a schedule can't be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// The cron text has a fault.
    #[error("\"{0}\" is no schedule; write five fields such as `0 9 * * MON-FRI`")]
    Cron(String),
    /// The zone isn't in the IANA database.
    #[error("\"{0}\" is no time zone; write an IANA name such as Europe/Stockholm")]
    Zone(String),
}

/// Reads a cron text so that it can be followed. It takes more than [`cron_fault`] lets pass: what was saved before that
/// check goes on.
fn parse_cron(cron: &str) -> Result<Cron, ScheduleError> {
    let parser = CronParser::builder().seconds(Seconds::Optional).build();
    parser.parse(cron).map_err(|_| ScheduleError::Cron(cron.to_owned()))
}

/// Reads an IANA zone's name.
pub fn parse_zone(zone: &str) -> Result<Tz, ScheduleError> {
    zone.parse().map_err(|_| ScheduleError::Zone(zone.to_owned()))
}

/// How many blackouts in a row are passed over before a schedule counts as never due; a day has three at most.
const MAX_PASSED: usize = 5_000;

/// How far the clocks are set back at most: over the date line.
const LONGEST_FOLD: i64 = 25;

/// A schedule, ready to be asked.
#[derive(Debug)]
pub struct Schedule<'d> {
    cron: Cron,
    /// Whether it runs in every hour, and so follows the hours that really pass.
    of_every_hour: bool,
    zone: Tz,
    blackout: &'d [Blackout],
}

impl<'d> Schedule<'d> {
    /// Reads a schedule.
    pub fn new(cron: &str, zone: Option<&str>, blackout: &'d [Blackout]) -> Result<Self, ScheduleError> {
        let zone = zone.map_or(Ok(Tz::UTC), parse_zone)?;
        Ok(Self { of_every_hour: cron::is_of_every_hour(cron), cron: parse_cron(cron)?, zone, blackout })
    }

    /// The due times after a time, soonest first, without those in a blackout.
    ///
    /// Where the clocks change, a schedule that runs in every hour follows the hours that really pass. Of another, a time
    /// that is skipped counts at the first instant after the gap, and a time that comes twice counts the first time only.
    pub fn due_after(&self, after: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> {
        let mut after = after.with_timezone(&self.zone);
        std::iter::from_fn(move || {
            after = if self.of_every_hour { self.next_hourly(after) } else { self.next_by_clock(after) }?;
            Some(after.with_timezone(&Utc))
        })
    }

    fn next_hourly(&self, mut from: DateTime<Tz>) -> Option<DateTime<Tz>> {
        let mut counts = false;
        for _ in 0..MAX_PASSED {
            let at = self.cron.find_next_occurrence(&from, counts).ok()?;
            let Some(blackout) = self.covering(&at) else { return Some(at) };
            // Whatever is due until the blackout changes is out too.
            let end = self.instant(blackout.changes_after(at.naive_local())?)?;
            counts = end > at;
            from = end.max(at);
        }
        None
    }

    /// The next due time of a schedule that goes by what the clock on the wall shows.
    fn next_by_clock(&self, after: DateTime<Tz>) -> Option<DateTime<Tz>> {
        let mut shown = self.first_shown(after);
        let mut counts = false;
        for _ in 0..MAX_PASSED {
            shown = self.cron.find_next_occurrence(&shown.and_utc(), counts).ok()?.naive_utc();
            let at = self.instant(shown)?;
            if at <= after {
                // Whatever the clock skips is due at the same instant.
                let end = at.naive_local();
                counts = end > shown;
                shown = end.max(shown);
                continue;
            }
            let Some(blackout) = self.covering(&at) else { return Some(at) };
            let end = blackout.changes_after(at.naive_local())?;
            counts = end > shown;
            shown = end.max(shown);
        }
        None
    }

    /// What the clock shows at an instant; where it shows that for the second time, the end of what comes twice, since
    /// all before it was due the first time.
    fn first_shown(&self, at: DateTime<Tz>) -> NaiveDateTime {
        let shown = at.naive_local();
        match self.zone.from_local_datetime(&shown) {
            LocalResult::Ambiguous(first, second) if at >= second && first < second => {
                let comes_twice = |local: NaiveDateTime| {
                    matches!(self.zone.from_local_datetime(&local), LocalResult::Ambiguous(..))
                };
                first_where(shown, |local| !comes_twice(local)) - Duration::seconds(1)
            }
            LocalResult::Ambiguous(..) | LocalResult::Single(_) | LocalResult::None => shown,
        }
    }

    /// The instant at which the clock shows a time: the first of two, or the first after a gap.
    fn instant(&self, local: NaiveDateTime) -> Option<DateTime<Tz>> {
        let exists = |local: NaiveDateTime| self.zone.from_local_datetime(&local).earliest();
        exists(local).or_else(|| exists(first_where(local, |local| exists(local).is_some())))
    }

    /// The last due time at or before a time, after another.
    pub fn last_due(&self, after: DateTime<Utc>, until: DateTime<Utc>) -> Option<DateTime<Utc>> {
        // Due times are whole seconds.
        let until = until.with_nanosecond(0)?.with_timezone(&self.zone);
        let found = if self.of_every_hour {
            self.last_hourly(after, until)
        } else {
            self.last_by_clock(after, until)
        };
        found.map(|at| at.with_timezone(&Utc))
    }

    fn last_hourly(&self, after: DateTime<Utc>, until: DateTime<Tz>) -> Option<DateTime<Tz>> {
        let mut from = until;
        let mut counts = true;
        for _ in 0..MAX_PASSED {
            let at = self.cron.find_previous_occurrence(&from, counts).ok()?;
            if at <= after {
                return None;
            }
            let Some(blackout) = self.covering(&at) else { return Some(at) };
            from = self.instant(blackout.changed_before(at.naive_local())?)?.min(at);
            counts = false;
        }
        None
    }

    fn last_by_clock(&self, after: DateTime<Utc>, until: DateTime<Tz>) -> Option<DateTime<Tz>> {
        // What the clock showed before it was set back is later than what it shows now.
        let mut shown = self.first_shown(until);
        let mut counts = true;
        for _ in 0..MAX_PASSED {
            shown = self.cron.find_previous_occurrence(&shown.and_utc(), counts).ok()?.naive_utc();
            counts = false;
            let at = self.instant(shown)?;
            if at > until {
                continue;
            }
            if at <= after {
                return None;
            }
            let Some(blackout) = self.covering(&at) else { return Some(at) };
            shown = blackout.changed_before(at.naive_local())?.min(shown);
        }
        None
    }

    fn covering(&self, at: &DateTime<Tz>) -> Option<&Blackout> {
        self.blackout.iter().find(|blackout| blackout.covers(at))
    }
}

/// The first second from a local time on for which something holds that goes on holding for hours.
fn first_where(from: NaiveDateTime, holds: impl Fn(NaiveDateTime) -> bool) -> NaiveDateTime {
    let (mut low, mut high) = (0, LONGEST_FOLD * 3600);
    let mut step = 1800;
    while step < high {
        if holds(from + Duration::seconds(step)) {
            high = step;
        } else {
            low = step;
            step *= 2;
        }
    }
    while high - low > 1 {
        let middle = low.midpoint(high);
        if holds(from + Duration::seconds(middle)) { high = middle } else { low = middle }
    }
    from + Duration::seconds(high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn next(cron: &str, blackout: Value, after: &str, count: usize) -> Vec<String> {
        let blackout: Vec<Blackout> = serde_json::from_value(blackout).unwrap();
        let schedule = Schedule::new(cron, Some("Europe/Stockholm"), &blackout).unwrap();
        schedule.due_after(at(after)).take(count).map(|at| at.to_rfc3339()).collect()
    }

    #[test]
    fn due_times_in_a_blackout_are_left_out() {
        let christmas =
            json!(["2026-12-24", { "from": "2026-12-31", "to": "2027-01-01" }, { "days": ["sat", "sun"] }]);
        assert_eq!(
            next("0 9 * * *", christmas, "2026-12-23T12:00:00Z", 4),
            [
                "2026-12-25T08:00:00+00:00",
                "2026-12-28T08:00:00+00:00",
                "2026-12-29T08:00:00+00:00",
                "2026-12-30T08:00:00+00:00"
            ]
        );
        let nights = json!([{ "days": ["fri"], "from": "22:00", "to": "06:00" }]);
        assert_eq!(
            next("0 */4 * * *", nights, "2026-03-06T18:30:00Z", 3),
            ["2026-03-06T19:00:00+00:00", "2026-03-07T07:00:00+00:00", "2026-03-07T11:00:00+00:00"],
            "Friday's night is over on Saturday morning"
        );
    }

    #[test]
    fn a_time_that_the_clocks_skip_counts_after_the_gap_and_one_that_comes_twice_counts_once() {
        assert_eq!(
            next("30 2 * * *", json!([]), "2026-03-28T12:00:00Z", 2),
            ["2026-03-29T01:00:00+00:00", "2026-03-30T00:30:00+00:00"]
        );
        assert_eq!(
            next("30 2 * * *", json!([]), "2026-10-24T12:00:00Z", 2),
            ["2026-10-25T00:30:00+00:00", "2026-10-26T01:30:00+00:00"]
        );
    }

    #[test]
    fn the_last_due_time_of_a_downtime_is_found() {
        let schedule = Schedule::new("0 * * * *", None, &[]).unwrap();
        let last = |until: &str| schedule.last_due(at("2026-03-01T10:00:00Z"), at(until));
        assert_eq!(last("2026-03-01T13:20:00Z"), Some(at("2026-03-01T13:00:00Z")));
        assert_eq!(last("2026-03-01T13:00:00Z"), Some(at("2026-03-01T13:00:00Z")));
        assert_eq!(last("2026-03-01T13:00:00.003Z"), Some(at("2026-03-01T13:00:00Z")));
        assert_eq!(last("2026-03-01T10:20:00Z"), None);
    }

    #[test]
    fn a_schedule_of_seconds_outlives_any_blackout() {
        let weekend = json!([{ "days": ["sat", "sun"] }]);
        assert_eq!(
            next("* * * * * *", weekend, "2026-03-06T22:59:59Z", 2),
            ["2026-03-08T23:00:00+00:00", "2026-03-08T23:00:01+00:00"],
        );
        let year = json!([{ "from": "2026-01-01", "to": "2026-12-31" }]);
        assert_eq!(next("*/5 * * * * *", year, "2026-03-06T10:00:00Z", 1), ["2026-12-31T23:00:00+00:00"]);
        assert_eq!(next("0 9 * * sat", json!([{ "days": ["sat"] }]), "2026-03-06T10:00:00Z", 1), [""; 0]);
        assert_eq!(next("0 9 * * *", json!([{ "from": "2026-01-01" }]), "2026-03-06T10:00:00Z", 1), [""; 0]);
        let blackout: Vec<Blackout> =
            serde_json::from_value(json!([{ "days": ["sun"], "from": "08:00" }])).unwrap();
        let schedule = Schedule::new("* * * * * *", None, &blackout).unwrap();
        let last = schedule.last_due(at("2026-03-01T00:00:00Z"), at("2026-03-01T20:00:00Z"));
        assert_eq!(last, Some(at("2026-03-01T07:59:59Z")));
    }

    #[test]
    fn where_the_clocks_change_each_time_counts_once_and_every_hour_is_an_hour() {
        let due = |cron: &str, zone: &str, from: &str, until: &str| -> Vec<String> {
            let schedule = Schedule::new(cron, Some(zone), &[]).unwrap();
            let times: Vec<DateTime<Utc>> =
                schedule.due_after(at(from)).take_while(|due| *due <= at(until)).collect();
            // Looking back finds the same times, from whatever second.
            for pair in times.windows(2) {
                for (until, expected) in [(pair[1] - Duration::seconds(1), pair[0]), (pair[1], pair[1])] {
                    assert_eq!(schedule.last_due(at(from), until), Some(expected), "{cron} {zone} {until}");
                }
            }
            times.iter().map(|due| due.format("%H:%M").to_string()).collect()
        };
        let (stockholm, new_york, lord_howe) =
            ("Europe/Stockholm", "America/New_York", "Australia/Lord_Howe");
        for (cron, zone, from, until, expected) in [
            // Back at 01:00 UTC: 02:00 to 03:00 comes twice.
            (
                "*/30 1-3 * * *",
                stockholm,
                "2026-10-24T22:00:00Z",
                "2026-10-25T03:00:00Z",
                "23:00 23:30 00:00 00:30 02:00 02:30",
            ),
            ("30 2 * * *", stockholm, "2026-10-24T22:00:00Z", "2026-10-25T03:00:00Z", "00:30"),
            ("0 */2 * * *", stockholm, "2026-10-24T22:30:00Z", "2026-10-25T03:00:00Z", "00:00 03:00"),
            (
                "*/30 * * * *",
                stockholm,
                "2026-10-24T23:45:00Z",
                "2026-10-25T02:00:00Z",
                "00:00 00:30 01:00 01:30 02:00",
            ),
            ("15 * * * *", stockholm, "2026-10-24T23:30:00Z", "2026-10-25T02:30:00Z", "00:15 01:15 02:15"),
            // From within what comes the second time.
            ("*/30 1-3 * * *", stockholm, "2026-10-25T01:10:00Z", "2026-10-25T03:00:00Z", "02:00 02:30"),
            // Forward at 01:00 UTC: 02:00 to 03:00 is skipped.
            (
                "*/30 1-3 * * *",
                stockholm,
                "2026-03-28T23:00:00Z",
                "2026-03-29T03:00:00Z",
                "00:00 00:30 01:00 01:30",
            ),
            ("30 2 * * *", stockholm, "2026-03-28T23:00:00Z", "2026-03-29T03:00:00Z", "01:00"),
            (
                "*/30 * * * *",
                stockholm,
                "2026-03-29T00:15:00Z",
                "2026-03-29T02:00:00Z",
                "00:30 01:00 01:30 02:00",
            ),
            ("10,50 2 * * *", stockholm, "2026-03-28T23:00:00Z", "2026-03-29T03:00:00Z", "01:00"),
            // Back at 06:00 UTC, forward at 07:00 UTC.
            ("0,30 1 * * *", new_york, "2026-11-01T04:00:00Z", "2026-11-01T08:00:00Z", "05:00 05:30"),
            ("30 2 * * *", new_york, "2026-03-08T05:00:00Z", "2026-03-08T09:00:00Z", "07:00"),
            // By half an hour: back at 15:00 UTC, forward at 15:30 UTC.
            (
                "*/15 1-2 * * *",
                lord_howe,
                "2026-04-04T13:50:00Z",
                "2026-04-04T16:30:00Z",
                "14:00 14:15 14:30 14:45 15:30 15:45 16:00 16:15",
            ),
            ("10 2 * * *", lord_howe, "2026-10-03T15:00:00Z", "2026-10-03T17:00:00Z", "15:30"),
            // A day that never was: 30 December 2011.
            ("0 9 30 12 *", "Pacific/Apia", "2011-12-29T00:00:00Z", "2011-12-31T00:00:00Z", "10:00"),
        ] {
            assert_eq!(due(cron, zone, from, until).join(" "), expected, "{cron} {zone} {from}");
        }
    }
}
