//! Tools of an MCP server: an operation's input is the tool's arguments.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A tool of an MCP server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct McpTool {
    /// Its name, as the server has it.
    pub tool: String,
    /// Whether some of its arguments go in headers as well, which its server's list says.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_headers: bool,
}

/// A tool with its arguments, before the key of the call is added.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct McpRequest {
    /// The address of the server.
    pub server: String,
    /// The tool, as the server has it.
    pub tool: String,
    /// The arguments by name, as the tool's input schema has them.
    pub arguments: Map<String, Value>,
    /// Whether some of them go in headers as well.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_headers: bool,
}

impl McpTool {
    /// The request that an input makes.
    pub(super) fn request(&self, server: &str, input: &Map<String, Value>) -> McpRequest {
        McpRequest {
            server: server.to_owned(),
            tool: self.tool.clone(),
            arguments: input.clone(),
            has_headers: self.has_headers,
        }
    }
}
