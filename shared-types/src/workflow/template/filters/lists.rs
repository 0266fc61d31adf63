//! Filters of lists.

use super::{Known, attribute, count_argument, is_set, named, text_argument, wrong_kind};
use crate::workflow::{
    number::Quantity,
    template::{
        budget::Fail,
        data::Data,
        evaluation::{Arguments, Evaluated, Evaluation, are_equal, sort_order},
        parameters::{NOTHING, any, takes},
        predicates,
    },
};
use std::cmp::Ordering;

pub(super) const FILTERS: [Known; 21] = [
    ("batch", takes(1, &["count", "fill_with"]), batch),
    ("chain", any(0), chain),
    ("count", NOTHING, length),
    ("first", NOTHING, |this, value, _| {
        Ok(value.items(&mut this.budget)?.into_iter().next().unwrap_or(Data::Missing))
    }),
    ("groupby", takes(1, &["attribute", "default", "case_sensitive"]), group_by),
    ("join", takes(0, &["d", "attribute"]), join),
    ("last", NOTHING, |this, value, _| Ok(value.items(&mut this.budget)?.pop().unwrap_or(Data::Missing))),
    ("length", NOTHING, length),
    ("list", NOTHING, |this, value, _| {
        let items = value.items(&mut this.budget)?;
        Data::list(items, &mut this.budget)
    }),
    ("map", any(1), map),
    ("max", takes(0, &["case_sensitive", "attribute"]), |this, value, arguments| {
        extreme(this, &value, &arguments, Ordering::is_gt)
    }),
    ("min", takes(0, &["case_sensitive", "attribute"]), |this, value, arguments| {
        extreme(this, &value, &arguments, Ordering::is_lt)
    }),
    ("reject", any(0), |this, value, arguments| choose(this, &value, arguments, None, false)),
    ("rejectattr", any(1), |this, value, arguments| choose_by(this, &value, arguments, false)),
    ("reverse", NOTHING, reverse),
    ("select", any(0), |this, value, arguments| choose(this, &value, arguments, None, true)),
    ("selectattr", any(1), |this, value, arguments| choose_by(this, &value, arguments, true)),
    ("slice", takes(1, &["count", "fill_with"]), slice),
    ("sort", takes(0, &["reverse", "case_sensitive", "attribute"]), sort),
    ("sum", takes(0, &["attribute", "start"]), sum),
    ("unique", takes(0, &["case_sensitive", "attribute"]), unique),
];

fn length<'a>(this: &mut Evaluation<'a>, value: Data<'a>, _: Arguments<'a>) -> Evaluated<Data<'a>> {
    Ok(Data::whole(match &value {
        Data::Missing | Data::Null => 0,
        Data::List(list) => list.len(),
        Data::Map(map) => map.len(),
        Data::Text(text) => {
            this.budget.work(text.as_str().len() / 64)?;
            text.as_str().chars().count()
        }
        other @ (Data::Bool(_) | Data::Number(_) | Data::Object(_)) => {
            return Err(wrong_kind("`length` takes a list, a map or a text", other));
        }
    }))
}

fn join<'a>(this: &mut Evaluation<'a>, value: Data<'a>, arguments: Arguments<'a>) -> Evaluated<Data<'a>> {
    let by = text_argument(this, &arguments, 0, "d")?.unwrap_or_default();
    let path = text_argument(this, &arguments, 1, "attribute")?;
    let mut out = String::new();
    for (n, item) in value.items(&mut this.budget)?.iter().enumerate() {
        if n > 0 {
            this.budget.hold(by.len() as u64)?;
            out.push_str(&by);
        }
        out.push_str(&this.printed(&attribute(item, path.as_deref()))?);
    }
    Data::text(out, &mut this.budget)
}

fn reverse<'a>(this: &mut Evaluation<'a>, value: Data<'a>, _: Arguments<'a>) -> Evaluated<Data<'a>> {
    if let Data::Text(text) = &value {
        this.budget.work(text.as_str().len() / 16)?;
        return Data::text(text.as_str().chars().rev().collect::<String>(), &mut this.budget);
    }
    let mut items = value.items(&mut this.budget)?;
    items.reverse();
    Data::list(items, &mut this.budget)
}

fn sum<'a>(this: &mut Evaluation<'a>, value: Data<'a>, arguments: Arguments<'a>) -> Evaluated<Data<'a>> {
    let path = text_argument(this, &arguments, 0, "attribute")?;
    let mut sum = match arguments.get(1, "start") {
        None => Quantity::Whole(0),
        Some(Data::Number(start)) => *start,
        Some(other) => return Err(wrong_kind("`sum` starts from a number", other)),
    };
    for item in value.items(&mut this.budget)? {
        match attribute(&item, path.as_deref()) {
            Data::Number(number) => sum = sum.plus(number)?,
            Data::Missing | Data::Null => {}
            other @ Data::Text(_) => {
                let why = "`sum` adds numbers; `map(\"number\")` before it makes numbers of texts";
                return Err(wrong_kind(why, &other));
            }
            other => return Err(wrong_kind("`sum` adds numbers", &other)),
        }
    }
    Ok(Data::Number(sum))
}

fn chain<'a>(this: &mut Evaluation<'a>, value: Data<'a>, arguments: Arguments<'a>) -> Evaluated<Data<'a>> {
    let mut items = value.items(&mut this.budget)?;
    for other in arguments.positional {
        items.extend(other.items(&mut this.budget)?);
    }
    Data::list(items, &mut this.budget)
}

/// Lists of so many items, the last filled up.
fn batch<'a>(this: &mut Evaluation<'a>, value: Data<'a>, arguments: Arguments<'a>) -> Evaluated<Data<'a>> {
    let count = count_argument(&arguments, 0, "count", 1)?.unwrap_or(1);
    let items = value.items(&mut this.budget)?;
    let mut batches = Vec::new();
    for part in items.chunks(count) {
        let mut part = part.to_vec();
        if let Some(fill) = arguments.get(1, "fill_with") {
            this.budget.work(count - part.len())?;
            this.budget.hold((count - part.len()) as u64 * 32)?;
            part.resize(count, fill.clone());
        }
        batches.push(Data::list(part, &mut this.budget)?);
    }
    Data::list(batches, &mut this.budget)
}

/// So many lists of about as many items.
fn slice<'a>(this: &mut Evaluation<'a>, value: Data<'a>, arguments: Arguments<'a>) -> Evaluated<Data<'a>> {
    let count = count_argument(&arguments, 0, "count", 1)?.unwrap_or(1);
    let items = value.items(&mut this.budget)?;
    this.budget.work(count)?;
    let (each, more) = (items.len() / count, items.len() % count);
    let mut slices = Vec::new();
    let mut rest = items.as_slice();
    for n in 0..count {
        let (part, after) = rest.split_at((each + usize::from(n < more)).min(rest.len()));
        rest = after;
        let mut part = part.to_vec();
        if let Some(fill) = arguments.get(1, "fill_with").filter(|_| more > 0 && n >= more) {
            part.push(fill.clone());
        }
        slices.push(Data::list(part, &mut this.budget)?);
    }
    Data::list(slices, &mut this.budget)
}

/// Items with what they are sorted by: their own, or an attribute's, value; texts without their case.
fn keyed<'a>(
    this: &mut Evaluation<'a>,
    items: Vec<Data<'a>>,
    path: Option<&str>,
    by_case: bool,
) -> Evaluated<Vec<(Data<'a>, Data<'a>)>> {
    let mut keyed = Vec::with_capacity(items.len());
    let mut bytes = 0;
    for item in items {
        let mut key = attribute(&item, path);
        if let (Data::Text(text), false) = (&key, by_case) {
            key = Data::text(text.as_str().to_lowercase(), &mut this.budget)?;
        }
        bytes += key.bytes();
        keyed.push((key, item));
    }
    // Sorting looks at each item about as often as the count has binary digits.
    let looks = keyed.len().checked_ilog2().unwrap_or_default() as usize + 1;
    let bytes = usize::try_from(bytes / 64).unwrap_or(usize::MAX);
    this.budget.work(keyed.len().saturating_add(bytes).saturating_mul(looks) / 4)?;
    Ok(keyed)
}

fn sort<'a>(this: &mut Evaluation<'a>, value: Data<'a>, arguments: Arguments<'a>) -> Evaluated<Data<'a>> {
    let by_case = is_set(&arguments, 1, "case_sensitive");
    let path = text_argument(this, &arguments, 2, "attribute")?;
    let items = value.items(&mut this.budget)?;
    let mut keyed = keyed(this, items, path.as_deref(), by_case)?;
    keyed.sort_by(|(a, _), (b, _)| sort_order(a, b, true));
    if is_set(&arguments, 0, "reverse") {
        keyed.reverse();
    }
    Data::list(keyed.into_iter().map(|(_, item)| item).collect(), &mut this.budget)
}

fn extreme<'a>(
    this: &mut Evaluation<'a>,
    value: &Data<'a>,
    arguments: &Arguments<'a>,
    is_better: fn(Ordering) -> bool,
) -> Evaluated<Data<'a>> {
    let by_case = is_set(arguments, 0, "case_sensitive");
    let path = text_argument(this, arguments, 1, "attribute")?;
    let items = value.items(&mut this.budget)?;
    let keyed = keyed(this, items, path.as_deref(), by_case)?;
    let mut best: Option<(Data<'a>, Data<'a>)> = None;
    for (key, item) in keyed {
        if best.as_ref().is_none_or(|(best, _)| is_better(sort_order(&key, best, true))) {
            best = Some((key, item));
        }
    }
    Ok(best.map_or(Data::Missing, |(_, item)| item))
}

fn unique<'a>(this: &mut Evaluation<'a>, value: Data<'a>, arguments: Arguments<'a>) -> Evaluated<Data<'a>> {
    let by_case = is_set(&arguments, 0, "case_sensitive");
    let path = text_argument(this, &arguments, 1, "attribute")?;
    let items = value.items(&mut this.budget)?;
    let mut places: Vec<(usize, (Data<'a>, Data<'a>))> =
        keyed(this, items, path.as_deref(), by_case)?.into_iter().enumerate().collect();
    places.sort_by(|(_, (a, _)), (_, (b, _))| sort_order(a, b, true));
    places.dedup_by(|(_, (a, _)), (_, (b, _))| are_equal(a, b));
    places.sort_by_key(|(place, _)| *place);
    Data::list(places.into_iter().map(|(_, (_, item))| item).collect(), &mut this.budget)
}

/// Pairs of a value and the items that have it, which can be read as `grouper` and `list` too.
fn group_by<'a>(this: &mut Evaluation<'a>, value: Data<'a>, arguments: Arguments<'a>) -> Evaluated<Data<'a>> {
    let path = text_argument(this, &arguments, 0, "attribute")?;
    let by_case = is_set(&arguments, 2, "case_sensitive");
    let mut items = Vec::new();
    for item in value.items(&mut this.budget)? {
        let mut by = attribute(&item, path.as_deref());
        if let (true, Some(default)) = (by.is_missing(), arguments.get(1, "default")) {
            by = default.clone();
        }
        items.push(Data::list(vec![by, item], &mut this.budget)?);
    }
    let mut keyed = keyed(this, items, Some("0"), by_case)?;
    keyed.sort_by(|(a, _), (b, _)| sort_order(a, b, true));
    let mut groups = Vec::new();
    for group in keyed.chunk_by(|(a, _), (b, _)| are_equal(a, b)) {
        let by = group.first().map_or(Data::Missing, |(_, pair)| pair.field("0"));
        let members = group.iter().map(|(_, pair)| pair.field("1")).collect();
        let members = Data::list(members, &mut this.budget)?;
        groups.push(Data::list(vec![by, members], &mut this.budget)?);
    }
    Data::list(groups, &mut this.budget)
}

/// An attribute of each item, or each item through a filter.
fn map<'a>(this: &mut Evaluation<'a>, value: Data<'a>, arguments: Arguments<'a>) -> Evaluated<Data<'a>> {
    let items = value.items(&mut this.budget)?;
    let mut mapped = Vec::with_capacity(items.len());
    if let Some((_, path)) = arguments.named.iter().find(|(name, _)| name == "attribute") {
        let path = this.printed(path)?;
        for item in items {
            let found = attribute(&item, Some(&path));
            let default =
                arguments.named.iter().find(|(name, _)| name == "default").filter(|_| found.is_missing());
            mapped.push(default.map_or(found, |(_, default)| default.clone()));
        }
        return Data::list(mapped, &mut this.budget);
    }
    let Some((Data::Text(name), rest)) = arguments.positional.split_first() else {
        return Err(Fail::type_of("`map` takes the name of a filter, or attribute=\"…\""));
    };
    let filter = named(name.as_str())
        .ok_or_else(|| Fail::type_of(format!("`map` is given `{}`, which is no filter", name.as_str())))?;
    for item in items {
        this.budget.work(1)?;
        let arguments = Arguments { positional: rest.to_vec(), named: arguments.named.clone() };
        mapped.push(filter(this, item, arguments)?);
    }
    Data::list(mapped, &mut this.budget)
}

/// The items that pass a test, or that don't.
fn choose<'a>(
    this: &mut Evaluation<'a>,
    value: &Data<'a>,
    arguments: Arguments<'a>,
    path: Option<&str>,
    wanted: bool,
) -> Evaluated<Data<'a>> {
    let mut given = arguments.positional.into_iter();
    let predicate = match given.next() {
        None => None,
        Some(Data::Text(name)) => Some(
            predicates::named(name.as_str())
                .ok_or_else(|| Fail::type_of(format!("`{}` is no test", name.as_str())))?,
        ),
        Some(other) => return Err(wrong_kind("items are chosen by the name of a test", &other)),
    };
    let with: Vec<Data<'a>> = given.collect();
    let mut chosen = Vec::new();
    for item in value.items(&mut this.budget)? {
        this.budget.work(1)?;
        let part = attribute(&item, path);
        let passes = match predicate {
            None => part.is_true(),
            Some(predicate) => {
                predicate(this, &part, Arguments { positional: with.clone(), named: Vec::new() })?
            }
        };
        chosen.extend((passes == wanted).then_some(item));
    }
    Data::list(chosen, &mut this.budget)
}

/// The same, by an attribute of theirs.
fn choose_by<'a>(
    this: &mut Evaluation<'a>,
    value: &Data<'a>,
    mut arguments: Arguments<'a>,
    wanted: bool,
) -> Evaluated<Data<'a>> {
    if arguments.positional.is_empty() {
        return Err(Fail::type_of("items are chosen by an attribute, which isn't named"));
    }
    let path = arguments.positional.remove(0);
    let path = this.printed(&path)?;
    choose(this, value, arguments, Some(&path), wanted)
}
