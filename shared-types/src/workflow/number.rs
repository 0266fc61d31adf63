//! Numbers count and compare as decimals.

mod arithmetic;

pub use arithmetic::Overflow;

use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Number, Value};
use std::{cmp::Ordering, fmt, str::FromStr};

/// A number as templates, conditions and `expr` count and compare it.
///
/// A JSON number counts as the shortest decimal that its double prints.
#[derive(Debug, Clone, Copy)]
pub enum Quantity {
    /// A whole number of at most 38 digits, exact.
    Whole(i128),
    /// A number with a fraction, exact; at most 28 digits.
    Exact(Decimal),
    /// Too large or too small for the others.
    Double(f64),
}

/// Whole numbers are exact below this: 38 digits.
const WHOLE_END: u128 = 10_u128.pow(38);

impl Quantity {
    /// A whole number, if it has at most 38 digits.
    pub fn whole(number: i128) -> Option<Self> {
        (number.unsigned_abs() < WHOLE_END).then_some(Self::Whole(number))
    }

    /// The quantity of a double: the shortest decimal that it prints.
    pub fn of_double(double: f64) -> Self {
        Self::of_text(&double.to_string()).unwrap_or(Self::Double(double))
    }

    /// The quantity of a JSON number.
    pub fn of_number(number: &Number) -> Self {
        if let Some(integer) = number.as_i64() {
            return Self::Whole(i128::from(integer));
        }
        if let Some(integer) = number.as_u64() {
            return Self::Whole(i128::from(integer));
        }
        Self::of_double(number.as_f64().unwrap_or_default())
    }

    /// The quantity that a text holds, if it holds one.
    pub fn of_text(text: &str) -> Option<Self> {
        let text = text.trim();
        if !text.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+' || c == '.') {
            return None;
        }
        // What a decimal can't hold exactly is a double; the library would round it, and allow `1_000`.
        if text.contains('_') {
            return None;
        }
        if let Some(whole) = text.parse().ok().and_then(Self::whole) {
            return Some(whole);
        }
        Decimal::from_str_exact(text)
            .or_else(|_| Decimal::from_scientific(text))
            .map(Self::Exact)
            .ok()
            .or_else(|| text.parse().ok().filter(|double: &f64| double.is_finite()).map(Self::Double))
    }

    /// The quantity of a JSON number or of a text that holds one.
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => Some(Self::of_number(number)),
            Value::String(text) => Self::of_text(text),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "doubles stand in only where exact numbers end")]
    pub(super) fn double(self) -> f64 {
        match self {
            Self::Whole(whole) => whole as f64,
            Self::Exact(decimal) => f64::try_from(decimal).unwrap_or_default(),
            Self::Double(double) => double,
        }
    }

    /// The number as a decimal, if one holds it exactly.
    pub(super) fn decimal(self) -> Option<Decimal> {
        match self {
            Self::Whole(whole) => Decimal::try_from_i128_with_scale(whole, 0).ok(),
            Self::Exact(decimal) => Some(decimal),
            Self::Double(_) => None,
        }
    }

    /// One spelling for all that are equal.
    pub fn canonical(self) -> String {
        match self {
            Self::Whole(whole) => whole.to_string(),
            Self::Exact(decimal) if decimal.is_zero() => "0".to_owned(),
            Self::Exact(decimal) => decimal.normalize().to_string(),
            Self::Double(double) => format!("{double:e}"),
        }
    }

    /// The order of two quantities.
    pub fn order(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => a.cmp(&b),
            (a, b) => match (a.decimal(), b.decimal()) {
                (Some(a), Some(b)) => a.cmp(&b),
                (Some(_) | None, Some(_) | None) => a.double().total_cmp(&b.double()),
            },
        }
    }

    /// The number as JSON: a number where JSON's numbers hold it exactly, else a text that holds it.
    pub fn to_json(self) -> Value {
        match self {
            Self::Whole(whole) => match (i64::try_from(whole), u64::try_from(whole)) {
                (Ok(signed), _) => Value::from(signed),
                (Err(_), Ok(unsigned)) => Value::from(unsigned),
                (Err(_), Err(_)) => Value::String(whole.to_string()),
            },
            Self::Exact(decimal) => {
                let double = self.double();
                match Self::of_double(double).decimal() {
                    Some(same) if same == decimal => Value::from(double),
                    Some(_) | None => Value::String(decimal.normalize().to_string()),
                }
            }
            Self::Double(double) => Value::from(double),
        }
    }
}

/// As people and texts read it: digits without an exponent, no zeros at the end.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(whole) => whole.fmt(f),
            Self::Exact(decimal) => decimal.normalize().fmt(f),
            Self::Double(double) => double.fmt(f),
        }
    }
}

/// Digits in groups of three, for people: `12,400.10`.
pub fn grouped(text: &str) -> String {
    let (sign, rest) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, fraction) =
        rest.split_once('.').map_or((rest, None), |(whole, fraction)| (whole, Some(fraction)));
    if !whole.bytes().all(|b| b.is_ascii_digit()) || whole.is_empty() {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + whole.len() / 3);
    out.push_str(sign);
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// How many digits after the point amounts of a currency have, by ISO 4217; two where nothing else is said.
fn minor_digits(currency: &str) -> u32 {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "UYI"
        | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        "CLF" | "UYW" => 4,
        _ => 2,
    }
}

/// An amount, and the code of its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Money<'a> {
    /// The amount, as text.
    pub amount: &'a str,
    /// The currency's code; empty where none is known.
    pub currency: &'a str,
}

impl<'a> Money<'a> {
    /// The money of something whose amount and currency stand apart, if both are there.
    pub fn of(amount: Option<&'a str>, currency: Option<&'a str>) -> Option<Self> {
        Some(Self { amount: amount?, currency: currency? })
    }

    /// Whether a figure is this amount, and not a small number that is the same by chance.
    pub fn is_surely(self, figure: Quantity) -> bool {
        let least = Quantity::Whole(100);
        let is_same =
            |own: Quantity| own.order(figure) == Ordering::Equal && own.order(least) != Ordering::Less;
        Quantity::of_text(self.amount).is_some_and(is_same)
    }
}

/// As [`money`] writes it.
impl fmt::Display for Money<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&money(self.amount, self.currency))
    }
}

/// An amount with its currency: `€12,400.10`, `12,400.10 SEK`; half a unit is rounded away from zero.
pub fn money(amount: &str, currency: &str) -> String {
    let digits = minor_digits(currency);
    let figure = Decimal::from_str(amount.trim()).map_or_else(
        |_| amount.to_owned(),
        |decimal| {
            let rounded = decimal.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero);
            grouped(&format!("{rounded:.*}", digits as usize))
        },
    );
    let symbol = match currency {
        "EUR" => "€",
        "USD" => "$",
        "GBP" => "£",
        "JPY" => "¥",
        "" => return figure,
        other => return format!("{figure}\u{a0}{other}"),
    };
    match figure.strip_prefix('-') {
        Some(positive) => format!("-{symbol}{positive}"),
        None => format!("{symbol}{figure}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_json_number_counts_as_the_shortest_decimal_that_its_double_prints() {
        let tenth = Quantity::of(&json!(0.1)).unwrap();
        let sum = Quantity::of(&json!("0.10")).unwrap();
        assert_eq!(tenth.order(sum), Ordering::Equal);
        assert_eq!(
            Quantity::of(&json!(1e300)).unwrap().order(Quantity::of(&json!(1e299)).unwrap()),
            Ordering::Greater
        );
        assert!(Quantity::of(&json!("A1")).is_none());
        assert!(Quantity::of(&json!("1_000")).is_none());
        for tiny in [json!(1e-30), json!("0.0000000000000000000000000000001")] {
            assert_eq!(
                Quantity::of(&tiny).unwrap().order(Quantity::of(&json!(0)).unwrap()),
                Ordering::Greater
            );
        }
    }

    #[test]
    fn figures_are_grouped_and_money_carries_its_currency() {
        assert_eq!(grouped("1234567.5"), "1,234,567.5");
        assert_eq!(grouped("999"), "999");
        assert_eq!(money("12400.1", "EUR"), "€12,400.10");
        assert_eq!(money("-3", "SEK"), "-3.00\u{a0}SEK");
        for (amount, currency, shown) in [
            ("2.345", "EUR", "€2.35"),
            ("-2.345", "EUR", "-€2.35"),
            ("2.344", "EUR", "€2.34"),
            ("1234.5", "JPY", "¥1,235"),
            ("1.2345", "KWD", "1.235\u{a0}KWD"),
            ("0.5", "ISK", "1\u{a0}ISK"),
        ] {
            assert_eq!(money(amount, currency), shown, "{amount} {currency}");
        }
    }

    #[test]
    fn whole_numbers_are_exact_up_to_38_digits_and_leave_as_json_or_text() {
        let most = "99999999999999999999999999999999999999";
        assert_eq!(Quantity::of_text(most).unwrap().to_json(), json!(most));
        assert!(matches!(
            Quantity::of_text("100000000000000000000000000000000000000"),
            Some(Quantity::Double(_))
        ));
        assert_eq!(Quantity::of_text("18446744073709551615").unwrap().to_json(), json!(u64::MAX));
        assert_eq!(
            Quantity::of_text("18446744073709551616").unwrap().to_json(),
            json!("18446744073709551616")
        );
        assert_eq!(Quantity::of_text("0.10").unwrap().to_json(), json!(0.1));
        assert_eq!(
            Quantity::of_text("1234567890123456789.25").unwrap().to_json(),
            json!("1234567890123456789.25")
        );
        assert_eq!(Quantity::of_double(12_400.0).to_string(), "12400");
    }
}
