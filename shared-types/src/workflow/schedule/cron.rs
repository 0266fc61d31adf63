//! Cron texts as the language takes them: five fields, or six with seconds first.

use std::fmt;

/// A field of a cron text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CronField {
    /// Only in a text of six fields; 0 without it.
    Second,
    /// Of an hour.
    Minute,
    /// Of a day.
    Hour,
    /// Of a month.
    Day,
    /// Of a year.
    Month,
    /// 0 and 7 are Sunday.
    Weekday,
}

/// Why a text is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CronFault {
    /// A short name of other programs.
    #[error(
        "write it out in five fields: minute, hour, day, month, day of the week, such as `0 0 * * *` for every midnight"
    )]
    Nickname,
    /// Another number of fields.
    #[error("it has {0}, and needs five (minute, hour, day, month, day of the week) or six (a second first)")]
    FieldCount(FieldCount),
    /// A field can't be read.
    #[error("its {field} is `{read}`; it can be {}", .field.allowed())]
    Field {
        /// The field's place in the expression.
        field: CronField,
        /// The part of it that can't be read.
        read: String,
    },
    /// No month has the day.
    #[error("it is never due, since no month that it names has such a day")]
    Never,
}

/// A number of fields, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldCount(usize);

impl fmt::Display for FieldCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("no fields"),
            1 => f.write_str("one field"),
            7 => f.write_str("seven fields (a year can't be given)"),
            n => write!(f, "{n} fields"),
        }
    }
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
/// The most days that each month has.
const DAYS_OF_MONTH: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const FIELDS: [CronField; 6] = [
    CronField::Second,
    CronField::Minute,
    CronField::Hour,
    CronField::Day,
    CronField::Month,
    CronField::Weekday,
];

impl CronField {
    fn bounds(self) -> (u32, u32) {
        match self {
            Self::Second | Self::Minute => (0, 59),
            Self::Hour => (0, 23),
            Self::Day => (1, 31),
            Self::Month => (1, 12),
            Self::Weekday => (0, 7),
        }
    }

    fn allowed(self) -> &'static str {
        match self {
            Self::Second | Self::Minute => {
                "0 to 59, `*`, a list (`0,30`), a range (`10-20`) or a step (`*/15`)"
            }
            Self::Hour => "0 to 23, `*`, a list (`9,17`), a range (`9-17`) or a step (`*/2`)",
            Self::Day => {
                "1 to 31, `*`, a list (`1,15`), a range (`1-7`), a step (`*/2`), `L` for the last or `15W` for the nearest working day"
            }
            Self::Month => "1 to 12, JAN to DEC, `*`, a list, a range (`MAR-MAY`) or a step (`*/3`)",
            Self::Weekday => {
                "0 to 7 (0 and 7 are Sunday), SUN to SAT, `*`, a list, a range (`MON-FRI`), `FRI#2` for the second or `FRI#L` for the last"
            }
        }
    }

    /// The number that a text stands for: digits, or a month's or weekday's name.
    fn number(self, text: &str) -> Option<u32> {
        let named = |names: &[&str], first: u32| {
            let at = names.iter().position(|name| name.eq_ignore_ascii_case(text))?;
            Some(u32::try_from(at).ok()? + first)
        };
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = match self {
            _ if digits => text.parse().ok()?,
            Self::Month => named(&MONTHS, 1)?,
            Self::Weekday => named(&WEEKDAYS, 0)?,
            Self::Second | Self::Minute | Self::Hour | Self::Day => return None,
        };
        let (low, high) = self.bounds();
        (low..=high).contains(&number).then_some(number)
    }

    /// The numbers that a part of the field names. Those of `L`, `15W` and `FRI#2` differ from month to month.
    fn part(self, part: &str) -> Option<Part> {
        let (low, high) = self.bounds();
        let part = part.trim();
        let upper = part.to_ascii_uppercase();
        let shortened = |end: &str| upper.strip_suffix(end).and_then(|number| self.number(number));
        let varies = match self {
            Self::Day => upper == "L" || shortened("W").is_some(),
            Self::Weekday => {
                let nth = upper
                    .split_once('#')
                    .filter(|(_, nth)| matches!(*nth, "1" | "2" | "3" | "4" | "5" | "L"));
                nth.is_some_and(|(day, _)| self.number(day).is_some()) || shortened("L").is_some()
            }
            Self::Second | Self::Minute | Self::Hour | Self::Month => false,
        };
        if varies {
            return Some(Part::Varying);
        }
        let (base, step) = match part.split_once('/') {
            Some((base, step)) => (base, Some(step)),
            None => (part, None),
        };
        let step = match step {
            None => 1,
            Some(step) if step.bytes().all(|byte| byte.is_ascii_digit()) => {
                step.parse::<usize>().ok().filter(|step| *step > 0 && *step <= high as usize)?
            }
            Some(_) => return None,
        };
        let (from, to) = match base.split_once('-') {
            Some((from, to)) => (self.number(from)?, self.number(to)?),
            None if base == "*" || (base == "?" && matches!(self, Self::Day | Self::Weekday)) => (low, high),
            // `5/10` is read in different ways by different programs.
            None if part.contains('/') => return None,
            None => (self.number(base)?, self.number(base)?),
        };
        (from <= to).then(|| Part::Numbers((from..=to).step_by(step).collect()))
    }

    /// All that the field names.
    fn read(self, text: &str) -> Result<Vec<Part>, CronFault> {
        let bad = |read: &str| CronFault::Field { field: self, read: read.to_owned() };
        text.split(',').map(|part| self.part(part).ok_or_else(|| bad(part))).collect()
    }
}

impl fmt::Display for CronField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day of the month",
            Self::Month => "month",
            Self::Weekday => "day of the week",
        })
    }
}

/// What one part of a field's list names.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Numbers(Vec<u32>),
    /// Other days in each month.
    Varying,
}

/// Why a text is no schedule that is ever due, if it isn't.
pub fn fault(cron: &str) -> Option<CronFault> {
    if cron.trim_start().starts_with('@') {
        return Some(CronFault::Nickname);
    }
    let fields: Vec<&str> = cron.split_whitespace().collect();
    if !matches!(fields.len(), 5 | 6) {
        return Some(CronFault::FieldCount(FieldCount(fields.len())));
    }
    let mut read = Vec::with_capacity(fields.len());
    for (field, text) in FIELDS[6 - fields.len()..].iter().zip(&fields) {
        // A `+` says that the day of the month must fit as well.
        let text = if *field == CronField::Weekday { text.strip_prefix('+').unwrap_or(text) } else { text };
        match field.read(text) {
            Ok(parts) => read.push(parts),
            Err(fault) => return Some(fault),
        }
    }
    let [.., days, months, _] = read.as_slice() else { return None };
    let weekday = fields.last().copied().unwrap_or_default();
    // With both kinds of day either is enough, unless a `+` asks for both.
    let by_month_alone = matches!(weekday, "*" | "?") || weekday.starts_with('+');
    (by_month_alone && !any_month_has(days, months)).then_some(CronFault::Never)
}

fn any_month_has(days: &[Part], months: &[Part]) -> bool {
    let longest = months.iter().flat_map(|part| match part {
        Part::Numbers(months) => months.as_slice(),
        Part::Varying => &[],
    });
    let longest = longest.filter_map(|month| DAYS_OF_MONTH.get(*month as usize - 1)).max().copied();
    days.iter().any(|part| match part {
        Part::Varying => true,
        Part::Numbers(days) => days.iter().any(|day| Some(*day) <= longest),
    })
}

/// Whether a cron text runs in every hour, so that it follows the hours that really pass.
pub(super) fn is_of_every_hour(cron: &str) -> bool {
    let fields: Vec<&str> = cron.split_whitespace().collect();
    let hour = match fields.len() {
        5 => fields[1],
        6 | 7 => fields[2],
        _ => return cron.trim().eq_ignore_ascii_case("@hourly"),
    };
    let hours: Vec<u32> = CronField::Hour
        .read(hour)
        .unwrap_or_default()
        .into_iter()
        .flat_map(|part| if let Part::Numbers(hours) = part { hours } else { Vec::new() })
        .collect();
    (0..24).all(|hour| hours.contains(&hour))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cron_text_has_five_or_six_fields_that_say_when() {
        for sound in [
            "0 9 * * *",
            "*/5 * * * * *",
            "30 2 1,15 * *",
            "0 9 * JAN-MAR mon-FRI",
            "0 0 L * *",
            "0 0 15W * *",
            "0 0 * * FRI#2",
            "0 0 * * 5#L",
            "0 0 * * 5L",
            "0 0 ? * ?",
            "0 9 29 2 *",
            "0 9 31 1-2 *",
            "0 9 30 2 mon",
            "0 0 * * 7",
            "0 0 13 * +FRI",
            "  0 9 * * *  ",
            "10-40/10 9 * * *",
            "0 0 1 */3 *",
        ] {
            assert_eq!(fault(sound), None, "{sound}");
        }
        for (cron, says) in [
            ("", "no fields"),
            ("* * * *", "4 fields"),
            ("0 0 9 1 1 * 2020", "seven fields (a year can't be given)"),
            ("@daily", "write it out in five fields"),
            ("@every 5m", "write it out in five fields"),
            ("60 * * * *", "its minute is `60`; it can be 0 to 59"),
            ("* 24 * * *", "its hour is `24`; it can be 0 to 23"),
            ("61 * * * * *", "its second is `61`"),
            ("0 0 32 * *", "its day of the month is `32`"),
            ("0 0 0 * *", "its day of the month is `0`"),
            ("0 0 * 13 *", "its month is `13`"),
            ("0 0 * FOO *", "its month is `FOO`"),
            ("0 0 * * 8", "its day of the week is `8`"),
            ("0 0 * * MONDAY", "its day of the week is `MONDAY`"),
            ("5/10 * * * *", "its minute is `5/10`"),
            ("*/0 * * * *", "its minute is `*/0`"),
            ("20-10 * * * *", "its minute is `20-10`"),
            ("1,,2 * * * *", "its minute is ``"),
            ("0 0 * * FRI#6", "its day of the week is `FRI#6`"),
            ("-1 * * * *", "its minute is `-1`"),
            ("0 9 30 2 *", "no month that it names has such a day"),
            ("0 9 31 2,4,6,9,11 *", "no month that it names has such a day"),
            ("0 9 30 FEB ?", "no month that it names has such a day"),
            ("0 9 30 2 +MON", "no month that it names has such a day"),
        ] {
            let fault = fault(cron).map(|fault| fault.to_string()).unwrap_or_default();
            assert!(fault.contains(says), "{cron}: {fault}");
        }
    }

    #[test]
    fn what_runs_in_every_hour_is_known_by_its_hours() {
        for every in ["*/30 * * * *", "0 0-23 * * *", "0 */1 * * *", "0 0-11,12-23 * * *", "0 0 * * * *"] {
            assert!(is_of_every_hour(every), "{every}");
        }
        for some in ["*/30 1-3 * * *", "30 2 * * *", "0 */2 * * *", "* * 0-22 * * *"] {
            assert!(!is_of_every_hour(some), "{some}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_passes_is_read_by_the_library_too(cron in "([0-9*/,-]{1,4}|L|1W|JAN|FRI#2|MON-FRI)( ([0-9*/,-]{1,4}|L|1W|JAN|FRI#2|MON-FRI)){4,5}") {
            if fault(&cron).is_none() {
                proptest::prop_assert!(super::super::parse_cron(&cron).is_ok(), "{cron}");
            }
        }
    }
}
