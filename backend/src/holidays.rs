//! Holidays from iCalendar files (RFC 5545): the whole days that a file names, those that come again among them.

use chrono::{Datelike as _, Days, NaiveDate, TimeZone as _};
use icalendar::{
    CalendarComponent, CalendarDateTime, Component, DatePerhapsTime, Event, EventLike as _, EventStatus,
    parser::{read_calendar, unfold},
    rrule::Tz,
};
use shared_types::workflow::{Span, calendar::MAX_HOLIDAYS};
use std::collections::BTreeSet;

/// For how many years from now on days that come again are taken.
const YEARS_AHEAD: i32 = 6;
/// How many days one entry may last.
const MAX_LENGTH: u64 = 366;
/// How many entries a file may have.
const MAX_ENTRIES: usize = 10_000;
/// How many occurrences of one entry are looked at.
const MAX_OCCURRENCES: u16 = 2_000;

/// The days of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Imported {
    /// The days, soonest first.
    pub(crate) days: BTreeSet<NaiveDate>,
    /// How many entries were left out, since they aren't whole days.
    pub(crate) left_out: usize,
    /// The last day that was looked at: what comes again goes on after it.
    pub(crate) until: NaiveDate,
}

/// Why a file isn't taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadHolidays {
    /// It is no iCalendar file.
    #[error("it isn't an iCalendar file; send a file that begins with BEGIN:VCALENDAR")]
    NotICalendar,
    /// It begins as one, and can't be read.
    #[error(
        "it begins as an iCalendar file and can't be read; a BEGIN has no END, or END:VCALENDAR is missing"
    )]
    Unreadable,
    /// A line, counted from 1, isn't a name and a value.
    #[error("line {0} of it isn't `NAME:value` and doesn't continue the line before: `{1}`")]
    BrokenLine(usize, String),
    /// It has too many entries.
    #[error("it has {0} entries, more than {MAX_ENTRIES}")]
    TooManyEntries(usize),
    /// An entry lasts too long.
    #[error("an entry from {0} on lasts {1} days, more than {MAX_LENGTH}")]
    TooLong(NaiveDate, u64),
    /// It names no whole day.
    #[error("it names no whole day from last year on")]
    NoDays,
    /// It names no whole day, and has entries that aren't of whole days or can't be read.
    #[error(
        "it names no whole day from last year on: {0} of its entries aren't of whole days, or their days can't be read"
    )]
    NoneOfWholeDays(usize),
    /// It names too many days.
    #[error("it names more than {MAX_HOLIDAYS} days; send a file with fewer")]
    TooManyDays,
}

/// Reads the whole days that a file names from the year before `today` on.
///
/// # Errors
/// When it is no such file, names no day or too many.
pub(crate) fn read(text: &str, today: NaiveDate) -> Result<Imported, BadHolidays> {
    let text = text.trim_start_matches('\u{feff}');
    if !text.trim_start().get(..15).is_some_and(|begin| begin.eq_ignore_ascii_case("BEGIN:VCALENDAR")) {
        return Err(BadHolidays::NotICalendar);
    }
    check_lines(text)?;
    let unfolded = with_upper_case_names(&unfold(text.trim_start()));
    let parsed = read_calendars(&unfolded)?;
    let components: Vec<CalendarComponent> =
        parsed.into_iter().flat_map(|calendar| icalendar::Calendar::from(calendar).components).collect();
    let count = components.len();
    if count > MAX_ENTRIES {
        return Err(BadHolidays::TooManyEntries(count));
    }
    let range = years(today);
    let moved = moved(&components);
    let mut imported = Imported { days: BTreeSet::new(), left_out: 0, until: range.1 };
    for event in events(&components) {
        if event.get_status() == Some(EventStatus::Cancelled) {
            continue;
        }
        match days_of(event, &moved, range)? {
            Some(days) => imported.days.extend(days),
            None => imported.left_out += 1,
        }
        if imported.days.len() > MAX_HOLIDAYS {
            return Err(BadHolidays::TooManyDays);
        }
    }
    match (imported.days.is_empty(), imported.left_out) {
        (false, _) => Ok(imported),
        (true, 0) => Err(BadHolidays::NoDays),
        (true, left_out) => Err(BadHolidays::NoneOfWholeDays(left_out)),
    }
}

/// How many characters of a broken line are shown.
const MAX_SHOWN: usize = 60;

/// Each line, with the lines that continue it, is a property's name and its value.
fn check_lines(text: &str) -> Result<(), BadHolidays> {
    let mut lines = text.lines().enumerate().peekable();
    while let Some((n, line)) = lines.next() {
        let mut has_value = line.contains(':');
        while let Some((_, more)) = lines.next_if(|(_, line)| line.starts_with([' ', '\t'])) {
            has_value |= more.contains(':');
        }
        let name = line.split([':', ';']).next().unwrap_or_default();
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        let is_property = has_value && !name.is_empty() && name.chars().all(is_name);
        if !line.trim().is_empty() && !is_property {
            return Err(BadHolidays::BrokenLine(n + 1, line.chars().take(MAX_SHOWN).collect()));
        }
    }
    Ok(())
}

/// The lines of an unfolded file with the names of properties and components in capitals, as the parser compares them.
/// The format itself doesn't tell them apart.
fn with_upper_case_names(unfolded: &str) -> String {
    let mut upper = String::with_capacity(unfolded.len());
    for line in unfolded.lines() {
        let end = line.find([':', ';']).unwrap_or(0);
        let (name, rest) = line.split_at(end);
        let name = name.to_ascii_uppercase();
        let is_component = matches!(name.as_str(), "BEGIN" | "END");
        upper.push_str(&name);
        upper.push_str(&if is_component { rest.to_ascii_uppercase() } else { rest.to_owned() });
        upper.push_str("\r\n");
    }
    upper
}

/// Every calendar of a file; it may have several, one after the other.
fn read_calendars(text: &str) -> Result<Vec<icalendar::parser::Calendar<'_>>, BadHolidays> {
    const END: &str = "END:VCALENDAR";
    let (mut calendars, mut begin) = (Vec::new(), 0);
    while !text[begin..].trim().is_empty() {
        let end = begin + text[begin..].find(END).ok_or(BadHolidays::Unreadable)? + END.len();
        calendars.push(read_calendar(text[begin..end].trim_start()).map_err(|_| BadHolidays::Unreadable)?);
        begin = end;
        if calendars.len() > MAX_ENTRIES {
            return Err(BadHolidays::TooManyEntries(calendars.len()));
        }
    }
    Ok(calendars)
}

/// The first and the last day that count.
fn years(today: NaiveDate) -> (NaiveDate, NaiveDate) {
    let first = NaiveDate::from_ymd_opt(today.year() - 1, 1, 1).unwrap_or(NaiveDate::MIN);
    let last = NaiveDate::from_ymd_opt(today.year() + YEARS_AHEAD, 12, 31).unwrap_or(NaiveDate::MAX);
    (first, last)
}

fn events(components: &[CalendarComponent]) -> impl Iterator<Item = &Event> {
    components.iter().filter_map(|component| {
        let CalendarComponent::Event(event) = component else { return None };
        Some(event)
    })
}

/// The occurrences of entries that come again which an entry of their own cancels or moves: by the entry's id, the day.
fn moved(components: &[CalendarComponent]) -> BTreeSet<(&str, NaiveDate)> {
    let day = |event: &'_ Event| match event.get_recurrence_id()? {
        DatePerhapsTime::Date(day) => Some(day),
        DatePerhapsTime::DateTime(at) => match at {
            CalendarDateTime::Floating(at) => Some(at.date()),
            CalendarDateTime::Utc(at) => Some(at.date_naive()),
            CalendarDateTime::WithTimezone { date_time, .. } => Some(date_time.date()),
        },
    };
    events(components).filter_map(|event| Some((event.get_uid()?, day(event)?))).collect()
}

/// The days of an entry; none for one that isn't of whole days.
fn days_of(
    event: &Event,
    moved: &BTreeSet<(&str, NaiveDate)>,
    (first, last): (NaiveDate, NaiveDate),
) -> Result<Option<Vec<NaiveDate>>, BadHolidays> {
    let Some(DatePerhapsTime::Date(start)) = event.get_start() else { return Ok(None) };
    let Some(length) = length_of(event, start) else { return Ok(None) };
    if length > MAX_LENGTH {
        return Err(BadHolidays::TooLong(start, length));
    }
    let comes_again = ["RRULE", "RDATE"]
        .into_iter()
        .any(|name| event.properties().contains_key(name) || event.multi_properties().contains_key(name));
    let starts = if comes_again {
        let day = |date: NaiveDate| Tz::UTC.from_utc_datetime(&date.and_time(chrono::NaiveTime::MIN));
        let Ok(rules) = event.get_recurrence() else { return Ok(None) };
        // An occurrence that begins before the first day may reach it.
        let from = first.checked_sub_days(Days::new(length)).unwrap_or(first);
        let occurrences = rules.after(day(from)).before(day(last)).all(MAX_OCCURRENCES);
        if occurrences.limited {
            return Err(BadHolidays::TooManyDays);
        }
        occurrences.dates.into_iter().map(|at| at.date_naive()).collect()
    } else {
        vec![start]
    };
    // An entry that moves an occurrence stands for itself.
    let is_own = event.get_recurrence_id().is_some();
    let is_moved =
        |start: &NaiveDate| !is_own && event.get_uid().is_some_and(|id| moved.contains(&(id, *start)));
    let days = starts
        .into_iter()
        .filter(|start| !is_moved(start))
        .flat_map(|start| (0..length).filter_map(move |n| start.checked_add_days(Days::new(n))));
    Ok(Some(days.filter(|day| (first..=last).contains(day)).collect()))
}

/// How many whole days an entry lasts; none for one that ends within a day.
fn length_of(event: &Event, start: NaiveDate) -> Option<u64> {
    const DAY: i64 = 24 * 3600 * 1000;
    match (event.get_end(), event.property_value("DURATION")) {
        // The end is the first day that doesn't belong to it any more.
        (Some(DatePerhapsTime::Date(end)), _) => u64::try_from((end - start).num_days().max(1)).ok(),
        (Some(DatePerhapsTime::DateTime(_)), _) => None,
        (None, Some(duration)) => {
            let millis = duration.parse::<Span>().ok()?.millis();
            (millis > 0 && millis % DAY == 0).then(|| u64::try_from(millis / DAY).ok())?
        }
        (None, None) => Some(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn today() -> NaiveDate {
        "2026-11-27".parse().unwrap()
    }

    fn file(events: &str) -> String {
        format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test\r\n{events}END:VCALENDAR\r\n")
    }

    fn event(lines: &str) -> String {
        format!("BEGIN:VEVENT\r\nUID:1\r\n{lines}SUMMARY:Day\r\nEND:VEVENT\r\n")
    }

    fn days(text: &str) -> Vec<String> {
        read(text, today()).unwrap().days.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn whole_days_are_taken_and_the_end_is_the_day_after() {
        let one = event("DTSTART;VALUE=DATE:20261225\r\n");
        let two = event("DTSTART;VALUE=DATE:20261231\r\nDTEND;VALUE=DATE:20270102\r\n");
        let timed = event("DTSTART:20261224T120000Z\r\nDTEND:20261224T180000Z\r\n");
        let text = file(&format!("{one}{two}{timed}"));
        assert_eq!(days(&text), ["2026-12-25", "2026-12-31", "2027-01-01"]);
        assert_eq!(read(&text, today()).unwrap().left_out, 1);
    }

    #[test]
    fn what_comes_again_each_year_is_taken_for_the_years_ahead() {
        let text = file(&event("DTSTART;VALUE=DATE:20000606\r\nRRULE:FREQ=YEARLY\r\n"));
        let days = days(&text);
        assert_eq!(
            (days.first().unwrap().as_str(), days.last().unwrap().as_str()),
            ("2025-06-06", "2032-06-06")
        );
        assert_eq!(days.len(), 8);
    }

    #[test]
    fn a_length_may_be_written_and_what_is_cancelled_or_moved_does_not_count() {
        let two = event("DTSTART;VALUE=DATE:20261225\r\nDURATION:P2D\r\n");
        assert_eq!(days(&file(&two)), ["2026-12-25", "2026-12-26"]);
        let week = event("DTSTART;VALUE=DATE:20270726\r\nDURATION:P1W\r\n");
        assert_eq!(days(&file(&week)).len(), 7);
        let half = event("DTSTART;VALUE=DATE:20261224\r\nDURATION:PT4H\r\n");
        assert_eq!(read(&file(&format!("{half}{two}")), today()).unwrap().left_out, 1);
        let cancelled = event("DTSTART;VALUE=DATE:20270101\r\nSTATUS:CANCELLED\r\n");
        assert_eq!(days(&file(&format!("{cancelled}{two}"))), ["2026-12-25", "2026-12-26"]);
        let yearly = event(
            "DTSTART;VALUE=DATE:20260606\r\nRRULE:FREQ=YEARLY;COUNT=4\r\nEXDATE;VALUE=DATE:20280606\r\n",
        );
        let gone =
            event("DTSTART;VALUE=DATE:20270606\r\nRECURRENCE-ID;VALUE=DATE:20270606\r\nSTATUS:CANCELLED\r\n");
        let moved = event("DTSTART;VALUE=DATE:20290607\r\nRECURRENCE-ID;VALUE=DATE:20290606\r\n");
        assert_eq!(days(&file(&format!("{yearly}{gone}{moved}"))), ["2026-06-06", "2029-06-07"]);
        let listed = event("DTSTART;VALUE=DATE:20260606\r\nRDATE;VALUE=DATE:20270605,20280604\r\n");
        assert_eq!(days(&file(&listed)), ["2026-06-06", "2027-06-05", "2028-06-04"]);
    }

    #[test]
    fn long_lines_are_folded() {
        let text = file(&event("DTSTART;VALUE=DA\r\n TE:20261225\r\n"));
        assert_eq!(days(&text), ["2026-12-25"]);
    }

    #[test]
    fn names_in_small_letters_are_read() {
        let text = file(&event("dtstart;value=date:20261225\r\nrrule:FREQ=YEARLY;COUNT=2\r\n"));
        assert_eq!(days(&text), ["2026-12-25", "2027-12-25"]);
        let text =
            "begin:vcalendar\nbegin:vevent\nuid:1\ndtstart;value=date:20261225\nend:vevent\nend:vcalendar\n";
        assert_eq!(days(text), ["2026-12-25"]);
    }

    #[test]
    fn a_broken_line_is_named() {
        let christmas = event("DTSTART;VALUE=DATE:20261225\r\n");
        for (line, broken) in
            [("Christmas", "Christmas"), ("DTSTART;VALUE=DATE", "DTSTART;VALUE=DATE"), (":x", ":x")]
        {
            let text = file(&format!("{christmas}\r\n{line}\r\n"));
            assert_eq!(read(&text, today()), Err(BadHolidays::BrokenLine(10, broken.to_owned())), "{line}");
        }
    }

    #[test]
    fn what_is_no_such_file_or_too_much_is_refused() {
        for text in ["", "Hello", "PK\u{3}\u{4}", "{\"a\": 1}"] {
            assert_eq!(read(text, today()), Err(BadHolidays::NotICalendar), "{text}");
        }
        let christmas = event("DTSTART;VALUE=DATE:20261225\r\n");
        for text in ["BEGIN:VCALENDAR", &format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{christmas}")] {
            assert_eq!(read(text, today()), Err(BadHolidays::Unreadable), "{text}");
        }
        let bad = file(&event("DTSTART;VALUE=DATE:20260231\r\n"));
        assert_eq!(read(&bad, today()), Err(BadHolidays::NoneOfWholeDays(1)));
        let two = format!("{}{}", file(&christmas), file(&event("DTSTART;VALUE=DATE:20261226\r\n")));
        assert_eq!(days(&two), ["2026-12-25", "2026-12-26"]);
        assert_eq!(read(&file(""), today()), Err(BadHolidays::NoDays));
        let past = file(&event("DTSTART;VALUE=DATE:20010606\r\n"));
        assert_eq!(read(&past, today()), Err(BadHolidays::NoDays));
        let daily = event("DTSTART;VALUE=DATE:20250101\r\nRRULE:FREQ=DAILY\r\n");
        assert_eq!(read(&file(&daily), today()), Err(BadHolidays::TooManyDays));
        let years = event("DTSTART;VALUE=DATE:20250101\r\nDTEND;VALUE=DATE:20300101\r\n");
        let begin = "2025-01-01".parse().unwrap();
        assert_eq!(read(&file(&years), today()), Err(BadHolidays::TooLong(begin, 1826)));
        let long = event("DTSTART;VALUE=DATE:20250101\r\nDTEND;VALUE=DATE:20260101\r\nRRULE:FREQ=DAILY\r\n");
        assert_eq!(read(&file(&long), today()), Err(BadHolidays::TooManyDays));
        let secondly = event("DTSTART;VALUE=DATE:20250101\r\nRRULE:FREQ=SECONDLY\r\n");
        let read = read(&file(&secondly), today());
        assert!(read.is_err() || read.unwrap().days.len() < 3);
    }
}
