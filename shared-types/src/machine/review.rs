//! The whole review of a document: the checks, what this server can't run, and its own tests.

use super::{Definition, limits::MAX_WORK, simulate::simulate_test, supported::unsupported};
use crate::workflow::{
    Checked, Document, Finding, Format, Severity,
    check::{self, Environment},
    rule::{Rule, asked_rules},
    template::work_done,
    test_script::Expectation,
};
use std::{collections::BTreeMap, sync::Arc};

/// The version of the checks. Raise it whenever they change, so that stored revisions are reviewed again.
pub const CHECKS_VERSION: i32 = 5;

/// How many steps the tests of one document may enter together.
const MAX_TEST_STEPS: usize = 200_000;
/// How much work the templates and conditions in the tests of one document may do together.
const MAX_TEST_WORK: u64 = 4 * MAX_WORK;

/// Reads, checks and tests a text.
pub fn review(text: &str, format: Format, environment: &Environment) -> Checked {
    let mut checked = review_untested(text, format, environment);
    run_tests(&mut checked, environment.rules());
    checked
}

/// Reads and checks a text, and leaves its tests to [`run_tests`].
pub fn review_untested(text: &str, format: Format, environment: &Environment) -> Checked {
    let mut checked = check::check(text, format, environment);
    if let Some(document) = &checked.document {
        checked.add(unsupported(document));
    }
    checked
}

/// The stored rules that the tests of a document ask; none where it has no tests to run.
pub fn rules_of_tests(checked: &Checked) -> Vec<String> {
    let document = checked.document.as_ref().filter(|document| !document.tests.is_empty());
    document.map(|document| asked_rules(document).into_keys().collect()).unwrap_or_default()
}

/// Runs the tests of a document that has no errors and can be run here.
pub fn run_tests(checked: &mut Checked, rules: BTreeMap<String, Rule>) {
    let can_run = !checked.own.names("unsupported");
    if let Some(document) = checked.document.as_ref().filter(|document| can_run && !document.tests.is_empty())
    {
        let findings = failing_tests(document.clone(), rules);
        checked.add(findings);
    }
}

/// The findings that keep a document from being enabled.
pub fn blocking(findings: &[Finding]) -> Vec<Finding> {
    findings.iter().filter(|finding| finding.severity != Severity::Warning).cloned().collect()
}

fn failing_tests(document: Document, rules: BTreeMap<String, Rule>) -> Vec<Finding> {
    if let Some(rule) = asked_rules(&document).into_keys().find(|rule| !rules.contains_key(rule)) {
        let message = format!("The tests weren't run: the rule {rule} isn't there.");
        return vec![Finding::warning("tests.not_run", "/tests", message)];
    }
    let definition = Arc::new(Definition::with_rules(document, rules));
    let (work_before, mut steps) = (work_done(), 0);
    let mut findings = Vec::new();
    for (n, test) in definition.document().tests.iter().enumerate() {
        if steps > MAX_TEST_STEPS || work_done() - work_before > MAX_TEST_WORK {
            let message = format!(
                "The tests from \"{}\" on weren't run: those before it take more than {MAX_TEST_STEPS} steps, or as much work in templates. Leave some out, or give them fewer items.",
                test.name
            );
            findings.push(Finding::error("tests.too_much", format!("/tests/{n}"), message));
            break;
        }
        let simulation = simulate_test(&definition, &test.given);
        steps += simulation.steps.len();
        findings.extend(differences(&test.expect, &simulation).into_iter().map(|(key, message)| {
            let message = format!("The test \"{}\" fails: {message}.", test.name);
            Finding::error("test.failed", format!("/tests/{n}/{key}"), message)
        }));
    }
    findings
}

fn differences(expect: &Expectation, got: &super::simulate::Simulation) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let mut hold = |key: &'static str, wanted: Option<&String>, got: Option<&str>| {
        if let Some(wanted) = wanted
            && got != Some(wanted.as_str())
        {
            let got = got.unwrap_or("none");
            found.push((key, format!("{} is {got}, not {wanted}", key.trim_start_matches("expect/"))));
        }
    };
    hold("expect/result", expect.result.as_ref(), got.result.map(super::result::RunResult::as_str));
    hold("expect/status", expect.status.as_ref(), Some(got.status.as_str()));
    hold("expect/reason", expect.reason.as_ref(), got.reason.as_deref());
    if let Some(path) = expect.path.as_ref().filter(|path| **path != got.path) {
        let words = |path: &[crate::ids::StepId]| {
            path.iter().map(crate::ids::StepId::as_str).collect::<Vec<_>>().join(", ")
        };
        found.push(("expect/path", format!("the path is {}, not {}", words(&got.path), words(path))));
    }
    for unused in &got.unused {
        found.push((
            "given/script",
            format!("entry {} of the script could not be used: {}", unused.index, unused.why),
        ));
    }
    found
}
