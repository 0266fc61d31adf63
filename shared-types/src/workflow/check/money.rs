//! Amounts of money: a number, and the code of a currency.

use super::StepSite;
use crate::workflow::{
    Document, Finding, Template, TemplateValue,
    effect::{Effect, ShortRequest},
    finding::PatchOp,
    number::Quantity,
    step::StepKind,
};

/// Holds the run's amount, and those of its requests, against being money.
pub(super) fn check(document: &Document, sites: &[StepSite<'_>], findings: &mut Vec<Finding>) {
    check_amount("", document.amount.as_ref(), findings);
    check_code("", literal(document.currency.as_ref()), findings);
    if document.currency.is_some() && document.amount.is_none() {
        let message = "`currency` says nothing without an `amount`.";
        findings.push(Finding::warning("value.unused", "/currency", message));
    }
    for site in sites {
        if let StepKind::Approval { approval, .. } = &site.step.kind {
            let at = format!("{}/approval", site.pointer);
            check_amount(&at, approval.amount.as_ref(), findings);
            check_code(&at, literal(approval.currency.as_ref()), findings);
        }
        for (n, effect) in site.step.effects().iter().enumerate() {
            if let Effect::CreateApprovalRequest(ShortRequest { data, .. }) = effect {
                let at = format!("{}/execute/{n}/data", site.pointer);
                check_amount(&at, data.get("amount"), findings);
                if let Some(TemplateValue::Literal(code)) = data.get("currency") {
                    check_code(&at, code.as_str(), findings);
                }
            }
        }
    }
}

fn check_amount(at: &str, amount: Option<&TemplateValue>, findings: &mut Vec<Finding>) {
    let fault = match amount {
        None | Some(TemplateValue::Text(_)) => None,
        Some(TemplateValue::Literal(value)) if value.is_null() || Quantity::of(value).is_some() => None,
        Some(TemplateValue::Literal(value)) => Some(format!("{value} is none")),
        Some(TemplateValue::List(_) | TemplateValue::Map(_)) => Some("a list or a map is none".to_owned()),
    };
    if let Some(fault) = fault {
        let message =
            format!("`amount` is a number such as 120.50, or a template that gives one, and {fault}.");
        findings.push(Finding::error("amount.bad", format!("{at}/amount"), message));
    }
}

/// A text that is written out; what a template gives is known only when it runs.
fn literal(text: Option<&Template>) -> Option<&str> {
    text.filter(|text| text.is_literal()).map(Template::source)
}

fn check_code(at: &str, code: Option<&str>, findings: &mut Vec<Finding>) {
    let Some(code) = code else { return };
    let is_code = |code: &str| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    if is_code(code) {
        return;
    }
    let path = format!("{at}/currency");
    let capitals = code.trim().to_uppercase();
    let message = format!("`{code}` is no code of a currency; write its three capital letters, such as EUR.");
    let finding = Finding::warning("currency.bad", &path, message);
    findings.push(if is_code(&capitals) {
        finding.with_fix(vec![PatchOp::Replace { path, value: capitals.into() }])
    } else {
        finding
    });
}
