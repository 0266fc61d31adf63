//! `set`, `emit` and `fail`: done at once.

use super::{
    MAX_DEPTH,
    command::{Command, StepState},
    input::Event,
    place::Place,
    turn::{Failure, Flow, Turn},
};
use crate::{
    ids::EventId,
    workflow::{
        Template, TemplateValue,
        scope::Scope,
        step::{Emit, Step},
    },
};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, sync::Arc};

impl Turn<'_> {
    pub(super) fn set(
        &mut self,
        step: &Step,
        place: &Place,
        set: &BTreeMap<String, TemplateValue>,
    ) -> Result<Flow, Failure> {
        let context = self.context(place);
        let scope = Scope::masked(&context, self.stamp.at);
        let values: Map<String, Value> = set
            .iter()
            .map(|(name, value)| Ok((name.clone(), value.value(&scope)?)))
            .collect::<Result<_, Failure>>()?;
        drop(context);
        let names: Vec<&str> = values.keys().map(String::as_str).collect();
        let reason = format!("Sets {}", names.join(", "));
        let flow = self.onward(place, step.next.as_ref());
        let flow = self.done(place, reason, None, flow);
        self.last_fact().output = Some(json!({ "next": flow.next(), "set": values }));
        for (name, value) in values {
            self.set_path(place, &name, value);
        }
        Ok(flow)
    }

    /// Sets a name, or what a path leads to: that key is set, and the rest stays.
    fn set_path(&mut self, place: &Place, path: &str, value: Value) {
        let Some((name, below)) = path.split_once('.') else { return self.put(&place.within, path, value) };
        let whole = self.context(place).layers().whole(name).map(std::borrow::Cow::into_owned);
        if !value.is_object() && leads_through_maps(whole.as_ref(), below) {
            // Merged, so that what other branches set beside it stays as well.
            let part = below
                .rsplit('.')
                .fold(value, |value, key| Value::Object(Map::from_iter([(key.to_owned(), value)])));
            return self.merge_into(&place.within, name, &part);
        }
        let mut whole = whole.unwrap_or(Value::Null);
        put_at(&mut whole, below, value);
        self.put(&place.within, name, whole);
    }

    pub(super) fn emit(&mut self, step: &Step, place: &Place, emit: &Emit) -> Result<Flow, Failure> {
        let payload = self.publish(place, 0, emit)?;
        let flow = self.onward(place, step.next.as_ref());
        let flow = self.done(place, format!("Publishes {}", emit.event), None, flow);
        self.last_fact().input = Some(payload);
        Ok(flow)
    }

    /// Publishes an event of a document and gives its payload.
    pub(super) fn publish(&mut self, place: &Place, index: u32, emit: &Emit) -> Result<Value, Failure> {
        let context = self.context(place);
        let scope = Scope::masked(&context, self.entered_at(place));
        let payload = emit.payload.as_ref().map_or(Ok(Value::Null), |payload| payload.value(&scope))?;
        let payload = match payload {
            Value::Object(map) => map,
            Value::Null => Map::new(),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                Map::from_iter([("value".to_owned(), payload)])
            }
        };
        let depth = self.state.depth + 1;
        if depth > MAX_DEPTH {
            let message =
                format!("Events set each other off {MAX_DEPTH} deep; {} is not published.", emit.event);
            return Err(Failure::new("emit.depth", message));
        }
        let event = Event {
            kind: emit.event.clone(),
            id: EventId(format!("{}:{place}:{index}", self.state.execution_id)),
            source: Some(format!("execution:{}", self.state.execution_id)),
            time: self.stamp.at,
            requester: self.state.requester.clone(),
            payload: payload.clone(),
        };
        self.command(Command::Publish { event: Arc::new(event), depth });
        Ok(Value::Object(payload))
    }

    pub(super) fn fail(&mut self, place: &Place, reason: Option<&Template>) -> Result<Flow, Failure> {
        let context = self.context(place);
        let scope = Scope::masked(&context, self.stamp.at);
        let message = reason.map_or_else(|| Ok("The workflow says so.".to_owned()), |r| r.text(&scope))?;
        self.fact(place, StepState::Failed).reason = Some(message.clone());
        Ok(Flow::Fail(Failure::new("fail", message).at(&place.step)))
    }
}

/// Whether a path meets only maps, or nothing, before its last key.
fn leads_through_maps(whole: Option<&Value>, path: &str) -> bool {
    let mut at = whole;
    path.split('.').all(|key| match at {
        Some(Value::Object(map)) => {
            at = map.get(key);
            true
        }
        None | Some(Value::Null) => {
            at = None;
            true
        }
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => false,
    })
}

/// Sets what a path leads to. A list's item is set where there is one; what is neither a list nor a map gives way.
fn put_at(at: &mut Value, path: &str, value: Value) {
    let (key, below) = path.split_once('.').map_or((path, None), |(key, below)| (key, Some(below)));
    let index = key.parse::<usize>().ok();
    let is_item = at.as_array().zip(index).is_some_and(|(list, index)| index < list.len());
    if !is_item && !at.is_object() {
        *at = Value::Object(Map::new());
    }
    let part = match index.filter(|_| is_item) {
        Some(index) => &mut at[index],
        None => &mut at[key],
    };
    match below {
        None => *part = value,
        Some(below) => put_at(part, below, value),
    }
}
