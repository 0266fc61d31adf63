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

/// Reminders that come more often than this are told, in milliseconds: five minutes.
const MIN_REMINDER_MS: i64 = 300_000;

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
    if let (Some(rejections), Some(persons)) = (level.rejections, persons(&level.approvers))
        && usize::try_from(rejections).unwrap_or(usize::MAX) > persons.len()
    {
        let message = format!(
            "{rejections} must reject, and the level asks {}; a rejection still counts where the rest can't fill the quorum.",
            in_words(persons.len())
        );
        findings.push(Finding::warning("rejections.too_many", format!("{at}/rejections"), message));
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
                    in_words(persons.len())
                );
                let fix = vec![PatchOp::Replace { path: at.clone(), value: persons.len().into() }];
                findings.push(Finding::error("quorum.too_many", at, message).with_fix(fix));
            }
        }
        Some(QuorumSpec::ByEntry(places)) => check_places(level, places, &at, findings),
    }
}

fn in_words(persons: usize) -> String {
    if persons == 1 { "one person".to_owned() } else { format!("{persons} persons") }
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
pub(super) fn is_as_long(span: &Span, other: &Span) -> bool {
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
    if let Some(every) =
        level.remind_every.as_ref().filter(|every| (1..MIN_REMINDER_MS).contains(&every.millis()))
    {
        let message = format!(
            "People would be reminded every {every}; write how long they have to answer, such as 4h."
        );
        findings.push(Finding::warning("reminder.often", format!("{at}/remind_every"), message));
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

#[cfg(test)]
mod tests {
    use super::super::{Environment, check};
    use crate::workflow::{Format, Severity};

    /// What is found at an approval with these keys.
    fn found(approval: &str) -> Vec<(String, String, Severity)> {
        let text = format!(
            "workflow_id: w\nname: W\ntrigger: {{ type: manual }}\nsteps:\n  - {{ id: a, type: approval, approval: {{ {approval} }} }}\n"
        );
        let checked = check(&text, Format::Yaml, &Environment::Unknown);
        let found = checked.findings.into_iter();
        found
            .map(|f| {
                (
                    f.code.into_owned(),
                    f.pointer.trim_start_matches("/steps/0/approval/").to_owned(),
                    f.severity,
                )
            })
            .collect()
    }

    #[test]
    fn what_a_level_can_never_do_is_found_at_its_field() {
        const PERSONS: &str = "approvers: ['user:bo@example.com', 'user:cy@example.com']";
        const ROLE: &str = "approvers: ['role:finance']";
        let (error, warning) = (Severity::Error, Severity::Warning);
        for (level, code, pointer, severity) in [
            (format!("{PERSONS}, quorum: 3"), "quorum.too_many", "levels/0/quorum", error),
            (format!("{ROLE}, quorum: 0"), "quorum.bad", "levels/0/quorum", error),
            (format!("{ROLE}, quorum: {{}}"), "quorum.bad", "levels/0/quorum", error),
            (
                format!("{ROLE}, quorum: {{ 'role:legal': 1 }}"),
                "quorum.entry",
                "levels/0/quorum/role:legal",
                error,
            ),
            (
                format!("{PERSONS}, quorum: {{ 'user:bo@example.com': 2 }}"),
                "quorum.too_many",
                "levels/0/quorum/user:bo@example.com",
                error,
            ),
            (
                format!("{ROLE}, quorum: {{ 'role:finance': 0 }}"),
                "quorum.bad",
                "levels/0/quorum/role:finance",
                error,
            ),
            (format!("{ROLE}, rejections: 0"), "value.range", "levels/0/rejections", error),
            (format!("{PERSONS}, rejections: 3"), "rejections.too_many", "levels/0/rejections", warning),
            (
                format!("{ROLE}, escalate_after: 2h, escalate_to: ['role:cfo'], expires_in: 2h"),
                "escalation.late",
                "levels/0/escalate_after",
                error,
            ),
            (
                format!("{ROLE}, escalate_after: 3d, escalate_to: ['role:cfo'], expires_in: 8h"),
                "escalation.late",
                "levels/0/escalate_after",
                error,
            ),
            (
                format!("{ROLE}, escalate_after: 2h"),
                "escalation.incomplete",
                "levels/0/escalate_after",
                error,
            ),
            (
                format!("{ROLE}, escalate_to: ['role:cfo']"),
                "escalation.incomplete",
                "levels/0/escalate_to",
                warning,
            ),
            (format!("{ROLE}, remind_every: 1s"), "reminder.often", "levels/0/remind_every", warning),
            (
                format!("{ROLE}, remind_every: 2d, expires_in: 1d"),
                "reminder.late",
                "levels/0/remind_every",
                warning,
            ),
            (format!("{ROLE}, name: ' '"), "level.name", "levels/0/name", error),
        ] {
            let expected = [(code.to_owned(), pointer.to_owned(), severity)];
            assert_eq!(found(&format!("levels: [{{ {level} }}]")), expected, "{level}");
        }
        let twice = format!("levels: [{{ name: x, {ROLE} }}, {{ name: x, {ROLE} }}]");
        assert_eq!(found(&twice), [("level.twice".to_owned(), "levels/1/name".to_owned(), error)]);
        let form =
            format!("form: [{{ name: days, type: number, max: 5, default: 9 }}], levels: [{{ {ROLE} }}]");
        assert_eq!(found(&form), [("form.default".to_owned(), "form/0/default".to_owned(), error)]);
        let sound = format!(
            "{ROLE}, quorum: 2, rejections: 2, remind_every: 4h, escalate_after: 1d, escalate_to: ['role:cfo'], expires_in: 2d"
        );
        assert_eq!(found(&format!("levels: [{{ {sound} }}]")), []);
    }
}
