//! A first event to try a workflow with: that of its first test, or one made of what its conditions look at.

use super::{
    Document,
    document::Trigger,
    scope::is_reserved,
    test_script::{ScriptedEvent, TestInput},
};
use serde_json::{Map, Value};

/// An event that starts the workflow; its author is expected to change the values.
pub fn sample_event(document: &Document) -> ScriptedEvent {
    let own = match &document.trigger {
        Trigger::Event { event, .. } => event.trim_end_matches(".*").to_owned(),
        Trigger::Schedule { .. } => "schedule".to_owned(),
        Trigger::Manual { .. } => "manual".to_owned(),
        Trigger::Webhook { .. } => "webhook".to_owned(),
    };
    if let Some(TestInput { event, payload, .. }) = document.tests.first().map(|test| &test.given) {
        let kind = event.clone().unwrap_or(own);
        return ScriptedEvent { kind, payload: payload.clone(), ..ScriptedEvent::default() };
    }
    let mut payload = Map::new();
    if let Ok(whole) = serde_json::to_value(document) {
        compared(&whole, &mut payload);
    }
    ScriptedEvent { kind: own, payload, ..ScriptedEvent::default() }
}

/// Puts each value that a condition compares a field with where the field is; the first one stays.
fn compared(value: &Value, payload: &mut Map<String, Value>) {
    match value {
        Value::Object(object) => {
            if let (Some(Value::String(field)), Some(with)) = (object.get("field"), object.get("value")) {
                put(payload, field, with);
            }
            object.values().for_each(|inner| compared(inner, payload));
        }
        Value::Array(items) => items.iter().for_each(|item| compared(item, payload)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn put(payload: &mut Map<String, Value>, field: &str, with: &Value) {
    let segments = super::path::names(field);
    let is_plain = |name: &&str| name.chars().all(|c| c.is_alphanumeric() || c == '_');
    let Some((last, above)) = segments.split_last() else { return };
    if is_reserved(segments[0]) || !segments.iter().all(is_plain) || with.is_object() {
        return;
    }
    let mut at = payload;
    for name in above {
        let inner = at.entry((*name).to_owned()).or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(inner) = inner else { return };
        at = inner;
    }
    let one = with.as_array().map_or(with, |several| several.first().unwrap_or(with));
    at.entry((*last).to_owned()).or_insert_with(|| one.clone());
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn document(more: &Value) -> Document {
        let mut whole = json!({
            "workflow_id": "w", "name": "W", "trigger": {"type": "event", "event": "order.created"},
            "steps": [{"id": "c", "type": "condition", "on_true": "a", "on_false": "a",
                "condition": {"and": [
                    {"field": "order.total", "operator": "gte", "value": 10},
                    {"field": "order.total", "operator": "lt", "value": 90},
                    {"field": "order.country", "operator": "in", "value": ["SE", "NO"]},
                    {"field": "steps.x.status", "operator": "eq", "value": 200}]}},
                {"id": "a", "type": "action", "action": {"type": "allow"}}]
        });
        whole.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(whole).unwrap()
    }

    #[test]
    fn what_conditions_compare_makes_the_payload_and_what_is_no_payload_is_left_out() {
        let sample = sample_event(&document(&json!({})));
        assert_eq!(sample.kind, "order.created");
        assert_eq!(Value::Object(sample.payload), json!({"order": {"total": 10, "country": "SE"}}));
    }

    #[test]
    fn a_test_of_the_document_gives_its_own_event() {
        let tests = json!({"tests": [{"name": "t", "given": {"payload": {"n": 1}}, "expect": {"result": "allowed"}}]});
        let sample = sample_event(&document(&tests));
        assert_eq!((sample.kind.as_str(), Value::Object(sample.payload)), ("order.created", json!({"n": 1})));
    }
}
