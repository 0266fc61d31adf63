//! What steps put into the context, and what of it a lane gives to what is around it.

use super::{lanes::LaneOver, place::Within, turn::Turn};
use crate::{
    ids::StepId,
    workflow::context::{merge, weight},
};
use serde_json::{Map, Value};
use std::sync::Arc;

impl Turn<'_> {
    /// Puts a value into the context of the run or of a lane.
    pub(super) fn put(&mut self, within: &[Within], name: &str, value: Value) {
        self.state.held += weight(&value);
        let replaced = match within {
            [] => Arc::make_mut(&mut self.state.context).insert(name.to_owned(), value),
            within => self.state.lane_mut(within).and_then(|lane| {
                lane.merged.remove(name);
                Arc::make_mut(&mut lane.own).insert(name.to_owned(), value)
            }),
        };
        self.let_go(replaced.as_ref());
    }

    fn let_go(&mut self, replaced: Option<&Value>) {
        self.state.held = self.state.held.saturating_sub(replaced.map_or(0, weight));
    }

    /// Puts a value under `steps.<id>.<name>`.
    pub(super) fn put_for_step(&mut self, within: &[Within], step: &StepId, name: &str, value: Value) {
        self.state.held += weight(&value);
        let own = match within {
            [] => Some(&mut self.state.context),
            within => self.state.lane_mut(within).map(|lane| &mut lane.own),
        };
        let Some(own) = own else { return };
        let steps = Arc::make_mut(own).entry("steps").or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(steps) = steps
            && let Value::Object(part) =
                steps.entry(step.as_str()).or_insert_with(|| Value::Object(Map::new()))
        {
            let replaced = part.insert(name.to_owned(), value);
            self.let_go(replaced.as_ref());
        }
    }

    /// Merges a value deeply into what the context has under a name.
    pub(super) fn merge_into(&mut self, within: &[Within], name: &str, value: &Value) {
        self.state.held += weight(value);
        if within.is_empty() {
            let context = Arc::make_mut(&mut self.state.context);
            return merge(context.entry(name.to_owned()).or_insert(Value::Null), value);
        }
        let seen = self.state.context_in(within).layers().whole(name).map(std::borrow::Cow::into_owned);
        let Some(lane) = self.state.lane_mut(within) else { return };
        let is_own = lane.own.contains_key(name) && !lane.merged.contains_key(name);
        let mut whole = seen.unwrap_or(Value::Null);
        merge(&mut whole, value);
        Arc::make_mut(&mut lane.own).insert(name.to_owned(), whole);
        // What the lane put there itself replaces; what it only merged is merged again where the lane ends.
        if !is_own {
            merge(lane.merged.entry(name.to_owned()).or_insert(Value::Null), value);
        }
    }

    /// Gives what a branch put into the context to what is around it.
    pub(super) fn give(&mut self, within: &[Within], over: LaneOver) {
        let LaneOver { own, merged, .. } = over;
        let own = Arc::try_unwrap(own).unwrap_or_else(|own| (*own).clone());
        for (name, value) in own {
            // It was counted when it was put into the branch.
            self.let_go(Some(&value));
            match (name.as_str(), value, merged.get(&name)) {
                ("steps", Value::Object(steps), _) => {
                    for (step, part) in steps {
                        self.give_part(within, &StepId(step), part);
                    }
                }
                (name, _, Some(merged)) => self.merge_into(within, name, merged),
                (name, value, None) => self.put(within, name, value),
            }
        }
    }

    fn give_part(&mut self, within: &[Within], step: &StepId, part: Value) {
        if let Value::Object(part) = part {
            for (name, value) in part {
                self.put_for_step(within, step, &name, value);
            }
        }
    }
}
