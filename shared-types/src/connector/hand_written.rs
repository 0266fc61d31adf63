//! Operations that somebody wrote by hand: HTTP requests made from templates.

use super::{http_request::HttpRequest, request_error::RequestError};
use crate::workflow::{Template, TemplateValue, effect::Method, scope::Scope, template::TemplateError};
use chrono::DateTime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// An operation of a connector of the kind `http`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HttpOperation {
    /// Its name.
    pub id: String,
    /// What it does, in a few words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// The JSON Schema of its input; without one, any map is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_schema: Option<Value>,
    /// Whether it only reads; without it, GET and HEAD do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub safe: Option<bool>,
    /// The request.
    #[serde(flatten)]
    pub request: HttpTemplates,
}

/// A request in whose templates the inputs stand by their names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HttpTemplates {
    /// The method; GET without one.
    #[serde(default = "get")]
    pub method: Method,
    /// The path behind the connector's address; `{id}` is short for `{{ id }}`.
    pub path: String,
    /// Query parameters; one whose value is null is left out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, TemplateValue>,
    /// Headers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Template>,
    /// What is sent: a text as it is, anything else as JSON. Without one, nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<TemplateValue>,
    /// What of the answer's JSON is the output, as a JSON pointer; without one, all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
}

fn get() -> Method {
    Method::Get
}

impl HttpTemplates {
    /// The request that an input makes.
    ///
    /// # Errors
    /// A template fails, or a value would lead to another path.
    pub(super) fn request(
        &self,
        base_url: &str,
        input: &Map<String, Value>,
    ) -> Result<HttpRequest, RequestError> {
        // An operation has no time of its own: the same input makes the same request whenever it is asked.
        let scope = Scope::masked(input, DateTime::UNIX_EPOCH);
        let failed = |error: TemplateError| RequestError::Template(error.to_string());
        let address = format!("{}{}", base_url.trim_end_matches('/'), self.path_template());
        let mut query = BTreeMap::new();
        for (name, value) in &self.query {
            let value = value.value(&scope).map_err(failed)?;
            if !value.is_null() {
                query.insert(name.clone(), crate::workflow::template::as_text(&value));
            }
        }
        let mut headers = BTreeMap::new();
        for (name, value) in &self.headers {
            let text = value.text(&scope).map_err(failed)?;
            if !text.is_empty() {
                headers.insert(name.clone(), text);
            }
        }
        Ok(HttpRequest {
            method: self.method,
            url: Template::new(address).address(&scope).map_err(failed)?,
            headers,
            query,
            body: self.body.as_ref().map(|body| body.value(&scope)).transpose().map_err(failed)?,
        })
    }

    /// Its templates, each with its place below the operation as a JSON pointer.
    pub fn templates(&self) -> Vec<(String, Template)> {
        let path = [("/path".to_owned(), Template::new(self.path_template()))];
        let query = self.query.iter().flat_map(|(name, value)| {
            value
                .templates()
                .into_iter()
                .map(move |(at, template)| (format!("/query/{name}{at}"), template.clone()))
        });
        let headers =
            self.headers.iter().map(|(name, template)| (format!("/headers/{name}"), template.clone()));
        let body = self.body.iter().flat_map(TemplateValue::templates);
        let body = body.map(|(at, template)| (format!("/body{at}"), template.clone()));
        path.into_iter().chain(query).chain(headers).chain(body).collect()
    }

    /// The inputs that stand in the path by their name alone.
    pub(super) fn path_inputs(&self) -> Vec<&str> {
        short_names(&self.path).into_iter().map(|(_, name)| name).collect()
    }

    /// The path, with what is short for a template written out.
    fn path_template(&self) -> String {
        let mut written = String::new();
        let mut from = 0;
        for (at, name) in short_names(&self.path) {
            written.push_str(&self.path[from..at]);
            written.push_str("{{ ");
            written.push_str(name);
            written.push_str(" }}");
            from = at + name.len() + 2;
        }
        written.push_str(&self.path[from..]);
        written
    }
}

/// The names in single braces, with where each begins: `{id}`, and not `{{ id }}` or `{% … %}`.
fn short_names(path: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut rest = 0;
    while let Some(open) = path[rest..].find('{').map(|at| rest + at) {
        let inside = &path[open + 1..];
        if let Some(double) = inside.strip_prefix(['{', '%', '#']) {
            let close = double.find('}').map_or(path.len(), |at| open + 2 + at);
            rest = path[close..].find(|c| c != '}').map_or(path.len(), |at| close + at);
            continue;
        }
        let Some(close) = inside.find('}') else { break };
        found.push((open, &inside[..close]));
        rest = open + close + 2;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn templates(value: Value) -> HttpTemplates {
        serde_json::from_value(value).unwrap()
    }

    fn request(templates: &HttpTemplates, input: &Value) -> Result<HttpRequest, RequestError> {
        templates.request("https://crm.example.com/v2/", input.as_object().unwrap())
    }

    #[test]
    fn inputs_fill_path_query_headers_and_body() {
        let written = templates(json!({
            "method": "PATCH", "path": "/customers/{id}/notes/{{ note.kind | upper }}",
            "query": {"notify": "{{ notify }}", "limit": "{{ limit }}"},
            "headers": {"X-Reason": "{{ reason }}", "X-Left-Out": "{{ nothing }}"},
            "body": {"text": "{{ note.text }}", "tags": "{{ tags }}"},
        }));
        let input = json!({
            "id": "a/b c", "note": {"kind": "call", "text": "He \"said\" so"}, "notify": true,
            "reason": "asked", "tags": ["x", 1],
        });
        let made = request(&written, &input).unwrap();
        assert_eq!(made.url, "https://crm.example.com/v2/customers/a%2Fb%20c/notes/CALL");
        assert_eq!(made.query, BTreeMap::from([("notify".to_owned(), "true".to_owned())]));
        assert_eq!(made.headers, BTreeMap::from([("X-Reason".to_owned(), "asked".to_owned())]));
        assert_eq!(made.body, Some(json!({"text": "He \"said\" so", "tags": ["x", 1]})));
        assert_eq!(written.path_inputs(), ["id"]);
    }

    #[test]
    fn a_value_never_leads_to_another_path_and_an_empty_one_is_refused() {
        let written = templates(json!({ "path": "/customers/{id}" }));
        for id in ["..", "."] {
            assert!(request(&written, &json!({ "id": id })).is_err(), "{id}");
        }
        let made = request(&written, &json!({ "id": "../admin?x#y" })).unwrap();
        assert_eq!(made.url, "https://crm.example.com/v2/customers/..%2Fadmin%3Fx%23y");
    }

    #[test]
    fn short_names_are_told_from_templates() {
        for (path, names) in [
            ("/a/{id}", vec!["id"]),
            ("/a/{id}/b/{other}", vec!["id", "other"]),
            ("/a/{{ id }}/{x}", vec!["x"]),
            ("/a/{% if x %}y{% endif %}/{z}", vec!["z"]),
            ("/a/{", vec![]),
            ("/a", vec![]),
        ] {
            let found: Vec<&str> = short_names(path).into_iter().map(|(_, name)| name).collect();
            assert_eq!(found, names, "{path}");
        }
    }
}
