//! Filters of numbers.

use super::{Known, text_argument, whole_argument, wrong_kind};
use crate::workflow::{
    number::{self, Quantity},
    template::{
        budget::Fail,
        data::Data,
        evaluation::{Arguments, Evaluated, Evaluation},
        parameters::{NOTHING, takes},
    },
};

pub(super) const FILTERS: [Known; 7] = [
    ("abs", NOTHING, abs),
    ("bool", NOTHING, |_, value, _| Ok(Data::Bool(value.is_true()))),
    ("float", takes(0, &["default"]), float),
    ("int", takes(0, &["default"]), int),
    ("money", takes(0, &["currency"]), money),
    ("number", takes(0, &["default"]), to_number),
    ("round", takes(0, &["precision", "method"]), round),
];

fn abs<'a>(_: &mut Evaluation<'a>, value: Data<'a>, _: Arguments<'a>) -> Evaluated<Data<'a>> {
    match value {
        Data::Number(number) if number.order(Quantity::Whole(0)).is_lt() => {
            Ok(Data::Number(number.negated()))
        }
        Data::Number(_) => Ok(value),
        other => Err(wrong_kind("`abs` takes a number", &other)),
    }
}

/// The number that a text holds; a number stays as it is.
fn to_number<'a>(_: &mut Evaluation<'a>, value: Data<'a>, arguments: Arguments<'a>) -> Evaluated<Data<'a>> {
    match (quantity(&value), arguments.get(0, "default")) {
        (Some(number), _) => Ok(Data::Number(number)),
        (None, Some(default)) => Ok(default.clone()),
        (None, None) => Err(wrong_kind("`number` takes a number or a text that holds one", &value)),
    }
}

fn quantity(value: &Data<'_>) -> Option<Quantity> {
    match value {
        Data::Number(number) => Some(*number),
        Data::Text(text) => Quantity::of_text(text.as_str()),
        Data::Bool(is) => Some(Quantity::Whole(i128::from(*is))),
        Data::Missing | Data::Null | Data::List(_) | Data::Map(_) | Data::Object(_) => None,
    }
}

/// A number without its fraction, also of a text; 0 or the default where there is none.
fn int<'a>(_: &mut Evaluation<'a>, value: Data<'a>, arguments: Arguments<'a>) -> Evaluated<Data<'a>> {
    let default = || arguments.get(0, "default").cloned().unwrap_or(Data::Number(Quantity::Whole(0)));
    Ok(quantity(&value).map_or_else(default, |number| Data::Number(number.truncated())))
}

/// A number, also of a text; 0 or the default where there is none.
fn float<'a>(_: &mut Evaluation<'a>, value: Data<'a>, arguments: Arguments<'a>) -> Evaluated<Data<'a>> {
    let default = || arguments.get(0, "default").cloned().unwrap_or(Data::Number(Quantity::Whole(0)));
    Ok(quantity(&value).map_or_else(default, Data::Number))
}

fn round<'a>(_: &mut Evaluation<'a>, value: Data<'a>, arguments: Arguments<'a>) -> Evaluated<Data<'a>> {
    let Data::Number(number) = value else { return Err(wrong_kind("`round` takes a number", &value)) };
    let digits = whole_argument(&arguments, 0, "precision")?.unwrap_or_default();
    let method = match arguments.get(1, "method") {
        Some(Data::Text(method)) => method.as_str().to_owned(),
        Some(_) | None => "common".to_owned(),
    };
    if !(-38..=28).contains(&digits) {
        return Err(Fail::type_of(format!("`round` takes from -38 to 28 digits, and it is {digits}")));
    }
    let scale = Quantity::Whole(10).to_the(Quantity::Whole(digits.abs()))?;
    let (shifted, back): (_, fn(Quantity, Quantity) -> _) = if digits < 0 {
        (number.divided_by(scale)?, Quantity::times)
    } else {
        match (method.as_str(), u32::try_from(digits)) {
            ("common", Ok(digits)) => return Ok(Data::Number(number.rounded(digits))),
            _ => (number.times(scale)?, Quantity::divided_by),
        }
    };
    let whole = match method.as_str() {
        "common" => shifted.rounded(0),
        "ceil" => shifted.to_whole(true),
        "floor" => shifted.to_whole(false),
        other => return Err(Fail::type_of(format!("`round` knows common, ceil and floor, not {other}"))),
    };
    Ok(Data::Number(back(whole, scale)?))
}

/// An amount with its currency: `€12,400.10`.
fn money<'a>(this: &mut Evaluation<'a>, value: Data<'a>, arguments: Arguments<'a>) -> Evaluated<Data<'a>> {
    let currency = text_argument(this, &arguments, 0, "currency")?.unwrap_or_default();
    if matches!(value, Data::Missing | Data::Null) {
        return Ok(value);
    }
    let amount = quantity(&value).ok_or_else(|| wrong_kind("`money` takes a number", &value))?.to_string();
    this.budget.hold(amount.len() as u64 * 2)?;
    Data::text(number::money(&amount, &currency), &mut this.budget)
}

/// The most characters that a placeholder of `format` may be padded to.
const MOST_WIDE: usize = 1_000;

/// `"%05.2f of %s" | format(a, b)`, as printf has it.
pub(super) fn format<'a>(
    this: &mut Evaluation<'a>,
    value: Data<'a>,
    arguments: Arguments<'a>,
) -> Evaluated<Data<'a>> {
    let pattern = this.printed(&value)?;
    let mut given = arguments.positional.iter();
    let mut out = String::new();
    let mut rest = pattern.as_str();
    while let Some((text, after)) = rest.split_once('%') {
        out.push_str(text);
        let placeholder = Placeholder::read(after)?;
        rest = placeholder.rest;
        if placeholder.kind == '%' {
            out.push('%');
            continue;
        }
        let value =
            given.next().ok_or_else(|| Fail::type_of("`format` has more placeholders than values"))?;
        let text = this.printed(value)?;
        let text = placeholder.fill(&text, value)?;
        this.budget.hold(text.len() as u64)?;
        out.push_str(&text);
    }
    out.push_str(rest);
    Data::text(out, &mut this.budget)
}

struct Placeholder<'p> {
    flags: &'p str,
    width: usize,
    precision: Option<usize>,
    kind: char,
    rest: &'p str,
}

impl<'p> Placeholder<'p> {
    fn read(text: &'p str) -> Evaluated<Self> {
        let end = |text: &str, fits: fn(char) -> bool| text.find(|c| !fits(c)).unwrap_or(text.len());
        let (flags, text) = text.split_at(end(text, |c| matches!(c, '-' | '0' | '+' | ' ' | '#')));
        let (width, text) = text.split_at(end(text, |c| c.is_ascii_digit()));
        let (precision, text) = match text.strip_prefix('.') {
            Some(text) => {
                let (precision, text) = text.split_at(end(text, |c| c.is_ascii_digit()));
                (Some(precision), text)
            }
            None => (None, text),
        };
        let number = |text: &str| match text {
            "" => Ok(0),
            text => text
                .parse()
                .ok()
                .filter(|number| *number <= MOST_WIDE)
                .ok_or_else(|| Fail::type_of(format!("`format` pads to at most {MOST_WIDE} characters"))),
        };
        let kind =
            text.chars().next().ok_or_else(|| Fail::type_of("a placeholder of `format` has no letter"))?;
        let rest = &text[kind.len_utf8()..];
        Ok(Self { flags, width: number(width)?, precision: precision.map(number).transpose()?, kind, rest })
    }

    fn fill(&self, text: &str, value: &Data<'_>) -> Evaluated<String> {
        let whole = || match quantity(value).map(Quantity::truncated) {
            Some(Quantity::Whole(whole)) => Ok(whole),
            _ => Err(wrong_kind("`%d` takes a number", value)),
        };
        let mut text = match self.kind {
            's' | 'r' => {
                self.precision.map_or_else(|| text.to_owned(), |most| text.chars().take(most).collect())
            }
            'd' | 'i' | 'u' => whole()?.to_string(),
            'x' => format!("{:x}", whole()?),
            'X' => format!("{:X}", whole()?),
            'o' => format!("{:o}", whole()?),
            'f' | 'F' => {
                let number = quantity(value).ok_or_else(|| wrong_kind("`%f` takes a number", value))?;
                let digits = self.precision.unwrap_or(6).min(28);
                let number = number.rounded(u32::try_from(digits).unwrap_or(6));
                number.decimal().map_or_else(|| number.to_string(), |decimal| format!("{decimal:.digits$}"))
            }
            other => return Err(Fail::type_of(format!("`format` has no placeholder `%{other}`"))),
        };
        if self.flags.contains('+') && !text.starts_with('-') && self.kind != 's' {
            text.insert(0, '+');
        }
        let missing = self.width.saturating_sub(text.chars().count());
        if self.flags.contains('-') {
            text.push_str(&" ".repeat(missing));
        } else if self.flags.contains('0') && self.kind != 's' {
            let sign = usize::from(text.starts_with(['-', '+']));
            text.insert_str(sign, &"0".repeat(missing));
        } else {
            text.insert_str(0, &" ".repeat(missing));
        }
        Ok(text)
    }
}
