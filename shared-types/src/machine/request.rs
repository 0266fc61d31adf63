//! An effect's template and its context made into the request that goes out.
//!
//! With masked secrets this is the preview in traces and simulations; with known ones, at the very last
//! moment and only on the effects' side, it is the request itself.

pub use crate::connector::HttpRequest;
use crate::workflow::{
    TemplateValue,
    effect::{Effect, HttpCall, Method, RecordChange},
    scope::Scope,
    template::{TemplateError, as_text},
};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What goes out.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Resolved {
    /// An HTTP request.
    Http(HttpRequest),
    /// A record made or changed.
    Record {
        /// The kind of entity: `order`, `invoice`.
        entity: String,
        /// Identifier of the entity in the system that owns it.
        #[serde(skip_serializing_if = "Option::is_none")]
        entity_id: Option<String>,
        /// Its fields.
        data: Value,
    },
    /// A connector's operation.
    Connector {
        /// Name of the connector.
        connector: String,
        /// What it gets.
        input: Value,
    },
}

impl Resolved {
    /// The request in a few words.
    pub fn in_words(&self) -> String {
        match self {
            Self::Http(http) => format!("{} {}", http.method.as_str(), http.url),
            Self::Record { entity, entity_id: Some(id), .. } => format!("the record {entity} {id}"),
            Self::Record { entity, entity_id: None, .. } => format!("a new record {entity}"),
            Self::Connector { connector, .. } => connector.clone(),
        }
    }
}

/// Makes an effect that something outside answers into its request.
///
/// # Errors
/// When a template fails or gives nothing where something is needed.
pub fn resolve(effect: &Effect, scope: &Scope<'_>) -> Result<Resolved, TemplateError> {
    match effect {
        Effect::HttpRequest(call) => http(call, Method::Get, scope),
        Effect::Webhook(call) => http(call, Method::Post, scope),
        Effect::CreateRecord(record) => resolve_record(record, false, scope),
        Effect::UpdateRecord(record) => resolve_record(record, true, scope),
        Effect::Connector(call) => Ok(Resolved::Connector {
            connector: call.connector.clone(),
            input: value_or_empty(call.input.as_ref(), scope)?,
        }),
        Effect::Notify(_) | Effect::CreateApprovalRequest(_) | Effect::EmitEvent(_) | Effect::Log(_) => {
            Err(TemplateError::Missing { what: "request", template: effect.type_name().to_owned() })
        }
    }
}

fn http(call: &HttpCall, default: Method, scope: &Scope<'_>) -> Result<Resolved, TemplateError> {
    let texts = |map: &BTreeMap<String, crate::workflow::Template>| {
        map.iter()
            .map(|(key, value)| Ok((key.clone(), value.text(scope)?)))
            .collect::<Result<_, TemplateError>>()
    };
    let query = call.query.iter().map(|(key, value)| Ok((key.clone(), value.text(scope)?)));
    Ok(Resolved::Http(HttpRequest {
        method: call.method.unwrap_or(default),
        url: call.url.address(scope)?,
        headers: texts(&call.headers)?,
        query: query.collect::<Result<_, TemplateError>>()?,
        body: call.body.as_ref().map(|body| body.value(scope)).transpose()?,
    }))
}

fn resolve_record(
    record: &RecordChange,
    needs_id: bool,
    scope: &Scope<'_>,
) -> Result<Resolved, TemplateError> {
    let id = record.entity_id.as_ref().map(|id| id.value(scope)).transpose()?.map(|id| as_text(&id));
    let id = id.filter(|id| !id.is_empty());
    if needs_id && id.is_none() {
        let template = record.entity_id.as_ref().map_or(Value::Null, TemplateValue::source);
        return Err(TemplateError::Missing { what: "entity_id", template: as_text(&template) });
    }
    let data = value_or_empty(record.data.as_ref(), scope)?;
    Ok(Resolved::Record { entity: record.entity.clone(), entity_id: id, data })
}

fn value_or_empty(value: Option<&TemplateValue>, scope: &Scope<'_>) -> Result<Value, TemplateError> {
    value.map_or_else(|| Ok(Value::Object(Map::new())), |value| value.value(scope))
}
