//! The values that a template works with: those of the run's context as they are, and those it makes itself.

use super::{
    budget::{Budget, Fail},
    tree::{For, Macro},
};
use crate::workflow::{context, number::Quantity, template::as_text};
use serde_json::Value;
use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    rc::Rc,
};

/// A value.
#[derive(Debug, Clone)]
pub(super) enum Data<'a> {
    /// Nothing is there; its fields are missing too.
    Missing,
    Null,
    Bool(bool),
    Number(Quantity),
    Text(Text<'a>),
    List(List<'a>),
    Map(Map<'a>),
    Object(Object<'a>),
}

/// A text.
#[derive(Debug, Clone)]
pub(super) enum Text<'a> {
    Borrowed(&'a str),
    Made(Rc<str>),
}

/// A list.
#[derive(Debug, Clone)]
pub(super) enum List<'a> {
    Borrowed(&'a [Value]),
    Made(Rc<Made<Vec<Data<'a>>>>),
}

/// A map.
#[derive(Debug, Clone)]
pub(super) enum Map<'a> {
    Borrowed(&'a serde_json::Map<String, Value>),
    Made(Rc<Made<BTreeMap<Text<'a>, Data<'a>>>>),
}

/// A list or a map that a template made, with what it comes to when it is written out.
#[derive(Debug)]
pub(super) struct Made<T> {
    pub(super) of: T,
    depth: usize,
    bytes: u64,
}

/// A value that can't leave its template.
#[derive(Debug, Clone)]
pub(super) enum Object<'a> {
    /// `namespace(…)`: its fields may be set.
    Namespace(Rc<RefCell<BTreeMap<String, Data<'a>>>>),
    /// `loop`.
    Loop(Rc<LoopState<'a>>),
    /// A macro.
    Macro(&'a Macro),
    /// The block of a `call` statement, with what is set where it stands.
    Caller(&'a Macro, Rc<Locals<'a>>),
}

/// What a template has set, by scope, the innermost last.
pub(super) type Locals<'a> = Vec<HashMap<&'a str, Data<'a>>>;

/// What `loop` tells in the body of a loop.
#[derive(Debug)]
pub(super) struct LoopState<'a> {
    pub(super) of: &'a For,
    pub(super) index: usize,
    pub(super) length: usize,
    /// How many loops of a recursive one are around this one.
    pub(super) depth: usize,
    pub(super) before: Data<'a>,
    pub(super) after: Data<'a>,
    /// What `loop.changed` was last asked about.
    pub(super) last: Rc<RefCell<Option<Data<'a>>>>,
}

impl Text<'_> {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Made(text) => text,
        }
    }
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Text<'_> {}

impl PartialOrd for Text<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl std::borrow::Borrow<str> for Text<'_> {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl<'a> List<'a> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Borrowed(list) => list.len(),
            Self::Made(list) => list.of.len(),
        }
    }

    pub(super) fn get(&self, index: usize) -> Option<Data<'a>> {
        match self {
            Self::Borrowed(list) => list.get(index).map(Data::of),
            Self::Made(list) => list.of.get(index).cloned(),
        }
    }
}

impl<'a> Map<'a> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Borrowed(map) => map.len(),
            Self::Made(map) => map.of.len(),
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<Data<'a>> {
        match self {
            Self::Borrowed(map) => map.get(key).map(Data::of),
            Self::Made(map) => map.of.get(key).cloned(),
        }
    }

    /// Its keys and values, in the order of the keys.
    pub(super) fn entries(&self) -> Vec<(Text<'a>, Data<'a>)> {
        match self {
            Self::Borrowed(map) => {
                map.iter().map(|(key, value)| (Text::Borrowed(key), Data::of(value))).collect()
            }
            Self::Made(map) => map.of.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
        }
    }
}

impl<'a> Data<'a> {
    /// A value of the context.
    pub(super) fn of(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(is) => Self::Bool(*is),
            Value::Number(number) => Self::Number(Quantity::of_number(number)),
            Value::String(text) => Self::Text(Text::Borrowed(text)),
            Value::Array(list) => Self::List(List::Borrowed(list)),
            Value::Object(map) => Self::Map(Map::Borrowed(map)),
        }
    }

    /// A value that nobody else keeps.
    pub(super) fn of_owned(value: Value, budget: &mut Budget) -> Result<Self, Fail> {
        Ok(match value {
            Value::Null => Self::Null,
            Value::Bool(is) => Self::Bool(is),
            Value::Number(number) => Self::Number(Quantity::of_number(&number)),
            Value::String(text) => Self::text(text, budget)?,
            Value::Array(list) => {
                let items = list.into_iter().map(|item| Self::of_owned(item, budget));
                Self::list(items.collect::<Result<_, _>>()?, budget)?
            }
            Value::Object(map) => {
                let mut made = BTreeMap::new();
                for (key, value) in map {
                    made.insert(Text::Made(key.into()), Self::of_owned(value, budget)?);
                }
                Self::map(made, budget)?
            }
        })
    }

    /// A text that was made; its bytes are counted.
    pub(super) fn text(text: impl Into<Rc<str>>, budget: &mut Budget) -> Result<Self, Fail> {
        let text: Rc<str> = text.into();
        budget.hold(text.len() as u64)?;
        Ok(Self::Text(Text::Made(text)))
    }

    /// A list that was made.
    pub(super) fn list(items: Vec<Self>, budget: &mut Budget) -> Result<Self, Fail> {
        let (depth, bytes) = measure(items.iter(), budget)?;
        budget.hold((items.len() * size_of::<Self>()) as u64)?;
        Ok(Self::List(List::Made(Rc::new(Made { of: items, depth, bytes }))))
    }

    /// A map that was made.
    pub(super) fn map(entries: BTreeMap<Text<'a>, Self>, budget: &mut Budget) -> Result<Self, Fail> {
        let (depth, bytes) = measure(entries.values(), budget)?;
        let keys = entries.keys().map(|key| key.as_str().len() as u64 + 4).sum::<u64>();
        budget.hold((entries.len() * size_of::<Self>() * 2) as u64 + keys)?;
        Ok(Self::Map(Map::Made(Rc::new(Made { of: entries, depth, bytes: bytes + keys }))))
    }

    pub(super) fn whole(number: usize) -> Self {
        Self::Number(Quantity::Whole(number as i128))
    }

    /// How many lists and maps are in each other.
    pub(super) fn depth(&self, budget: &mut Budget) -> Result<usize, Fail> {
        Ok(match self {
            Self::Missing
            | Self::Null
            | Self::Bool(_)
            | Self::Number(_)
            | Self::Text(_)
            | Self::Object(_) => 0,
            Self::List(List::Made(list)) => list.depth,
            Self::Map(Map::Made(map)) => map.depth,
            Self::List(List::Borrowed(list)) => depth_below(list.iter(), budget)?,
            Self::Map(Map::Borrowed(map)) => depth_below(map.values(), budget)?,
        })
    }

    /// About how many bytes it has as JSON.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::Missing | Self::Null | Self::Bool(_) => 5,
            Self::Number(_) => 16,
            Self::Text(text) => text.as_str().len() as u64 + 2,
            Self::List(List::Made(list)) => list.bytes,
            Self::Map(Map::Made(map)) => map.bytes,
            Self::List(List::Borrowed(list)) => list.iter().map(context::weight).sum::<u64>() + 2,
            Self::Map(Map::Borrowed(map)) => {
                map.iter().map(|(key, value)| key.len() as u64 + 4 + context::weight(value)).sum::<u64>() + 2
            }
            Self::Object(_) => 0,
        }
    }

    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }

    /// Whether it counts as true: not missing, null, false, zero or empty.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Missing | Self::Null => false,
            Self::Bool(is) => *is,
            Self::Number(number) => !number.order(Quantity::Whole(0)).is_eq(),
            Self::Text(text) => !text.as_str().is_empty(),
            Self::List(list) => list.len() > 0,
            Self::Map(map) => map.len() > 0,
            Self::Object(_) => true,
        }
    }

    /// What it is, in an error: `the text "50.00"`, `a list`.
    pub(super) fn kind_in_words(&self) -> String {
        match self {
            Self::Missing => "isn't there".to_owned(),
            Self::Null => "is null".to_owned(),
            Self::Bool(is) => format!("is {is}"),
            Self::Number(number) => format!("is the number {number}"),
            Self::Text(text) => {
                let text = text.as_str();
                let cut: String = text.chars().take(40).collect();
                let more = if cut.len() < text.len() { "…" } else { "" };
                format!("is the text \"{cut}{more}\"")
            }
            Self::List(_) => "is a list".to_owned(),
            Self::Map(_) => "is a map".to_owned(),
            Self::Object(_) => "is no value".to_owned(),
        }
    }

    /// The field of a name: a map's key, a list's item, a `loop`'s or a `namespace`'s field; then `length`.
    pub(super) fn field(&self, name: &str) -> Self {
        let found = match self {
            Self::Map(map) => map.get(name),
            Self::List(list) => name.parse().ok().and_then(|index| list.get(index)),
            Self::Object(Object::Namespace(fields)) => fields.borrow().get(name).cloned(),
            Self::Object(Object::Loop(state)) => state.field(name),
            Self::Object(Object::Macro(_) | Object::Caller(..))
            | Self::Missing
            | Self::Null
            | Self::Bool(_)
            | Self::Number(_)
            | Self::Text(_) => None,
        };
        match (found, self) {
            (Some(found), _) => found,
            // What `groupby` gives are pairs, which Jinja also reads by these names.
            (None, Self::List(list @ List::Made(_))) if list.len() == 2 && name == "grouper" => {
                list.get(0).unwrap_or(Self::Missing)
            }
            (None, Self::List(list @ List::Made(_))) if list.len() == 2 && name == "list" => {
                list.get(1).unwrap_or(Self::Missing)
            }
            (None, Self::List(list)) if name == "length" => Self::whole(list.len()),
            (None, Self::Text(text)) if name == "length" => Self::whole(text.as_str().chars().count()),
            (None, _) => Self::Missing,
        }
    }

    /// The item at a place: a list's by number, from the end where negative; a map's by key.
    pub(super) fn item(&self, at: &Self) -> Self {
        match (self, at) {
            (Self::Map(_) | Self::List(_) | Self::Object(_), Self::Text(key)) => self.field(key.as_str()),
            (Self::Map(map), key) => map.get(&key.print()).unwrap_or(Self::Missing),
            (Self::List(list), Self::Number(Quantity::Whole(at))) => {
                index(*at, list.len()).and_then(|at| list.get(at)).unwrap_or(Self::Missing)
            }
            (Self::Text(text), Self::Number(Quantity::Whole(at))) => {
                let text = text.as_str();
                let character = index(*at, text.chars().count()).and_then(|at| text.chars().nth(at));
                character.map_or(Self::Missing, |c| Self::Text(Text::Made(c.to_string().into())))
            }
            _ => Self::Missing,
        }
    }

    /// Its items to go through: of a list, the keys of a map, the characters of a text; none of what isn't there.
    pub(super) fn items(&self, budget: &mut Budget) -> Result<Vec<Self>, Fail> {
        let items: Vec<Self> = match self {
            Self::Missing | Self::Null => Vec::new(),
            Self::List(List::Borrowed(list)) => {
                budget.work(list.len())?;
                list.iter().map(Self::of).collect()
            }
            Self::List(List::Made(list)) => {
                budget.work(list.of.len())?;
                list.of.clone()
            }
            Self::Map(map) => {
                budget.work(map.len())?;
                map.entries().into_iter().map(|(key, _)| Self::Text(key)).collect()
            }
            Self::Text(text) => {
                budget.work(text.as_str().len())?;
                budget.hold(text.as_str().len() as u64 * 32)?;
                text.as_str().chars().map(|c| Self::Text(Text::Made(c.to_string().into()))).collect()
            }
            Self::Bool(_) | Self::Number(_) | Self::Object(_) => {
                return Err(Fail::type_of(format!("what is gone through {}", self.kind_in_words())));
            }
        };
        budget.hold((items.len() * size_of::<Self>()) as u64)?;
        Ok(items)
    }

    /// The value as it leaves the template.
    pub(super) fn into_json(self) -> Value {
        match self {
            Self::Missing | Self::Null | Self::Object(_) => Value::Null,
            Self::Bool(is) => Value::Bool(is),
            Self::Number(number) => number.to_json(),
            Self::Text(text) => Value::String(text.as_str().to_owned()),
            Self::List(List::Borrowed(list)) => Value::Array(list.to_vec()),
            Self::List(List::Made(list)) => {
                Value::Array(list.of.iter().map(|item| item.clone().into_json()).collect())
            }
            Self::Map(Map::Borrowed(map)) => Value::Object(map.clone()),
            Self::Map(Map::Made(map)) => Value::Object(
                map.of
                    .iter()
                    .map(|(key, value)| (key.as_str().to_owned(), value.clone().into_json()))
                    .collect(),
            ),
        }
    }

    /// The value as text: what isn't there is empty, lists and maps are JSON.
    pub(super) fn print(&self) -> String {
        match self {
            Self::Missing | Self::Null | Self::Object(_) => String::new(),
            Self::Bool(is) => is.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.as_str().to_owned(),
            Self::List(_) | Self::Map(_) => as_text(&self.clone().into_json()),
        }
    }
}

impl<'a> LoopState<'a> {
    fn field(&self, name: &str) -> Option<Data<'a>> {
        Some(match name {
            "index" => Data::whole(self.index + 1),
            "index0" => Data::whole(self.index),
            "revindex" => Data::whole(self.length - self.index),
            "revindex0" => Data::whole(self.length - self.index - 1),
            "first" => Data::Bool(self.index == 0),
            "last" => Data::Bool(self.index + 1 == self.length),
            "length" => Data::whole(self.length),
            "depth" => Data::whole(self.depth + 1),
            "depth0" => Data::whole(self.depth),
            "previtem" => self.before.clone(),
            "nextitem" => self.after.clone(),
            _ => return None,
        })
    }
}

/// A place in so many items; from the end where negative.
fn index(at: i128, length: usize) -> Option<usize> {
    let length = i128::try_from(length).ok()?;
    usize::try_from(if at < 0 { at + length } else { at }).ok()
}

/// The depth and the bytes of a list or a map of these.
fn measure<'d, 'a: 'd>(
    parts: impl Iterator<Item = &'d Data<'a>>,
    budget: &mut Budget,
) -> Result<(usize, u64), Fail> {
    let (mut depth, mut bytes) = (0, 2);
    for part in parts {
        budget.work(1)?;
        depth = depth.max(part.depth(budget)?);
        bytes += part.bytes() + 1;
        // A small value may hold another many times, and be large when it is written out.
        Budget::fits(bytes)?;
    }
    Budget::nests(depth + 1)?;
    Ok((depth + 1, bytes))
}

/// The depth of a list or a map of these. Values of the context aren't deep.
fn depth_below<'v>(parts: impl Iterator<Item = &'v Value>, budget: &mut Budget) -> Result<usize, Fail> {
    let mut depth = 0;
    for part in parts {
        budget.work(1)?;
        depth = depth.max(match part {
            Value::Array(list) => depth_below(list.iter(), budget)?,
            Value::Object(map) => depth_below(map.values(), budget)?,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
        });
    }
    Ok(depth + 1)
}
