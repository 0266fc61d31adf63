//! YAML texts: their values, and the line and column of each.

use super::{MAX_DEPTH, Place, Source, json::key_twice, unreadable};
use crate::workflow::finding::{Finding, escape_segment};
use serde::{
    Deserialize,
    de::{Deserializer, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};
use serde_saphyr::{Error, Spanned};
use std::{collections::BTreeMap, fmt};

/// How many values the aliases of a text may stand for.
const MAX_ALIASED: usize = 20_000;

/// Reads a YAML text.
pub(super) fn parse(text: &str) -> Result<Source, Box<Finding>> {
    with_room(|| parse_here(text))
        .unwrap_or_else(|| Err(Box::new(unreadable("The YAML can't be read now; try again.", (0, 0)))))
}

/// Reads a text on this stack. Its aliases are bounded before they are written out.
fn parse_here(text: &str) -> Result<Source, Box<Finding>> {
    let options = serde_saphyr::options! {
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_recorded_anchor_events: MAX_ALIASED * 10,
            // One anchor may be used in a thousand places; what all of them stand for is bounded below.
            enforce_alias_anchor_ratio: false,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: MAX_ALIASED,
            max_replay_stack_depth: 16,
        },
    };
    let node: Spanned<Node> =
        serde_saphyr::from_str_with_options(text, options).map_err(|error| Box::new(fault(text, &error)))?;
    let mut positions = BTreeMap::new();
    let value = flatten(node, String::new(), &mut positions);
    Ok(Source { value, positions })
}

/// The stack on which a text is read, in bytes: the reader takes tens of kilobytes for each level of nesting.
#[cfg(not(target_family = "wasm"))]
const STACK: usize = 32 * 1024 * 1024;

/// Runs a reader on a stack of its own, so that a text that nests deep can't exhaust the caller's. `None` where the system
/// has no thread to give.
#[cfg(not(target_family = "wasm"))]
fn with_room<T: Send>(read: impl FnOnce() -> T + Send) -> Option<T> {
    std::thread::scope(|scope| {
        let reader = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, read).ok()?;
        reader.join().ok()
    })
}

#[cfg(target_family = "wasm")]
fn with_room<T>(read: impl FnOnce() -> T) -> Option<T> {
    Some(read())
}

/// What is wrong with a text, in words that say what to write.
fn fault(text: &str, error: &Error) -> Finding {
    let place = error.location().map_or((0, 0), |at| (at.line(), at.column()));
    if let Error::DuplicateMappingKey { key: Some(key), .. } = innermost(error) {
        return key_twice("", key, place);
    }
    if let Some((column, template)) = unquoted_template(text, place.0) {
        let quote = if template.contains('"') { '\'' } else { '"' };
        let message = format!(
            "Put quotes around a template: {quote}{template}{quote}. Without them YAML reads its braces as a map."
        );
        return unreadable(&message, (place.0, column));
    }
    unreadable(&format!("The YAML can't be read: {}.", why(error)), place)
}

/// The fault itself, without the lines around it and without the alias in which it was met.
fn innermost(error: &Error) -> &Error {
    if let Error::WithSnippet { error, .. } | Error::AliasError { error, .. } = error {
        innermost(error)
    } else {
        error
    }
}

/// A template on a line that begins a value without quotes: its column, and the template itself.
fn unquoted_template(text: &str, line: u64) -> Option<(u64, &str)> {
    let line = text.lines().nth(usize::try_from(line).ok()?.checked_sub(1)?)?;
    let mut quote = None;
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '#') if line[..at].ends_with(char::is_whitespace) => return None,
            (None, '{') if line[at..].starts_with("{{") || line[at..].starts_with("{%") => {
                let before = line[..at].trim_end();
                if before.is_empty() || before.ends_with([':', '-', '[', ',', '{']) {
                    let end = ["}}", "%}"].iter().filter_map(|end| line[at..].find(end)).min();
                    let template = end.map_or("{{ … }}", |end| &line[at..at + end + 2]);
                    return Some((u64::try_from(line[..at].chars().count()).ok()? + 1, template));
                }
            }
            _ => {}
        }
    }
    None
}

/// Faults by what the reader says about them, and what to do about each.
const WORDS: [(&str, &str); 22] = [
    (
        "mapping values are not allowed",
        "a `:` stands where none can; put quotes around a text that holds one",
    ),
    ("unclosed quote", "a quote isn't closed"),
    ("unclosed bracket", "a bracket isn't closed"),
    ("unexpected character", "a text that begins with this character needs quotes"),
    (
        "unknown escape",
        "a text in double quotes holds a `\\` that begins no escape; write `\\\\`, or take single quotes",
    ),
    (
        "unknown anchor",
        "an alias (`*name`) has no anchor (`&name`) before it; put quotes around a text that begins with `*`",
    ),
    ("recursive", "an anchor holds itself"),
    ("expected string scalar", "a key must be a text; put quotes around a value that begins with a bracket"),
    ("merge", "`<<` needs a map, or a list of maps"),
    ("multiple YAML documents", "there is a second document after `---`; a file holds one"),
    ("non-finite", "a number must be finite"),
    ("base64", "`!!binary` can't be read; write a text"),
    ("tag", "a tag (`!…`) can't be read here; take it out"),
    ("invalid u64", "a tag says number and the value is none; take the tag out"),
    ("invalid", "a value isn't what its tag says; take the tag out"),
    (
        "indented",
        "a line isn't indented as those around it; a block is indented by the same blanks throughout",
    ),
    ("did not find expected key", "a line isn't indented as those around it, or a `key:` is missing"),
    ("did not find expected '-'", "a line isn't indented as those around it, or a `- ` is missing"),
    ("did not find expected ',' or ", "a comma or a closing bracket is missing"),
    ("illegal placement of ':'", "a closing bracket is missing before this line, or a `:` is too much"),
    ("tab", "a tab can't indent; use blanks"),
    ("depth", "it nests too deep"),
];

fn why(error: &Error) -> String {
    let aliases = || format!("its aliases stand for more than {MAX_ALIASED} values; write the values out");
    if let Error::AliasReplayLimitExceeded { .. }
    | Error::AliasExpansionLimitExceeded { .. }
    | Error::AliasReplayStackDepthExceeded { .. }
    | Error::AliasReplayCounterOverflow { .. } = innermost(error)
    {
        return aliases();
    }
    let said = innermost(error).to_string();
    let said = said.lines().next().unwrap_or_default();
    if said.contains("budget breached: Depth") || said.contains("nesting") || said.contains("recursion limit")
    {
        return format!("lists and maps nest more than {MAX_DEPTH} deep");
    }
    if said.contains("RecordedAnchor") || said.contains("Alias") {
        return aliases();
    }
    if said.contains("budget breached") {
        return "it holds too many values; make it smaller".to_owned();
    }
    let known = WORDS.iter().find(|(fragment, _)| said.contains(fragment));
    known
        .map_or("look at the indentation, and for a quote or bracket that is missing here", |(_, words)| {
            words
        })
        .to_owned()
}

enum Node {
    Scalar(Value),
    List(Vec<Spanned<Node>>),
    Map(Vec<(String, Spanned<Node>)>),
}

fn flatten(node: Spanned<Node>, pointer: String, positions: &mut BTreeMap<String, Place>) -> Value {
    let value = match node.value {
        Node::Scalar(value) => value,
        Node::List(list) => list
            .into_iter()
            .enumerate()
            .map(|(n, item)| flatten(item, format!("{pointer}/{n}"), positions))
            .collect(),
        Node::Map(map) => map
            .into_iter()
            .map(|(key, item)| {
                let below = format!("{pointer}/{}", escape_segment(&key));
                let value = flatten(item, below, positions);
                (key, value)
            })
            .collect::<Map<_, _>>()
            .into(),
    };
    positions.insert(pointer, (node.referenced.line(), node.referenced.column()));
    value
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = access.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = access.next_entry()? {
            map.push(entry);
        }
        Ok(Node::Map(map))
    }
}
