//! `set`: values put into the context, under a name or where a path leads.

use super::{
    address::StepAddress,
    failure::Failure,
    transition::{Next, Transition},
};
use crate::workflow::{TemplateValue, scope::Scope, step::Step};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

impl Transition<'_> {
    pub(super) fn set(
        &mut self,
        step: &Step,
        place: &StepAddress,
        set: &BTreeMap<String, TemplateValue>,
    ) -> Result<Next, Failure> {
        if !self.state.approved.is_empty()
            && let Some(next) = self.set_held_back(place, set)
        {
            return Ok(next);
        }
        let context = self.context(place);
        let scope = Scope::masked(&context, self.stamp.at);
        let values: Map<String, Value> = set
            .iter()
            .map(|(name, value)| Ok((name.clone(), value.value(&scope)?)))
            .collect::<Result<_, Failure>>()?;
        drop(context);
        let names: Vec<&str> = values.keys().map(String::as_str).collect();
        let reason = format!("Sets {}", names.join(", "));
        let flow = self.next_or_following(place, step.next.as_ref());
        let end = self.complete_step(place, reason, None, flow);
        end.fact.output = Some(json!({ "next": end.next.next(), "set": values }));
        let flow = end.next;
        for (name, value) in values {
            self.set_path(place, &name, value);
        }
        Ok(flow)
    }

    /// Sets a name, or what a path leads to: that key is set, and the rest stays.
    pub(super) fn set_path(&mut self, place: &StepAddress, path: &str, value: Value) {
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
pub(super) fn put_at(at: &mut Value, path: &str, value: Value) {
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
