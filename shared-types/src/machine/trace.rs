//! A trace as a tree: each visit of a step once, with its attempts and waits, and in it its branches and items.
//! Items are folded, those that failed first.

use super::fact::{Fact, LaneRef, StepState};
use crate::{ids::StepId, workflow::evaluate::Why};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashMap;

/// One visit of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TraceNode {
    /// Id of the step.
    pub step_id: StepId,
    /// Which visit of the step in its branch or item, counted from 1.
    pub visit: u32,
    /// What became of it last.
    pub state: StepState,
    /// When it was entered.
    pub began: DateTime<Utc>,
    /// When it was over; nothing while it is under way.
    pub ended: Option<DateTime<Utc>>,
    /// Why it stands as it does, in words.
    pub reason: Option<String>,
    /// Why, as a tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Why>,
    /// What happened in it, in order.
    pub moments: Vec<Moment>,
    /// Its branches and items, as far as they are shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lanes: Vec<TraceLane>,
    /// How many branches and items it has, shown or not, by what became of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tally: Option<Tally>,
}

/// Something that happened in a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Moment {
    /// The fact's number in the trace.
    pub seq: u32,
    /// When it happened, in UTC.
    pub at: DateTime<Utc>,
    /// In which attempt, from 1.
    pub attempt: u32,
    /// How the step stands.
    pub state: StepState,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<f64>,
    /// A sentence for people.
    pub reason: Option<String>,
    /// What it got.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Value>,
    /// What it gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
}

/// A branch or an item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TraceLane {
    /// The branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The item, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<u32>,
    /// What became of it.
    pub state: LaneState,
    /// Its steps, in the order of entering.
    pub nodes: Vec<TraceNode>,
}

/// What became of a branch or an item, as its steps tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LaneState {
    /// Its last step failed.
    Failed,
    /// It was given up.
    Cancelled,
    /// It is under way.
    Open,
    /// It ended.
    Done,
    /// It wasn't entered.
    Skipped,
}

/// How many lanes a step has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tally {
    /// All of them.
    pub all: usize,
    /// That failed.
    pub failed: usize,
    /// That were cancelled or skipped.
    pub given_up: usize,
    /// That are under way.
    pub open: usize,
}

/// Makes a trace into a tree, with at most so many items of each `foreach`.
pub fn tree(facts: &[Fact], items: usize) -> Vec<TraceNode> {
    let mut root = Level::default();
    for fact in facts {
        root.take(fact, &fact.within);
    }
    root.nodes(items)
}

/// The visits of one lane, on the way to a tree.
#[derive(Default)]
struct Level<'f> {
    order: Vec<Visit<'f>>,
    known: HashMap<(&'f StepId, u32), usize>,
}

struct Visit<'f> {
    step_id: &'f StepId,
    number: u32,
    facts: Vec<&'f Fact>,
    lanes: Vec<(&'f LaneRef, Level<'f>)>,
    known: HashMap<(Option<&'f str>, Option<u32>), usize>,
}

impl<'f> Level<'f> {
    fn take(&mut self, fact: &'f Fact, within: &'f [LaneRef]) {
        match within.split_first() {
            None => self.visit(&fact.step_id, fact.visit).facts.push(fact),
            Some((inside, rest)) => {
                let visit = self.visit(&inside.step_id, inside.visit);
                let key = (inside.branch.as_deref(), inside.item);
                let at = *visit.known.entry(key).or_insert_with(|| {
                    visit.lanes.push((inside, Level::default()));
                    visit.lanes.len() - 1
                });
                visit.lanes[at].1.take(fact, rest);
            }
        }
    }

    fn visit(&mut self, step_id: &'f StepId, number: u32) -> &mut Visit<'f> {
        let at = *self.known.entry((step_id, number)).or_insert_with(|| {
            let (facts, lanes, known) = (Vec::new(), Vec::new(), HashMap::new());
            self.order.push(Visit { step_id, number, facts, lanes, known });
            self.order.len() - 1
        });
        &mut self.order[at]
    }

    /// What became of the whole lane.
    fn state(&self) -> LaneState {
        let last = self.order.iter().filter_map(|visit| visit.last()).max_by_key(|fact| fact.seq);
        match last.map(|fact| fact.state) {
            Some(StepState::Failed) => LaneState::Failed,
            Some(StepState::Cancelled) => LaneState::Cancelled,
            Some(StepState::Skipped) | None => LaneState::Skipped,
            Some(StepState::Done) => LaneState::Done,
            Some(StepState::Entered | StepState::Waiting | StepState::Retrying | StepState::Late) => {
                LaneState::Open
            }
        }
    }

    fn nodes(&self, items: usize) -> Vec<TraceNode> {
        self.order.iter().filter_map(|visit| visit.node(items)).collect()
    }
}

impl Visit<'_> {
    /// What tells how the step stands: what was told last of the step itself. What came too late changes nothing, and an
    /// effect that is done doesn't end a step that waits.
    fn last(&self) -> Option<&Fact> {
        let timely = || self.facts.iter().rev().filter(|fact| fact.state != StepState::Late).copied();
        let last = timely().next()?;
        let is_over = || timely().any(|fact| fact.state == StepState::Done && !fact.is_of_an_effect());
        let waiting = || timely().find(|fact| fact.is_waiting());
        if last.is_of_an_effect() && !is_over() { waiting().or(Some(last)) } else { Some(last) }
    }

    fn node(&self, items: usize) -> Option<TraceNode> {
        let (first, last) = (self.facts.first()?, self.last()?);
        let is_over = matches!(
            last.state,
            StepState::Done | StepState::Failed | StepState::Cancelled | StepState::Skipped
        );
        Some(TraceNode {
            step_id: self.step_id.clone(),
            visit: self.number,
            state: last.state,
            began: first.at,
            ended: is_over.then_some(last.at),
            reason: last.reason.clone(),
            why: last.why.clone(),
            moments: self.facts.iter().map(|fact| Moment::of(fact)).collect(),
            tally: (!self.lanes.is_empty()).then(|| self.tally()),
            lanes: self.shown(items),
        })
    }

    fn tally(&self) -> Tally {
        let mut tally = Tally { all: self.lanes.len(), ..Tally::default() };
        for (_, lane) in &self.lanes {
            match lane.state() {
                LaneState::Failed => tally.failed += 1,
                LaneState::Cancelled | LaneState::Skipped => tally.given_up += 1,
                LaneState::Open => tally.open += 1,
                LaneState::Done => {}
            }
        }
        tally
    }

    /// Branches in order; of items the ones that matter most, then in order.
    fn shown(&self, items: usize) -> Vec<TraceLane> {
        let mut lanes: Vec<(LaneState, &LaneRef, &Level<'_>)> =
            self.lanes.iter().map(|(inside, lane)| (lane.state(), *inside, lane)).collect();
        if lanes.iter().any(|(_, inside, _)| inside.item.is_some()) {
            lanes.sort_by_key(|(state, inside, _)| (*state, inside.item));
            lanes.truncate(items);
        }
        let lanes = lanes.into_iter().map(|(state, inside, lane)| TraceLane {
            branch: inside.branch.clone(),
            item: inside.item,
            state,
            nodes: lane.nodes(items),
        });
        lanes.collect()
    }
}

impl Moment {
    fn of(fact: &Fact) -> Self {
        Self {
            seq: fact.seq,
            at: fact.at,
            attempt: fact.attempt,
            state: fact.state,
            duration_ms: fact.duration_ms,
            reason: fact.reason.clone(),
            input: fact.input.clone(),
            output: fact.output.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fact(seq: u64, state: &str, output: &Value) -> Fact {
        serde_json::from_value(json!({
            "seq": seq, "at": "2026-03-01T10:00:00Z", "step_id": "ask", "visit": 1, "attempt": 1,
            "state": state, "reason": format!("{state} {seq}"), "output": output,
        }))
        .unwrap()
    }

    #[test]
    fn an_effect_that_is_done_does_not_end_a_step_that_waits() {
        let told = fact(2, "done", &Value::Null);
        let mut facts = vec![fact(1, "waiting", &Value::Null), told];
        let node = &tree(&facts, 20)[0];
        assert_eq!((node.state, node.ended, node.moments.len()), (StepState::Waiting, None, 2));
        assert_eq!(node.reason.as_deref(), Some("waiting 1"));
        facts.push(fact(3, "done", &json!({ "decision": "approved", "next": "release" })));
        assert_eq!(tree(&facts, 20)[0].state, StepState::Done);
        // A request that isn't waited for is answered after its step is over.
        facts.push(fact(4, "done", &json!({ "decision": "approved" })));
        assert_eq!(tree(&facts, 20)[0].state, StepState::Done);
    }
}
