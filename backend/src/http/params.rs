//! Parameters of the path and the query: read into their types, or refused with the one that is wrong.

use super::problem::{ApiError, ApiResult};
use axum::{
    extract::FromRequestParts,
    http::{Uri, request::Parts},
};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use shared_types::api::{
    problem::{Code, Problem},
    reading,
};
use std::{str::FromStr, sync::Arc};

/// Refuses a path that can lead nowhere: no id holds U+0000, or what isn't UTF-8.
pub(super) fn check_path(uri: &Uri) -> ApiResult<()> {
    if !uri.path().contains('%') {
        return Ok(());
    }
    match decoded(uri.path(), false) {
        Some(path) if !path.contains('\0') => Ok(()),
        Some(_) | None => Err(ApiError::not_found()),
    }
}

/// The query of a request, as its endpoint's definition has it.
///
/// The guard reads it before the body is read; a handler takes what was read there.
pub(super) struct Query<T>(pub(super) T);

impl<T: Send + Sync + 'static, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> ApiResult<Self> {
        let query = parts.extensions.remove::<Arc<T>>().and_then(Arc::into_inner);
        query.map(Self).ok_or_else(|| ApiError::new(Code::Internal, "The endpoint has another query."))
    }
}

/// Reads a request's query, or refuses it, and keeps it for the handler.
pub(super) fn keep_query<T>(parts: &mut Parts) -> ApiResult<()>
where
    T: DeserializeOwned + JsonSchema + Send + Sync + 'static,
{
    let query = read_query::<T>(parts.uri.query().unwrap_or_default())?;
    parts.extensions.insert(Arc::new(query));
    Ok(())
}

/// Reads a query into its type, by the type's JSON Schema.
fn read_query<T: DeserializeOwned + JsonSchema + 'static>(text: &str) -> ApiResult<T> {
    let schema = reading::schema_of::<T>();
    let known = schema.get("properties").and_then(Value::as_object);
    let is_open = schema.get("additionalProperties") != Some(&Value::Bool(false));
    let mut values = Map::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decoded(name, true).ok_or_else(|| wrong("A parameter's name isn't UTF-8."))?;
        let Some(schema) = known.and_then(|known| known.get(&name)) else {
            if is_open {
                continue;
            }
            return Err(wrong(&unknown(&name, known)));
        };
        let value = decoded(value, true).ok_or_else(|| {
            wrong(&format!("`{name}` isn't UTF-8; encode it as UTF-8 before percent-encoding."))
        })?;
        // An empty value is as good as none: forms send one for every filter.
        if value.is_empty() {
            continue;
        }
        if values.insert(name.clone(), typed(&name, schema, value)?).is_some() {
            return Err(wrong(&format!("`{name}` was sent twice; send it once.")));
        }
    }
    let required = schema.get("required").and_then(Value::as_array);
    let mut required = required.into_iter().flatten().filter_map(Value::as_str);
    let missing = required.find(|name| !values.contains_key(*name)).map(str::to_owned);
    reading::read(Value::Object(values)).map_err(|findings| {
        // What is wrong with a parameter is said before that another is missing.
        let wrong = findings.iter().find(|finding| finding.code != "key.missing");
        let detail = match (wrong, missing) {
            (Some(wrong), _) => wrong.message.clone(),
            (None, Some(name)) => format!("`{name}` is missing; send it."),
            (None, None) => findings.first().map(|finding| finding.message.clone()).unwrap_or_default(),
        };
        Problem::new(Code::QueryUnreadable, detail).with_findings(findings).into()
    })
}

fn wrong(detail: &str) -> ApiError {
    ApiError::new(Code::QueryUnreadable, detail)
}

fn unknown(name: &str, known: Option<&Map<String, Value>>) -> String {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(50).collect();
    let names: Vec<String> = known.into_iter().flat_map(Map::keys).map(|name| format!("`{name}`")).collect();
    if names.is_empty() {
        format!("`{shown}` is no parameter; there are none here.")
    } else {
        format!("`{shown}` is no parameter; there are {}.", names.join(", "))
    }
}

/// A parameter's text as the value that its schema wants.
fn typed(name: &str, schema: &Value, text: String) -> ApiResult<Value> {
    let wants = |kind: &str| match schema.get("type") {
        Some(Value::String(one)) => one == kind,
        Some(Value::Array(many)) => many.iter().any(|one| one == kind),
        Some(_) | None => false,
    };
    let shown = || text.chars().take(50).collect::<String>();
    if wants("integer") {
        let number = text.parse::<u64>().map(Value::from).or_else(|_| text.parse::<i64>().map(Value::from));
        return number
            .map_err(|_| wrong(&format!("`{name}` is \"{}\"; it must be a whole number.", shown())));
    }
    if wants("boolean") {
        let word = text.parse::<bool>().map(Value::from);
        return word.map_err(|_| wrong(&format!("`{name}` is \"{}\"; it must be true or false.", shown())));
    }
    Ok(Value::String(text))
}

/// What a percent-encoded text stands for; nothing where that isn't UTF-8.
fn decoded(text: &str, plus_is_space: bool) -> Option<String> {
    if !text.contains(['%', '+']) {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let digit = |n: usize| tail.get(n).and_then(|byte| char::from(*byte).to_digit(16));
        let (byte, tail) = match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => (u8::try_from(high * 16 + low).unwrap_or_default(), &tail[2..]),
            (b'+', _, _) if plus_is_space => (b' ', tail),
            (_, _, _) => (*first, tail),
        };
        bytes.push(byte);
        rest = tail;
    }
    String::from_utf8(bytes).ok()
}

/// One parameter of the path; one that can't be an id leads nowhere.
pub(super) struct Path<T>(pub(super) T);

impl<T: FromStr, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Self> {
        let axum::extract::Path(text) = axum::extract::Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| ApiError::not_found())?;
        text.parse().map(Self).map_err(|_| ApiError::not_found())
    }
}

/// Two parameters of the path.
pub(super) struct Paths<A, B>(pub(super) A, pub(super) B);

impl<A: FromStr, B: FromStr, S: Send + Sync> FromRequestParts<S> for Paths<A, B> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Self> {
        let axum::extract::Path((first, second)) =
            axum::extract::Path::<(String, String)>::from_request_parts(parts, state)
                .await
                .map_err(|_| ApiError::not_found())?;
        match (first.parse(), second.parse()) {
            (Ok(first), Ok(second)) => Ok(Self(first, second)),
            (_, _) => Err(ApiError::not_found()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_types::api::{AnyQuery, NoQuery, calendars::DueQuery, executions::ExecutionQuery};

    fn refusal(text: &str) -> String {
        read_query::<ExecutionQuery>(text).unwrap_err().problem().detail.clone()
    }

    #[test]
    fn a_query_is_read_or_refused_with_the_parameter_that_is_wrong() {
        let query: ExecutionQuery =
            read_query("limit=3&status=running&q=a+b%26c&workflow_id=&started_after=2026-03-01T10:00:00Z")
                .unwrap();
        assert_eq!((query.limit, query.q.as_deref()), (Some(3), Some("a b&c")));
        assert!(query.workflow_id.is_none() && query.started_after.is_some());
        for (text, says) in [
            ("colour=red", "`colour` is no parameter; there are `cursor`"),
            ("limit=0", "`limit` must be from 1 to 200."),
            ("limit=201", "`limit` must be from 1 to 200."),
            ("limit=many", "`limit` is \"many\"; it must be a whole number."),
            ("limit=1&limit=2", "`limit` was sent twice"),
            ("status=asleep", "`status` is \"asleep\"; it can be"),
            ("q=%00", "U+0000"),
            ("q=%ff", "`q` isn't UTF-8"),
            ("%00=1", "is no parameter"),
            ("started_after=2026-03-01T10:00:00", "no time zone"),
            ("started_before=-5000-01-01T00:00:00Z", "years 1 to 9999"),
        ] {
            let said = refusal(text);
            assert!(said.contains(says), "{text}: {said}");
        }
        let long = format!("q={}", "x".repeat(201));
        assert!(refusal(&long).contains("`q` is too long"), "{}", refusal(&long));
        assert!(read_query::<NoQuery>("a=1").is_err());
        let missing = read_query::<DueQuery>("span=").unwrap_err().problem().detail.clone();
        assert_eq!(missing, "`span` is missing; send it.");
        assert!(read_query::<AnyQuery>("a=1&b=%00&c=%ff").is_ok());
    }
}
