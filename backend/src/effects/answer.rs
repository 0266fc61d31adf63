//! What comes back from a call: bounded in size and depth, its charset honoured, JSON where it is JSON.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use reqwest::{
    Response,
    header::{self, HeaderMap},
};
use serde_json::{Map, Value};
use shared_types::machine::input::Answer;
use std::borrow::Cow;

/// How many bytes of an answer are read, after it was unpacked.
const MAX_BYTES: usize = 1024 * 1024;
/// How deep lists and maps nest in an answer.
const MAX_DEPTH: usize = 64;

/// Why an answer can't be kept.
#[derive(Debug, thiserror::Error)]
pub(super) enum AnswerError {
    /// It is larger than what is read.
    #[error("The answer is larger than {MAX_BYTES} bytes; ask for less of it")]
    TooLarge,
    /// Its JSON nests too deep.
    #[error("The answer's JSON nests more than {MAX_DEPTH} deep")]
    TooDeep,
    /// A text in it can't be stored.
    #[error("The answer holds the character U+0000, which can't be stored")]
    Unstorable,
    /// It ended before it was complete.
    #[error("The answer ended early")]
    Broken(#[from] reqwest::Error),
}

impl AnswerError {
    /// The stable code of the step's failure.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::TooLarge => "answer.too_large",
            Self::TooDeep => "value.too_deep",
            Self::Unstorable => "value.unstorable",
            Self::Broken(_) => "connection",
        }
    }
}

/// Reads an answer to its end.
pub(super) async fn read(mut response: Response) -> Result<Answer, AnswerError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if bytes.len() + chunk.len() > MAX_BYTES {
            return Err(AnswerError::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    let headers = response.headers();
    let content_type = headers.get(header::CONTENT_TYPE).map(|value| text_of(value.as_bytes()));
    Ok(Answer {
        status: response.status().as_u16(),
        headers: headers_of(headers),
        body: body_of(content_type.as_deref(), &bytes)?,
        record_id: None,
    })
}

/// The headers by their names. One that comes several times is joined by `, `, and `set-cookie`, whose values hold
/// commas of their own, by line breaks.
fn headers_of(headers: &HeaderMap) -> Map<String, Value> {
    let joined = |name: &header::HeaderName| {
        let values: Vec<Cow<'_, str>> =
            headers.get_all(name).iter().map(|value| text_of(value.as_bytes())).collect();
        values.join(if name == header::SET_COOKIE { "\n" } else { ", " })
    };
    headers.keys().map(|name| (name.as_str().to_owned(), joined(name).into())).collect()
}

/// A header's value as text: UTF-8, else Latin-1.
fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| encoding_rs::mem::decode_latin1(bytes), Cow::Borrowed)
}

/// What an answer's type says about its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `application/json` and the like.
    Json,
    /// No type, or `text/plain`: JSON where it parses as a list or map.
    MaybeJson,
    /// Another kind of text.
    Text,
    /// Pictures, archives and whatever else isn't text.
    Bytes,
}

impl Kind {
    fn of(content_type: Option<&str>) -> Self {
        let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default();
        let essence = essence.trim().to_ascii_lowercase();
        match essence.as_str() {
            "" | "text/plain" => Self::MaybeJson,
            "application/json" | "text/json" | "application/x-json" | "text/x-json" => Self::Json,
            other if other.ends_with("+json") => Self::Json,
            other if other.starts_with("text/") || other.ends_with("+xml") => Self::Text,
            "application/xml"
            | "application/javascript"
            | "application/x-www-form-urlencoded"
            | "application/x-ndjson"
            | "application/yaml" => Self::Text,
            _ => Self::Bytes,
        }
    }

    fn is_json_like(self) -> bool {
        matches!(self, Self::Json | Self::MaybeJson)
    }
}

/// What a text is that says nothing of its type: a list or a map where it is one in JSON.
pub(super) fn body_of_text(text: &str) -> Result<Value, AnswerError> {
    of_bounded(None, text)
}

/// What a text of JSON is.
pub(super) fn json_of_text(text: &str) -> Result<Value, AnswerError> {
    of_bounded(Some("application/json"), text)
}

fn of_bounded(content_type: Option<&str>, text: &str) -> Result<Value, AnswerError> {
    if text.len() > MAX_BYTES {
        return Err(AnswerError::TooLarge);
    }
    body_of(content_type, text.as_bytes())
}

fn body_of(content_type: Option<&str>, bytes: &[u8]) -> Result<Value, AnswerError> {
    let kind = Kind::of(content_type);
    let text = decode(kind, content_type.and_then(charset), bytes);
    if text.is_empty() {
        return Ok(Value::Null);
    }
    if kind.is_json_like()
        && let Some(value) = json_of(kind, &text)?
    {
        return if holds_nul(&value) { Err(AnswerError::Unstorable) } else { Ok(value) };
    }
    if !text.contains('\0') {
        return Ok(Value::String(text.into_owned()));
    }
    match kind {
        // What isn't text is kept as far as it can be read; what it says is nobody's to read anyway.
        Kind::Bytes => Ok(Value::String(text.replace('\0', "\u{fffd}"))),
        Kind::Json | Kind::MaybeJson | Kind::Text => Err(AnswerError::Unstorable),
    }
}

/// The parameter `charset` of a content type.
fn charset(content_type: &str) -> Option<&'static Encoding> {
    let label = content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches(['"', '\'']))
    })?;
    Encoding::for_label(label.as_bytes())
}

/// The text of an answer: a BOM wins, then the charset that was said, then what the bytes look like.
fn decode<'b>(kind: Kind, said: Option<&'static Encoding>, bytes: &'b [u8]) -> Cow<'b, str> {
    let (encoding, bytes) = match Encoding::for_bom(bytes) {
        Some((encoding, bom)) => (encoding, &bytes[bom..]),
        None => (said_or_seen(kind, said, bytes), bytes),
    };
    encoding.decode_without_bom_handling(bytes).0
}

fn said_or_seen(kind: Kind, said: Option<&'static Encoding>, bytes: &[u8]) -> &'static Encoding {
    // JSON begins with two ASCII characters, so the zeros beside them tell which half of a character comes first.
    let seen = match (kind.is_json_like(), bytes) {
        (true, [0, b'{' | b'[' | b'"', 0, ..]) => Some(UTF_16BE),
        (true, [b'{' | b'[' | b'"', 0, _, 0, ..]) => Some(UTF_16LE),
        _ => None,
    };
    match said {
        // `utf-16` alone doesn't say which half of a character comes first.
        Some(said) if said == UTF_16LE => seen.unwrap_or(said),
        Some(said) => said,
        None => seen.unwrap_or_else(|| match kind {
            Kind::Bytes => UTF_8,
            Kind::Json | Kind::MaybeJson | Kind::Text => {
                if std::str::from_utf8(bytes).is_ok() {
                    UTF_8
                } else {
                    WINDOWS_1252
                }
            }
        }),
    }
}

/// The JSON in a text; `None` where it is a text after all.
fn json_of(kind: Kind, text: &str) -> Result<Option<Value>, AnswerError> {
    let begins_as_container = text.trim_start().starts_with(['{', '[']);
    if kind == Kind::MaybeJson && !begins_as_container {
        return Ok(None);
    }
    if begins_as_container && depth(text).is_some_and(|depth| depth > MAX_DEPTH) {
        return Err(AnswerError::TooDeep);
    }
    Ok(serde_json::from_str(text).ok())
}

/// How deep brackets nest outside of strings; `None` where they don't match in number.
fn depth(text: &str) -> Option<usize> {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        if in_string {
            (escaped, in_string) = (!escaped && byte == b'\\', escaped || byte != b'"');
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    (depth == 0).then_some(deepest)
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(list) => list.iter().any(holds_nul),
        Value::Object(map) => map.iter().any(|(key, value)| key.contains('\0') || holds_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(to_bytes).collect()
    }

    fn nested(depth: usize) -> String {
        format!("{}{}", "[".repeat(depth), "]".repeat(depth))
    }

    #[test]
    fn an_answer_is_read_by_its_type_and_charset() {
        let with_bom = |bom: &[u8], bytes: Vec<u8>| [bom.to_vec(), bytes].concat();
        let (le, be) = (u16::to_le_bytes as fn(u16) -> [u8; 2], u16::to_be_bytes as fn(u16) -> [u8; 2]);
        let map = json!({ "ort": "Göteborg" });
        let text = map.to_string();
        let latin: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
        for (content_type, bytes, expected) in [
            (Some("application/json"), text.clone().into_bytes(), map.clone()),
            (Some("application/json"), with_bom(b"\xef\xbb\xbf", text.clone().into()), map.clone()),
            (Some("application/json"), with_bom(b"\xff\xfe", utf16(&text, le)), map.clone()),
            (Some("application/json"), with_bom(b"\xfe\xff", utf16(&text, be)), map.clone()),
            (Some("application/json"), utf16(&text, le), map.clone()),
            (Some("application/json; charset=utf-16"), utf16(&text, be), map.clone()),
            (Some("application/json; charset=utf-16"), utf16("12", le), json!(12)),
            (Some("application/json; charset=UTF-16BE"), utf16(&text, be), map.clone()),
            (Some("application/json; charset=\"iso-8859-1\""), latin.clone(), map.clone()),
            (Some("application/json"), latin.clone(), map.clone()),
            (Some("text/plain;Charset=latin1"), latin, map.clone()),
            (Some("application/problem+json"), text.clone().into(), map.clone()),
            (Some("Application/Vnd.API+JSON; v=1"), text.clone().into(), map.clone()),
            (None, text.clone().into(), map.clone()),
            (Some("text/plain"), b" [1, 2]\n".to_vec(), json!([1, 2])),
            (Some("application/json"), b"12".to_vec(), json!(12)),
            (Some("application/json"), b"\"x\"".to_vec(), json!("x")),
            (Some("text/plain"), b"12".to_vec(), json!("12")),
            (None, b"true".to_vec(), json!("true")),
            (Some("text/plain"), b"{not json}".to_vec(), json!("{not json}")),
            (Some("application/json"), b"sorry".to_vec(), json!("sorry")),
            (Some("text/html"), b"[1]".to_vec(), json!("[1]")),
            (Some("text/csv; charset=windows-1252"), b"caf\xe9".to_vec(), json!("café")),
            (Some("text/csv"), b"caf\xe9".to_vec(), json!("café")),
            (Some("text/plain; charset=shift_jis"), b"\x93\xfa".to_vec(), json!("日")),
            (Some("application/octet-stream"), b"a\0b".to_vec(), json!("a\u{fffd}b")),
            (Some("application/json"), Vec::new(), Value::Null),
            (Some("application/json"), b"\xef\xbb\xbf".to_vec(), Value::Null),
        ] {
            let read = body_of(content_type, &bytes).map_err(|error| error.to_string());
            assert_eq!(read, Ok(expected), "{content_type:?} {bytes:?}");
        }
    }

    #[test]
    fn what_cannot_be_kept_is_refused() {
        let json = Some("application/json");
        assert!(body_of(json, nested(64).as_bytes()).is_ok());
        for kind in [json, None, Some("text/plain")] {
            for depth in [65, 127, 128, 200_000] {
                let read = body_of(kind, nested(depth).as_bytes());
                assert!(matches!(read, Err(AnswerError::TooDeep)), "{kind:?} {depth}");
            }
        }
        assert_eq!(body_of(json, b"{\"a\": \"[[[\\\"[\"}").ok(), Some(json!({ "a": "[[[\"[" })));
        for (kind, text) in [
            (json, r#"{"a": ["\u0000"]}"#),
            (json, r#"{"\u0000": 1}"#),
            (Some("text/plain"), "a\0b"),
            (None, "\0\0a"),
        ] {
            assert!(matches!(body_of(kind, text.as_bytes()), Err(AnswerError::Unstorable)), "{text:?}");
        }
    }

    #[test]
    fn a_header_that_comes_twice_is_joined() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("link", &b"</a>"[..]),
            ("link", b"</b>"),
            ("set-cookie", b"a=1, b"),
            ("set-cookie", b"c=2"),
            ("x-city", b"G\xf6teborg"),
        ] {
            headers.append(
                header::HeaderName::from_static(name),
                header::HeaderValue::from_bytes(value).unwrap(),
            );
        }
        let expected = json!({ "link": "</a>, </b>", "set-cookie": "a=1, b\nc=2", "x-city": "Göteborg" });
        assert_eq!(Value::Object(headers_of(&headers)), expected);
    }
}
