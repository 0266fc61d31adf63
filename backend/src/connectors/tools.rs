//! Tools of an MCP server, made into a catalog. What a server says of its tools is a stranger's word: it is bounded, and what
//! can't be used of it is told.

use super::{
    catalog::Catalog,
    http_operations::{MAX_OPERATIONS, schema_fault},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use shared_types::{
    connector::{McpSettings, McpTool, Operation, OperationCall, names::MAX_OPERATION},
    workflow::Finding,
};
use std::collections::BTreeMap;

/// How many characters of a tool's description are kept.
const MAX_SUMMARY: usize = 300;

/// The tools of a server, as `tools/list` answers them.
#[derive(Debug, Deserialize)]
struct Listed {
    tools: Vec<Value>,
}

/// A tool, as its server describes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    name: String,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    description: Option<String>,
    input_schema: Map<String, Value>,
    #[serde(default)]
    output_schema: Option<Map<String, Value>>,
    #[serde(default)]
    annotations: Hints,
}

/// What a server says a tool does.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Hints {
    title: Option<String>,
    read_only_hint: bool,
}

/// What the tools in a document offer, with what was found in them.
pub(super) fn catalog(settings: &McpSettings, document: &str, findings: &mut Vec<Finding>) -> Catalog {
    let base_url = settings.base_url.clone();
    let Ok(listed) = read_list(document) else {
        let message = "These aren't the tools of an MCP server; write `{\"tools\": […]}`, as `tools/list` answers them.";
        findings.push(Finding::error("connector.document", "/document", message));
        return Catalog { base_url, ..Catalog::default() };
    };
    if listed.tools.len() > MAX_OPERATIONS {
        let message = format!(
            "The server has more than {MAX_OPERATIONS} tools, which is more than a connector may have."
        );
        findings.push(Finding::error("connector.operation", "/document/tools", message));
        return Catalog { base_url, ..Catalog::default() };
    }
    if listed.tools.is_empty() {
        findings.push(Finding::warning("connector.operation", "/document/tools", "The server has no tools."));
    }
    let mut operations: BTreeMap<String, Operation> = BTreeMap::new();
    for (n, tool) in listed.tools.into_iter().enumerate() {
        let at = format!("/document/tools/{n}");
        match operation(tool, &at, findings) {
            Ok(operation) if operations.contains_key(&operation.id) => {
                let message =
                    format!("Another tool is named `{}` as well; this one is left out.", operation.id);
                findings.push(Finding::warning("connector.operation", at, message));
            }
            Ok(operation) => {
                operations.insert(operation.id.clone(), operation);
            }
            Err(why) => {
                let message = format!("The tool is left out: {why}.");
                findings.push(Finding::warning("connector.operation", at, message));
            }
        }
    }
    Catalog { base_url, operations: operations.into_values().collect(), ..Catalog::default() }
}

/// The list in a document, which may be the whole answer to `tools/list`.
fn read_list(document: &str) -> serde_json::Result<Listed> {
    let mut value: Value = serde_json::from_str(document)?;
    let result = value.get_mut("result").map(Value::take);
    serde_json::from_value(result.unwrap_or(value))
}

/// The operation that a tool is, or why it is none.
fn operation(tool: Value, at: &str, findings: &mut Vec<Finding>) -> Result<Operation, String> {
    let read = serde_json::from_value::<Described>(tool);
    let tool = read.map_err(|_| "it needs a `name` and an `inputSchema` that is a map".to_owned())?;
    let Described { name, title, description, input_schema, output_schema, annotations } = tool;
    if name.is_empty() || name.chars().count() > MAX_OPERATION || name.contains(char::is_control) {
        return Err(format!("its name has 1 to {MAX_OPERATION} characters, and no control characters"));
    }
    let has_headers = Value::Object(input_schema.clone()).to_string().contains("\"x-mcp-header\"");
    let summary = title.or(annotations.title).or(description).unwrap_or_default();
    let mut input_schema = Value::Object(with_definitions(input_schema));
    if let Some(fault) = schema_fault(&input_schema) {
        let message = format!("The inputs of `{name}` aren't checked before a call: {fault}");
        findings.push(Finding::warning("connector.schema", format!("{at}/inputSchema"), message));
        input_schema = json!({ "type": "object" });
    }
    let output_schema = output_schema.map(with_definitions).map(Value::Object);
    Ok(Operation {
        id: name.clone(),
        summary: first_line(&summary),
        input_schema,
        output_schema: output_schema.filter(|schema| schema_fault(schema).is_none()),
        safe: annotations.read_only_hint,
        call: OperationCall::Mcp(McpTool { tool: name, has_headers }),
    })
}

fn first_line(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    line.chars().filter(|c| !c.is_control()).take(MAX_SUMMARY).collect()
}

/// A schema with its definitions where they stand since draft 2019-09; many servers still name them as draft 7 did.
fn with_definitions(mut schema: Map<String, Value>) -> Map<String, Value> {
    if schema.contains_key("$defs") {
        return schema;
    }
    if let Some(definitions) = schema.remove("definitions") {
        schema.insert("$defs".to_owned(), definitions);
        // Draft 7 knows no `$defs`; what else it has means the same in the current one.
        schema.remove("$schema");
        let mut whole = Value::Object(schema);
        lead_to_definitions(&mut whole);
        return whole.as_object().cloned().unwrap_or_default();
    }
    schema
}

fn lead_to_definitions(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(reference)) = map.get_mut("$ref")
                && let Some(name) = reference.strip_prefix("#/definitions/")
            {
                *reference = format!("#/$defs/{name}");
            }
            // What stands under these is data, and no schema.
            let schemas = map
                .iter_mut()
                .filter(|(key, _)| !["const", "default", "enum", "examples"].contains(&key.as_str()));
            schemas.for_each(|(_, value)| lead_to_definitions(value));
        }
        Value::Array(list) => list.iter_mut().for_each(lead_to_definitions),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(tools: &Value) -> (Catalog, Vec<Finding>) {
        let mut findings = Vec::new();
        let settings = McpSettings { base_url: "https://tools.example.com/mcp".to_owned() };
        let catalog = catalog(&settings, &json!({ "tools": tools }).to_string(), &mut findings);
        (catalog, findings)
    }

    #[test]
    fn a_tool_is_an_operation_with_its_schemas() {
        let (catalog, findings) = listed(&json!([
            { "name": "read_order", "description": "Reads an order.\nMore of it.", "inputSchema": { "type": "object",
                "properties": { "id": { "$ref": "#/definitions/Id" } }, "definitions": { "Id": { "type": "string" } } },
              "outputSchema": { "type": "object" }, "annotations": { "readOnlyHint": true } },
            { "name": "cancel/order", "title": "Cancel an order", "inputSchema": { "type": "object" } },
        ]));
        assert_eq!(findings, []);
        let [cancel, read] = catalog.operations.as_slice() else { panic!("{catalog:?}") };
        assert_eq!(
            (cancel.id.as_str(), cancel.summary.as_str(), cancel.safe),
            ("cancel/order", "Cancel an order", false)
        );
        assert_eq!(
            (read.id.as_str(), read.summary.as_str(), read.safe),
            ("read_order", "Reads an order.", true)
        );
        assert_eq!(read.input_schema["properties"]["id"], json!({ "$ref": "#/$defs/Id" }));
        assert_eq!(read.input_schema["$defs"], json!({ "Id": { "type": "string" } }));
        assert_eq!(read.output_schema, Some(json!({ "type": "object" })));
    }

    #[test]
    fn what_cant_be_used_of_a_server_s_word_is_told() {
        let fine = json!({ "type": "object" });
        let mut nested = json!({});
        for _ in 0..100 {
            nested = json!({ "items": nested });
        }
        let (catalog, findings) = listed(&json!([
            { "name": "twice", "inputSchema": fine }, { "name": "twice", "inputSchema": fine },
            { "name": "", "inputSchema": fine }, { "name": "a\u{7}", "inputSchema": fine },
            { "name": "x".repeat(500), "inputSchema": fine }, { "name": "none" }, "a text", 7,
            { "name": "elsewhere", "inputSchema": { "properties": { "a": { "$ref": "https://example.com/a.json" } } } },
            { "name": "no_type", "inputSchema": { "type": "nothing" } },
        ]));
        let ids: Vec<&str> = catalog.operations.iter().map(|operation| operation.id.as_str()).collect();
        assert_eq!(ids, ["elsewhere", "no_type", "twice"]);
        assert!(catalog.operations.iter().all(|operation| operation.input_schema == fine));
        let at: Vec<&str> = findings.iter().map(|finding| finding.pointer.as_str()).collect();
        let expected: Vec<String> = (1..8).map(|n| format!("/document/tools/{n}")).collect();
        assert_eq!(at[..7], expected);
        assert_eq!(at[7..], ["/document/tools/8/inputSchema", "/document/tools/9/inputSchema"]);
        let many: Vec<Value> =
            (0..1_001).map(|n| json!({ "name": format!("t{n}"), "inputSchema": fine })).collect();
        assert_eq!(listed(&many.into()).1[0].pointer, "/document/tools");
        let mut findings = Vec::new();
        let settings = McpSettings { base_url: String::new() };
        assert_eq!(super::catalog(&settings, "<html>", &mut findings).operations, []);
        assert_eq!(findings[0].pointer, "/document");
    }
}
