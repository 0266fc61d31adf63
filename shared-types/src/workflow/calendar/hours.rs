//! A span of open hours of one day.

use std::{fmt, str::FromStr};

/// The minutes of a day.
const DAY: u16 = 24 * 60;

/// Open hours within one day: from the first minute on, up to and without the second. They don't cross midnight, and may
/// end at `24:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpenHours {
    from: u16,
    to: u16,
}

/// Why a text names no open hours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadHours {
    /// It isn't of the form `09:00-17:00`.
    #[error("\"{0}\" names no hours; write two times of the day, such as 09:00-17:00")]
    Form(String),
    /// It ends before it begins, or where it begins.
    #[error("\"{0}\" ends before it begins; hours that cross midnight are two entries, each on its day")]
    Order(String),
}

impl OpenHours {
    /// The minute of the day at which they begin.
    pub fn from(self) -> u16 {
        self.from
    }

    /// The minute of the day at which they end; 1440 is midnight.
    pub fn to(self) -> u16 {
        self.to
    }
}

impl FromStr for OpenHours {
    type Err = BadHours;

    fn from_str(text: &str) -> Result<Self, BadHours> {
        let bad = || BadHours::Form(text.chars().take(40).collect());
        let (from, to) = text.trim().split_once(['-', '–']).ok_or_else(bad)?;
        let (from, to) = (minute(from).ok_or_else(bad)?, minute(to).ok_or_else(bad)?);
        if from >= to {
            return Err(BadHours::Order(text.to_owned()));
        }
        Ok(Self { from, to })
    }
}

/// `09:00`, `9:00` or `24:00` as a minute of the day.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if !(1..=2).contains(&hour.len()) || minute.len() != 2 || !is_number(hour) || !is_number(minute) {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let of_day = hour * 60 + minute;
    (minute < 60 && of_day <= DAY).then_some(of_day)
}

impl fmt::Display for OpenHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (self.from, self.to);
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_two_times_of_one_day() {
        for (text, shown) in [
            ("09:00-17:00", "09:00-17:00"),
            (" 9:00 - 12:30 ", "09:00-12:30"),
            ("00:00-24:00", "00:00-24:00"),
            ("13:00–17:00", "13:00-17:00"),
        ] {
            assert_eq!(text.parse::<OpenHours>().unwrap().to_string(), shown);
        }
        for (text, says) in [
            ("09:00", "two times"),
            ("9-17", "two times"),
            ("09:60-10:00", "two times"),
            ("09:00-24:01", "two times"),
            ("-1:00-2:00", "two times"),
            ("17:00-09:00", "cross midnight"),
            ("09:00-09:00", "ends before"),
            ("", "two times"),
        ] {
            let said = text.parse::<OpenHours>().unwrap_err().to_string();
            assert!(said.contains(says), "{text}: {said}");
        }
    }
}
