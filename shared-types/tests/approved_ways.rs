//! What was approved is what runs, behind conditions, in branches and items, with rules and called workflows: after anything
//! of it changes, the run stops exactly where it would send something else, and names the field.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use chrono::{DateTime, Duration, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};
use shared_types::{
    machine::{
        Applied, ChildStatus, Command, Definition, Input, Limits, Run, Stamp, VERSION, command::Request,
        environment::RunEnvironment, input::Start, state::RunStatus,
    },
    workflow::Document,
};
use std::{collections::VecDeque, sync::Arc};
use uuid::Uuid;

/// Asks, and looks something up meanwhile; what follows depends on what was found.
fn document() -> Document {
    let document = json!({
        "workflow_id": "ask", "name": "Ask", "trigger": { "type": "event", "event": "go" },
        "steps": [
            { "id": "ask", "type": "action", "action": { "type": "require_approval", "reason": "Look" },
              "execute": [
                { "type": "create_approval_request", "data": { "approver_role": "finance" } },
                { "type": "http_request", "url": "https://shop.test/look", "save_as": "found" },
              ],
              "on_approved": "route", "on_rejected": "refuse" },
            { "id": "route", "type": "condition", "condition": { "field": "found.total", "operator": "gte", "value": 2 },
              "on_true": "big", "on_false": "small" },
            { "id": "big", "type": "set", "set": { "note.size": "big" }, "next": "both" },
            { "id": "small", "type": "set", "set": { "note.size": "small", "note.total": "{{ found.total }}" }, "next": "both" },
            { "id": "both", "type": "parallel", "next": "pick", "parallel": { "branches": [
                { "id": "left", "steps": [
                    { "id": "each", "type": "foreach", "foreach": { "items": "{{ found.lines }}", "steps": [
                        { "id": "line", "type": "execute", "execute": [
                            { "type": "http_request", "method": "POST", "url": "https://shop.test/lines", "body": { "line": "{{ item }}" } },
                        ] },
                    ] } },
                ] },
                { "id": "right", "steps": [
                    { "id": "tell", "type": "emit", "emit": { "event": "told", "payload": { "note": "{{ note }}", "at": "{{ now }}" } } },
                ] },
            ] } },
            { "id": "pick", "type": "switch", "cases": [
                { "when": { "field": "found.id", "operator": "eq", "value": "A1" }, "next": "check" },
            ], "default": "end" },
            { "id": "check", "type": "condition", "rule_id": "limit", "rule": "latest", "on_true": "call", "on_false": "end" },
            { "id": "call", "type": "call", "call": { "workflow_id": "refunds", "input": { "total": "{{ found.total }}" } }, "next": "end" },
            { "id": "end", "type": "execute", "execute": [
                { "type": "http_request", "method": "POST", "url": "https://shop.test/{{ found.id }}",
                  "body": { "by": "{{ approval.by }}", "key": "{{ secrets.shop }}", "when": "{{ now }}", "total": "{{ found.total }}" } },
            ] },
            { "id": "refuse", "type": "action", "action": { "type": "block", "reason": "Refused" } },
        ],
    });
    serde_json::from_value(document).unwrap()
}

/// What the run finds in its workspace.
#[derive(Debug, Clone, PartialEq)]
struct Found {
    id: &'static str,
    total: i64,
    lines: Vec<i64>,
    /// Something that no step reads.
    other: i64,
    rule: (i32, i64),
    revision: i32,
}

impl Found {
    fn value(&self) -> Value {
        json!({ "id": self.id, "total": self.total, "lines": self.lines, "other": self.other })
    }

    fn environment(&self) -> RunEnvironment {
        serde_json::from_value(json!({
            "people": [{ "email": "bo@example.com", "name": "Bo", "roles": ["operator", "finance"] }],
            "rules": { "limit": self.rule() }, "revisions": { "refunds": self.revision },
        }))
        .unwrap()
    }

    fn rule(&self) -> Value {
        let (version, limit) = self.rule;
        json!({ "version": version, "condition": { "field": "found.total", "operator": "lte", "value": limit } })
    }

    /// What an approval sends and where it goes, in order, written down independently: the step, the field, and the value.
    fn way(&self) -> Vec<(&'static str, String, Value)> {
        let is_big = self.total >= 2;
        let mut way = vec![
            ("route", "/holds, /next".to_owned(), json!(is_big)),
            ("each", "/items".to_owned(), json!(self.lines.len())),
        ];
        if let Some(first) = self.lines.first() {
            way.push(("line", "/body/line".to_owned(), json!(first)));
        }
        // The branches run side by side: the first line is out while the other branch tells.
        let note =
            if is_big { json!({ "size": "big" }) } else { json!({ "size": "small", "total": self.total }) };
        way.push(("tell", "/payload/note/total".to_owned(), note));
        way.extend(self.lines.iter().skip(1).map(|line| ("line", "/body/line".to_owned(), json!(line))));
        way.push(("pick", "/next".to_owned(), json!(self.id == "A1")));
        if self.id == "A1" {
            way.push(("check", "/version".to_owned(), json!(self.rule.0)));
            let holds = self.total <= self.rule.1;
            way.push(("check", "/holds, /next".to_owned(), json!(holds)));
            if holds {
                way.push(("call", "/input/total".to_owned(), json!(self.total)));
                way.push(("call", "/revision".to_owned(), json!(self.revision)));
            }
        }
        way.push(("end", "/body/total".to_owned(), json!(self.total)));
        way
    }
}

#[derive(Clone)]
struct Driver {
    run: Run,
    inputs: u32,
    commands: VecDeque<Command>,
    request: Option<Request>,
    sent: Vec<String>,
    facts: Vec<String>,
    /// What was applied and what it told, to be kept.
    journal: Vec<Value>,
    told: Vec<Value>,
}

fn begin() -> DateTime<Utc> {
    "2026-11-26T10:00:00Z".parse().unwrap()
}

impl Driver {
    fn start(found: &Found) -> Self {
        Self::start_of(document(), found)
    }

    fn start_of(document: Document, found: &Found) -> Self {
        let start: Start = serde_json::from_value(json!({
            "execution_id": Uuid::from_u128(7),
            "event": { "type": "go", "id": "start", "time": begin(), "payload": { "found": found.value() } },
            "limits": Limits::default(), "machine": VERSION,
        }))
        .unwrap();
        let definition = Arc::new(Definition::new(document));
        let (run, applied) = Run::start(definition, &Self::stamp(0, found), &start);
        let mut driver = Self {
            run,
            inputs: 0,
            commands: VecDeque::new(),
            request: None,
            sent: Vec::new(),
            facts: Vec::new(),
            journal: vec![json!([Self::stamp(0, found), Input::Start(Box::new(start))])],
            told: Vec::new(),
        };
        driver.take(applied);
        driver
    }

    fn stamp(n: u32, found: &Found) -> Stamp {
        let id = Uuid::from_u128((0x7 << 76) | (0b10 << 62) | u128::from(n * 1000));
        let at = begin() + Duration::seconds(i64::from(n) * 61);
        Stamp { environment: Some(Arc::new(found.environment())), ..Stamp::new(at, id) }
    }

    fn take(&mut self, applied: Applied) {
        self.commands.extend(applied.commands);
        self.told.extend(applied.facts.iter().map(|fact| json!(fact)));
        self.facts.extend(applied.facts.iter().filter_map(|fact| {
            let reason = fact.reason.as_deref()?.strip_prefix("Not sent, and asked again: ")?;
            Some(reason.to_owned())
        }));
    }

    fn apply(&mut self, found: &Found, input: &Input) {
        self.inputs += 1;
        let stamp = Self::stamp(self.inputs, found);
        let applied = self.run.apply(&stamp, input).unwrap();
        self.journal.push(json!([stamp, input]));
        self.take(applied);
    }

    /// Answers all that is out, with what is there now, until the run waits for people or has ended.
    fn settle(&mut self, found: &Found) {
        while let Some(command) = self.commands.pop_front() {
            match command {
                Command::Perform(call) => {
                    let body = if call.place.step.as_str() == "ask" { found.value() } else { json!({}) };
                    if call.place.step.as_str() != "ask" {
                        self.sent.push(call.place.step.to_string());
                    }
                    let input = json!({
                        "input": "effect_done", "place": call.place, "index": call.index, "attempt": call.attempt,
                        "took_ms": 1, "outcome": { "outcome": "answered", "status": 200, "headers": {}, "body": body },
                    });
                    self.apply(found, &serde_json::from_value(input).unwrap());
                }
                Command::ReadRule { place, .. } => {
                    let rule = serde_json::from_value(found.rule()).unwrap();
                    self.apply(found, &Input::RuleRead { place, rule });
                }
                Command::StartRun(start) => {
                    let is_approved = start.revision.is_none_or(|approved| approved == found.revision);
                    let status = if is_approved {
                        self.sent.push(start.place.step.to_string());
                        ChildStatus::Ended(
                            serde_json::from_value(
                                json!({ "result": "executed", "decision": null, "reason": null }),
                            )
                            .unwrap(),
                        )
                    } else {
                        ChildStatus::OtherRevision { revision: found.revision }
                    };
                    self.apply(found, &Input::Child { place: start.place, seq: 1, status });
                }
                Command::Publish { place, index: Some(_), .. } => self.sent.push(place.step.to_string()),
                Command::Ask { request, .. } => self.request = Some(*request),
                Command::Publish { index: None, .. }
                | Command::StopRun { .. }
                | Command::SetTimer { .. }
                | Command::ClearTimer { .. }
                | Command::RecordDecision { .. }
                | Command::VoidDecisions { .. }
                | Command::UpdateRequest(_)
                | Command::Close { .. }
                | Command::AwaitEvent(_)
                | Command::StopAwaiting { .. }
                | Command::Notify(_)
                | Command::Finish(_) => {}
            }
        }
    }

    fn approve(&mut self, found: &Found) {
        self.decide(found, "approve");
    }

    fn decide(&mut self, found: &Found, verb: &str) {
        let approval_id = self.run.state().open_request().unwrap();
        let decision = json!({ "verb": verb, "by": "bo@example.com", "name": "Bo", "comment": "So" });
        let input = json!({ "input": "decided", "approval_id": approval_id, "decision": decision });
        self.apply(found, &serde_json::from_value(input).unwrap());
        self.settle(found);
    }
}

fn found() -> impl Strategy<Value = Found> {
    let lines = prop::collection::vec(0..2_i64, 0..3);
    (prop_oneof![3 => Just("A1"), 1 => Just("A2")], 0..4_i64, lines, 0..2_i64, 1..3_i32, 1..4_i64, 1..3_i32)
        .prop_map(|(id, total, lines, other, version, limit, revision)| {
            // A version of a rule never changes.
            Found { id, total, lines, other, rule: (version, if version == 1 { 3 } else { limit }), revision }
        })
}

/// Two states of a workspace: most of the second is as it was, so that each part comes to differ alone.
fn change() -> impl Strategy<Value = (Found, Found)> {
    (found(), found(), 0..8_u8).prop_map(|(before, other, changed)| {
        let after = match changed {
            0 => Found { id: other.id, ..before.clone() },
            1 => Found { total: other.total, ..before.clone() },
            2 => Found { lines: other.lines, ..before.clone() },
            3 => Found { other: other.other, ..before.clone() },
            4 => Found { rule: other.rule, ..before.clone() },
            5 => Found { revision: other.revision, ..before.clone() },
            6 => before.clone(),
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
        let mut driver = Driver::start(&before);
        driver.settle(&after);
        driver.approve(&after);
        let (approved, due) = (before.way(), after.way());
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
        let mut expected: Vec<&str> = after.way().iter().map(|(step, ..)| *step)
            .filter(|step| ["line", "tell", "call", "end"].contains(step)).collect();
        expected.dedup_by(|a, b| a == b && *a == "call");
        let mut sent: Vec<&str> = driver.sent.iter().map(String::as_str).collect();
        sent.sort_unstable();
        expected.sort_unstable();
        prop_assert_eq!(sent, expected);
    }
}

/// Asks; then one branch calls a workflow for each of a list, and the other waits an hour and pays.
fn beside() -> Document {
    let document = json!({
        "workflow_id": "ask", "name": "Ask", "trigger": { "type": "event", "event": "go" },
        "steps": [
            { "id": "ask", "type": "approval", "approval": { "levels": [{ "approvers": ["role:finance"] }] },
              "on_approved": "both", "on_rejected": "refuse" },
            { "id": "both", "type": "parallel", "next": "end", "timeout": "2h", "on_error": "end", "parallel": { "branches": [
                { "id": "left", "steps": [
                    { "id": "each", "type": "foreach", "foreach": { "items": "{{ found.lines }}", "steps": [
                        { "id": "call", "type": "call", "call": { "workflow_id": "refunds", "input": { "line": "{{ item }}" } } },
                    ] } },
                ] },
                { "id": "right", "steps": [
                    { "id": "pause", "type": "wait", "wait": { "for": "1h" } },
                    { "id": "pay", "type": "execute", "execute": [
                        { "type": "http_request", "method": "POST", "url": "https://shop.test/pay", "body": { "total": "{{ found.total }}" } },
                    ] },
                ] },
            ] } },
            { "id": "end", "type": "emit", "emit": { "event": "done" } },
            { "id": "refuse", "type": "action", "action": { "type": "block", "reason": "Refused" } },
        ],
    });
    serde_json::from_value(document).unwrap()
}

/// The run of [`beside`], approved, stopped at the first call by another revision.
fn stopped_beside() -> (Driver, Found) {
    let mut found = Found { id: "A1", total: 1, lines: vec![7, 8], other: 0, rule: (1, 3), revision: 4 };
    let mut driver = Driver::start_of(beside(), &found);
    driver.settle(&found);
    found.revision = 5;
    driver.approve(&found);
    assert_eq!(driver.facts.len(), 1, "{:?}", driver.facts);
    assert!(driver.sent.is_empty());
    (driver, found)
}

fn timer(driver: &mut Driver, found: &Found, timer: &Value) {
    let input = json!({ "input": "timer_due", "timer": timer });
    driver.apply(found, &serde_json::from_value(input).unwrap());
    driver.settle(found);
}

fn hour_passes(driver: &mut Driver, found: &Found) {
    let within = json!([{ "step": "both", "visit": 1, "branch": "right" }]);
    timer(
        driver,
        found,
        &json!({ "timer": "wait_over", "place": { "step": "pause", "visit": 1, "within": within } }),
    );
}

#[test]
fn what_comes_due_beside_waits_until_it_is_approved_anew() {
    let (mut driver, found) = stopped_beside();
    hour_passes(&mut driver, &found);
    assert!(driver.sent.is_empty(), "{:?}", driver.sent);
    driver.approve(&found);
    assert_eq!(driver.sent, ["call", "pay", "call", "end"]);
    assert_eq!(driver.run.state().status(), RunStatus::Ended);
}

#[test]
fn what_comes_due_after_it_was_approved_anew_is_held_against_that() {
    let (mut driver, found) = stopped_beside();
    driver.approve(&found);
    assert_eq!(driver.sent, ["call", "call"]);
    hour_passes(&mut driver, &found);
    assert_eq!(driver.sent, ["call", "call", "pay", "end"]);
    assert_eq!(driver.facts.len(), 1, "{:?}", driver.facts);
}

#[test]
fn a_rejection_leaves_every_branch() {
    let (mut driver, found) = stopped_beside();
    driver.decide(&found, "reject");
    assert_eq!(driver.run.state().status(), RunStatus::Ended);
    assert_eq!(driver.run.state().reason.as_deref(), Some("Refused"));
    assert!(driver.sent.is_empty(), "{:?}", driver.sent);
}

#[test]
fn a_request_whose_branch_was_given_up_still_decides_what_follows() {
    let (mut driver, found) = stopped_beside();
    timer(&mut driver, &found, &json!({ "timer": "step_over", "place": { "step": "both", "visit": 1 } }));
    assert!(driver.sent.is_empty(), "{:?}", driver.sent);
    assert!(driver.run.state().open_request().is_some());
    driver.approve(&found);
    assert_eq!(driver.sent, ["end"]);
    assert_eq!(driver.run.state().status(), RunStatus::Ended);
}

/// A journal in which a rule and a called workflow change after they were approved; written where it is missing, and replayed
/// by `machine.rs` with every later version.
#[test]
fn a_run_that_is_asked_again_is_recorded_for_every_later_version() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/v5_asked_again.json");
    if std::path::Path::new(path).exists() {
        return;
    }
    let mut found = Found { id: "A1", total: 1, lines: vec![7, 8], other: 0, rule: (1, 3), revision: 4 };
    let mut driver = Driver::start(&found);
    driver.settle(&found);
    found.rule = (2, 2);
    driver.approve(&found);
    found.revision = 5;
    driver.approve(&found);
    driver.approve(&found);
    assert_eq!(driver.run.state().status(), RunStatus::Ended);
    let golden = json!({
        "document": document(), "journal": driver.journal, "facts": driver.told, "snapshot": driver.run.snapshot(),
    });
    std::fs::write(path, serde_json::to_string_pretty(&golden).unwrap()).unwrap();
    panic!("{path} was not there; it is now, read and commit it");
}

#[test]
fn what_is_asked_lists_the_effects_and_names_what_is_filled_in() {
    let found = Found { id: "A1", total: 1, lines: vec![7, 8], other: 0, rule: (2, 3), revision: 4 };
    let driver = Driver::start(&found);
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
                "end",
                "http_request",
                call(
                    "POST",
                    "https://shop.test/A1",
                    json!({
                "by": "(filled in when it is approved)", "key": "•••", "when": "2026-11-26T10:00:00Z", "total": 1 })
                ),
                ["/body/by", "/body/key", "/body/when"]
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
            "Calls POST https://shop.test/A1.",
        ]
    );
}
