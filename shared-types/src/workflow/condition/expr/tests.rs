use super::*;
use crate::workflow::{evaluate::evaluate, scope::Scope};
use proptest::prelude::*;
use serde_json::{Value, json};

fn nodes(source: &str) -> Value {
    serde_json::to_value(Expression::new(source).condition().unwrap()).unwrap()
}

#[test]
fn expressions_are_read_into_the_same_nodes_that_a_document_writes() {
    for (source, expected) in [
        ("order.total >= 10000", json!({"field": "order.total", "operator": "gte", "value": 10000})),
        ("10 < order.total", json!({"field": "order.total", "operator": "gt", "value": 10})),
        ("order.paid", json!({"field": "order.paid", "operator": "eq", "value": true})),
        ("!order.paid", json!({"not": {"field": "order.paid", "operator": "eq", "value": true}})),
        (
            "has(a.b) && size(a.c) > 2",
            json!({"and": [{"field": "a.b", "operator": "exists"}, {"field": "a.c.length", "operator": "gt", "value": 2}]}),
        ),
        (
            "a in ['x', \"y\"] || \"z\" in b",
            json!({"or": [{"field": "a", "operator": "in", "value": ["x", "y"]}, {"field": "b", "operator": "contains", "value": "z"}]}),
        ),
        (
            "a.contains('x') && (b || c)",
            json!({"and": [{"field": "a", "operator": "contains", "value": "x"}, {"or": [{"field": "b", "operator": "eq", "value": true}, {"field": "c", "operator": "eq", "value": true}]}]}),
        ),
        ("a.matches(r'^\\d+$')", json!({"field": "a", "operator": "regex", "value": "^\\d+$"})),
        ("a.b == c.d", json!({"field": "a.b", "operator": "eq", "value": "{{ c.d }}"})),
        (
            "lines[0]['unit-price'] != -1.5",
            json!({"field": "lines.0.unit-price", "operator": "neq", "value": -1.5}),
        ),
        (
            "x == a['b-c'].d && y in [o[\"it's\"]]",
            json!({"and": [
                {"field": "x", "operator": "eq", "value": "{{ a['b-c'].d }}"},
                {"field": "y", "operator": "in", "value": ["{{ o[\"it's\"] }}"]},
            ]}),
        ),
        ("a == null", json!({"field": "a", "operator": "eq", "value": null})),
        ("a != null", json!({"field": "a", "operator": "exists"})),
    ] {
        assert_eq!(nodes(source), expected, "{source}");
    }
}

#[test]
fn what_cel_has_besides_is_refused_at_its_column() {
    for (source, column, message) in [
        ("order.total +1 > 2", 13, "`+` isn't part"),
        ("a == ", 6, "Something to ask is missing"),
        ("a && && b", 6, "`&&` isn't expected"),
        ("(a || b", 8, "`)` is missing"),
        ("a == 'x", 6, "no closing"),
        ("foo(a)", 1, "`foo()` isn't one"),
        ("a.exists(x, x > 1)", 3, "`.exists()` isn't one"),
        ("1 == 1", 3, "Two values"),
        ("true", 1, "A value alone"),
        ("a = 1", 3, "`=` means nothing"),
        ("a ? b : c", 3, "`?` isn't part"),
        ("(a == 1) == b", 10, "can't be compared"),
        ("a in 'x'", 3, "`in` takes a list"),
        ("has(1)", 5, "takes a path"),
        ("a == 12abc", 6, "is no number"),
        ("a == none", 6, "can't stand here"),
        ("a == b['{{']", 6, "can't stand here"),
    ] {
        let expression = Expression::new(source);
        let error = expression.condition().unwrap_err();
        assert_eq!(error.column, column, "{source}: {error}");
        assert!(error.message.contains(message), "{source}: {error}");
    }
}

#[test]
fn however_deep_or_long_a_text_is_it_is_refused_and_nothing_worse() {
    for text in ["!", "(", "[", "!(", "size(", "a.contains("] {
        for times in [70, 4_000, 200_000] {
            let expression = Expression::new(text.repeat(times) + "a");
            assert!(expression.condition().is_err(), "{text} {times} times");
        }
    }
}

#[test]
fn a_path_on_the_right_is_that_path_and_no_arithmetic() {
    let context = serde_json::from_value::<serde_json::Map<String, Value>>(
        json!({ "a": { "b": 10, "b-c": 99 }, "c": 3, "x": 7 }),
    )
    .unwrap();
    let scope = Scope::masked(&context, chrono::DateTime::UNIX_EPOCH);
    for (source, expected) in [("x == a['b-c']", false), ("99 == a['b-c']", true), ("a.b < a['b-c']", true)] {
        let condition = Condition::Expr { expr: Expression::new(source) };
        assert_eq!(evaluate(&condition, &scope).unwrap().holds(), expected, "{source}");
    }
}

#[test]
fn missing_values_are_as_kind_as_in_nodes() {
    let context = serde_json::Map::new();
    let scope = Scope::masked(&context, chrono::DateTime::UNIX_EPOCH);
    for (source, expected) in
        [("a.b > 1", false), ("!a.b", true), ("a != 'x'", true), ("has(a)", false), ("a != null", false)]
    {
        let condition = Condition::Expr { expr: Expression::new(source) };
        assert_eq!(evaluate(&condition, &scope).unwrap().holds(), expected, "{source}");
    }
}

fn path() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop_oneof![Just("a"), Just("b"), Just("length"), Just("0"), Just("12"), Just("x-y"), Just("in")],
        0..3,
    )
    .prop_map(|parts| ["order"].into_iter().chain(parts).collect::<Vec<_>>().join("."))
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i32>().prop_map(Value::from),
        (-1000i32..1000).prop_map(|n| json!(f64::from(n) / 8.0)),
        "[ -~äé\\n\\t]{0,8}".prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
    ]
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        (
            path(),
            prop_oneof![
                Just("eq"),
                Just("neq"),
                Just("gt"),
                Just("gte"),
                Just("lt"),
                Just("lte"),
                Just("contains")
            ],
            scalar()
        )
            .prop_map(|(f, o, v)| json!({"field": f, "operator": o, "value": v})),
        (path(), prop_oneof![Just("starts_with"), Just("ends_with"), Just("regex")], "[a-z\"'\\\\{}]{0,6}")
            .prop_map(|(f, o, v)| json!({"field": f, "operator": o, "value": v})),
        (path(), prop::collection::vec(scalar(), 0..4))
            .prop_map(|(f, v)| json!({"field": f, "operator": "in", "value": v})),
        (path(), path())
            .prop_map(|(f, v)| json!({"field": f, "operator": "eq", "value": format!("{{{{ {v} }}}}")})),
        path().prop_map(|f| json!({"field": f, "operator": "exists"})),
        path().prop_map(|f| json!({"field": f, "operator": "eq", "value": null})),
    ]
}

fn node() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(|and| json!({ "and": and })),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|or| json!({ "or": or })),
            inner.prop_map(|not| json!({ "not": not })),
        ]
    })
}

proptest! {
    #[test]
    fn every_node_prints_back_and_reads_as_itself(node in node()) {
        // A template whose path isn't plain is no path in CEL either.
        let condition: Condition = serde_json::from_value(node).unwrap();
        let Some(text) = condition.to_expr() else { return Ok(()) };
        let again = Expression::new(text.as_str());
        prop_assert_eq!(again.condition(), Ok(&condition), "{}", text);
        prop_assert_eq!(again.condition().unwrap().to_expr(), Some(text));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[ -~]{0,40}") {
        let expression = Expression::new(text.as_str());
        if let Err(error) = expression.condition() {
            prop_assert!(error.column >= 1 && error.column <= text.chars().count() + 1);
        }
    }
}
