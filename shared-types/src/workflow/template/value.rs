//! JSON values with templates in their texts.

use super::{Template, TemplateError, as_text};
use crate::workflow::{bounds, scope::Scope};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{borrow::Cow, collections::BTreeMap};

/// Any JSON value in which every text may hold templates.
#[derive(Debug, Clone, PartialEq)]
pub enum TemplateValue {
    /// Nothing in it to evaluate.
    Literal(Value),
    /// A text with templates.
    Text(Template),
    /// A list with templates somewhere in it.
    List(Vec<TemplateValue>),
    /// A map with templates somewhere in it.
    Map(BTreeMap<String, TemplateValue>),
}

impl TemplateValue {
    /// Reads a JSON value.
    pub fn new(value: Value) -> Self {
        match value {
            Value::String(text) => {
                let template = Template::new(text);
                if template.is_literal() {
                    Self::Literal(Value::String(template.source().to_owned()))
                } else {
                    Self::Text(template)
                }
            }
            Value::Array(list) => {
                let list: Vec<Self> = list.into_iter().map(Self::new).collect();
                if list.iter().all(Self::is_literal) {
                    Self::Literal(Value::Array(list.iter().map(Self::source).collect()))
                } else {
                    Self::List(list)
                }
            }
            Value::Object(map) => {
                let map: BTreeMap<String, Self> = map.into_iter().map(|(k, v)| (k, Self::new(v))).collect();
                if map.values().all(Self::is_literal) {
                    Self::Literal(Value::Object(map.iter().map(|(k, v)| (k.clone(), v.source())).collect()))
                } else {
                    Self::Map(map)
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => Self::Literal(value),
        }
    }

    /// Whether there is nothing to evaluate.
    pub fn is_literal(&self) -> bool {
        matches!(self, Self::Literal(_))
    }

    /// The value as written.
    pub fn source(&self) -> Value {
        match self {
            Self::Literal(value) => value.clone(),
            Self::Text(template) => Value::String(template.source().to_owned()),
            Self::List(list) => Value::Array(list.iter().map(Self::source).collect()),
            Self::Map(map) => Value::Object(map.iter().map(|(k, v)| (k.clone(), v.source())).collect()),
        }
    }

    /// The value with every template evaluated.
    pub fn value(&self, scope: &Scope<'_>) -> Result<Value, TemplateError> {
        match self {
            Self::Literal(value) => Ok(value.clone()),
            Self::Text(template) => template.value(scope),
            Self::List(_) | Self::Map(_) => {
                let value = self.evaluated(scope)?;
                // Each template's value is within the bounds; around it there is more.
                match bounds::too_deep(&value, bounds::MAX_DEPTH) {
                    Some(_) => Err(TemplateError::TooDeep),
                    None => Ok(value),
                }
            }
        }
    }

    /// The value, where a text that a part of isn't there would mean something else.
    ///
    /// # Errors
    /// As [`Self::value`], and when a part of a text isn't there.
    pub fn whole(&self, scope: &Scope<'_>) -> Result<Value, TemplateError> {
        match self {
            Self::Text(template) => template.whole(scope),
            Self::Literal(_) | Self::List(_) | Self::Map(_) => self.value(scope),
        }
    }

    fn evaluated(&self, scope: &Scope<'_>) -> Result<Value, TemplateError> {
        match self {
            Self::Literal(value) => Ok(value.clone()),
            Self::Text(template) => template.value(scope),
            Self::List(list) => list.iter().map(|item| item.evaluated(scope)).collect(),
            Self::Map(map) => map
                .iter()
                .map(|(key, value)| Ok((key.clone(), value.evaluated(scope)?)))
                .collect::<Result<Map<_, _>, _>>()
                .map(Value::Object),
        }
    }

    /// The value as text; what isn't there is empty.
    pub fn text(&self, scope: &Scope<'_>) -> Result<String, TemplateError> {
        Ok(as_text(&self.value(scope)?))
    }

    /// Every template in it, with its pointer below this value.
    pub fn templates(&self) -> Vec<(String, &Template)> {
        match self {
            Self::Literal(_) => Vec::new(),
            Self::Text(template) => vec![(String::new(), template)],
            Self::List(list) => list
                .iter()
                .enumerate()
                .flat_map(|(n, item)| item.templates().into_iter().map(move |(p, t)| (format!("/{n}{p}"), t)))
                .collect(),
            Self::Map(map) => map
                .iter()
                .flat_map(|(key, item)| {
                    let key = crate::workflow::finding::escape_segment(key);
                    item.templates().into_iter().map(move |(p, t)| (format!("/{key}{p}"), t))
                })
                .collect(),
        }
    }
}

impl Serialize for TemplateValue {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.source().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for TemplateValue {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::new)
    }
}

impl JsonSchema for TemplateValue {
    fn schema_name() -> Cow<'static, str> {
        "TemplateValue".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Any value; texts in it may hold {{ … }}",
            "format": "templates",
        })
    }
}
