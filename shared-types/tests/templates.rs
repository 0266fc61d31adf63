//! Random templates: none ends the process, and each has a fault, gives a bounded value, or says why it fails.
//!
//! `cargo xtask test` tries 2,000, `cargo xtask night` 100,000.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};
use shared_types::workflow::{Template, context::weight, scope::Scope};

/// What a value that leaves a template may weigh, and what its evaluation may hold.
const MOST_BYTES: u64 = 16 << 20;
/// Half of what a thread of the server has.
const STACK: usize = 1 << 20;

fn name() -> impl Strategy<Value = String> {
    select(vec!["a", "order", "lines", "x", "loop", "ns", "secrets", "now", "event", "caller", "length", "m"])
        .prop_map(str::to_owned)
}

fn atom() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => name(),
        1 => select(vec!["0", "1", "-1", "2.5", "1e300", "99999999", "'x'", "\"é\"", "true", "none", "[]", "{}", "''"])
            .prop_map(str::to_owned),
        1 => any::<i64>().prop_map(|n| n.to_string()),
    ]
}

fn expression() -> impl Strategy<Value = String> {
    atom().prop_recursive(5, 48, 4, |inner| {
        let sign = select(vec![
            "+", "-", "*", "/", "//", "%", "**", "~", "==", "!=", "<", ">=", " and ", " or ", " in ",
            " not in ",
        ]);
        let filter = select(vec![
            "upper",
            "length",
            "list",
            "sum",
            "sort",
            "join(x)",
            "join('ab')",
            "batch(3)",
            "batch(99999, 0)",
            "tojson(9)",
            "indent(9999)",
            "map('upper')",
            "map(attribute='a')",
            "groupby('a')",
            "reverse",
            "unique",
            "first",
            "number",
            "round(2)",
            "replace('a', a)",
            "select('odd')",
            "zip(a)",
            "string",
            "items",
            "default(1)",
            "format(a, 1)",
            "urlencode",
            "truncate(3)",
            "center(999)",
            "nothing",
            "split('a')",
            "dictsort",
            "slice(4)",
            "int",
            "money('EUR')",
        ]);
        let test = select(vec!["odd", "defined", "divisibleby(3)", "in([1])", "not none", "eq 1", "nothing"]);
        prop_oneof![
            (inner.clone(), sign, inner.clone()).prop_map(|(a, sign, b)| format!("{a} {sign} {b}")),
            (inner.clone(), filter).prop_map(|(a, filter)| format!("({a}) | {filter}")),
            (inner.clone(), test).prop_map(|(a, test)| format!("({a}) is {test}")),
            (inner.clone(), name()).prop_map(|(a, name)| format!("({a}).{name}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a})[{b}]")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a})[{b}:]")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("({a} if {b} else {c})")),
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{{{a}: {b}}}")),
            inner.clone().prop_map(|a| format!("not {a}")),
            inner.clone().prop_map(|a| format!("-({a})")),
            inner.clone().prop_map(|a| format!("range({a})")),
            inner.clone().prop_map(|a| format!("m({a})")),
            inner.clone().prop_map(|a| format!("namespace(x={a})")),
            (inner.clone(), 1_usize..400).prop_map(|(a, n)| format!("{a}{}", " + 1".repeat(n))),
            (inner, 1_usize..60).prop_map(|(a, n)| format!("{}{a}{}", "(".repeat(n), ")".repeat(n))),
        ]
    })
}

fn template() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => expression().prop_map(|a| format!("{{{{ {a} }}}}")),
        1 => "[ a-zé{}%#\\n]{0,12}",
    ];
    let whole = part.prop_recursive(4, 32, 4, |inner| {
        let body = prop::collection::vec(inner, 1..4).prop_map(|parts| parts.concat());
        prop_oneof![
            body.clone(),
            (expression(), body.clone()).prop_map(|(a, body)| format!("{{% for x in {a} %}}{body}{{% endfor %}}")),
            (expression(), body.clone()).prop_map(|(a, body)| format!("{{% if {a} %}}{body}{{% else %}}-{{% endif %}}")),
            (expression(), body.clone()).prop_map(|(a, body)| format!("{{% set x = {a} %}}{body}")),
            (expression(), body.clone())
                .prop_map(|(a, body)| format!("{{% set ns = namespace(x=1) %}}{{% for i in range(50) %}}{{% set ns.x = {a} %}}{{% endfor %}}{body}")),
            body.clone().prop_map(|body| format!("{{% set x %}}{body}{{% endset %}}{{{{ x }}}}")),
            body.clone().prop_map(|body| format!("{{% filter indent(200) %}}{body}{{% endfilter %}}")),
            (body.clone(), body.clone())
                .prop_map(|(a, b)| format!("{{% macro m(x) %}}{a}{{% endmacro %}}{b}{{{{ m(1) }}}}")),
            (body.clone(), body).prop_map(|(a, b)| format!("{{% for x in range(200) %}}{a}{{% endfor %}}{b}")),
        ]
    });
    prop_oneof![6 => whole, 1 => "[{}%# a-z0-9.|()\\[\\]'\"*+~-]{0,200}"]
}

fn context() -> Value {
    json!({
        "a": [3, "b", {"a": 1.5}, null], "order": {"id": "A1", "lines": [{"a": 1}, {"a": 2}]}, "x": "text with words",
        "lines": (0..200).collect::<Vec<_>>(), "length": {"length": 3}, "event": {"type": "t"},
    })
}

/// Reads and evaluates a template on a small stack; a panic or an overflow there fails the test.
fn outcome(source: String) {
    let run = std::thread::Builder::new().stack_size(STACK).spawn(move || {
        let template = Template::new(source);
        let Value::Object(context) = context() else { panic!("a map") };
        let scope = Scope::masked(&context, "2026-03-01T10:00:00Z".parse().unwrap());
        let value = template.value(&scope);
        assert!(template.fault().is_none() || value.is_err(), "what can't be read gives nothing");
        match value {
            Ok(value) => assert!(weight(&value) <= MOST_BYTES),
            Err(error) => assert!(!error.to_string().is_empty() && error.to_string().len() < 10_000),
        }
        drop(template.address(&scope));
    });
    run.unwrap().join().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases()) })]

    #[test]
    fn a_random_template_never_ends_the_process(source in template()) {
        outcome(source);
    }
}

fn cases() -> u32 {
    std::env::var("IW_TEMPLATES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(2_000)
}
