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
            self.put(&place.within, &name, value);
        }
        Ok(flow)
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
