//! What a document loads before its first step: side by side, tried again, left out or failing the run, and merged in the
//! document's order.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::needless_pass_by_value, reason = "values of tests are written where they are given")]

use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};
use shared_types::{
    machine::{
        Applied, Command, Definition, Fact, Input, InputError, Limits, Run, RunStatus, Stamp, VERSION,
        input::Start, result::RunResult, simulate::simulate_test,
    },
    workflow::{
        Format,
        check::{Environment, check},
    },
};
use std::sync::Arc;
use uuid::Uuid;

const DOCUMENT: &str = "
workflow_id: order_check
name: Check an order
trigger: { type: event, event: order.created, filter: { field: customer.vip, operator: not_exists } }
context:
  load:
    - order.details
    - { name: customer.profile, max_age: 5m }
    - { name: order.risk, optional: true }
subject: 'Order {{ order.id }} of {{ customer.name }}'
amount: '{{ order.total }}'
currency: EUR
steps:
  - { id: is_gold, type: condition, condition: { field: customer.tier, operator: '==', value: gold }, on_true: let_through, on_false: stop }
  - { id: let_through, type: action, action: { type: allow, reason: 'Gold' } }
  - { id: stop, type: action, action: { type: block, reason: 'Not gold' } }
tests:
  - name: the script gives what is loaded
    given:
      payload: { order: { id: A1, total: 5 }, customer: { id: c1, tier: gold } }
      script: [{ load: customer.profile, response: { tier: silver } }]
    expect: { result: blocked, path: [is_gold, stop] }
";

fn definition(text: &str) -> (Arc<Definition>, Value) {
    let checked = check(text, Format::Yaml, &Environment::Unknown);
    assert_eq!(checked.findings, []);
    (Arc::new(Definition::new(checked.document.unwrap())), checked.value)
}

fn stamp(seconds: i64) -> Stamp {
    let begin: DateTime<Utc> = "2026-11-28T10:00:00Z".parse().unwrap();
    let id = Uuid::from_u128((0x7 << 76) | (0b10 << 62) | u128::from(seconds.unsigned_abs() * 1000));
    Stamp::new(begin + Duration::seconds(seconds), id)
}

/// A run that is recorded.
struct Recording {
    run: Run,
    document: Value,
    journal: Vec<(Stamp, Input)>,
    facts: Vec<Fact>,
    last: Applied,
}

impl Recording {
    fn start(text: &str, payload: Value) -> Self {
        let (definition, document) = definition(text);
        let start: Start = serde_json::from_value(json!({
            "execution_id": Uuid::from_u128(7),
            "event": { "type": "order.created", "id": "start", "time": "2026-11-28T10:00:00Z", "payload": payload },
            "limits": Limits::default(), "machine": VERSION,
        }))
        .unwrap();
        let (run, last) = Run::start(definition, &stamp(0), &start);
        let journal = vec![(stamp(0), Input::Start(Box::new(start)))];
        Self { run, document, journal, facts: last.facts.clone(), last }
    }

    fn try_happens(&mut self, seconds: i64, input: Value) -> Result<(), InputError> {
        let input: Input = serde_json::from_value(input).unwrap();
        self.last = self.run.apply(&stamp(seconds), &input)?;
        self.facts.extend(self.last.facts.clone());
        self.journal.push((stamp(seconds), input));
        Ok(())
    }

    fn happens(&mut self, seconds: i64, input: Value) {
        self.try_happens(seconds, input).unwrap();
    }

    fn loaded(&mut self, seconds: i64, index: u32, attempt: u32, outcome: Value) {
        self.happens(seconds, loaded(index, attempt, outcome));
    }

    /// The names that the last input commanded to load, with their attempts.
    fn commanded(&self) -> Vec<(String, u32)> {
        let loads = self.last.commands.iter().filter_map(|command| {
            let Command::Load(load) = command else { return None };
            Some((load.name.clone(), load.attempt))
        });
        loads.collect()
    }

    fn reasons(&self) -> Vec<&str> {
        self.facts.iter().filter_map(|fact| fact.reason.as_deref()).collect()
    }
}

fn loaded(index: u32, attempt: u32, outcome: Value) -> Value {
    json!({
        "input": "loaded", "place": { "step": "$context", "visit": 1 }, "index": index, "attempt": attempt,
        "took_ms": 12, "outcome": outcome,
    })
}

fn answer(value: Value) -> Value {
    json!({ "load": "loaded", "value": value, "from": { "operation": "crm.get", "revision": 3 } })
}

fn answered(status: u16, headers: Value) -> Value {
    let outcome = json!({ "outcome": "answered", "status": status, "headers": headers });
    json!({ "load": "failed", "outcome": outcome })
}

fn payload() -> Value {
    json!({ "order": { "id": "A1", "total": 5, "note": "now" }, "customer": { "id": "c1", "tier": "gold", "name": "Me" } })
}

#[test]
fn loads_run_side_by_side_and_what_they_give_wins_over_what_the_sender_said() {
    let mut run = Recording::start(DOCUMENT, payload());
    let all = ["order.details", "customer.profile", "order.risk"].map(|name| (name.to_owned(), 1));
    assert_eq!(run.commanded(), all);
    assert_eq!((run.run.state().status(), run.run.state().subject.clone()), (RunStatus::Running, None));
    assert_eq!(run.run.state().waits_for()[0].what, "3 of 3 to be loaded");
    assert_eq!(run.run.open_work().len(), 3, "whoever takes over makes the calls that are out");
    // They come in another order than they are merged in.
    run.loaded(1, 2, 1, answer(json!({ "total": 7000, "score": 3 })));
    assert_eq!(run.run.open_work().len(), 2);
    let aged = json!({ "load": "loaded", "value": { "tier": "silver", "name": "Ada Lind" }, "from": { "operation": "crm.get", "revision": 3, "age_ms": 61_000 } });
    run.loaded(2, 1, 1, aged);
    assert_eq!(run.run.state().status(), RunStatus::Running);
    run.loaded(3, 0, 1, answer(json!({ "total": 12_400, "lines": [1, 2] })));
    let state = run.run.state();
    assert_eq!(state.result(), Some(RunResult::Blocked));
    assert_eq!(state.subject.as_deref(), Some("Order A1 of Ada Lind"));
    assert_eq!(state.amount.as_deref(), Some("7000"), "the later of two loads of one key wins");
    let context = Value::Object((*state.context).clone());
    assert_eq!(
        context["order"],
        json!({ "id": "A1", "total": 7000, "note": "now", "lines": [1, 2], "score": 3 })
    );
    assert_eq!(context["event"]["customer"]["tier"], "gold", "the payload stays whole under `event`");
    assert_eq!(
        run.reasons()[3..7],
        [
            "order.risk from crm.get (revision 3)",
            "customer.profile from crm.get (revision 3), 1\u{a0}min\u{a0}1\u{a0}s old",
            "order.details from crm.get (revision 3)",
            "3 of 3 loaded",
        ]
    );
    let node = &shared_types::machine::trace::tree(&run.facts, 20)[0];
    assert_eq!((node.step_id.as_str(), node.moments.len()), ("$context", 7));
}

#[test]
fn names_that_nobody_serves_cost_a_run_nothing() {
    let (definition, _) = definition(DOCUMENT);
    let start = |unserved: Value| {
        let start: Start = serde_json::from_value(json!({
            "execution_id": Uuid::from_u128(7), "unserved": unserved, "machine": VERSION,
            "event": { "type": "order.created", "id": "start", "time": "2026-11-28T10:00:00Z", "payload": payload() },
        }))
        .unwrap();
        Run::start(Arc::clone(&definition), &stamp(0), &start)
    };
    let (run, applied) = start(json!(["order.details", "customer.profile", "order.risk"]));
    assert_eq!(run.state().result(), Some(RunResult::Allowed), "it ends as it starts");
    assert_eq!(run.state().subject.as_deref(), Some("Order A1 of Me"));
    assert_eq!(applied.facts[0].step_id.as_str(), "is_gold");
    let (run, applied) = start(json!(["order.details", "order.risk"]));
    assert_eq!(run.state().waits_for()[0].what, "1 of 3 to be loaded");
    assert_eq!(applied.commands.len(), 1);
}

#[test]
fn an_event_that_the_filter_keeps_out_loads_nothing() {
    let mut payload = payload();
    payload["customer"]["vip"] = json!(true);
    let run = Recording::start(DOCUMENT, payload);
    assert_eq!((run.commanded(), run.run.state().status()), (vec![], RunStatus::Ended));
}

#[test]
fn a_load_that_fails_is_tried_again_then_fails_the_run_with_its_name() {
    let mut run = Recording::start(DOCUMENT, payload());
    run.loaded(1, 1, 1, answered(503, json!({ "retry-after": "7" })));
    let timer = json!({ "timer": "retry", "place": { "step": "$context", "visit": 1 }, "index": 1 });
    assert_eq!(run.reasons()[3], "customer.profile: Answered 503; tries again in 7\u{a0}s");
    run.loaded(2, 0, 1, answer(json!({})));
    run.happens(8, json!({ "input": "timer_due", "timer": timer }));
    assert_eq!(run.commanded(), [("customer.profile".to_owned(), 2)]);
    let timeout = json!({ "load": "failed", "outcome": { "outcome": "unanswered", "error": "timeout", "message": "No answer in 10 seconds" } });
    run.loaded(18, 1, 2, timeout.clone());
    run.happens(19, json!({ "input": "timer_due", "timer": timer }));
    run.loaded(29, 1, 3, timeout);
    let state = run.run.state();
    let error = state.end.as_ref().unwrap().error.as_ref().unwrap();
    assert_eq!((error.code.as_str(), &error.step), ("context.failed", &None));
    assert_eq!(error.message, "customer.profile could not be loaded: No answer in 10 seconds.");
    assert_eq!(state.subject.as_deref(), Some("Order A1 of Me"), "the run is told of by what there is");
    // The third was still out: what it gives is late.
    run.loaded(30, 2, 1, answer(json!({ "score": 1 })));
    let late = run.facts.last().unwrap();
    assert_eq!(late.reason.as_deref(), Some("order.risk came when nothing waited for it any more"));
}

#[test]
fn what_would_not_be_better_on_another_attempt_is_not_tried_again() {
    for outcome in [
        answered(404, json!({})),
        json!({ "load": "failed", "outcome": { "outcome": "refused", "code": "connector.input", "message": "no" } }),
        json!({ "load": "failed", "retry": { "max_attempts": 1 }, "outcome": { "outcome": "answered", "status": 503 } }),
    ] {
        let mut run = Recording::start(DOCUMENT, payload());
        run.loaded(1, 1, 1, outcome.clone());
        let end = run.run.state().end.as_ref().unwrap_or_else(|| panic!("{outcome}"));
        assert_eq!(end.error.as_ref().unwrap().code, "context.failed");
    }
}

#[test]
fn what_is_optional_or_served_by_nobody_stays_as_the_sender_said() {
    let mut run = Recording::start(DOCUMENT, payload());
    run.loaded(1, 2, 1, answered(404, json!({})));
    run.loaded(2, 0, 1, json!({ "load": "unserved", "message": "No connector serves order.details" }));
    run.loaded(3, 1, 1, answer(json!(null)));
    let state = run.run.state();
    assert_eq!(state.amount.as_deref(), Some("5"));
    assert_eq!(state.context["customer"], Value::Null, "a system that knows nothing says so");
    assert_eq!(run.reasons()[3], "order.risk is optional and left out: Answered 404");
    assert_eq!(run.reasons()[6], "1 of 3 loaded");
}

#[test]
fn answers_to_others_attempts_and_second_answers_change_nothing() {
    let mut run = Recording::start(DOCUMENT, payload());
    let place = |step: &str| json!({ "step": step, "visit": 1 });
    for (n, input) in [
        loaded(0, 2, answer(json!({}))),
        loaded(3, 1, answer(json!({}))),
        json!({ "input": "loaded", "place": place("is_gold"), "index": 0, "attempt": 1, "took_ms": 1, "outcome": answer(json!({})) }),
        json!({ "input": "timer_due", "timer": { "timer": "retry", "place": place("$context"), "index": 0 } }),
        json!({ "input": "effect_done", "place": place("$context"), "index": 0, "attempt": 1, "took_ms": 1,
                "outcome": { "outcome": "answered", "status": 200 } }),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(run.try_happens(1, input), Err(InputError::NotExpected), "{n}");
    }
    run.loaded(1, 0, 1, answer(json!({})));
    assert_eq!(run.try_happens(2, loaded(0, 1, answer(json!({ "x": 1 })))), Err(InputError::NotExpected));
}

#[test]
fn a_run_that_is_cancelled_while_it_loads_gives_up_its_calls_and_timers() {
    let mut run = Recording::start(DOCUMENT, payload());
    run.loaded(1, 1, 1, answered(503, json!({})));
    run.happens(2, json!({ "input": "cancel", "by": "ada@example.com", "reason": null }));
    assert!(run.last.commands.iter().any(|command| matches!(command, Command::ClearTimer { .. })));
    assert_eq!(run.run.open_work(), []);
    run.loaded(3, 0, 1, answer(json!({})));
    assert_eq!(run.facts.last().unwrap().state, shared_types::machine::StepState::Late);
}

/// A connector that takes no calls for half a minute.
fn held(seconds: i64) -> Value {
    let until: DateTime<Utc> = "2026-11-28T10:00:00Z".parse().unwrap();
    let until = until + Duration::seconds(seconds + 30);
    json!({ "outcome": "held", "message": "crm takes no calls for now", "until": until })
}

#[test]
fn a_load_whose_connector_takes_no_calls_waits_for_an_hour_and_an_optional_one_not_at_all() {
    let mut run = Recording::start(DOCUMENT, payload());
    run.loaded(1, 2, 1, json!({ "load": "failed", "outcome": held(1) }));
    assert_eq!(run.reasons()[3], "order.risk is optional and left out: crm takes no calls for now");
    run.loaded(1, 0, 1, answer(json!({})));
    let timer = json!({ "timer": "retry", "place": { "step": "$context", "visit": 1 }, "index": 1 });
    let mut now = 1;
    loop {
        run.loaded(now, 1, 1, json!({ "load": "failed", "outcome": held(now) }));
        if run.run.state().end.is_some() {
            break;
        }
        now += 30;
        run.happens(now, json!({ "input": "timer_due", "timer": timer }));
        assert_eq!(run.commanded(), [("customer.profile".to_owned(), 1)], "waiting is no attempt");
    }
    assert_eq!(now, 3601);
    let error = run.run.state().end.as_ref().unwrap().error.as_ref().unwrap();
    assert_eq!(
        (error.code.as_str(), error.message.as_str()),
        (
            "context.failed",
            "customer.profile could not be loaded: crm takes no calls for now; the call waited for 1\u{a0}h and was given up."
        )
    );
    let waiting = run.facts.iter().filter(|fact| fact.state == shared_types::machine::StepState::Waiting);
    assert_eq!(waiting.count(), 1, "it is told once");
}

#[test]
fn an_effect_whose_connector_takes_no_calls_waits_for_an_hour_and_its_attempts_count_from_then() {
    let text = "
workflow_id: w
name: W
trigger: { type: event, event: order.created }
steps: [{ id: ask, type: execute, retry: { max_attempts: 2 }, execute: [{ type: connector, connector: crm.get, input: {} }] }]
";
    let place = json!({ "step": "ask", "visit": 1 });
    let done = |attempt: u32, outcome: Value| json!({ "input": "effect_done", "place": place, "index": 0, "attempt": attempt, "took_ms": 1, "outcome": outcome });
    let due = json!({ "input": "timer_due", "timer": { "timer": "retry", "place": place, "index": 0 } });
    let mut run = Recording::start(text, json!({}));
    run.happens(1, done(1, held(1)));
    assert_eq!(run.run.state().waits_for()[0].what, "its connector to take calls again");
    assert_eq!(run.reasons().last(), Some(&"crm takes no calls for now"));
    run.happens(31, due.clone());
    run.happens(32, done(1, json!({ "outcome": "answered", "status": 503 })));
    assert_eq!(run.run.state().waits_for()[0].what, "attempt 2");
    run.happens(33, due.clone());
    // It is held anew, and the hour counts from now.
    for now in (33..=3633).step_by(30) {
        run.happens(now, done(2, held(now)));
        assert_eq!(run.run.state().end.is_some(), now == 3633, "{now}");
        if now < 3633 {
            run.happens(now + 30, due.clone());
        }
    }
    let error = run.run.state().end.as_ref().unwrap().error.as_ref().unwrap();
    assert_eq!(error.code, "connector.unavailable");
}

#[test]
fn a_script_gives_what_is_loaded_and_else_the_payload_stays() {
    let (definition, _) = definition(DOCUMENT);
    let test = |script: Value| {
        let given = serde_json::from_value(json!({ "payload": payload(), "script": script })).unwrap();
        simulate_test(&definition, &given)
    };
    let silent = test(json!([]));
    assert_eq!((silent.result, silent.path[0].as_str()), (Some(RunResult::Allowed), "is_gold"));
    assert_eq!((silent.loads.len(), silent.steps[0].id.as_str()), (0, "is_gold"));
    let silver = test(json!([{ "load": "customer.profile", "response": { "tier": "silver" } }]));
    assert_eq!(silver.result, Some(RunResult::Blocked));
    assert_eq!(
        (silver.loads[0].name.as_str(), &silver.loads[0].value),
        ("customer.profile", &Some(json!({ "tier": "silver" })))
    );
    let failing = test(json!([{ "load": "customer.profile", "error": "timeout" }]));
    assert_eq!(failing.result, Some(RunResult::Failed));
    assert_eq!(failing.reason.as_deref(), Some("customer.profile could not be loaded: No answer in time."));
    let optional = test(
        json!([{ "load": "order.risk", "error": "connection" }, { "load": "order.risk", "response": 1 }]),
    );
    assert_eq!(optional.result, Some(RunResult::Allowed));
    assert_eq!(optional.unused[0].why, "no load of order.risk wanted this answer");
    let own = &definition.document().tests[0];
    assert_eq!(simulate_test(&definition, &own.given).result, Some(RunResult::Blocked));
}

#[test]
fn a_run_of_a_machine_that_did_not_load_replays_as_it_was() {
    let mut run = Recording::start(DOCUMENT, payload());
    let Input::Start(start) = &mut run.journal[0].1 else { panic!("it starts") };
    start.version = 6;
    let (definition, _) = definition(DOCUMENT);
    let (run, _) = Run::replay(definition, run.journal.iter().map(|(stamp, input)| (stamp, input))).unwrap();
    assert_eq!(run.state().result(), Some(RunResult::Allowed));
}

#[test]
fn runs_that_load_are_recorded_for_every_later_version() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/v7_loads.json");
    if std::path::Path::new(path).exists() {
        return;
    }
    let mut run = Recording::start(DOCUMENT, payload());
    run.loaded(1, 1, 1, answered(503, json!({})));
    run.loaded(1, 2, 1, answered(404, json!({})));
    let timer = json!({ "timer": "retry", "place": { "step": "$context", "visit": 1 }, "index": 1 });
    run.happens(2, json!({ "input": "timer_due", "timer": timer }));
    run.loaded(2, 0, 1, answer(json!({ "total": 12_400 })));
    run.loaded(3, 1, 2, answer(json!({ "tier": "gold", "name": "Ada Lind" })));
    let golden = json!({
        "document": run.document, "journal": run.journal, "facts": run.facts, "snapshot": run.run.snapshot(),
    });
    std::fs::write(path, serde_json::to_string_pretty(&golden).unwrap()).unwrap();
    panic!("{path} was not there; it is now, read and commit it");
}
