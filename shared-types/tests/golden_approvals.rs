//! Journals of requests that several people decide, as this version writes them. They are written where they are missing;
//! `machine.rs` replays every journal that was ever written.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};
use shared_types::{
    machine::{Definition, Input, Limits, Run, Stamp, VERSION, environment::RunEnvironment, input::Start},
    workflow::{
        Format,
        check::{Environment, check},
    },
};
use std::sync::Arc;
use uuid::Uuid;

fn begin() -> DateTime<Utc> {
    "2026-11-26T10:00:00Z".parse().unwrap()
}

/// The people of the workspace: Eva is away for two weeks, and Dee decides for her.
fn environment(version: i64) -> RunEnvironment {
    let person =
        |email: &str, name: &str, roles: &[&str]| json!({ "email": email, "name": name, "roles": roles });
    let mut eva = person("eva@example.com", "Eva Ström", &["operator", "finance"]);
    eva["absences"] = json!([{ "from": "2026-11-20T00:00:00Z", "until": "2026-12-04T00:00:00Z", "delegate": "dee@example.com" }]);
    let days = ["mon", "tue", "wed", "thu", "fri"].map(|day| (day.to_owned(), json!(["09:00-17:00"])));
    // A holiday is entered after the request was made.
    let holidays = if version < 2 { json!([]) } else { json!(["2026-11-27"]) };
    serde_json::from_value(json!({
        "version": version,
        "author": "per@example.com",
        "people": [
            person("bo@example.com", "Bo Ek", &["operator", "finance"]),
            person("cy@example.com", "Cy Roth", &["operator", "finance"]),
            person("dee@example.com", "Dee Holm", &["operator", "legal"]),
            person("ina@example.com", "Ina Berg", &["operator", "sales_manager"]),
            eva,
        ],
        "calendars": [{ "name": "business_hours", "timezone": "Europe/Stockholm", "hours": serde_json::Map::from_iter(days), "holidays": holidays }],
    }))
    .unwrap()
}

/// A run that is recorded.
struct Recording {
    run: Run,
    journal: Vec<(Stamp, Input)>,
    facts: Vec<Value>,
}

impl Recording {
    fn start(document: &str) -> (Self, Value) {
        let checked = check(document, Format::Yaml, &Environment::Unknown);
        let definition = Arc::new(Definition::new(checked.document.unwrap()));
        let order = json!({ "id": "A-1", "customer": "Lund Robotics", "total": 23760, "currency": "EUR", "credit_days": 30, "open_invoices": 8120 });
        let start: Start = serde_json::from_value(json!({
            "execution_id": Uuid::from_u128(7),
            "event": { "type": "order.credit.requested", "id": "start", "time": begin(), "payload": { "order": order } },
            "limits": Limits::default(), "machine": VERSION,
        }))
        .unwrap();
        let stamp = Self::stamp(0, 0);
        let (run, applied) = Run::start(definition, &stamp, &start);
        let facts = applied.facts.iter().map(|fact| serde_json::to_value(fact).unwrap()).collect();
        let journal = vec![(stamp, Input::Start(Box::new(start)))];
        (Self { run, journal, facts }, checked.value)
    }

    fn stamp(n: u32, hours: i64) -> Stamp {
        let id = Uuid::from_u128((0x7 << 76) | (0b10 << 62) | u128::from(n * 1000));
        let at = begin() + Duration::hours(hours) + Duration::seconds(i64::from(n));
        Stamp { environment: Some(Arc::new(environment(i64::from(n)))), ..Stamp::new(at, id) }
    }

    /// Something happens so many hours after the start, with the request that is open.
    fn happens(&mut self, hours: i64, mut input: Value) {
        let n = u32::try_from(self.journal.len()).unwrap();
        let open = self.run.state().open_request();
        for pointer in ["/approval_id", "/timer/approval_id"] {
            if let (Some(at), Some(id)) = (input.pointer_mut(pointer), open) {
                *at = json!(id);
            }
        }
        let input: Input =
            serde_json::from_value(input.clone()).unwrap_or_else(|error| panic!("{input}: {error}"));
        let stamp = Self::stamp(n, hours);
        let applied = self.run.apply(&stamp, &input).unwrap_or_else(|error| panic!("{input:?}: {error}"));
        self.facts.extend(applied.facts.iter().map(|fact| serde_json::to_value(fact).unwrap()));
        self.journal.push((stamp, input));
    }

    fn decides(&mut self, hours: i64, who: &str, verb: &str, edits: Value) {
        let mut decision =
            json!({ "verb": verb, "by": format!("{}@example.com", who.to_lowercase()), "name": who });
        if !edits.is_null() {
            decision["edits"] = edits;
        }
        if verb == "reject" {
            decision["comment"] = json!("Not this year");
        }
        self.happens(hours, json!({ "input": "decided", "approval_id": null, "decision": decision }));
    }
}

#[test]
fn requests_that_several_decide_are_recorded_for_every_later_version() {
    let document = include_str!("../../docs/examples/order_sign_off.yaml");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
    let mut written = Vec::new();
    for (name, plays) in [
        ("v4_sign_off", sign_off as fn(&mut Recording)),
        ("v4_sign_off_late", late),
        ("v6_sign_off_refused", refused),
    ] {
        let path = format!("{folder}/{name}.json");
        if std::path::Path::new(&path).exists() {
            continue;
        }
        let (mut recording, document) = Recording::start(document);
        plays(&mut recording);
        let golden = json!({
            "document": document, "journal": recording.journal, "facts": recording.facts,
            "snapshot": recording.run.snapshot(),
        });
        std::fs::write(&path, serde_json::to_string_pretty(&golden).unwrap()).unwrap();
        written.push(path);
    }
    assert!(written.is_empty(), "these were not there; they are now, read and commit them: {written:#?}");
}

/// Finance is reminded and agrees, takes one back and agrees again; legal edits, finance agrees anew, and the shop is told.
fn sign_off(run: &mut Recording) {
    run.happens(4, json!({ "input": "timer_due", "timer": { "timer": "reminder", "approval_id": null } }));
    run.decides(5, "Bo", "approve", Value::Null);
    run.happens(
        5,
        json!({ "input": "retracted", "approval_id": null, "by": "bo@example.com", "name": "Bo" }),
    );
    run.decides(5, "Cy", "approve", Value::Null);
    run.decides(5, "Bo", "approve", Value::Null);
    run.decides(6, "Dee", "approve_with_edits", json!({ "credit_days": 14 }));
    // Dee's edit counts at finance too, for Eva: one more is needed.
    run.decides(6, "Cy", "approve", Value::Null);
    let outcome = json!({ "outcome": "answered", "status": 200, "body": null });
    run.happens(
        6,
        json!({ "input": "effect_done", "place": { "step": "tell_shop", "visit": 1 }, "index": 0, "attempt": 1, "took_ms": 12, "outcome": outcome }),
    );
}

/// A place is handed over, the calendar changes, it escalates, and a sales manager says no.
fn late(run: &mut Recording) {
    run.happens(
        1,
        json!({ "input": "handed_over", "approval_id": null, "by": "bo@example.com", "name": "Bo Ek", "to": "cy@example.com", "comment": "Yours" }),
    );
    run.happens(2, json!({ "input": "environment_changed", "approval_id": null }));
    run.happens(26, json!({ "input": "timer_due", "timer": { "timer": "escalation", "approval_id": null } }));
    run.decides(27, "Ina", "reject", Value::Null);
}

/// Finance agrees, and a delegate says no for somebody who is away.
fn refused(run: &mut Recording) {
    run.decides(1, "Bo", "approve", Value::Null);
    run.decides(2, "Dee", "reject", Value::Null);
}
