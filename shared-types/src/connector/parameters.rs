//! Parameters of an operation: where each goes, and how its value is written there (OpenAPI 3.1.1, "Style Values").

use super::request_error::RequestError;
use crate::workflow::template::as_text;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt::Write as _;

/// Where a parameter goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are those of OpenAPI")]
pub enum Location {
    Path,
    Query,
    Header,
    Cookie,
}

/// How lists and maps are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are those of OpenAPI")]
pub enum Style {
    Simple,
    Label,
    Matrix,
    Form,
    SpaceDelimited,
    PipeDelimited,
    DeepObject,
}

/// A parameter of an operation: which input it takes, and how that is written where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// The property of the input that holds its value.
    pub input: String,
    /// Its name in the request.
    pub name: String,
    /// Where it goes.
    pub location: Location,
    /// How lists and maps are written.
    pub style: Style,
    /// Whether each entry of a list or map is written by itself.
    pub explode: bool,
    /// Whether reserved characters are sent as they are.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_reserved: bool,
    /// Whether the value is sent as JSON text.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub as_json: bool,
}

impl Parameter {
    /// The text that stands for it in a path, percent-encoded.
    ///
    /// # Errors
    /// The value is empty, or would name another place of the path.
    pub(super) fn in_path(&self, value: &Value) -> Result<String, RequestError> {
        let fault = |message| RequestError::Input { pointer: format!("/{}", self.input), message };
        let text = if self.as_json { encode(&value.to_string(), false) } else { self.styled_in_path(value) };
        match text.as_str() {
            "" => Err(fault("it stands in the path of the request, and is empty".to_owned())),
            "." | ".." => Err(fault(format!("`{text}` in the path would name another place"))),
            _ => Ok(text),
        }
    }

    fn styled_in_path(&self, value: &Value) -> String {
        let entries = self.entries(value);
        match self.style {
            Style::Label => {
                let separator = if self.explode { "." } else { "," };
                format!(".{}", joined(&entries, separator, self.explode))
            }
            Style::Matrix if self.explode && is_container(value) => {
                let each = entries.iter().map(|(key, text)| match key {
                    Some(key) => format!(";{key}={text}"),
                    None => format!(";{}={text}", encode(&self.name, false)),
                });
                each.collect()
            }
            Style::Matrix => format!(";{}={}", encode(&self.name, false), joined(&entries, ",", false)),
            Style::Simple
            | Style::Form
            | Style::SpaceDelimited
            | Style::PipeDelimited
            | Style::DeepObject => joined(&entries, ",", self.explode),
        }
    }

    /// The pairs that it adds to the query, percent-encoded.
    pub(super) fn in_query(&self, value: &Value) -> Vec<(String, String)> {
        let name = encode(&self.name, false);
        if self.as_json {
            return vec![(name, encode(&value.to_string(), self.allow_reserved))];
        }
        let entries = self.entries(value);
        if entries.is_empty() {
            return Vec::new();
        }
        match (self.style, value) {
            (Style::DeepObject, Value::Object(_)) => {
                let pair = |(key, text): (Option<String>, String)| match key {
                    Some(key) => (format!("{name}%5B{key}%5D"), text),
                    None => (name.clone(), text),
                };
                entries.into_iter().map(pair).collect()
            }
            (_, Value::Object(_)) if self.explode => {
                entries.into_iter().map(|(key, text)| (key.unwrap_or_default(), text)).collect()
            }
            (_, Value::Array(_)) if self.explode || self.style == Style::DeepObject => {
                entries.into_iter().map(|(_, text)| (name.clone(), text)).collect()
            }
            (style, _) => {
                let separator = match style {
                    Style::SpaceDelimited => "%20",
                    Style::PipeDelimited => "%7C",
                    Style::Form | Style::Simple | Style::Label | Style::Matrix | Style::DeepObject => ",",
                };
                vec![(name, joined(&entries, separator, false))]
            }
        }
    }

    /// The value of a header.
    pub(super) fn in_header(&self, value: &Value) -> String {
        if self.as_json {
            return value.to_string();
        }
        let entries: Vec<(Option<String>, String)> = match value {
            Value::Array(list) => list.iter().map(|item| (None, as_text(item))).collect(),
            Value::Object(map) => map.iter().map(|(key, item)| (Some(key.clone()), as_text(item))).collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                vec![(None, as_text(value))]
            }
        };
        joined(&entries, ",", self.explode)
    }

    /// The pairs of a cookie.
    pub(super) fn in_cookie(&self, value: &Value) -> String {
        let pairs = self.in_query(value).into_iter().map(|(name, text)| format!("{name}={text}"));
        pairs.collect::<Vec<_>>().join("; ")
    }

    /// Each entry of a value, percent-encoded, with its key where the value is a map.
    fn entries(&self, value: &Value) -> Vec<(Option<String>, String)> {
        let text = |value: &Value| encode(&as_text(value), self.allow_reserved);
        match value {
            Value::Array(list) => list.iter().map(|item| (None, text(item))).collect(),
            Value::Object(map) => {
                map.iter().map(|(key, item)| (Some(encode(key, false)), text(item))).collect()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => vec![(None, text(value))],
        }
    }
}

fn is_container(value: &Value) -> bool {
    value.is_array() || value.is_object()
}

/// Entries in one text: keys and values by turns, or as `key=value`.
fn joined(entries: &[(Option<String>, String)], separator: &str, as_pairs: bool) -> String {
    let texts = entries.iter().map(|(key, text)| match key {
        Some(key) if as_pairs => format!("{key}={text}"),
        Some(key) => format!("{key}{separator}{text}"),
        None => text.clone(),
    });
    texts.collect::<Vec<_>>().join(separator)
}

/// Percent-encodes a text but for the unreserved characters of RFC 3986; with `reserved`, also but for the reserved ones that
/// may stand in a query, and for what is percent-encoded already.
pub(super) fn encode(text: &str, reserved: bool) -> String {
    const RESERVED: &[u8] = b":/?@!$'()*,;%";
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        let stays =
            byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || (reserved && RESERVED.contains(&byte));
        if stays {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parameter(location: Location, style: Style, explode: bool) -> Parameter {
        Parameter {
            input: "color".into(),
            name: "color".into(),
            location,
            style,
            explode,
            allow_reserved: false,
            as_json: false,
        }
    }

    /// The table of "Style Examples" in OpenAPI 3.1.1.
    #[test]
    fn values_are_written_as_the_specification_shows() {
        let (text, list, map) =
            (json!("blue"), json!(["blue", "black", "brown"]), json!({"B": 150, "G": 200, "R": 100}));
        for (style, explode, of_text, of_list, of_map) in [
            (Style::Matrix, false, ";color=blue", ";color=blue,black,brown", ";color=B,150,G,200,R,100"),
            (Style::Matrix, true, ";color=blue", ";color=blue;color=black;color=brown", ";B=150;G=200;R=100"),
            (Style::Label, false, ".blue", ".blue,black,brown", ".B,150,G,200,R,100"),
            (Style::Label, true, ".blue", ".blue.black.brown", ".B=150.G=200.R=100"),
            (Style::Simple, false, "blue", "blue,black,brown", "B,150,G,200,R,100"),
            (Style::Simple, true, "blue", "blue,black,brown", "B=150,G=200,R=100"),
        ] {
            let parameter = parameter(Location::Path, style, explode);
            for (value, expected) in [(&text, of_text), (&list, of_list), (&map, of_map)] {
                assert_eq!(parameter.in_path(value).unwrap(), expected, "{style:?} {explode}");
            }
        }
        for (style, explode, of_text, of_list, of_map) in [
            (Style::Form, false, "color=blue", "color=blue,black,brown", "color=B,150,G,200,R,100"),
            (Style::Form, true, "color=blue", "color=blue&color=black&color=brown", "B=150&G=200&R=100"),
            (
                Style::SpaceDelimited,
                false,
                "color=blue",
                "color=blue%20black%20brown",
                "color=B%20150%20G%20200%20R%20100",
            ),
            (
                Style::PipeDelimited,
                false,
                "color=blue",
                "color=blue%7Cblack%7Cbrown",
                "color=B%7C150%7CG%7C200%7CR%7C100",
            ),
            (
                Style::DeepObject,
                true,
                "color=blue",
                "color=blue&color=black&color=brown",
                "color%5BB%5D=150&color%5BG%5D=200&color%5BR%5D=100",
            ),
        ] {
            let parameter = parameter(Location::Query, style, explode);
            for (value, expected) in [(&text, of_text), (&list, of_list), (&map, of_map)] {
                let pairs = parameter.in_query(value);
                let text: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
                assert_eq!(text.join("&"), expected, "{style:?} {explode}");
            }
        }
    }

    #[test]
    fn what_would_leave_its_place_is_encoded_or_refused() {
        let path = parameter(Location::Path, Style::Simple, false);
        assert_eq!(path.in_path(&json!("a/../b?x#y")).unwrap(), "a%2F..%2Fb%3Fx%23y");
        for text in ["", ".", ".."] {
            assert!(path.in_path(&json!(text)).is_err(), "{text}");
        }
        let reserved = Parameter { allow_reserved: true, ..parameter(Location::Query, Style::Form, true) };
        assert_eq!(reserved.in_query(&json!("a/b?c&d=e#f"))[0].1, "a/b?c%26d%3De%23f");
        let as_json = Parameter { as_json: true, ..parameter(Location::Query, Style::Form, true) };
        assert_eq!(as_json.in_query(&json!({"a": 1}))[0].1, "%7B%22a%22%3A1%7D");
        assert_eq!(
            parameter(Location::Header, Style::Simple, true).in_header(&json!({"a": 1, "b": "x"})),
            "a=1,b=x"
        );
        assert_eq!(
            parameter(Location::Cookie, Style::Form, true).in_cookie(&json!(["a", "b"])),
            "color=a; color=b"
        );
    }
}
