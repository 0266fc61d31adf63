//! Connectors: other systems, called by named operations whose inputs have a JSON Schema.
//!
//! What an operation sends is made here by pure functions, so that a preview, an approval and the call itself agree on it.

mod auth;
mod called;
mod form;
mod hand_written;
mod http_binding;
mod http_request;
pub mod names;
mod operation;
mod parameters;
mod request_error;
mod schema;
mod settings;
mod shape;
mod statement;
mod tool;

pub use auth::{Auth, ClientAuth};
pub use called::{BoundOperation, CalledOperation, ConnectorRevision, IdInput, record_input};
pub use form::PartEncoding;
pub use hand_written::{HttpOperation, HttpTemplates};
pub use http_binding::{BodyBinding, BodyEncoding, HttpBinding};
pub use http_request::HttpRequest;
pub use names::{ConnectorName, OperationName};
pub use operation::{Operation, OperationCall, OperationRequest};
pub use parameters::{Location, Parameter, Style};
pub use request_error::RequestError;
pub use schema::{Definitions, InputFault, MAX_PATTERN, SchemaSizes, self_contained};
#[cfg(feature = "json-schema")]
pub use schema::{InputSchema, SchemaError};
pub use settings::{
    ConnectorKind, ConnectorLimits, ConnectorSpec, EntityOperations, HttpSettings, LoadOperation,
    McpSettings, OpenApiSettings, SqlSettings, SqlTls,
};
pub use shape::Shape;
pub use statement::{CALL_KEY, NumberedStatement, SqlOperation, SqlRequest, StatementFault, numbered};
pub use tool::{McpRequest, McpTool};
