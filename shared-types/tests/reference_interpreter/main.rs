//! The machine against a second, deliberately naive interpreter: random documents and scripts, the same
//! results, paths as sets, and effects. `IW_CASES` says how many; each difference ever found stays as a case.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod documents;
mod interpreter;

use interpreter::Outcome;
use serde_json::{Map, Value, json};
use shared_types::{
    machine::{Definition, simulate::simulate, supported::unsupported},
    workflow::{
        Format,
        check::{Environment, check},
        test_script::ScriptedEvent,
    },
};
use std::sync::Arc;

/// What the machine makes of it; `None` where the document isn't one.
fn by_machine(case: &Value) -> Option<Outcome> {
    let checked = check(&case["document"].to_string(), Format::Json, &Environment::Unknown);
    let document = checked.document.filter(|document| unsupported(document).is_empty())?;
    let Value::Object(payload) = case["payload"].clone() else { panic!("a map") };
    let event = ScriptedEvent { kind: "manual".into(), payload, ..ScriptedEvent::default() };
    let script = serde_json::from_value::<Vec<_>>(case["script"].clone()).unwrap();
    let got = simulate(&Arc::new(Definition::new(document)), &event, &script, &[]);
    let effects = got.effects.iter().map(|effect| {
        let step = &effect.step;
        match effect.kind {
            "emit_event" => format!("{step} emit {}", effect.request["payload"]["n"]),
            "create_approval_request" => format!("{step} asks"),
            "call" => format!("{step} call"),
            _ => format!("{step} {} {}", effect.index, effect.request["url"].as_str().unwrap()),
        }
    });
    let waits = got.waits_for.iter().map(|waits| waits.step_id.to_string());
    let result =
        got.result.map(|result| result.as_str().to_owned()).filter(|_| got.status.as_str() == "ended");
    Some(sorted(Outcome {
        status: got.status.as_str().to_owned(),
        result,
        path: got.path.iter().map(ToString::to_string).collect(),
        effects: effects.collect(),
        waits: waits.collect(),
    }))
}

fn by_hand(case: &Value) -> Outcome {
    let empty = Map::new();
    let payload = case["payload"].as_object().unwrap_or(&empty);
    sorted(interpreter::run(&case["document"], payload, case["script"].as_array().unwrap()))
}

fn sorted(mut outcome: Outcome) -> Outcome {
    outcome.path.sort();
    outcome.effects.sort();
    outcome.waits.sort();
    outcome
}

#[test]
fn random_documents_come_to_the_same_by_the_machine_and_by_hand() {
    let cases: u64 = std::env::var("IW_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(2000);
    let first: u64 = std::env::var("IW_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let mut ran = 0;
    let mut ended = 0;
    for seed in first..first + cases {
        let case = documents::case(seed);
        let hand = by_hand(&case);
        if hand.status == "endless" {
            continue;
        }
        let Some(machine) = by_machine(&case) else { continue };
        ran += 1;
        ended += u64::from(machine.status == "ended");
        assert!(
            machine == hand,
            "seed {seed}: keep it in tests/reference_interpreter/differences\n{case:#}\nmachine {machine:#?}\nby hand {hand:#?}"
        );
    }
    // The comparison means something only where most documents are documents, and runs end as well as wait.
    assert!(ran * 10 >= cases * 6, "{ran} of {cases} are documents");
    assert!(ended * 10 >= ran * 2 && ended * 10 <= ran * 9, "{ended} of {ran} end");
}

#[test]
fn differences_once_found_stay_away() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference_interpreter/differences");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let case: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(by_machine(&case), Some(by_hand(&case)), "{}", path.display());
        seen += 1;
    }
    assert!(seen > 0);
}

#[test]
fn the_naive_interpreter_reads_a_script_as_the_language_says() {
    let case = json!({
        "document": { "steps": [
            { "id": "both", "type": "parallel", "next": "done", "parallel": { "branches": [
                { "id": "a", "steps": [{ "id": "ask", "type": "approval", "approval": { "levels": [{ "expires_in": "1h" }] } }] },
                { "id": "b", "steps": [{ "id": "nap", "type": "wait", "wait": { "for": "2h" } }] },
            ] } },
            { "id": "done", "type": "action", "action": { "type": "allow" } },
        ] },
        "payload": {}, "script": [{ "decide": "approve" }, { "advance": "3h" }],
    });
    let outcome = by_hand(&case);
    assert_eq!(outcome.result.as_deref(), Some("allowed"));
    assert_eq!(outcome.path, ["ask", "both", "done", "nap"]);
}
