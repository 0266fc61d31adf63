//! Runs a workflow with stand-in effects and a clock of its own: no server, no network.

use super::{
    Definition, Run,
    address::{LOADING, StepAddress},
    fact::{Fact, LaneRef, StepState},
    input::Start,
    limits::{Limits, MAX_WORK},
    result::{RunDecision, RunResult},
    state::{RunStatus, WaitsFor},
};
use crate::{
    ids::{ExecutionId, StepId},
    workflow::{
        calendar::Calendar,
        document::Trigger,
        evaluate::Why,
        template::work_done,
        test_script::{ScriptItem, ScriptedEvent, TestInput},
    },
};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;

mod choices;
mod people;
mod scripted;
mod world;

pub use choices::Choice;
use world::World;

/// What a simulated run came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Simulation {
    /// Whether it waits or ended.
    pub status: RunStatus,
    /// Its result.
    pub result: Option<RunResult>,
    /// What the document last said.
    pub decision: Option<RunDecision>,
    /// Why, in words.
    pub reason: Option<String>,
    /// What was loaded before the first step.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub loads: Vec<SimulatedLoad>,
    /// The steps entered, in order.
    pub path: Vec<StepId>,
    /// What became of each.
    pub steps: Vec<SimulatedStep>,
    /// Every effect, resolved.
    pub effects: Vec<SimulatedEffect>,
    /// What it still waits for.
    pub waits_for: Vec<WaitsFor>,
    /// What of the script could not be used.
    pub unused: Vec<Unused>,
    /// What could happen next.
    pub choices: Vec<Choice>,
}

/// What became of a name that is loaded.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SimulatedLoad {
    /// The name under `context.load`, such as `customer.profile`.
    pub name: String,
    /// What became of it, in words.
    pub reason: Option<String>,
    /// What was merged into the context; nothing where it stays as it was.
    pub value: Option<Value>,
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SimulatedStep {
    /// The step.
    pub id: StepId,
    /// Which visit of the step, counted from 1.
    pub visit: u32,
    /// The branches and items that it stands in, outermost first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub within: Vec<LaneRef>,
    /// What became of it.
    pub state: StepState,
    /// Why, in words.
    pub reason: Option<String>,
    /// Why, as a tree.
    pub why: Option<Why>,
    /// What it gave.
    pub output: Option<Value>,
}

/// An effect as it would have gone out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SimulatedEffect {
    /// The step.
    pub step: StepId,
    /// Which of the step's effects.
    pub index: u32,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What would have gone out, secrets masked.
    pub request: Value,
    /// What came back.
    pub response: Value,
    /// Where, to find it again for another attempt.
    #[serde(skip)]
    place: Option<StepAddress>,
}

/// An entry of a script that could not be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unused {
    /// Which, from 0.
    pub index: usize,
    /// The reason, in a sentence.
    pub why: String,
}

/// How many facts a simulation may come to before the rest of its script is left out.
const MAX_FACTS: usize = 500_000;
/// How much work templates and conditions may do before the rest of a script is left out.
const MAX_SCRIPT_WORK: u64 = 4 * MAX_WORK;

/// The time at which a simulation starts when nothing says another.
fn fixed_start() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + chrono::Duration::days(20_454)
}

/// Runs a workflow's own test.
pub fn simulate_test(definition: &Arc<Definition>, given: &TestInput) -> Simulation {
    let kind = given.event.clone().unwrap_or_else(|| match &definition.document().trigger {
        Trigger::Event { event, .. } => event.clone(),
        Trigger::Schedule { .. } => "schedule".to_owned(),
        Trigger::Manual { .. } => "manual".to_owned(),
        Trigger::Webhook { .. } => "webhook".to_owned(),
    });
    let event = ScriptedEvent {
        kind,
        payload: given.payload.clone(),
        time: given.start(),
        ..ScriptedEvent::default()
    };
    simulate(definition, &event, &given.script, &given.calendars)
}

/// Runs a workflow on an event, then takes the script, until the run ends or the script does.
pub fn simulate(
    definition: &Arc<Definition>,
    event: &ScriptedEvent,
    script: &[ScriptItem],
    calendars: &[Calendar],
) -> Simulation {
    let now = event.time.unwrap_or_else(fixed_start);
    let work_before = work_done();
    let mut world = World::new(now, script, calendars.to_vec());
    let start = Start {
        execution_id: ExecutionId(world.id()),
        event: world.event(event, "start"),
        depth: 0,
        limits: Limits::default(),
        version: crate::machine::VERSION,
        unserved: world.unserved(definition.document()),
        fault: None,
    };
    let stamp = world.stamp(&definition.needs_at_start());
    let (mut run, applied) = Run::start(Arc::clone(definition), &stamp, &start);
    world.take(&run, applied.commands, applied.facts);
    world.settle(&mut run);
    for (index, item) in script.iter().enumerate() {
        if world.facts.len() > MAX_FACTS || work_done() - work_before > MAX_SCRIPT_WORK {
            let why = "the entries before it took all the work that a simulation may do".to_owned();
            world.unused.push(Unused { index, why });
            break;
        }
        world.play(&mut run, index, item);
        world.settle(&mut run);
    }
    report(world, &run)
}

/// What is said of it in the end.
fn report(mut world: World<'_>, run: &Run) -> Simulation {
    for (step, left) in &world.scripted {
        for (index, _) in left {
            let why = format!("no effect of {step} wanted this answer");
            world.unused.push(Unused { index: *index, why });
        }
    }
    for (name, left) in &world.scripted_loads {
        for (index, _) in left {
            let why = format!("no load of {name} wanted this answer");
            world.unused.push(Unused { index: *index, why });
        }
    }
    world.unused.sort_by_key(|unused| unused.index);
    let choices = choices::choices(&world, run);
    let state = run.state();
    let steps = steps_of(&world.facts);
    Simulation {
        status: state.status(),
        result: state.result(),
        decision: state.decision,
        reason: state.reason.clone(),
        path: steps.iter().map(|step| step.id.clone()).collect(),
        loads: loads_of(&world.facts),
        steps,
        effects: world.effects,
        waits_for: state.waits_for(),
        unused: world.unused,
        choices,
    }
}

/// What became of each name that is loaded before the first step, which is no step of the document.
fn loads_of(facts: &[Fact]) -> Vec<SimulatedLoad> {
    let over = facts.iter().filter(|fact| {
        fact.step_id.as_str() == LOADING && matches!(fact.state, StepState::Done | StepState::Failed)
    });
    let loads = over.filter_map(|fact| {
        let name = fact.input.as_ref()?.get("load")?.as_str()?.to_owned();
        let value = fact.output.as_ref().and_then(|output| output.get("value")).cloned();
        Some(SimulatedLoad { name, reason: fact.reason.clone(), value })
    });
    loads.collect()
}

/// One entry a visit, in the order of entering, with what became of it last.
fn steps_of(facts: &[Fact]) -> Vec<SimulatedStep> {
    let mut steps: Vec<SimulatedStep> = Vec::new();
    let mut known = std::collections::HashMap::new();
    let mut waiting = std::collections::HashSet::new();
    let tells = |fact: &&Fact| {
        !matches!(fact.state, StepState::Late | StepState::Skipped) && fact.step_id.as_str() != LOADING
    };
    for fact in facts.iter().filter(tells) {
        let at = *known.entry((&fact.step_id, fact.visit, &fact.within)).or_insert(steps.len());
        let step = SimulatedStep {
            id: fact.step_id.clone(),
            visit: fact.visit,
            within: fact.within.clone(),
            state: fact.state,
            reason: fact.reason.clone(),
            why: fact.why.clone(),
            output: fact.output.clone(),
        };
        // An effect that is done doesn't end a step that waits.
        if fact.is_of_an_effect() && waiting.contains(&at) {
            continue;
        }
        if fact.is_waiting() {
            waiting.insert(at);
        } else {
            waiting.remove(&at);
        }
        match steps.get_mut(at) {
            Some(known) => *known = step,
            None => steps.push(step),
        }
    }
    steps
}

#[cfg(test)]
mod tests;
