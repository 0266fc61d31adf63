//! OpenAPI documents made into operations. What a document says is somebody else's: whatever can't be used is told in a
//! finding and left out, and the rest is there.

mod bodies;
mod document;
mod names;
mod operations;
mod parameters;
mod references;
mod schemas;
mod security;
mod servers;

use super::catalog::Catalog;
use document::Document;
use serde_json::json;
use shared_types::{
    connector::{Definitions, OpenApiSettings, Operation, SchemaSizes},
    workflow::{Finding, Format, Severity},
};

/// The largest document that is read, in bytes.
pub const MAX_DOCUMENT: usize = 8 * 1024 * 1024;
/// How large a schema may be with all that it leads to, in bytes of JSON.
const MAX_SCHEMA: usize = 512 * 1024;
/// How many operations are taken.
const MAX_OPERATIONS: usize = 5_000;
/// How many findings are told.
const MAX_FINDINGS: usize = 200;

/// What a document gives.
#[derive(Debug, Clone)]
pub struct Imported {
    /// What is offered.
    pub catalog: Catalog,
    /// What could not be used, and what was taken instead. None is an error.
    pub findings: Vec<Finding>,
}

/// Reads a document.
///
/// # Errors
/// The findings, where an error is among them: then nothing of it can be used.
pub fn import(text: &str, settings: &OpenApiSettings) -> Result<Imported, Vec<Finding>> {
    let document = Document::read(text, format_of(text))?;
    let mut findings = Findings::default();
    let base_url = servers::base_url(&document, settings, &mut findings);
    let servers = servers::ServersOf { settings, base_url: base_url.as_deref() };
    let mut schemas = schemas::Schemas::new(&document);
    let mut operations = operations::operations(&document, servers, &mut schemas, &mut findings);
    let definitions = schemas.into_definitions(&mut findings);
    bound(&mut operations, &definitions, &mut findings);
    let offered_auth = security::offered(&document);
    let mut found = findings.into_found();
    document.locate(&mut found);
    if found.iter().any(|finding| finding.severity == Severity::Error) {
        return Err(found);
    }
    let catalog = Catalog { base_url: base_url.unwrap_or_default(), operations, definitions, offered_auth };
    Ok(Imported { catalog, findings: found })
}

/// Leaves out the schemas that are too large with all that they lead to: they are shown and checked for each operation.
fn bound(operations: &mut [Operation], definitions: &Definitions, findings: &mut Findings) {
    let sizes = SchemaSizes::new(definitions);
    for operation in operations {
        if !sizes.is_within(&operation.input_schema, MAX_SCHEMA) {
            operation.input_schema = json!({ "type": "object" });
            let message = format!("The schema of the input of {} is too large to be checked.", operation.id);
            findings.warning("openapi.large_schema", "/paths", message);
        }
        operation.output_schema =
            operation.output_schema.take().filter(|schema| sizes.is_within(schema, MAX_SCHEMA));
    }
}

/// JSON begins with a brace; YAML that does is JSON as well.
fn format_of(text: &str) -> Format {
    if text.trim_start_matches('\u{feff}').trim_start().starts_with('{') {
        Format::Json
    } else {
        Format::Yaml
    }
}

/// What is found while a document is read: the first of many are kept.
#[derive(Debug, Default)]
struct Findings {
    found: Vec<Finding>,
    left_out: usize,
}

impl Findings {
    fn error(&mut self, code: &'static str, pointer: impl Into<String>, message: impl Into<String>) {
        // An error is told however many warnings there are.
        self.found.insert(0, Finding::error(code, pointer, message));
    }

    fn warning(&mut self, code: &'static str, pointer: impl Into<String>, message: impl Into<String>) {
        if self.found.len() < MAX_FINDINGS {
            self.found.push(Finding::warning(code, pointer, message));
        } else {
            self.left_out += 1;
        }
    }

    fn into_found(mut self) -> Vec<Finding> {
        if self.left_out > 0 {
            let message = format!("{} more are not listed.", self.left_out);
            self.found.push(Finding::warning("findings.more", "", message));
        }
        self.found
    }
}

#[cfg(test)]
mod tests;
