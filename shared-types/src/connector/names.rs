//! Names of connectors and of their operations.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// How long a connector's name may be, in characters.
pub const MAX_NAME: usize = 63;
/// How long an operation's name may be, in characters.
pub const MAX_OPERATION: usize = 200;

/// The name of a connector: a small letter, then small letters, digits and underscores.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct ConnectorName(String);

/// A name that isn't a connector's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a connector's name begins with a small letter and has up to {MAX_NAME} small letters, digits and underscores"
)]
pub struct BadConnectorName;

impl ConnectorName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ConnectorName {
    type Err = BadConnectorName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let begins = text.starts_with(|c: char| c.is_ascii_lowercase());
        if begins && text.len() <= MAX_NAME && text.chars().all(is_name) {
            return Ok(Self(text.to_owned()));
        }
        Err(BadConnectorName)
    }
}

impl TryFrom<String> for ConnectorName {
    type Error = BadConnectorName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Display for ConnectorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An operation of a connector, as a document names it: `crm.create_task`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OperationName {
    /// The connector.
    pub connector: ConnectorName,
    /// The operation's id.
    pub operation: String,
}

/// A text that doesn't name an operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write a connector and one of its operations, such as crm.create_task")]
pub struct BadOperationName;

impl FromStr for OperationName {
    type Err = BadOperationName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (connector, operation) = text.split_once('.').ok_or(BadOperationName)?;
        let connector = connector.parse().map_err(|_| BadOperationName)?;
        let fits = !operation.is_empty() && operation.chars().count() <= MAX_OPERATION;
        if fits { Ok(Self { connector, operation: operation.to_owned() }) } else { Err(BadOperationName) }
    }
}

impl fmt::Display for OperationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.connector, self.operation)
    }
}
