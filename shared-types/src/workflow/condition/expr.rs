//! `expr`: the part of CEL (<https://cel.dev>) that says the same as condition nodes, read into them.
//!
//! Written by hand because what it reads are this language's own nodes, each error has its column, and what
//! CEL has besides is refused by name.

mod print;
mod read;

use super::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt, sync::Arc};

/// The longest expression, in bytes.
const MAX_EXPR: usize = 10_000;

/// A condition as CEL; read once, and cheap to clone.
#[derive(Clone)]
pub struct Expression(Arc<Inner>);

struct Inner {
    source: String,
    read: Result<Condition, ExprError>,
}

/// Why a text is no expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {message}")]
pub struct ExprError {
    /// Where, in characters from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

impl Expression {
    /// Reads a text. One with a fault is kept, and fails when it is asked.
    pub fn new(source: impl Into<String>) -> Self {
        let source = source.into();
        let read = read::read(&source);
        Self(Arc::new(Inner { source, read }))
    }

    /// The text as written.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// The nodes that it stands for.
    pub fn condition(&self) -> Result<&Condition, &ExprError> {
        self.0.read.as_ref()
    }
}

impl Condition {
    /// The same as CEL, where its part that we read can say it.
    pub fn to_expr(&self) -> Option<String> {
        print::print(self)
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.source()).finish()
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.source() == other.source()
    }
}

impl Serialize for Expression {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.source())
    }
}

impl<'de> Deserialize<'de> for Expression {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl JsonSchema for Expression {
    fn schema_name() -> Cow<'static, str> {
        "Expression".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A condition in CEL: order.total >= 10000 && has(customer.id)",
            "type": "string",
        })
    }
}

#[cfg(test)]
mod tests;
