use super::{Environment, check};
use crate::workflow::{Format, Severity, finding::PatchOp};

const HEAD: &str = "workflow_id: w\nname: W\ntrigger: { type: manual }\nsteps:\n";

fn found(steps: &str) -> Vec<(String, String, Severity)> {
    let checked = check(&format!("{HEAD}{steps}"), Format::Yaml, &Environment::Unknown);
    checked.findings.into_iter().map(|f| (f.code.into_owned(), f.pointer, f.severity)).collect()
}

/// Steps with one fault each: what it is called, where it is, and how heavy.
const FAULTS: &[(&str, &str, &str, Severity)] = &[
    ("  - { id: a, type: set, set: {}, next: b }", "link.nowhere", "/steps/0/next", Severity::Error),
    (
        "  - { id: a, type: set, set: {} }\n  - { id: a, type: set, set: {} }",
        "id.duplicate",
        "/steps/1/id",
        Severity::Error,
    ),
    ("  - { id: a, type: set, set: {}, next: a }", "cycle.endless", "/steps/0", Severity::Error),
    (
        "  - { id: a, type: set, set: {} }\n  - { id: b, type: set, set: {} }",
        "step.unreachable",
        "/steps/1",
        Severity::Warning,
    ),
    ("  - { id: a, type: condition }", "condition.missing", "/steps/0", Severity::Error),
    (
        "  - { id: a, type: condition, condition: { field: x, operator: gt } }",
        "value.missing",
        "/steps/0/condition",
        Severity::Error,
    ),
    (
        "  - { id: a, type: condition, condition: { field: x, operator: regex, value: '(' } }",
        "regex.bad",
        "/steps/0/condition/value",
        Severity::Error,
    ),
    (
        "  - { id: a, type: condition, condition: { field: x, operator: between, value: [2, 1] } }",
        "condition.never",
        "/steps/0/condition/value",
        Severity::Warning,
    ),
    (
        "  - { id: a, type: condition, condition: { and: [{ field: x, operator: gt, value: 5 }, { field: x, operator: lt, value: 5 }] } }",
        "condition.never",
        "/steps/0/condition",
        Severity::Warning,
    ),
    (
        "  - { id: a, type: action, action: { type: require_approval } }",
        "approval.missing",
        "/steps/0",
        Severity::Error,
    ),
    (
        "  - { id: a, type: execute, execute: [{ type: create_approval_request, data: {} }] }",
        "approvers.missing",
        "/steps/0/execute/0/data",
        Severity::Error,
    ),
    (
        "  - { id: a, type: execute, execute: [{ type: create_approval_request, data: { approver_role: x, expires_in: soon } }] }",
        "duration.bad",
        "/steps/0/execute/0/data/expires_in",
        Severity::Error,
    ),
    (
        "  - { id: a, type: execute, execute: [{ type: create_approval_request, data: { approver_role: x } }, { type: create_approval_request, data: { approver_role: x } }] }",
        "approval.twice",
        "/steps/0/execute/1",
        Severity::Error,
    ),
    ("  - { id: a, type: set, set: { event: 1 } }", "name.reserved", "/steps/0/set/event", Severity::Error),
    (
        "  - { id: a, type: emit, emit: { event: approval.decided } }",
        "event.reserved",
        "/steps/0/emit/event",
        Severity::Error,
    ),
    (
        "  - { id: a, type: parallel, parallel: { branches: [{ id: x, steps: [{ id: b, type: set, set: { n: 1 } }] }, { id: y, steps: [{ id: c, type: set, set: { n: 1 } }] }] } }",
        "name.twice",
        "/steps/0/parallel",
        Severity::Error,
    ),
    (
        "  - { id: a, type: parallel, parallel: { branches: 5 } }",
        "value.type",
        "/steps/0/parallel/branches",
        Severity::Error,
    ),
    ("  - { id: a, type: parallel, parallel: {} }", "branches.missing", "/steps/0/parallel", Severity::Error),
    (
        "  - { id: a, type: parallel, parallel: { branches: [{ id: x, steps: [{ id: b, type: set, set: {} }] }, { id: x, steps: [{ id: c, type: set, set: {} }] }] } }",
        "id.duplicate",
        "/steps/0/parallel",
        Severity::Error,
    ),
    (
        "  - { id: a, type: parallel, parallel: { steps: [{ id: b, type: set, set: {}, next: c }, { id: c, type: set, set: {} }] } }",
        "link.nowhere",
        "/steps/0/parallel/steps/0/next",
        Severity::Error,
    ),
    (
        "  - { id: a, type: foreach, foreach: { items: 5, steps: [{ id: b, type: set, set: {} }] } }",
        "value.type",
        "/steps/0/foreach/items",
        Severity::Error,
    ),
    (
        "  - { id: a, type: foreach, foreach: { items: 'all {{ lines }}', steps: [{ id: b, type: set, set: {} }] } }",
        "value.type",
        "/steps/0/foreach/items",
        Severity::Error,
    ),
    (
        "  - { id: a, type: foreach, foreach: { items: [1], steps: [{ id: p, type: parallel, parallel: { steps: [{ id: b, type: approval, approval: { levels: [{ approvers: ['role:x'] }] } }] } }] } }",
        "approval.inside",
        "/steps/0/foreach/steps/0/parallel/steps/0",
        Severity::Error,
    ),
    (
        "  - { id: a, type: wait, wait: { event: e, match: { 'order..id': 1 } } }",
        "path.bad",
        "/steps/0/wait/match/order..id",
        Severity::Error,
    ),
    (
        "  - { id: a, type: condition, condition: { expr: 'order.total >' } }",
        "expr.bad",
        "/steps/0/condition/expr",
        Severity::Error,
    ),
    (
        "  - { id: a, type: parallel, parallel: { steps: [{ id: b, type: action, action: { type: allow } }] } }",
        "decision.inside",
        "/steps/0/parallel/steps/0",
        Severity::Error,
    ),
    (
        "  - { id: a, type: fail, reason: x, on_error: b }\n  - { id: b, type: set, set: {} }",
        "link.unused",
        "/steps/0/on_error",
        Severity::Warning,
    ),
    (
        "  - { id: a, type: wait, wait: { event: e }, timeout: 1h }",
        "timeout.unused",
        "/steps/0/timeout",
        Severity::Warning,
    ),
    (
        "  - { id: a, type: wait, wait: { until: tomorrow } }",
        "time.bad",
        "/steps/0/wait/until",
        Severity::Error,
    ),
    (
        "  - { id: a, type: condition, condition: { or: [{ field: y, operator: exists }, { and: [{ field: x, operator: eq, value: 1 }, { field: x, operator: eq, value: 2 }] }] } }",
        "condition.never",
        "/steps/0/condition/or/1",
        Severity::Warning,
    ),
];

#[test]
fn each_fault_of_a_document_is_found_at_its_place() {
    for (steps, code, pointer, severity) in FAULTS {
        assert_eq!(found(steps), [((*code).to_owned(), (*pointer).to_owned(), *severity)], "{steps}");
    }
}

#[test]
fn a_cycle_in_which_something_waits_may_stand() {
    assert_eq!(found("  - { id: a, type: wait, wait: { for: 1h }, next: a }"), []);
    let asks = "  - { id: a, type: approval, approval: { levels: [{ approvers: ['role:x'] }] }, on_changes_requested: a }";
    assert_eq!(found(asks), []);
}

#[test]
fn faults_beside_a_step_that_cannot_be_read_are_found_all_the_same() {
    let findings =
        found("  - { id: a, type: set, set: 5, next: b }\n  - { id: b, type: set, set: {}, next: c }");
    let codes: Vec<&str> = findings.iter().map(|(code, ..)| code.as_str()).collect();
    assert_eq!(codes, ["value.type", "link.nowhere"]);
}

#[test]
fn next_in_a_step_that_waits_for_people_is_moved_to_on_approved() {
    let text = format!(
        "{HEAD}  - id: a\n    type: approval\n    approval: {{ levels: [{{ approvers: ['role:x'] }}] }}\n    next: b\n  - {{ id: b, type: set, set: {{}} }}\n"
    );
    let checked = check(&text, Format::Yaml, &Environment::Unknown);
    let [finding] = checked.findings.as_slice() else { panic!("{:#?}", checked.findings) };
    assert_eq!((finding.line, finding.column), (8, 11));
    assert_eq!(
        finding.fix,
        Some(vec![PatchOp::Move { from: "/steps/0/next".into(), path: "/steps/0/on_approved".into() }])
    );
}

#[test]
fn asking_before_a_wait_warns_and_offers_the_native_step() {
    let text = format!(
        "{HEAD}  - id: ask\n    type: execute\n    execute: [{{ type: create_approval_request, data: {{ approver_role: x, expires_in: 2h, total: 5 }} }}]\n    next: hold\n  \
         - {{ id: hold, type: wait, wait: {{ event: order.confirmed }}, next: done }}\n  - {{ id: done, type: set, set: {{}} }}\n"
    );
    let checked = check(&text, Format::Yaml, &Environment::Unknown);
    let finding = checked.findings.iter().find(|f| f.code == "approval.unawaited").unwrap();
    let Some([PatchOp::Replace { path, value }]) = finding.fix.as_deref() else { panic!("a fix") };
    assert_eq!(path, "/steps/0");
    assert_eq!(value["approval"]["levels"][0]["approvers"][0], "role:x");
    assert_eq!(value["approval"]["show"]["total"], 5);
    assert_eq!(value["on_approved"], "done");
}

#[test]
fn what_is_missing_around_a_document_is_a_warning() {
    let text = format!(
        "{HEAD}  - id: a\n    type: execute\n    execute:\n      - {{ type: notify, recipients: ['role:x', 'slack:#s', 'a@b.c'], message: m }}\n      - {{ type: webhook, url: '{{{{ secrets.hook }}}}' }}\n"
    );
    let environment = Environment::Known {
        roles: ["y".to_owned()].into(),
        secrets: std::collections::BTreeSet::new(),
        people: std::collections::BTreeSet::new(),
        mail: false,
        rules: std::collections::BTreeMap::new(),
        workflows: std::collections::BTreeMap::new(),
        calendars: std::collections::BTreeSet::new(),
        loads: std::collections::BTreeSet::new(),
        now: chrono::DateTime::UNIX_EPOCH,
    };
    let checked = check(&text, Format::Yaml, &environment);
    let codes: Vec<&str> = checked.findings.iter().map(|f| &*f.code).collect();
    assert_eq!(codes, ["secret.missing", "channel.missing", "channel.missing", "channel.missing"]);
    assert!(checked.document.is_some());
}

#[test]
fn a_name_of_two_branches_is_an_error_only_where_both_surely_write_it() {
    let both = |a: &str, b: &str| {
        let found = found(&format!(
            "  - id: p\n    type: parallel\n    parallel:\n      branches:\n        - {{ id: a, steps: [{a}] }}\n        - {{ id: b, steps: [{b}] }}\n"
        ));
        found.into_iter().find(|(code, ..)| code == "name.twice").map(|(_, _, severity)| severity)
    };
    let set = |id: &str| format!("{{ id: {id}, type: set, set: {{ x: 1 }} }}");
    let late = "{ id: w, type: wait, wait: { event: e, timeout: 1h, on_timeout: l } }, { id: n, type: set, set: { y: 1 } }, ";
    let forked = |inner: String| {
        format!("{{ id: q, type: parallel, parallel: {{ branches: [{{ id: i, steps: [{inner}] }}] }} }}")
    };
    let each = |id: &str, inner: String| {
        format!("{{ id: {id}, type: foreach, foreach: {{ items: [1], steps: [{inner}] }} }}")
    };
    assert_eq!(both(&set("s"), &set("t")), Some(Severity::Error));
    assert_eq!(both(&set("s"), &format!("{late}{}", set("l"))), Some(Severity::Warning));
    assert_eq!(both(&set("s"), &forked(set("t"))), Some(Severity::Warning));
    assert_eq!(
        both(&each("f", set("s")), &each("g", set("t"))),
        None,
        "what an item puts stays with the item"
    );
}
