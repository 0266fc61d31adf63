//! A run's values in layers: what a branch or an item puts there lies over what the run had before.

use super::path;
use serde_json::{Map, Value};
use std::{borrow::Cow, sync::Arc};

/// A run's values, cheap to clone and to freeze.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Context {
    base: Arc<Map<String, Value>>,
    over: Vec<Arc<Map<String, Value>>>,
}

impl Context {
    /// The run's own values.
    pub fn new(base: Arc<Map<String, Value>>) -> Self {
        Self { base, over: Vec::new() }
    }

    /// Lays the values of a branch or an item over these.
    pub fn lay_over(&mut self, layer: Arc<Map<String, Value>>) {
        self.over.push(layer);
    }

    /// The layers, to look into.
    pub fn layers(&self) -> Layers<'_> {
        Layers { base: &self.base, over: &self.over }
    }
}

impl From<Map<String, Value>> for Context {
    fn from(base: Map<String, Value>) -> Self {
        Self::new(Arc::new(base))
    }
}

/// A run's values, to look into.
#[derive(Debug, Clone, Copy)]
pub struct Layers<'a> {
    base: &'a Map<String, Value>,
    /// The innermost last.
    over: &'a [Arc<Map<String, Value>>],
}

impl<'a> Layers<'a> {
    /// The value of a name, of the innermost layer that has it; `steps` is never asked here.
    fn get(self, name: &str) -> Option<&'a Value> {
        self.over.iter().rev().find_map(|layer| layer.get(name)).or_else(|| self.base.get(name))
    }

    /// The value at a path. `steps` is one map over all layers: each step's part is where it was last put.
    pub fn find<'p>(self, name: &str, mut segments: impl Iterator<Item = &'p str>) -> Option<Cow<'a, Value>> {
        if name != "steps" || self.over.is_empty() {
            return path::follow(self.get(name)?, segments);
        }
        let Some(step) = segments.next() else { return Some(Cow::Owned(self.steps())) };
        let layers = self.over.iter().rev().map(Arc::as_ref).chain([self.base]);
        let part = layers.filter_map(|layer| layer.get("steps")).find_map(|steps| steps.get(step))?;
        path::follow(part, segments)
    }

    /// The value of a name, whole.
    pub fn whole(self, name: &str) -> Option<Cow<'a, Value>> {
        self.find(name, std::iter::empty())
    }

    fn steps(self) -> Value {
        let layers = [self.base].into_iter().chain(self.over.iter().map(Arc::as_ref));
        let mut steps = Map::new();
        for layer in layers {
            if let Some(Value::Object(own)) = layer.get("steps") {
                steps.extend(own.iter().map(|(step, part)| (step.clone(), part.clone())));
            }
        }
        Value::Object(steps)
    }
}

impl<'a> From<&'a Map<String, Value>> for Layers<'a> {
    fn from(base: &'a Map<String, Value>) -> Self {
        Self { base, over: &[] }
    }
}

impl<'a> From<&'a Arc<Map<String, Value>>> for Layers<'a> {
    fn from(base: &'a Arc<Map<String, Value>>) -> Self {
        Self { base, over: &[] }
    }
}

impl<'a> From<&'a Context> for Layers<'a> {
    fn from(context: &'a Context) -> Self {
        context.layers()
    }
}

/// Merges deeply: maps key by key, everything else is replaced.
pub fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

/// About how many bytes a value takes as JSON.
pub fn weight(value: &Value) -> u64 {
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(_) => 9,
        Value::String(text) => text.len() as u64 + 3,
        Value::Array(list) => list.iter().map(weight).sum::<u64>() + 2,
        Value::Object(map) => {
            map.iter().map(|(key, value)| key.len() as u64 + 4 + weight(value)).sum::<u64>() + 2
        }
    }
}
