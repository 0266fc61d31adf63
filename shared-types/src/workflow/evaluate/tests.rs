//! Conditions: what holds, and how it is said.

use super::*;
use serde_json::json;

fn ask(condition: Value, context: Value) -> Why {
    let condition: Condition = serde_json::from_value(condition).unwrap();
    let Value::Object(context) = context else { panic!("a map") };
    let now = "2026-03-01T10:00:00Z".parse().unwrap();
    evaluate(&condition, &Scope::masked(&context, now)).unwrap()
}

fn holds(field: &Value, op: &str, value: &Value) -> bool {
    ask(json!({"field": "x", "operator": op, "value": value}), json!({"x": field})).holds()
}

#[test]
fn operators_compare_as_the_language_says() {
    for (seen, op, value, expected) in [
        (json!(0.1), "eq", json!("0.10"), true),
        (json!("1.0"), "eq", json!("1"), false),
        (json!("1.0"), ">=", json!("1"), true),
        (json!("b"), "gt", json!("a"), true),
        (json!("10"), "gt", json!("9"), true),
        (json!("10"), "gt", json!("9a"), false),
        (json!(5), "gt", json!("a"), false),
        (json!(true), "gt", json!(false), false),
        (json!("2026-01-01T00:00:00+01:00"), "lt", json!("2026-01-01T00:00:00Z"), true),
        (json!(5), "between", json!([5, 7]), true),
        (json!(8), "between", json!([5, 7]), false),
        (json!("EUR"), "in", json!(["EUR", "USD"]), true),
        (json!("SEK"), "not_in", json!(["EUR", "USD"]), true),
        (json!(["a", "b"]), "has_all", json!(["a"]), true),
        (json!(["a", "b"]), "has_any", json!(["c"]), false),
        (json!("hello"), "matches", json!("^h.*o$"), true),
        (json!("hello"), "contains", json!("ell"), true),
        (json!(""), "is_empty", json!(null), true),
        (json!("2026-02-28T10:00:00Z"), "within_last", json!("7d"), true),
        (json!("2026-02-01T10:00:00Z"), "older_than", json!("7d"), true),
        (json!("2026-02-01"), "before", json!("{{ now }}"), true),
        (json!([1.0]), "eq", json!([1]), true),
    ] {
        assert_eq!(holds(&seen, op, &value), expected, "{seen} {op} {value}");
    }
}

#[test]
fn what_is_missing_is_false_never_an_error_and_negative_operators_are_true() {
    for word in Operator::SPELLINGS {
        let op = Operator::parse(word).unwrap();
        for context in [json!({}), json!({"x": null})] {
            let why = ask(json!({"field": "x", "operator": word, "value": "a"}), context);
            assert_eq!(why.holds(), op.holds_for_missing(), "{word}");
        }
    }
    assert!(holds(&json!(null), "eq", &json!(null)));
    assert!(!ask(json!({"field": "x", "operator": "eq", "value": null}), json!({})).holds());
}

#[test]
fn a_comparison_of_times_says_what_is_no_time() {
    let local = "\"2026-02-01T10:00:00\" has no time zone; write 2026-02-01T10:00:00Z for UTC, or \
                 2026-02-01T10:00:00+01:00";
    let no_time =
        |shown: &str| format!("\"{shown}\" is no time; write RFC 3339 such as 2026-03-01T10:00:00Z");
    let end = "2026-03-01T00:00:00Z";
    for (seen, op, value, note) in [
        (json!("2026-02-01T10:00:00"), "before", json!(end), format!(" ({local})")),
        (json!("2026-02-01 10:00:00"), "after", json!(end), format!(" ({local})")),
        (json!(end), "after", json!("2026-02-01T10:00:00"), format!(" ({local})")),
        (json!("2026-02-01T10:00:00"), "within_last", json!("30 d"), format!(" ({local})")),
        (json!("2026-02-01T10:00:00"), "older_than", json!("30 d"), format!(" ({local})")),
        (json!("soon"), "before", json!(end), format!(" ({})", no_time("soon"))),
        (json!(1_770_000_000), "before", json!(end), format!(" ({})", no_time("1,770,000,000"))),
        (json!("2026-02-01T10:00:00"), "gt", json!(end), format!(" (compared as texts: {local})")),
        (
            json!("2026-02-01T10:00:00"),
            "between",
            json!(["2026-01-01T00:00:00Z", end]),
            format!(" (compared as texts: {local})"),
        ),
        // Dates are times, and texts that are none are ordered as texts without a word.
        (json!("2026-02-01"), "before", json!(end), String::new()),
        (json!("2026-02-01"), "gt", json!(end), String::new()),
        (json!("b"), "gt", json!("a"), String::new()),
        (json!(null), "before", json!(end), String::new()),
    ] {
        let why = ask(json!({"field": "x", "operator": op, "value": value}), json!({"x": seen}));
        let sentence = why.sentence();
        let said = sentence.find(" (").map_or("", |at| sentence[at..].rsplit_once(": ").unwrap().0);
        assert_eq!(said, note, "{sentence}");
    }
}

#[test]
fn both_sides_of_a_comparison_are_written_alike() {
    for (seen, op, value, says) in [
        (json!(93_059.79), "gte", json!(10_000), "x is 93,059.79, at least 10,000: true"),
        (json!("93059.79"), "gte", json!(10_000), "x is 93,059.79, at least 10,000: true"),
        (json!("2000"), "between", json!([1_000, 3_000]), "x is 2,000, from 1,000 to 3,000: true"),
        (json!("2000"), "in", json!(["2000", "3000"]), "x is 2000, one of 2000, 3000: true"),
        (json!("4711"), "eq", json!("4711"), "x is 4711, equal to 4711: true"),
    ] {
        let why = ask(json!({"field": "x", "operator": op, "value": value}), json!({"x": seen}));
        assert_eq!(why.sentence(), says);
    }
}

#[test]
fn an_amount_of_money_is_written_with_its_currency() {
    let condition = json!({"and": [
        {"field": "order.total", "operator": "gte", "value": "10000"},
        {"field": "order.total", "operator": "between", "value": [1, 20_000.5]},
        {"field": "order.count", "operator": "gt", "value": 3000},
    ]});
    let why = ask(condition, json!({"order": {"total": "12400.1", "count": 5000}}));
    let money = Money::of(Some("12400.10"), Some("EUR"));
    assert_eq!(
        why.sentence_with(money),
        "order.total is €12,400.10, at least €10,000.00 and order.total is €12,400.10, from €1.00 to €20,000.50 \
         and order.count is 5,000, more than 3,000: true"
    );
    // A small figure may be the same by chance.
    let count = ask(json!({"field": "count", "operator": "gt", "value": 2}), json!({"count": 3}));
    let small = Money::of(Some("3.00"), Some("EUR"));
    assert_eq!(count.sentence_with(small), "count is 3, more than 2: true");
}

#[test]
fn the_tree_explains_itself_in_words() {
    let why = ask(
        json!({"and": [
            {"field": "order.total", "operator": "gte", "value": 10000},
            {"or": [
                {"field": "order.lines.length", "operator": "gt", "value": 2},
                {"not": {"field": "customer.tier", "operator": "eq", "value": "gold"}},
            ]},
        ]}),
        json!({"order": {"total": 12400, "lines": [1]}}),
    );
    assert_eq!(
        why.sentence(),
        "order.total is 12,400, at least 10,000 and (order.lines.length is 1, more than 2 or \
         not (customer.tier isn't there, equal to gold)): true"
    );
    let json = serde_json::to_value(&why).unwrap();
    assert_eq!(
        json["of"][0],
        json!({"op": "gte", "field": "order.total", "seen": 12400, "value": 10000, "result": true})
    );
    assert_eq!(serde_json::from_value::<Why>(json).unwrap(), why);
}
