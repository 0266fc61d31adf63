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

/// The context that the tables below read.
fn shop() -> Value {
    json!({
        "order": {"id": "A1", "total": 12400.10, "lines": [
            {"sku": "a", "n": 2, "price": "1.50"}, {"sku": "b", "n": 1, "price": "2.25"}, {"sku": "c", "n": 3}]},
        "parcel": {"length": 120, "width": 50}, "tags": ["new", "large", "new"], "name": "ada lind",
        "a": 1.1, "b": 2.2, "n": 7, "zero": 0, "yes": true, "nil": null, "text": "50.00", "big": 9_223_372_036_854_775_807_i64,
        "list": [3, 1, 2], "path": "x/../y z", "i": 1, "key": "id",
    })
}

fn failure(template: &str, context: &Value) -> (&'static str, String) {
    let (context, now) = scope(context);
    let error = Template::new(template).value(&Scope::masked(&context, now)).unwrap_err();
    (error.code(), error.to_string())
}

/// Every form of an expression and a statement, with what it gives in [`shop`], as JSON.
const FORMS: &[(&str, &str)] = &[
    ("{{ order.lines[:2] | length }}", "2"),
    ("{{ order.lines[1:][0].sku }}", r#""b""#),
    ("{{ list[::-1] }}", "[2, 1, 3]"),
    ("{{ name[:3] }}", r#""ada""#),
    ("{{ list[i] }}", "1"),
    ("{{ order[key] }}", r#""A1""#),
    ("{{ order['id'] }}", r#""A1""#),
    ("{{ order.lines.0.sku }}", r#""a""#),
    ("{{ order.lines[0].sku }}", r#""a""#),
    ("{{ list[-1] }}", "2"),
    ("{{ -n }}", "-7"),
    ("{{ not yes }}", "false"),
    ("{{ a + b }}", "3.3"),
    ("{{ a - b }}", "-1.1"),
    ("{{ n * b }}", "15.4"),
    ("{{ n / 2 }}", "3.5"),
    ("{{ n // 2 }}", "3"),
    ("{{ n % 4 }}", "3"),
    ("{{ 2 ** n }}", "128"),
    ("{{ name ~ n }}", r#""ada lind7""#),
    ("{{ yes and n }}", "7"),
    ("{{ zero or name }}", r#""ada lind""#),
    ("{{ a < b <= 2.2 }}", "true"),
    ("{{ n == 7 and n != 8 and n > 6 and n >= 7 }}", "true"),
    ("{{ text == 50 }}", "true"),
    ("{{ a + b == 3.3 }}", "true"),
    ("{{ 'new' in tags and 'old' not in tags }}", "true"),
    ("{{ 'id' in order }}", "true"),
    ("{{ n if yes else a }}", "7"),
    ("{{ a if nothing else n }}", "7"),
    ("{{ n is odd and nothing is undefined and order is mapping }}", "true"),
    ("{{ n is divisibleby(i) }}", "true"),
    ("{{ [n, a][0] }}", "7"),
    ("{{ (n, a) | length }}", "2"),
    ("{{ {'x': n, key: a}.x }}", "7"),
    ("{{ {key: n}.id }}", "7"),
    ("{{ range(n) | length }}", "7"),
    ("{{ range(i, n, 2) }}", "[1, 3, 5]"),
    ("{{ dict(x=n).x }}", "7"),
    ("{{ tags | join(', ') }}", r#""new, large, new""#),
    ("{{ tags | replace(key, name) | length }}", "21"),
    ("{{ nothing | default(name) }}", r#""ada lind""#),
    ("{{ nothing.at.all | default(n) }}", "7"),
    ("{{ order.lines | map(attribute='n') | sum }}", "6"),
    ("{{ order.lines | sum(attribute='n') }}", "6"),
    ("{{ order.lines | selectattr('n', '>', i) | map(attribute='sku') | list }}", r#"["a", "c"]"#),
    ("{{ order.lines | selectattr('price') | map(attribute='price') | map('number') | sum }}", "3.75"),
    ("{{ list | select('odd') | list }}", "[3, 1]"),
    ("{{ list | sort(reverse=yes) }}", "[3, 2, 1]"),
    ("{{ order.lines | groupby('n') | map(attribute='grouper') | list }}", "[1, 2, 3]"),
    (
        "{% for n, own in order.lines | groupby('n') %}{{ n }}:{{ own[0].sku }} {% endfor %}",
        r#""1:b 2:a 3:c ""#,
    ),
    ("{% for line in order.lines %}{{ loop.index }}{{ line.sku }}{{ n }} {% endfor %}", r#""1a7 2b7 3c7 ""#),
    ("{% for line in order.lines if line.n > i %}{{ line.sku }}{% else %}-{% endfor %}", r#""ac""#),
    ("{% for x in nothing %}x{% else %}{{ n }}{% endfor %}", r#""7""#),
    ("{% for k, v in parcel | items %}{{ k }}={{ v }};{% endfor %}", r#""length=120;width=50;""#),
    ("{% if n > a %}{{ name }}{% elif yes %}x{% else %}y{% endif %}", r#""ada lind""#),
    ("{% set x = n %}{{ x + n }}", r#""14""#),
    ("{% set x %}{{ name }}!{% endset %}{{ x | upper }}", r#""ADA LIND!""#),
    ("{% with x = n %}{{ x }}{% endwith %}{{ x }}", r#""7""#),
    ("{% filter upper %}{{ name }}{% endfilter %}", r#""ADA LIND""#),
    ("{% macro m(x, y=n) %}{{ x }}{{ y }}{{ name }}{% endmacro %}{{ m(a) }}", r#""1.17ada lind""#),
    (
        "{% macro m() %}<{{ caller() }}>{% endmacro %}{% for t in tags %}{% call m() %}{{ t }}{{ n }}{% endcall %}{% endfor %}",
        r#""<new7><large7><new7>""#,
    ),
    (
        "{% set ns = namespace(found=zero) %}{% for x in list %}{% set ns.found = ns.found + x %}{% endfor %}{{ ns.found }}",
        r#""6""#,
    ),
    (
        "{% for x in [[1, [2]], [3]] recursive %}{% if x is iterable %}({{ loop(x) }}){% else %}{{ x }}{% endif %}{% endfor %}",
        r#""(1(2))(3)""#,
    ),
    ("{% for x in list %}{% if x == i %}{% break %}{% endif %}{{ x }}{% endfor %}", r#""3""#),
    ("{% for x in list %}{{ loop.cycle('a', 'b') }}{% endfor %}", r#""aba""#),
];

#[test]
fn every_form_of_an_expression_sees_the_context() {
    for (template, expected) in FORMS {
        let expected: Value = serde_json::from_str(expected).unwrap();
        assert_eq!(value(template, &shop()), expected, "{template}");
    }
}

#[test]
fn data_comes_before_length() {
    for (template, expected) in [
        ("{{ parcel.length }}", json!(120)),
        ("{% if parcel.length > 100 %}long{% endif %}", json!("long")),
        ("{{ parcel.length + 1 }}", json!(121)),
        ("{{ parcel | length }}", json!(2)),
        ("{{ order.length }}", json!(null)),
        ("{{ tags.length * 2 }}", json!(6)),
        ("{{ name.length }} and {{ (tags).length }}", json!("8 and 3")),
    ] {
        assert_eq!(value(template, &shop()), expected, "{template}");
    }
}

#[test]
fn values_print_as_json() {
    for (template, expected) in [
        ("x{{ true }}", "xtrue"),
        ("x{{ not yes }}", "xfalse"),
        ("x{{ nil }}x", "xx"),
        ("{{ [1, 'a', none] }}.", "[1,\"a\",null]."),
        ("{{ {'b': true} }}.", "{\"b\":true}."),
        ("{{ 10 / 4 }}.", "2.5."),
        ("{{ 1e21 + 0 }}.", "1000000000000000000000."),
        ("{{ 2.345 | money('EUR') }}", "€2.35"),
        ("{{ 1234.5 | money('JPY') }}", "¥1,235"),
        ("{{ '%05.1f|%-4s|%d' | format(3.14159, 'ab', 7.9) }}", "003.1|ab  |7"),
        ("{{ {'a': [1]} | tojson(indent=2) }}", "{\n  \"a\": [\n    1\n  ]\n}"),
    ] {
        assert_eq!(value(template, &shop()), json!(expected), "{template}");
    }
}

#[test]
fn numbers_are_exact_or_an_error() {
    assert_eq!(value("{{ 2 ** 64 }}", &shop()), json!("18446744073709551616"));
    assert_eq!(value("{{ big * 1000 }}", &shop()), json!("9223372036854775807000"));
    for template in
        ["{{ 10 ** 38 }}", "{{ big * big * big }}", "{{ 1 / zero }}", "{{ n // zero }}", "{{ n % 0.0 }}"]
    {
        assert_eq!(failure(template, &shop()).0, "template.overflow", "{template}");
    }
}

#[test]
fn arithmetic_with_a_text_says_how_to_make_a_number() {
    for template in ["{{ text * 2 }}", "{{ text + 1 }}", "{{ text + text }}", "{{ 1 - text }}", "{{ -text }}"]
    {
        let (code, why) = failure(template, &shop());
        assert_eq!(code, "template.type", "{template}");
        assert!(why.contains("`text | number`"), "{why}");
    }
    for template in ["{{ nothing + 1 }}", "{{ nil * 2 }}", "{{ yes + 1 }}", "{{ order / 2 }}"] {
        assert_eq!(failure(template, &shop()).0, "template.type", "{template}");
    }
    assert_eq!(value("{{ text | number * 2 }}", &shop()), json!(100));
    assert_eq!(value("{{ text ~ text }}", &shop()), json!("50.0050.00"));
}

#[test]
fn what_does_not_exist_is_known_before_it_is_used() {
    for (template, says) in [
        ("{{ name | uppercase }}", "did you mean `| upper`"),
        ("{{ uuid() }}", "there is no function `uuid`"),
        ("{{ name.upper() }}", "write `| upper`"),
        ("{{ name is emptyy }}", "there is no test `emptyy`"),
        ("{{ tags | map('uppr') }}", "there is no filter `uppr`"),
        ("{{ tags | select('od') }}", "there is no test `od`"),
        ("{% include 'x' %}", "can't load another"),
        ("{{ secrets[key] }}", "`secrets.name`"),
        ("{{ secrets }}", "`secrets.name`"),
        ("{{ order. }}", "name"),
        ("{% if x %}", "end"),
        ("{{ a", "`}}`"),
        ("{{ 1e400 }}", "too large"),
        ("{{ now_plus_24hh }}", "is no time"),
        ("x {{ now_minus_800000d }}", "is no time"),
        ("{{ nowhere | upper }}", "is no time"),
        ("{{ ('a')('b') }}", "a constant"),
    ] {
        let template = Template::new(template);
        let fault = template.fault().unwrap_or_else(|| panic!("{template:?}"));
        assert!(fault.contains(says), "{template:?}: {fault}");
    }
    assert!(Template::new("no template at all }}").fault().is_none());
    let doubts = |source: &str| Template::new(source).doubts().len();
    assert_eq!(doubts("{{ order.ship-to }}"), 1);
    assert_eq!(doubts("x {{ order.ship-to | upper }}"), 1);
    assert_eq!(doubts("{{ order.ship-to.street }}"), 1);
    assert_eq!(doubts("{{ order.total - discount }} {{ a-b }} {% set to = 1 %}{{ order.ship-to }}"), 0);
}

#[test]
fn what_is_given_to_filters_tests_and_functions_is_held_against_what_they_take() {
    let misuses = |source: &str| Template::new(source).misuses().join("; ");
    for (template, says) in [
        ("{{ x | replace }}", "`replace` needs `old`: `replace(old, new)`"),
        ("{{ x | replace('a') }}", "`replace` needs `new`"),
        ("{{ x | replace(new='a') }}", "`replace` needs `old`"),
        ("{{ x | replace('a', 'b', 1, 2) }}", "`replace` takes old, new, count, and 4 values are given"),
        ("{{ x | upper('a') }}", "`upper` takes nothing in brackets"),
        ("{{ x | round(digits=2) }}", "`round` takes no `digits`; it takes precision, method"),
        ("{% filter truncate(1, 2, 3, 4) %}x{% endfilter %}", "`truncate` takes length, killwords, end"),
        ("{{ x | selectattr }}", "`selectattr` needs something in brackets"),
        ("{{ x is divisibleby }}", "`divisibleby` needs `value`"),
        ("{{ x is defined(1) }}", "`defined` takes nothing in brackets"),
        ("{{ range() }}", "`range` needs `start`"),
        ("{{ range(1, 2, 3, 4) }}", "`range` takes start, stop, step"),
    ] {
        let found = misuses(template);
        assert!(found.contains(says), "{template}: {found}");
        // A document that is stored with it goes on as before.
        assert!(Template::new(template).fault().is_none(), "{template}");
    }
    for (template, _) in FORMS {
        assert_eq!(misuses(template), "", "{template}");
    }
    for right in ["{{ x | replace(*pair) }}", "{{ x | round(**how) }}", "{{ x | replace('a', new='b') }}"] {
        assert_eq!(misuses(right), "", "{right}");
    }
}

#[test]
fn what_a_template_reads_is_found_by_its_syntax() {
    let template = Template::new(
        "{{ a[b:c] }}{% for x in d %}{{ x }}{{ loop.index }}{% endfor %}{% set e = f %}{{ e }}\
         {{ secrets.one }}{{ secrets['two'] | upper }}{{ 'secrets.three' }} secrets.four",
    );
    assert_eq!(template.names().collect::<Vec<_>>(), ["a", "b", "c", "d", "f", "secrets"]);
    assert_eq!(template.secrets().collect::<Vec<_>>(), ["one", "two"]);
    assert_eq!(Template::new("{{ secrets.x }}").secrets().collect::<Vec<_>>(), ["x"]);
}

#[test]
fn too_long_or_too_deep_a_template_is_known_whatever_it_is_made_of() {
    let n = 3_000;
    for template in [
        format!("{{{{ {}a }}}}", "-".repeat(n)),
        format!("{{{{ {}a }}}}", "not ".repeat(n)),
        format!("{{{{ a{} }}}}", "+a".repeat(n)),
        format!("{{{{ a{} }}}}", "~a".repeat(n)),
        format!("{{{{ a{} }}}}", " and a".repeat(n)),
        format!("{{{{ a{} }}}}", "|upper".repeat(2_000)),
        format!("{{{{ a{} }}}}", ".b".repeat(n)),
        format!("{{{{ a{} }}}}", "[0]".repeat(n)),
        format!("{{{{ a{} }}}}", "()".repeat(n)),
        format!("{{{{ a{} }}}}", " is odd".repeat(1_500)),
        format!("{{{{ a{} }}}}", " if a else a".repeat(1_000)),
        format!("{{{{ {}a{} }}}}", "(".repeat(n), ")".repeat(n)),
        format!("{{{{ {}{} }}}}", "[".repeat(n), "]".repeat(n)),
        format!("{{{{ {}1{} }}}}", "{1:".repeat(n), "}".repeat(n)),
        format!("{{{{ {}a{} }}}}", "a[".repeat(n), "]".repeat(n)),
        format!("{}{}", "{% if a %}".repeat(700), "{% endif %}".repeat(700)),
        format!("{{% if a %}}{}{{% endif %}}", "{% elif a %}x".repeat(1_000)),
        format!("{}{}", "{% for a in b %}".repeat(400), "{% endfor %}".repeat(400)),
        format!("{}{}", "{% set a %}".repeat(600), "{% endset %}".repeat(600)),
        format!("{}{}", "{% filter upper %}".repeat(400), "{% endfilter %}".repeat(400)),
        format!("{}{}", "{% with a=1 %}".repeat(500), "{% endwith %}".repeat(500)),
        format!("{{% set a{} = 1 %}}", ".b".repeat(n)),
        format!("{{% for {}a{} in b %}}{{% endfor %}}", "(".repeat(n), ")".repeat(n)),
        format!("x{} {{{{ a }}}}", "x".repeat(MAX_LENGTH)),
    ] {
        let parsed = Template::new(template.as_str());
        let fault = parsed.fault().unwrap_or_else(|| panic!("{}", &template[..60]));
        assert!(fault.contains("more than"), "{}: {fault}", &template[..60]);
    }
    // What is merely long stays as it was.
    let many = format!("{{{{ [{}] | length }}}}", "a.b, ".repeat(2_000));
    assert_eq!(value(&many, &json!({})), json!(2_000));
    let sets = "{% set a = 1 %}".repeat(900);
    assert_eq!(value(&format!("{sets}{{{{ a }}}}"), &json!({})), json!("1"));
    assert!(Template::new(format!("{{{{ a{} }}}}", " + a".repeat(140))).fault().is_none());
}

#[test]
fn the_deepest_template_fits_half_of_a_threads_stack() {
    let half = MAX_NESTING - 1;
    let sources = [
        format!("{{{{ a{} }}}}", "+a".repeat(MAX_CHAIN - 1)),
        format!("{{{{ {}a }}}}", "-".repeat(MAX_CHAIN - 1)),
        format!("{{{{ {}a{} }}}}", "(".repeat(half), ")".repeat(half)),
        format!("{{{{ {}a{} }}}}", "[not ".repeat(24), "]".repeat(24)),
        format!("{{{{ a{} }}}}", " if a else a".repeat(24)),
        format!(
            "{}{{{{ a{} }}}}{}",
            "{% if not a %}".repeat(half),
            "~a".repeat(MAX_CHAIN - 1),
            "{% endif %}".repeat(half)
        ),
        format!(
            "{{% macro m(x) %}}{{{{ {}m(x){} }}}}{{% endmacro %}}{{{{ m(1) }}}}",
            "[".repeat(40),
            "]".repeat(40)
        ),
        format!(
            "{{% macro m(x) %}}{{{{ x{}+m(x) }}}}{{% endmacro %}}{{{{ m(1) }}}}",
            "+1".repeat(MAX_CHAIN - 20)
        ),
    ];
    for source in sources {
        let run = std::thread::Builder::new().stack_size(1 << 20).spawn(move || {
            let template = Template::new(source.as_str());
            assert!(template.fault().is_none(), "{source}: {:?}", template.fault());
            let (context, now) = scope(&json!({}));
            drop(template.value(&Scope::masked(&context, now)));
        });
        run.unwrap().join().unwrap();
    }
}

#[test]
fn nothing_that_multiplies_goes_past_its_bounds() {
    for template in [
        "{{ [0] * 100000000 }}",
        "{{ 100000000 * list }}",
        "{{ range(999999999) | list }}",
        "{{ range(-9999999999999, 99999999999999) }}",
        "{{ [1] | tojson(indent=500000000) }}",
        "{{ [[1]] | tojson(500000) }}",
        "{{ 'a\nb' | indent(999999999) }}",
        "{{ 'a' | center(999999999) }}",
        "{{ [1] | batch(999999999, 0) | list }}",
        "{{ [1] | slice(999999999) | list }}",
        "{{ '%999999999d' | format(1) }}",
        "{{ '%.999999999f' | format(1) }}",
        "{{ range(20000) | join('x' ~ range(2000) | join) }}",
        "{% set ns = namespace(x=[1]) %}{% for i in range(40) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x | length }}",
        "{% set ns = namespace(x='ab') %}{% for i in range(40) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x | length }}",
        "{% set ns = namespace(x='ab') %}{% for i in range(40) %}{% set ns.x = ns.x | replace('a', ns.x) %}{% endfor %}{{ ns.x | length }}",
        "{% set ns = namespace(x=[1]) %}{% for i in range(40) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}",
        "{% set ns = namespace(x=[1]) %}{% for i in range(999) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}",
        "{% set ns = namespace(x=1) %}{% for i in range(999) %}{% set ns.x = {'a': ns.x} %}{% endfor %}{{ ns.x }}",
        "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}",
        "{% for a in range(9999) %}{{ range(9999) | sort | length }}{% endfor %}",
        "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
        "{{ range(60000) | map('string') | sort | unique | join }}",
        "{% for i in range(90000) %}xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx{% endfor %}",
        "{{ range(2000) | map('tojson') | map('indent', 1000, true) | join }}",
        "{{ range(300) | zip(range(300)) | map('batch', 9000, 1) | list }}",
    ] {
        let (code, why) = failure(template, &shop());
        assert!(
            ["template.limit", "value.too_deep", "template.failed", "template.type"].contains(&code),
            "{template}: {code} {why}"
        );
    }
}

#[test]
fn every_filter_test_and_function_bears_any_argument() {
    let values = [
        "nothing",
        "none",
        "true",
        "0",
        "-1",
        "1.5",
        "99999999999999999999",
        "''",
        "'abc'",
        "'x' ~ range(3000) | join",
        "[]",
        "[1, 'a', none, [2]]",
        "range(5000)",
        "{}",
        "{'a': 1}",
        "order",
        "namespace(a=1)",
    ];
    let (context, now) = scope(&shop());
    let scope = Scope::masked(&context, now);
    let all = filters::names().map(|name| format!("| {name}")).chain(
        predicates::names()
            .filter(|name| name.chars().all(char::is_alphabetic))
            .map(|name| format!("is {name}")),
    );
    for name in all {
        for value in values {
            for arguments in [
                "",
                "(99999999)",
                "(-1)",
                "('a', 'b')",
                "(none)",
                "([1], 99999999)",
                "(attribute='a.b')",
                "(true, width=9999999)",
            ] {
                let source = format!("{{{{ ({value}) {name}{arguments} }}}}");
                // It gives a value, or says why it can't.
                drop(Template::new(source.as_str()).value(&scope));
            }
        }
    }
    for name in functions::names() {
        for value in values {
            let source = format!("{{{{ {name}({value}, {value}) }}}}");
            drop(Template::new(source.as_str()).value(&scope));
        }
    }
}

#[test]
fn values_in_an_address_stay_where_they_stand() {
    let context = json!({
        "id": "A1/../../admin", "q": "a b&c=d?e#f", "base": "https://shop.example/api", "host": "shop.example:8080",
        "part": "x/y", "up": "..", "dot": ".", "evil": "evil.example/x?", "n": 7, "text": "ü",
    });
    let (context, now) = scope(&context);
    let scope = Scope::masked(&context, now);
    for (template, expected) in [
        ("https://h/orders/{{ id }}", "https://h/orders/A1%2F..%2F..%2Fadmin"),
        ("https://h/orders?q={{ q }}&n={{ n }}", "https://h/orders?q=a%20b%26c%3Dd%3Fe%23f&n=7"),
        ("{{ base }}/orders/{{ id }}", "https://shop.example/api/orders/A1%2F..%2F..%2Fadmin"),
        ("{{ base }}", "https://shop.example/api"),
        ("https://{{ host }}/x", "https://shop.example:8080/x"),
        ("https://{{ evil }}/x", "https://evil.example%2Fx%3F/x"),
        ("https://h/{{ part | url }}/{{ part }}", "https://h/x/y/x%2Fy"),
        ("https://h/{{ part | urlencode }}", "https://h/x%2Fy"),
        ("https://h/{{ text }}", "https://h/%C3%BC"),
        ("https://h/{{ secrets.token }}/{{ n }}", "https://h/•••/7"),
        ("https://h/{% if n %}{{ q }}{% endif %}", "https://h/a%20b%26c%3Dd%3Fe%23f"),
        ("https://h/{% set x %}{{ part }}{% endset %}{{ x }}", "https://h/x%2Fy"),
    ] {
        assert_eq!(Template::new(template).address(&scope).unwrap(), expected, "{template}");
    }
    for template in
        ["https://h/orders/{{ missing }}", "https://{{ missing }}/x", "https://h/{{ a.b }}/c?d={{ n }}"]
    {
        let error = Template::new(template).address(&scope).unwrap_err();
        assert_eq!(error.code(), "template.missing", "{template}");
    }
    assert_eq!(Template::new("https://h/x?y={{ missing }}").address(&scope).unwrap(), "https://h/x?y=");
    for template in [
        "https://h/a/{{ up }}/b",
        "https://h/{{ dot }}{{ dot }}",
        "{{ base }}/{{ up }}",
        "https://h/{{ up | url }}/x",
    ] {
        assert_eq!(Template::new(template).address(&scope).unwrap_err().code(), "template.url", "{template}");
    }
    assert_eq!(Template::new("https://h/{{ id }}").text(&scope).unwrap(), "https://h/A1/../../admin");
}
