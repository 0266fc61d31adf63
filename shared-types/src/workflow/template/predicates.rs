//! The tests of templates: `is defined`, `is divisibleby(3)`.

use super::{
    budget::Fail,
    data::Data,
    evaluation::{Arguments, Evaluated, Evaluation, are_equal, order, whole},
};
use crate::workflow::number::Quantity;
use std::cmp::Ordering;

/// A test.
pub(super) type Predicate = for<'a> fn(&mut Evaluation<'a>, &Data<'a>, Arguments<'a>) -> Evaluated<bool>;

const PREDICATES: [(&str, Predicate); 43] = [
    ("!=", |_, a, with| Ok(!are_equal(a, other(&with)?))),
    ("<", |_, a, with| compare(a, &with, Ordering::is_lt)),
    ("<=", |_, a, with| compare(a, &with, Ordering::is_le)),
    ("==", |_, a, with| Ok(are_equal(a, other(&with)?))),
    (">", |_, a, with| compare(a, &with, Ordering::is_gt)),
    (">=", |_, a, with| compare(a, &with, Ordering::is_ge)),
    ("boolean", |_, a, _| Ok(matches!(a, Data::Bool(_)))),
    ("containing", |this, a, with| {
        let part = other(&with)?.clone();
        this.holds(a, &part)
    }),
    ("defined", |_, a, _| Ok(!a.is_missing())),
    ("divisibleby", |_, a, with| match (whole(a), whole(other(&with)?)?) {
        (Ok(a), b) if b != 0 => Ok(a % b == 0),
        _ => Ok(false),
    }),
    ("endingwith", |_, a, with| texts(a, &with, |text, part| text.ends_with(part))),
    ("eq", |_, a, with| Ok(are_equal(a, other(&with)?))),
    ("equalto", |_, a, with| Ok(are_equal(a, other(&with)?))),
    ("escaped", |_, _, _| Ok(false)),
    ("even", |_, a, _| Ok(whole(a).is_ok_and(|a| a % 2 == 0))),
    ("false", |_, a, _| Ok(matches!(a, Data::Bool(false)))),
    ("float", |_, a, _| Ok(matches!(a, Data::Number(Quantity::Exact(_) | Quantity::Double(_))))),
    ("ge", |_, a, with| compare(a, &with, Ordering::is_ge)),
    ("greaterthan", |_, a, with| compare(a, &with, Ordering::is_gt)),
    ("gt", |_, a, with| compare(a, &with, Ordering::is_gt)),
    ("in", |this, a, with| {
        let list = other(&with)?.clone();
        this.holds(&list, a)
    }),
    ("int", |_, a, _| Ok(whole(a).is_ok())),
    ("integer", |_, a, _| Ok(whole(a).is_ok())),
    ("iterable", |_, a, _| Ok(matches!(a, Data::List(_) | Data::Map(_) | Data::Text(_)))),
    ("le", |_, a, with| compare(a, &with, Ordering::is_le)),
    ("lessthan", |_, a, with| compare(a, &with, Ordering::is_lt)),
    ("lower", |_, a, _| Ok(matches!(a, Data::Text(t) if !t.as_str().chars().any(char::is_uppercase)))),
    ("lt", |_, a, with| compare(a, &with, Ordering::is_lt)),
    ("mapping", |_, a, _| Ok(matches!(a, Data::Map(_)))),
    ("ne", |_, a, with| Ok(!are_equal(a, other(&with)?))),
    ("none", |_, a, _| Ok(matches!(a, Data::Null))),
    ("number", |_, a, _| Ok(matches!(a, Data::Number(_)))),
    ("odd", |_, a, _| Ok(whole(a).is_ok_and(|a| a % 2 != 0))),
    ("safe", |_, _, _| Ok(false)),
    ("sameas", |_, a, with| Ok(are_equal(a, other(&with)?))),
    ("sequence", |_, a, _| Ok(matches!(a, Data::List(_)))),
    ("startingwith", |_, a, with| texts(a, &with, |text, part| text.starts_with(part))),
    ("string", |_, a, _| Ok(matches!(a, Data::Text(_)))),
    ("true", |_, a, _| Ok(matches!(a, Data::Bool(true)))),
    ("undefined", |_, a, _| Ok(a.is_missing())),
    ("upper", |_, a, _| Ok(matches!(a, Data::Text(t) if !t.as_str().chars().any(char::is_lowercase)))),
    ("filter", |_, a, _| Ok(matches!(a, Data::Text(name) if super::filters::find(name.as_str()).is_some()))),
    ("test", |_, a, _| Ok(matches!(a, Data::Text(name) if find(name.as_str()).is_some()))),
];

/// The test of a name.
pub(super) fn find(name: &str) -> Option<Predicate> {
    PREDICATES.iter().find(|(known, _)| *known == name).map(|(_, predicate)| *predicate)
}

/// The names of all tests.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    PREDICATES.iter().map(|(name, _)| *name)
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
