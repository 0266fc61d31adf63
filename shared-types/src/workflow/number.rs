//! Numbers compare as decimals.

use rust_decimal::Decimal;
use serde_json::{Number, Value};
use std::{cmp::Ordering, str::FromStr};

/// A number as conditions compare it.
///
/// A JSON number counts as the shortest decimal that its double prints. What no [`Decimal`] holds
/// (beyond about 7.9e28) keeps its double.
#[derive(Debug, Clone, Copy)]
pub enum Quantity {
    /// Exact.
    Exact(Decimal),
    /// Too large or too small for a decimal.
    Double(f64),
}

impl Quantity {
    /// The quantity of a JSON number.
    pub fn of_number(number: &Number) -> Self {
        if let Some(integer) = number.as_i64() {
            return Self::Exact(Decimal::from(integer));
        }
        if let Some(integer) = number.as_u64() {
            return Self::Exact(Decimal::from(integer));
        }
        let double = number.as_f64().unwrap_or_default();
        Self::of_text(&double.to_string()).unwrap_or(Self::Double(double))
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

    fn double(self) -> f64 {
        match self {
            Self::Exact(decimal) => f64::try_from(decimal).unwrap_or_default(),
            Self::Double(double) => double,
        }
    }

    /// One spelling for all that are equal.
    pub fn canonical(self) -> String {
        match self {
            Self::Exact(decimal) if decimal.is_zero() => "0".to_owned(),
            Self::Exact(decimal) => decimal.normalize().to_string(),
            Self::Double(double) => format!("{double:e}"),
        }
    }

    /// The order of two quantities.
    pub fn order(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Exact(a), Self::Exact(b)) => a.cmp(&b),
            (a, b) => a.double().total_cmp(&b.double()),
        }
    }
}

/// A double with at most 15 significant digits, as templates print it.
pub fn print_double(double: f64) -> String {
    if !double.is_finite() {
        return double.to_string();
    }
    let rounded: f64 = format!("{double:.14e}").parse().unwrap_or(double);
    if rounded.fract() == 0.0 && rounded.abs() < 1e15 { format!("{rounded:.0}") } else { rounded.to_string() }
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

/// An amount with its currency: `€12,400.10`, `12,400.10 SEK`.
pub fn money(amount: &str, currency: &str) -> String {
    let figure = Decimal::from_str(amount.trim())
        .map_or_else(|_| amount.to_owned(), |decimal| grouped(&format!("{:.2}", decimal.round_dp(2))));
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
        assert_eq!(print_double(0.1 + 0.2), "0.3");
        assert_eq!(print_double(12_400.0), "12400");
    }
}
