//! What of a document doesn't fit the connectors that are known.

use super::KnownConnectors;
use serde_json::{Value, json};
use shared_types::{
    api::connectors::ConnectorOperation,
    connector::{Definitions, InputSchema, OperationName},
    workflow::{
        Finding, TemplateValue,
        check::{OperationReference, RecordReference, Reference, Target},
    },
};

/// Code, place below the reference, and sentence of what is found.
type Found = Vec<(&'static str, String, String)>;

impl KnownConnectors {
    /// What is found at the operations, records and loads that a document refers to, as warnings.
    pub(crate) fn findings(&self, references: &[Reference]) -> Vec<Finding> {
        let found = references.iter().flat_map(|reference| {
            let found = match &reference.to {
                Target::Operation(operation) => self.operation(operation),
                Target::Record(record) => self.record(record),
                Target::Context(name) => self.loaded(name),
                Target::Rule(_)
                | Target::Workflow(_)
                | Target::Level(_)
                | Target::Apart(_)
                | Target::Escalation(_)
                | Target::Approver(_)
                | Target::Veto(_)
                | Target::Recipient(_)
                | Target::Calendar(_)
                | Target::Secret(_)
                | Target::Event(_)
                | Target::Trigger(_) => Vec::new(),
            };
            found.into_iter().map(|(code, below, message)| {
                // Whoever has the text finds the line, which may be far below the reference.
                Finding::warning(code, format!("{}{below}", reference.pointer), message)
            })
        });
        found.collect()
    }

    fn operation(&self, called: &OperationReference) -> Found {
        // A name that isn't one is an error of the document itself.
        let Ok(name) = called.name.parse::<OperationName>() else { return Vec::new() };
        let connector = name.connector.as_str();
        let Some((_, operations)) = self.connector(connector) else {
            let message = format!("There is no connector {connector}.");
            return vec![("connector.missing", "/connector".to_owned(), message)];
        };
        let Some(operations) = operations else { return Vec::new() };
        let Some(operation) = operations.iter().find(|one| one.id == name.operation) else {
            let message = format!("The connector {connector} has no operation {}.", name.operation);
            return vec![("connector.operation", "/connector".to_owned(), message)];
        };
        let input = called.input.clone().unwrap_or_else(|| json!({}));
        misfits(operation, input)
            .into_iter()
            .map(|(below, message)| ("connector.input", format!("/input{below}"), message))
            .collect()
    }

    fn record(&self, record: &RecordReference) -> Found {
        let what = if record.is_made { "a new record" } else { "a changed record" };
        let entity = &record.entity;
        let unserved = || {
            vec![("connector.missing", "/entity".to_owned(), format!("No connector serves {what} {entity}."))]
        };
        let Some((connector, operations)) = self.serving(entity) else { return unserved() };
        let served = connector.spec.entities.get(entity);
        let name = served
            .and_then(|served| if record.is_made { served.create.as_ref() } else { served.update.as_ref() });
        let Some(name) = name else { return unserved() };
        let operation = operations.iter().flatten().find(|one| one.id == *name);
        let Some(operation) = operation else { return Vec::new() };
        let data = record.data.clone().unwrap_or_else(|| json!({}));
        let has_body = Self::has_body(connector);
        let (input, place) = if has_body { (json!({ "body": data }), "/body") } else { (data, "") };
        let found = misfits(operation, input).into_iter();
        found
            // What else the operation needs, the connector fills in.
            .filter(|(pointer, _)| has_body || !pointer.is_empty())
            .filter_map(|(pointer, message)| {
                let below = pointer.strip_prefix(place)?;
                Some(("connector.input", format!("/data{below}"), message))
            })
            .collect()
    }

    fn loaded(&self, name: &str) -> Found {
        if self.connectors.iter().any(|(connector, _)| connector.spec.loads.contains_key(name)) {
            return Vec::new();
        }
        let message = format!("No connector serves {name}; what the payload brings is left as it is.");
        vec![("context.unserved", String::new(), message)]
    }
}

/// What of an input with templates doesn't fit an operation whatever the templates become: place and sentence.
fn misfits(operation: &ConnectorOperation, input: Value) -> Vec<(String, String)> {
    let input = TemplateValue::new(input);
    let templates: Vec<String> = input.templates().into_iter().map(|(pointer, _)| pointer).collect();
    // A schema that can't be used here may be usable on the server, which tells.
    let Ok(schema) = InputSchema::new(&operation.input_schema, &Definitions::default()) else {
        return Vec::new();
    };
    let faults = schema.faults(&input.source(), &templates).into_iter();
    faults.map(|fault| (fault.pointer, format!("{}: {}.", operation.id, fault.message))).collect()
}
