//! A schedule in words.

use super::parse_cron;
use croner::Cron;

/// When a schedule is due, in words: `at 02:30 every day, Stockholm time`. A text that can't be followed stays as it is.
pub fn in_words(cron: &str, zone: Option<&str>) -> String {
    let said = parse_cron(cron).map_or_else(|_| cron.to_owned(), |parsed| said(&parsed));
    match zone {
        Some(zone) => format!("{said}, {} time", place_of(zone)),
        None => format!("{said}, UTC"),
    }
}

/// The library's words, a little shorter.
fn said(cron: &Cron) -> String {
    let said = cron.describe();
    let mut said = said
        .trim_end_matches('.')
        .replace("Monday, Tuesday, Wednesday, Thursday, and Friday", "Monday to Friday")
        .replace("At every ", "Every ")
        .replace("At minute 0 past every hour", "Every full hour");
    // A time of day alone, which the library leaves so.
    let is_time = |text: &str| text.len() == 5 && text.as_bytes()[2] == b':';
    if said.strip_prefix("At ").is_some_and(is_time) {
        said.push_str(" every day");
    }
    said
}

/// What people call a zone: `Europe/Stockholm` is `Stockholm`.
fn place_of(zone: &str) -> String {
    zone.rsplit('/').next().unwrap_or(zone).replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_said_in_words() {
        for (cron, zone, says) in [
            ("30 2 * * *", Some("Europe/Stockholm"), "At 02:30 every day, Stockholm time"),
            ("0 9 * * MON-FRI", Some("America/New_York"), "At 09:00, on Monday to Friday, New York time"),
            ("*/15 * * * *", None, "Every 15 minutes, UTC"),
            ("0 * * * *", None, "Every full hour, UTC"),
            ("0 6 L * *", None, "At 06:00, on the last day of the month, UTC"),
            ("15 8 * * 1,4", None, "At 08:15, on Monday and Thursday, UTC"),
            ("whenever", None, "whenever, UTC"),
        ] {
            assert_eq!(in_words(cron, zone), says);
        }
    }
}
