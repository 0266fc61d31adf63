use super::*;
use proptest::prelude::*;

fn quiet(from: &str, until: &str, days: Option<&[&str]>) -> QuietHours {
    QuietHours {
        from: from.into(),
        until: until.into(),
        timezone: "Europe/Stockholm".into(),
        days: days.map(|days| days.iter().map(|day| (*day).to_owned()).collect()),
        urgent: false,
    }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[test]
fn nothing_is_told_until_the_quiet_hours_end_over_midnight_and_days() {
    let nights = Quiet::of(&quiet("22:00", "07:00", None)).unwrap();
    let weekend = Quiet::of(&quiet("00:00", "24:00", Some(&["sat", "sun"]))).unwrap();
    let friday = Quiet::of(&quiet("22:00", "07:00", Some(&["fri"]))).unwrap();
    for (hours, told_at, waits_until) in [
        // Stockholm is an hour ahead of UTC in November.
        (&nights, "2026-11-26T20:59:00Z", None),
        (&nights, "2026-11-26T21:00:00Z", Some("2026-11-27T06:00:00Z")),
        (&nights, "2026-11-27T05:59:59Z", Some("2026-11-27T06:00:00Z")),
        (&nights, "2026-11-27T06:00:00Z", None),
        (&weekend, "2026-11-27T22:59:00Z", None),
        (&weekend, "2026-11-28T12:00:00Z", Some("2026-11-29T23:00:00Z")),
        (&friday, "2026-11-28T05:00:00Z", Some("2026-11-28T06:00:00Z")),
        (&friday, "2026-11-28T22:00:00Z", None),
        // The clock is set back on 25 October, and forward on 29 March.
        (&nights, "2026-10-24T21:00:00Z", Some("2026-10-25T06:00:00Z")),
        (&nights, "2026-03-28T22:00:00Z", Some("2026-03-29T05:00:00Z")),
    ] {
        assert_eq!(hours.holds_until(at(told_at), None), waits_until.map(at), "{told_at}");
    }
}

#[test]
fn what_is_urgent_comes_through_where_that_is_wanted() {
    let told_at = at("2026-11-26T23:00:00Z");
    let mut written = quiet("22:00", "07:00", None);
    let urgent = |hours| Some(told_at + Duration::hours(hours));
    assert_eq!(
        Quiet::of(&written).unwrap().holds_until(told_at, urgent(-1)),
        Some(at("2026-11-27T06:00:00Z"))
    );
    written.urgent = true;
    let lets_through = Quiet::of(&written).unwrap();
    assert_eq!(lets_through.holds_until(told_at, urgent(-1)), None);
    assert_eq!(lets_through.holds_until(told_at, urgent(2)), urgent(2), "it comes to be urgent meanwhile");
    assert_eq!(lets_through.holds_until(told_at, urgent(20)), Some(at("2026-11-27T06:00:00Z")));
    assert_eq!(lets_through.holds_until(told_at, None), Some(at("2026-11-27T06:00:00Z")));
}

#[test]
fn quiet_hours_that_make_no_sense_are_refused_by_field() {
    let mut other_zone = quiet("22:00", "07:00", None);
    other_zone.timezone = "Europe/Stokholm".into();
    for (written, says) in [
        (quiet("22", "07:00", None), "`quiet_hours.from`: \"22\" is no time of the day"),
        (quiet("22:00", "25:00", None), "`quiet_hours.until`: \"25:00\" is no time"),
        (quiet("-1:00", "+7:00", None), "`quiet_hours.from`"),
        (other_zone, "`quiet_hours.timezone`: \"Europe/Stokholm\" is no time zone"),
        (quiet("22:00", "07:00", Some(&["monday"])), "`quiet_hours.days`: \"monday\" is no day"),
        (quiet("22:00", "07:00", Some(&[])), "name at least one day"),
        (quiet("07:00", "07:00", None), "they never end"),
        (quiet("07:00", "07:00", Some(&["mon"])), "they never end"),
        (quiet("00:00", "24:00", None), "they never end"),
    ] {
        let fault = Quiet::of(&written).unwrap_err().to_string();
        assert!(fault.contains(says), "{fault}");
    }
}

#[test]
fn a_request_is_urgent_near_its_deadline_and_once_it_is_escalated() {
    let deadline = at("2026-11-26T12:00:00Z");
    assert_eq!(urgent_from(Some(deadline), false), Some(at("2026-11-26T10:00:00Z")));
    assert!(urgent_from(None, true).is_some_and(|from| from < deadline));
    assert_eq!(urgent_from(None, false), None);
    let takes = |preference: MessagePreference| (preference.takes(true), preference.takes(false));
    assert_eq!(takes(MessagePreference::All), (true, true));
    assert_eq!(takes(MessagePreference::Urgent), (true, false));
    assert_eq!(takes(MessagePreference::None), (false, false));
}

proptest! {
    #[test]
    fn what_waits_is_told_once_they_end(from in 0..1440_u16, until in 0..=1440_u16, days in 1..128_u8, minute in 0..20_000_i64) {
        let named: Vec<&str> = (0..7).filter(|n| days & (1 << n) != 0).map(|n| DAYS[n]).collect();
        let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        let Ok(hours) = Quiet::of(&quiet(&clock(from), &clock(until), Some(&named))) else { return Ok(()) };
        let told_at = at("2026-11-23T00:00:00Z") + Duration::minutes(minute);
        if let Some(ends) = hours.holds_until(told_at, None) {
            prop_assert!(ends > told_at && ends <= told_at + Duration::days(7));
            prop_assert_eq!(hours.holds_until(ends, None), None);
            prop_assert_eq!(hours.holds_until(ends - Duration::seconds(1), None), Some(ends));
        }
    }
}
