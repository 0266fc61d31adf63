//! What this machine can run. A document may say more: it is saved, and can't be enabled.

use crate::workflow::{
    Document, Finding,
    approval::{ApprovalSpec, Forbid},
    check::every_step,
    effect::Effect,
    finding::escape_segment,
    step::{Step, StepKind},
};

/// What this machine can run.
pub struct Supported {
    /// Step types.
    pub steps: &'static [&'static str],
    /// Effect types.
    pub effects: &'static [&'static str],
    /// Trigger types.
    pub triggers: &'static [&'static str],
    /// The levels of an approval.
    pub levels: usize,
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
    effects: &["notify", "http_request", "webhook", "create_approval_request", "emit_event", "log"],
    triggers: &["event", "schedule", "manual", "webhook"],
    levels: 1,
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
    if let StepKind::Approval { approval, .. } = &step.kind {
        check_approval(approval, &format!("{at}/approval"), findings);
    }
}

fn check_approval(approval: &ApprovalSpec, at: &str, findings: &mut Vec<Finding>) {
    if approval.levels.len() > SUPPORTED.levels {
        say("more than one level", format!("{at}/levels/1"), findings);
    }
    for (n, level) in approval.levels.iter().enumerate() {
        let fields = [
            ("quorum", level.quorum.is_some_and(|quorum| quorum != 1), "a quorum above 1"),
            ("remind_every", level.remind_every.is_some(), "reminders"),
            ("escalate_to", !level.escalate_to.is_empty(), "escalation"),
            ("escalate_after", level.escalate_after.is_some(), "escalation"),
        ];
        for (key, _, what) in fields.into_iter().filter(|(_, used, _)| *used) {
            say(what, format!("{at}/levels/{n}/{}", escape_segment(key)), findings);
        }
    }
    let forbids_previous =
        approval.forbid.as_ref().is_some_and(|forbid| forbid.contains(&Forbid::PreviousLevel));
    let fields = [
        ("forbid", forbids_previous, "`previous_level`"),
        ("veto", !approval.veto.is_empty(), "vetoes"),
        ("form", !approval.form.is_empty(), "forms"),
        ("calendar", approval.calendar.is_some(), "calendars"),
    ];
    for (key, _, what) in fields.into_iter().filter(|(_, used, _)| *used) {
        say(what, format!("{at}/{key}"), findings);
    }
}

/// Whether an effect is one that the simulator lists and answers although this server can't perform it.
pub fn is_only_simulated(effect: &Effect) -> bool {
    !SUPPORTED.effects.contains(&effect.type_name())
}
