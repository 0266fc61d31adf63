//! Operations: what a connector can be asked to do, and what its inputs make of it.

use super::{
    hand_written::{HttpOperation, HttpTemplates},
    http_binding::HttpBinding,
    http_request::HttpRequest,
    request_error::RequestError,
    statement::{SqlOperation, SqlRequest, SqlStatement},
    tool::{McpRequest, McpTool},
};
use crate::workflow::effect::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// An operation of a connector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// Its name within the connector.
    pub id: String,
    /// What it does, in a few words; empty where nobody said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// The JSON Schema of its input; references lead to the connector's definitions.
    pub input_schema: Value,
    /// The JSON Schema of its answer, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Value>,
    /// Whether it only reads.
    pub safe: bool,
    /// How it is called.
    pub call: OperationCall,
}

/// How an operation is called.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationCall {
    /// By HTTP, as an OpenAPI document says.
    Http(HttpBinding),
    /// By HTTP, as somebody wrote it.
    HttpTemplates(HttpTemplates),
    /// By a statement of a database.
    Sql(SqlStatement),
    /// By a tool of an MCP server.
    Mcp(McpTool),
}

/// What an operation sends of an input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OperationRequest {
    /// By HTTP.
    Http(HttpRequest),
    /// To a database.
    Sql(SqlRequest),
    /// To an MCP server.
    Mcp(McpRequest),
}

impl OperationCall {
    /// The request that an input makes. `base_url` is the address of the connector.
    ///
    /// # Errors
    /// A value has no place in the request, or a template fails.
    pub fn request(
        &self,
        base_url: &str,
        input: &Map<String, Value>,
    ) -> Result<OperationRequest, RequestError> {
        match self {
            Self::Http(binding) => binding.request(base_url, input).map(OperationRequest::Http),
            Self::HttpTemplates(templates) => templates.request(base_url, input).map(OperationRequest::Http),
            Self::Sql(statement) => statement.request(base_url, input).map(OperationRequest::Sql),
            Self::Mcp(tool) => Ok(OperationRequest::Mcp(tool.request(base_url, input))),
        }
    }
}

impl OperationCall {
    /// Whether the fields of a record are its body. A statement and a tool have none: they are its inputs by name.
    pub fn has_body(&self) -> bool {
        match self {
            Self::Http(_) | Self::HttpTemplates(_) => true,
            Self::Sql(_) | Self::Mcp(_) => false,
        }
    }
}

impl Operation {
    /// What of an answer's body is the operation's output.
    pub fn output(&self, body: Value) -> Value {
        match &self.call {
            OperationCall::HttpTemplates(HttpTemplates { output: Some(pointer), .. }) => {
                body.pointer(pointer).cloned().unwrap_or_default()
            }
            OperationCall::Http(_)
            | OperationCall::HttpTemplates(_)
            | OperationCall::Sql(_)
            | OperationCall::Mcp(_) => body,
        }
    }

    /// The required inputs that stand in the path.
    pub fn path_inputs(&self) -> Vec<&str> {
        match &self.call {
            OperationCall::Http(binding) => binding.path_inputs(),
            OperationCall::HttpTemplates(templates) => templates.path_inputs(),
            OperationCall::Sql(_) | OperationCall::Mcp(_) => Vec::new(),
        }
    }
}

/// A schema that takes any map.
fn any_map() -> Value {
    json!({ "type": "object" })
}

impl From<SqlOperation> for Operation {
    fn from(written: SqlOperation) -> Self {
        Self {
            id: written.id,
            summary: written.summary,
            input_schema: written.input_schema.unwrap_or_else(any_map),
            output_schema: None,
            safe: written.safe,
            call: OperationCall::Sql(SqlStatement { statement: written.statement }),
        }
    }
}

impl From<HttpOperation> for Operation {
    fn from(written: HttpOperation) -> Self {
        let reads = matches!(written.request.method, Method::Get | Method::Head);
        Self {
            id: written.id,
            summary: written.summary,
            input_schema: written.input_schema.unwrap_or_else(any_map),
            output_schema: None,
            safe: written.safe.unwrap_or(reads),
            call: OperationCall::HttpTemplates(written.request),
        }
    }
}
