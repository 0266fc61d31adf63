//! Counting in a calendar: when a span of working time is over, and how much of it is left.

use super::{Calendar, CalendarFault, DAYS, Holiday, MAX_HOLIDAYS, MAX_SPANS, OpenHours, name_fault};
use crate::workflow::{Span, schedule::parse_zone};
use chrono::{
    DateTime, Datelike as _, Days, Duration, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _,
    Timelike as _, Utc,
};
use chrono_tz::Tz;
use std::collections::BTreeMap;

/// How many days are looked at before a count is given up: more than the longest span takes in any calendar in use.
const MAX_DAYS: u32 = 400 * 366;

/// A calendar that was read and found sound.
///
/// Open hours are half-open: nine to twelve holds 9:00 and doesn't hold 12:00. A wall time that the clock skips is the end
/// of the gap; one that it shows twice is the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkingTime {
    zone: Tz,
    /// By day of the week, Monday first; in order, without overlap.
    week: [Vec<OpenHours>; 7],
    /// The days that differ from the week.
    special: BTreeMap<NaiveDate, Vec<OpenHours>>,
}

impl WorkingTime {
    /// Reads a calendar.
    ///
    /// # Errors
    /// Everything that is wrong with it: its name, its zone, hours that can't be read or overlap, days that don't exist, or
    /// no open hour in the week at all.
    pub fn of(calendar: &Calendar) -> Result<Self, Vec<CalendarFault>> {
        let mut faults = Vec::new();
        if let Some(fault) = name_fault(&calendar.name) {
            faults.push(CalendarFault::new("/name", format!("\"{}\": {fault}.", calendar.name)));
        }
        let zone = parse_zone(&calendar.timezone).unwrap_or_else(|error| {
            faults.push(CalendarFault::new("/timezone", format!("{error}.")));
            Tz::UTC
        });
        let mut week: [Vec<OpenHours>; 7] = Default::default();
        for (day, texts) in &calendar.hours {
            match DAYS.iter().position(|known| known == day) {
                Some(n) => week[n] = read_hours(texts, &format!("/hours/{day}"), &mut faults),
                None => faults.push(CalendarFault::new(
                    format!("/hours/{day}"),
                    format!("\"{day}\" is no day; write mon, tue, wed, thu, fri, sat or sun."),
                )),
            }
        }
        if faults.is_empty() && week.iter().all(Vec::is_empty) {
            let message =
                "The calendar has no open hour, so no deadline could ever come. Open at least one day.";
            faults.push(CalendarFault::new("/hours", message));
        }
        let special = read_holidays(&calendar.holidays, &mut faults);
        if faults.is_empty() { Ok(Self { zone, week, special }) } else { Err(faults) }
    }

    /// When a span is over that begins at a time: its days first, then its hours, minutes and seconds.
    ///
    /// Days are working days: the same wall time so many working days later, and where that isn't open, the next opening. A
    /// week is five. Hours run while it is open. A start while it is closed is the next opening; a count that ends at
    /// closing time is over then. None where that would be later than time is counted.
    pub fn due(&self, from: DateTime<Utc>, span: &Span) -> Option<DateTime<Utc>> {
        let mut at = self.opening_from(from)?;
        let days = span.working_days();
        if days > 0 {
            at = self.opening_from(self.days_later(at, days)?)?;
        }
        self.hours_later(at, span.within_day())
    }

    /// The times of something that comes again each span, soonest first. One that is due while it is closed, as at closing
    /// time, waits for the opening.
    pub fn repeated<'a>(
        &'a self,
        from: DateTime<Utc>,
        span: &'a Span,
    ) -> impl Iterator<Item = DateTime<Utc>> + 'a {
        let mut at = from;
        std::iter::from_fn(move || {
            let due = self.due(at, span)?;
            let next = self.opening_from(due).filter(|next| *next > at)?;
            at = next;
            Some(next)
        })
    }

    /// How much open time lies between two times.
    pub fn open_between(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Duration {
        let mut sum = Duration::zero();
        for (opens, closes) in self.openings(from) {
            if opens >= to {
                break;
            }
            sum += closes.min(to) - opens.max(from);
        }
        sum
    }

    /// Whether it is open at a time.
    pub fn is_open(&self, at: DateTime<Utc>) -> bool {
        self.opening_from(at) == Some(at)
    }

    /// Until when it is open without a break, from a time on; none where it is closed then.
    pub fn open_until(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut openings = self.openings(at);
        let (opens, mut until) = openings.next()?;
        if opens > at {
            return None;
        }
        for (opens, closes) in openings {
            if opens > until {
                break;
            }
            until = until.max(closes);
        }
        Some(until)
    }

    /// The zone that the hours are meant in.
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// The time itself where it is open, else the next opening; none where that would be later than time is counted.
    pub fn opening_from(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.openings(at).next().map(|(opens, _)| opens.max(at))
    }

    /// The same wall time so many working days later.
    fn days_later(&self, at: DateTime<Utc>, days: u32) -> Option<DateTime<Utc>> {
        let local = at.with_timezone(&self.zone).naive_local();
        let mut date = local.date();
        let mut left = days;
        for _ in 0..MAX_DAYS {
            if left == 0 {
                return self.instant(date.and_time(local.time()));
            }
            date = date.succ_opt()?;
            left -= u32::from(!self.hours_of(date).is_empty());
        }
        None
    }

    fn hours_later(&self, at: DateTime<Utc>, span: Duration) -> Option<DateTime<Utc>> {
        let mut left = span;
        if left <= Duration::zero() {
            return Some(at);
        }
        for (opens, closes) in self.openings(at) {
            let opens = opens.max(at);
            let open = closes - opens;
            if left <= open {
                return Some(opens + left);
            }
            left -= open;
        }
        None
    }

    /// The spans in which it is open, from the one that holds a time, or the first after it.
    fn openings(&self, from: DateTime<Utc>) -> impl Iterator<Item = (DateTime<Utc>, DateTime<Utc>)> + '_ {
        let first = from.with_timezone(&self.zone).date_naive();
        // A clock that is set back over midnight shows the day before once more.
        let first = first.pred_opt().unwrap_or(first);
        let days = (0..MAX_DAYS).map_while(move |n| first.checked_add_days(Days::new(u64::from(n))));
        days.flat_map(move |date| {
            self.hours_of(date).iter().filter_map(move |hours| {
                let opens = self.instant(wall(date, hours.from())?)?;
                let closes = self.instant(wall(date, hours.to())?)?;
                Some((opens, closes))
            })
        })
        .filter(move |(opens, closes)| opens < closes && *closes > from)
    }

    fn hours_of(&self, date: NaiveDate) -> &[OpenHours] {
        match self.special.get(&date) {
            Some(hours) => hours,
            None => &self.week[date.weekday().num_days_from_monday() as usize],
        }
    }

    /// The instant of a wall time.
    fn instant(&self, wall: NaiveDateTime) -> Option<DateTime<Utc>> {
        match self.zone.from_local_datetime(&wall) {
            LocalResult::Single(at) => Some(at.with_timezone(&Utc)),
            LocalResult::Ambiguous(a, b) => Some(a.min(b).with_timezone(&Utc)),
            LocalResult::None => self.end_of_gap(wall),
        }
    }

    /// The first instant after the hours that the clock skips; a gap ends at a whole minute.
    fn end_of_gap(&self, wall: NaiveDateTime) -> Option<DateTime<Utc>> {
        let minute = wall.with_second(0)?.with_nanosecond(0)?;
        (1..=26 * 60).find_map(|n| {
            let later = minute.checked_add_signed(Duration::minutes(n))?;
            self.zone.from_local_datetime(&later).earliest().map(|at| at.with_timezone(&Utc))
        })
    }
}

fn wall(date: NaiveDate, minute: u16) -> Option<NaiveDateTime> {
    if minute == 24 * 60 {
        return Some(date.succ_opt()?.and_time(NaiveTime::MIN));
    }
    date.and_hms_opt(u32::from(minute / 60), u32::from(minute % 60), 0)
}

fn read_hours(texts: &[String], at: &str, faults: &mut Vec<CalendarFault>) -> Vec<OpenHours> {
    if texts.len() > MAX_SPANS {
        let message = format!("A day has at most {MAX_SPANS} spans of open hours.");
        faults.push(CalendarFault::new(at, message));
        return Vec::new();
    }
    let mut hours: Vec<(OpenHours, usize)> = Vec::new();
    for (n, text) in texts.iter().enumerate() {
        match text.parse::<OpenHours>() {
            Ok(span) => hours.push((span, n)),
            Err(error) => faults.push(CalendarFault::new(format!("{at}/{n}"), format!("{error}."))),
        }
    }
    hours.sort();
    for pair in hours.windows(2) {
        let ((before, _), (after, n)) = (pair[0], pair[1]);
        if before.to() > after.from() {
            let message = format!("{after} overlaps {before}; write them as one, or apart.");
            faults.push(CalendarFault::new(format!("{at}/{n}"), message));
        }
    }
    hours.into_iter().map(|(span, _)| span).collect()
}

fn read_holidays(
    holidays: &[Holiday],
    faults: &mut Vec<CalendarFault>,
) -> BTreeMap<NaiveDate, Vec<OpenHours>> {
    let mut special = BTreeMap::new();
    if holidays.len() > MAX_HOLIDAYS {
        let message =
            format!("A calendar has at most {MAX_HOLIDAYS} holidays; these are {}.", holidays.len());
        faults.push(CalendarFault::new("/holidays", message));
        return special;
    }
    for (n, holiday) in holidays.iter().enumerate() {
        let at = format!("/holidays/{n}");
        let hours = match holiday {
            Holiday::Closed(_) => Vec::new(),
            Holiday::Hours { hours, .. } => read_hours(hours, &format!("{at}/hours"), faults),
        };
        let Ok(date) = NaiveDate::parse_from_str(holiday.date(), "%Y-%m-%d") else {
            let shown: String = holiday.date().chars().take(40).collect();
            faults.push(CalendarFault::new(
                at,
                format!("\"{shown}\" is no day; write one such as 2026-12-25."),
            ));
            continue;
        };
        if special.insert(date, hours).is_some() {
            faults.push(CalendarFault::new(at, format!("{date} is there twice; keep one of the two.")));
        }
    }
    special
}

#[cfg(test)]
mod tests;
