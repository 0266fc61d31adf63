//! The tests of templates: `is defined`, `is divisibleby(3)`.

use super::{
    budget::Fail,
    data::Data,
    evaluation::{Arguments, Evaluated, Predicate, are_equal, order, whole},
    parameters::{NOTHING, Parameters, takes},
    tree::PredicateId,
};
use crate::workflow::number::Quantity;
use std::cmp::Ordering;

/// What a value is held against.
const ONE: Parameters = takes(1, &["value"]);

const PREDICATES: [(&str, Parameters, Predicate); 43] = [
    ("!=", ONE, |_, a, with| Ok(!are_equal(a, other(&with)?))),
    ("<", ONE, |_, a, with| compare(a, &with, Ordering::is_lt)),
    ("<=", ONE, |_, a, with| compare(a, &with, Ordering::is_le)),
    ("==", ONE, |_, a, with| Ok(are_equal(a, other(&with)?))),
    (">", ONE, |_, a, with| compare(a, &with, Ordering::is_gt)),
    (">=", ONE, |_, a, with| compare(a, &with, Ordering::is_ge)),
    ("boolean", NOTHING, |_, a, _| Ok(matches!(a, Data::Bool(_)))),
    ("containing", ONE, |this, a, with| {
        let part = other(&with)?.clone();
        this.holds(a, &part)
    }),
    ("defined", NOTHING, |_, a, _| Ok(!a.is_missing())),
    ("divisibleby", ONE, |_, a, with| match (whole(a), whole(other(&with)?)?) {
        (Ok(a), b) if b != 0 => Ok(a % b == 0),
        _ => Ok(false),
    }),
    ("endingwith", ONE, |_, a, with| texts(a, &with, |text, part| text.ends_with(part))),
    ("eq", ONE, |_, a, with| Ok(are_equal(a, other(&with)?))),
    ("equalto", ONE, |_, a, with| Ok(are_equal(a, other(&with)?))),
    ("escaped", NOTHING, |_, _, _| Ok(false)),
    ("even", NOTHING, |_, a, _| Ok(whole(a).is_ok_and(|a| a % 2 == 0))),
    ("false", NOTHING, |_, a, _| Ok(matches!(a, Data::Bool(false)))),
    ("float", NOTHING, |_, a, _| Ok(matches!(a, Data::Number(Quantity::Exact(_) | Quantity::Double(_))))),
    ("ge", ONE, |_, a, with| compare(a, &with, Ordering::is_ge)),
    ("greaterthan", ONE, |_, a, with| compare(a, &with, Ordering::is_gt)),
    ("gt", ONE, |_, a, with| compare(a, &with, Ordering::is_gt)),
    ("in", ONE, |this, a, with| {
        let list = other(&with)?.clone();
        this.holds(&list, a)
    }),
    ("int", NOTHING, |_, a, _| Ok(whole(a).is_ok())),
    ("integer", NOTHING, |_, a, _| Ok(whole(a).is_ok())),
    ("iterable", NOTHING, |_, a, _| Ok(matches!(a, Data::List(_) | Data::Map(_) | Data::Text(_)))),
    ("le", ONE, |_, a, with| compare(a, &with, Ordering::is_le)),
    ("lessthan", ONE, |_, a, with| compare(a, &with, Ordering::is_lt)),
    ("lower", NOTHING, |_, a, _| {
        Ok(matches!(a, Data::Text(t) if !t.as_str().chars().any(char::is_uppercase)))
    }),
    ("lt", ONE, |_, a, with| compare(a, &with, Ordering::is_lt)),
    ("mapping", NOTHING, |_, a, _| Ok(matches!(a, Data::Map(_)))),
    ("ne", ONE, |_, a, with| Ok(!are_equal(a, other(&with)?))),
    ("none", NOTHING, |_, a, _| Ok(matches!(a, Data::Null))),
    ("number", NOTHING, |_, a, _| Ok(matches!(a, Data::Number(_)))),
    ("odd", NOTHING, |_, a, _| Ok(whole(a).is_ok_and(|a| a % 2 != 0))),
    ("safe", NOTHING, |_, _, _| Ok(false)),
    ("sameas", ONE, |_, a, with| Ok(are_equal(a, other(&with)?))),
    ("sequence", NOTHING, |_, a, _| Ok(matches!(a, Data::List(_)))),
    ("startingwith", ONE, |_, a, with| texts(a, &with, |text, part| text.starts_with(part))),
    ("string", NOTHING, |_, a, _| Ok(matches!(a, Data::Text(_)))),
    ("true", NOTHING, |_, a, _| Ok(matches!(a, Data::Bool(true)))),
    ("undefined", NOTHING, |_, a, _| Ok(a.is_missing())),
    ("upper", NOTHING, |_, a, _| {
        Ok(matches!(a, Data::Text(t) if !t.as_str().chars().any(char::is_lowercase)))
    }),
    ("filter", NOTHING, |this, a, _| {
        Ok(matches!(a, Data::Text(name) if (this.library.has_filter)(name.as_str())))
    }),
    ("test", NOTHING, |_, a, _| Ok(matches!(a, Data::Text(name) if find(name.as_str()).is_some()))),
];

/// The test of a name, by its place.
pub(super) fn find(name: &str) -> Option<PredicateId> {
    PREDICATES.iter().position(|(known, ..)| *known == name).map(PredicateId)
}

/// The test at a place that [`find`] gave.
pub(super) fn at(id: PredicateId) -> Predicate {
    PREDICATES[id.0].2
}

/// The test of a name.
pub(super) fn named(name: &str) -> Option<Predicate> {
    PREDICATES.iter().find(|(known, ..)| *known == name).map(|(_, _, predicate)| *predicate)
}

/// What the test of a name takes.
pub(super) fn parameters(name: &str) -> Option<Parameters> {
    PREDICATES.iter().find(|(known, ..)| *known == name).map(|(_, parameters, _)| *parameters)
}

/// The names of all tests.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    PREDICATES.iter().map(|(name, ..)| *name)
}

/// What the value is held against.
fn other<'d, 'a>(with: &'d Arguments<'a>) -> Evaluated<&'d Data<'a>> {
    with.positional.first().ok_or_else(|| Fail::type_of("a test needs a value to hold it against"))
}

fn compare<'a>(a: &Data<'a>, with: &Arguments<'a>, accept: fn(Ordering) -> bool) -> Evaluated<bool> {
    Ok(order(a, other(with)?).is_some_and(accept))
}

fn texts<'a>(a: &Data<'a>, with: &Arguments<'a>, holds: fn(&str, &str) -> bool) -> Evaluated<bool> {
    match (a, other(with)?) {
        (Data::Text(text), Data::Text(part)) => Ok(holds(text.as_str(), part.as_str())),
        _ => Ok(false),
    }
}
