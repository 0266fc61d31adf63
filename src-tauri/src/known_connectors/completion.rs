//! What can stand at a place of a workflow's text: operations and their inputs, kinds of records, names that are loaded.
//!
//! The word at the caret is replaced by a mark, in each way in which it may be meant, until the text can be read; where the mark
//! stands then says what fits. So YAML and JSON, blocks and braces are one.

use super::KnownConnectors;
use serde_json::{Map, Value};
use shared_types::{
    api::connectors::ConnectorOperation,
    connector::Shape,
    desktop::{Completion, Completions},
    workflow::{Format, source::Source},
};

/// What stands in place of the word at the caret; no document has it.
const MARK: &str = "iw_caret_7f3a";
/// How many words are offered.
const MAX_OFFERED: usize = 200;

/// Where the mark stands.
#[derive(Debug)]
struct Caret<'v> {
    /// The maps around it with the key that leads on, from the outside.
    path: Vec<(&'v Map<String, Value>, &'v str)>,
    /// Whether the mark is a key of the innermost map, which then is the last of `path`.
    is_key: bool,
}

impl Caret<'_> {
    /// Whether the innermost map is an effect of one of these types, or of none yet.
    fn is_of_type(&self, types: &[&str]) -> bool {
        let kind = self.path.last().and_then(|(map, _)| map.get("type")).and_then(Value::as_str);
        kind.is_none_or(|kind| types.contains(&kind))
    }
}

/// How a word is written where the caret stands.
#[derive(Debug, Clone, Copy)]
struct Place {
    format: Format,
    /// Whether quotes are around it already.
    is_quoted: bool,
    /// Whether a colon follows it already.
    has_colon: bool,
}

impl Place {
    fn written(self, label: &str) -> String {
        if self.is_quoted { within_quotes(label) } else { scalar(label, self.format) }
    }
}

impl KnownConnectors {
    /// What can stand at a place, given in UTF-16 units from the text's beginning.
    pub(crate) fn complete(&self, text: &str, format: Format, at: usize) -> Option<Completions> {
        let at = byte_of(text, at);
        let begin = text[..at]
            .rfind(|c: char| !is_of_word(c))
            .map_or(0, |before| before + text[before..].chars().next().map_or(1, char::len_utf8));
        let end = text[at..].find(|c: char| !is_of_word(c)).map_or(text.len(), |after| at + after);
        let is_quoted = text[..begin].ends_with(['"', '\'']);
        let (before, after) = (&text[..begin], &text[end..]);
        let ways = [MARK.to_owned(), format!("{MARK}: 0"), format!("\"{MARK}\""), format!("\"{MARK}\": 0")];
        let ways = ways.iter().filter(|way| !is_quoted || !way.starts_with('"'));
        let found = ways.filter_map(|way| {
            // A key that is followed by its colon already is read as one by the first way.
            let source = Source::parse(&format!("{before}{way}{after}"), format).ok()?;
            let place = Place {
                format,
                is_quoted,
                has_colon: after.trim_start_matches(['"', '\'']).starts_with(':'),
            };
            let options = self.options(&caret(&source.value)?, place);
            (!options.is_empty()).then_some(options)
        });
        let mut options = found.into_iter().next()?;
        let is_whole = options.len() <= MAX_OFFERED;
        if !is_whole {
            // Of many, those that hold what is typed, so that each can be come by.
            let typed = text[begin..at].to_lowercase();
            options.retain(|option| option.label.to_lowercase().contains(&typed));
            options.truncate(MAX_OFFERED);
        }
        Some(Completions { from: text[..begin].encode_utf16().count(), options, is_whole })
    }

    fn options(&self, caret: &Caret<'_>, place: Place) -> Vec<Completion> {
        let keys: Vec<&str> = caret.path.iter().map(|(_, key)| *key).collect();
        let key = |label: &str, detail: String| {
            let colon = if place.is_quoted || place.has_colon { "" } else { ": " };
            Completion { label: label.to_owned(), detail, apply: format!("{}{colon}", place.written(label)) }
        };
        let word = |label: &str, detail: String| Completion {
            label: label.to_owned(),
            detail,
            apply: place.written(label),
        };
        let mut options: Vec<Completion> = match (keys.as_slice(), caret.is_key) {
            (["context", "load", ..], false) => self.loads().map(|(name, of)| word(name, of)).collect(),
            ([.., "execute", "connector"], false) if caret.is_of_type(&["connector"]) => {
                self.operations().map(|(name, of)| word(&name, of)).collect()
            }
            ([.., "execute", "entity"], false) if caret.is_of_type(&["create_record", "update_record"]) => {
                self.entities().map(|(name, of)| word(name, of)).collect()
            }
            _ => self.inputs(caret, &key, &word),
        };
        options.retain(|option| is_plain(&option.label));
        options
    }

    fn loads(&self) -> impl Iterator<Item = (&str, String)> {
        self.connectors.iter().flat_map(|(connector, _)| {
            connector
                .spec
                .loads
                .iter()
                .map(|(name, load)| (name.as_str(), format!("{}.{}", connector.name, load.operation)))
        })
    }

    fn entities(&self) -> impl Iterator<Item = (&str, String)> {
        self.connectors.iter().flat_map(|(connector, _)| {
            connector.spec.entities.keys().map(|name| (name.as_str(), connector.name.clone()))
        })
    }

    /// The operations; of a connector whose operations aren't here, its name alone.
    fn operations(&self) -> impl Iterator<Item = (String, String)> {
        self.connectors.iter().flat_map(|(connector, operations)| match operations {
            Some(operations) => {
                let named = |one: &ConnectorOperation| {
                    (format!("{}.{}", connector.name, one.id), one.summary.clone())
                };
                operations.iter().map(named).collect::<Vec<_>>()
            }
            None => {
                vec![(format!("{}.", connector.name), format!("{} operations", connector.operation_count))]
            }
        })
    }

    /// What can stand in the input of an operation, or in the data of a record.
    fn inputs(
        &self,
        caret: &Caret<'_>,
        key: &dyn Fn(&str, String) -> Completion,
        word: &dyn Fn(&str, String) -> Completion,
    ) -> Vec<Completion> {
        let begun = caret.path.iter().enumerate().rev().find_map(|(n, (map, leads))| {
            let text = |name: &str| map.get(name).and_then(Value::as_str);
            match *leads {
                "input" => Some((n, self.named(text("connector")?)?, Vec::new())),
                "data" => {
                    let (operation, place) = self.of_record(text("entity")?, text("type")?)?;
                    Some((n, operation, place.into_iter().collect()))
                }
                _ => None,
            }
        });
        let Some((n, operation, mut path)) = begun else { return Vec::new() };
        path.extend(caret.path[n + 1..].iter().map(|(_, key)| *key).filter(|key| *key != MARK));
        let root = Shape::new(&operation.input_schema);
        let Some(shape) = path.iter().try_fold(root, |shape, key| shape.property(key)) else {
            return Vec::new();
        };
        // Whether one stands in a list isn't among the keys.
        let is_bare = shape.properties().is_empty() && shape.choices().is_none();
        let shape = shape.item().filter(|_| is_bare).unwrap_or(shape);
        if !caret.is_key {
            let choices = shape.choices().unwrap_or_default().iter().filter_map(Value::as_str);
            return choices.map(|value| word(value, String::new())).collect();
        }
        let (known, required) = (caret.path.last().map(|(map, _)| *map), shape.required());
        let is_new = |name: &str| known.is_none_or(|known| !known.contains_key(name));
        let properties = shape.properties().into_iter().filter(|(name, _)| is_new(name));
        properties.map(|(name, of)| key(name, described(of, !required.contains(name)))).collect()
    }

    fn named(&self, name: &str) -> Option<&ConnectorOperation> {
        let (connector, operation) = name.split_once('.')?;
        self.connector(connector)?.1.as_ref()?.iter().find(|one| one.id == operation)
    }

    fn of_record(&self, entity: &str, kind: &str) -> Option<(&ConnectorOperation, Option<&'static str>)> {
        let (connector, operations) = self.serving(entity)?;
        let served = connector.spec.entities.get(entity)?;
        let name = match kind {
            "create_record" => served.create.as_ref(),
            "update_record" => served.update.as_ref(),
            _ => None,
        }?;
        let operation = operations.as_ref()?.iter().find(|one| one.id == *name)?;
        Some((operation, Self::has_body(connector).then_some("body")))
    }
}

/// How long a word may be that is offered.
const MAX_LABEL: usize = 200;

/// Whether a word of somebody else's can be offered at all.
fn is_plain(label: &str) -> bool {
    !label.is_empty() && label.chars().count() <= MAX_LABEL && !label.contains(char::is_control)
}

/// A word as a scalar: bare where every reader takes it for this text, else in quotes.
fn scalar(label: &str, format: Format) -> String {
    let begins = label.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let is_bare =
        begins && label.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '/'));
    let words = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let is_word = words.iter().any(|word| label.eq_ignore_ascii_case(word));
    match format {
        Format::Yaml if is_bare && !is_word => label.to_owned(),
        // A text of JSON is one of YAML as well.
        Format::Yaml | Format::Json => Value::from(label).to_string(),
    }
}

/// A word between quotes that are there already.
fn within_quotes(label: &str) -> String {
    let quoted = Value::from(label).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// Whether a character belongs to a word that is completed.
fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '/')
}

/// The byte at which so many UTF-16 units of a text are over.
fn byte_of(text: &str, units: usize) -> usize {
    let mut seen = 0;
    for (at, c) in text.char_indices() {
        if seen >= units {
            return at;
        }
        seen += c.len_utf16();
    }
    text.len()
}

/// Where the mark stands in a value.
fn caret(value: &Value) -> Option<Caret<'_>> {
    match value {
        Value::String(text) => (text == MARK).then(|| Caret { path: Vec::new(), is_key: false }),
        Value::Array(list) => list.iter().find_map(caret),
        Value::Object(map) => {
            if map.contains_key(MARK) {
                return Some(Caret { path: vec![(map, MARK)], is_key: true });
            }
            map.iter().find_map(|(key, below)| {
                let mut caret = caret(below)?;
                caret.path.insert(0, (map, key));
                Some(caret)
            })
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// A property in a few words: its type, whether it is needed, and what it is.
fn described(shape: Shape<'_>, is_optional: bool) -> String {
    let (kind, description) = (shape.kind(), shape.description());
    let parts = [kind.as_str(), if is_optional { "" } else { "required" }, description.as_str()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn known() -> KnownConnectors {
        let connector = serde_json::from_value(json!({
            "name": "crm", "kind": "openapi", "revision": 1, "etag": "\"r1\"", "base_url": "https://crm.example.com",
            "operation_count": 2, "offered_auth": [], "findings": [], "used_by": [], "updated_at": "2026-01-01T00:00:00Z",
            "updated_by": "ada@example.com",
            "health": { "state": "well", "because": null, "held_until": null, "calls": 0, "failures": 0, "p95_ms": null },
            "entities": { "ticket": { "create": "createTicket" } }, "loads": { "customer.profile": { "operation": "getCustomer" } },
        }))
        .unwrap();
        let operations = serde_json::from_value(json!([
            { "id": "createTicket", "summary": "Open a ticket", "safe": false, "output_schema": null, "input_schema": {
                "type": "object", "required": ["body"], "properties": { "body": { "$ref": "#/$defs/Ticket" } },
                "$defs": { "Ticket": { "type": "object", "required": ["title"], "properties": {
                    "title": { "type": "string", "description": "What it is about" }, "tags": { "type": "array", "items": { "properties": { "name": {} } } },
                    "state": { "enum": ["open", "closed"] } } } } } },
            { "id": "getCustomer", "summary": "Read a customer", "safe": true, "output_schema": null, "input_schema": {
                "type": "object", "required": ["id"], "properties": { "expand": { "type": "boolean" }, "id": { "type": "string" } } } },
        ]))
        .unwrap();
        KnownConnectors { connectors: vec![(connector, Some(operations))] }
    }

    /// What is offered at `|`, as it is written.
    fn offered(text: &str) -> Vec<String> {
        let at = text.find('|').unwrap();
        let format = if text.starts_with('{') { Format::Json } else { Format::Yaml };
        let units = text[..at].encode_utf16().count();
        let found = known().complete(&text.replacen('|', "", 1), format, units);
        found.map(|found| found.options.into_iter().map(|option| option.apply).collect()).unwrap_or_default()
    }

    #[test]
    fn what_fits_is_offered_wherever_the_caret_stands() {
        let operations = ["crm.createTicket", "crm.getCustomer"];
        for (text, expected) in [
            ("steps:\n  - execute:\n      - type: connector\n        connector: |", operations.as_slice()),
            (
                "name: Größe 😀\nsteps:\n  - { id: a, execute: [{ type: connector, connector: crm.c|reate }] }",
                &operations,
            ),
            ("steps: [{ execute: [{ connector: crm.getCustomer, input: { | } }] }]", &["id: ", "expand: "]),
            (
                "steps:\n  - execute:\n      - connector: crm.getCustomer\n        input:\n          |",
                &["id: ", "expand: "],
            ),
            (
                "steps:\n  - execute:\n      - connector: crm.getCustomer\n        input:\n          id: 7\n          ex|",
                &["expand: "],
            ),
            (
                "steps: [{ execute: [{ connector: crm.createTicket, input: { body: { ti| } } }] }]",
                &["title: ", "state: ", "tags: "],
            ),
            (
                "steps: [{ execute: [{ connector: crm.createTicket, input: { body: { state: | } } }] }]",
                &["open", "closed"],
            ),
            (
                "steps: [{ execute: [{ connector: crm.createTicket, input: { body: { tags: [{ | }] } } }] }]",
                &["name: "],
            ),
            ("steps: [{ execute: [{ type: create_record, entity: |, data: {} }] }]", &["ticket"]),
            (
                "steps: [{ execute: [{ type: create_record, entity: ticket, data: { title: a, | } }] }]",
                &["state: ", "tags: "],
            ),
            ("context: { load: [cu|] }", &["customer.profile"]),
            ("context:\n  load:\n    - name: |", &["customer.profile"]),
            ("{ \"context\": { \"load\": [\"cu|\"] } }", &["customer.profile"]),
            (
                "{ \"steps\": [{ \"execute\": [{ \"connector\": \"crm.getCustomer\", \"input\": { | } }] }] }",
                &["\"id\": ", "\"expand\": "],
            ),
            (
                "{ \"steps\": [{ \"execute\": [{ \"connector\": | }] }] }",
                &["\"crm.createTicket\"", "\"crm.getCustomer\""],
            ),
            ("steps: [{ execute: [{ type: create_approval_request, entity: |, data: {} }] }]", &[]),
            ("steps: [{ execute: [{ type: create_approval_request, entity: ticket, data: { | } }] }]", &[]),
            ("name: |", &[]),
            ("steps: [{ execute: [{ connector: crm.gone, input: { | } }] }]", &[]),
            ("steps: [{ |", &[]),
        ] {
            assert_eq!(offered(text), expected, "{text}");
        }
    }

    #[test]
    fn what_strangers_named_is_written_so_that_it_stays_one_word() {
        for (label, yaml) in [
            ("plain.name-1", "plain.name-1"),
            ("true", "\"true\""),
            ("1.0", "\"1.0\""),
            ("@type", "\"@type\""),
            ("a: b", "\"a: b\""),
            ("say \"hi\"", "\"say \\\"hi\\\"\""),
        ] {
            assert_eq!(scalar(label, Format::Yaml), yaml);
            let read = Source::parse(&format!("key: {}", scalar(label, Format::Yaml)), Format::Yaml).unwrap();
            assert_eq!(read.value["key"], label);
        }
        assert_eq!(within_quotes("say \"hi\""), "say \\\"hi\\\"");
        assert!(!is_plain("open\n  - id: x") && !is_plain(""));
    }

    #[test]
    fn of_very_many_operations_those_are_offered_that_hold_what_is_typed() {
        let mut known = known();
        let operations = known.connectors[0].1.as_mut().unwrap();
        let sample = operations[0].clone();
        operations.extend((0..500).map(|n| ConnectorOperation { id: format!("op{n}"), ..sample.clone() }));
        let text = "steps: [{ execute: [{ type: connector, connector: crm.op49 }] }]";
        let found = known.complete(text, Format::Yaml, text.find(" }]").unwrap()).unwrap();
        let labels: Vec<&str> = found.options.iter().map(|option| option.label.as_str()).collect();
        assert!(!found.is_whole && labels.len() == 11 && labels.contains(&"crm.op499"), "{labels:?}");
    }

    #[test]
    fn a_place_beyond_the_text_or_within_a_character_is_no_fault() {
        for at in [0, 3, 99] {
            assert_eq!(known().complete("a: 😀", Format::Yaml, at), None);
        }
    }
}
