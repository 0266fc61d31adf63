//! An operation of an OpenAPI document: where each input goes in the request.

use super::{
    form::{PartEncoding, multipart, url_encoded},
    http_request::HttpRequest,
    parameters::{Location, Parameter},
    request_error::RequestError,
};
use crate::workflow::effect::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Where each input of an operation goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HttpBinding {
    /// The method, as it is sent.
    pub method: Method,
    /// The address before the path, where the operation has one of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// The path, with parameters in braces.
    pub path: String,
    /// The parameters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Parameter>,
    /// The body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<BodyBinding>,
}

/// How the body is made from the input `body`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BodyBinding {
    /// How it is written.
    pub encoding: BodyEncoding,
    /// Its content type.
    pub content_type: String,
    /// How the properties of a form are written, where it isn't as usual.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parts: BTreeMap<String, PartEncoding>,
}

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyEncoding {
    /// As JSON.
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `multipart/form-data`, with text fields.
    Multipart,
    /// A text as it is.
    Text,
}

/// The input property that holds the body.
pub(super) const BODY: &str = "body";

impl HttpBinding {
    /// The inputs that stand in the path.
    pub(super) fn path_inputs(&self) -> Vec<&str> {
        let in_path = self.parameters.iter().filter(|parameter| parameter.location == Location::Path);
        in_path.map(|parameter| parameter.input.as_str()).collect()
    }

    /// The request that an input makes, to the operation's own address or to this one.
    ///
    /// # Errors
    /// A value has no place in a path, or the body isn't what its encoding needs.
    pub(super) fn request(
        &self,
        base_url: &str,
        input: &Map<String, Value>,
    ) -> Result<HttpRequest, RequestError> {
        let mut path = self.path.clone();
        let (mut query, mut headers, mut cookies) = (Vec::new(), BTreeMap::new(), Vec::new());
        for parameter in &self.parameters {
            let value = input.get(&parameter.input).filter(|value| !value.is_null());
            match (parameter.location, value) {
                (Location::Path, value) => {
                    let text = parameter.in_path(value.unwrap_or(&Value::Null))?;
                    path = path.replace(&format!("{{{}}}", parameter.name), &text);
                }
                (Location::Query, Some(value)) => query.extend(parameter.in_query(value)),
                (Location::Header, Some(value)) => {
                    headers.insert(parameter.name.clone(), parameter.in_header(value));
                }
                (Location::Cookie, Some(value)) => cookies.push(parameter.in_cookie(value)),
                (Location::Query | Location::Header | Location::Cookie, None) => {}
            }
        }
        if !cookies.is_empty() {
            headers.insert("Cookie".to_owned(), cookies.join("; "));
        }
        let body = match (&self.body, input.get(BODY)) {
            (Some(binding), Some(value)) if !value.is_null() => {
                let (content_type, body) = binding.written(value)?;
                headers.insert("Content-Type".to_owned(), content_type);
                Some(body)
            }
            (Some(_) | None, _) => None,
        };
        let base_url = self.base_url.as_deref().unwrap_or(base_url).trim_end_matches('/');
        let mut url = format!("{base_url}{path}");
        if !query.is_empty() {
            url.push(if url.contains('?') { '&' } else { '?' });
            let pairs: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
            url.push_str(&pairs.join("&"));
        }
        Ok(HttpRequest { method: self.method, url, headers, query: BTreeMap::new(), body })
    }
}

impl BodyBinding {
    /// The content type and the body that a value makes.
    fn written(&self, value: &Value) -> Result<(String, Value), RequestError> {
        let fault =
            |message: &str| RequestError::Input { pointer: format!("/{BODY}"), message: message.to_owned() };
        let fields = || value.as_object().ok_or_else(|| fault("a form is made from a map"));
        match self.encoding {
            // A text would be sent as it is: JSON of a text has quotes around it.
            BodyEncoding::Json if value.is_string() => {
                Ok((self.content_type.clone(), Value::String(value.to_string())))
            }
            BodyEncoding::Json => Ok((self.content_type.clone(), value.clone())),
            BodyEncoding::Form => {
                Ok((self.content_type.clone(), Value::String(url_encoded(fields()?, &self.parts))))
            }
            BodyEncoding::Multipart => {
                let (body, content_type) = multipart(fields()?, &self.parts);
                Ok((content_type, Value::String(body)))
            }
            BodyEncoding::Text if value.is_string() => Ok((self.content_type.clone(), value.clone())),
            BodyEncoding::Text => Err(fault("a body of this type is a text")),
        }
    }
}
