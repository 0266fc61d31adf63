//! When a schedule is due.

use chrono::{
    DateTime, Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _, Timelike as _, Utc, Weekday,
};
use chrono_tz::Tz;
use croner::{
    Cron,
    parser::{CronParser, Seconds},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

/// Times in which nothing starts: a due time in them is left out. In the schedule's zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Blackout {
    /// A day: `2026-12-24`.
    Day(String),
    /// From one day to another, or from one time of the day to another, on some days of the week.
    Span(BlackoutSpan),
}

/// A span in which nothing starts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BlackoutSpan {
    /// The days of the week; all without it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<Day>,
    /// A date, which counts, or a time such as `22:00`; the day's begin without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// A date, which counts, or a time, which doesn't; the day's end without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Day {
    fn is(self, weekday: Weekday) -> bool {
        let own = match self {
            Self::Mon => Weekday::Mon,
            Self::Tue => Weekday::Tue,
            Self::Wed => Weekday::Wed,
            Self::Thu => Weekday::Thu,
            Self::Fri => Weekday::Fri,
            Self::Sat => Weekday::Sat,
            Self::Sun => Weekday::Sun,
        };
        own == weekday
    }
}

fn date_of(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
}

fn clock_of(text: &str) -> Option<NaiveTime> {
    NaiveTime::parse_from_str(text, "%H:%M").ok()
}

impl Blackout {
    /// What is wrong with it, if something is.
    pub fn fault(&self) -> Option<String> {
        let Self::Span(BlackoutSpan { days, from, to }) = self else {
            let Self::Day(text) = self else { return None };
            return date_of(text).is_none().then(|| format!("\"{text}\" is no day; write it as 2026-12-24."));
        };
        let ends: Vec<&str> = from.iter().chain(to).map(String::as_str).collect();
        if ends.is_empty() && days.is_empty() {
            return Some("It needs `days`, `from` or `to`.".to_owned());
        }
        let all_dates = ends.iter().all(|end| date_of(end).is_some());
        let all_clocks = ends.iter().all(|end| clock_of(end).is_some());
        if !all_dates && !all_clocks {
            return Some("`from` and `to` are both dates (2026-12-24) or both times (22:00).".to_owned());
        }
        if all_dates && from.is_some() && to.is_some() && from > to {
            return Some("`from` is after `to`.".to_owned());
        }
        None
    }

    /// Whether a time falls into it.
    fn covers(&self, at: &DateTime<Tz>) -> bool {
        let Self::Span(BlackoutSpan { days, from, to }) = self else {
            let Self::Day(text) = self else { return false };
            return date_of(text) == Some(at.date_naive());
        };
        let on_day = |weekday: Weekday| days.is_empty() || days.iter().any(|day| day.is(weekday));
        let (from, to) = (from.as_deref(), to.as_deref());
        if from.or(to).is_some_and(|end| date_of(end).is_some()) {
            let date = at.date_naive();
            let begun = from.and_then(date_of).is_none_or(|from| date >= from);
            return begun && to.and_then(date_of).is_none_or(|to| date <= to) && on_day(at.weekday());
        }
        let time = at.time();
        let (from, to) = (from.and_then(clock_of), to.and_then(clock_of));
        let begun = from.is_none_or(|from| time >= from);
        let goes_on = to.is_none_or(|to| time < to);
        if matches!((from, to), (Some(from), Some(to)) if to <= from) {
            // Over midnight: it belongs to the day on which it began.
            return (begun && on_day(at.weekday())) || (goes_on && on_day(at.weekday().pred()));
        }
        begun && goes_on && on_day(at.weekday())
    }

    /// When what covers a time changes next: at a midnight or at one of its own times. Nothing where it never does.
    fn changes_after(&self, at: NaiveDateTime) -> Option<NaiveDateTime> {
        let (from, to) = self.ends();
        if self.is_of_dates() {
            return to?.0.and_then(|to| to.succ_opt()).map(midnight);
        }
        let clocks = [from, to].into_iter().flatten().filter_map(|(_, clock)| clock);
        let later_today = clocks.map(|clock| at.date().and_time(clock)).filter(|time| *time > at);
        later_today.chain(at.date().succ_opt().map(midnight)).min()
    }

    /// When what covers a time changed last, likewise.
    fn changed_before(&self, at: NaiveDateTime) -> Option<NaiveDateTime> {
        let (from, to) = self.ends();
        if self.is_of_dates() {
            return from?.0.map(midnight);
        }
        let clocks = [from, to].into_iter().flatten().filter_map(|(_, clock)| clock);
        let today = clocks.map(|clock| at.date().and_time(clock)).filter(|time| *time <= at);
        today.chain([midnight(at.date())]).max()
    }

    /// Whether it goes from date to date whatever day of the week it is.
    fn is_of_dates(&self) -> bool {
        let (from, to) = self.ends();
        let is_date = |end: Option<End>| end.is_some_and(|(date, _)| date.is_some());
        matches!(self, Self::Span(span) if span.days.is_empty()) && (is_date(from) || is_date(to))
    }

    fn ends(&self) -> (Option<End>, Option<End>) {
        let Self::Span(BlackoutSpan { from, to, .. }) = self else { return (None, None) };
        let end = |text: &Option<String>| text.as_deref().map(|text| (date_of(text), clock_of(text)));
        (end(from), end(to))
    }
}

/// An end of a blackout: a date or a time of the day.
type End = (Option<NaiveDate>, Option<NaiveTime>);

fn midnight(date: NaiveDate) -> NaiveDateTime {
    date.and_time(NaiveTime::MIN)
}

/// How many blackouts in a row are passed over before a schedule counts as never due; a day has three at most.
const MAX_PASSED: usize = 5_000;

/// A schedule, ready to be asked.
#[derive(Debug)]
pub struct Schedule<'d> {
    cron: Cron,
    zone: Tz,
    blackout: &'d [Blackout],
}

impl<'d> Schedule<'d> {
    /// Reads a schedule.
    pub fn new(cron: &str, zone: Option<&str>, blackout: &'d [Blackout]) -> Result<Self, ScheduleError> {
        let zone = zone.map_or(Ok(Tz::UTC), parse_zone)?;
        Ok(Self { cron: parse_cron(cron)?, zone, blackout })
    }

    /// The due times after a time, soonest first, without those in a blackout.
    ///
    /// Daylight saving as the cron library has it (croner, "DST handling"): a time that the change of the
    /// clocks skips counts at the first instant after the gap, a time that comes twice counts once; a pattern
    /// with `*` in its time fields follows the clock's real hours.
    pub fn due_after(&self, after: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> {
        let mut after = after.with_timezone(&self.zone);
        std::iter::from_fn(move || {
            after = self.next(after)?;
            Some(after.with_timezone(&Utc))
        })
    }

    fn next(&self, mut from: DateTime<Tz>) -> Option<DateTime<Tz>> {
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

    /// An instant by its local time; the first after a gap.
    fn instant(&self, local: NaiveDateTime) -> Option<DateTime<Tz>> {
        let found = |local: NaiveDateTime| self.zone.from_local_datetime(&local).earliest();
        found(local).or_else(|| found(local + chrono::Duration::hours(1)))
    }

    /// The last due time at or before a time, after another.
    pub fn last_due(&self, after: DateTime<Utc>, until: DateTime<Utc>) -> Option<DateTime<Utc>> {
        // Due times are whole seconds.
        let mut from = until.with_nanosecond(0)?.with_timezone(&self.zone);
        let mut counts = true;
        for _ in 0..MAX_PASSED {
            let at = self.cron.find_previous_occurrence(&from, counts).ok()?;
            if at <= after {
                return None;
            }
            let Some(blackout) = self.covering(&at) else { return Some(at.with_timezone(&Utc)) };
            from = self.instant(blackout.changed_before(at.naive_local())?)?.min(at);
            counts = false;
        }
        None
    }

    fn covering(&self, at: &DateTime<Tz>) -> Option<&Blackout> {
        self.blackout.iter().find(|blackout| blackout.covers(at))
    }
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
    fn a_blackout_says_what_is_wrong_with_it() {
        let fault = |value: Value| serde_json::from_value::<Blackout>(value).unwrap().fault();
        assert_eq!(fault(json!("24 Dec")).as_deref(), Some("\"24 Dec\" is no day; write it as 2026-12-24."));
        assert!(fault(json!({ "from": "2026-12-24", "to": "06:00" })).is_some());
        assert!(fault(json!({})).is_some());
        assert_eq!(fault(json!({ "from": "22:00" })), None);
    }
}
