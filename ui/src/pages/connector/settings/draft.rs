//! A connector as the form holds it.

use serde_json::{Map, Value};
use shared_types::{api::connectors::Connector, desktop::ConnectorForm};
use std::rc::Rc;
use yew::Reducible;

/// The kinds, each with the word for it.
pub(super) const KINDS: [(&str, &str); 4] = [
    ("openapi", "OpenAPI document"),
    ("http", "HTTP, operations written by hand"),
    ("sql", "PostgreSQL database"),
    ("mcp", "MCP server"),
];

/// The longest document that the page shows; a longer one is kept and told by its size.
const MAX_SHOWN: usize = 200_000;

const OPENAPI: &str = "# The document says what can be called. Say here what workflows take from it by other names:\n# loads:\n#   customer.profile: { operation: getCustomer, input: { id: \"{{ customer.id }}\" }, max_age: 5m }\n# entities:\n#   ticket: { create: createTicket, update: updateTicket }\n";
const HTTP: &str = "operations:\n  - id: get_customer\n    summary: Read a customer\n    path: /customers/{{ id }}\n    input_schema: { type: object, required: [id], properties: { id: { type: string } } }\n";
const SQL: &str = "operations:\n  - id: find_order\n    summary: Read an order\n    statement: select id, total from orders where id = :id\n    input_schema: { type: object, required: [id], properties: { id: { type: integer } } }\n    safe: true\n";
const MCP: &str = "# The server says which tools it has. Say here what workflows load by them:\n# loads:\n#   customer.profile: { operation: find_customer, input: { id: \"{{ customer.id }}\" } }\n";

/// A connector as the form holds it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) kind: String,
    /// Where the system is; what the form has no field for stays as it is.
    settings: Map<String, Value>,
    pub(super) auth: Map<String, Value>,
    limits: Map<String, Value>,
    /// Operations, entities and loads, as a text.
    pub(super) more: String,
    /// Empty where the imported one stays.
    pub(super) document: Rc<str>,
    /// How often `more` was put in place of what was there, other than by typing.
    pub(super) replaced: u32,
}

/// A change of what the form holds, whatever else changes meanwhile.
pub(super) struct Change(Box<dyn FnOnce(&mut Draft)>);

impl Change {
    pub(super) fn of(change: impl FnOnce(&mut Draft) + 'static) -> Self {
        Self(Box::new(change))
    }
}

impl Reducible for Draft {
    type Action = Change;

    fn reduce(self: Rc<Self>, change: Change) -> Rc<Self> {
        let mut next = (*self).clone();
        (change.0)(&mut next);
        Rc::new(next)
    }
}

impl Draft {
    /// What is stored, or the beginning of a new one.
    pub(super) fn of(connector: Option<&Connector>) -> Self {
        let Some(connector) = connector else {
            return Self { kind: "openapi".to_owned(), more: OPENAPI.to_owned(), ..Self::default() };
        };
        let spec = serde_json::to_value(&connector.spec).unwrap_or_default();
        let map = |key: &str| spec.get(key).and_then(Value::as_object).cloned().unwrap_or_default();
        let more: Map<String, Value> = ["operations", "entities", "loads"]
            .into_iter()
            .filter_map(|key| Some((key.to_owned(), spec.get(key)?.clone())))
            .collect();
        let kind = connector.spec.kind.name().to_owned();
        let more = if more.is_empty() { None } else { serde_json::to_string_pretty(&more).ok() };
        let more = more.unwrap_or_else(|| starter(&kind).to_owned());
        Self {
            name: connector.name.clone(),
            kind,
            settings: map("settings"),
            auth: map("auth"),
            limits: map("limits"),
            more,
            document: Rc::default(),
            replaced: 0,
        }
    }

    /// Makes it another kind: its own example in place of what it offers.
    pub(super) fn become_kind(&mut self, kind: &str) {
        kind.clone_into(&mut self.kind);
        starter(kind).clone_into(&mut self.more);
        self.settings.retain(|key, _| key == "base_url" && kind != "sql");
        self.document = Rc::default();
        self.replaced += 1;
    }

    /// The fields that say where the system is: key, label, example.
    pub(super) fn places(&self) -> &'static [(&'static str, &'static str, &'static str)] {
        match self.kind.as_str() {
            "openapi" => &[("base_url", "Address", "As the document says")],
            "sql" => &[
                ("host", "Host", "db.example.com"),
                ("port", "Port", "5432"),
                ("database", "Database", "shop"),
            ],
            "mcp" => &[("base_url", "Address", "https://tools.example.com/mcp")],
            _ => &[("base_url", "Address", "https://crm.example.com/api")],
        }
    }

    pub(super) fn setting(&self, key: &str) -> String {
        text(self.settings.get(key))
    }

    pub(super) fn set_setting(&mut self, key: &str, typed: &str) {
        put(&mut self.settings, key, typed, key == "port");
    }

    pub(super) fn limit(&self, key: &str) -> String {
        text(self.limits.get(key))
    }

    pub(super) fn set_limit(&mut self, key: &str, typed: &str) {
        put(&mut self.limits, key, typed, true);
    }

    /// Takes what is stored in place of what was typed.
    pub(super) fn take(&mut self, stored: &Connector) {
        *self = Self { replaced: self.replaced + 1, ..Self::of(Some(stored)) };
    }

    /// The document as text to edit; none where it is too long for that.
    pub(super) fn document_text(&self) -> Option<Rc<str>> {
        (self.document.len() <= MAX_SHOWN).then(|| Rc::clone(&self.document))
    }

    /// Whether comparing it asks the system itself, with the secret.
    pub(super) fn asks_the_server(&self) -> bool {
        self.kind == "mcp"
    }

    /// Whether there is enough of it to be compared.
    pub(super) fn is_ready(&self) -> bool {
        let needed = self.places().iter().filter(|(key, ..)| self.kind != "openapi" && *key != "port");
        !self.name.is_empty() && needed.map(|(key, ..)| self.setting(key)).all(|value| !value.is_empty())
    }

    /// What is sent of it.
    pub(super) fn form(&self) -> ConnectorForm {
        let mut fields = Map::new();
        fields.insert("kind".to_owned(), self.kind.clone().into());
        let mut auth = self.auth.clone();
        // Typed as words with blanks between them.
        if let Some(scopes) = auth.get_mut("scopes")
            && let Some(words) = scopes.as_str()
        {
            *scopes = words.split_whitespace().map(Value::from).collect();
        }
        for (key, map) in [("settings", &self.settings), ("auth", &auth), ("limits", &self.limits)] {
            if !map.is_empty() {
                fields.insert(key.to_owned(), Value::Object(map.clone()));
            }
        }
        let document = Some(self.document.to_string()).filter(|document| !document.trim().is_empty());
        ConnectorForm { name: self.name.clone(), fields, more: self.more.clone(), document }
    }
}

/// The example of what a kind offers.
fn starter(kind: &str) -> &'static str {
    match kind {
        "http" => HTTP,
        "sql" => SQL,
        "mcp" => MCP,
        _ => OPENAPI,
    }
}

fn text(value: Option<&Value>) -> String {
    value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).unwrap_or_default()
}

/// Puts what was typed into a map; a number where it is one, and nothing where nothing was typed.
fn put(map: &mut Map<String, Value>, key: &str, typed: &str, is_number: bool) {
    let number = typed.trim().parse::<u64>().ok().filter(|_| is_number);
    if typed.is_empty() {
        map.remove(key);
    } else {
        map.insert(key.to_owned(), number.map_or_else(|| typed.into(), Value::from));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_typed_is_what_is_sent_and_what_has_no_field_stays() {
        let new = Draft::of(None);
        assert!(!new.is_ready());
        let mut draft = Draft { name: "crm".to_owned(), ..new };
        assert!(draft.is_ready(), "the document may say the address");
        draft.become_kind("sql");
        draft.set_setting("host", "db");
        draft.set_setting("port", "5433");
        assert!(!draft.is_ready());
        draft.set_setting("database", "shop");
        draft.set_limit("concurrency", "4");
        assert!(draft.is_ready());
        let expected = json!({ "kind": "sql", "settings": { "host": "db", "port": 5433, "database": "shop" }, "limits": { "concurrency": 4 } });
        assert_eq!(Value::Object(draft.form().fields), expected);
        let stored: Connector = serde_json::from_value(json!({
            "name": "crm", "kind": "openapi", "settings": { "server": 1 }, "revision": 2, "etag": "\"r2\"", "base_url": "https://a.example",
            "operation_count": 0, "offered_auth": [], "findings": [], "used_by": [], "updated_at": "2026-01-01T00:00:00Z", "updated_by": "ada",
            "health": { "state": "well", "because": null, "held_until": null, "calls": 0, "failures": 0, "p95_ms": null },
            "loads": { "a.b": { "operation": "get" } },
        }))
        .unwrap();
        let mut known = Draft::of(Some(&stored));
        known.set_setting("base_url", "https://b.example");
        let form = known.form();
        assert_eq!(form.fields["settings"], json!({ "server": 1, "base_url": "https://b.example" }));
        assert_eq!(serde_json::from_str::<Value>(&form.more).unwrap()["loads"]["a.b"]["operation"], "get");
        assert_eq!(form.document, None);
        known.auth = json!({ "type": "oauth2_client_credentials", "scopes": "read  write " })
            .as_object()
            .unwrap()
            .clone();
        assert_eq!(known.form().fields["auth"]["scopes"], json!(["read", "write"]));
        known.more = "operations: []".to_owned();
        known.take(&stored);
        assert_eq!((known.replaced, known.setting("base_url").as_str()), (1, ""));
        assert!(known.more.contains("a.b"));
    }
}
