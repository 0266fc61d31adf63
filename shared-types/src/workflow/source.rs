//! A document's text: JSON or YAML, with the line and column of every value in it.

use super::{
    bounds,
    finding::{Finding, escape_segment},
};
use schemars::JsonSchema;
use serde::{
    Deserialize, Serialize,
    de::{Deserializer, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};
use serde_saphyr::Spanned;
use std::{collections::BTreeMap, fmt};

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// JSON.
    Json,
    /// YAML 1.2.
    Yaml,
}

impl Format {
    /// Its name, as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Yaml => "yaml",
        }
    }
}

/// A parsed text that still knows where everything stood.
#[derive(Debug, Clone)]
pub struct Source {
    /// What it holds.
    pub value: Value,
    positions: BTreeMap<String, (u64, u64)>,
}

impl Source {
    /// Reads a text.
    ///
    /// # Errors
    /// A finding with the place where the text can't be read.
    pub fn parse(text: &str, format: Format) -> Result<Self, Box<Finding>> {
        // Editors on Windows begin a file with a byte order mark.
        let source = Self::parse_text(text.strip_prefix('\u{feff}').unwrap_or(text), format)?;
        match bounds::place_of_zero(&source.value) {
            Some(pointer) => {
                let message = "The character U+0000 can't be stored; leave it out.";
                let mut finding = [Finding::error("text.zero", pointer, message)];
                source.locate(&mut finding);
                let [finding] = finding;
                Err(Box::new(finding))
            }
            None => Ok(source),
        }
    }

    fn parse_text(text: &str, format: Format) -> Result<Self, Box<Finding>> {
        if format == Format::Json {
            let value: Value = serde_json::from_str(text).map_err(|error| Box::new(json_fault(&error)))?;
            // JSON is YAML, so one reader knows the places; what it can't read costs only the places.
            let positions = parse_yaml(text).map(|source| source.positions).unwrap_or_default();
            return Ok(Self { value, positions });
        }
        parse_yaml(text)
    }

    /// Where a value stands, from 1; `None` where the text has no such value.
    pub fn position(&self, pointer: &str) -> Option<(u64, u64)> {
        self.positions.get(pointer).copied()
    }

    /// A value that came without a text.
    pub fn of_value(value: Value) -> Self {
        Self { value, positions: BTreeMap::new() }
    }

    /// Puts line and column into findings, from the nearest place that the text knows.
    pub fn locate(&self, findings: &mut [Finding]) {
        for finding in findings {
            let mut pointer = finding.pointer.as_str();
            loop {
                if let Some((line, column)) = self.positions.get(pointer) {
                    (finding.line, finding.column) = (*line, *column);
                    break;
                }
                let Some(parent) = pointer.rfind('/') else { break };
                pointer = &pointer[..parent];
            }
        }
    }
}

fn json_fault(error: &serde_json::Error) -> Finding {
    let mut finding = Finding::error("document.unreadable", "", format!("The JSON can't be read: {error}."));
    finding.line = u64::try_from(error.line()).unwrap_or_default();
    finding.column = u64::try_from(error.column()).unwrap_or_default();
    finding
}

fn parse_yaml(text: &str) -> Result<Source, Box<Finding>> {
    let options = serde_saphyr::options! {
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
    };
    let node: Spanned<Node> = serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let (line, column) = error.location().map_or((0, 0), |at| (at.line(), at.column()));
        let message = error.to_string();
        let first = message.lines().next().unwrap_or_default();
        let mut finding =
            Finding::error("document.unreadable", "", format!("The YAML can't be read: {first}."));
        (finding.line, finding.column) = (line, column);
        Box::new(finding)
    })?;
    let mut positions = BTreeMap::new();
    let value = flatten(node, String::new(), &mut positions);
    Ok(Source { value, positions })
}

enum Node {
    Scalar(Value),
    List(Vec<Spanned<Node>>),
    Map(Vec<(String, Spanned<Node>)>),
}

fn flatten(node: Spanned<Node>, pointer: String, positions: &mut BTreeMap<String, (u64, u64)>) -> Value {
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn yaml_keeps_what_people_mean_and_knows_where_it_stood() {
        let source = Source::parse(
            "version: 1.2.0\non: no\nzip: 0123\nwait: 24h\nsteps:\n  - id: a\n    on_true: b\n",
            Format::Yaml,
        )
        .unwrap();
        assert_eq!(
            source.value,
            json!({"version": "1.2.0", "on": "no", "zip": "0123", "wait": "24h", "steps": [{"id": "a", "on_true": "b"}]})
        );
        let mut findings =
            [Finding::error("x", "/steps/0/on_true", ""), Finding::error("x", "/steps/0/missing", "")];
        source.locate(&mut findings);
        assert_eq!((findings[0].line, findings[0].column), (7, 14));
        assert_eq!(findings[1].line, 6);
    }

    #[test]
    fn broken_text_is_a_finding_with_its_place() {
        let fault = Source::parse("a: [1, 2\nb: 3", Format::Yaml).unwrap_err();
        assert!(fault.line > 0, "{fault:?}");
        let fault = Source::parse("{\"a\": 1,}", Format::Json).unwrap_err();
        assert_eq!((fault.line, fault.column), (1, 9));
        let source = Source::parse("{\n  \"a\": \"\\ud83d\\ude00\"\n}", Format::Json).unwrap();
        assert_eq!(source.value, json!({"a": "😀"}));
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_text_and_a_zero_character_is_found() {
        for (text, format) in [("\u{feff}{\"a\": 1}", Format::Json), ("\u{feff}a: 1\n", Format::Yaml)] {
            assert_eq!(Source::parse(text, format).unwrap().value, json!({"a": 1}));
        }
        for (text, format) in [
            (r#"{"a": ["b", "c\u0000"]}"#, Format::Json),
            (r#"a: [b, "c\0"]"#, Format::Yaml),
            (r#"a: [b, "c\x00"]"#, Format::Yaml),
        ] {
            let fault = Source::parse(text, format).unwrap_err();
            assert_eq!((fault.code.as_ref(), fault.pointer.as_str()), ("text.zero", "/a/1"), "{fault:?}");
        }
        let fault = Source::parse(r#"{"a\u0000": 1}"#, Format::Json).unwrap_err();
        assert_eq!(fault.pointer, "/a?");
    }
}
