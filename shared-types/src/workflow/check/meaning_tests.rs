//! Findings about what could never be true, reached, sent or stored.

use super::*;
use crate::workflow::Format;

/// Steps that mean nothing, with the code and the place of what is found.
const NEVER: &[(&str, &str, &str)] = &[
    (
        "{ id: a, type: condition, condition: { field: '{{ a }}', operator: eq, value: 1 }, on_true: a }",
        "field.bad",
        "/condition/field",
    ),
    (
        "{ id: a, type: condition, condition: { field: 'lines[x]', operator: eq, value: 1 }, on_true: a }",
        "field.bad",
        "/condition/field",
    ),
    (
        "{ id: a, type: condition, condition: { field: secrets.tok, operator: eq, value: 1 }, on_true: a }",
        "field.bad",
        "/condition/field",
    ),
    (
        "{ id: a, type: condition, condition: { field: a, operator: starts_with, value: 46 }, on_true: a }",
        "value.type",
        "/condition/value",
    ),
    (
        "{ id: a, type: condition, condition: { field: a, operator: ends_with, value: true }, on_true: a }",
        "value.type",
        "/condition/value",
    ),
    (
        "{ id: a, type: condition, condition: { field: a, operator: before, value: next tuesday }, on_true: a }",
        "time.bad",
        "/condition/value",
    ),
    (
        "{ id: a, type: condition, condition: { field: a, operator: after, value: 5 }, on_true: a }",
        "time.bad",
        "/condition/value",
    ),
    (
        "{ id: a, type: condition, condition: { field: a, operator: gt, value: true }, on_true: a }",
        "condition.never",
        "/condition/value",
    ),
    (
        "{ id: a, type: condition, condition: { field: a, operator: lte, value: [1] }, on_true: a }",
        "condition.never",
        "/condition/value",
    ),
    (
        "{ id: a, type: condition, condition: { field: a, operator: exists, value: 5 }, on_true: a }",
        "value.unused",
        "/condition/value",
    ),
    (
        "{ id: a, type: condition, condition: { field: a, operator: between, value: [b, a] }, on_true: a }",
        "condition.never",
        "/condition/value",
    ),
    (
        "{ id: a, type: condition, condition: { field: a, operator: between, value: ['2026-03-02T00:00:00Z', '2026-03-01T00:00:00Z'] }, on_true: a }",
        "condition.never",
        "/condition/value",
    ),
    (
        "{ id: a, type: condition, condition: { field: a, operator: between, value: [1, a] }, on_true: a }",
        "condition.never",
        "/condition/value",
    ),
    (
        "{ id: a, type: condition, condition: { field: a, operator: between, value: [2, 1] }, on_true: a }",
        "condition.never",
        "/condition/value",
    ),
    (
        "{ id: a, type: condition, condition: { field: a, operator: has_all, value: [] }, on_true: a }",
        "condition.always",
        "/condition/value",
    ),
    (
        "{ id: a, type: condition, condition: { field: a, operator: not_in, value: [] }, on_true: a }",
        "condition.always",
        "/condition/value",
    ),
    (
        "{ id: a, type: condition, condition: { field: a, operator: starts_with, value: '' }, on_true: a }",
        "condition.always",
        "/condition/value",
    ),
    (
        "{ id: a, type: condition, condition: { field: a, operator: within_last, value: 0s }, on_true: a }",
        "condition.never",
        "/condition/value",
    ),
    (
        "{ id: a, type: condition, condition: { and: [{ field: a, operator: eq, value: x }, { field: a, operator: in, value: [y, z] }] }, on_true: a }",
        "condition.never",
        "/condition",
    ),
    (
        "{ id: a, type: condition, condition: { and: [{ field: a, operator: eq, value: x }, { field: a, operator: not_in, value: [x] }] }, on_true: a }",
        "condition.never",
        "/condition",
    ),
    (
        "{ id: a, type: condition, condition: { and: [{ field: a, operator: neq, value: x }, { field: a, operator: eq, value: x }] }, on_true: a }",
        "condition.never",
        "/condition",
    ),
    (
        "{ id: a, type: condition, condition: { and: [{ field: a, operator: gt, value: b }, { field: a, operator: lt, value: a }] }, on_true: a }",
        "condition.never",
        "/condition",
    ),
    (
        "{ id: a, type: condition, condition: { and: [{ field: a, operator: eq, value: 5 }, { field: a, operator: gt, value: 5 }] }, on_true: a }",
        "condition.never",
        "/condition",
    ),
    (
        "{ id: a, type: condition, condition: { and: [{ field: a, operator: after, value: '2026-03-01T00:00:00Z' }, { field: a, operator: before, value: '2026-03-01T00:00:00Z' }] }, on_true: a }",
        "condition.never",
        "/condition",
    ),
    ("{ id: a, type: execute, execute: [] }", "effects.none", "/execute"),
    ("{ id: a, type: wait, wait: { event: paid, timeout: 0s } }", "duration.zero", "/wait/timeout"),
    ("{ id: a, type: switch, cases: [], default: a }", "cases.missing", "/cases"),
    (
        "{ id: a, type: switch, cases: [{ when: { field: a, operator: exists }, next: a }, { when: { field: a, operator: exists } }] }",
        "condition.never",
        "/cases/1/when",
    ),
    (
        "{ id: a, type: foreach, foreach: { items: [], steps: [{ id: b, type: set, set: { c: 1 } }] } }",
        "items.none",
        "/foreach/items",
    ),
    ("{ id: a, type: wait, wait: { event: 'order*' } }", "event.bad", "/wait/event"),
    ("{ id: a, type: wait, wait: { event: 'a b' } }", "event.bad", "/wait/event"),
    ("{ id: a, type: emit, emit: { event: 'order.{{ kind }}' } }", "event.bad", "/emit/event"),
    ("{ id: a, type: emit, emit: { event: 'order.*' } }", "event.bad", "/emit/event"),
    ("{ id: a, type: execute, execute: [{ type: emit_event, event: '' }] }", "event.bad", "/execute/0/event"),
    ("{ id: a, type: set, set: { 'a..b': 1 } }", "name.bad", "/set/a..b"),
    ("{ id: a, type: set, set: { 'a b': 1 } }", "name.bad", "/set/a b"),
    ("{ id: a, type: set, set: { 'event.x': 1 } }", "name.reserved", "/set/event.x"),
    (
        "{ id: a, type: execute, execute: [{ type: http_request, url: 'https://h/', save_as: a.b }] }",
        "name.bad",
        "/execute/0/save_as",
    ),
    (
        "{ id: a, type: foreach, foreach: { items: [1], item_var: a.b, steps: [{ id: b, type: set, set: {} }] } }",
        "name.bad",
        "/foreach/item_var",
    ),
    (
        "{ id: a, type: approval, approval: { levels: [{ approvers: ['group:finance'] }] } }",
        "approver.bad",
        "/approval/levels/0/approvers/0",
    ),
    (
        "{ id: a, type: approval, approval: { levels: [{ approvers: ['finance'] }] } }",
        "approver.bad",
        "/approval/levels/0/approvers/0",
    ),
    (
        "{ id: a, type: approval, approval: { levels: [{ approvers: ['role:'] }] } }",
        "approver.bad",
        "/approval/levels/0/approvers/0",
    ),
    (
        "{ id: a, type: approval, approval: { levels: [{ approvers: ['user:Ada Lind'] }] } }",
        "approver.bad",
        "/approval/levels/0/approvers/0",
    ),
    (
        "{ id: a, type: execute, on_approved: a, execute: [{ type: create_approval_request, data: { approvers: ['role:x', group] } }] }",
        "approver.bad",
        "/execute/0/data/approvers/1",
    ),
    (
        "{ id: a, type: execute, on_approved: a, execute: [{ type: create_approval_request, data: { approver_role: 'role:x' } }] }",
        "approver.bad",
        "/execute/0/data/approver_role",
    ),
    ("{ id: a, type: set, set: { x: '{{ order.ship-to }}' } }", "template.doubt", "/set/x"),
    ("{ id: a, type: set, set: { x: '{{ order | uppercase }}' } }", "template.bad", "/set/x"),
];

/// The codes that a document of these steps is found with, errors and warnings.
fn codes(head: &str, steps: &str) -> Vec<(String, String)> {
    let text = format!("workflow_id: w\nname: W\n{head}\nsteps:\n{steps}");
    let checked = check(&text, Format::Yaml, &Environment::Unknown);
    checked.findings.into_iter().map(|f| (f.code.to_string(), f.pointer)).collect()
}

#[test]
fn a_secret_is_found_wherever_it_would_not_be_sent() {
    for (step, at) in [
        (
            "{ id: a, type: condition, condition: { field: token, operator: eq, value: '{{ secrets.tok }}' }, on_true: a }",
            "/condition/value",
        ),
        (
            "{ id: a, type: condition, condition: { field: token, operator: in, value: ['x', '{{ secrets.tok }}'] }, on_true: a }",
            "/condition/value/1",
        ),
        (
            "{ id: a, type: condition, condition: { expr: 'token == secrets.tok' }, on_true: a }",
            "/condition/expr",
        ),
        (
            "{ id: a, type: condition, condition: { expr: 'secrets.tok == token' }, on_true: a }",
            "/condition/expr",
        ),
        ("{ id: a, type: set, set: { x: '{{ secrets.tok }}' } }", "/set/x"),
        ("{ id: a, type: set, set: { x: { y: ['a {{ secrets[\"tok\"] | upper }}'] } } }", "/set/x/y/0"),
        ("{ id: a, type: set, set: { x: '{% if secrets.tok %}a{% endif %}' } }", "/set/x"),
        ("{ id: a, type: wait, wait: { event: e, match: { id: '{{ secrets.tok }}' } } }", "/wait/match/id"),
        (
            "{ id: a, type: foreach, foreach: { items: '{{ secrets.tok }}', steps: [{ id: b, type: set, set: {} }] } }",
            "/foreach/items",
        ),
        ("{ id: a, type: action, action: { type: block, reason: '{{ secrets.tok }}' } }", "/action/reason"),
        ("{ id: a, type: fail, reason: '{{ secrets.tok }}' }", "/reason"),
        ("{ id: a, type: emit, emit: { event: e, payload: { x: '{{ secrets.tok }}' } } }", "/emit/payload/x"),
        (
            "{ id: a, type: call, call: { workflow_id: b, input: { x: '{{ secrets.tok }}' } } }",
            "/call/input/x",
        ),
        (
            "{ id: a, type: execute, execute: [{ type: log, message: '{{ secrets.tok }}' }] }",
            "/execute/0/message",
        ),
        (
            "{ id: a, type: execute, execute: [{ type: notify, recipients: ['a@b.se'], message: '{{ secrets.tok }}' }] }",
            "/execute/0/message",
        ),
        (
            "{ id: a, type: execute, execute: [{ type: create_record, entity: t, data: { x: '{{ secrets.tok }}' } }] }",
            "/execute/0/data/x",
        ),
        (
            "{ id: a, type: approval, approval: { show: { x: '{{ secrets.tok }}' }, levels: [{ approvers: ['role:x'] }] } }",
            "/approval/show/x",
        ),
    ] {
        let found = codes("trigger: { type: manual }", &format!("  - {step}\n"));
        let wanted = ("secret.misplaced".to_owned(), format!("/steps/0{at}"));
        assert!(found.contains(&wanted), "{step}: {found:?}");
    }
    let filter =
        "trigger: { type: event, event: e, filter: { field: x, operator: eq, value: '{{ secrets.tok }}' } }";
    assert!(
        codes(filter, "  - { id: a, type: set, set: {} }\n")
            .contains(&("secret.misplaced".into(), "/trigger/filter/value".into()))
    );
    for head in ["subject: '{{ secrets.tok }}'", "amount: '{{ secrets.tok }}'"] {
        let found =
            codes(&format!("trigger: {{ type: manual }}\n{head}"), "  - { id: a, type: set, set: {} }\n");
        assert!(found.iter().any(|(code, _)| code == "secret.misplaced"), "{head}");
    }
    let sent = "  - { id: a, type: execute, execute: [{ type: http_request, url: 'https://h/{{ secrets.a }}', method: POST, \
        headers: { X-Key: '{{ secrets.b }}' }, query: { q: '{{ secrets.c }}' }, body: { x: ['{{ secrets.d }}'] } }, \
        { type: connector, connector: crm.x, input: { y: '{{ secrets.e }}' } }] }\n";
    let found = codes("trigger: { type: manual }", sent);
    assert!(found.iter().all(|(code, _)| code != "secret.misplaced"), "{found:?}");
}

#[test]
fn what_can_never_be_true_or_reached_is_found() {
    for (step, code, at) in NEVER {
        let found = codes("trigger: { type: manual }", &format!("  - {step}\n"));
        let wanted = ((*code).to_owned(), format!("/steps/0{at}"));
        assert!(found.contains(&wanted), "{step}: {found:?}");
    }
    for (event, is_fine) in [
        ("order.*", true),
        ("*", true),
        ("order.created", true),
        ("order*", false),
        ("or*der", false),
        ("{{ x }}", false),
    ] {
        let found = codes(
            &format!("trigger: {{ type: event, event: '{event}' }}"),
            "  - { id: a, type: set, set: {} }\n",
        );
        assert_eq!(found.iter().any(|(code, _)| code == "event.bad"), !is_fine, "{event}");
    }
    let breeds = codes(
        "trigger: { type: event, event: order.* }",
        "  - { id: a, type: emit, emit: { event: order.again } }\n",
    );
    assert!(breeds.contains(&("emit.cycle".to_owned(), "/steps/0/emit/event".to_owned())), "{breeds:?}");
    let sound = codes(
        "trigger: { type: event, event: order.* }",
        "  - { id: a, type: condition, condition: { and: [{ field: \"lines[0]['ship-to']\", operator: eq, value: x }, { field: n, operator: '>', value: '5' }, \
           { field: t, operator: before, value: '{{ now }}' }] }, on_true: b }\n  - { id: b, type: emit, emit: { event: seen } }\n",
    );
    assert_eq!(sound, []);
}

#[test]
fn events_that_come_back_by_way_of_others_are_a_warning() {
    let neighbour = |listens: &str, publishes: &[&str], enabled: bool| WorkflowRef {
        enabled,
        listens: Some(listens.to_owned()),
        publishes: publishes.iter().map(|event| (*event).to_owned()).collect(),
        ..WorkflowRef::default()
    };
    let found = |enabled: bool| {
        let text = "workflow_id: w\nname: W\ntrigger: { type: event, event: order.* }\nsteps:\n  \
            - { id: a, type: emit, emit: { event: stock.low } }\n  - { id: b, type: emit, emit: { event: other } }\n";
        let mut environment = Environment::empty(chrono::DateTime::UNIX_EPOCH);
        if let Environment::Known { workflows, .. } = &mut environment {
            workflows.insert(WorkflowId("x".into()), neighbour("stock.*", &["supplier.asked"], enabled));
            workflows
                .insert(WorkflowId("y".into()), neighbour("supplier.asked", &["order.again", "z"], true));
        }
        let checked = check(text, Format::Yaml, &environment);
        let cycles = checked.findings.iter().filter(|finding| finding.code == "emit.cycle");
        cycles.map(|finding| finding.pointer.clone()).collect::<Vec<_>>()
    };
    assert_eq!(found(true), ["/steps/0/emit/event"]);
    assert!(found(false).is_empty(), "a workflow that is off passes nothing on");
}

#[test]
fn somebody_who_is_no_member_is_a_warning() {
    let text = "workflow_id: w\nname: W\ntrigger: { type: manual }\nsteps:\n  \
        - { id: a, type: approval, approval: { levels: [{ approvers: ['user: Ada@Example.com', 'bo@example.com', 'role:x'] }] } }\n";
    let mut environment = Environment::empty(chrono::DateTime::UNIX_EPOCH);
    if let Environment::Known { people, .. } = &mut environment {
        people.insert("ada@example.com".to_owned());
    }
    let checked = check(text, Format::Yaml, &environment);
    let found: Vec<(&str, &str)> = checked.findings.iter().map(|f| (&*f.code, f.pointer.as_str())).collect();
    let at = "/steps/0/approval/levels/0/approvers";
    assert_eq!(found, [("person.unknown", &*format!("{at}/1")), ("role.empty", &*format!("{at}/2"))]);
    let veto = text.replace(
        "'bo@example.com', 'role:x'] }]",
        "] }], veto: ['role:x', 'bo@example.com', 'ada@example.com']",
    );
    let checked = check(&veto, Format::Yaml, &environment);
    let found: Vec<(&str, &str)> =
        checked.findings.iter().map(|f| (f.pointer.as_str(), f.message.as_str())).collect();
    let at = "/steps/0/approval/veto";
    assert_eq!(
        found,
        [
            (&*format!("{at}/0"), "Nobody has the role x and may decide, so the veto is nobody's."),
            (
                &*format!("{at}/1"),
                "Nobody with the address bo@example.com is a member who may decide, so the veto is nobody's."
            )
        ]
    );
}

#[test]
fn what_is_no_money_is_found() {
    let step = "  - { id: a, type: set, set: { b: 1 } }\n";
    for (head, code, at) in [
        ("amount: lots", "amount.bad", "/amount"),
        ("amount: [1]", "amount.bad", "/amount"),
        ("amount: true", "amount.bad", "/amount"),
        ("amount: 5\ncurrency: eur", "currency.bad", "/currency"),
        ("amount: 5\ncurrency: Euro", "currency.bad", "/currency"),
        ("currency: EUR", "value.unused", "/currency"),
    ] {
        let found = codes(&format!("{head}\ntrigger: {{ type: manual }}"), step);
        assert!(found.contains(&(code.to_owned(), at.to_owned())), "{head}: {found:?}");
    }
    let asking = "  - id: a\n    type: approval\n    approval: { reason: Pay, amount: much, currency: kr, levels: [{ approvers: ['role:boss'] }] }\n    \
         on_approved: b\n  - id: b\n    type: execute\n    execute:\n      - { type: create_approval_request, data: { approver_role: boss, amount: [1], currency: Euro } }\n";
    let found = codes("trigger: { type: manual }", asking);
    for (code, at) in [
        ("amount.bad", "/steps/0/approval/amount"),
        ("currency.bad", "/steps/0/approval/currency"),
        ("amount.bad", "/steps/1/execute/0/data/amount"),
        ("currency.bad", "/steps/1/execute/0/data/currency"),
    ] {
        assert!(found.contains(&(code.to_owned(), at.to_owned())), "{code} {at}: {found:?}");
    }
    for sound in ["amount: 5\ncurrency: EUR", "amount: '12.50'", "amount: '{{ x }}'\ncurrency: '{{ y }}'"] {
        assert_eq!(codes(&format!("{sound}\ntrigger: {{ type: manual }}"), step), [], "{sound}");
    }
}
