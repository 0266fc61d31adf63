//! The parameters of an operation: where each goes, and its schema.

use super::{
    Findings,
    document::Document,
    references::{Part, found},
    schemas::Schemas,
};
use serde_json::{Value, json};
use shared_types::{
    connector::{Location, Parameter, Style},
    workflow::{finding::escape_segment, header::is_own},
};
use std::collections::BTreeMap;

/// Headers that a document can't set by parameters (OpenAPI 3.1.1, "Parameter Object").
const IGNORED_HEADERS: [&str; 3] = ["accept", "content-type", "authorization"];

/// A parameter as the document describes it.
#[derive(Debug)]
pub(super) struct Described {
    pub(super) parameter: Parameter,
    pub(super) schema: Value,
    pub(super) is_required: bool,
}

/// The parameters of an operation, those of its path among them, with the inputs named. `has_body` says whether one of the
/// inputs is the body.
pub(super) fn parameters(
    document: &Document,
    lists: &[(&Value, String); 2],
    path: &str,
    has_body: bool,
    schemas: &mut Schemas<'_>,
    findings: &mut Findings,
) -> Vec<Described> {
    let mut parts: BTreeMap<(String, &'static str), Part<'_>> = BTreeMap::new();
    let mut order = Vec::new();
    for (list, at) in lists {
        for (n, value) in list.as_array().into_iter().flatten().enumerate() {
            let Some(part) = found(document, value, &format!("{at}/{n}"), findings) else { continue };
            let text = |key: &str| part.value.get(key).and_then(Value::as_str);
            let (Some(name), Some(location)) = (text("name"), text("in").and_then(location)) else {
                continue;
            };
            // What the operation says of a parameter replaces what its path says.
            if parts.insert((name.to_owned(), location.1), part.clone()).is_none() {
                order.push((name.to_owned(), location));
            }
        }
    }
    let mut described = Vec::new();
    for (name, (location, key)) in order {
        let ignored = name.to_ascii_lowercase();
        if location == Location::Header && (is_own(&name) || IGNORED_HEADERS.contains(&ignored.as_str())) {
            continue;
        }
        // A parameter of the path that isn't in the path has nowhere to go.
        if location == Location::Path && !path.contains(&format!("{{{name}}}")) {
            continue;
        }
        if let Some(part) = parts.remove(&(name.clone(), key)) {
            described.push(describe(name, location, &part, schemas, findings));
        }
    }
    for name in in_braces(path) {
        let is_described =
            |one: &Described| one.parameter.location == Location::Path && one.parameter.name == name;
        if !described.iter().any(is_described) {
            let message = format!("The path's `{name}` isn't among the parameters; it is taken as a text.");
            findings.warning("openapi.parameter", lists[1].1.clone(), message);
            described.push(Described {
                parameter: parameter(name.to_owned(), Location::Path, &Value::Null),
                schema: json!({ "type": "string" }),
                is_required: true,
            });
        }
    }
    name_inputs(&mut described, has_body);
    described
}

fn location(text: &str) -> Option<(Location, &'static str)> {
    match text {
        "path" => Some((Location::Path, "path")),
        "query" => Some((Location::Query, "query")),
        "header" => Some((Location::Header, "header")),
        "cookie" => Some((Location::Cookie, "cookie")),
        _ => None,
    }
}

fn describe(
    name: String,
    location: Location,
    part: &Part<'_>,
    schemas: &mut Schemas<'_>,
    findings: &mut Findings,
) -> Described {
    let is_required = location == Location::Path || part.value.get("required") == Some(&Value::Bool(true));
    let mut parameter = parameter(name, location, part.value);
    let content =
        part.value.get("content").and_then(Value::as_object).and_then(|content| content.iter().next());
    let (schema, at) = match content {
        Some((media, content)) => {
            parameter.as_json = super::bodies::is_json(media);
            (content.get("schema"), format!("{}/content/{}/schema", part.at, escape_segment(media)))
        }
        None => (part.value.get("schema"), format!("{}/schema", part.at)),
    };
    let mut schema = schema.map_or(Value::Bool(true), |schema| schemas.made(schema, &at, findings));
    if let (Some(description), Some(map)) = (part.value.get("description"), schema.as_object_mut())
        && description.is_string()
    {
        map.entry("description").or_insert_with(|| description.clone());
    }
    Described { parameter, schema, is_required }
}

/// A parameter with the style that it has, or that its location has where it says nothing.
fn parameter(name: String, location: Location, written: &Value) -> Parameter {
    let style = match written.get("style").and_then(Value::as_str) {
        Some("simple") => Style::Simple,
        Some("label") => Style::Label,
        Some("matrix") => Style::Matrix,
        Some("form") => Style::Form,
        Some("spaceDelimited") => Style::SpaceDelimited,
        Some("pipeDelimited") => Style::PipeDelimited,
        Some("deepObject") => Style::DeepObject,
        Some(_) | None => match location {
            Location::Path | Location::Header => Style::Simple,
            Location::Query | Location::Cookie => Style::Form,
        },
    };
    let is_set = |key: &str| written.get(key).and_then(Value::as_bool);
    Parameter {
        input: name.clone(),
        name,
        location,
        style,
        explode: is_set("explode").unwrap_or(style == Style::Form),
        // Elsewhere a reserved character would lead to another path, or make another cookie.
        allow_reserved: location == Location::Query && is_set("allowReserved").unwrap_or(false),
        as_json: false,
    }
}

/// The names in braces of a path.
pub(super) fn in_braces(path: &str) -> Vec<&str> {
    let after = path.split('{').skip(1);
    after.filter_map(|rest| rest.split_once('}').map(|(name, _)| name)).collect()
}

/// Names the inputs: as the parameters, and by their places as well where two would have one name.
fn name_inputs(described: &mut [Described], has_body: bool) {
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    if has_body {
        count.insert("body".to_owned(), 1);
    }
    for one in described.iter() {
        *count.entry(one.parameter.name.clone()).or_default() += 1;
    }
    for one in described {
        let parameter = &mut one.parameter;
        if count.get(&parameter.name).copied().unwrap_or_default() > 1 {
            let place = match parameter.location {
                Location::Path => "path",
                Location::Query => "query",
                Location::Header => "header",
                Location::Cookie => "cookie",
            };
            parameter.input = format!("{place}_{}", parameter.name);
        }
    }
}
