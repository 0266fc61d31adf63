//! Spans of time and retries that are written correctly and mean nothing.

use super::StepSite;
use crate::workflow::{
    Document, Finding, Span, TemplateValue,
    effect::Effect,
    finding::PatchOp,
    step::{EventWait, MAX_SINCE, Retry, StepKind, Wait},
};

/// The longest delay between attempts where `max_delay` isn't written, in milliseconds.
const DEFAULT_MAX_DELAY_MS: i64 = 300_000;

pub(super) fn check_document(document: &Document, findings: &mut Vec<Finding>) {
    if document.timeout.as_ref().is_some_and(is_zero) {
        let message =
            "`timeout` is no time at all, so every run would end at once; write how long it may work.";
        findings.push(Finding::error("duration.zero", "/timeout", message));
    }
}

pub(super) fn check_step(site: &StepSite<'_>, findings: &mut Vec<Finding>) {
    let (step, at) = (site.step, &site.pointer);
    if step.timeout.as_ref().is_some_and(is_zero) {
        let message =
            "`timeout` is no time at all, so the step would always fail; write how long it may take.";
        findings.push(Finding::error("duration.zero", format!("{at}/timeout"), message));
    }
    if let Some(retry) = &step.retry {
        check_retry(retry, &format!("{at}/retry"), findings);
    }
    if let StepKind::Wait { wait: Wait::For { r#for } } = &step.kind
        && is_zero(r#for)
    {
        let message = "`for` is no time at all; the run goes on at once.";
        findings.push(Finding::warning("duration.zero", format!("{at}/wait/for"), message));
    }
    if let Some(wait) = step.awaited_event() {
        check_awaited_event(wait, &format!("{at}/wait"), findings);
    }
    if let StepKind::Approval { approval, .. } = &step.kind {
        for (n, level) in approval.levels.iter().enumerate() {
            let spans = [
                ("expires_in", &level.expires_in, "the request would expire as it is made"),
                ("remind_every", &level.remind_every, "reminders would never end"),
                ("escalate_after", &level.escalate_after, "it would escalate as it is made"),
            ];
            for (key, _, why) in spans.iter().filter(|(_, span, _)| span.as_ref().is_some_and(is_zero)) {
                let message = format!("`{key}` is no time at all, so {why}; write how long that is.");
                let pointer = format!("{at}/approval/levels/{n}/{key}");
                findings.push(Finding::error("duration.zero", pointer, message));
            }
        }
    }
    check_short_requests(site, findings);
}

fn check_awaited_event(wait: &EventWait, at: &str, findings: &mut Vec<Finding>) {
    if wait.timeout.as_ref().is_some_and(is_zero) {
        let message = "`timeout` is no time at all, so no event could come; write how long is waited.";
        findings.push(Finding::error("duration.zero", format!("{at}/timeout"), message));
    }
    let Some(since) = &wait.since else { return };
    if is_zero(since) {
        let message = "`since` is no time at all, and events count from the start of the run without it; leave it out, or \
                       write how long before the start an event may have come.";
        findings.push(Finding::warning("duration.zero", format!("{at}/since"), message));
    } else if since.duration() > MAX_SINCE {
        let message = "`since` looks back at most 30 days; write `30d` or less.";
        findings.push(Finding::error("value.range", format!("{at}/since"), message));
    }
}

fn check_short_requests(site: &StepSite<'_>, findings: &mut Vec<Finding>) {
    for (n, effect) in site.step.effects().iter().enumerate() {
        let Effect::CreateApprovalRequest(request) = effect else { continue };
        let Some(TemplateValue::Literal(value)) = request.data.get("expires_in") else { continue };
        if value.as_str().and_then(|text| text.parse().ok()).is_some_and(|span| is_zero(&span)) {
            let message = "`expires_in` is no time at all, so the request would expire as it is made; write how long that is.";
            let pointer = format!("{}/execute/{n}/data/expires_in", site.pointer);
            findings.push(Finding::error("duration.zero", pointer, message));
        }
    }
}

fn check_retry(retry: &Retry, at: &str, findings: &mut Vec<Finding>) {
    if retry.retry_on.as_ref().is_some_and(Vec::is_empty) {
        let message = "`retry_on` names no failure, so nothing is tried again; name some, or leave it out for the usual ones.";
        let path = format!("{at}/retry_on");
        let fix = vec![PatchOp::Remove { path: path.clone() }];
        findings.push(Finding::error("retry.never", path, message).with_fix(fix));
    }
    let Some(delay) = &retry.delay else { return };
    match &retry.max_delay {
        Some(max) if delay.millis() > max.millis() => {
            let message =
                format!("`delay` ({delay}) is longer than `max_delay` ({max}), which would always count.");
            findings.push(Finding::error("retry.delay", format!("{at}/delay"), message));
        }
        None if delay.millis() > DEFAULT_MAX_DELAY_MS => {
            let message = format!(
                "`delay` ({delay}) is cut to 5m, the longest without a `max_delay`; write `max_delay` as well."
            );
            let fix = vec![PatchOp::Add { path: format!("{at}/max_delay"), value: delay.to_string().into() }];
            findings.push(Finding::warning("retry.delay", format!("{at}/delay"), message).with_fix(fix));
        }
        Some(_) | None => {}
    }
}

fn is_zero(span: &Span) -> bool {
    span.millis() == 0
}

#[cfg(test)]
mod tests {
    use super::super::{Environment, check};
    use crate::workflow::{Format, Severity};

    fn found(rest: &str) -> Vec<(String, String, Severity)> {
        let text = format!("workflow_id: w\nname: W\ntrigger: {{ type: manual }}\n{rest}\n");
        let checked = check(&text, Format::Yaml, &Environment::Unknown);
        checked.findings.into_iter().map(|f| (f.code.into_owned(), f.pointer, f.severity)).collect()
    }

    fn step(step: &str) -> Vec<(String, String, Severity)> {
        found(&format!("steps:\n  - {{ id: a, {step} }}"))
    }

    #[test]
    fn spans_and_retries_that_mean_nothing_are_found() {
        const LOG: &str = "type: execute, execute: [{ type: log, message: x }]";
        let (error, warning) = (Severity::Error, Severity::Warning);
        for (written, code, pointer, severity) in [
            (format!("{LOG}, timeout: 0s"), "duration.zero", "/steps/0/timeout", error),
            (format!("{LOG}, timeout: PT0S"), "duration.zero", "/steps/0/timeout", error),
            (format!("{LOG}, retry: {{ max_attempts: 0 }}"), "value.range", "/steps/0/retry/max_attempts", error),
            (
                format!("{LOG}, retry: {{ max_attempts: 2, retry_on: [] }}"),
                "retry.never",
                "/steps/0/retry/retry_on",
                error,
            ),
            (
                format!("{LOG}, retry: {{ max_attempts: 2, delay: 10s, max_delay: 5s }}"),
                "retry.delay",
                "/steps/0/retry/delay",
                error,
            ),
            (
                format!("{LOG}, retry: {{ max_attempts: 2, delay: 10m }}"),
                "retry.delay",
                "/steps/0/retry/delay",
                warning,
            ),
            ("type: wait, wait: { for: 0s }".to_owned(), "duration.zero", "/steps/0/wait/for", warning),
            ("type: wait, wait: { event: e, since: 0s }".to_owned(), "duration.zero", "/steps/0/wait/since", warning),
            ("type: wait, wait: { event: e, since: 31d }".to_owned(), "value.range", "/steps/0/wait/since", error),
            (
                "type: approval, approval: { levels: [{ approvers: ['role:a'], expires_in: 0h }] }".to_owned(),
                "duration.zero",
                "/steps/0/approval/levels/0/expires_in",
                error,
            ),
            (
                "type: execute, execute: [{ type: create_approval_request, data: { approver_role: a, expires_in: 0s } }]"
                    .to_owned(),
                "duration.zero",
                "/steps/0/execute/0/data/expires_in",
                error,
            ),
        ] {
            assert_eq!(step(&written), [(code.to_owned(), pointer.to_owned(), severity)], "{written}");
        }
        assert_eq!(
            found("timeout: 0s\nsteps: [{ id: a, type: set, set: {} }]"),
            [("duration.zero".to_owned(), "/timeout".to_owned(), error)]
        );
        assert_eq!(step("type: wait, wait: { event: e, since: 30d }"), []);
        assert_eq!(
            step(&format!("{LOG}, timeout: 1s, retry: {{ max_attempts: 2, delay: 0s, max_delay: 5s }}")),
            []
        );
    }
}
