//! Conditions: something to ask, a value where one is needed, and of the right kind.

use super::{StepSite, comparisons};
use crate::workflow::{
    Finding, TemplateValue,
    condition::{Condition, Leaf},
    step::{Case, StepKind, TestFault},
};
use serde_json::Value;
use std::collections::HashMap;

/// Holds every condition step, as it is written, against asking nothing and against asking twice.
pub(super) fn check_written(steps: &Value, at: &str, findings: &mut Vec<Finding>) {
    for (n, step) in steps.as_array().into_iter().flatten().enumerate() {
        let pointer = format!("{at}/{n}");
        if let Some(fault) = fault_of(step) {
            findings.push(Finding::error(fault.code(), &pointer, fault.to_string()));
        }
        for (key, list) in [("parallel", "steps"), ("foreach", "steps"), ("parallel", "branches")] {
            let Some(inner) = step.get(key).and_then(|inner| inner.get(list)) else { continue };
            let at = format!("{pointer}/{key}/{list}");
            if list == "steps" {
                check_written(inner, &at, findings);
                continue;
            }
            for (n, branch) in inner.as_array().into_iter().flatten().enumerate() {
                if let Some(steps) = branch.get("steps") {
                    check_written(steps, &format!("{at}/{n}/steps"), findings);
                }
            }
        }
    }
}

/// What is wrong with what a step asks, where it is a condition step as it is written.
pub(super) fn fault_of(step: &Value) -> Option<TestFault> {
    let is_there = |key: &str| step.get(key).is_some_and(|value| !value.is_null());
    let is_condition = step.get("type").and_then(Value::as_str) == Some("condition");
    is_condition.then(|| TestFault::of(is_there("condition"), is_there("rule_id"))).flatten()
}

pub(super) fn check_step(site: &StepSite<'_>, findings: &mut Vec<Finding>) {
    if let StepKind::Switch { cases, .. } = &site.step.kind {
        check_cases(&format!("{}/cases", site.pointer), cases, findings);
    }
    for (below, condition) in site.step.conditions() {
        check(&format!("{}/{below}", site.pointer), condition, findings);
    }
}

/// Holds a switch against having no case, and a case against having the condition of an earlier one.
fn check_cases(at: &str, cases: &[Case], findings: &mut Vec<Finding>) {
    if cases.is_empty() {
        let message = "`switch` needs at least one case; without any, only `default` could be taken.";
        findings.push(Finding::error("cases.missing", at, message));
    }
    let mut earlier: HashMap<String, usize> = HashMap::new();
    for (n, case) in cases.iter().enumerate() {
        let asked = serde_json::to_string(&case.when).unwrap_or_default();
        if let Some(first) = earlier.get(&asked) {
            let message = format!("This case is never taken: case {} asks the same.", first + 1);
            findings.push(Finding::warning("condition.never", format!("{at}/{n}/when"), message));
        } else {
            earlier.insert(asked, n);
        }
    }
}

pub(in crate::workflow) fn check(at: &str, condition: &Condition, findings: &mut Vec<Finding>) {
    for (below, leaf) in condition.leaves() {
        comparisons::check_leaf(&format!("{at}{below}"), leaf, findings);
    }
    for (below, expr) in condition.expressions() {
        let pointer = format!("{at}{below}");
        match expr.condition() {
            // What its nodes say is said at the expression, which has no pointers inside.
            Ok(nodes) => {
                let mut enclosing = Vec::new();
                check("", nodes, &mut enclosing);
                check_secrets(nodes, &mut enclosing);
                findings.extend(enclosing.into_iter().map(|f| Finding { pointer: pointer.clone(), ..f }));
            }
            Err(_) if expr.source().is_empty() => {
                findings.push(Finding::error("expr.bad", pointer, "`expr` is empty; write what is asked."));
            }
            Err(error) => {
                let message = format!("The expression can't be read at {error}");
                findings.push(Finding::error("expr.bad", pointer, message));
            }
        }
    }
    comparisons::check_contradictions(at, condition, findings);
}

/// Secrets that an expression reads; those of other conditions are found with their texts.
fn check_secrets(nodes: &Condition, findings: &mut Vec<Finding>) {
    let reads_secret = |leaf: &Leaf| {
        let in_value = leaf.value.iter().flat_map(TemplateValue::templates);
        leaf.field.split('.').next() == Some("secrets")
            || in_value.map(|(_, template)| template).any(|template| template.secrets().next().is_some())
    };
    if nodes.leaves().into_iter().any(|(_, leaf)| reads_secret(leaf)) {
        let message = "An expression can't read a secret: its value never comes to conditions.";
        findings.push(Finding::error("secret.misplaced", "", message));
    }
}
