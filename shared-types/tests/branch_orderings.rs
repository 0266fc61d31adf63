//! Three branches, each strategy, each way that a branch can go, each order in which they do: the outcome depends
//! on the order only where the language says that the first decides.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::{Value, json};
use shared_types::{
    machine::{
        Definition,
        simulate::{Simulation, simulate},
    },
    workflow::{Document, test_script::ScriptedEvent},
};
use std::{collections::BTreeSet, sync::Arc};

/// How a branch goes: at once, or when what it waits for comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// It passes at once.
    Pass,
    /// It fails at once.
    Fail,
    /// It waits for an event, and passes when it comes.
    Event,
    /// It asks, and the answer is yes.
    Approved,
    /// It asks, and the answer is no.
    Rejected,
    /// It waits for an event that doesn't come in time.
    TimesOut,
    /// It waits for what never comes: whatever decides cancels it.
    Never,
}

use Way::{Approved, Event, Fail, Never, Pass, Rejected, TimesOut};
const WAYS: [Way; 7] = [Pass, Fail, Event, Approved, Rejected, TimesOut, Never];
const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

impl Way {
    fn passes(self) -> Option<bool> {
        match self {
            Pass | Event | Approved => Some(true),
            Fail | Rejected | TimesOut => Some(false),
            Never => None,
        }
    }

    fn is_at_once(self) -> bool {
        matches!(self, Pass | Fail)
    }

    /// The branch's one step; a timer that is its own is due in the order of arrival.
    fn step(self, n: usize, arrives: usize) -> Value {
        let mut step = match self {
            Pass => json!({ "type": "set", "set": { format!("v{n}"): n } }),
            Fail => json!({ "type": "fail", "reason": "no" }),
            Event | Never => json!({ "type": "wait", "wait": { "event": format!("e{n}") } }),
            Approved | Rejected => {
                json!({ "type": "approval", "approval": { "levels": [{ "approvers": ["role:x"] }] } })
            }
            TimesOut => {
                let timeout = format!("{}h", arrives + 1);
                json!({ "type": "wait", "wait": { "event": format!("e{n}"), "timeout": timeout } })
            }
        };
        step["id"] = json!(format!("s{n}"));
        step
    }

    /// What happens to it, at its time.
    fn happens(self, n: usize) -> Option<Value> {
        match self {
            Pass | Fail | Never | TimesOut => None,
            Event => Some(json!({ "event": { "type": format!("e{n}") } })),
            Approved => Some(json!({ "decide": "approve", "step": format!("s{n}") })),
            Rejected => Some(json!({ "decide": "reject", "comment": "no", "step": format!("s{n}") })),
        }
    }
}

fn run(strategy: &str, ways: [Way; 3], order: [usize; 3]) -> Simulation {
    let arrives = |n: usize| order.iter().position(|at| *at == n).unwrap();
    let branches: Vec<Value> =
        (0..3).map(|n| json!({ "id": format!("b{n}"), "steps": [ways[n].step(n, arrives(n))] })).collect();
    let document: Document = serde_json::from_value(json!({
        "workflow_id": "w", "name": "W", "trigger": { "type": "manual" }, "steps": [
            { "id": "p", "type": "parallel", "parallel": { "strategy": strategy, "branches": branches }, "next": "yes", "on_error": "no" },
            { "id": "yes", "type": "action", "action": { "type": "allow" } },
            { "id": "no", "type": "action", "action": { "type": "block" } },
        ],
    }))
    .unwrap();
    // An hour passes before each: what times out does so at its turn.
    let script: Vec<Value> = order
        .iter()
        .flat_map(|n| ways[*n].happens(*n).into_iter().chain([json!({ "advance": "1h" })]))
        .collect();
    let script: Vec<_> = serde_json::from_value(Value::Array(script)).unwrap();
    let event = ScriptedEvent { kind: "manual".into(), ..ScriptedEvent::default() };
    simulate(&Arc::new(Definition::new(document)), &event, &script, &[])
}

/// What the language says: those at once first, in the document's order, then as they arrive.
fn expected(strategy: &str, ways: [Way; 3], order: [usize; 3]) -> Option<bool> {
    let at_once = (0..3).filter(|n| ways[*n].is_at_once());
    let later = order.into_iter().filter(|n| !ways[*n].is_at_once());
    let came: Vec<bool> = at_once.chain(later).filter_map(|n| ways[n].passes()).collect();
    let all_came = came.len() == 3;
    match strategy {
        "all_must_pass" if came.contains(&false) => Some(false),
        "any_can_pass" if came.contains(&true) => Some(true),
        "all_must_pass" | "best_effort" if all_came => Some(true),
        "any_can_pass" if all_came => Some(false),
        _ => None,
    }
}

fn every_case() -> impl Iterator<Item = (&'static str, [Way; 3])> {
    ["all_must_pass", "any_can_pass", "best_effort"].into_iter().flat_map(|strategy| {
        WAYS.into_iter().flat_map(move |a| {
            WAYS.into_iter().flat_map(move |b| WAYS.into_iter().map(move |c| (strategy, [a, b, c])))
        })
    })
}

#[test]
fn the_outcome_is_the_same_in_every_order() {
    for (strategy, ways) in every_case() {
        let mut outcomes = BTreeSet::new();
        for order in ORDERS {
            let got = run(strategy, ways, order);
            let outcome = got
                .result
                .filter(|_| got.status.as_str() == "ended")
                .map(shared_types::machine::result::RunResult::as_str);
            let wanted =
                expected(strategy, ways, order).map(|passed| if passed { "allowed" } else { "blocked" });
            assert_eq!(outcome, wanted, "{strategy} {ways:?} in the order {order:?}: {got:#?}");
            outcomes.insert(outcome);
        }
        // Which branch decides depends on the order; what is decided doesn't.
        assert_eq!(outcomes.len(), 1, "{strategy} {ways:?}");
    }
}

#[test]
fn what_is_undecided_is_cancelled_or_skipped_and_asks_nobody_any_more() {
    for (strategy, ways) in every_case() {
        for order in ORDERS {
            let got = run(strategy, ways, order);
            let decided = expected(strategy, ways, order).is_some();
            let what = format!("{strategy} {ways:?} in the order {order:?}: {got:#?}");
            assert_eq!(got.waits_for.is_empty(), decided, "{what}");
            if !decided {
                continue;
            }
            let entered = got.steps.iter().filter(|step| step.id.as_str().starts_with('s'));
            for step in entered {
                let n: usize = step.id.as_str()[1..].parse().unwrap();
                let state = serde_json::to_value(step.state).unwrap();
                let is_over = ["done", "failed", "cancelled"].iter().any(|over| state == *over);
                assert!(is_over && (ways[n] != Never || state == "cancelled"), "{what}");
            }
            // A branch that fails at once keeps those behind it from being entered, where all must pass.
            let first_fail = (0..3).find(|n| ways[*n] == Fail).filter(|_| strategy == "all_must_pass");
            if let Some(first) = first_fail {
                let behind = (first + 1..3).map(|n| format!("s{n}"));
                assert!(
                    behind.into_iter().all(|id| got.path.iter().all(|step| step.as_str() != id)),
                    "{what}"
                );
            }
        }
    }
}
