//! `docs/language.md` is the reference: its tables are the program's own, each of its examples is checked and passes its
//! own tests, and no step, effect, operator or trigger is without one. So are the examples of the guides.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use serde_json::Value;
use shared_types::{
    machine::{
        Limits,
        limits::{MAX_ITEMS, MAX_NESTING, MAX_OPEN_WAITS},
        review::review,
        supported::{SUPPORTED, unsupported},
    },
    workflow::{Format, Severity, check::Environment, condition::Operator, number::grouped, schema::schema},
};
use std::{collections::BTreeSet, fmt::Write as _};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/language.md");
const GUIDES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/guides");
const HEAD: &str = "workflow_id: example\nname: Example\ntrigger: { type: manual }\n";

fn text() -> String {
    std::fs::read_to_string(FILE).unwrap()
}

/// The fenced examples, each as a whole document.
fn examples(text: &str) -> Vec<String> {
    let blocks = text.split("```yaml\n").skip(1).map(|block| block.split("```").next().unwrap());
    blocks
        .map(|block| {
            if block.contains("workflow_id:") && !block.starts_with("steps:") {
                block.to_owned()
            } else {
                format!("{HEAD}{block}")
            }
        })
        .collect()
}

/// Every value of a key, anywhere below.
fn gather(value: &Value, key: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(text)) = map.get(key) {
                found.insert(text.clone());
            }
            map.values().for_each(|inner| gather(inner, key, found));
        }
        Value::Array(list) => list.iter().for_each(|inner| gather(inner, key, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Checks an example and runs its own tests; the document as a value.
fn passes(example: &str) -> Value {
    let checked = review(example, Format::Yaml, &Environment::Unknown);
    let errors: Vec<_> = checked.findings.iter().filter(|f| f.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{example}\n{errors:#?}");
    let document = checked.document.unwrap();
    // What this server can't run yet has no tests that could be run.
    assert!(!document.tests.is_empty() || !unsupported(&document).is_empty(), "no tests:\n{example}");
    checked.value
}

#[test]
fn the_examples_of_the_guides_are_sound_and_pass_their_own_tests() {
    let mut found = 0;
    for guide in std::fs::read_dir(GUIDES).unwrap() {
        let guide = std::fs::read_to_string(guide.unwrap().path()).unwrap();
        for example in examples(&guide) {
            passes(&example);
            found += 1;
        }
    }
    assert!(found > 0, "the guides have no example");
}

#[test]
fn each_example_is_sound_and_passes_its_own_tests() {
    let (mut types, mut operators) = (BTreeSet::new(), BTreeSet::new());
    for example in examples(&text()) {
        let value = passes(&example);
        gather(&value, "type", &mut types);
        gather(&value, "operator", &mut operators);
    }
    let wanted = variants("Step").into_iter().chain(variants("Effect")).chain(variants("Trigger"));
    let missing: Vec<String> =
        wanted.map(|(name, _)| name).filter(|name| !types.contains(name) && name != "webhook").collect();
    assert!(missing.is_empty(), "no example of {missing:?}");
    let missing: Vec<&str> = Operator::SPELLINGS
        .iter()
        .copied()
        .filter(|word| Operator::parse(word).unwrap().as_str() == *word && !operators.contains(*word))
        .collect();
    assert!(missing.is_empty(), "no example of {missing:?}");
}

/// The variants of a tagged type, each with its description, out of the schema that editors get.
fn variants(name: &str) -> Vec<(String, String)> {
    let of = schema().pointer(&format!("/$defs/{name}/oneOf")).and_then(Value::as_array).unwrap();
    of.iter()
        .map(|variant| {
            let tag = variant.pointer("/properties/type/const").and_then(Value::as_str).unwrap();
            (tag.to_owned(), variant["description"].as_str().unwrap_or_default().to_owned())
        })
        .collect()
}

fn table(name: &str, supported: &[&str]) -> String {
    let mut table = String::from("| type | what it does |\n|---|---|\n");
    for (tag, what) in variants(name) {
        let yet = if supported.contains(&tag.as_str()) { "" } else { " (not yet on this server)" };
        writeln!(table, "| `{tag}` | {}{yet} |", what.trim_end_matches('.')).unwrap();
    }
    table
}

fn operators() -> String {
    let mut table = String::from("| operator | also | reads as | of what isn't there |\n|---|---|---|---|\n");
    let mut seen = BTreeSet::new();
    for word in Operator::SPELLINGS {
        let operator = Operator::parse(word).unwrap();
        if !seen.insert(operator.as_str()) {
            continue;
        }
        let also: Vec<String> = Operator::SPELLINGS
            .iter()
            .filter(|other| Operator::parse(other) == Some(operator) && **other != operator.as_str())
            .map(|other| format!("`{other}`"))
            .collect();
        let missing = if operator.holds_for_missing() { "true" } else { "false" };
        let (word, also, reads) = (operator.as_str(), also.join(" "), operator.phrase());
        writeln!(table, "| `{word}` | {also} | {reads} | {missing} |").unwrap();
    }
    table
}

fn templates() -> String {
    let mut table = String::from("| | |\n|---|---|\n");
    for (kind, words) in shared_types::workflow::template::vocabulary() {
        let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
        writeln!(table, "| {kind} | {} |", words.join(" ")).unwrap();
    }
    table
}

fn limits() -> String {
    let usual = Limits::default();
    let rows = [
        ("steps that a run may enter", grouped(&usual.steps.to_string()), "`limit.steps`; `IW_MAX_STEPS`"),
        (
            "bytes, about, that its steps may keep in the context",
            grouped(&usual.bytes.to_string()),
            "`limit.state`; `IW_MAX_CONTEXT`",
        ),
        ("items of a `foreach`", grouped(&MAX_ITEMS.to_string()), "`limit.items`"),
        ("branches and bodies in each other", grouped(&MAX_NESTING.to_string()), "`limit.nesting`"),
        ("places in which a run waits at once", grouped(&MAX_OPEN_WAITS.to_string()), "`limit.waits`"),
        (
            "runs that set each other off",
            shared_types::machine::MAX_DEPTH.to_string(),
            "`emit.depth`, `call.depth`",
        ),
    ];
    let mut table = String::from("| what | at most | code, and setting |\n|---|---|---|\n");
    for (what, most, code) in rows {
        writeln!(table, "| {what} | {most} | {code} |").unwrap();
    }
    table
}

/// The text with its tables as the program has them.
fn renewed(text: &str) -> String {
    let tables = [
        ("steps", table("Step", SUPPORTED.steps)),
        ("effects", table("Effect", SUPPORTED.effects)),
        ("operators", operators()),
        ("templates", templates()),
        ("limits", limits()),
    ];
    tables.into_iter().fold(text.to_owned(), |text, (name, table)| {
        let begin = format!("<!-- generated: {name} -->\n");
        let (before, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("no {name}"));
        let (_, after) = rest.split_once("<!-- end -->").unwrap();
        format!("{before}{begin}{table}<!-- end -->{after}")
    })
}

#[test]
fn the_tables_are_the_programs_own() {
    let text = text();
    let renewed = renewed(&text);
    if std::env::var_os("IW_WRITE_REFERENCE").is_some() {
        std::fs::write(FILE, &renewed).unwrap();
        return;
    }
    assert!(text == renewed, "docs/language.md is old: `cargo xtask language` writes its tables");
}
