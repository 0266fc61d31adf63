//! The operations of a document's paths.

use super::{
    Findings, MAX_OPERATIONS, bodies,
    document::Document,
    names::{self, Unnamed},
    parameters::{Described, parameters},
    references::found,
    schemas::Schemas,
    servers::{self, ServersOf},
};
use serde_json::{Map, Value, json};
use shared_types::{
    connector::{HttpBinding, Operation, OperationCall},
    workflow::{effect::Method, finding::escape_segment},
};

/// How long a summary may be, in characters.
const MAX_SUMMARY: usize = 200;
const METHODS: [(&str, Method); 6] = [
    ("get", Method::Get),
    ("head", Method::Head),
    ("post", Method::Post),
    ("put", Method::Put),
    ("patch", Method::Patch),
    ("delete", Method::Delete),
];
/// Methods that a document may have and that nobody is called by here.
const NOT_CALLED: [&str; 3] = ["options", "trace", "query"];

/// An operation where it stands.
struct Site<'d> {
    path: &'d str,
    method: Method,
    operation: &'d Value,
    at: String,
    /// The path's own part of the document.
    item: &'d Value,
    item_at: String,
}

/// The operations, by name.
pub(super) fn operations(
    document: &Document,
    servers: ServersOf<'_>,
    schemas: &mut Schemas<'_>,
    findings: &mut Findings,
) -> Vec<Operation> {
    let sites = sites(document, findings);
    if sites.is_empty() {
        findings.warning(
            "openapi.empty",
            "/paths",
            "The document has no operation: `paths` is missing or empty.",
        );
    }
    let unnamed: Vec<Unnamed<'_>> = sites
        .iter()
        .map(|site| Unnamed {
            method: site.method,
            path: site.path,
            id: site.operation.get("operationId").and_then(Value::as_str),
        })
        .collect();
    let named = names::names(&unnamed);
    let mut operations = Vec::new();
    for (site, (name, is_shared)) in sites.into_iter().zip(named) {
        if is_shared {
            let message = format!(
                "Another operation has this `operationId` too, so that neither is called by it; this one is `{name}`."
            );
            findings.warning("openapi.name_twice", format!("{}/operationId", site.at), message);
        }
        operations.push(operation(document, servers, &site, name, schemas, findings));
    }
    operations.sort_by(|a, b| a.id.cmp(&b.id));
    operations
}

fn sites<'d>(document: &'d Document, findings: &mut Findings) -> Vec<Site<'d>> {
    let mut sites = Vec::new();
    for (path, item) in document.map("/paths").into_iter().flatten().filter(|(path, _)| path.starts_with('/'))
    {
        let at = format!("/paths/{}", escape_segment(path));
        let Some(part) = found(document, item, &at, findings) else { continue };
        for (key, method) in METHODS {
            let Some(operation) = part.value.get(key).filter(|operation| operation.is_object()) else {
                continue;
            };
            if sites.len() == MAX_OPERATIONS {
                let message = format!("Only the first {MAX_OPERATIONS} operations are taken.");
                findings.warning("openapi.too_many", at, message);
                return sites;
            }
            sites.push(Site {
                path,
                method,
                operation,
                at: format!("{}/{key}", part.at),
                item: part.value,
                item_at: part.at.clone(),
            });
        }
        for key in NOT_CALLED.iter().filter(|key| part.value.get(**key).is_some()) {
            let message = format!("Operations of the method {} aren't called.", key.to_uppercase());
            findings.warning("openapi.method", format!("{}/{key}", part.at), message);
        }
    }
    sites
}

fn operation(
    document: &Document,
    servers: ServersOf<'_>,
    site: &Site<'_>,
    id: String,
    schemas: &mut Schemas<'_>,
    findings: &mut Findings,
) -> Operation {
    let body = bodies::request(document, site.operation, &site.at, schemas, findings);
    let null = Value::Null;
    let lists = [(site.item, &site.item_at), (site.operation, &site.at)]
        .map(|(part, at)| (part.get("parameters").unwrap_or(&null), format!("{at}/parameters")));
    let described = parameters(document, &lists, site.path, body.is_some(), schemas, findings);
    let mut required: Vec<String> = Vec::new();
    let mut properties = Map::new();
    for Described { parameter, schema, is_required } in &described {
        properties.insert(parameter.input.clone(), schema.clone());
        if *is_required {
            required.push(parameter.input.clone());
        }
    }
    let binding = body.map(|body| {
        properties.insert("body".to_owned(), body.schema);
        if body.is_required {
            required.push("body".to_owned());
        }
        body.binding
    });
    let mut input_schema =
        json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !required.is_empty() {
        input_schema["required"] = json!(required);
    }
    let call = HttpBinding {
        method: site.method,
        base_url: own_server(site, servers, findings),
        path: site.path.to_owned(),
        parameters: described.into_iter().map(|one| one.parameter).collect(),
        body: binding,
    };
    Operation {
        id,
        summary: summary(site.operation),
        input_schema,
        output_schema: bodies::answer(document, site.operation, &site.at, schemas, findings),
        safe: matches!(site.method, Method::Get | Method::Head),
        call: OperationCall::Http(call),
    }
}

/// The address that an operation or its path has of its own. One that an administrator set is meant for all.
fn own_server(site: &Site<'_>, servers: ServersOf<'_>, findings: &mut Findings) -> Option<String> {
    if servers.settings.base_url.is_some() {
        return None;
    }
    [(site.operation, &site.at), (site.item, &site.item_at)]
        .into_iter()
        .find_map(|(part, at)| servers::own(part.get("servers")?, servers, at, findings))
}

fn summary(operation: &Value) -> String {
    let text = |key: &str| operation.get(key).and_then(Value::as_str).unwrap_or_default().trim();
    let said = if text("summary").is_empty() { text("description") } else { text("summary") };
    let line = said.lines().next().unwrap_or_default();
    line.chars().take(MAX_SUMMARY).collect()
}
