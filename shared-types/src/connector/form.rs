//! Bodies of forms: `application/x-www-form-urlencoded`, and `multipart/form-data` with text fields.

use super::parameters::{Location, Parameter, Style};
use crate::workflow::template::as_text;
use form_urlencoded::byte_serialize;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use std::{collections::BTreeMap, fmt::Write as _};

/// How one property of a form is written, where it isn't as usual.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartEncoding {
    /// The part's content type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// How lists and maps are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub style: Option<Style>,
    /// Whether each entry of a list or map is written by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explode: Option<bool>,
    /// Whether it is a file, which has a file name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_file: bool,
}

/// The fields of a form as `application/x-www-form-urlencoded`.
pub(super) fn url_encoded(fields: &Map<String, Value>, parts: &BTreeMap<String, PartEncoding>) -> String {
    let mut pairs: Vec<String> = Vec::new();
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
        let part = parts.get(name);
        match (part.and_then(|part| part.style), value) {
            (Some(style), Value::Array(_) | Value::Object(_)) => {
                let explode = part.and_then(|part| part.explode).unwrap_or(style == Style::Form);
                let parameter = Parameter {
                    input: name.clone(),
                    name: name.clone(),
                    location: Location::Query,
                    style,
                    explode,
                    allow_reserved: false,
                    as_json: false,
                };
                pairs.extend(
                    parameter.in_query(value).into_iter().map(|(name, text)| format!("{name}={text}")),
                );
            }
            (None, Value::Array(list)) => {
                pairs.extend(list.iter().map(|item| pair(name, &as_text(item))));
            }
            (_, value) => pairs.push(pair(name, &as_text(value))),
        }
    }
    pairs.join("&")
}

fn pair(name: &str, text: &str) -> String {
    let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    format!("{}={}", encode(name), encode(text))
}

/// A multipart body, and its content type. The boundary is made from the content, so that a retry sends the same bytes.
pub(super) fn multipart(
    fields: &Map<String, Value>,
    parts: &BTreeMap<String, PartEncoding>,
) -> (String, String) {
    let mut written: Vec<(String, String)> = Vec::new();
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
        let part = parts.get(name);
        let items = match value {
            Value::Array(list) => list.iter().collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                vec![value]
            }
        };
        written.extend(items.into_iter().map(|item| (head(name, item, part), as_text(item))));
    }
    let mut hash = Sha256::new();
    for (head, text) in &written {
        hash.update(head);
        hash.update([0]);
        hash.update(text);
        hash.update([0]);
    }
    let boundary = hash.finalize().iter().take(16).fold("iw-".to_owned(), |mut boundary, byte| {
        let _ = write!(boundary, "{byte:02x}");
        boundary
    });
    let mut body = String::new();
    for (head, text) in &written {
        let _ = write!(body, "--{boundary}\r\n{head}\r\n\r\n{text}\r\n");
    }
    let _ = write!(body, "--{boundary}--\r\n");
    (body, format!("multipart/form-data; boundary={boundary}"))
}

/// The headers of a part (RFC 7578); names are escaped as browsers do.
fn head(name: &str, value: &Value, part: Option<&PartEncoding>) -> String {
    let escaped = name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
    let mut head = format!("Content-Disposition: form-data; name=\"{escaped}\"");
    let is_file = part.is_some_and(|part| part.is_file);
    if is_file {
        let _ = write!(head, "; filename=\"{escaped}\"");
    }
    let by_kind = match value {
        Value::Object(_) | Value::Array(_) => Some("application/json"),
        _ if is_file => Some("application/octet-stream"),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    };
    if let Some(content_type) = part.and_then(|part| part.content_type.as_deref()).or(by_kind) {
        let _ = write!(head, "\r\nContent-Type: {content_type}");
    }
    head
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fields(value: &Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn a_form_repeats_lists_and_writes_maps_as_json_unless_a_style_is_named() {
        let form = fields(&json!({ "a": "x & y", "b": [1, 2], "c": {"d": 1}, "e": null, "f": true }));
        assert_eq!(url_encoded(&form, &BTreeMap::new()), "a=x+%26+y&b=1&b=2&c=%7B%22d%22%3A1%7D&f=true");
        let deep =
            PartEncoding { style: Some(Style::DeepObject), explode: Some(true), ..PartEncoding::default() };
        let parts = BTreeMap::from([("c".to_owned(), deep)]);
        assert_eq!(url_encoded(&fields(&json!({ "c": {"d": 1} })), &parts), "c%5Bd%5D=1");
    }

    #[test]
    fn a_multipart_body_has_a_part_for_each_value_and_the_same_bytes_each_time() {
        let file = PartEncoding { is_file: true, ..PartEncoding::default() };
        let parts = BTreeMap::from([("file".to_owned(), file)]);
        let form = fields(&json!({ "a\"b": "x", "meta": {"k": 1}, "tags": ["p", "q"], "file": "text" }));
        let (body, content_type) = multipart(&form, &parts);
        let boundary = content_type.strip_prefix("multipart/form-data; boundary=").unwrap();
        let expected = [
            "Content-Disposition: form-data; name=\"a%22b\"\r\n\r\nx",
            "Content-Disposition: form-data; name=\"file\"; filename=\"file\"\r\nContent-Type: application/octet-stream\r\n\r\ntext",
            "Content-Disposition: form-data; name=\"meta\"\r\nContent-Type: application/json\r\n\r\n{\"k\":1}",
            "Content-Disposition: form-data; name=\"tags\"\r\n\r\np",
            "Content-Disposition: form-data; name=\"tags\"\r\n\r\nq",
        ];
        let expected = expected.map(|part| format!("--{boundary}\r\n{part}\r\n")).concat();
        assert_eq!(body, format!("{expected}--{boundary}--\r\n"));
        assert_eq!(multipart(&form, &parts).0, body);
    }
}
