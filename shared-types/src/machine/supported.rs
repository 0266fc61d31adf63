//! What this machine can run. A document may say more: it is saved, and can't be enabled.

use crate::workflow::{Document, Finding, check::every_step, step::Step};

/// What this machine can run.
pub struct Supported {
    /// Step types.
    pub steps: &'static [&'static str],
    /// Effect types.
    pub effects: &'static [&'static str],
    /// Trigger types.
    pub triggers: &'static [&'static str],
}

/// The one list of it.
pub const SUPPORTED: Supported = Supported {
    steps: &[
        "condition",
        "switch",
        "action",
        "execute",
        "approval",
        "parallel",
        "foreach",
        "wait",
        "set",
        "call",
        "fail",
        "emit",
    ],
    effects: &[
        "notify",
        "http_request",
        "webhook",
        "create_record",
        "update_record",
        "create_approval_request",
        "emit_event",
        "log",
        "connector",
    ],
    triggers: &["event", "schedule", "manual", "webhook"],
};

/// Everything in a document that this machine can't run.
pub fn unsupported(document: &Document) -> Vec<Finding> {
    let mut findings = Vec::new();
    let trigger = document.trigger.type_name();
    if !SUPPORTED.triggers.contains(&trigger) {
        say(&format!("`{trigger}` triggers"), "/trigger/type".to_owned(), &mut findings);
    }
    for (pointer, step) in every_step(document) {
        check_step(step, &pointer, &mut findings);
    }
    if !findings.is_empty() && !document.tests.is_empty() {
        let message = "The tests aren't run, because the workflow holds what this server can't run yet.";
        findings.push(Finding::unsupported("/tests", message));
    }
    findings
}

fn say(what: &str, pointer: String, findings: &mut Vec<Finding>) {
    findings.push(Finding::unsupported(pointer, format!("This server can't run {what} yet.")));
}

fn check_step(step: &Step, at: &str, findings: &mut Vec<Finding>) {
    if !SUPPORTED.steps.contains(&step.type_name()) {
        return say(&format!("`{}` steps", step.type_name()), format!("{at}/type"), findings);
    }
    for (n, effect) in step.effects().iter().enumerate() {
        if !SUPPORTED.effects.contains(&effect.type_name()) {
            say(&format!("`{}` effects", effect.type_name()), format!("{at}/execute/{n}/type"), findings);
        }
    }
}
