//! What steps put into the context, what of it a lane gives to what is around it, and how much all that is.
//!
//! The run counts what its steps put there (`held`), and each lane what of that is its own: what is replaced,
//! given on or dropped is let go of as it was counted.

use super::{
    lanes::{BranchStands, LaneOver},
    place::Within,
    state::Doing,
    turn::Turn,
};
use crate::{
    ids::StepId,
    workflow::context::{merge, weight},
};
use serde_json::{Map, Value};
use std::sync::Arc;

impl Turn<'_> {
    /// Puts a value into the context of the run or of a lane.
    pub(super) fn put(&mut self, within: &[Within], name: &str, value: Value) {
        let Some(own) = self.state.own_mut(within) else { return };
        let more = weight(&value);
        if let Some(merged) = own.merged {
            merged.remove(name);
        }
        let replaced = Arc::make_mut(own.values).insert(name.to_owned(), value);
        self.count(within, more, replaced.as_ref().map_or(0, weight));
    }

    /// Puts a value under `steps.<id>.<name>`.
    pub(super) fn put_for_step(&mut self, within: &[Within], step: &StepId, name: &str, value: Value) {
        let Some(own) = self.state.own_mut(within) else { return };
        let more = weight(&value);
        let empty = || Value::Object(Map::new());
        let steps = Arc::make_mut(own.values).entry("steps").or_insert_with(empty);
        let Value::Object(steps) = steps else { return };
        let Value::Object(part) = steps.entry(step.as_str()).or_insert_with(empty) else { return };
        let replaced = part.insert(name.to_owned(), value);
        self.count(within, more, replaced.as_ref().map_or(0, weight));
    }

    /// Merges a value deeply into what the context has under a name.
    pub(super) fn merge_into(&mut self, within: &[Within], name: &str, value: &Value) {
        let seen = match within {
            [] => None,
            within => self.state.context_in(within).layers().whole(name).map(std::borrow::Cow::into_owned),
        };
        let Some(own) = self.state.own_mut(within) else { return };
        let values = Arc::make_mut(own.values);
        let is_put = own.merged.as_ref().is_some_and(|merged| !merged.contains_key(name));
        let is_own = is_put && values.contains_key(name);
        let before = values.get(name).map_or(0, weight);
        let whole = values.entry(name.to_owned()).or_insert(Value::Null);
        if let Some(seen) = seen {
            *whole = seen;
        }
        merge(whole, value);
        let after = weight(whole);
        // What the lane put there itself replaces; what it only merged is merged again where the lane ends.
        if let Some(merged) = own.merged.filter(|_| !is_own) {
            merge(merged.entry(name.to_owned()).or_insert(Value::Null), value);
        }
        self.count(within, after, before);
    }

    /// Gives what a branch put into the context to what is around it.
    pub(super) fn give(&mut self, within: &[Within], over: LaneOver) {
        let LaneOver { own, merged, held, .. } = over;
        self.let_go(held);
        let own = Arc::try_unwrap(own).unwrap_or_else(|own| (*own).clone());
        for (name, value) in own {
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

    /// Counts what was put somewhere, and what went for it.
    fn count(&mut self, within: &[Within], more: u64, less: u64) {
        self.state.held = (self.state.held + more).saturating_sub(less);
        if let Some(held) = self.state.own_mut(within).and_then(|own| own.held) {
            *held = (*held + more).saturating_sub(less);
        }
    }

    /// Holds a result beside the context, until it is put there.
    pub(super) fn hold(&mut self, bytes: u64) {
        self.state.held += bytes;
    }

    /// Lets go of what was counted.
    pub(super) fn let_go(&mut self, bytes: u64) {
        self.state.held = self.state.held.saturating_sub(bytes);
    }

    /// Lets go of what the lanes of a frame hold that is given up.
    pub(super) fn let_go_of(&mut self, doing: &Doing) {
        match doing {
            Doing::Branching(branching) => {
                for branch in &branching.branches {
                    match &branch.stands {
                        BranchStands::Ahead => {}
                        BranchStands::Open(lane) => self.let_go(lane.held),
                        BranchStands::Over(over) => self.let_go(over.held),
                    }
                }
            }
            Doing::Iterating(iterating) => {
                let open: u64 = iterating.open.iter().map(|item| item.lane.held).sum();
                self.let_go(iterating.held + open);
            }
            Doing::Calling { .. }
            | Doing::BackingOff { .. }
            | Doing::Asking { .. }
            | Doing::Awaiting { .. }
            | Doing::Pausing { .. }
            | Doing::Reading { .. }
            | Doing::Running(_) => {}
        }
    }
}
