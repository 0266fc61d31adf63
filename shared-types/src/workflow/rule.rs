//! Stored rules: conditions with a name and tests of their own, that many workflows may ask.

use super::{
    Checked, Document, Finding, Format, Source, bounds,
    check::{check_condition, every_step, too_many_regexes},
    condition::Condition,
    evaluate::{evaluate, time_of},
    schema,
    scope::Scope,
    step::{ConditionStep, RuleVersion, StepKind, Test},
};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, sync::LazyLock};

/// A version of a stored rule, as a run asks it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// Number of the version, counted from 1.
    pub version: i32,
    /// What it asks.
    pub condition: Condition,
}

/// Ids that no rule may have, since the API has a path of this name beside those of rules.
pub const RESERVED_IDS: [&str; 1] = ["try"];

/// A rule as its author wrote it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RuleDocument {
    /// The slug, unique in a workspace.
    #[schemars(extend("format" = "slug", "not" = { "enum": RESERVED_IDS }))]
    pub rule_id: String,
    /// What people call it.
    #[schemars(length(max = bounds::MAX_NAME))]
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = bounds::MAX_DESCRIPTION))]
    pub description: Option<String>,
    /// What it asks.
    pub condition: Condition,
    /// Examples that must hold before a version is saved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tests: Vec<RuleTest>,
}

/// An example of a rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RuleTest {
    /// What it shows.
    pub name: String,
    /// What there is to see.
    #[serde(default)]
    pub given: RuleGiven,
    /// What must come of it.
    pub expect: bool,
}

/// What a rule sees in a test.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RuleGiven {
    /// The context: what an event would bring.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub payload: Map<String, Value>,
    /// The time, as RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "instant"))]
    pub now: Option<String>,
}

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let mut schema = schemars::schema_for!(RuleDocument).to_value();
    schema["title"] = "Rule".into();
    schema["$id"] = "urn:iw:schema:rule:1".into();
    schema
});

/// Reads, checks and tests a rule's text.
pub fn check_rule(text: &str, format: Format) -> (Checked, Option<RuleDocument>) {
    let source = match Source::parse(text, format) {
        Ok(source) => source,
        Err(fault) => return (Checked::unreadable(*fault), None),
    };
    let mut findings = schema::check_against(&SCHEMA, &source.value);
    let rule: Option<RuleDocument> = serde_json::from_value(source.value.clone()).ok();
    if let Some(rule) = &rule {
        match too_many_regexes("/condition", &rule.condition, &mut 0) {
            Some(fault) => findings.push(fault),
            None => check_condition("/condition", &rule.condition, &mut findings),
        }
        if findings.is_empty() {
            findings = failing_tests(rule);
        }
    }
    let checked = Checked::of(source, findings);
    let rule = rule.filter(|_| !checked.has_errors());
    (checked, rule)
}

fn failing_tests(rule: &RuleDocument) -> Vec<Finding> {
    let tests = rule.tests.iter().enumerate();
    tests
        .filter_map(|(n, test)| {
            let now = test.given.now.as_deref().and_then(time_of).unwrap_or(DateTime::<Utc>::UNIX_EPOCH);
            let mut context = test.given.payload.clone();
            context.entry("event").or_insert_with(|| Value::Object(test.given.payload.clone()));
            context.entry("steps").or_insert_with(|| json!({}));
            let got = match evaluate(&rule.condition, &Scope::masked(&context, now)) {
                Ok(why) if why.holds() == test.expect => return None,
                Ok(why) => why.sentence(),
                Err(error) => error.to_string(),
            };
            let message = format!("The test \"{}\" fails: {got}.", test.name);
            Some(Finding::error("test.failed", format!("/tests/{n}/expect"), message))
        })
        .collect()
}

/// The stored rules that a document asks as they stand at publishing, with the places that ask.
pub fn asked_rules(document: &Document) -> BTreeMap<String, Vec<AskedRule>> {
    let mut asked: BTreeMap<String, Vec<AskedRule>> = BTreeMap::new();
    for (pointer, step) in every_step(document) {
        if let StepKind::Condition(ConditionStep { test: Test::Rule { rule_id, version }, .. }) = &step.kind {
            let latest = *version == Some(RuleVersion::Latest);
            asked.entry(rule_id.clone()).or_default().push(AskedRule { pointer, latest });
        }
    }
    asked
}

/// A place that asks a stored rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedRule {
    /// The step.
    pub pointer: String,
    /// Whether it asks the rule as it stands when asked.
    pub latest: bool,
}
