//! Operations that somebody wrote by hand: checked, and made into a catalog.

use super::catalog::Catalog;
use serde_json::Value;
use shared_types::{
    connector::{Definitions, HttpOperation, HttpSettings, InputSchema, Operation, names::MAX_OPERATION},
    workflow::{
        Finding,
        header::{is_own, name_fault},
    },
};
use std::collections::BTreeSet;

/// How many operations a connector may have.
pub(super) const MAX_OPERATIONS: usize = 1_000;

/// What hand-written operations offer, with what was found in them.
pub(super) fn catalog(
    settings: &HttpSettings,
    written: &[HttpOperation],
    findings: &mut Vec<Finding>,
) -> Catalog {
    let mut say = |pointer: String, message: String| {
        findings.push(Finding::error("connector.operation", pointer, message));
    };
    check_names(written.iter().map(|operation| operation.id.as_str()), &mut say);
    for (n, operation) in written.iter().enumerate().take(MAX_OPERATIONS) {
        let at = format!("/operations/{n}");
        check(operation, &at, &mut say);
        check_schema(operation.input_schema.as_ref(), &at, &mut say);
    }
    let mut operations: Vec<Operation> = written.iter().cloned().map(Operation::from).collect();
    operations.sort_by(|a, b| a.id.cmp(&b.id));
    Catalog { base_url: settings.base_url.clone(), operations, ..Catalog::default() }
}

fn check(operation: &HttpOperation, at: &str, say: &mut impl FnMut(String, String)) {
    let request = &operation.request;
    if !request.path.starts_with('/') {
        say(format!("{at}/path"), "`path` begins with `/`, behind the connector's address.".to_owned());
    }
    for (below, template) in request.templates() {
        if let Some(why) = template.fault() {
            say(format!("{at}{below}"), format!("The template can't be read: {why}."));
        }
        if template.secrets().next().is_some() {
            let message = "Secrets don't stand in operations; name the secret under `auth`, which sends it with each call.";
            say(format!("{at}{below}"), message.to_owned());
        }
    }
    for name in request.headers.keys() {
        if is_own(name) {
            say(
                format!("{at}/headers/{name}"),
                format!("`{name}` is set by the server itself; leave it out."),
            );
        } else if let Some(fault) = name_fault(name) {
            say(format!("{at}/headers/{name}"), format!("The header can't be sent: {fault}."));
        }
    }
    if request.output.as_deref().is_some_and(|output| !output.is_empty() && !output.starts_with('/')) {
        let message = "`output` is a JSON pointer, such as `/data/customer`.";
        say(format!("{at}/output"), message.to_owned());
    }
}

/// Looks at how many operations there are and how they are named.
pub(super) fn check_names<'n>(
    names: impl ExactSizeIterator<Item = &'n str>,
    say: &mut impl FnMut(String, String),
) {
    if names.len() > MAX_OPERATIONS {
        say("/operations".to_owned(), format!("A connector has at most {MAX_OPERATIONS} operations."));
    }
    let mut known = BTreeSet::new();
    for (n, name) in names.enumerate().take(MAX_OPERATIONS) {
        let at = format!("/operations/{n}/id");
        if name.is_empty() || name.chars().count() > MAX_OPERATION {
            say(at.clone(), format!("An operation's `id` has 1 to {MAX_OPERATION} characters."));
        }
        if !known.insert(name) {
            say(at, format!("Another operation is named `{name}` as well; name each once."));
        }
    }
}

/// Looks at the schema of an operation's input.
pub(super) fn check_schema(schema: Option<&Value>, at: &str, say: &mut impl FnMut(String, String)) {
    if let Some(fault) = schema.and_then(schema_fault) {
        say(format!("{at}/input_schema"), fault);
    }
}

/// Why a schema that stands alone can't be used, as a sentence.
pub(super) fn schema_fault(schema: &Value) -> Option<String> {
    if let Some(reference) = other_reference(schema) {
        return Some(format!(
            "`$ref` leads to `#/$defs/…` of the same schema, in one step; `{reference}` doesn't."
        ));
    }
    let made = InputSchema::new(schema, &Definitions::default());
    made.err().map(|error| format!("It isn't a JSON Schema that can be used: {error}."))
}

/// A reference of a schema that leads elsewhere than to one of its definitions: only these are counted as an input is checked.
fn other_reference(schema: &Value) -> Option<String> {
    let mut open = vec![schema];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(map) => {
                let references =
                    ["$ref", "$dynamicRef", "$recursiveRef"].iter().filter_map(|key| map.get(*key));
                for reference in references.filter_map(Value::as_str) {
                    let name = reference.strip_prefix("#/$defs/");
                    if !name.is_some_and(|name| !name.is_empty() && !name.contains('/')) {
                        return Some(reference.chars().take(100).collect());
                    }
                }
                open.extend(map.values());
            }
            Value::Array(list) => open.extend(list),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    None
}
