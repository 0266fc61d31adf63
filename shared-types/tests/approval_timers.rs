//! Timers of requests that come when they shouldn't: early, for a level that was open before, or late, when nobody works.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use shared_types::{
    machine::{
        Applied, Command, Definition, Input, Limits, Run, Stamp, VERSION, environment::RunEnvironment,
        input::Start,
    },
    workflow::{
        Format,
        check::{Environment, check},
    },
};
use std::sync::Arc;
use uuid::Uuid;

const DOCUMENT: &str = "workflow_id: ask
name: Ask
trigger: { type: event, event: go }
steps:
  - id: ask
    type: approval
    approval:
      calendar: office
      levels:
        - { name: finance, approvers: ['role:finance'], remind_every: 2h, escalate_after: 4h, escalate_to: ['role:cfo'], expires_in: 16h }
        - { name: legal, approvers: ['role:legal'], remind_every: 2h, escalate_after: 4h, escalate_to: ['role:cfo'], expires_in: 8h }
    on_approved: yes
    on_rejected: no
  - { id: yes, type: action, action: { type: allow } }
  - { id: no, type: action, action: { type: block, reason: Refused } }
";

fn at(time: &str) -> DateTime<Utc> {
    time.parse().unwrap()
}

fn stamp(now: DateTime<Utc>, n: u128) -> Stamp {
    let days = ["thu", "fri"].map(|day| (day.to_owned(), json!(["09:00-17:00"])));
    let person = |name: &str, role: &str| json!({ "email": format!("{name}@example.com"), "name": name, "roles": ["operator", role] });
    let environment: RunEnvironment = serde_json::from_value(json!({
        "people": [person("bo", "finance"), person("ada", "legal"), person("fia", "cfo")],
        "calendars": [{ "name": "office", "timezone": "UTC", "hours": Map::from_iter(days) }],
    }))
    .unwrap();
    let id = Uuid::from_u128((0x7 << 76) | (0b10 << 62) | (n * 1000));
    Stamp { environment: Some(Arc::new(environment)), ..Stamp::new(now, id) }
}

/// The run of [`DOCUMENT`], asked on a Thursday at nine.
fn asked() -> Run {
    let checked = check(DOCUMENT, Format::Yaml, &Environment::Unknown);
    let document = checked.document.unwrap_or_else(|| panic!("{:#?}", checked.findings));
    let begin = at("2026-11-26T09:00:00Z");
    let start: Start = serde_json::from_value(json!({
        "execution_id": Uuid::from_u128(7),
        "event": { "type": "go", "id": "start", "time": begin, "payload": {} },
        "limits": Limits::default(), "machine": VERSION,
    }))
    .unwrap();
    Run::start(Arc::new(Definition::new(document)), &stamp(begin, 1), &start).0
}

fn timer(run: &mut Run, name: &str, now: &str) -> Applied {
    let timer = json!({ "timer": name, "approval_id": run.state().open_request() });
    let input: Input = serde_json::from_value(json!({ "input": "timer_due", "timer": timer })).unwrap();
    run.apply(&stamp(at(now), 3), &input).unwrap()
}

/// The times for which timers are set, and whether people are told.
fn came_of(applied: &Applied) -> (Vec<DateTime<Utc>>, bool) {
    let set = applied.commands.iter().filter_map(|command| {
        let Command::SetTimer { at, .. } = command else { return None };
        Some(*at)
    });
    let tells = applied.commands.iter().any(|command| matches!(command, Command::Notify(_)));
    (set.collect(), tells)
}

#[test]
fn a_timer_of_the_level_before_does_nothing_at_the_next() {
    let mut run = asked();
    let decision = json!({ "verb": "approve", "by": "bo@example.com", "name": "Bo" });
    let input: Value =
        json!({ "input": "decided", "approval_id": run.state().open_request(), "decision": decision });
    run.apply(&stamp(at("2026-11-26T12:30:00Z"), 2), &serde_json::from_value(input).unwrap()).unwrap();
    // Legal is asked from 12:30 on; each timer is set for its own time instead.
    for (name, wanted) in [
        ("reminder", "2026-11-26T14:30:00Z"),
        ("escalation", "2026-11-26T16:30:00Z"),
        ("expiry", "2026-11-27T12:30:00Z"),
    ] {
        let applied = timer(&mut run, name, "2026-11-26T13:00:00Z");
        assert_eq!(came_of(&applied), (vec![at(wanted)], false), "{name}");
        assert!(run.state().open_request().is_some(), "{name}");
    }
}

#[test]
fn a_reminder_that_comes_when_nobody_works_any_more_waits_for_the_opening() {
    let mut run = asked();
    let late = timer(&mut run, "reminder", "2026-11-26T19:00:00Z");
    assert_eq!(came_of(&late), (vec![at("2026-11-27T09:00:00Z")], false));
    let next = timer(&mut run, "reminder", "2026-11-27T09:00:00Z");
    assert_eq!(came_of(&next), (vec![at("2026-11-27T11:00:00Z")], true));
}
