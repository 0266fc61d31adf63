//! Conditions: something to ask, a value where one is needed, and of the right kind.

use super::{StepSite, comparisons};
use crate::workflow::{
    Finding, TemplateValue,
    condition::{Condition, Leaf},
    step::{Case, StepKind},
};
use std::collections::HashMap;

pub(super) fn check_step(site: &StepSite<'_>, findings: &mut Vec<Finding>) {
    if let StepKind::Condition { condition, rule_id, .. } = &site.step.kind {
        match (condition, rule_id) {
            (None, None) => {
                let message = "A condition step needs `condition` or `rule_id`.";
                findings.push(Finding::error("condition.missing", &site.pointer, message));
            }
            (Some(_), Some(_)) => {
                let message = "`condition` and `rule_id` can't stand together.";
                findings.push(Finding::error("condition.twice", &site.pointer, message));
            }
            (Some(_), None) | (None, Some(_)) => {}
        }
    }
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
