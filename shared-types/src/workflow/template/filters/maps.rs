//! Filters of maps, and of any value.

use super::{Known, count_argument, is_set, text_argument, wrong_kind};
use crate::workflow::template::{
    data::{Data, Text},
    evaluation::{Arguments, Evaluated, Evaluation, sort_order},
    parameters::{NOTHING, any, takes},
};
use serde::Serialize as _;

pub(super) const FILTERS: [Known; 6] = [
    ("attr", takes(1, &["name"]), attr),
    ("d", takes(0, &["default_value", "boolean"]), default),
    ("default", takes(0, &["default_value", "boolean"]), default),
    ("dictsort", takes(0, &["case_sensitive", "by", "reverse"]), sorted),
    ("items", NOTHING, |this, value, _| pairs(this, value)),
    ("zip", any(1), zip),
];

fn attr<'a>(_: &mut Evaluation<'a>, value: Data<'a>, arguments: Arguments<'a>) -> Evaluated<Data<'a>> {
    Ok(arguments.get(0, "name").map_or(Data::Missing, |name| value.item(name)))
}

/// What stands in where nothing is there; with `true`, also for what counts as false.
fn default<'a>(_: &mut Evaluation<'a>, value: Data<'a>, arguments: Arguments<'a>) -> Evaluated<Data<'a>> {
    let is_needed = match &value {
        // A key with null is as good as none, as in conditions.
        Data::Missing | Data::Null => true,
        other => is_set(&arguments, 1, "boolean") && !other.is_true(),
    };
    if !is_needed {
        return Ok(value);
    }
    Ok(arguments.get(0, "default_value").cloned().unwrap_or(Data::Text(Text::Borrowed(""))))
}

/// The pairs of a map.
fn pairs<'a>(this: &mut Evaluation<'a>, value: Data<'a>) -> Evaluated<Data<'a>> {
    let map = match &value {
        Data::Missing | Data::Null => return Data::list(Vec::new(), &mut this.budget),
        Data::Map(map) => map,
        other => return Err(wrong_kind("`items` takes a map", other)),
    };
    this.budget.work(map.len())?;
    let mut pairs = Vec::with_capacity(map.len());
    for (key, value) in map.entries() {
        pairs.push(Data::list(vec![Data::Text(key), value], &mut this.budget)?);
    }
    Data::list(pairs, &mut this.budget)
}

/// The pairs of a map by key, or by value.
fn sorted<'a>(this: &mut Evaluation<'a>, value: Data<'a>, arguments: Arguments<'a>) -> Evaluated<Data<'a>> {
    let by_case = is_set(&arguments, 0, "case_sensitive");
    let by = text_argument(this, &arguments, 1, "by")?;
    let place = if by.as_deref() == Some("value") { "1" } else { "0" };
    let bytes = value.bytes();
    let mut pairs = pairs(this, value)?.items(&mut this.budget)?;
    let looks = u64::from(pairs.len().checked_ilog2().unwrap_or_default()) + 1;
    this.budget.work(usize::try_from((pairs.len() as u64 + bytes / 16) * looks).unwrap_or(usize::MAX))?;
    pairs.sort_by(|a, b| sort_order(&a.field(place), &b.field(place), by_case));
    if is_set(&arguments, 2, "reverse") {
        pairs.reverse();
    }
    Data::list(pairs, &mut this.budget)
}

/// Lists of the first items, the second items, and so on, of several lists.
fn zip<'a>(this: &mut Evaluation<'a>, value: Data<'a>, arguments: Arguments<'a>) -> Evaluated<Data<'a>> {
    let mut columns = vec![value.items(&mut this.budget)?];
    for other in arguments.positional {
        columns.push(other.items(&mut this.budget)?);
    }
    let rows = columns.iter().map(Vec::len).min().unwrap_or_default();
    let mut zipped = Vec::with_capacity(rows);
    for row in 0..rows {
        let row = columns.iter().map(|column| column[row].clone()).collect();
        zipped.push(Data::list(row, &mut this.budget)?);
    }
    Data::list(zipped, &mut this.budget)
}

/// A value as JSON, on lines of their own with `indent`.
pub(super) fn tojson<'a>(
    this: &mut Evaluation<'a>,
    value: Data<'a>,
    arguments: Arguments<'a>,
) -> Evaluated<Data<'a>> {
    let indent = match arguments.get(0, "indent") {
        Some(Data::Bool(is)) => is.then_some(2),
        _ => count_argument(&arguments, 0, "indent", 0)?,
    };
    let bytes = value.bytes();
    this.budget.hold(bytes)?;
    if let Some(indent) = indent {
        // Each part may stand on a line of its own, behind the margin of the deepest.
        let margin = (value.depth(&mut this.budget)? as u64).saturating_mul(indent as u64);
        this.budget.hold(bytes.saturating_mul(1 + margin))?;
    }
    let json = value.into_json();
    let text = match indent {
        None => json.to_string(),
        Some(indent) => {
            let margin = " ".repeat(indent);
            let mut out = Vec::new();
            let form = serde_json::ser::PrettyFormatter::with_indent(margin.as_bytes());
            let mut writer = serde_json::Serializer::with_formatter(&mut out, form);
            match json.serialize(&mut writer) {
                Ok(()) => String::from_utf8_lossy(&out).into_owned(),
                Err(_) => json.to_string(),
            }
        }
    };
    Data::text(text, &mut this.budget)
}
