//! The levels of a native approval: each can be filled, and its deadlines come in an order that makes sense.

use super::StepSite;
use crate::{
    recipient::Approver,
    workflow::{
        Finding, Span, Template, TemplateValue,
        approval::{ApprovalSpec, FormField, Level, QuorumSpec},
        finding::{PatchOp, escape_segment},
        step::StepKind,
    },
};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

pub(super) fn check_step(site: &StepSite<'_>, findings: &mut Vec<Finding>) {
    let StepKind::Approval { approval, .. } = &site.step.kind else { return };
    let at = format!("{}/approval", site.pointer);
    let mut names = BTreeSet::new();
    for (n, level) in approval.levels.iter().enumerate() {
        let at = format!("{at}/levels/{n}");
        if let Some(name) = &level.name {
            if name.trim().is_empty() {
                let message = "A level's name is empty; write one, or leave it out.";
                findings.push(Finding::error("level.name", format!("{at}/name"), message));
            } else if !names.insert(name.as_str()) {
                let message = format!("There is a level {name} already; take another name.");
                findings.push(Finding::error("level.twice", format!("{at}/name"), message));
            }
        }
        check_quorum(level, &at, findings);
        check_times(level, &at, findings);
    }
    check_defaults(approval, &format!("{at}/form"), findings);
    if approval.quick && approval.amount.is_none() && approval.show.is_empty() {
        let message = "People would decide from a notification that shows neither an amount nor data; add `amount` or `show`.";
        findings.push(Finding::warning("quick.blind", format!("{at}/quick"), message));
    }
}

/// The persons that a level's approvers name, where it asks nobody else.
fn persons(entries: &[Template]) -> Option<BTreeSet<String>> {
    let each = entries.iter().map(|entry| match entry.source().parse::<Approver>() {
        Ok(Approver::Person(address)) if entry.is_literal() => Some(address),
        Ok(_) | Err(_) => None,
    });
    each.collect()
}

fn check_quorum(level: &Level, at: &str, findings: &mut Vec<Finding>) {
    if level.rejections == Some(0) {
        let message = "`rejections` is 0, so the request would be rejected by nobody; write 1 or more.";
        findings.push(Finding::error("rejections.bad", format!("{at}/rejections"), message));
    }
    let at = format!("{at}/quorum");
    match &level.quorum {
        None => {}
        Some(QuorumSpec::Count(0)) => findings.push(zero(&at)),
        Some(QuorumSpec::Count(count)) => {
            if let Some(persons) = persons(&level.approvers)
                && persons.len() < usize::try_from(*count).unwrap_or(usize::MAX)
            {
                let message = format!(
                    "{count} must approve, and the level asks {}; lower `quorum`, or ask more.",
                    if persons.len() == 1 {
                        "one person".to_owned()
                    } else {
                        format!("{} persons", persons.len())
                    }
                );
                let fix = vec![PatchOp::Replace { path: at.clone(), value: persons.len().into() }];
                findings.push(Finding::error("quorum.too_many", at, message).with_fix(fix));
            }
        }
        Some(QuorumSpec::ByEntry(places)) => check_places(level, places, &at, findings),
    }
}

fn zero(at: &str) -> Finding {
    Finding::error("quorum.bad", at, "`quorum` is 0, so nobody would have to approve; write 1 or more.")
}

fn check_places(
    level: &Level,
    places: &std::collections::BTreeMap<String, u32>,
    at: &str,
    findings: &mut Vec<Finding>,
) {
    if places.is_empty() {
        let message = "`quorum` names no entry; write how many of which approvers must approve.";
        findings.push(Finding::error("quorum.bad", at, message));
    }
    for (entry, count) in places {
        let at = format!("{at}/{}", escape_segment(entry));
        let parsed = entry.parse::<Approver>().ok();
        let is_entry = |who: &Template| {
            who.source().trim() == entry.trim() || (parsed.is_some() && who.source().parse().ok() == parsed)
        };
        if !level.approvers.iter().any(is_entry) {
            let known: Vec<&str> = level.approvers.iter().map(Template::source).collect();
            let message =
                format!("\"{entry}\" isn't among the level's approvers, which are {}.", known.join(", "));
            findings.push(Finding::error("quorum.entry", at, message));
        } else if *count == 0 {
            findings.push(zero(&at));
        } else if *count > 1 && matches!(parsed, Some(Approver::Person(_))) {
            let message = format!("{entry} is one person, who fills one place, not {count}.");
            let fix = vec![PatchOp::Replace { path: at.clone(), value: 1.into() }];
            findings.push(Finding::error("quorum.too_many", at, message).with_fix(fix));
        }
    }
}

/// Whether a span is surely over no sooner than another, in plain time and in any calendar.
fn is_as_long(span: &Span, other: &Span) -> bool {
    span.millis() >= other.millis()
        && span.working_days() >= other.working_days()
        && (span.working_days() > other.working_days() || span.within_day() >= other.within_day())
}

fn check_times(level: &Level, at: &str, findings: &mut Vec<Finding>) {
    match (&level.escalate_after, level.escalate_to.is_empty()) {
        (Some(_), true) => {
            let message = "`escalate_after` says when, and `escalate_to` doesn't say to whom; add it.";
            findings.push(Finding::error("escalation.incomplete", format!("{at}/escalate_after"), message));
        }
        (None, false) => {
            let message = "`escalate_to` says to whom, and `escalate_after` doesn't say when; only a level that nobody can fill escalates at once.";
            findings.push(Finding::warning("escalation.incomplete", format!("{at}/escalate_to"), message));
        }
        (Some(_), false) | (None, true) => {}
    }
    let Some(expires_in) = &level.expires_in else { return };
    if let Some(after) = level.escalate_after.as_ref().filter(|after| is_as_long(after, expires_in)) {
        let message = format!(
            "The level expires after {expires_in}, before it would escalate after {after}; shorten `escalate_after`."
        );
        findings.push(Finding::error("escalation.late", format!("{at}/escalate_after"), message));
    }
    if let Some(every) = level.remind_every.as_ref().filter(|every| is_as_long(every, expires_in)) {
        let message =
            format!("The level expires after {expires_in}, before the first reminder after {every}.");
        findings.push(Finding::warning("reminder.late", format!("{at}/remind_every"), message));
    }
}

/// A default that is written out fits its field.
fn check_defaults(approval: &ApprovalSpec, at: &str, findings: &mut Vec<Finding>) {
    for (n, field) in approval.form.iter().enumerate() {
        let Some(TemplateValue::Literal(default)) = &field.default else { continue };
        let optional = FormField { required: false, ..field.clone() };
        let value = Map::from_iter([(field.name.clone(), default.clone())]);
        if default == &Value::Null {
            continue;
        }
        for fault in FormField::field_faults(std::slice::from_ref(&optional), &value) {
            let message = format!("`default` is {default}, which {}", fault.message);
            findings.push(Finding::error("form.default", format!("{at}/{n}/default"), message));
        }
    }
}
