//! Bodies: of requests, with how each is written; and of answers.

use super::{
    Findings,
    document::Document,
    references::{Part, found},
    schemas::Schemas,
};
use serde_json::{Map, Value, json};
use shared_types::{
    connector::{BodyBinding, BodyEncoding, PartEncoding, Style},
    workflow::finding::escape_segment,
};
use std::collections::BTreeMap;

/// A request's body as the document describes it.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) binding: BodyBinding,
    pub(super) schema: Value,
    pub(super) is_required: bool,
}

/// The body of an operation's request; of several types, the one that carries most.
pub(super) fn request(
    document: &Document,
    operation: &Value,
    at: &str,
    schemas: &mut Schemas<'_>,
    findings: &mut Findings,
) -> Option<Body> {
    let body = operation.get("requestBody")?;
    let part = found(document, body, &format!("{at}/requestBody"), findings)?;
    let content = part.value.get("content").and_then(Value::as_object)?;
    let (media, encoding, described) = preferred(content)?;
    let at = format!("{}/content/{}/schema", part.at, escape_segment(media));
    let schema = described.get("schema");
    let parts = match encoding {
        BodyEncoding::Form | BodyEncoding::Multipart => {
            parts(document, described, schema.map(|schema| Part { value: schema, at: at.clone() }))
        }
        BodyEncoding::Json | BodyEncoding::Text => BTreeMap::new(),
    };
    Some(Body {
        binding: BodyBinding { encoding, content_type: content_type(media, encoding), parts },
        schema: match encoding {
            // Whatever it describes (XML, mostly), it is sent as the text that it is given as.
            BodyEncoding::Text => json!({ "type": "string" }),
            BodyEncoding::Json | BodyEncoding::Form | BodyEncoding::Multipart => {
                schema.map_or(Value::Bool(true), |schema| schemas.made(schema, &at, findings))
            }
        },
        is_required: part.value.get("required") == Some(&Value::Bool(true)),
    })
}

/// The schema of an operation's answer, where it succeeds with JSON.
pub(super) fn answer(
    document: &Document,
    operation: &Value,
    at: &str,
    schemas: &mut Schemas<'_>,
    findings: &mut Findings,
) -> Option<Value> {
    let responses = operation.get("responses")?.as_object()?;
    let good = |code: &&String| code.starts_with('2');
    let code = responses.keys().find(good).or_else(|| responses.keys().find(|code| *code == "default"))?;
    let part = found(document, &responses[code], &format!("{at}/responses/{code}"), findings)?;
    let content = part.value.get("content").and_then(Value::as_object)?;
    let (media, described) = content.iter().find(|(media, _)| is_json(media))?;
    let at = format!("{}/content/{}/schema", part.at, escape_segment(media));
    described.get("schema").map(|schema| schemas.made(schema, &at, findings))
}

/// The media type that is written, with how and with its description: JSON before forms, forms before texts.
fn preferred(content: &Map<String, Value>) -> Option<(&str, BodyEncoding, &Value)> {
    let rank = |encoding: BodyEncoding| match encoding {
        BodyEncoding::Json => 0,
        BodyEncoding::Form => 1,
        BodyEncoding::Multipart => 2,
        BodyEncoding::Text => 3,
    };
    let each = content.iter().map(|(media, described)| (media.as_str(), encoding_of(media), described));
    each.min_by_key(|(_, encoding, _)| rank(*encoding))
}

fn encoding_of(media: &str) -> BodyEncoding {
    let essence = essence(media);
    if is_json(media) || essence == "*/*" || essence == "application/*" {
        BodyEncoding::Json
    } else if essence == "application/x-www-form-urlencoded" {
        BodyEncoding::Form
    } else if essence == "multipart/form-data" {
        BodyEncoding::Multipart
    } else {
        BodyEncoding::Text
    }
}

/// The type that is sent: one that is a range becomes what it is written as.
fn content_type(media: &str, encoding: BodyEncoding) -> String {
    match encoding {
        _ if !media.contains('*') => media.to_owned(),
        BodyEncoding::Json => "application/json".to_owned(),
        BodyEncoding::Form | BodyEncoding::Multipart | BodyEncoding::Text => "text/plain".to_owned(),
    }
}

/// Whether a media type is JSON.
pub(super) fn is_json(media: &str) -> bool {
    let essence = essence(media);
    essence == "application/json" || essence == "text/json" || essence.ends_with("+json")
}

fn essence(media: &str) -> String {
    media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// How the properties of a form are written, where it isn't as usual.
fn parts(document: &Document, described: &Value, schema: Option<Part<'_>>) -> BTreeMap<String, PartEncoding> {
    let mut parts: BTreeMap<String, PartEncoding> = BTreeMap::new();
    let schema = schema.and_then(|part| super::references::followed(document, part.value, &part.at).ok());
    let properties = schema.as_ref().and_then(|part| part.value.get("properties")).and_then(Value::as_object);
    for (name, property) in properties.into_iter().flatten() {
        let Ok(property) = super::references::followed(document, property, "") else { continue };
        let property = property.value.get("items").unwrap_or(property.value);
        let is_binary = matches!(property.get("format").and_then(Value::as_str), Some("binary" | "byte"));
        if is_binary || property.get("contentMediaType").is_some() {
            parts.entry(name.clone()).or_default().is_file = true;
        }
    }
    for (name, encoding) in described.get("encoding").and_then(Value::as_object).into_iter().flatten() {
        let part = parts.entry(name.clone()).or_default();
        let content_type = encoding.get("contentType").and_then(Value::as_str);
        // A list of types leaves the choice to the sender.
        part.content_type =
            content_type.filter(|content_type| !content_type.contains(['*', ','])).map(str::to_owned);
        part.explode = encoding.get("explode").and_then(Value::as_bool);
        part.style = match encoding.get("style").and_then(Value::as_str) {
            Some("form") => Some(Style::Form),
            Some("spaceDelimited") => Some(Style::SpaceDelimited),
            Some("pipeDelimited") => Some(Style::PipeDelimited),
            Some("deepObject") => Some(Style::DeepObject),
            Some(_) | None => part.explode.map(|_| Style::Form),
        };
    }
    parts
}
