//! Settings that a step doesn't heed, and a point in time that is none.

use super::StepSite;
use crate::workflow::{
    Finding, bounds,
    evaluate::time_of,
    finding::PatchOp,
    step::{StepKind, Wait},
};

pub(super) fn check_step(site: &StepSite<'_>, findings: &mut Vec<Finding>) {
    let (step, at) = (site.step, &site.pointer);
    if matches!(step.kind, StepKind::Fail { .. }) {
        for (key, link) in [("next", &step.next), ("on_error", &step.on_error)] {
            if link.is_some() {
                let message = format!("`{key}` is never followed: the run ends here, or the branch or item.");
                let path = format!("{at}/{key}");
                let fix = vec![PatchOp::Remove { path: path.clone() }];
                findings.push(Finding::warning("link.unused", path, message).with_fix(fix));
            }
        }
    }
    if matches!(&step.kind, StepKind::Execute { execute, .. } if execute.is_empty()) {
        let message = "This does nothing: there are no effects.";
        findings.push(Finding::warning("effects.none", format!("{at}/execute"), message));
    }
    if let StepKind::Wait { wait } = &step.kind {
        check_timeout(site, wait, findings);
        if let Wait::Until { until } = wait
            && until.is_literal()
            && time_of(until.source()).is_none()
            && let Err(fault) = bounds::instant(until.source())
        {
            let message = format!("{fault}, or a template that gives a time.");
            findings.push(Finding::error("time.bad", format!("{at}/wait/until"), message));
        }
    }
    if matches!(step.kind, StepKind::Approval { .. }) && step.timeout.is_some() {
        let message = "`timeout` does nothing here; `expires_in` of a level says how long is waited.";
        findings.push(Finding::warning("timeout.unused", format!("{at}/timeout"), message));
    }
}

/// A step's `timeout` bounds what it calls; how long it waits is said in `wait`.
fn check_timeout(site: &StepSite<'_>, wait: &Wait, findings: &mut Vec<Finding>) {
    if site.step.timeout.is_none() {
        return;
    }
    let path = format!("{}/timeout", site.pointer);
    let finding = |message: &str| Finding::warning("timeout.unused", &path, message);
    findings.push(match wait {
        Wait::Event(wait) if wait.timeout.is_none() => {
            let to = format!("{}/wait/timeout", site.pointer);
            let fix = vec![PatchOp::Move { from: path.clone(), path: to }];
            finding("`timeout` does nothing here; `wait.timeout` says how long is waited.").with_fix(fix)
        }
        Wait::Event(_) | Wait::For { .. } | Wait::Until { .. } => {
            finding("`timeout` does nothing here; `wait` says how long is waited.")
        }
    });
}
