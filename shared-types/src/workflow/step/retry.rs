//! How an effect that fails is tried again.

use crate::workflow::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How an effect that fails is tried again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Retry {
    /// All attempts, the first one too.
    #[schemars(range(min = 1, max = 100))]
    pub max_attempts: u32,
    /// How the delay grows; fixed without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backoff: Option<Backoff>,
    /// The first delay; 1 s without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<Span>,
    /// The longest delay; 5 min without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_delay: Option<Span>,
    /// Whether delays are spread at random.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter: Option<bool>,
    /// Which failures are tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_on: Option<Vec<RetryOn>>,
}

/// How a retry's delay grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Backoff {
    /// Always the same.
    Fixed,
    /// By `delay` more each time.
    Linear,
    /// Twice as long each time.
    Exponential,
}

/// A failure that is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryOn {
    /// No answer in time.
    Timeout,
    /// No connection, or one that broke.
    Connection,
    /// Any status from 500 to 599.
    ServerErrors,
    /// This status.
    Status(u16),
    /// Any failure.
    Any,
}

impl Retry {
    /// So many attempts, everything else as usual.
    pub fn of_attempts(max_attempts: u32) -> Self {
        Self { max_attempts, backoff: None, delay: None, max_delay: None, jitter: None, retry_on: None }
    }
}

impl RetryOn {
    /// Reads the document's spelling.
    pub fn parse(value: &Value) -> Option<Self> {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
        };
        match text.as_str() {
            "timeout" => Some(Self::Timeout),
            "connection" => Some(Self::Connection),
            "5xx" => Some(Self::ServerErrors),
            "*" => Some(Self::Any),
            status => status.parse().ok().filter(|s| (100..600).contains(s)).map(Self::Status),
        }
    }
}

impl Serialize for RetryOn {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Timeout => serializer.serialize_str("timeout"),
            Self::Connection => serializer.serialize_str("connection"),
            Self::ServerErrors => serializer.serialize_str("5xx"),
            Self::Any => serializer.serialize_str("*"),
            Self::Status(status) => serializer.serialize_u16(*status),
        }
    }
}

impl<'de> Deserialize<'de> for RetryOn {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::parse(&value).ok_or_else(|| serde::de::Error::custom("timeout, connection, 5xx, a status or *"))
    }
}

impl JsonSchema for RetryOn {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RetryOn".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "timeout, connection, 5xx, a status, or * for any failure",
            "type": ["string", "integer"],
            "format": "retry-on",
        })
    }
}
