//! The filters of templates, those of Jinja and the language's own. Each asks the budget before it multiplies.

mod lists;
mod maps;
mod numbers;
mod texts;

use super::{
    super::path,
    budget::Fail,
    data::Data,
    evaluation::{Arguments, Evaluated, Evaluation, Filter, whole},
    parameters::Parameters,
    tree::FilterId,
};

/// A filter with its name and what it takes.
type Known = (&'static str, Parameters, Filter);

const FILTERS: [&[Known]; 4] = [&texts::FILTERS, &numbers::FILTERS, &lists::FILTERS, &maps::FILTERS];

/// The filter of a name, by its place.
pub(super) fn find(name: &str) -> Option<FilterId> {
    all().position(|(known, ..)| *known == name).map(FilterId)
}

/// The filter of a name.
fn named(name: &str) -> Option<Filter> {
    known(name).map(|(_, _, filter)| *filter)
}

/// The filter at a place; one that [`find`] gave is always there.
pub(super) fn at(id: FilterId) -> Filter {
    let mut place = id.0;
    for filters in FILTERS {
        match filters.get(place) {
            Some((_, _, filter)) => return *filter,
            None => place -= filters.len(),
        }
    }
    |_, value, _| Ok(value)
}

/// What the filter of a name takes.
pub(super) fn parameters(name: &str) -> Option<Parameters> {
    known(name).map(|(_, parameters, _)| *parameters)
}

fn known(name: &str) -> Option<&'static Known> {
    all().find(|(known, ..)| *known == name)
}

fn all() -> impl Iterator<Item = &'static Known> {
    FILTERS.iter().flat_map(|filters| filters.iter())
}

/// The names of all filters.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    all().map(|(name, ..)| *name)
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
