//! Bodies: read once, up to a limit and within a time, and then into their types.

use super::{
    json::{self, Unambiguous},
    media::MediaType,
    problem::{ApiError, ApiResult},
};
use axum::{
    body::{Body as HttpBody, Bytes},
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use futures_util::StreamExt as _;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use serde_path_to_error::{Path, Segment};
use shared_types::{
    api::{
        problem::{Code, Problem},
        reading,
    },
    workflow::{Finding, Format, bounds, finding::escape_segment},
};
use std::time::Duration;

/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(30);
/// How much of a refused body is read and dropped, so that its sender gets to read the answer.
const DROPPED: usize = 32 * 1024 * 1024;
/// How long the rest of a refused request is read.
const DROPPING_TIME: Duration = Duration::from_secs(5);
/// What editors on Windows begin a file with.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The same request with its body in memory, of at most so many bytes.
pub(super) async fn buffered(request: Request, most: usize) -> ApiResult<Request> {
    let (parts, body) = request.into_parts();
    let Ok(bytes) = tokio::time::timeout(BODY_TIME, collect(&parts.headers, body, most)).await else {
        let detail = format!("The body didn't arrive within {} s; send it again.", BODY_TIME.as_secs());
        return Err(ApiError::new(Code::BodySlow, detail));
    };
    Ok(Request::from_parts(parts, HttpBody::from(bytes?)))
}

async fn collect(headers: &HeaderMap, body: HttpBody, most: usize) -> ApiResult<Bytes> {
    let too_large = || {
        let detail = format!("The body is larger than {most} bytes; send less at once.");
        ApiError::new(Code::BodyTooLarge, detail)
    };
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > most) && headers.contains_key(header::EXPECT) {
        // The client waits for leave before it sends the body.
        return Err(too_large());
    }
    let mut chunks = body.into_data_stream();
    let mut bytes = Vec::new();
    let mut read = 0;
    while let Some(chunk) = chunks.next().await {
        let broke_off = "The body broke off before its end; send it again.";
        let chunk = chunk.map_err(|_| ApiError::new(Code::RequestBad, broke_off))?;
        read += chunk.len();
        if read <= most {
            bytes.extend_from_slice(&chunk);
        } else if read > DROPPED {
            break;
        }
    }
    if read > most { Err(too_large()) } else { Ok(bytes.into()) }
}

/// Reads and drops what a refused request still sends, up to a bound, so that its sender gets to read the answer.
pub(super) async fn discard(headers: &HeaderMap, body: HttpBody) {
    if headers.contains_key(header::EXPECT) {
        return;
    }
    let dropping = async {
        let mut chunks = body.into_data_stream();
        let mut read = 0;
        while let Some(Ok(chunk)) = chunks.next().await {
            read += chunk.len();
            if read > DROPPED {
                break;
            }
        }
    };
    // A sender that takes longer learns less.
    let _ = tokio::time::timeout(DROPPING_TIME, dropping).await;
}

/// The bytes of a body that the guard has read, as they were signed.
pub(super) async fn signed_bytes<S: Send + Sync>(request: Request, state: &S) -> ApiResult<Bytes> {
    Bytes::from_request(request, state)
        .await
        .map_err(|_| ApiError::new(Code::RequestBad, "The body can't be read; send it again."))
}

/// The same without a byte order mark.
pub(super) async fn read_bytes<S: Send + Sync>(request: Request, state: &S) -> ApiResult<Bytes> {
    let bytes = signed_bytes(request, state).await?;
    Ok(bytes.slice(bytes.len() - without_mark(&bytes).len()..))
}

/// What stands behind a byte order mark.
pub(super) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes)
}

/// A JSON object that was read into its type.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned + JsonSchema + 'static, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> ApiResult<Self> {
        let media = MediaType::of(request.headers());
        let bytes = read_bytes(request, state).await?;
        // An empty body stands for an empty object, so that what needs nothing is sent nothing.
        let value = if bytes.trim_ascii().is_empty() {
            Value::Object(Map::new())
        } else if matches!(media, MediaType::Json | MediaType::Unnamed) {
            json(&bytes)?
        } else {
            return Err(media.refused("JSON as application/json"));
        };
        reading::read(value).map(Self).map_err(refused)
    }
}

/// A value that was put together, read into its type as a body is.
pub(super) fn of_value<T: DeserializeOwned + JsonSchema + 'static>(value: Value) -> ApiResult<T> {
    reading::read(value).map_err(refused)
}

/// The value that JSON holds.
pub(super) fn json(bytes: &[u8]) -> ApiResult<Value> {
    let text = utf8(bytes)?;
    serde_json::from_str(text).map(|Unambiguous(value)| value).map_err(|error| unparsable(text, &error))
}

/// Refuses a map with a value that nests too deep; `at` is the map's own place.
pub(super) fn check_depth(map: &Map<String, Value>, at: &str) -> ApiResult<()> {
    match bounds::too_deep_in(map) {
        Some(below) => Err(refused(vec![reading::too_deep(&format!("{at}{below}"))])),
        None => Ok(()),
    }
}

fn utf8(bytes: &[u8]) -> ApiResult<&str> {
    std::str::from_utf8(bytes).map_err(|error| {
        let detail = format!(
            "The body isn't UTF-8: byte {} begins no character; send it as UTF-8.",
            error.valid_up_to()
        );
        ApiError::new(Code::BodyUnreadable, detail)
    })
}

/// Says where a text stops being JSON, and what stands there.
fn unparsable(text: &str, error: &serde_json::Error) -> ApiError {
    let mut reader = serde_json::Deserializer::from_str(text);
    let path = serde_path_to_error::deserialize::<_, Unambiguous>(&mut reader)
        .err()
        .map_or_else(String::new, |error| pointer(error.path()));
    if error.to_string().starts_with("recursion limit") {
        return refused(vec![reading::too_deep(&path)]);
    }
    let (line, column) = (error.line(), error.column());
    if let Some(key) = json::key_twice(error) {
        let pointer = format!("{path}/{}", escape_segment(&key));
        let message = format!("{pointer} stands twice in the body (line {line}, column {column}); keep one.");
        return at_place(Finding::error("key.twice", pointer, message), line, column);
    }
    let what = if error.is_eof() {
        "it ends before its last value does".to_owned()
    } else {
        let rest = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        let near: String = rest.chars().skip(column.saturating_sub(10)).take(20).collect();
        format!("near `{near}`")
    };
    let message = format!("The body isn't JSON: line {line}, column {column}, {what}.");
    at_place(Finding::error("body.unreadable", path, message), line, column)
}

/// A body that can't be read for one reason, found at a place of its text.
fn at_place(mut finding: Finding, line: usize, column: usize) -> ApiError {
    finding.line = u64::try_from(line).unwrap_or_default();
    finding.column = u64::try_from(column).unwrap_or_default();
    Problem::new(Code::BodyUnreadable, finding.message.clone()).with_findings(vec![finding]).into()
}

/// A place in JSON, as a pointer.
fn pointer(path: &Path) -> String {
    path.iter().fold(String::new(), |at, segment| match segment {
        Segment::Seq { index } => format!("{at}/{index}"),
        Segment::Map { key } => format!("{at}/{}", escape_segment(key)),
        Segment::Enum { .. } | Segment::Unknown => at,
    })
}

/// How many faults a problem tells in words.
const FAULTS_TOLD: usize = 3;

/// A body with these faults, as a problem: the first few in words, all of them beside that.
pub(super) fn refused(findings: Vec<Finding>) -> ApiError {
    const OF_A_FIELD: [&str; 5] =
        ["text.too_long", "text.too_short", "text.zero", "value.range", "value.too_deep"];
    let is_field = findings.first().is_some_and(|finding| OF_A_FIELD.contains(&finding.code.as_ref()));
    let code = if is_field { Code::FieldBad } else { Code::BodyUnreadable };
    let messages: Vec<String> = findings.iter().take(FAULTS_TOLD).map(in_words).collect();
    let mut detail = messages.join(" ");
    if findings.len() > FAULTS_TOLD {
        detail = format!("{detail} And {} more.", findings.len() - FAULTS_TOLD);
    }
    Problem::new(code, detail).with_findings(findings).into()
}

/// A fault with its place, where its message names only the last part of that.
fn in_words(finding: &Finding) -> String {
    let place: String = finding.pointer.chars().take(100).collect();
    if place.matches('/').count() > 1 && !finding.message.contains(&place) {
        format!("{place}: {}", finding.message)
    } else {
        finding.message.clone()
    }
}

/// A text of whatever type.
pub(super) struct Text(pub(super) String);

impl<S: Send + Sync> FromRequest<S> for Text {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> ApiResult<Self> {
        let bytes = read_bytes(request, state).await?;
        Ok(Self(utf8(&bytes)?.to_owned()))
    }
}

/// A document as it was sent.
pub(super) struct DocumentBody {
    pub(super) text: String,
    pub(super) format: Format,
}

impl<S: Send + Sync> FromRequest<S> for DocumentBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> ApiResult<Self> {
        const TAKEN: &str = "JSON as application/json, or YAML as application/yaml";
        let media = MediaType::of(request.headers());
        let bytes = read_bytes(request, state).await?;
        let text = utf8(&bytes)?;
        let format = match media {
            MediaType::Json => Format::Json,
            MediaType::Yaml => Format::Yaml,
            MediaType::Unnamed if text.trim_start().starts_with('{') => Format::Json,
            MediaType::Unnamed | MediaType::NdJson | MediaType::Other(_) => return Err(media.refused(TAKEN)),
        };
        if text.contains('\0') {
            let detail = "The document holds the character U+0000; leave it out.";
            return Err(ApiError::new(Code::BodyUnreadable, detail));
        }
        Ok(Self { text: text.to_owned(), format })
    }
}
