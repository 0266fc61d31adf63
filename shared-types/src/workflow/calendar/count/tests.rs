use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::{Arc, LazyLock, Mutex};

fn working_time(calendar: Value) -> WorkingTime {
    WorkingTime::of(&serde_json::from_value(calendar).unwrap()).unwrap()
}

/// Monday to Friday with a break at noon, in Stockholm; Christmas Eve is half a day.
fn business_hours() -> WorkingTime {
    let day = ["09:00-12:00", "13:00-17:00"];
    working_time(json!({
        "name": "business_hours", "timezone": "Europe/Stockholm",
        "hours": { "mon": day, "tue": day, "wed": day, "thu": day, "fri": day },
        "holidays": [{ "date": "2026-12-24", "hours": ["09:00-12:00"] }, "2026-12-25"],
    }))
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn due(from: &str, span: &str) -> String {
    let local = business_hours().due(at(from), &span.parse().unwrap()).unwrap();
    local.with_timezone(&chrono_tz::Europe::Stockholm).format("%a %d %b %H:%M").to_string()
}

#[test]
fn hours_run_while_it_is_open_and_days_are_working_days_at_the_same_wall_time() {
    // In November Stockholm is one hour ahead of UTC. The 27th is a Friday.
    for (from, span, expected) in [
        ("2026-11-27T10:00:00Z", "1h", "Fri 27 Nov 12:00"),
        ("2026-11-27T10:00:00Z", "2h", "Fri 27 Nov 14:00"),
        ("2026-11-27T10:00:00Z", "8h", "Mon 30 Nov 12:00"),
        ("2026-11-27T10:00:00Z", "1d", "Mon 30 Nov 11:00"),
        ("2026-11-27T10:00:00Z", "1d4h", "Mon 30 Nov 16:00"),
        ("2026-11-27T10:00:00Z", "1w", "Fri 04 Dec 11:00"),
        ("2026-11-27T10:00:00Z", "P7D", "Tue 08 Dec 11:00"),
        ("2026-11-27T10:00:00Z", "30s", "Fri 27 Nov 11:00"),
        // A start while it is closed counts from the next opening: at noon, at night, on Saturday.
        ("2026-11-27T11:00:00Z", "1h", "Fri 27 Nov 14:00"),
        ("2026-11-27T16:00:00Z", "1h", "Mon 30 Nov 10:00"),
        ("2026-11-28T10:00:00Z", "1d", "Tue 01 Dec 09:00"),
        // Half a day, a holiday and a weekend.
        ("2026-12-23T15:00:00Z", "1d", "Mon 28 Dec 09:00"),
        ("2026-12-24T08:00:00Z", "3h", "Thu 24 Dec 12:00"),
        ("2026-12-24T08:00:00Z", "4h", "Mon 28 Dec 10:00"),
        ("2026-12-23T09:00:00Z", "2d", "Mon 28 Dec 10:00"),
    ] {
        assert_eq!(due(from, span), expected, "{span} from {from}");
    }
}

#[test]
fn a_span_of_nothing_is_over_at_the_next_opening() {
    assert_eq!(due("2026-11-27T10:00:00Z", "0s"), "Fri 27 Nov 11:00");
    assert_eq!(due("2026-11-28T10:00:00Z", "0s"), "Mon 30 Nov 09:00");
}

#[test]
fn the_open_time_between_two_times_is_what_is_left() {
    let hours = business_hours();
    let open = |from, to| hours.open_between(at(from), at(to)).num_minutes();
    assert_eq!(open("2026-11-27T10:00:00Z", "2026-11-27T13:30:00Z"), 150);
    assert_eq!(open("2026-11-27T10:00:00Z", "2026-11-30T08:30:00Z"), 330);
    assert_eq!(open("2026-11-28T10:00:00Z", "2026-11-29T08:30:00Z"), 0);
    assert_eq!(open("2026-11-29T10:00:00Z", "2026-11-28T08:30:00Z"), 0);
}

#[test]
fn what_comes_again_comes_in_open_hours() {
    let hours = business_hours();
    let every: Span = "3h".parse().unwrap();
    let times: Vec<String> = hours
        .repeated(at("2026-11-27T10:00:00Z"), &every)
        .take(3)
        .map(|time| time.with_timezone(&hours.zone()).format("%a %H:%M").to_string())
        .collect();
    assert_eq!(times, ["Fri 15:00", "Mon 10:00", "Mon 14:00"]);
    assert_eq!(hours.repeated(at("2026-11-27T10:00:00Z"), &"0s".parse().unwrap()).count(), 0);
}

#[test]
fn a_fault_names_its_place_and_what_to_write() {
    let open = json!({ "mon": ["09:00-17:00"] });
    for (change, pointer, says) in [
        (json!({ "name": "Büro" }), "/name", "small letters"),
        (json!({ "timezone": "Stockholm" }), "/timezone", "IANA name"),
        (json!({ "hours": {} }), "/hours", "no open hour"),
        (json!({ "hours": { "mon": [] } }), "/hours", "no open hour"),
        (json!({ "hours": { "monday": ["09:00-17:00"] } }), "/hours/monday", "write mon"),
        (json!({ "hours": { "mon": ["9-17"] } }), "/hours/mon/0", "two times"),
        (json!({ "hours": { "mon": ["09:00-13:00", "12:00-17:00"] } }), "/hours/mon/1", "overlaps"),
        (json!({ "holidays": ["24 December"] }), "/holidays/0", "no day"),
        (json!({ "holidays": ["2026-02-30"] }), "/holidays/0", "no day"),
        (json!({ "holidays": ["2026-12-24", "2026-12-24"] }), "/holidays/1", "twice"),
        (
            json!({ "holidays": [{ "date": "2026-12-24", "hours": ["12:00-09:00"] }] }),
            "/holidays/0/hours/0",
            "ends before",
        ),
    ] {
        let mut calendar = json!({ "name": "office", "timezone": "Europe/Stockholm", "hours": open });
        for (key, value) in change.as_object().unwrap() {
            calendar[key] = value.clone();
        }
        let faults = WorkingTime::of(&serde_json::from_value(calendar).unwrap()).unwrap_err();
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!(faults[0].pointer, pointer);
        assert!(faults[0].message.contains(says), "{pointer}: {}", faults[0].message);
    }
}

/// How many minutes a second reading looks at, from two days before a start on.
const MINUTES: i64 = 40 * 1440;

/// What the clock of a zone shows in the minutes around a day: the date, and the minute of the day.
type Shown = Vec<(NaiveDate, u16)>;

/// Reads the clock of a zone, once for each zone and day.
fn shown(zone: Tz, start: DateTime<Utc>) -> Arc<Shown> {
    type Known = BTreeMap<(&'static str, DateTime<Utc>), Arc<Shown>>;
    static SHOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
    let mut known = SHOWN.lock().unwrap();
    let read = || {
        let minutes = (0..MINUTES).map(|n| {
            let local = (start + Duration::minutes(n)).with_timezone(&zone).naive_local();
            (local.date(), u16::try_from(local.hour() * 60 + local.minute()).unwrap())
        });
        Arc::new(minutes.collect())
    };
    Arc::clone(known.entry((zone.name(), start)).or_insert_with(read))
}

/// A second reading that shares no code with the counter: it walks minute by minute over what the clock on the wall shows.
struct MinuteCounter<'c> {
    calendar: &'c Value,
    shown: Arc<Shown>,
    /// The minutes at which the clock shows a time that it hasn't shown before.
    advances: Vec<usize>,
    start: DateTime<Utc>,
}

impl<'c> MinuteCounter<'c> {
    fn new(calendar: &'c Value, start: DateTime<Utc>) -> Self {
        let zone: Tz = calendar["timezone"].as_str().unwrap().parse().unwrap();
        let shown = shown(zone, start);
        let mut latest = None;
        let advances = (0..shown.len()).filter(|n| {
            let is_first = latest.is_none_or(|latest| shown[*n] > latest);
            latest = latest.max(Some(shown[*n]));
            is_first
        });
        let advances = advances.collect();
        Self { calendar, shown, advances, start }
    }

    fn hours(&self, date: NaiveDate) -> Vec<(u16, u16)> {
        let text = date.to_string();
        let list = |value: &Value| -> Vec<(u16, u16)> {
            let minutes = |text: &str| {
                let (hour, minute) = text.split_once(':').unwrap();
                hour.parse::<u16>().unwrap() * 60 + minute.parse::<u16>().unwrap()
            };
            let spans = value.as_array().cloned().unwrap_or_default();
            spans
                .iter()
                .map(|span| {
                    let (from, to) = span.as_str().unwrap().split_once('-').unwrap();
                    (minutes(from), minutes(to))
                })
                .collect()
        };
        for holiday in self.calendar["holidays"].as_array().unwrap() {
            if holiday == text.as_str() {
                return Vec::new();
            }
            if holiday["date"] == text.as_str() {
                return list(&holiday["hours"]);
            }
        }
        list(&self.calendar["hours"][date.format("%a").to_string().to_lowercase()])
    }

    /// The first minute at which the clock shows this wall time or a later one.
    fn first(&self, date: NaiveDate, minute: u16) -> usize {
        let wall = if minute == 1440 { (date.succ_opt().unwrap(), 0) } else { (date, minute) };
        let at = self.advances.partition_point(|n| self.shown[*n] < wall);
        self.advances.get(at).copied().unwrap_or(self.shown.len())
    }

    /// For each minute, whether it is open.
    fn open(&self) -> Vec<bool> {
        let mut open = vec![false; self.shown.len()];
        let (mut date, last) = (self.shown[0].0, self.shown[self.shown.len() - 1].0);
        while date <= last {
            for (from, to) in self.hours(date) {
                let (from, to) = (self.first(date, from), self.first(date, to));
                for minute in open.iter_mut().take(to).skip(from) {
                    *minute = true;
                }
            }
            date = date.succ_opt().unwrap();
        }
        open
    }

    fn due(&self, open: &[bool], from: usize, days: u32, minutes: u32) -> Option<DateTime<Utc>> {
        let next_open = |n: usize| (n..open.len()).find(|n| open[*n]);
        let mut at = next_open(from)?;
        if days > 0 {
            let (mut date, minute) = self.shown[at];
            let mut left = days;
            while left > 0 {
                date = date.succ_opt().unwrap();
                if !self.hours(date).is_empty() {
                    left -= 1;
                }
            }
            let same = self.first(date, minute);
            if same >= open.len() {
                return None;
            }
            at = next_open(same)?;
        }
        let mut left = minutes;
        while left > 0 {
            if at >= open.len() {
                return None;
            }
            left -= u32::from(open[at]);
            at += 1;
        }
        Some(self.start + Duration::minutes(i64::try_from(at).unwrap()))
    }
}

fn spans() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::btree_set(0_u16..=96, 0..5).prop_map(|ends| {
        let ends: Vec<u16> = ends.into_iter().map(|quarter| quarter * 15).collect();
        let text = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        ends.chunks_exact(2).map(|pair| format!("{}-{}", text(pair[0]), text(pair[1]))).collect()
    })
}

/// A calendar whose zone changes its clock near the start, and the start.
fn calendars() -> impl Strategy<Value = (Value, DateTime<Utc>)> {
    // Both directions, north and south, east and west, by one hour and by half an hour, at midnight, and a leap day.
    let places = [
        ("Europe/Stockholm", "2026-03-27"),
        ("Europe/Stockholm", "2026-10-23"),
        ("America/New_York", "2026-03-06"),
        ("America/New_York", "2026-10-30"),
        ("Australia/Lord_Howe", "2026-04-03"),
        ("Australia/Lord_Howe", "2026-10-02"),
        ("America/Santiago", "2026-04-03"),
        ("America/Santiago", "2026-09-04"),
        ("Pacific/Auckland", "2028-02-26"),
        ("Asia/Kathmandu", "2028-02-27"),
        ("Pacific/Apia", "2011-12-28"),
        ("UTC", "2026-12-23"),
    ];
    let days = proptest::collection::vec(spans(), 7);
    let holidays = proptest::collection::btree_map(0_u64..12, proptest::option::of(spans()), 0..5);
    (proptest::sample::select(places.to_vec()), days, holidays, 0_i64..2880).prop_map(
        |((zone, date), days, holidays, minute)| {
            let date: NaiveDate = date.parse().unwrap();
            let hours: serde_json::Map<String, Value> =
                DAYS.iter().zip(days).map(|(day, spans)| ((*day).to_owned(), json!(spans))).collect();
            let holidays: Vec<Value> = holidays
                .into_iter()
                .map(|(n, spans)| {
                    let date = date.checked_add_days(Days::new(n)).unwrap().to_string();
                    spans.map_or(json!(date), |spans| json!({ "date": date, "hours": spans }))
                })
                .collect();
            let calendar = json!({ "name": "any", "timezone": zone, "hours": hours, "holidays": holidays });
            let start = date.and_time(NaiveTime::MIN).and_utc() + Duration::minutes(minute);
            (calendar, start)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_count_agrees_with_counting_minute_by_minute(
        (calendar, start) in calendars(), days in 0_u32..5, minutes in 0_u32..900,
    ) {
        let parsed = WorkingTime::of(&serde_json::from_value(calendar.clone()).unwrap());
        prop_assume!(parsed.is_ok());
        let working_time = parsed.unwrap();
        // The minutes from two days before the day on, so that the first of two equal wall times is known.
        let first = start.date_naive().and_time(NaiveTime::MIN).and_utc() - Duration::days(4);
        let counter = MinuteCounter::new(&calendar, first);
        let open = counter.open();
        let from = usize::try_from((start - first).num_minutes()).unwrap();
        let span: Span = format!("{days}d{minutes}m").parse().unwrap();
        if let Some(expected) = counter.due(&open, from, days, minutes) {
            prop_assert_eq!(working_time.due(start, &span), Some(expected), "{} from {}", span, start);
        }
        for n in (5_000..open.len()).step_by(977) {
            let at = first + Duration::minutes(i64::try_from(n).unwrap());
            prop_assert_eq!(working_time.is_open(at), open[n], "open at {}", at);
        }
    }
}
