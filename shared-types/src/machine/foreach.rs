//! `foreach`: the same for each item of a list, some at once, results in order.

use super::{
    command::{Command, StepState},
    input::Timer,
    lanes::{Iterating, Lane, LaneOutcome, OpenItem},
    limits::MAX_ITEMS,
    parallel::{count_of, not_too_deep, outcome_value},
    place::{LaneId, Place},
    state::Doing,
    turn::{Failure, Flow, Over, Turn},
};
use crate::workflow::{
    context::weight,
    scope::Scope,
    step::{Foreach, OnItemError, Step},
    template::as_text,
};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// An item's name in the body where the document gives none.
const ITEM_VAR: &str = "item";

/// What is next in a foreach.
enum Next {
    Enter(u32),
    Wait,
    Stop(u32),
    Through,
}

impl Turn<'_> {
    pub(super) fn foreach(&mut self, step: &Step, place: &Place, foreach: &Foreach) -> Result<Flow, Failure> {
        not_too_deep(place)?;
        let items = self.items(place, foreach)?;
        let at_once = at_once(foreach);
        let until = self.bound(step, place);
        let fact = self.fact(place, StepState::Entered);
        let several = if at_once > 1 { format!(", {at_once} at once") } else { String::new() };
        fact.reason = Some(format!("{}{several}", count_of(items.len(), "item", "items")));
        let iterating = Iterating {
            results: Vec::with_capacity(items.len()),
            held: 0,
            items: Arc::new(items),
            entered: 0,
            failed: 0,
            open: Vec::new(),
            until,
        };
        self.stand(place, Doing::Iterating(Box::new(iterating)));
        Ok(self.items_go_on(place))
    }

    fn items(&self, place: &Place, foreach: &Foreach) -> Result<Vec<Value>, Failure> {
        let context = self.context(place);
        let value = foreach.items.value(&Scope::masked(&context, self.stamp.at))?;
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

    fn iterating_mut(&mut self, place: &Place) -> Option<&mut Iterating> {
        let doing = &mut self.state.frame_mut(place)?.doing;
        if let Doing::Iterating(iterating) = doing { Some(iterating) } else { None }
    }

    /// Enters items, as many at once as may be, until the whole is decided.
    pub(super) fn items_go_on(&mut self, place: &Place) -> Flow {
        let definition = self.definition;
        let Some(step) = definition.step(&place.step) else { return Flow::Stay };
        let Some(foreach) = step.foreach() else { return Flow::Stay };
        let first = definition.first_of(&place.step, 0);
        let name = foreach.item_var.as_deref().unwrap_or(ITEM_VAR);
        loop {
            let Some(iterating) = self.iterating_mut(place) else { return Flow::Stay };
            let n = match next(iterating, foreach) {
                Next::Enter(n) => n,
                Next::Wait => return Flow::Stay,
                Next::Stop(n) => return self.items_over(step, place, Some(n)),
                Next::Through => return self.items_over(step, place, None),
            };
            iterating.entered = n + 1;
            let own = Map::from_iter([(name.to_owned(), iterating.items[n as usize].clone())]);
            iterating.open.push(OpenItem { n, lane: Lane { own: Arc::new(own), ..Lane::default() } });
            let flow = first.map_or(Flow::End(None), |first| Flow::To(first.id.clone()));
            if let Some(over) = self.go_on(&place.inside(LaneId::Item(n)), flow) {
                self.item_over(place, n, over);
            }
        }
    }

    /// An item is over. A condition that is false at a body's end fails nothing.
    pub(super) fn item_over(&mut self, place: &Place, n: u32, over: Over) {
        let step = self.definition.step(&place.step);
        let name = step.and_then(Step::foreach).and_then(|f| f.item_var.as_deref()).unwrap_or(ITEM_VAR);
        let Some(iterating) = self.iterating_mut(place) else { return };
        let Some(at) = iterating.item(n) else { return };
        let Lane { own, held, .. } = iterating.open.remove(at).lane;
        let mut own = Arc::try_unwrap(own).unwrap_or_else(|own| (*own).clone());
        own.remove(name);
        let error = match over {
            Over::Ended(_) => None,
            Over::Failed(error) => Some(error),
        };
        let outcome = if error.is_none() { LaneOutcome::Passed } else { LaneOutcome::Failed };
        let mut result = outcome_value(outcome, error.as_ref());
        if !own.is_empty() {
            result["values"] = Value::Object(own);
        }
        let bytes = weight(&result);
        iterating.failed += u32::from(error.is_some());
        iterating.held += bytes;
        iterating.keep(n, result);
        self.let_go(held);
        self.hold(bytes);
    }

    /// All items are through, or one failed and stops the rest.
    fn items_over(&mut self, step: &Step, place: &Place, stopped_at: Option<u32>) -> Flow {
        if stopped_at.is_some() {
            self.cancel_lanes(place, "An item failed");
        }
        let frame = self.take_frame(place);
        let entered = frame.as_ref().map_or(self.stamp.at, |frame| frame.entered_at);
        let Some(Doing::Iterating(iterating)) = frame.map(|frame| frame.doing) else { return Flow::Stay };
        if iterating.until.is_some() {
            self.command(Command::ClearTimer { timer: Timer::StepOver { place: place.clone() } });
        }
        let Iterating { items, results, failed, held, .. } = *iterating;
        self.let_go(held);
        let error = stopped_at
            .and_then(|n| results.get(n as usize)?.as_ref()?.pointer("/error/message"))
            .map(as_text);
        let passed = results.iter().flatten().filter(|result| result["outcome"] == "passed").count();
        let results: Vec<Value> = results.into_iter().map(|result| result.unwrap_or(Value::Null)).collect();
        self.put_for_step(&place.within, &place.step, "items", Value::Array(results));
        let flow = if let Some(n) = stopped_at {
            let message = format!("Item {n} failed: {}", error.unwrap_or_default());
            self.step_failed(place, Failure::new("foreach.item_failed", message))
        } else {
            let all = count_of(items.len(), "item", "items");
            let reason = match failed {
                0 => format!("{all} passed"),
                failed => format!("{passed} of {all} passed, {failed} failed"),
            };
            let flow = self.onward(place, step.next.as_ref());
            self.done(place, reason, None, flow)
        };
        let took = super::waiting::milliseconds(self.stamp.at - entered);
        let fact = self.last_fact();
        fact.duration_ms = Some(took);
        fact.output =
            Some(json!({ "next": flow.next(), "items": items.len(), "passed": passed, "failed": failed }));
        flow
    }
}

fn at_once(foreach: &Foreach) -> u32 {
    foreach.concurrency.unwrap_or(1).max(1)
}

fn next(iterating: &Iterating, foreach: &Foreach) -> Next {
    let stops = foreach.on_item_error.unwrap_or(OnItemError::Stop) == OnItemError::Stop;
    if stops && iterating.failed > 0 {
        let is_failed =
            |result: &Option<Value>| result.as_ref().is_some_and(|result| result["outcome"] == "failed");
        let n = iterating.results.iter().position(is_failed).unwrap_or_default();
        return Next::Stop(u32::try_from(n).unwrap_or_default());
    }
    let has_more = (iterating.entered as usize) < iterating.items.len();
    if has_more && iterating.open.len() < at_once(foreach) as usize {
        return Next::Enter(iterating.entered);
    }
    if !has_more && iterating.open.is_empty() { Next::Through } else { Next::Wait }
}
