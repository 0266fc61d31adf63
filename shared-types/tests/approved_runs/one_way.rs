//! Behind conditions, in branches and items, with rules and called workflows: after anything of it changes, the run stops
//! exactly where it would send something else, and names the field.

use crate::driver::{Driver, Found};
use proptest::prelude::*;
use serde_json::{Value, json};
use shared_types::{
    machine::state::RunStatus,
    workflow::{
        Format,
        check::{Environment, check},
    },
};

/// Asks, and looks something up meanwhile; what follows depends on what was found.
const DOCUMENT: &str = include_str!("one_way.yaml");

/// What an approval sends and where it goes, in order, written down independently: the step, the field, and the value.
fn way_of(found: &Found) -> Vec<(&'static str, String, Value)> {
    let is_big = found.total >= 2;
    let mut way = vec![
        ("route", "/holds, /next".to_owned(), json!(is_big)),
        ("sign", "/signed.what".to_owned(), json!(found.total)),
        ("each", "/items".to_owned(), json!(found.lines.len())),
    ];
    if let Some(first) = found.lines.first() {
        way.push(("line", "/body/line".to_owned(), json!(first)));
    }
    // The branches run side by side: the first line is out while the other branch tells.
    let note =
        if is_big { json!({ "size": "big" }) } else { json!({ "size": "small", "total": found.total }) };
    way.push(("tell", "/payload/note/total".to_owned(), note));
    way.extend(found.lines.iter().skip(1).map(|line| ("line", "/body/line".to_owned(), json!(line))));
    way.push(("pick", "/next".to_owned(), json!(found.id == "A1")));
    if found.id == "A1" {
        way.push(("check", "/version".to_owned(), json!(found.rule.0)));
        let holds = found.total <= found.rule.1;
        way.push(("check", "/holds, /next".to_owned(), json!(holds)));
        if holds {
            way.push(("call", "/input/total".to_owned(), json!(found.total)));
            way.push(("call", "/revision".to_owned(), json!(found.revision)));
        }
    }
    way.push(("open", "/url".to_owned(), json!(found.path())));
    way.push(("end", "/body/total".to_owned(), json!(found.total)));
    way
}

fn found() -> impl Strategy<Value = Found> {
    let lines = prop::collection::vec(0..2_i64, 0..3);
    let ids = prop_oneof![3 => Just("A1"), 1 => Just("A2")];
    (ids, 0..4_i64, lines, 0..2_i64, 1..3_i32, 1..4_i64, 1..3_i32, 1..4_i32).prop_map(
        |(id, total, lines, other, version, limit, revision, connector)| {
            // A version of a rule never changes.
            let rule = (version, if version == 1 { 3 } else { limit });
            Found { id, total, lines, other, rule, revision, connector }
        },
    )
}

/// Two states of a workspace: most of the second is as it was, so that each part comes to differ alone.
fn change() -> impl Strategy<Value = (Found, Found)> {
    (found(), found(), 0..9_u8).prop_map(|(before, other, changed)| {
        let after = match changed {
            0 => Found { id: other.id, ..before.clone() },
            1 => Found { total: other.total, ..before.clone() },
            2 => Found { lines: other.lines, ..before.clone() },
            3 => Found { other: other.other, ..before.clone() },
            4 => Found { rule: other.rule, ..before.clone() },
            5 => Found { revision: other.revision, ..before.clone() },
            6 => Found { connector: other.connector, ..before.clone() },
            7 => before.clone(),
            _ => other,
        };
        let after = if before.rule.0 == after.rule.0 { Found { rule: before.rule, ..after } } else { after };
        (before, after)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(1_000), ..ProptestConfig::default() })]

    #[test]
    fn the_run_stops_where_it_would_differ_and_nowhere_else((before, after) in change()) {
        let mut driver = Driver::start(DOCUMENT, &before);
        driver.settle(&after);
        driver.approve(&after);
        let (approved, due) = (way_of(&before), way_of(&after));
        let differs = due.iter().position(|step| !approved.contains(step));
        match approved.iter().zip(&due).position(|(a, b)| a != b) {
            None if approved.len() == due.len() => {
                prop_assert_eq!(&driver.facts, &Vec::<String>::new());
                prop_assert_eq!(driver.run.state().status(), RunStatus::Ended);
            }
            first => {
                let first = first.or(differs).unwrap();
                let (step, field, _) = &due[first];
                let fact = driver.facts.first().cloned().unwrap_or_default();
                prop_assert!(fact.starts_with(&format!("{step} would ")), "{fact}, and it is {step} {field}");
                prop_assert!(*step == "tell" || fact.ends_with(&format!(": {field}")) , "{fact}, and it is {field}");
                // Rejected, nothing more is sent, wherever it stood.
                let mut refused = driver.clone();
                refused.decide(&after, "reject");
                prop_assert_eq!(refused.run.state().status(), RunStatus::Ended);
                prop_assert_eq!(refused.run.state().reason.as_deref(), Some("Refused"));
                prop_assert_eq!(&refused.sent, &driver.sent);
                // Whatever changed: approved anew with what is there now, all of it runs.
                let mut rounds = 0;
                while driver.run.state().status() != RunStatus::Ended && rounds < 4 {
                    driver.approve(&after);
                    rounds += 1;
                }
                prop_assert_eq!(rounds, 1, "{:?}", driver.facts);
            }
        }
        // Each effect is sent once, and what is sent is what the workspace now says.
        let mut expected: Vec<&str> = way_of(&after).iter().map(|(step, ..)| *step)
            .filter(|step| ["line", "tell", "call", "open", "end"].contains(step)).collect();
        expected.dedup_by(|a, b| a == b && *a == "call");
        let mut sent: Vec<&str> = driver.sent.iter().map(String::as_str).collect();
        sent.sort_unstable();
        expected.sort_unstable();
        prop_assert_eq!(sent, expected);
    }
}

/// A journal in which a rule and a called workflow change after they were approved; written where it is missing, and replayed
/// by `machine.rs` with every later version.
#[test]
fn a_run_that_is_asked_again_is_recorded_for_every_later_version() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/v6_asked_again.json");
    if std::path::Path::new(path).exists() {
        return;
    }
    let mut found =
        Found { id: "A1", total: 1, lines: vec![7, 8], other: 0, rule: (1, 3), revision: 4, connector: 1 };
    let mut driver = Driver::start(DOCUMENT, &found);
    driver.settle(&found);
    found.rule = (2, 2);
    driver.approve(&found);
    found.revision = 5;
    driver.approve(&found);
    driver.approve(&found);
    assert_eq!(driver.run.state().status(), RunStatus::Ended);
    let document = check(DOCUMENT, Format::Yaml, &Environment::Unknown).value;
    let golden = json!({
        "document": document, "journal": driver.journal, "facts": driver.told, "snapshot": driver.run.snapshot(),
    });
    std::fs::write(path, serde_json::to_string_pretty(&golden).unwrap()).unwrap();
    panic!("{path} was not there; it is now, read and commit it");
}

#[test]
fn what_is_asked_lists_the_effects_and_names_what_is_filled_in() {
    let found =
        Found { id: "A1", total: 1, lines: vec![7, 8], other: 0, rule: (2, 3), revision: 4, connector: 1 };
    let driver = Driver::start(DOCUMENT, &found);
    let mut driver = driver;
    driver.settle(&found);
    let request = driver.request.unwrap();
    let listed: Vec<Value> = request
        .effects
        .iter()
        .filter(|effect| effect.is_listed())
        .map(|effect| json!([effect.place(), effect.kind, effect.request, effect.at_the_time()]))
        .collect();
    let call = |method: &str, url: &str, body: Value| json!({ "method": method, "url": url, "body": body });
    assert_eq!(
        listed,
        [
            json!([
                "line:both.1.left:each.1.0",
                "http_request",
                call("POST", "https://shop.test/lines", json!({ "line": 7 })),
                []
            ]),
            json!([
                "line:both.1.left:each.1.1",
                "http_request",
                call("POST", "https://shop.test/lines", json!({ "line": 8 })),
                []
            ]),
            json!(["tell:both.1.right", "emit_event", { "event": "told", "payload": { "note": { "size": "small", "total": 1 }, "at": "2026-11-26T10:00:00Z" } }, ["/payload/at"]]),
            json!(["check", "rule_version", { "rule_id": "limit", "version": 2 }, []]),
            json!(["call", "call", { "workflow_id": "refunds", "input": { "total": 1 } }, []]),
            json!(["call", "workflow_revision", { "workflow_id": "refunds", "revision": 4 }, []]),
            json!([
                "open",
                "connector",
                call("POST", "https://desk.test/tickets", json!({ "title": 1 })),
                []
            ]),
            json!([
                "end",
                "http_request",
                call(
                    "POST",
                    "https://shop.test/A1",
                    json!({
                "by": "(filled in when it is approved)", "key": "•••", "when": "2026-11-26T10:00:00Z", "total": 1,
                "signed": "(filled in when it is approved): (filled in when it is approved)" })
                ),
                ["/body/by", "/body/key", "/body/signed", "/body/when"]
            ]),
        ]
    );
    assert_eq!(
        request.if_approved,
        [
            "Calls POST https://shop.test/lines.",
            "Calls POST https://shop.test/lines.",
            "Publishes told.",
            "Runs refunds.",
            "Calls desk.open.",
            "Calls POST https://shop.test/A1.",
        ]
    );
}

#[test]
fn what_fails_with_a_placeholder_only_is_told_to_depend_on_what_is_still_to_come() {
    let found =
        Found { id: "A2", total: 1, lines: Vec::new(), other: 0, rule: (2, 3), revision: 4, connector: 1 };
    let document = DOCUMENT
        .replace("by: '{{ approval.by }}'\n          key", "by: '{{ approval.comment * 2 }}'\n          key");
    assert_ne!(document, DOCUMENT);
    let mut driver = Driver::start(&document, &found);
    driver.settle(&found);
    let request = driver.request.as_ref().unwrap();
    assert_eq!(
        request.if_approved,
        ["Publishes told.", "Calls desk.open.", "end: depends on an answer that is still to come."]
    );
}
