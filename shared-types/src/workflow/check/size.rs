//! How large a document may be, found out before anything else is checked.

use super::StepSite;
use crate::workflow::{
    Document, Finding, TemplateValue,
    condition::{Condition, Operator},
};
use serde_json::Value;

/// The most steps of a document, those of branches and bodies among them.
pub const MAX_STEPS: usize = 20_000;
/// The most regular expressions that a document may hold as literals. Each is compiled when the document is
/// checked, which takes some milliseconds.
pub const MAX_REGEXES: usize = 200;

/// A finding where a value holds more steps than are checked.
pub(super) fn too_many_steps(value: &Value) -> Option<Finding> {
    let count = count_steps(value);
    (count > MAX_STEPS).then(|| {
        let message = format!(
            "The workflow has {count} steps, and at most {MAX_STEPS} are checked; divide it, and join the parts by `call`."
        );
        Finding::error("steps.too_many", "/steps", message)
    })
}

/// Counts the steps of a document that may have any shape, with a stack of its own.
fn count_steps(document: &Value) -> usize {
    let mut count = 0;
    let mut open: Vec<&Value> = document.get("steps").into_iter().collect();
    while let Some(Value::Array(steps)) = open.pop() {
        count += steps.len();
        for step in steps {
            let parallel = step.get("parallel");
            let branches = parallel.and_then(|parallel| parallel.get("branches")).and_then(Value::as_array);
            let containers = branches.into_iter().flatten().chain(parallel).chain(step.get("foreach"));
            // What isn't a list has no steps, and would end the loop.
            open.extend(containers.filter_map(|container| container.get("steps")).filter(|s| s.is_array()));
        }
    }
    count
}

/// A finding where a document's conditions hold more literal regular expressions than are compiled.
pub(super) fn too_many_regexes(document: &Document, sites: &[StepSite<'_>]) -> Option<Finding> {
    let mut count = 0;
    let filter = document.filter().and_then(|filter| too_many_in("/trigger/filter", filter, &mut count));
    filter.or_else(|| {
        sites.iter().find_map(|site| {
            site.step.conditions().into_iter().find_map(|(below, condition)| {
                too_many_in(&format!("{}/{below}", site.pointer), condition, &mut count)
            })
        })
    })
}

/// Adds a condition's literal regular expressions to `count`; a finding at the first that is one too many. One
/// condition alone may not have more of any kind, since each is compiled when the condition is asked.
pub(in crate::workflow) fn too_many_in(
    at: &str,
    condition: &Condition,
    count: &mut usize,
) -> Option<Finding> {
    let mut here = 0;
    let mut is_over = |condition: &Condition| {
        condition.leaves().into_iter().find_map(|(below, leaf)| {
            let is_literal = matches!(leaf.value, Some(TemplateValue::Literal(_)));
            here += usize::from(leaf.operator == Operator::Regex);
            *count += usize::from(leaf.operator == Operator::Regex && is_literal);
            (*count > MAX_REGEXES || here > MAX_REGEXES).then_some(below)
        })
    };
    let below = is_over(condition).map(|below| format!("{below}/value")).or_else(|| {
        condition
            .expressions()
            .into_iter()
            .find_map(|(below, expr)| is_over(expr.condition().ok()?).map(|_| below))
    })?;
    let message = format!(
        "This is one regular expression more than the {MAX_REGEXES} that a document or a condition may hold; join some with `|`, or use `in` or `starts_with`."
    );
    Some(Finding::error("regex.too_many", format!("{at}{below}"), message))
}
