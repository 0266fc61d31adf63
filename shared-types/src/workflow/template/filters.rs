//! The filters of templates, those of Jinja and the language's own. Each asks the budget before it multiplies.

mod lists;
mod maps;
mod numbers;
mod texts;

use super::{
    super::path,
    budget::Fail,
    data::Data,
    evaluation::{Arguments, Evaluated, Evaluation, whole},
    parameters::Parameters,
};

/// A filter: the value before the `|`, and the arguments in brackets.
pub(super) type Filter = for<'a> fn(&mut Evaluation<'a>, Data<'a>, Arguments<'a>) -> Evaluated<Data<'a>>;

/// A filter with its name and what it takes.
type Known = (&'static str, Parameters, Filter);

const FILTERS: [&[Known]; 4] = [&texts::FILTERS, &numbers::FILTERS, &lists::FILTERS, &maps::FILTERS];

/// The filter of a name.
pub(super) fn find(name: &str) -> Option<Filter> {
    known(name).map(|(_, _, filter)| *filter)
}

/// What the filter of a name takes.
pub(super) fn parameters(name: &str) -> Option<Parameters> {
    known(name).map(|(_, parameters, _)| *parameters)
}

fn known(name: &str) -> Option<&'static Known> {
    FILTERS.iter().flat_map(|filters| filters.iter()).find(|(known, ..)| *known == name)
}

/// The names of all filters.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FILTERS.iter().flat_map(|filters| filters.iter()).map(|(name, ..)| *name)
}

/// An argument as text.
fn text_argument<'a>(
    evaluation: &mut Evaluation<'a>,
    arguments: &Arguments<'a>,
    place: usize,
    name: &str,
) -> Evaluated<Option<String>> {
    match arguments.get(place, name).cloned() {
        None | Some(Data::Null) => Ok(None),
        Some(value) => evaluation.printed(&value).map(Some),
    }
}

/// An argument as a whole number.
fn whole_argument(arguments: &Arguments<'_>, place: usize, name: &str) -> Evaluated<Option<i128>> {
    match arguments.get(place, name) {
        None | Some(Data::Null) => Ok(None),
        Some(value) => whole(value).map(Some),
    }
}

/// An argument as a count of at least `least`.
fn count_argument(
    arguments: &Arguments<'_>,
    place: usize,
    name: &str,
    least: usize,
) -> Evaluated<Option<usize>> {
    let Some(number) = whole_argument(arguments, place, name)? else { return Ok(None) };
    match usize::try_from(number) {
        Ok(count) if count >= least => Ok(Some(count)),
        Ok(_) | Err(_) => {
            Err(Fail::type_of(format!("`{name}` is a number from {least} on, and it is {number}")))
        }
    }
}

/// Whether an argument is true.
fn is_set(arguments: &Arguments<'_>, place: usize, name: &str) -> bool {
    arguments.get(place, name).is_some_and(Data::is_true)
}

/// The part of an item that an `attribute` names: a path with dots, or a number.
fn attribute<'a>(item: &Data<'a>, path: Option<&str>) -> Data<'a> {
    match path {
        None => item.clone(),
        Some(path) => path::names(path).into_iter().fold(item.clone(), |at, name| at.field(name)),
    }
}

/// Not a filter's kind of value.
fn wrong_kind(what: &str, value: &Data<'_>) -> Fail {
    Fail::type_of(format!("{what}, and it {}", value.kind_in_words()))
}
