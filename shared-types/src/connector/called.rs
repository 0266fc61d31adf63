//! Operations as effects name them, and what they are bound to at a time: so that a preview, an approval and the call agree on
//! what is sent.

use super::{
    operation::{Operation, OperationCall},
    schema::Definitions,
};
use crate::workflow::effect::Effect;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

/// An operation as an effect names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CalledOperation {
    /// By its connector and its name: `crm.create_task`.
    Named(String),
    /// The one that makes a kind of record.
    Makes(String),
    /// The one that changes a kind of record.
    Changes(String),
}

/// A revision of a connector: of this one, and of no other that has its name or serves its records later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectorRevision {
    /// Id of the connector.
    pub connector: Uuid,
    /// Number of the revision, from 1.
    pub revision: i32,
}

/// An operation as it stood at a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BoundOperation {
    /// How it was named.
    pub called: CalledOperation,
    /// The revision of its connector.
    pub revision: ConnectorRevision,
    /// The address before its path.
    pub base_url: String,
    /// How it is called.
    pub call: OperationCall,
    /// The input that says which record is changed; none where no record is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_input: Option<IdInput>,
}

/// The input of an operation that says which record is changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdInput {
    /// The input property that holds it.
    pub name: String,
    /// Whether the system counts its records.
    pub is_number: bool,
}

impl CalledOperation {
    /// The operation that an effect calls; none where it says all of its request itself.
    pub fn of(effect: &Effect) -> Option<Self> {
        match effect {
            Effect::Connector(call) => Some(Self::Named(call.connector.clone())),
            Effect::CreateRecord(record) => Some(Self::Makes(record.entity.clone())),
            Effect::UpdateRecord(record) => Some(Self::Changes(record.entity.clone())),
            Effect::HttpRequest(_)
            | Effect::Webhook(_)
            | Effect::Notify(_)
            | Effect::CreateApprovalRequest(_)
            | Effect::EmitEvent(_)
            | Effect::Log(_) => None,
        }
    }
}

impl IdInput {
    /// The input of an operation that has this name; without one, the only one in its path. Its schema may lead to one of
    /// these definitions.
    pub fn of(operation: &Operation, name: Option<&str>, definitions: &Definitions) -> Option<Self> {
        let name = name.or_else(|| operation.path_inputs().first().copied())?;
        let schema = operation.input_schema.pointer("/properties").and_then(|all| all.get(name));
        let kinds = schema.map(|schema| definitions.followed(schema)).and_then(|schema| schema.get("type"));
        let takes = |kind: &str| match kinds {
            Some(Value::Array(kinds)) => kinds.iter().any(|one| one == kind),
            Some(one) => one == kind,
            None => false,
        };
        let is_number = (takes("integer") || takes("number")) && !takes("string");
        Some(Self { name: name.to_owned(), is_number })
    }
}

/// The input of an operation for a record: its fields are the body, or the inputs where there is none; its identifier stands where
/// the connector says.
pub fn record_input(
    call: &OperationCall,
    id_input: Option<&IdInput>,
    entity_id: Option<&str>,
    data: Value,
) -> Map<String, Value> {
    let fields = if call.has_body() { None } else { data.as_object().cloned() };
    let mut input = fields.unwrap_or_else(|| Map::from_iter([("body".to_owned(), data)]));
    if let (Some(IdInput { name, is_number }), Some(id)) = (id_input, entity_id) {
        // The language has one kind of identifier, and systems have two.
        let number = id.parse::<i64>().ok().filter(|_| *is_number);
        input.insert(name.clone(), number.map_or_else(|| Value::from(id), Value::from));
    }
    input
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_input_counts_where_its_schema_takes_numbers_alone_wherever_that_stands() {
        let definitions =
            json!({ "Id": { "$ref": "#/$defs/Number" }, "Number": { "type": ["integer", "null"] } });
        let definitions = Definitions(definitions.as_object().unwrap().clone());
        for (schema, is_number) in [
            (json!({ "type": "integer" }), true),
            (json!({ "type": "number" }), true),
            (json!({ "$ref": "#/$defs/Id" }), true),
            (json!({ "type": ["integer", "string"] }), false),
            (json!({ "type": "string" }), false),
            (json!(true), false),
        ] {
            let operation: Operation = serde_json::from_value(json!({
                "id": "change", "safe": false, "input_schema": { "properties": { "id": schema } },
                "call": { "http_templates": { "method": "PATCH", "path": "/tickets/{id}" } },
            }))
            .unwrap();
            let id_input = IdInput::of(&operation, None, &definitions).unwrap();
            assert_eq!((id_input.name.as_str(), id_input.is_number), ("id", is_number), "{schema}");
        }
    }

    #[test]
    fn the_identifier_of_a_record_is_written_as_the_system_has_it() {
        let by_http = json!({ "http_templates": { "method": "PATCH", "path": "/tickets/{n}" } });
        let by_http: OperationCall = serde_json::from_value(by_http).unwrap();
        let counted = IdInput { name: "n".to_owned(), is_number: true };
        let named = IdInput { name: "n".to_owned(), is_number: false };
        for (id_input, id, expected) in
            [(&counted, "17", json!(17)), (&counted, "A-17", json!("A-17")), (&named, "17", json!("17"))]
        {
            let input = record_input(&by_http, Some(id_input), Some(id), json!({ "a": 1 }));
            assert_eq!(Value::Object(input), json!({ "body": { "a": 1 }, "n": expected }));
        }
        assert_eq!(Value::Object(record_input(&by_http, None, Some("17"), json!({}))), json!({ "body": {} }));
        let by_tool: OperationCall = serde_json::from_value(json!({ "mcp": { "tool": "change" } })).unwrap();
        let input = record_input(&by_tool, Some(&counted), Some("17"), json!({ "a": 1 }));
        assert_eq!(Value::Object(input), json!({ "a": 1, "n": 17 }), "a tool has no body");
    }
}
