//! `emit`, and the effect of the same kind: an event that a run publishes.

use super::{
    MAX_DEPTH,
    address::StepAddress,
    command::Command,
    event::Event,
    failure::Failure,
    transition::{Next, Transition},
};
use crate::{
    ids::EventId,
    workflow::{
        effect::{Effect, Emit},
        scope::Scope,
        step::Step,
    },
};
use serde_json::{Map, Value};
use std::sync::Arc;

impl Transition<'_> {
    pub(super) fn emit(&mut self, step: &Step, place: &StepAddress, emit: &Emit) -> Result<Next, Failure> {
        if !self.state.approved.is_empty()
            && let Some(next) = self.held_back(place, 0, &Effect::EmitEvent(emit.clone()))
        {
            return Ok(next);
        }
        let payload = self.publish(place, 0, emit)?;
        let flow = self.next_or_following(place, step.next.as_ref());
        let end = self.complete_step(place, format!("Publishes {}", emit.event), None, flow);
        end.fact.input = Some(payload);
        Ok(end.next)
    }

    /// Publishes an event of a document and gives its payload.
    pub(super) fn publish(&mut self, place: &StepAddress, index: u32, emit: &Emit) -> Result<Value, Failure> {
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
        let (place, index) = (place.clone(), Some(index));
        self.command(Command::Publish { place, index, event: Arc::new(event), depth });
        Ok(Value::Object(payload))
    }
}
