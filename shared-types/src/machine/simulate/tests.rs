use super::simulate;
use crate::{
    machine::{Definition, review::review},
    workflow::{Format, check::Environment},
};
use serde_json::{Value, json};
use std::sync::Arc;

const ORDER: &str = include_str!("../../../tests/documents/high_value_order.yaml");

fn run(source: &str, event: Value, script: Value) -> Value {
    let checked = review(source, Format::Yaml, &Environment::Unknown);
    let document = checked.document.unwrap_or_else(|| panic!("{:#?}", checked.findings));
    let event = serde_json::from_value(event).unwrap();
    let script: Vec<_> = serde_json::from_value(script).unwrap();
    serde_json::to_value(simulate(&Arc::new(Definition::new(document)), &event, &script, &[])).unwrap()
}

fn order(total: &Value, script: Value) -> Value {
    run(
        ORDER,
        json!({"type": "order.checkout.initiated", "payload": {"order": {"id": "A1", "total": total}}}),
        script,
    )
}

fn steps(body: &str) -> String {
    format!("workflow_id: w\nname: W\ntrigger: {{ type: manual }}\nsteps:\n{body}")
}

#[test]
fn a_small_order_is_allowed_at_once_and_says_why() {
    let got = order(&json!(9000), json!([]));
    assert_eq!(got["result"], "allowed");
    assert_eq!(got["path"], json!(["check_value", "allow"]));
    assert_eq!(got["steps"][0]["reason"], "order.total is 9,000, at least 10,000: false");
}

#[test]
fn a_large_order_waits_and_goes_the_way_that_the_decision_leads() {
    let waiting = order(&json!("12400.10"), json!([]));
    assert_eq!(waiting["status"], "waiting");
    assert_eq!(waiting["result"], "pending_approval");
    assert_eq!(waiting["reason"], "Order over 10,000");
    assert_eq!(waiting["effects"][0]["request"]["data"], json!({"order_total": "12400.10"}));
    assert_eq!(waiting["effects"][0]["request"]["amount"], "12400.10");
    assert_eq!(waiting["effects"][1]["type"], "notify");
    let approved = order(&json!(12400), json!([{"decide": "approve", "by": "bo@example.com"}]));
    assert_eq!(approved["result"], "allowed");
    assert_eq!(approved["path"], json!(["check_value", "ask_manager", "allow"]));
    let expired = order(&json!(12400), json!([{"advance": "23h"}, {"advance": "2h"}]));
    assert_eq!(expired["result"], "blocked");
    assert_eq!(expired["reason"], "Not approved");
}

#[test]
fn what_a_script_cannot_use_is_said() {
    let got =
        order(&json!(1), json!([{"decide": "approve"}, {"effect": "allow", "response": {"status": 200}}]));
    assert_eq!(got["unused"][0]["index"], 0);
    assert_eq!(got["unused"][1]["why"], "no effect of allow wanted this answer");
    let wordless = order(&json!(20000), json!([{"decide": "reject"}]));
    assert_eq!(wordless["unused"], json!([{"index": 0, "why": "it needs a comment"}]));
}

#[test]
fn calls_are_retried_then_fail_or_go_on() {
    let source = steps(
        "  - id: call\n    type: execute\n    retry: { max_attempts: 2, delay: 5s }\n    on_error: note\n    \
         execute: [{ type: webhook, url: 'http://x/{{ order.id }}', body: { id: '{{ order.id }}' }, save_as: answer, headers: { a: 'Bearer {{ secrets.t }}' } }]\n    next: done\n  \
         - { id: note, type: fail, reason: '{{ error.code }}' }\n  - { id: done, type: set, set: { ok: '{{ answer.fine }}' } }\n",
    );
    let event = json!({"type": "manual", "payload": {"order": {"id": "A1"}}});
    let script = json!([{"effect": "call", "response": {"status": 503}}, {"effect": "call", "response": {"status": 200, "body": {"fine": true}}}]);
    let got = run(&source, event.clone(), script);
    assert_eq!(got["result"], "executed");
    assert_eq!(
        got["effects"][0]["request"],
        json!({"method": "POST", "url": "http://x/A1", "headers": {"a": "Bearer •••"}, "body": {"id": "A1"}})
    );
    assert_eq!(got["steps"][1]["output"]["set"], json!({"ok": true}));
    let script = json!([{"effect": "call", "error": "timeout"}, {"effect": "call", "error": "connection"}]);
    let got = run(&source, event.clone(), script);
    assert_eq!((got["result"].as_str(), got["reason"].as_str()), (Some("failed"), Some("connection")));
    let got = run(&source, event, json!([{"effect": "call", "response": {"status": 404}}]));
    assert_eq!(got["reason"], "http.404");
}

#[test]
fn an_awaited_event_counts_before_and_after_the_wait_and_merges() {
    let source = steps(
        "  - { id: pause, type: wait, wait: { for: 1h }, next: hold }\n  \
         - { id: hold, type: wait, wait: { event: order.paid, match: { order.id: '{{ order.id }}' }, timeout: 2h, on_timeout: late }, next: done }\n  \
         - { id: done, type: set, set: { by: '{{ order.paid_by }}' } }\n  - { id: late, type: action, action: { type: block, reason: late } }\n",
    );
    let event = json!({"type": "manual", "payload": {"order": {"id": "A1"}}});
    let paid = |id: &str| json!({"event": {"type": "order.paid", "payload": {"order": {"id": id, "paid_by": "card"}}}});
    let early = run(&source, event.clone(), json!([paid("A1"), {"advance": "1h"}]));
    assert_eq!(early["steps"][2]["output"]["set"], json!({"by": "card"}));
    let after = run(&source, event.clone(), json!([{"advance": "1h"}, paid("B2"), paid("A1")]));
    assert_eq!(after["result"], "executed");
    let late = run(&source, event, json!([{"advance": "1h"}, paid("B2"), {"advance": "2h"}]));
    assert_eq!(late["result"], "blocked");
}

#[test]
fn a_timeout_counts_only_the_time_that_the_run_works() {
    let source = "workflow_id: w\nname: W\ntrigger: { type: manual }\ntimeout: 10s\nsteps:\n  \
         - { id: pause, type: wait, wait: { for: 1h }, next: call }\n  \
         - { id: call, type: execute, retry: { max_attempts: 9, delay: 4s }, execute: [{ type: http_request, url: 'http://x' }] }\n";
    let failing: Vec<Value> =
        (0..9).map(|_| json!({"effect": "call", "response": {"status": 500}})).collect();
    let mut script = vec![json!({"advance": "1h"})];
    script.extend(failing);
    let got = run(source, json!({"type": "manual"}), json!(script));
    assert_eq!(got["result"], "timed_out");
    assert_eq!(got["unused"].as_array().map(Vec::len), Some(6));
}

#[test]
fn asking_without_waiting_goes_on_and_is_withdrawn_when_the_event_comes() {
    let source = steps(
        "  - { id: ask, type: execute, execute: [{ type: create_approval_request, data: { approver_role: x } }], next: hold }\n  \
         - { id: hold, type: wait, wait: { event: order.confirmed }, next: done }\n  - { id: done, type: action, action: { type: allow } }\n",
    );
    let event = json!({"type": "manual"});
    let decided = run(&source, event.clone(), json!([{"decide": "approve", "by": "bo@example.com"}]));
    assert_eq!(decided["status"], "waiting");
    assert_eq!(
        decided["steps"][0]["reason"],
        "bo@example.com approved; the run still waits for the event order.confirmed"
    );
    let confirmed = run(&source, event, json!([{"event": {"type": "order.confirmed"}}]));
    assert_eq!(confirmed["result"], "allowed");
}

#[test]
fn a_documents_failing_test_is_an_error_at_its_place() {
    let source = ORDER.replace("result: blocked, path", "result: allowed, path");
    let checked = review(&source, Format::Yaml, &Environment::Unknown);
    let [finding] = checked.findings.as_slice() else { panic!("{:#?}", checked.findings) };
    assert_eq!((&*finding.code, finding.pointer.as_str()), ("test.failed", "/tests/0/expect/result"));
    assert!(checked.document.is_none());
}

#[test]
fn a_step_that_asks_and_then_tells_waits_until_it_is_decided() {
    let asked = order(&json!(12_400), json!([]));
    let last = asked["steps"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["id"], &last["state"]), (&json!("ask_manager"), &json!("waiting")), "{last}");
    let offered: Vec<&Value> =
        asked["choices"].as_array().unwrap().iter().map(|choice| &choice["label"]).collect();
    assert_eq!(offered[..2], ["Approve", "Reject"]);
    let decided = order(&json!(12_400), json!([{ "decide": "approve" }]));
    let steps = decided["steps"].as_array().unwrap();
    let step = steps.iter().find(|step| step["id"] == "ask_manager").unwrap();
    assert_eq!(step["state"], "done");
}
