//! Checking a document takes time in proportion to its size.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::json;
use shared_types::{
    machine::review::review,
    workflow::{Format, check::Environment, rule::check_rule},
};
use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

const HEAD: &str = "workflow_id: w\nname: W\ntrigger: { type: manual }\nsteps:\n";

fn steps(count: usize, one: impl Fn(usize) -> String) -> String {
    (0..count).fold(HEAD.to_owned(), |mut text, n| {
        writeln!(text, "  - {}", one(n)).unwrap();
        text
    })
}

fn joined(count: usize, one: impl Fn(usize) -> String) -> String {
    (0..count).map(one).collect::<Vec<_>>().concat()
}

fn links_to_nowhere(count: usize) -> String {
    steps(count, |n| format!("{{ id: s{n}, type: set, set: {{}}, next: gone{n} }}"))
}
fn chain(count: usize) -> String {
    steps(count, |n| {
        let next = if n + 1 < count { format!(", next: s{}", n + 1) } else { String::new() };
        format!("{{ id: s{n}, type: set, set: {{ v{n}: 1 }}{next} }}")
    })
}
fn asking(count: usize) -> String {
    steps(count, |n| {
        let next = if n + 1 < count { format!(", next: s{}", n + 1) } else { String::new() };
        format!(
            "{{ id: s{n}, type: execute, execute: [{{ type: create_approval_request, data: {{ approver_role: x }} }}]{next} }}"
        )
    })
}
fn conditions(count: usize) -> String {
    let parts: String = "{ field: x, operator: neq, value: 1 }, ".repeat(count);
    format!("{HEAD}  - {{ id: a, type: condition, condition: {{ and: [{parts}] }} }}\n")
}
fn faulty(count: usize) -> String {
    steps(count, |n| format!("{{ id: s{n}, type: set, set: {{}}, nxet: s{n}, tmieout: 5 }}"))
}
fn branches(count: usize) -> String {
    let parts: String = joined(count, |n| {
        format!("{{ id: b{n}, steps: [{{ id: s{n}, type: set, set: {{ v{n}: 1 }} }}] }}, ")
    });
    format!("{HEAD}  - {{ id: a, type: parallel, parallel: {{ branches: [{parts}] }} }}\n")
}
fn long_branch(count: usize) -> String {
    let parts: String = joined(count, |n| format!("{{ id: s{n}, type: set, set: {{ v{n}: 1 }} }}, "));
    format!(
        "{HEAD}  - {{ id: a, type: parallel, parallel: {{ branches: [{{ id: b, steps: [{parts}] }}] }} }}\n"
    )
}
fn regexes(count: usize) -> String {
    let parts: String = joined(count, |n| {
        format!("{{ when: {{ field: x, operator: regex, value: '[a-z]{{3}}{n}' }}, next: a }}, ")
    });
    format!("{HEAD}  - {{ id: a, type: switch, cases: [{parts}] }}\n")
}
fn expressions(count: usize) -> String {
    steps(count, |n| format!("{{ id: s{n}, type: condition, condition: {{ expr: 'x.a == {n} && y' }} }}"))
}

fn deep(count: usize) -> String {
    steps(count / 6, |n| {
        let inner = format!("{{ id: s{n}, type: set, set: {{ a: 1 }} }}");
        (0..5).fold(inner, |inner, depth| {
            format!(
                "{{ id: p{n}-{depth}, type: parallel, parallel: {{ branches: [{{ id: b, steps: [{inner}] }}] }} }}"
            )
        })
    })
}

fn took(text: &str) -> Duration {
    let begun = Instant::now();
    let checked = review(text, Format::Yaml, &Environment::Unknown);
    let took = begun.elapsed();
    assert!(checked.findings.len() <= 201, "{} findings", checked.findings.len());
    took
}

type Shape = (&'static str, fn(usize) -> String);

const SHAPES: [Shape; 9] = [
    ("links to nowhere", links_to_nowhere),
    ("a chain of set steps", chain),
    ("steps that ask and go on", asking),
    ("parts of one condition", conditions),
    ("faulty steps", faulty),
    ("branches", branches),
    ("steps of one branch", long_branch),
    ("branches in branches", deep),
    ("expressions", expressions),
];

#[test]
fn four_times_the_document_takes_about_four_times_as_long() {
    for (name, shape) in SHAPES {
        let (small, large) = (shape(400), shape(1600));
        // Whatever else the machine does can slow one reading; a check that is quadratic is slow each time.
        let mut ratios = (0..4).map(|_| {
            let floor = Duration::from_millis(20);
            took(&large).as_secs_f64() / took(&small).max(floor).as_secs_f64()
        });
        assert!(ratios.any(|ratio| ratio < 8.0), "{name}: {:?}", ratios.collect::<Vec<_>>());
    }
}

#[test]
fn what_a_link_to_nowhere_means_is_guessed_for_the_first_few_in_a_large_document() {
    let checked = review(&links_to_nowhere(3_000), Format::Yaml, &Environment::Unknown);
    let codes: Vec<&str> = checked.findings.iter().map(|finding| finding.code.as_ref()).collect();
    assert_eq!(codes.iter().filter(|code| **code == "link.nowhere").count(), 200);
    assert_eq!(
        checked.findings.last().map(|last| last.message.as_str()),
        Some("There are 2800 more findings; correct these first.")
    );
    let close = review(
        &format!(
            "{HEAD}  - {{ id: first, type: set, set: {{}}, next: secnd }}\n  - {{ id: second, type: set, set: {{}} }}\n"
        ),
        Format::Yaml,
        &Environment::Unknown,
    );
    assert!(close.findings[0].fix.is_some(), "{:#?}", close.findings);
}

#[test]
fn a_document_holds_at_most_two_hundred_literal_regular_expressions() {
    let codes = |count: usize| {
        let findings = review(&regexes(count), Format::Yaml, &Environment::Unknown).findings;
        findings
            .into_iter()
            .filter(|f| f.code.starts_with("regex"))
            .map(|f| (f.code.into_owned(), f.pointer))
            .collect::<Vec<_>>()
    };
    assert_eq!(codes(20), []);
    assert_eq!(codes(10_000), [("regex.too_many".to_owned(), "/steps/0/cases/200/when/value".to_owned())]);
    let rule = format!(
        "rule_id: r\nname: R\ncondition: {{ expr: '{}' }}\n",
        vec!["x.matches(\"a\")"; 201].join(" || ")
    );
    let found: Vec<_> =
        check_rule(&rule, Format::Yaml).0.findings.into_iter().map(|f| f.code.into_owned()).collect();
    assert_eq!(found, ["regex.too_many"]);
    let asked = json!({ "field": "x", "operator": "regex", "value": "{{ p }}" });
    let rule = json!({ "rule_id": "r", "name": "R", "condition": { "or": vec![asked; 201] } });
    let found = check_rule(&rule.to_string(), Format::Json).0.findings;
    assert_eq!(
        (found[0].code.as_ref(), found[0].pointer.as_str()),
        ("regex.too_many", "/condition/or/200/value")
    );
}

#[test]
fn a_document_that_is_too_large_is_refused_before_anything_else_is_checked() {
    let codes = |text: &str| {
        let findings = review(text, Format::Yaml, &Environment::Unknown).findings;
        findings.into_iter().map(|finding| finding.code.into_owned()).collect::<Vec<_>>()
    };
    let many = (0..20_001).fold(String::from("steps:\n"), |text, _| text + "- {}\n");
    assert_eq!(codes(&many), ["steps.too_many"]);
    let branches = (0..20_001)
        .fold(String::from("steps:\n- parallel:\n    branches:\n"), |text, _| text + "    - {steps: [{}]}\n");
    assert_eq!(codes(&branches), ["steps.too_many"]);
    let long = format!("{HEAD}{}", "# a comment\n".repeat(200_000));
    assert_eq!(codes(&long), ["document.too_large"]);
    let found = check_rule(&long, Format::Yaml).0.findings;
    assert_eq!(found[0].code, "document.too_large");
}

#[test]
fn an_expression_of_any_length_is_read_or_refused_in_time_in_proportion_to_it() {
    for by in [" && x", " + x", " || x == 1", ".x", "]", " ["] {
        let of = |count: usize| {
            let text = json!({ "rule_id": "r", "name": "R", "condition": { "expr": format!("x{}", by.repeat(count)) } });
            let begun = Instant::now();
            let _ = check_rule(&text.to_string(), Format::Json);
            begun.elapsed().max(Duration::from_millis(20)).as_secs_f64()
        };
        assert!((0..4).any(|_| of(20_000) / of(5_000) < 8.0), "{by}");
    }
}

#[test]
fn the_tests_of_a_document_are_bounded_together() {
    let tests: String =
        joined(30, |n| format!("  - {{ name: t{n}, given: {{}}, expect: {{ result: executed }} }}\n"));
    let text = format!(
        "{HEAD}  - {{ id: a, type: foreach, foreach: {{ items: '{{{{ range(9000) }}}}', steps: [{{ id: b, type: set, set: {{ c: 1 }} }}] }} }}\ntests:\n{tests}"
    );
    let checked = review(&text, Format::Yaml, &Environment::Unknown);
    let codes: Vec<&str> = checked.findings.iter().map(|finding| finding.code.as_ref()).collect();
    assert_eq!(codes, ["tests.too_much"], "{:#?}", checked.findings);
}
