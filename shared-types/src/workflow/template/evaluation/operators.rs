//! Arithmetic and comparing. Values compare as they do in conditions.

use super::{Evaluated, Evaluation};
use crate::workflow::{
    evaluate::time_of,
    number::Quantity,
    template::{
        budget::Fail,
        data::{Data, List, Map},
        tree::{Calculation, Comparison, Expression},
    },
};
use std::cmp::Ordering;

impl<'a> Evaluation<'a> {
    pub(super) fn negative(&mut self, of: &'a Expression) -> Evaluated<Data<'a>> {
        match self.value(of)? {
            Data::Number(number) => Ok(Data::Number(number.negated())),
            other => Err(not_a_number("-", of, &other)),
        }
    }

    pub(super) fn calculate(
        &mut self,
        sign: Calculation,
        left: &'a Expression,
        right: &'a Expression,
    ) -> Evaluated<Data<'a>> {
        let a = self.value(left)?;
        let b = self.value(right)?;
        self.calculated(sign, (left, &a), (right, &b))
    }

    fn calculated(
        &mut self,
        sign: Calculation,
        (left, a): (&'a Expression, &Data<'a>),
        (right, b): (&'a Expression, &Data<'a>),
    ) -> Evaluated<Data<'a>> {
        if sign == Calculation::Join {
            let mut text = self.printed(a)?;
            text.push_str(&self.printed(b)?);
            return Data::text(text, &mut self.budget);
        }
        match (sign, a, b) {
            (Calculation::Plus, Data::List(a), Data::List(b)) => {
                self.budget.work(a.len() + b.len())?;
                let items =
                    (0..a.len()).filter_map(|n| a.get(n)).chain((0..b.len()).filter_map(|n| b.get(n)));
                Data::list(items.collect(), &mut self.budget)
            }
            (Calculation::Times, Data::List(list), Data::Number(times))
            | (Calculation::Times, Data::Number(times), Data::List(list)) => self.repeated(list, *times),
            (sign, Data::Number(a), Data::Number(b)) => Ok(Data::Number(match sign {
                Calculation::Plus => a.plus(*b),
                Calculation::Minus => a.minus(*b),
                Calculation::Times => a.times(*b),
                Calculation::Divide => a.divided_by(*b),
                Calculation::DivideDown => a.divided_down_by(*b),
                Calculation::Remainder => a.remainder(*b),
                Calculation::Power | Calculation::Join => a.to_the(*b),
            }?)),
            (sign, Data::Number(_), other) => Err(not_a_number(sign.sign(), right, other)),
            (sign, other, _right) => Err(not_a_number(sign.sign(), left, other)),
        }
    }

    fn repeated(&mut self, list: &List<'a>, times: Quantity) -> Evaluated<Data<'a>> {
        let times = usize::try_from(whole(&Data::Number(times))?.max(0)).unwrap_or(usize::MAX);
        let length = list.len().saturating_mul(times);
        self.budget.work(length)?;
        let items = std::iter::repeat_n((), times).flat_map(|()| (0..list.len()).filter_map(|n| list.get(n)));
        Data::list(if list.len() == 0 { Vec::new() } else { items.collect() }, &mut self.budget)
    }

    pub(super) fn compare(
        &mut self,
        first: &'a Expression,
        rest: &'a [(Comparison, Expression)],
    ) -> Evaluated<Data<'a>> {
        let mut left = self.value(first)?;
        for (by, right) in rest {
            let right = self.value(right)?;
            // Long texts and lists cost what they are.
            self.budget.work(usize::try_from(left.bytes().min(right.bytes()) / 64).unwrap_or(usize::MAX))?;
            let holds = match by {
                Comparison::Equal => are_equal(&left, &right),
                Comparison::Unequal => !are_equal(&left, &right),
                Comparison::Less => order(&left, &right).is_some_and(Ordering::is_lt),
                Comparison::LessOrEqual => order(&left, &right).is_some_and(Ordering::is_le),
                Comparison::Greater => order(&left, &right).is_some_and(Ordering::is_gt),
                Comparison::GreaterOrEqual => order(&left, &right).is_some_and(Ordering::is_ge),
                Comparison::In => self.holds(&right, &left)?,
                Comparison::NotIn => !self.holds(&right, &left)?,
            };
            if !holds {
                return Ok(Data::Bool(false));
            }
            left = right;
        }
        Ok(Data::Bool(true))
    }

    /// Whether a list has an item, a map a key, or a text another in it.
    pub(in crate::workflow::template) fn holds(
        &mut self,
        whole: &Data<'a>,
        part: &Data<'a>,
    ) -> Evaluated<bool> {
        Ok(match whole {
            Data::Text(text) => {
                self.budget.work(text.as_str().len() / 64)?;
                matches!(part, Data::Text(part) if text.as_str().contains(part.as_str()))
            }
            Data::Map(map) => matches!(part, Data::Text(key) if map.get(key.as_str()).is_some()),
            Data::Missing | Data::Null => false,
            Data::List(_) | Data::Bool(_) | Data::Number(_) | Data::Object(_) => {
                let items = whole.items(&mut self.budget)?;
                let cost = part.bytes() / 64;
                self.budget.work(items.len().saturating_mul(usize::try_from(cost).unwrap_or(usize::MAX)))?;
                items.iter().any(|item| are_equal(item, part))
            }
        })
    }
}

/// Equality as in conditions: two texts as texts, a text that holds a number as that number with numbers.
pub(in crate::workflow::template) fn are_equal(a: &Data<'_>, b: &Data<'_>) -> bool {
    match (a, b) {
        (Data::Missing | Data::Null, Data::Missing | Data::Null) => true,
        (Data::Bool(a), Data::Bool(b)) => a == b,
        (Data::Text(a), Data::Text(b)) => a == b,
        (Data::Number(_), Data::Number(_) | Data::Text(_)) | (Data::Text(_), Data::Number(_)) => {
            matches!((quantity(a), quantity(b)), (Some(a), Some(b)) if a.order(b).is_eq())
        }
        (Data::List(a), Data::List(b)) => {
            a.len() == b.len()
                && (0..a.len())
                    .all(|n| matches!((a.get(n), b.get(n)), (Some(a), Some(b)) if are_equal(&a, &b)))
        }
        (Data::Map(a), Data::Map(b)) => a.len() == b.len() && are_equal_maps(a, b),
        _ => false,
    }
}

fn are_equal_maps(a: &Map<'_>, b: &Map<'_>) -> bool {
    a.entries().iter().all(|(key, a)| b.get(key.as_str()).is_some_and(|b| are_equal(a, &b)))
}

fn quantity(value: &Data<'_>) -> Option<Quantity> {
    match value {
        Data::Number(number) => Some(*number),
        Data::Text(text) => Quantity::of_text(text.as_str()),
        Data::Missing | Data::Null | Data::Bool(_) | Data::List(_) | Data::Map(_) | Data::Object(_) => None,
    }
}

/// The order of two values of one kind, as in conditions; nothing where they have none.
pub(in crate::workflow::template) fn order(a: &Data<'_>, b: &Data<'_>) -> Option<Ordering> {
    if let (Some(a), Some(b)) = (quantity(a), quantity(b)) {
        return Some(a.order(b));
    }
    let (Data::Text(a), Data::Text(b)) = (a, b) else { return None };
    let (a, b) = (a.as_str(), b.as_str());
    match (time_of(a), time_of(b)) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        (Some(_) | None, Some(_) | None) => Some(a.cmp(b)),
    }
}

/// An order of any two values, for sorting: by kind, then as they compare.
pub(in crate::workflow::template) fn sort_order(a: &Data<'_>, b: &Data<'_>, by_case: bool) -> Ordering {
    fn rank(value: &Data<'_>) -> u8 {
        match value {
            Data::Missing | Data::Null => 0,
            Data::Bool(_) => 1,
            Data::Number(_) => 2,
            Data::Text(_) => 3,
            Data::List(_) => 4,
            Data::Map(_) => 5,
            Data::Object(_) => 6,
        }
    }
    match (a, b) {
        (Data::Bool(a), Data::Bool(b)) => a.cmp(b),
        (Data::Number(a), Data::Number(b)) => a.order(*b),
        (Data::Text(a), Data::Text(b)) if by_case => a.cmp(b),
        (Data::Text(a), Data::Text(b)) => a.as_str().to_lowercase().cmp(&b.as_str().to_lowercase()),
        (Data::List(a), Data::List(b)) => {
            let pairs = (0..a.len().min(b.len())).filter_map(|n| Some((a.get(n)?, b.get(n)?)));
            let first = pairs.map(|(a, b)| sort_order(&a, &b, by_case)).find(|order| order.is_ne());
            first.unwrap_or_else(|| a.len().cmp(&b.len()))
        }
        (a, b) => rank(a).cmp(&rank(b)),
    }
}

/// A whole number.
pub(in crate::workflow::template) fn whole(value: &Data<'_>) -> Evaluated<i128> {
    match value {
        Data::Number(Quantity::Whole(number)) => Ok(*number),
        other => Err(Fail::type_of(format!("a whole number is needed, and it {}", other.kind_in_words()))),
    }
}

/// What to say where a number is needed and something else is there.
fn not_a_number(sign: &str, expression: &Expression, value: &Data<'_>) -> Fail {
    let path = if let Expression::Path(path) = expression { Some(path.join(".")) } else { None };
    let name = path.as_ref().map_or_else(|| "what it is given".to_owned(), |path| format!("`{path}`"));
    let instead = match (matches!(value, Data::Text(_)), path) {
        (false, _) => String::new(),
        (true, Some(path)) if sign == "+" => {
            format!("; `{path} | number` makes a number of it, and `~` joins texts")
        }
        (true, Some(path)) => format!("; `{path} | number` makes a number of it"),
        (true, None) => "; `| number` makes a number of a text, and `~` joins texts".to_owned(),
    };
    Fail::type_of(format!("`{sign}` takes numbers, and {name} {}{instead}", value.kind_in_words()))
}
