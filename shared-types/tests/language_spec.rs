//! Sentences of the language, each as a document with what happens and what comes of it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use serde_json::{Value, json};
use shared_types::{
    machine::{
        Definition,
        result::RunResult,
        simulate::{Simulation, simulate},
    },
    workflow::{
        Format,
        check::{Environment, check},
        test_script::ScriptedEvent,
    },
};
use std::sync::Arc;

fn run(steps: &str, payload: Value, script: Value) -> Simulation {
    let text = format!("workflow_id: w\nname: W\ntrigger: {{ type: manual }}\nsteps:\n{steps}");
    let checked = check(&text, Format::Yaml, &Environment::Unknown);
    let document = checked.document.unwrap_or_else(|| panic!("{:#?}", checked.findings));
    let Value::Object(payload) = payload else { panic!("a map") };
    let event = ScriptedEvent { kind: "manual".into(), payload, ..ScriptedEvent::default() };
    simulate(
        &Arc::new(Definition::new(document)),
        &event,
        &serde_json::from_value::<Vec<_>>(script).unwrap(),
        &[],
    )
}

fn path(simulation: &Simulation) -> Vec<&str> {
    simulation.path.iter().map(|step| step.0.as_str()).collect()
}

/// What a step did, in words.
fn reason<'s>(simulation: &'s Simulation, step: &str) -> &'s str {
    let told = simulation.steps.iter().rev().find(|told| told.id.0 == step);
    told.and_then(|told| told.reason.as_deref()).unwrap_or_default()
}

const ASKS_AND_CALLS: &str = "  - id: a\n    type: execute\n    execute: [{ type: create_approval_request, data: { approver_role: x } }, { type: webhook, url: 'http://x' }]\n    on_approved: yes\n    on_error: sorry\n  \
    - { id: yes, type: action, action: { type: allow } }\n  \
    - { id: sorry, type: wait, wait: { for: 1h }, next: told }\n  \
    - { id: told, type: set, set: { said: 'now {{ approval.decision }}' } }\n";

#[test]
fn a_step_that_fails_after_it_asked_asks_no_longer() {
    let steps = ASKS_AND_CALLS.to_owned();
    let fails = json!({ "effect": "a", "response": { "status": 500 } });
    let stands = run(&steps, json!({}), json!([fails]));
    assert_eq!(stands.status.as_str(), "waiting");
    assert_eq!(stands.result, None, "nobody is asked any more");
    assert_eq!(stands.waits_for.len(), 1);
    let decided = run(&steps, json!({}), json!([fails, { "decide": "approve" }]));
    assert_eq!(decided.unused.len(), 1, "there is nothing to decide");
}

#[test]
fn next_is_followed_where_no_other_link_fits() {
    for (payload, expected) in [(json!({ "n": 1 }), ["c", "big"]), (json!({ "n": 0 }), ["c", "rest"])] {
        let steps = "  - { id: c, type: condition, condition: { field: n, operator: gt, value: 0 }, on_true: big, next: rest }\n  \
            - { id: big, type: set, set: { a: 1 } }\n  - { id: rest, type: set, set: { a: 2 } }\n";
        assert_eq!(path(&run(steps, payload.clone(), json!([]))), expected);
        let steps = "  - { id: c, type: switch, cases: [{ when: { field: n, operator: gt, value: 0 }, next: big }], next: rest }\n  \
            - { id: big, type: set, set: { a: 1 } }\n  - { id: rest, type: set, set: { a: 2 } }\n";
        assert_eq!(path(&run(steps, payload, json!([]))), expected);
    }
}

#[test]
fn what_finished_branches_put_there_is_kept_when_the_whole_times_out() {
    let steps = "  - id: p\n    type: parallel\n    timeout: 1h\n    on_error: e\n    parallel:\n      branches:\n        \
        - { id: one, steps: [{ id: s, type: set, set: { kept: yes } }] }\n        \
        - { id: two, steps: [{ id: w, type: wait, wait: { event: never } }] }\n  \
        - { id: e, type: fail, reason: '{{ kept }} {{ steps.p.branches.two.outcome }} {{ error.code }}' }\n";
    let simulation = run(steps, json!({}), json!([{ "advance": "2h" }]));
    assert_eq!(reason(&simulation, "e"), "yes cancelled timeout");
}

#[test]
fn only_a_wait_that_asking_leads_to_withdraws_what_was_asked() {
    let steps = "  - { id: ask, type: execute, execute: [{ type: create_approval_request, data: { approver_role: x } }], next: LINK }\n  \
        - { id: between, type: set, set: { a: 1 }, next: w }\n  \
        - { id: w, type: wait, wait: { event: e1 }, next: v }\n  \
        - { id: v, type: wait, wait: { event: e2 } }\n";
    let script = json!([{ "event": { "type": "e1" } }, { "decide": "approve" }]);
    let direct = run(&steps.replace("LINK", "w"), json!({}), script.clone());
    assert_eq!(direct.unused.len(), 1, "it was decided elsewhere");
    let unrelated = run(&steps.replace("LINK", "between"), json!({}), script);
    assert_eq!(unrelated.unused, []);
}

#[test]
fn a_decision_that_comes_after_its_branch_is_over_is_in_the_context() {
    let steps = "  - id: p\n    type: parallel\n    next: say\n    parallel:\n      branches:\n        \
        - { id: one, steps: [{ id: ask, type: execute, execute: [{ type: create_approval_request, data: { approver_role: x } }], next: on }, { id: on, type: set, set: { a: 1 } }] }\n        \
        - { id: two, steps: [{ id: w, type: wait, wait: { event: e } }] }\n  \
        - { id: say, type: fail, reason: 'It was {{ approval.decision }}' }\n";
    let script = json!([{ "decide": "approve" }, { "event": { "type": "e" } }]);
    assert_eq!(reason(&run(steps, json!({}), script), "say"), "It was approved");
}

#[test]
fn block_stands_where_the_run_doesnt_wait_for_the_people_it_asks() {
    let steps = "  - { id: a, type: action, action: { type: block, reason: no }, execute: [{ type: create_approval_request, data: { approver_role: x } }], next: b }\n  \
        - { id: b, type: set, set: { c: 1 } }\n";
    let simulation = run(steps, json!({}), json!([]));
    assert_eq!(simulation.result.map(RunResult::as_str), Some("blocked"));
}

#[test]
fn a_branch_that_asks_passes_only_when_approved() {
    let steps = |strategy: &str| {
        format!(
            "  - id: p\n    type: parallel\n    next: yes\n    on_error: no\n    parallel:\n      strategy: {strategy}\n      branches:\n        \
             - id: one\n          steps:\n            \
             - {{ id: ask, type: approval, approval: {{ levels: [{{ approvers: ['role:x'] }}] }}, on_approved: ok, on_rejected: again }}\n            \
             - {{ id: again, type: approval, approval: {{ levels: [{{ approvers: ['role:y'] }}] }}, on_approved: ok, on_rejected: ok }}\n            \
             - {{ id: ok, type: set, set: {{ a: 1 }} }}\n  \
             - {{ id: yes, type: action, action: {{ type: allow }} }}\n  - {{ id: no, type: action, action: {{ type: block }} }}\n"
        )
    };
    let reject = json!({ "decide": "reject", "comment": "no" });
    let approve = json!({ "decide": "approve" });
    for (script, expected) in [
        (json!([approve]), "allowed"),
        (json!([reject, approve]), "allowed"),
        (json!([reject, reject]), "blocked"),
    ] {
        let simulation = run(&steps("all_must_pass"), json!({}), script);
        assert_eq!(simulation.result.map(RunResult::as_str), Some(expected));
        assert!(path(&simulation).contains(&"ok"), "its links are followed all the same");
    }
}

#[test]
fn what_is_replaced_given_on_or_dropped_no_longer_counts_as_kept() {
    // Each round keeps some hundred kilobytes and lets go of those of the round before; the limit is 8 MiB.
    let text = "x".repeat(1000);
    let items: Vec<u32> = (0..300).collect();
    let bodies = [
        "type: foreach, foreach: { items: '{{ event.items }}', steps: [{ id: s, type: set, set: { t: '{{ event.text }}' } }] }",
        "type: foreach, foreach: { items: '{{ event.items }}', concurrency: 300, on_item_error: stop, steps: [{ id: s, type: set, set: { t: '{{ event.text }}' } }, { id: c, type: condition, condition: { field: item, operator: lt, value: 299 }, on_true: h, on_false: f }, { id: h, type: wait, wait: { event: never } }, { id: f, type: fail }] }, on_error: w",
        "type: parallel, parallel: { strategy: any_can_pass, branches: [{ id: a, steps: [{ id: big, type: set, set: { kept: '{{ event.texts }}' } }, { id: h, type: wait, wait: { event: never } }] }, { id: b, steps: [{ id: s, type: set, set: { q: 1 } }] }] }",
    ];
    let texts: Vec<&str> = items.iter().map(|_| text.as_str()).collect();
    let payload = json!({ "items": items, "text": text, "texts": texts });
    for body in bodies {
        let steps = format!(
            "  - {{ id: p, {body}, next: w }}\n  - {{ id: w, type: wait, wait: {{ event: again }}, next: p }}\n"
        );
        let script: Vec<Value> =
            (0..40).map(|_| json!({ "event": { "type": "again", "payload": { "got": texts } } })).collect();
        let simulation = run(&steps, payload.clone(), Value::Array(script));
        assert_eq!(simulation.status.as_str(), "waiting", "{:?}: {body}", simulation.reason);
    }
}
