//! In the simulator: an effect that would send something else isn't sent before it is approved anew.

use proptest::prelude::*;
use serde_json::{Value, json};
use shared_types::{
    machine::{
        Definition,
        simulate::{Simulation, simulate},
    },
    workflow::{Document, test_script::ScriptedEvent},
};
use std::sync::Arc;

/// Asks, and looks something up meanwhile; then tells what was found, by an event and by a call.
fn document() -> Document {
    let document = json!({
        "workflow_id": "ask", "name": "Ask", "trigger": { "type": "event", "event": "go" },
        "steps": [
            { "id": "ask", "type": "action", "action": { "type": "require_approval", "reason": "Look" },
              "execute": [
                { "type": "create_approval_request", "data": { "approver_role": "finance" } },
                { "type": "http_request", "url": "https://shop.test/look", "save_as": "found" },
              ],
              "on_approved": "tell", "on_rejected": "refuse" },
            { "id": "tell", "type": "emit", "next": "call",
              "emit": { "event": "told", "payload": { "total": "{{ found.total }}", "when": "{{ now }}" } } },
            { "id": "call", "type": "execute", "execute": [
                { "type": "http_request", "method": "POST", "url": "https://shop.test/{{ found.id }}",
                  "body": { "lines": "{{ found.lines }}", "by": "{{ approval.by }}", "key": "{{ secrets.shop }}" } },
            ] },
            { "id": "refuse", "type": "action", "action": { "type": "block", "reason": "Refused" } },
        ],
    });
    serde_json::from_value(document).unwrap()
}

fn run(found: &Value, answered: &Value, decisions: &[&str]) -> Simulation {
    let event: ScriptedEvent =
        serde_json::from_value(json!({ "type": "go", "payload": { "found": found } })).unwrap();
    let mut script = vec![json!({ "effect": "ask", "response": { "status": 200, "body": answered } })];
    script.extend(decisions.iter().map(|decision| json!({ "decide": decision, "comment": "So" })));
    let script: Vec<_> = script.into_iter().map(|item| serde_json::from_value(item).unwrap()).collect();
    simulate(&Arc::new(Definition::new(document())), &event, &script, &[])
}

fn sent(simulation: &Simulation) -> Vec<&str> {
    let sent = simulation.effects.iter().filter(|effect| effect.step.as_str() != "ask");
    sent.map(|effect| effect.step.as_str()).collect()
}

/// What became of the steps, as the last word on each.
fn reason(simulation: &Simulation, step: &str) -> String {
    let mut steps = simulation.steps.iter().filter(|entered| entered.id.as_str() == step);
    steps.next_back().and_then(|entered| entered.reason.clone()).unwrap_or_default()
}

#[test]
fn what_would_differ_is_asked_again_and_sent_once_it_is_approved() {
    let before = json!({ "id": "A1", "total": 5, "lines": [1, 2] });
    let after = json!({ "id": "A1", "total": 5, "lines": [1, 3] });
    let once = run(&before, &after, &["approve"]);
    assert_eq!(sent(&once), ["tell"], "what is as it was approved is sent");
    assert_eq!(
        reason(&once, "call"),
        "Not sent, and asked again: call would send something else than what was approved: /body/lines/1"
    );
    assert_eq!(once.waits_for.len(), 1);
    let twice = run(&before, &after, &["approve", "approve"]);
    assert_eq!(sent(&twice), ["tell", "call"]);
    assert_eq!(twice.unused, []);
    let refused = run(&before, &after, &["approve", "reject"]);
    assert_eq!(refused.reason.as_deref(), Some("Refused"));
    assert_eq!(sent(&refused), ["tell"]);
}

fn found() -> impl Strategy<Value = Value> {
    let id = prop_oneof![Just("A1"), Just("A2")];
    (id, 0..3, prop::collection::vec(0..2, 0..3), 0..2).prop_map(
        |(id, total, lines, other)| json!({ "id": id, "total": total, "lines": lines, "other": other }),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(1_000), ..ProptestConfig::default() })]

    #[test]
    fn each_change_that_changes_what_is_sent_stops_it_and_no_other(before in found(), after in found()) {
        let differs = |key: &str| before[key] != after[key];
        let once = run(&before, &after, &["approve"]);
        if differs("total") {
            prop_assert!(reason(&once, "tell").ends_with(": /payload/total"), "{}", reason(&once, "tell"));
            prop_assert_eq!(sent(&once), Vec::<&str>::new());
            // Approved anew, all of it is sent: what follows was resolved with it.
            let twice = run(&before, &after, &["approve", "approve"]);
            prop_assert_eq!(sent(&twice), ["tell", "call"]);
        } else if differs("id") || differs("lines") {
            prop_assert!(reason(&once, "call").starts_with("Not sent, and asked again"), "{}", reason(&once, "call"));
            prop_assert_eq!(sent(&once), ["tell"]);
        } else {
            prop_assert_eq!(sent(&once), ["tell", "call"]);
        }
    }
}
