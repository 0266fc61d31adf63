//! Forms: every field can be filled in, under a name of its own.

use super::StepSite;
use crate::workflow::{
    Document, Finding,
    approval::{FieldKind, FormField},
    document::Trigger,
    evaluate::time_of,
    finding::PatchOp,
    number::Quantity,
    scope::is_reserved,
    step::StepKind,
};
use serde_json::Value;
use std::{cmp::Ordering, collections::BTreeSet};

pub(super) fn check(document: &Document, sites: &[StepSite<'_>], findings: &mut Vec<Finding>) {
    if let Trigger::Manual { form } = &document.trigger {
        check_form(form, "/trigger/form", findings);
    }
    for site in sites {
        if let StepKind::Approval { approval, .. } = &site.step.kind {
            check_form(&approval.form, &format!("{}/approval/form", site.pointer), findings);
        }
    }
}

fn check_form(form: &[FormField], at: &str, findings: &mut Vec<Finding>) {
    let mut names = BTreeSet::new();
    for (n, field) in form.iter().enumerate() {
        let at = format!("{at}/{n}");
        if let Some(why) = name_fault(&field.name) {
            findings.push(Finding::error("form.name", format!("{at}/name"), why));
        } else if !names.insert(field.name.as_str()) {
            let message = format!("There is a field `{}` already; take another name.", field.name);
            findings.push(Finding::error("form.twice", format!("{at}/name"), message));
        }
        check_bounds(field, &at, findings);
        check_choices(field, &at, findings);
    }
}

/// Why a name can't be a key of the context.
fn name_fault(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("A field needs a name, such as `discount`.".to_owned());
    }
    if name.contains(|c: char| c.is_whitespace() || c.is_control() || ".[]'\"{}".contains(c)) {
        return Some(format!(
            "\"{}\" can't be a field's name: it is one key, without dots, brackets, quotes or blanks.",
            name.escape_debug()
        ));
    }
    is_reserved(name).then(|| format!("`{name}` means something of its own; take another name."))
}

fn check_bounds(field: &FormField, at: &str, findings: &mut Vec<Finding>) {
    let bounds = [("min", &field.min), ("max", &field.max)];
    let mut given = bounds.iter().filter_map(|(key, bound)| Some((*key, bound.as_ref()?)));
    match field.kind {
        FieldKind::Text | FieldKind::Boolean | FieldKind::Choice => {
            for (key, _) in given {
                let path = format!("{at}/{key}");
                let message = format!("`{key}` does nothing here: only a number or a date has limits.");
                let fix = vec![PatchOp::Remove { path: path.clone() }];
                findings.push(Finding::warning("form.unused", path, message).with_fix(fix));
            }
        }
        FieldKind::Number | FieldKind::Date => {
            let unreadable = given.find(|(_, bound)| !is_bound(field.kind, bound));
            if let Some((key, bound)) = unreadable {
                let wanted =
                    if field.kind == FieldKind::Date { "a date such as 2026-03-01" } else { "a number" };
                let message = format!("`{key}` is {bound}; of this field it is {wanted}.");
                findings.push(Finding::error("form.limit", format!("{at}/{key}"), message));
            } else if let (Some(min), Some(max)) = (&field.min, &field.max)
                && order(field.kind, min, max) == Some(Ordering::Greater)
            {
                let message = format!("`min` is {min}, more than `max`, which is {max}; no value fits both.");
                findings.push(Finding::error("form.limit", format!("{at}/min"), message));
            }
        }
    }
}

fn is_bound(kind: FieldKind, bound: &Value) -> bool {
    match kind {
        FieldKind::Date => bound.as_str().is_some_and(|text| time_of(text).is_some()),
        FieldKind::Number => Quantity::of(bound).is_some(),
        FieldKind::Text | FieldKind::Boolean | FieldKind::Choice => false,
    }
}

fn order(kind: FieldKind, a: &Value, b: &Value) -> Option<Ordering> {
    if kind == FieldKind::Number {
        return Some(Quantity::of(a)?.order(Quantity::of(b)?));
    }
    Some(time_of(a.as_str()?)?.cmp(&time_of(b.as_str()?)?))
}

fn check_choices(field: &FormField, at: &str, findings: &mut Vec<Finding>) {
    let choices = &field.choices;
    if field.kind != FieldKind::Choice {
        if !choices.is_empty() {
            let path = format!("{at}/choices");
            let message = "`choices` does nothing here: only a field of type `choice` has some.";
            let fix = vec![PatchOp::Remove { path: path.clone() }];
            findings.push(Finding::warning("form.unused", path, message).with_fix(fix));
        }
        return;
    }
    if choices.is_empty() {
        let message = format!("`{}` is a choice of nothing; name some `choices`.", field.name);
        findings.push(Finding::error("form.choices", at, message));
    }
    let mut seen = BTreeSet::new();
    for (n, choice) in choices.iter().enumerate() {
        let pointer = format!("{at}/choices/{n}");
        if !matches!(choice, Value::String(_) | Value::Number(_) | Value::Bool(_)) {
            let message = "A choice is a text, a number, true or false.";
            findings.push(Finding::error("form.choices", pointer, message));
        } else if !seen.insert(choice.to_string()) {
            let message = format!("{choice} can be chosen already; take one of them out.");
            findings.push(Finding::error("form.choices", pointer, message));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Environment, check};
    use crate::workflow::{Format, Severity};
    use serde_json::{Value, json};

    fn found(form: &Value) -> Vec<(String, String, Severity)> {
        let approval = json!({ "levels": [{ "approvers": ["role:a"] }], "form": form });
        let document = json!({
            "workflow_id": "w", "name": "W", "trigger": { "type": "manual", "form": form },
            "steps": [{ "id": "a", "type": "approval", "approval": approval }],
        });
        let checked = check(&document.to_string(), Format::Json, &Environment::Unknown);
        let (here, there): (Vec<_>, Vec<_>) = checked
            .findings
            .into_iter()
            .map(|f| (f.code.into_owned(), f.pointer, f.severity))
            .partition(|(_, pointer, _)| pointer.starts_with("/trigger/form"));
        assert_eq!(here.len(), there.len(), "a form is checked wherever it stands: {here:?} {there:?}");
        here.into_iter()
            .map(|(code, at, severity)| (code, at["/trigger/form".len()..].to_owned(), severity))
            .collect()
    }

    #[test]
    fn a_form_that_cannot_be_filled_in_is_found() {
        let (error, warning) = (Severity::Error, Severity::Warning);
        let field = |rest: Value| {
            let mut field = json!({ "name": "x", "type": "number" });
            for (key, value) in rest.as_object().unwrap() {
                field[key] = value.clone();
            }
            json!([field])
        };
        for (form, code, pointer, severity) in [
            (field(json!({ "min": 10, "max": 5 })), "form.limit", "/0/min", error),
            (field(json!({ "min": "10", "max": "9.5" })), "form.limit", "/0/min", error),
            (
                field(json!({ "type": "date", "min": "2026-02-01", "max": "2026-01-01" })),
                "form.limit",
                "/0/min",
                error,
            ),
            (field(json!({ "min": "low" })), "form.limit", "/0/min", error),
            (field(json!({ "type": "date", "max": 5 })), "form.limit", "/0/max", error),
            (field(json!({ "type": "text", "max": 5 })), "form.unused", "/0/max", warning),
            (field(json!({ "choices": [1] })), "form.unused", "/0/choices", warning),
            (field(json!({ "type": "choice" })), "form.choices", "/0", error),
            (field(json!({ "type": "choice", "choices": [] })), "form.choices", "/0", error),
            (
                field(json!({ "type": "choice", "choices": ["a", "b", "a"] })),
                "form.choices",
                "/0/choices/2",
                error,
            ),
            (
                field(json!({ "type": "choice", "choices": ["a", null] })),
                "form.choices",
                "/0/choices/1",
                error,
            ),
            (field(json!({ "name": "" })), "form.name", "/0/name", error),
            (field(json!({ "name": "event" })), "form.name", "/0/name", error),
            (field(json!({ "name": "now_plus_1h" })), "form.name", "/0/name", error),
            (field(json!({ "name": "order.total" })), "form.name", "/0/name", error),
            (field(json!({ "name": "lines[0]" })), "form.name", "/0/name", error),
            (field(json!({ "name": "two words" })), "form.name", "/0/name", error),
            (
                json!([{ "name": "x", "type": "text" }, { "name": "x", "type": "date" }]),
                "form.twice",
                "/1/name",
                error,
            ),
        ] {
            assert_eq!(found(&form), [(code.to_owned(), pointer.to_owned(), severity)], "{form}");
        }
        let sound = json!([
            { "name": "discount", "type": "number", "min": 0, "max": "20.5" },
            { "name": "from-day", "type": "date", "min": "2026-01-01", "max": "2026-01-01" },
            { "name": "size", "type": "choice", "choices": ["S", "M", 1, true] },
        ]);
        assert_eq!(found(&sound), []);
    }
}
