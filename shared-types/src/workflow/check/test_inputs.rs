//! What the tests of a document bring: calendars that count, and absences that can be.

use crate::{
    email,
    workflow::{Document, Finding, calendar, test_script::ScriptItem},
};

pub(super) fn check(document: &Document, findings: &mut Vec<Finding>) {
    for (n, test) in document.tests.iter().enumerate() {
        let at = format!("/tests/{n}/given");
        findings.extend(calendar::faults(&test.given.calendars, &format!("{at}/calendars")));
        for (k, item) in test.given.script.iter().enumerate() {
            if let ScriptItem::Away { away, delegate: Some(delegate), .. } = item
                && email::is_same(away, delegate)
            {
                let message = format!("{away} can't stand in for themselves; name somebody else, or nobody.");
                findings.push(Finding::error("absence.self", format!("{at}/script/{k}/delegate"), message));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Environment, check};
    use crate::workflow::Format;

    #[test]
    fn a_calendar_or_an_absence_of_a_test_that_can_not_be_is_found_at_its_place() {
        let given = |given: &str| {
            let text = format!(
                "workflow_id: w\nname: W\ntrigger: {{ type: manual }}\nsteps: [{{ id: a, type: set, set: {{ b: 1 }} }}]\n\
                 tests: [{{ name: t, given: {{ {given} }}, expect: {{ result: executed }} }}]\n"
            );
            let findings = check(&text, Format::Yaml, &Environment::Unknown).findings;
            findings.into_iter().map(|f| (f.code.into_owned(), f.pointer)).collect::<Vec<_>>()
        };
        let calendar = |rest: &str| format!("calendars: [{{ name: office, {rest} }}]");
        for (written, code, pointer) in [
            (calendar("timezone: UTC, hours: {}"), "calendar.invalid", "/tests/0/given/calendars/0/hours"),
            (
                calendar("timezone: Mars, hours: { mon: ['09:00-17:00'] }"),
                "calendar.invalid",
                "/tests/0/given/calendars/0/timezone",
            ),
            (
                calendar("timezone: UTC, hours: { mon: ['17:00-09:00'] }"),
                "calendar.invalid",
                "/tests/0/given/calendars/0/hours/mon/0",
            ),
            (
                "script: [{ away: ada@example.com, until: 4h, delegate: Ada@Example.com }]".to_owned(),
                "absence.self",
                "/tests/0/given/script/0/delegate",
            ),
        ] {
            assert_eq!(given(&written), [(code.to_owned(), pointer.to_owned())], "{written}");
        }
        assert_eq!(given(&calendar("timezone: UTC, hours: { mon: ['09:00-17:00'] }")), []);
    }
}
