//! Arithmetic as templates do it: whole numbers exactly, others in decimals of 15 significant digits.

use super::Quantity;
use rust_decimal::{Decimal, MathematicalOps as _, RoundingStrategy};
use std::num::NonZeroU32;

/// How many significant digits a number that isn't whole keeps.
const DIGITS: u32 = 15;

/// A result that no number holds: over 38 digits, or a division by zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overflow {
    /// It has too many digits.
    TooLarge,
    /// Divided by zero.
    ZeroDivisor,
}

type Sum = Result<Quantity, Overflow>;

impl Quantity {
    /// The sum.
    pub fn plus(self, other: Self) -> Sum {
        self.calculate(other, i128::checked_add, Decimal::checked_add, |a, b| a + b)
    }

    /// The difference.
    pub fn minus(self, other: Self) -> Sum {
        self.calculate(other, i128::checked_sub, Decimal::checked_sub, |a, b| a - b)
    }

    /// The product.
    pub fn times(self, other: Self) -> Sum {
        self.calculate(other, i128::checked_mul, Decimal::checked_mul, |a, b| a * b)
    }

    /// The quotient, with its fraction.
    pub fn divided_by(self, other: Self) -> Sum {
        other.divides()?;
        if let (Self::Whole(a), Self::Whole(b)) = (self, other)
            && a % b == 0
        {
            return Ok(Self::Whole(a / b));
        }
        self.in_decimals(other, Decimal::checked_div, |a, b| a / b)
    }

    /// The quotient rounded down to a whole number.
    pub fn divided_down_by(self, other: Self) -> Sum {
        other.divides()?;
        if let (Self::Whole(a), Self::Whole(b)) = (self, other) {
            let is_rounded_up = a % b != 0 && ((a < 0) != (b < 0));
            return Ok(Self::Whole(a / b - i128::from(is_rounded_up)));
        }
        let floor = |a: Decimal, b: Decimal| a.checked_div(b).map(|quotient| quotient.floor());
        self.in_decimals(other, floor, |a, b| (a / b).floor())
    }

    /// What a division rounded down leaves; it has the sign of `other`.
    pub fn remainder(self, other: Self) -> Sum {
        let times = self.divided_down_by(other)?;
        self.minus(times.times(other)?)
    }

    /// The power.
    pub fn to_the(self, exponent: Self) -> Sum {
        if let (Self::Whole(base), Self::Whole(exponent)) = (self, exponent)
            && let Ok(exponent) = u32::try_from(exponent)
        {
            return match base {
                0 | 1 => Ok(Self::Whole(if exponent == 0 { 1 } else { base })),
                -1 => Ok(Self::Whole(if exponent.is_multiple_of(2) { 1 } else { -1 })),
                _ => base.checked_pow(exponent).and_then(Self::whole).ok_or(Overflow::TooLarge),
            };
        }
        if let (Some(base), Self::Whole(exponent)) = (self.decimal(), exponent)
            && let Ok(exponent) = i64::try_from(exponent)
            && let Some(power) = base.checked_powi(exponent)
        {
            return rounded(power);
        }
        of_double(self.double().powf(exponent.double()))
    }

    /// The number with the other sign.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Whole(whole) => Self::Whole(-whole),
            Self::Exact(decimal) => Self::Exact(-decimal),
            Self::Double(double) => Self::Double(-double),
        }
    }

    /// The number rounded to so many digits after the point; half a unit is rounded away from zero.
    #[must_use]
    pub fn rounded(self, digits: u32) -> Self {
        match self {
            Self::Whole(_) | Self::Double(_) => self,
            Self::Exact(decimal) => {
                let rounded = decimal.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero);
                simplest(rounded)
            }
        }
    }

    /// The whole number below (`up` false) or above.
    #[must_use]
    pub fn to_whole(self, up: bool) -> Self {
        match self {
            Self::Whole(_) => self,
            Self::Exact(decimal) => simplest(if up { decimal.ceil() } else { decimal.floor() }),
            Self::Double(double) => Self::of_double(if up { double.ceil() } else { double.floor() }),
        }
    }

    /// The number without its fraction.
    #[must_use]
    pub fn truncated(self) -> Self {
        self.to_whole(self.order(Self::Whole(0)).is_lt())
    }

    fn divides(self) -> Result<(), Overflow> {
        if self.order(Self::Whole(0)).is_eq() { Err(Overflow::ZeroDivisor) } else { Ok(()) }
    }

    fn calculate(
        self,
        other: Self,
        whole: fn(i128, i128) -> Option<i128>,
        decimal: fn(Decimal, Decimal) -> Option<Decimal>,
        double: fn(f64, f64) -> f64,
    ) -> Sum {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => whole(a, b).and_then(Self::whole).ok_or(Overflow::TooLarge),
            (a, b) => a.in_decimals(b, decimal, double),
        }
    }

    fn in_decimals(
        self,
        other: Self,
        decimal: impl Fn(Decimal, Decimal) -> Option<Decimal>,
        double: impl Fn(f64, f64) -> f64,
    ) -> Sum {
        if let (Some(a), Some(b)) = (self.decimal(), other.decimal())
            && let Some(result) = decimal(a, b)
            // A decimal that has run out of digits says zero; a double says how small it is.
            && (!result.is_zero() || a.is_zero() || b.is_zero() || double(self.double(), other.double()) == 0.0)
        {
            return rounded(result);
        }
        of_double(double(self.double(), other.double()))
    }
}

fn rounded(decimal: Decimal) -> Sum {
    let rounded = NonZeroU32::new(DIGITS)
        .and_then(|digits| {
            decimal.round_sf_with_strategy(digits.get(), RoundingStrategy::MidpointAwayFromZero)
        })
        .ok_or(Overflow::TooLarge)?;
    Ok(simplest(rounded))
}

/// A decimal with no fraction as a whole number.
fn simplest(decimal: Decimal) -> Quantity {
    if !decimal.fract().is_zero() {
        return Quantity::Exact(decimal);
    }
    i128::try_from(decimal.trunc()).map_or(Quantity::Exact(decimal), Quantity::Whole)
}

fn of_double(double: f64) -> Sum {
    if !double.is_finite() {
        return Err(Overflow::TooLarge);
    }
    let digits = DIGITS as usize - 1;
    Ok(Quantity::of_double(format!("{double:.digits$e}").parse().unwrap_or(double)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Quantity {
        Quantity::of_text(text).unwrap()
    }

    #[test]
    fn sums_are_what_people_expect_of_decimals() {
        type Operation = fn(Quantity, Quantity) -> Sum;
        let table: [(&str, Operation, &str, &str); 20] = [
            ("1.1", Quantity::plus, "2.2", "3.3"),
            ("0.1", Quantity::plus, "0.2", "0.3"),
            ("1.5", Quantity::plus, "1.5", "3"),
            ("19.99", Quantity::times, "3", "59.97"),
            ("12400.10", Quantity::minus, "0.1", "12400"),
            ("10", Quantity::divided_by, "4", "2.5"),
            ("10", Quantity::divided_by, "5", "2"),
            ("1", Quantity::divided_by, "3", "0.333333333333333"),
            ("7", Quantity::divided_down_by, "2", "3"),
            ("-7", Quantity::divided_down_by, "2", "-4"),
            ("-7", Quantity::remainder, "2", "1"),
            ("7.5", Quantity::remainder, "2", "1.5"),
            ("2", Quantity::to_the, "64", "18446744073709551616"),
            ("2", Quantity::to_the, "-1", "0.5"),
            ("1.1", Quantity::to_the, "2", "1.21"),
            ("9", Quantity::to_the, "0.5", "3"),
            ("9223372036854775807", Quantity::times, "1000", "9223372036854775807000"),
            ("1e30", Quantity::times, "1.5", "1500000000000000000000000000000"),
            ("0.00000000000001", Quantity::times, "0.00000000000001", "0.0000000000000000000000000001"),
            ("123456789012345678", Quantity::times, "1.5", "185185183518519000"),
        ];
        for (a, operation, b, expected) in table {
            assert_eq!(operation(number(a), number(b)).unwrap().to_string(), expected, "{a} {b}");
        }
    }

    #[test]
    fn what_no_number_holds_is_an_error() {
        let most = number("99999999999999999999999999999999999999");
        assert_eq!(most.plus(number("1")).unwrap_err(), Overflow::TooLarge);
        assert_eq!(most.times(most).unwrap_err(), Overflow::TooLarge);
        assert_eq!(number("10").to_the(number("38")).unwrap_err(), Overflow::TooLarge);
        assert_eq!(number("1e300").times(number("1e300")).unwrap_err(), Overflow::TooLarge);
        for zero in ["0", "0.0"] {
            assert_eq!(number("1").divided_by(number(zero)).unwrap_err(), Overflow::ZeroDivisor);
            assert_eq!(number("1.5").divided_down_by(number(zero)).unwrap_err(), Overflow::ZeroDivisor);
            assert_eq!(number("1.5").remainder(number(zero)).unwrap_err(), Overflow::ZeroDivisor);
        }
    }
}
