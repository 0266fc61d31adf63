//! Bodies, queries and paths: read into their types, or refused with the field that is wrong.

use super::problem::{ApiError, ApiResult};
use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, header, request::Parts},
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared_types::{
    api::problem::{Code, Problem},
    workflow::{Finding, Format},
};

/// A JSON body.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> ApiResult<Self> {
        let bytes = read_bytes(request, state).await?;
        // An empty body stands for an empty object, so that what needs nothing is sent nothing.
        let bytes = if bytes.is_empty() { Bytes::from_static(b"{}") } else { bytes };
        refuse_zero(&bytes)?;
        let mut reader = serde_json::Deserializer::from_slice(&bytes);
        let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let path = error.path().to_string();
            unreadable(&path, error.inner())
        })?;
        reader.end().map_err(|error| unreadable(".", &error))?;
        Ok(Self(value))
    }
}

/// Reads a body up to the limit.
pub(super) async fn read_bytes<S: Send + Sync>(request: Request, state: &S) -> ApiResult<Bytes> {
    Bytes::from_request(request, state).await.map_err(|_| {
        let detail = format!("The body is larger than {} bytes, or broke off.", super::MAX_BODY);
        ApiError::new(Code::BodyTooLarge, detail)
    })
}

fn unreadable(path: &str, error: &serde_json::Error) -> ApiError {
    let pointer = if path == "." {
        String::new()
    } else {
        format!("/{}", path.replace(['.', '['], "/").replace(']', ""))
    };
    let field = if pointer.is_empty() { "The body".to_owned() } else { format!("`{path}`") };
    let detail = format!("{field}: {error}.");
    let mut finding = Finding::error("body.unreadable", pointer, detail.clone());
    finding.line = u64::try_from(error.line()).unwrap_or_default();
    finding.column = u64::try_from(error.column()).unwrap_or_default();
    Problem::new(Code::BodyUnreadable, detail).with_findings(vec![finding]).into()
}

/// The database keeps no zero character; it is refused here, with its place, before anything is done.
pub(super) fn refuse_zero(bytes: &[u8]) -> ApiResult<()> {
    if !may_hold_zero(bytes) {
        return Ok(());
    }
    refuse_zero_in(&serde_json::from_slice(bytes).unwrap_or_default())
}

/// Whether JSON may hold a zero character.
pub(super) fn may_hold_zero(bytes: &[u8]) -> bool {
    bytes.windows(6).any(|window| window == br"\u0000")
}

/// The same of a value that was read.
pub(super) fn refuse_zero_in(value: &Value) -> ApiResult<()> {
    match place_of_zero(value) {
        Some(pointer) => {
            let finding =
                Finding::error("field.bad", pointer, "The character U+0000 can't be kept; leave it out.");
            Err(Problem::new(Code::FieldBad, finding.message.clone()).with_findings(vec![finding]).into())
        }
        None => Ok(()),
    }
}

fn place_of_zero(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => text.contains('\0').then(String::new),
        Value::Array(list) => {
            list.iter().enumerate().find_map(|(n, item)| place_of_zero(item).map(|p| format!("/{n}{p}")))
        }
        Value::Object(map) => map.iter().find_map(|(key, item)| {
            let found = if key.contains('\0') { Some(String::new()) } else { place_of_zero(item) };
            found.map(|pointer| format!("/{}{pointer}", key.replace('\0', "?")))
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// Query parameters.
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> ApiResult<Self> {
        let text = parts.uri.query().unwrap_or_default();
        // An empty value is as good as none: forms send one for every filter.
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(text).unwrap_or_default();
        let pairs: Vec<(String, String)> = pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let text = serde_urlencoded::to_string(pairs).unwrap_or_default();
        let reader = serde_urlencoded::Deserializer::new(form_pairs(text.as_bytes()));
        let value = serde_path_to_error::deserialize(reader).map_err(|error| {
            let path = error.path().to_string();
            let name = if path == "." { String::new() } else { format!("`{path}`: ") };
            ApiError::new(Code::QueryUnreadable, format!("{name}{}.", error.inner()))
        })?;
        Ok(Self(value))
    }
}

fn form_pairs(bytes: &[u8]) -> form_urlencoded::Parse<'_> {
    form_urlencoded::parse(bytes)
}

/// One parameter of the path; one that can't be an id leads nowhere.
pub(super) struct Path<T>(pub(super) T);

impl<T: std::str::FromStr, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Self> {
        let axum::extract::Path(text) = axum::extract::Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| ApiError::not_found())?;
        text.parse().map(Self).map_err(|_| ApiError::not_found())
    }
}

/// A document as it was sent.
pub(super) struct Written {
    pub(super) text: String,
    pub(super) format: Format,
}

impl<S: Send + Sync> FromRequest<S> for Written {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> ApiResult<Self> {
        let format = format_of(request.headers());
        let bytes = read_bytes(request, state).await?;
        let text = String::from_utf8(bytes.to_vec())
            .map_err(|_| ApiError::new(Code::BodyUnreadable, "The document isn't UTF-8."))?;
        if text.contains('\0') {
            return Err(ApiError::new(
                Code::BodyUnreadable,
                "The document holds the character U+0000; leave it out.",
            ));
        }
        Ok(Self { text, format })
    }
}

fn format_of(headers: &HeaderMap) -> Format {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.contains("yaml") { Format::Yaml } else { Format::Json }
}
