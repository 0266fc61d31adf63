//! A document's text and version.

use super::MAX_DOCUMENT;
use serde_json::{Map, Value};
use shared_types::workflow::{Finding, Format, Source};

/// The version of OpenAPI that a document is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// 3.0, whose schemas are a dialect of their own.
    V3_0,
    /// 3.1 and 3.2, whose schemas are JSON Schema 2020-12.
    V3_1,
}

/// A document that was read.
#[derive(Debug)]
pub(super) struct Document {
    source: Source,
    /// The version that it is written in.
    pub(super) version: Version,
}

impl Document {
    /// Reads a text.
    ///
    /// # Errors
    /// The text can't be read, or isn't an OpenAPI document.
    pub(super) fn read(text: &str, format: Format) -> Result<Self, Vec<Finding>> {
        let source = Source::parse_up_to(text, format, MAX_DOCUMENT).map_err(|fault| vec![*fault])?;
        let version = version(&source.value).map_err(|mut finding| {
            source.locate(std::slice::from_mut(&mut finding));
            vec![finding]
        })?;
        Ok(Self { source, version })
    }

    /// All of it.
    pub(super) fn root(&self) -> &Value {
        &self.source.value
    }

    /// A map of the document, by its pointer.
    pub(super) fn map(&self, pointer: &str) -> Option<&Map<String, Value>> {
        self.root().pointer(pointer)?.as_object()
    }

    /// Says of each finding where in the text it is.
    pub(super) fn locate(&self, findings: &mut [Finding]) {
        self.source.locate(findings);
    }
}

fn version(root: &Value) -> Result<Version, Finding> {
    let refused = |pointer: &str, message: &str| Err(Finding::error("openapi.unknown", pointer, message));
    if root.get("swagger").is_some() {
        return refused(
            "/swagger",
            "This is a document of Swagger 2.0; convert it to OpenAPI 3 first, many editors and tools do that.",
        );
    }
    let Some(written) = root.get("openapi") else {
        return refused(
            "",
            "This isn't an OpenAPI document: it has no `openapi` at its top, such as `openapi: 3.1.0`.",
        );
    };
    // YAML reads a version with one dot as a number.
    let written = written.as_str().map_or_else(|| written.to_string(), str::to_owned);
    if written == "3" || written == "3.0" || written.starts_with("3.0.") {
        Ok(Version::V3_0)
    } else if ["3.1", "3.2"].iter().any(|v| written == *v || written.starts_with(&format!("{v}."))) {
        Ok(Version::V3_1)
    } else {
        let written: String = written.chars().take(40).collect();
        refused("/openapi", &format!("OpenAPI {written} isn't read; write the document in 3.0 or 3.1."))
    }
}
