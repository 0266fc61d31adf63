//! Spans of time as people write them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt, str::FromStr};

/// A span of time, kept as it was written: `90s`, `15m`, `24h`, `7d`, `1h30m`, or ISO 8601 (`PT1H30M`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    text: String,
    parts: Parts,
}

/// What a span is made of. A calendar counts its days as working days, and the rest in open hours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Parts {
    weeks: i64,
    days: i64,
    /// Hours, minutes and seconds together, in milliseconds.
    within_day: i64,
}

impl Parts {
    /// So many of a unit; none where that is no number.
    fn of(unit: &str, count: i64) -> Option<Self> {
        let clock = |millis: i64| Some(Self { within_day: count.checked_mul(millis)?, ..Self::default() });
        match unit {
            "ms" => clock(1),
            "s" => clock(1000),
            "m" => clock(60_000),
            "h" => clock(3_600_000),
            "d" => Some(Self { days: count, ..Self::default() }),
            "w" => Some(Self { weeks: count, ..Self::default() }),
            _ => None,
        }
    }

    fn plus(self, other: Self) -> Option<Self> {
        Some(Self {
            weeks: self.weeks.checked_add(other.weeks)?,
            days: self.days.checked_add(other.days)?,
            within_day: self.within_day.checked_add(other.within_day)?,
        })
    }

    /// In plain time.
    fn millis(self) -> Option<i64> {
        let days = self.weeks.checked_mul(7)?.checked_add(self.days)?;
        days.checked_mul(86_400_000)?.checked_add(self.within_day)
    }
}

/// Why a text is no span of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no duration; write 90s, 15m, 24h, 7d, 1h30m or ISO 8601 such as PT1H30M")]
pub struct NotASpan(pub String);

/// The longest span: a hundred years, so that a time plus a span always exists.
const MAX_MILLIS: i64 = 100 * 366 * 24 * 3600 * 1000;

impl Span {
    /// The span as chrono counts it.
    pub fn duration(&self) -> chrono::Duration {
        chrono::Duration::milliseconds(self.millis())
    }

    /// The span in milliseconds of plain time.
    pub fn millis(&self) -> i64 {
        self.parts.millis().unwrap_or(MAX_MILLIS)
    }

    /// How many working days a calendar counts of it: its days, and five for each week.
    pub fn working_days(&self) -> u32 {
        u32::try_from(self.parts.weeks * 5 + self.parts.days).unwrap_or(u32::MAX)
    }

    /// Its hours, minutes and seconds, which a calendar counts in open hours.
    pub fn within_day(&self) -> chrono::Duration {
        chrono::Duration::milliseconds(self.parts.within_day)
    }
}

impl FromStr for Span {
    type Err = NotASpan;

    fn from_str(text: &str) -> Result<Self, NotASpan> {
        let trimmed = text.trim();
        let parts = if let Some(iso) = trimmed.strip_prefix('P') {
            parse_iso(iso)
        } else {
            sum_parts(trimmed, Parts::of)
        };
        parts
            .filter(|parts| parts.millis().is_some_and(|millis| (0..=MAX_MILLIS).contains(&millis)))
            .map(|parts| Self { text: trimmed.to_owned(), parts })
            .ok_or_else(|| NotASpan(text.to_owned()))
    }
}

/// The part of ISO 8601 behind the `P`; years and months have no fixed length and are refused.
fn parse_iso(text: &str) -> Option<Parts> {
    let (days, time) = text.split_once('T').map_or((text, None), |(days, time)| (days, Some(time)));
    let of_days = |unit: &str, count: i64| match unit {
        "D" => Parts::of("d", count),
        "W" => Parts::of("w", count),
        _ => None,
    };
    let of_time = |unit: &str, count: i64| match unit {
        "S" => Parts::of("s", count),
        "M" => Parts::of("m", count),
        "H" => Parts::of("h", count),
        _ => None,
    };
    let days = if days.is_empty() { time.is_some().then(Parts::default) } else { sum_parts(days, of_days) }?;
    let time = time.map_or(Some(Parts::default()), |time| sum_parts(time, of_time))?;
    days.plus(time)
}

/// `1h30m`: numbers with units, largest first or not.
fn sum_parts(text: &str, part: impl Fn(&str, i64) -> Option<Parts>) -> Option<Parts> {
    let mut rest = text;
    let mut total = Parts::default();
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        total = total.plus(part(unit, number.parse().ok()?)?)?;
        rest = tail;
    }
    (!text.is_empty()).then_some(total)
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

impl Serialize for Span {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A span of time: 90s, 15m, 24h, 7d, 1h30m, or ISO 8601",
            "type": "string",
            "format": "span",
        })
    }
}

/// A span in the words of the screen: `3 h`, `20 min`, `5 h 11 min`, `0.2 ms`.
pub fn in_words(duration: chrono::Duration) -> String {
    let seconds = duration.num_seconds();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let two = |a: i64, a_unit: &str, b: i64, b_unit: &str| {
        if b == 0 {
            format!("{a}\u{a0}{a_unit}")
        } else {
            format!("{a}\u{a0}{a_unit}\u{a0}{b}\u{a0}{b_unit}")
        }
    };
    match seconds {
        s if s >= 86_400 => two(days, "d", hours, "h"),
        s if s >= 3600 => two(hours, "h", minutes, "min"),
        s if s >= 60 => two(minutes, "min", seconds % 60, "s"),
        s => format!("{s}\u{a0}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_people_write_them() {
        for (text, millis) in [
            ("90s", 90_000),
            ("15m", 900_000),
            ("24h", 86_400_000),
            ("7d", 604_800_000),
            ("1h30m", 5_400_000),
            ("250ms", 250),
            ("PT1H30M", 5_400_000),
            ("P1DT1S", 86_401_000),
            ("P2W", 1_209_600_000),
        ] {
            assert_eq!(text.parse::<Span>().map(|span| span.millis()), Ok(millis), "{text}");
        }
    }

    #[test]
    fn what_is_no_span_is_refused_with_the_text() {
        for text in ["", "h", "10", "1y", "-5s", "P1Y", "P", "1h 30", "99999999999999999d"] {
            assert_eq!(text.parse::<Span>(), Err(NotASpan(text.to_owned())), "{text}");
        }
    }
}
