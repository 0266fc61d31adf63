//! Times in which a schedule starts nothing.

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, Weekday};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

    /// The first day of one that goes from a date on.
    pub(in crate::workflow) fn first_day(&self) -> Option<NaiveDate> {
        match self {
            Self::Day(_) => None,
            Self::Span(span) => date_of(span.from.as_deref()?),
        }
    }

    /// Whether a time falls into it.
    pub(super) fn covers(&self, at: &DateTime<Tz>) -> bool {
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
    pub(super) fn changes_after(&self, at: NaiveDateTime) -> Option<NaiveDateTime> {
        let (from, to) = self.ends();
        if self.is_of_dates() {
            return to?.0.and_then(|to| to.succ_opt()).map(midnight);
        }
        let clocks = [from, to].into_iter().flatten().filter_map(|(_, clock)| clock);
        let later_today = clocks.map(|clock| at.date().and_time(clock)).filter(|time| *time > at);
        later_today.chain(at.date().succ_opt().map(midnight)).min()
    }

    /// When what covers a time changed last, likewise.
    pub(super) fn changed_before(&self, at: NaiveDateTime) -> Option<NaiveDateTime> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn a_blackout_says_what_is_wrong_with_it() {
        let fault = |value: Value| serde_json::from_value::<Blackout>(value).unwrap().fault();
        assert_eq!(fault(json!("24 Dec")).as_deref(), Some("\"24 Dec\" is no day; write it as 2026-12-24."));
        assert!(fault(json!({ "from": "2026-12-24", "to": "06:00" })).is_some());
        assert!(fault(json!({})).is_some());
        assert_eq!(fault(json!({ "from": "22:00" })), None);
    }
}
