//! Templates as documents use them.

use super::*;
use serde_json::{Map, json};

fn scope(context: &Value) -> (Map<String, Value>, chrono::DateTime<chrono::Utc>) {
    (context.as_object().unwrap().clone(), "2026-03-01T10:00:00Z".parse().unwrap())
}

fn value(template: &str, context: &Value) -> Value {
    let (context, now) = scope(context);
    Template::new(template).value(&Scope::masked(&context, now)).unwrap()
}

#[test]
fn a_template_alone_keeps_its_type_and_mixed_text_is_text() {
    let context = json!({"order": {"id": "A1", "total": 12400.10, "lines": [1, 2, 3]}});
    for (template, expected) in [
        ("{{ order.total }}", json!(12400.10)),
        ("{{ order }}", json!({"id": "A1", "total": 12400.10, "lines": [1, 2, 3]})),
        ("Order {{ order.id }}: {{ order.total }}", json!("Order A1: 12400.1")),
        ("{{ order.lines | length }}", json!(3)),
        ("{{ order.lines.length }}", json!(3)),
        ("{{ order.lines.length + 1 }}", json!(4)),
        ("{{ order.id.length }} letters", json!("2 letters")),
        ("{{ order.total | money('EUR') }}", json!("€12,400.10")),
        ("{{ nothing.there }}", json!(null)),
        ("[{{ nothing.there }}]", json!("[]")),
        ("{{ now }}", json!("2026-03-01T10:00:00Z")),
        ("{{ now_plus_24h }}", json!("2026-03-02T10:00:00Z")),
        ("since {{ now_minus_7d }}", json!("since 2026-02-22T10:00:00Z")),
        ("{{ secrets.token }}", json!("•••")),
        ("Bearer {{ secrets.token }}", json!("Bearer •••")),
        ("{{ integrations.crm.url }}/x", json!("<integrations.crm.url>/x")),
        ("{{ 0.1 + 0.2 }} m", json!("0.3 m")),
    ] {
        assert_eq!(value(template, &context), expected, "{template}");
    }
}

#[test]
fn what_would_run_away_is_stopped() {
    let context = json!({});
    let (context, now) = scope(&context);
    let scope = Scope::masked(&context, now);
    for template in [
        "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}",
        "{{ 'x' * 900000 }}{{ 'x' * 900000 }}",
    ] {
        let error = Template::new(template).text(&scope).unwrap_err();
        assert_eq!(error.code(), "template.failed", "{template}");
    }
}

#[test]
fn a_broken_template_is_known_before_it_is_used() {
    assert!(Template::new("{{ order. }}").fault().is_some());
    assert!(Template::new("{% if x %}").fault().is_some());
    assert!(Template::new("no template at all }}").fault().is_none());
}

#[test]
fn text_with_paths_gives_the_same_with_and_without_the_engine() {
    let context = json!({
        "text": "A1", "empty": "", "int": 12, "big": 18_446_744_073_709_551_615_u64, "double": 12400.10,
        "tiny": 1e-7, "huge": 1e21, "yes": true, "nil": null, "list": [1, "x"], "map": {"a": 1.5},
    });
    let (context, now) = scope(&context);
    let scope = Scope::masked(&context, now);
    for path in [
        "text",
        "empty",
        "int",
        "big",
        "double",
        "tiny",
        "huge",
        "yes",
        "nil",
        "list",
        "map",
        "map.a",
        "list.length",
        "text.length",
        "text.nothing",
        "nothing.at.all",
        "now",
        "now_plus_24h",
        "secrets.token",
    ] {
        for source in [
            format!("{{{{ {path} }}}}"),
            format!("a {{{{{path}}}}} b"),
            format!(" {{{{ {path} }}}}{{{{ text }}}}\nc "),
        ] {
            let template = Template::new(format!("{source}."));
            let Kind::Joined { body, names, .. } = &template.0.kind else { panic!("{source}") };
            assert_eq!(
                template.text(&scope).unwrap(),
                template.mixed(body, names, &scope).unwrap(),
                "{source}"
            );
        }
    }
    for source in [
        "{{ text }} \n",
        "{{ text -}} b",
        "a {{ text|upper }}",
        "a {# b #} {{ text }}",
        "{% if yes %}{{ text }}{% endif %}",
    ] {
        assert!(!matches!(Template::new(source).0.kind, Kind::Joined { .. }), "{source}");
    }
}
