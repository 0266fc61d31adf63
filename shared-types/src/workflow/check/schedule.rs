//! Schedules: blackouts that can be read, and that leave a time in which something starts.

use crate::workflow::{
    Document, Finding,
    document::Trigger,
    schedule::{Blackout, cron_fault},
};
use chrono::{DateTime, Utc};

pub(super) fn check(document: &Document, now: Option<DateTime<Utc>>, findings: &mut Vec<Finding>) {
    let Trigger::Schedule { cron, blackout, .. } = &document.trigger else { return };
    let mut all_can_be_read = true;
    for (n, blackout) in blackout.iter().enumerate() {
        if let Some(fault) = blackout.fault() {
            all_can_be_read = false;
            findings.push(Finding::error("blackout.bad", format!("/trigger/blackout/{n}"), fault));
        }
    }
    if blackout.is_empty() || !all_can_be_read || cron_fault(cron).is_some() {
        return;
    }
    let Some(schedule) = document.schedule() else { return };
    let at = "/trigger/blackout";
    // Without a clock, whatever was ever due counts.
    if schedule.due_after(now.unwrap_or(DateTime::UNIX_EPOCH)).next().is_none() {
        let message =
            "The schedule is never due: its blackouts cover every time. Shorten them, or take them out.";
        findings.push(Finding::error("schedule.never", at, message));
        return;
    }
    let Some(last) = blackout.iter().filter_map(Blackout::first_day).max() else { return };
    let after = last.and_time(chrono::NaiveTime::MIN).and_utc();
    if schedule.due_after(after).next().is_none() {
        let message =
            format!("The schedule is never due after {last}: a blackout has no end. Write its `to`.");
        findings.push(Finding::warning("schedule.ends", at, message));
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Environment, check};
    use crate::workflow::Format;

    fn found(trigger: &str, now: Option<&str>) -> Vec<(String, String)> {
        let environment = now.map_or(Environment::Unknown, |now| Environment::empty(now.parse().unwrap()));
        let text = format!(
            "workflow_id: w\nname: W\ntrigger: {{ type: schedule, {trigger} }}\nsteps: [{{ id: a, type: set, set: {{}} }}]\n"
        );
        let checked = check(&text, Format::Yaml, &environment);
        checked.findings.into_iter().map(|f| (f.code.into_owned(), f.pointer)).collect()
    }

    #[test]
    fn a_schedule_that_is_never_due_is_found() {
        for (trigger, code, pointer) in [
            ("cron: '0 9 30 2 *'", "schedule.never", "/trigger/cron"),
            ("cron: '0 0 9 1 1 * 2020'", "cron.bad", "/trigger/cron"),
            ("cron: '@daily'", "cron.bad", "/trigger/cron"),
            (
                "cron: '0 9 * * *', blackout: [{ days: [mon, tue, wed, thu, fri, sat, sun] }]",
                "schedule.never",
                "/trigger/blackout",
            ),
            ("cron: '* * * * * *', blackout: [{ from: '00:00' }]", "schedule.never", "/trigger/blackout"),
            (
                "cron: '*/5 * * * *', blackout: [{ from: '22:00', to: '22:00' }]",
                "schedule.never",
                "/trigger/blackout",
            ),
            (
                "cron: '0 9 * * *', blackout: [{ from: '08:00', to: '10:00' }]",
                "schedule.never",
                "/trigger/blackout",
            ),
            ("cron: '0 9 * * sat', blackout: [{ days: [sat] }]", "schedule.never", "/trigger/blackout"),
            (
                "cron: '0 9 * * *', blackout: [{ to: '2030-01-01' }, { from: '2030-01-02' }]",
                "schedule.never",
                "/trigger/blackout",
            ),
            ("cron: '0 9 * * *', blackout: [{ from: '2030-01-02' }]", "schedule.ends", "/trigger/blackout"),
            ("cron: '0 9 * * *', blackout: [{ from: soon }]", "blackout.bad", "/trigger/blackout/0"),
        ] {
            assert_eq!(found(trigger, None), [(code.to_owned(), pointer.to_owned())], "{trigger}");
        }
        let over = "cron: '0 9 * * *', blackout: [{ from: '2025-01-01' }]";
        assert_eq!(found(over, Some("2026-03-01T10:00:00Z"))[0].0, "schedule.never");
        for sound in [
            "cron: '0 9 * * *', blackout: ['2026-12-24', { days: [sat, sun] }, { from: '2026-07-01', to: '2026-07-31' }]",
            "cron: '* * * * * *', blackout: [{ from: '00:00', to: '23:59' }]",
            "cron: '0 9 29 2 *'",
        ] {
            assert_eq!(found(sound, Some("2026-03-01T10:00:00Z")), [], "{sound}");
        }
    }
}
