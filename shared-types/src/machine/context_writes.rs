//! Writes of steps into the context, the merge of a branch's values into what is around it, and the size of both.
//!
//! The run counts the bytes of all values (`context_bytes`), and each lane those of its own. Bytes are released by the same
//! estimate that reserved them, so that the count can't drift: a value that is replaced, merged into the context around its
//! branch, or dropped with its lane is subtracted with the weight with which it was added.
//!
//! A branch must not overwrite what another branch set beside it. So a lane keeps two maps: `values`, as its steps see
//! them, and `merged`, the parts that were deep-merged. When the branch ends, a name in `merged` is merged again into what
//! the context has by then; any other name is assigned. A value that the lane assigned first and merged later replaces.

use super::{
    address::Within,
    frames::{Activity, BranchState, CompletedLane},
    transition::Transition,
};
use crate::{
    ids::StepId,
    workflow::context::{merge, weight},
};
use serde_json::{Map, Value};
use std::sync::Arc;

impl Transition<'_> {
    /// Puts a value into the context of the run or of a lane.
    pub(super) fn put(&mut self, within: &[Within], name: &str, value: Value) {
        let Some(writes) = self.state.writes_mut(within) else { return };
        let more = weight(&value);
        if let Some(merged) = writes.merged {
            merged.remove(name);
        }
        let replaced = Arc::make_mut(writes.values).insert(name.to_owned(), value);
        self.count_bytes(within, more, replaced.as_ref().map_or(0, weight));
    }

    /// Puts a value under `steps.<id>.<name>`.
    pub(super) fn put_for_step(&mut self, within: &[Within], step: &StepId, name: &str, value: Value) {
        let Some(writes) = self.state.writes_mut(within) else { return };
        let more = weight(&value);
        let empty = || Value::Object(Map::new());
        let steps = Arc::make_mut(writes.values).entry("steps").or_insert_with(empty);
        let Value::Object(steps) = steps else { return };
        let Value::Object(part) = steps.entry(step.as_str()).or_insert_with(empty) else { return };
        let replaced = part.insert(name.to_owned(), value);
        self.count_bytes(within, more, replaced.as_ref().map_or(0, weight));
    }

    /// Merges a value deeply into what the context has under a name.
    pub(super) fn merge_into(&mut self, within: &[Within], name: &str, value: &Value) {
        let seen = match within {
            [] => None,
            within => self.state.context_in(within).layers().whole(name).map(std::borrow::Cow::into_owned),
        };
        let Some(writes) = self.state.writes_mut(within) else { return };
        let values = Arc::make_mut(writes.values);
        let is_put = writes.merged.as_ref().is_some_and(|merged| !merged.contains_key(name));
        let is_own = is_put && values.contains_key(name);
        let before = values.get(name).map_or(0, weight);
        let whole = values.entry(name.to_owned()).or_insert(Value::Null);
        if let Some(seen) = seen {
            *whole = seen;
        }
        merge(whole, value);
        let after = weight(whole);
        // A value that the lane assigned itself replaces at the end; one that it only merged is merged again.
        if let Some(merged) = writes.merged.filter(|_| !is_own) {
            merge(merged.entry(name.to_owned()).or_insert(Value::Null), value);
        }
        self.count_bytes(within, after, before);
    }

    /// Writes the values of a branch that is over into the context around it.
    pub(super) fn merge_values_of(&mut self, within: &[Within], completed: CompletedLane) {
        let CompletedLane { values, merged, context_bytes, .. } = completed;
        self.release_bytes(context_bytes);
        let values = Arc::try_unwrap(values).unwrap_or_else(|values| (*values).clone());
        for (name, value) in values {
            match (name.as_str(), value, merged.get(&name)) {
                ("steps", Value::Object(steps), _) => {
                    for (step, part) in steps {
                        self.merge_step_values(within, &StepId(step), part);
                    }
                }
                (name, _, Some(merged)) => self.merge_into(within, name, merged),
                (name, value, None) => self.put(within, name, value),
            }
        }
    }

    fn merge_step_values(&mut self, within: &[Within], step: &StepId, part: Value) {
        if let Value::Object(part) = part {
            for (name, value) in part {
                self.put_for_step(within, step, &name, value);
            }
        }
    }

    /// Counts bytes that were added and bytes that were replaced.
    fn count_bytes(&mut self, within: &[Within], more: u64, less: u64) {
        self.state.context_bytes = (self.state.context_bytes + more).saturating_sub(less);
        if let Some(bytes) = self.state.writes_mut(within).and_then(|writes| writes.context_bytes) {
            *bytes = (*bytes + more).saturating_sub(less);
        }
    }

    /// Counts the bytes of a result that is stored beside the context until its step completes.
    pub(super) fn reserve_bytes(&mut self, bytes: u64) {
        self.state.context_bytes += bytes;
    }

    /// Subtracts bytes that were counted before.
    pub(super) fn release_bytes(&mut self, bytes: u64) {
        self.state.context_bytes = self.state.context_bytes.saturating_sub(bytes);
    }

    /// Subtracts the bytes of all lanes of a frame that is abandoned.
    pub(super) fn release_lanes(&mut self, activity: &Activity) {
        match activity {
            Activity::Parallel(parallel_state) => {
                for branch in &parallel_state.branches {
                    match &branch.state {
                        BranchState::NotEntered => {}
                        BranchState::Running(lane) => self.release_bytes(lane.context_bytes),
                        BranchState::Completed(completed) => self.release_bytes(completed.context_bytes),
                    }
                }
            }
            Activity::Foreach(foreach_state) => {
                let open: u64 = foreach_state.open.iter().map(|item| item.lane.context_bytes).sum();
                self.release_bytes(foreach_state.context_bytes + open);
            }
            Activity::AwaitingEffect { .. }
            | Activity::BackingOff { .. }
            | Activity::AwaitingApproval { .. }
            | Activity::AwaitingEvent { .. }
            | Activity::Sleeping { .. }
            | Activity::LoadingContext(_)
            | Activity::LoadingRule { .. }
            | Activity::AwaitingChild(_) => {}
        }
    }
}
