//! A connector as its administrator describes it.

use super::{auth::Auth, hand_written::HttpOperation, statement::SqlOperation};
use crate::workflow::{Span, TemplateValue, step::Retry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A connector as its administrator describes it: everything but its name and the imported document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectorSpec {
    /// Where the system is, and how its operations are described.
    #[serde(flatten)]
    pub kind: ConnectorKind,
    /// How it says who it is.
    #[serde(default, skip_serializing_if = "is_none")]
    pub auth: Auth,
    /// The records that it serves, by kind of entity.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub entities: BTreeMap<String, EntityOperations>,
    /// What it gives to `context.load`, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub loads: BTreeMap<String, LoadOperation>,
    /// How many of its calls are made, over all servers; as many as there are without it.
    #[serde(default, skip_serializing_if = "ConnectorLimits::are_none")]
    pub limits: ConnectorLimits,
}

fn is_none(auth: &Auth) -> bool {
    *auth == Auth::None
}

/// Where a system is, and how its operations are described.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ConnectorKind {
    /// By an OpenAPI document.
    #[serde(rename = "openapi")]
    OpenApi {
        /// Where the system is.
        #[serde(default)]
        settings: OpenApiSettings,
    },
    /// By operations that are written by hand.
    Http {
        /// Where the system is.
        settings: HttpSettings,
        /// The operations.
        operations: Vec<HttpOperation>,
    },
    /// A PostgreSQL database, by statements that are written by hand.
    Sql {
        /// Where the database is.
        settings: SqlSettings,
        /// The operations.
        operations: Vec<SqlOperation>,
    },
    /// By the tools of an MCP server, over streamable HTTP.
    Mcp {
        /// Where the server is.
        settings: McpSettings,
    },
}

/// Where the system of an OpenAPI document is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenApiSettings {
    /// The address of the system; without it, that of the document's server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// Which of the document's servers is used, from 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub server: usize,
    /// The values of the server's variables, where they aren't the document's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// Where a system is that is called by HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpSettings {
    /// The address before each path, with scheme and host.
    pub base_url: String,
}

/// Where an MCP server is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct McpSettings {
    /// The address of its endpoint, such as `https://tools.example.com/mcp`.
    pub base_url: String,
}

/// Where a database is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SqlSettings {
    /// The host, by name or address.
    #[schemars(length(min = 1, max = 253))]
    pub host: String,
    /// The port; 5432 without it.
    #[serde(default = "postgres_port")]
    #[schemars(range(min = 1))]
    pub port: u16,
    /// The name of the database.
    #[schemars(length(min = 1, max = 63))]
    pub database: String,
    /// Whether the connection is encrypted.
    #[serde(default)]
    pub tls: SqlTls,
    /// The most rows that an answer may have; 1,000 without it.
    #[serde(default = "usual_rows")]
    #[schemars(range(min = 1, max = 10_000))]
    pub max_rows: u32,
}

fn postgres_port() -> u16 {
    5432
}

fn usual_rows() -> u32 {
    1_000
}

impl SqlSettings {
    /// The database as an address, without user and password.
    pub fn address(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        format!("postgres://{host}:{}/{}", self.port, self.database)
    }
}

/// Whether a connection to a database is encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SqlTls {
    /// It is, and the server's certificate is checked.
    #[default]
    Verify,
    /// It isn't: for a database in the same protected network.
    Off,
}

/// The operations that make and change a kind of record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EntityOperations {
    /// The operation that makes a record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create: Option<String>,
    /// The operation that changes a record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update: Option<String>,
    /// Where in the answer of `create` the record's identifier stands, as a JSON pointer; `/id` without it.
    #[serde(default = "id_pointer")]
    pub id: String,
    /// The input of `update` that names the record; without it, its only required path parameter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_input: Option<String>,
}

fn id_pointer() -> String {
    "/id".to_owned()
}

/// How many calls of a connector are made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectorLimits {
    /// How many at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub concurrency: Option<u32>,
    /// How many in a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000))]
    pub per_second: Option<u32>,
}

impl ConnectorLimits {
    /// Whether nothing is bounded.
    pub fn are_none(&self) -> bool {
        *self == Self::default()
    }
}

/// How a name of `context.load` is loaded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoadOperation {
    /// The operation whose answer is loaded.
    pub operation: String,
    /// Its input; templates see what the event brought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<TemplateValue>,
    /// How old a cached answer may be; without it every run calls anew, beside those that call at the same time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<Span>,
    /// How long one attempt may take; 10 s without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// How a load that fails is tried again; 3 attempts without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
}

impl ConnectorKind {
    /// The kind's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::OpenApi { .. } => "openapi",
            Self::Http { .. } => "http",
            Self::Sql { .. } => "sql",
            Self::Mcp { .. } => "mcp",
        }
    }
}
