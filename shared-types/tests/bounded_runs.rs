//! Whatever a document and its data come to, a run stays one that can be stored, read, decided and cancelled.
#![expect(clippy::wildcard_enum_match_arm, reason = "a test looks at the commands it is about")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use serde_json::{Value, json};
use shared_types::{
    ids::{EventId, ExecutionId},
    machine::{
        Command, Definition, Event, Limits, Run, Stamp, VERSION,
        input::{Start, StartFault},
    },
    workflow::{
        Format, bounds,
        check::{Environment, check},
    },
};
use std::sync::Arc;
use uuid::Uuid;

/// Starts a run as a server starts one of a stored document: whatever its findings are.
fn start(head: &str, steps: &str, payload: &Value, fault: Option<StartFault>) -> (Run, Vec<Command>) {
    let text = format!("workflow_id: w\nname: W\ntrigger: {{ type: manual }}\n{head}\nsteps:\n{steps}");
    let checked = check(&text, Format::Yaml, &Environment::Unknown);
    let document = checked.document.unwrap_or_else(|| panic!("{:#?}", checked.findings));
    let at = "2026-03-01T10:00:00Z".parse().unwrap();
    let event = Event {
        kind: "manual".to_owned(),
        id: EventId("e".to_owned()),
        source: None,
        time: at,
        requester: None,
        payload: payload.as_object().unwrap().clone(),
    };
    let start = Start {
        execution_id: ExecutionId(Uuid::from_u128(7)),
        event: Arc::new(event),
        depth: 0,
        limits: Limits::default(),
        fault,
        version: VERSION,
        unserved: Vec::new(),
    };
    let (run, applied) =
        Run::start(Arc::new(Definition::new(document)), &Stamp::new(at, Uuid::from_u128(9)), &start);
    (run, applied.commands)
}

/// The code with which a run of these steps fails.
fn fault(steps: &str, payload: &Value) -> String {
    let (run, _) = start("", steps, payload, None);
    let end = run.state().end.clone();
    end.and_then(|end| end.error).map(|error| error.code).unwrap_or_default()
}

fn context(steps: &str, payload: &Value) -> Value {
    Value::Object((*start("", steps, payload, None).0.state().context).clone())
}

#[test]
fn a_value_that_could_not_be_stored_fails_its_step_with_a_code() {
    let deep = (0..63).fold(json!(1), |inner, _| json!([inner]));
    let payload = json!({ "x": deep, "long": "y".repeat(5_000), "zero": "a\0b" });
    for (step, code) in [
        ("{ id: a, type: set, set: { x: '{{ \"\\u0000\" }}' } }", "value.unstorable"),
        ("{ id: a, type: set, set: { x: 'z{{ \"\\u0000\" }}' } }", "value.unstorable"),
        ("{ id: a, type: set, set: { x: '{{ zero }}' } }", "value.unstorable"),
        (
            "{ id: a, type: action, action: { type: block, reason: 'z{{ \"\\u0000\" }}' } }",
            "value.unstorable",
        ),
        ("{ id: a, type: fail, reason: '{{ zero }}' }", "value.unstorable"),
        ("{ id: a, type: set, set: { y: '{{ [[x]] }}' } }", "value.too_deep"),
        ("{ id: a, type: set, set: { y: [['{{ x }}']] } }", "value.too_deep"),
        ("{ id: a, type: set, set: { y: { z: ['{{ x }}'] } } }", "value.too_deep"),
        ("{ id: a, type: emit, emit: { event: e, payload: { y: ['{{ x }}'] } } }", "value.too_deep"),
        ("{ id: a, type: call, call: { workflow_id: b, input: { y: ['{{ x }}'] } } }", "value.too_deep"),
        (
            "{ id: a, type: foreach, foreach: { items: [[['{{ x }}']]], steps: [{ id: b, type: set, set: {} }] } }",
            "value.too_deep",
        ),
        (
            "{ id: a, type: approval, approval: { show: { y: [['{{ x }}']] }, levels: [{ approvers: ['role:x'] }] } }",
            "value.too_deep",
        ),
        (
            "{ id: a, type: approval, approval: { entity: o, entity_id: '{{ long }}', levels: [{ approvers: ['role:x'] }] } }",
            "value.too_long",
        ),
        (
            "{ id: a, type: approval, approval: { amount: '{{ long }}', levels: [{ approvers: ['role:x'] }] } }",
            "value.too_long",
        ),
        (
            "{ id: a, type: execute, execute: [{ type: create_approval_request, entity: o, entity_id: '{{ long }}', data: { approver_role: x } }], on_approved: a }",
            "value.too_long",
        ),
    ] {
        assert_eq!(fault(&format!("  - {step}\n"), &payload), code, "{step}");
    }
}

#[test]
fn values_that_nest_a_little_more_at_each_step_end_at_the_bound() {
    let steps: String = (0..40)
        .map(|n| {
            format!("  - {{ id: s{n}, type: set, set: {{ x: '{{{{ [[[[x]]]] }}}}' }}, next: s{} }}\n", n + 1)
        })
        .chain(["  - { id: s40, type: wait, wait: { event: done } }\n".to_owned()])
        .collect();
    let (run, _) = start("", &steps, &json!({ "x": 1 }), None);
    assert_eq!(run.state().end.as_ref().unwrap().error.as_ref().unwrap().code, "value.too_deep");
    let whole = Value::Object((*run.state().context).clone());
    assert!(bounds::depth(&whole) <= bounds::MAX_DEPTH + 4);
}

#[test]
fn a_subject_that_fails_marks_the_run_and_does_not_end_it() {
    let steps = "  - { id: a, type: action, action: { type: allow } }\n";
    for subject in ["z{{ \"\\u0000\" }}", "{{ total * 2 }}", "{{ [0] * 99999999 }}"] {
        let (run, _) = start(&format!("subject: '{subject}'"), steps, &json!({ "total": "5" }), None);
        assert!(run.state().end.as_ref().unwrap().error.is_none(), "{subject}");
        assert!(run.state().subject.as_ref().unwrap().starts_with("(no subject: "), "{subject}");
    }
    let (run, _) = start("subject: '{{ long }}'", steps, &json!({ "long": "x".repeat(1_000_000) }), None);
    let subject = run.state().subject.clone().unwrap();
    assert_eq!((subject.chars().count(), subject.ends_with('…')), (500, true));
    for what in ["amount", "currency"] {
        let (run, _) =
            start(&format!("{what}: '{{{{ total * 2 }}}}'"), steps, &json!({ "total": "5" }), None);
        let error = run.state().end.as_ref().unwrap().error.clone().unwrap();
        assert_eq!((error.code.as_str(), &error.step), ("template.type", &None));
        assert!(error.message.starts_with(&format!("The run's {what}: ")), "{}", error.message);
    }
}

#[test]
fn a_run_that_can_not_run_fails_as_it_starts_and_asks_for_nothing() {
    let why = StartFault { code: "limit.descendants".to_owned(), message: "Too many.".to_owned() };
    let steps = "  - { id: a, type: emit, emit: { event: e } }\n";
    let (run, commands) = start("subject: S", steps, &json!({}), Some(why));
    let error = run.state().end.as_ref().unwrap().error.as_ref().unwrap();
    assert_eq!((error.code.as_str(), &error.step), ("limit.descendants", &None));
    assert!(commands.iter().all(|command| matches!(command, Command::Finish(_))), "{commands:?}");
}

#[test]
fn a_wait_names_what_it_has_nothing_to_compare_with() {
    for value in ["{{ order.id }}", "{{ missing }}"] {
        let steps = format!(
            "  - {{ id: a, type: wait, wait: {{ event: paid, match: {{ order.id: '{value}' }} }} }}\n"
        );
        assert_eq!(fault(&steps, &json!({ "order": { "id": null } })), "wait.match_missing");
        let (run, _) = start("", &steps, &json!({ "order": {} }), None);
        let message = run.state().end.as_ref().unwrap().error.as_ref().unwrap().message.clone();
        assert!(message.contains("order.id"), "{message}");
    }
}

#[test]
fn approvers_are_roles_and_persons_in_one_form_and_lists_of_them() {
    let payload = json!({
        "ada": " Ada@Example.com ", "list": ["role:finance", "bo@example.com"], "blank": "", "group": "group:finance",
        "name": "Ada Lind", "two": "a@b@c", "nobody": [],
    });
    for (approvers, wanted) in [
        ("['user:{{ ada }}']", json!(["user:ada@example.com"])),
        ("['{{ list }}']", json!(["role:finance", "user:bo@example.com"])),
        (
            "['{{ list }}', 'user:BO@example.com', 'role:legal']",
            json!(["role:finance", "user:bo@example.com", "role:legal"]),
        ),
    ] {
        for step in [
            format!("{{ id: a, type: approval, approval: {{ levels: [{{ approvers: {approvers} }}] }} }}"),
            format!(
                "{{ id: a, type: execute, on_approved: a, execute: [{{ type: create_approval_request, data: {{ approvers: {approvers} }} }}] }}"
            ),
        ] {
            let (_, commands) = start("", &format!("  - {step}\n"), &payload, None);
            let asked = commands.iter().find_map(|command| match command {
                Command::Ask { request, .. } => Some(json!(request.levels[0].approvers)),
                _ => None,
            });
            assert_eq!(asked, Some(wanted.clone()), "{step}");
        }
    }
    for (approver, code) in [
        ("user:{{ missing }}", "approver.bad"),
        ("{{ group }}", "approver.bad"),
        ("{{ name }}", "approver.bad"),
        ("user:{{ two }}", "approver.bad"),
        ("role:{{ blank }}", "approver.bad"),
        ("{{ nobody }}", "template.missing"),
        ("{{ blank }}", "template.missing"),
    ] {
        let step = format!(
            "  - {{ id: a, type: approval, approval: {{ levels: [{{ approvers: ['{approver}'] }}] }} }}\n"
        );
        assert_eq!(fault(&step, &payload), code, "{approver}");
    }
}

#[test]
fn set_with_a_path_sets_that_key_and_leaves_the_rest() {
    let payload = json!({ "order": { "id": "A1", "total": 5, "lines": [{ "sku": "x" }, { "sku": "y" }], "tax": { "a": 1 } } });
    let steps = "  - { id: a, type: set, set: { order.total: 7, order.lines.0.sku: z, order.tax: { b: 2 }, new.deep.key: 1 } }\n";
    let context = context(steps, &payload);
    assert_eq!(
        context["order"],
        json!({ "id": "A1", "total": 7, "lines": [{ "sku": "z" }, { "sku": "y" }], "tax": { "b": 2 } })
    );
    assert_eq!(context["new"], json!({ "deep": { "key": 1 } }));
    assert_eq!(context["event"]["order"]["total"], json!(5), "the event stays as it came");
}

#[test]
fn what_many_requests_of_a_run_look_ahead_to_is_bounded_in_all() {
    let branch = |n: usize| {
        json!({ "id": format!("b{n}"), "steps": [
            { "id": format!("ask{n}"), "type": "approval", "approval": { "levels": [{ "approvers": ["role:finance"] }] } },
            { "id": format!("each{n}"), "type": "foreach", "foreach": { "items": "{{ lines }}", "steps": [
                { "id": format!("tell{n}"), "type": "emit", "emit": { "event": "told", "payload": { "line": "{{ item }}" } } },
            ] } },
        ] })
    };
    let branches: Vec<Value> = (0..8).map(branch).collect();
    let steps =
        format!("  - {}", json!({ "id": "all", "type": "parallel", "parallel": { "branches": branches } }));
    let lines: Vec<u32> = (0..8_000).collect();
    let (_, commands) = start("", &steps, &json!({ "lines": lines }), None);
    let asked: Vec<_> = commands
        .iter()
        .filter_map(|command| match command {
            Command::Ask { request, .. } => Some(request),
            _ => None,
        })
        .collect();
    assert_eq!(asked.len(), 8);
    let kept: usize = asked.iter().map(|request| request.effects.len()).sum();
    assert!((8_000..=40_000).contains(&kept), "{kept} effects are kept");
    let last = asked.last().unwrap();
    assert_eq!(
        last.if_approved.last().unwrap(),
        "So much follows that the rest is asked again when it is due."
    );
}
