//! The functions of templates.

use super::{
    budget::Fail,
    data::{Data, Text},
    evaluation::{Arguments, Evaluated, Evaluation, Function, namespace, whole},
    parameters::{Parameters, any, takes},
    tree::FunctionId,
};
use crate::workflow::number::Quantity;
use std::collections::BTreeMap;

const FUNCTIONS: [(&str, Parameters, Function); 3] = [
    ("dict", any(0), dict),
    ("namespace", any(0), make_namespace),
    ("range", takes(1, &["start", "stop", "step"]), range),
];

/// The function of a name, by its place.
pub(super) fn find(name: &str) -> Option<FunctionId> {
    FUNCTIONS.iter().position(|(known, ..)| *known == name).map(FunctionId)
}

/// The function at a place that [`find`] gave.
pub(super) fn at(id: FunctionId) -> Function {
    FUNCTIONS[id.0].2
}

/// What the function of a name takes.
pub(super) fn parameters(name: &str) -> Option<Parameters> {
    FUNCTIONS.iter().find(|(known, ..)| *known == name).map(|(_, parameters, _)| *parameters)
}

/// The names of all functions.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|(name, ..)| *name)
}

/// `range(stop)`, `range(start, stop, step)`.
fn range<'a>(evaluation: &mut Evaluation<'a>, arguments: Arguments<'a>) -> Evaluated<Data<'a>> {
    let bounds = arguments.positional.iter().map(whole).collect::<Evaluated<Vec<_>>>()?;
    let (start, stop, step) = match bounds.as_slice() {
        [stop] => (0, *stop, 1),
        [start, stop] => (*start, *stop, 1),
        [start, stop, step] if *step != 0 => (*start, *stop, *step),
        _ => {
            return Err(Fail::type_of(
                "`range` takes an end, or a start and an end, and a step that isn't 0",
            ));
        }
    };
    let distance = if step > 0 { stop.saturating_sub(start) } else { start.saturating_sub(stop) };
    let count = usize::try_from(distance.max(0)).unwrap_or(usize::MAX);
    let count = count.div_ceil(usize::try_from(step.unsigned_abs()).unwrap_or(usize::MAX));
    evaluation.budget.work(count)?;
    let numbers = (0..count).map(|n| Data::Number(Quantity::Whole(start + n as i128 * step)));
    Data::list(numbers.collect(), &mut evaluation.budget)
}

/// `dict(a=1)`, `dict(other, a=1)`.
fn dict<'a>(evaluation: &mut Evaluation<'a>, arguments: Arguments<'a>) -> Evaluated<Data<'a>> {
    let mut map: BTreeMap<Text<'a>, Data<'a>> = BTreeMap::new();
    match arguments.positional.first() {
        None => {}
        Some(Data::Map(other)) => {
            evaluation.budget.work(other.len())?;
            map.extend(other.entries());
        }
        Some(other) => {
            return Err(Fail::type_of(format!("`dict` takes a map, and it {}", other.kind_in_words())));
        }
    }
    map.extend(arguments.named.into_iter().map(|(key, value)| (Text::Made(key.into()), value)));
    Data::map(map, &mut evaluation.budget)
}

/// `namespace(found=false)`.
fn make_namespace<'a>(_: &mut Evaluation<'a>, arguments: Arguments<'a>) -> Evaluated<Data<'a>> {
    Ok(namespace(
        arguments.named.into_iter().filter(|(_, value)| !matches!(value, Data::Object(_))).collect(),
    ))
}
