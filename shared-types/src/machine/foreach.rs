//! `foreach`: the same for each item of a list, some at once, results in order.

use super::{
    address::{LaneId, StepAddress},
    command::Command,
    fact::StepState,
    failure::Failure,
    frames::{Activity, ForeachState, Lane, LaneOutcome, OpenItem},
    input::Timer,
    limits::MAX_ITEMS,
    parallel::{check_nesting, count_of, outcome_value},
    transition::{Completion, Next, Transition},
};
use crate::workflow::{
    context::weight,
    step::{Foreach, OnItemError, Step},
    template::as_text,
};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// An item's name in the body where the document gives none.
const ITEM_VAR: &str = "item";

/// What is next in a foreach.
enum NextItem {
    Enter(u32),
    Wait,
    Stop(u32),
    Through,
}

impl Transition<'_> {
    pub(super) fn foreach(
        &mut self,
        step: &Step,
        place: &StepAddress,
        foreach: &Foreach,
    ) -> Result<Next, Failure> {
        check_nesting(place)?;
        let items = self.items(place, foreach)?;
        let at_once = at_once(foreach);
        let until = self.set_step_timeout(step, place);
        let fact = self.fact(place, StepState::Entered);
        let several = if at_once > 1 { format!(", {at_once} at once") } else { String::new() };
        fact.reason = Some(format!("{}{several}", count_of(items.len(), "item", "items")));
        let foreach_state = ForeachState {
            results: Vec::with_capacity(items.len()),
            context_bytes: 0,
            items: Arc::new(items),
            entered: 0,
            failed: 0,
            open: Vec::new(),
            until,
        };
        self.set_frame(place, Activity::Foreach(Box::new(foreach_state)));
        Ok(self.advance_items(place))
    }

    pub(super) fn items(&self, place: &StepAddress, foreach: &Foreach) -> Result<Vec<Value>, Failure> {
        let context = self.context(place);
        let value = foreach.items.value(&self.scope(&context))?;
        let wrong = |is: &str| {
            let source = as_text(&foreach.items.source());
            let message = format!("`items` must be a list; \"{source}\" gives {is}.");
            Failure::new("foreach.items", message)
        };
        let items = match value {
            Value::Array(items) => items,
            Value::Null => return Err(wrong("nothing")),
            Value::Bool(_) => return Err(wrong("true or false")),
            Value::Number(_) => return Err(wrong("a number")),
            Value::String(_) => return Err(wrong("a text")),
            Value::Object(_) => return Err(wrong("a map")),
        };
        if items.len() > MAX_ITEMS {
            let message = format!(
                "{}; a foreach takes at most {}.",
                count_of(items.len(), "item", "items"),
                crate::workflow::number::grouped(&MAX_ITEMS.to_string())
            );
            return Err(Failure::new("limit.items", message));
        }
        Ok(items)
    }

    fn foreach_state_mut(&mut self, place: &StepAddress) -> Option<&mut ForeachState> {
        let activity = &mut self.state.frame_mut(place)?.activity;
        if let Activity::Foreach(foreach_state) = activity { Some(foreach_state) } else { None }
    }

    /// Enters items, as many at once as may be, until the whole is decided.
    pub(super) fn advance_items(&mut self, place: &StepAddress) -> Next {
        let definition = self.definition;
        let Some(step) = definition.step(&place.step) else { return Next::Stay };
        let Some(foreach) = step.foreach() else { return Next::Stay };
        let first = definition.first_of(&place.step, 0);
        let name = foreach.item_var.as_deref().unwrap_or(ITEM_VAR);
        loop {
            let Some(foreach_state) = self.foreach_state_mut(place) else { return Next::Stay };
            let n = match next(foreach_state, foreach) {
                NextItem::Enter(n) => n,
                NextItem::Wait => return Next::Stay,
                NextItem::Stop(n) => return self.complete_foreach(step, place, Some(n)),
                NextItem::Through => return self.complete_foreach(step, place, None),
            };
            foreach_state.entered = n + 1;
            let values = Map::from_iter([(name.to_owned(), foreach_state.items[n as usize].clone())]);
            foreach_state
                .open
                .push(OpenItem { n, lane: Lane { values: Arc::new(values), ..Lane::default() } });
            let flow = first.map_or(Next::End(None), |first| Next::To(first.id.clone()));
            if let Some(completion) = self.run_lane(&place.inside(LaneId::Item(n)), flow) {
                self.complete_item(place, n, completion);
            }
        }
    }

    /// An item is over. A condition that is false at a body's end fails nothing.
    pub(super) fn complete_item(&mut self, place: &StepAddress, n: u32, completion: Completion) {
        let step = self.definition.step(&place.step);
        let name = step.and_then(Step::foreach).and_then(|f| f.item_var.as_deref()).unwrap_or(ITEM_VAR);
        let Some(foreach_state) = self.foreach_state_mut(place) else { return };
        let Some(at) = foreach_state.item(n) else { return };
        let Lane { values, context_bytes, .. } = foreach_state.open.remove(at).lane;
        let mut values = Arc::try_unwrap(values).unwrap_or_else(|values| (*values).clone());
        values.remove(name);
        let error = match completion {
            Completion::Ended(_) => None,
            Completion::Failed(error) => Some(error),
        };
        let outcome = if error.is_none() { LaneOutcome::Passed } else { LaneOutcome::Failed };
        let mut result = outcome_value(outcome, error.as_ref());
        if !values.is_empty() {
            result["values"] = Value::Object(values);
        }
        let bytes = weight(&result);
        foreach_state.failed += u32::from(error.is_some());
        foreach_state.context_bytes += bytes;
        foreach_state.save_result(n, result);
        self.release_bytes(context_bytes);
        self.reserve_bytes(bytes);
    }

    /// All items are through, or one failed and stops the rest.
    fn complete_foreach(&mut self, step: &Step, place: &StepAddress, stopped_at: Option<u32>) -> Next {
        if stopped_at.is_some() {
            self.cancel_lanes(place, "An item failed");
        }
        let frame = self.take_frame(place);
        let entered = frame.as_ref().map_or(self.stamp.at, |frame| frame.entered_at);
        let Some(Activity::Foreach(foreach_state)) = frame.map(|frame| frame.activity) else {
            return Next::Stay;
        };
        if foreach_state.until.is_some() {
            self.command(Command::ClearTimer { timer: Timer::StepTimeout { place: place.clone() } });
        }
        let ForeachState { items, results, failed, context_bytes, .. } = *foreach_state;
        self.release_bytes(context_bytes);
        let error = stopped_at
            .and_then(|n| results.get(n as usize)?.as_ref()?.pointer("/error/message"))
            .map(as_text);
        let passed = results.iter().flatten().filter(|result| result["outcome"] == "passed").count();
        let results: Vec<Value> = results.into_iter().map(|result| result.unwrap_or(Value::Null)).collect();
        self.put_for_step(&place.within, &place.step, "items", Value::Array(results));
        let took = super::wait::milliseconds(self.stamp.at - entered);
        let end = if let Some(n) = stopped_at {
            let message = format!("Item {n} failed: {}", error.unwrap_or_default());
            self.step_failed(place, Failure::new("foreach.item_failed", message))
        } else {
            let all = count_of(items.len(), "item", "items");
            let reason = match failed {
                0 => format!("{all} passed"),
                failed => format!("{passed} of {all} passed, {failed} failed"),
            };
            let flow = self.next_or_following(place, step.next.as_ref());
            self.complete_step(place, reason, None, flow)
        };
        end.fact.duration_ms = Some(took);
        end.fact.output = Some(
            json!({ "next": end.next.next(), "items": items.len(), "passed": passed, "failed": failed }),
        );
        end.next
    }
}

fn at_once(foreach: &Foreach) -> u32 {
    foreach.concurrency.unwrap_or(1).max(1)
}

fn next(foreach_state: &ForeachState, foreach: &Foreach) -> NextItem {
    let stops = foreach.on_item_error.unwrap_or(OnItemError::Stop) == OnItemError::Stop;
    if stops && foreach_state.failed > 0 {
        let is_failed =
            |result: &Option<Value>| result.as_ref().is_some_and(|result| result["outcome"] == "failed");
        let n = foreach_state.results.iter().position(is_failed).unwrap_or_default();
        return NextItem::Stop(u32::try_from(n).unwrap_or_default());
    }
    let has_more = (foreach_state.entered as usize) < foreach_state.items.len();
    if has_more && foreach_state.open.len() < at_once(foreach) as usize {
        return NextItem::Enter(foreach_state.entered);
    }
    if !has_more && foreach_state.open.is_empty() { NextItem::Through } else { NextItem::Wait }
}
