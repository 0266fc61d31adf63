//! What a body is said to be by its `Content-Type`.

use super::problem::ApiError;
use axum::http::{HeaderMap, header};
use shared_types::api::problem::Code;

/// The kinds of body that the API tells apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum MediaType {
    /// There is no `Content-Type`.
    Unnamed,
    /// JSON, or a type that is written in JSON.
    Json,
    /// YAML.
    Yaml,
    /// One JSON value a line.
    NdJson,
    /// Another type.
    Other(String),
}

impl MediaType {
    /// The kind that the headers name.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut named = headers.get_all(header::CONTENT_TYPE).iter();
        let Some(first) = named.next() else { return Self::Unnamed };
        let text = first.to_str().unwrap_or("(no text)");
        let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if named.next().is_some() {
            return Self::Other(format!("{text}, and another one"));
        }
        match essence.as_str() {
            "application/json" | "text/json" => Self::Json,
            "application/yaml" | "application/x-yaml" | "text/yaml" | "text/x-yaml" => Self::Yaml,
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Self::NdJson,
            other if other.ends_with("+json") => Self::Json,
            other if other.ends_with("+yaml") => Self::Yaml,
            _ => Self::Other(text.chars().take(100).collect()),
        }
    }

    /// The refusal of a body of this kind, with what is taken instead.
    pub(super) fn refused(&self, taken: &str) -> ApiError {
        let named = match self {
            Self::Unnamed => "The body has no Content-Type".to_owned(),
            Self::Json => "The Content-Type is JSON".to_owned(),
            Self::Yaml => "The Content-Type is YAML".to_owned(),
            Self::NdJson => "The Content-Type is NDJSON".to_owned(),
            Self::Other(text) => format!("The Content-Type is {text}"),
        };
        ApiError::new(Code::BodyType, format!("{named}; send {taken}."))
    }
}
