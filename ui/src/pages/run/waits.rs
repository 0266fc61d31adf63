//! What a run waits for, in few lines: the same wait in many places is one of them.

use crate::format;
use chrono::{DateTime, Utc};
use shared_types::{ids::StepId, machine::state::WaitsFor};

/// How many lines there are at most.
const LINES: usize = 5;

struct Group<'w> {
    step: &'w StepId,
    what: &'w str,
    count: usize,
    /// The soonest.
    until: Option<DateTime<Utc>>,
}

/// The lines, in the order in which the run came to wait.
pub(super) fn lines(waits: &[WaitsFor]) -> Vec<String> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for wait in waits {
        let same = groups.iter_mut().find(|group| *group.step == wait.step_id && group.what == wait.what);
        match same {
            Some(group) => {
                group.count += 1;
                group.until = group.until.into_iter().chain(wait.until).min();
            }
            None => groups.push(Group { step: &wait.step_id, what: &wait.what, count: 1, until: wait.until }),
        }
    }
    let hidden: usize = groups.iter().skip(LINES).map(|group| group.count).sum();
    let more = (hidden > 0).then(|| format!("And for {hidden} more"));
    groups.iter().take(LINES).map(Group::line).chain(more).collect()
}

impl Group<'_> {
    fn line(&self) -> String {
        let Self { what, count, .. } = self;
        let until = self.until.map(format::clock);
        match (count, until) {
            (1, None) => format!("Waits for {what}"),
            (1, Some(until)) => format!("Waits for {what}, until {until}"),
            (_, None) => format!("Waits for {what}, in {count} places"),
            (_, Some(until)) => format!("Waits for {what}, in {count} places, the first until {until}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(step: &str, what: &str) -> WaitsFor {
        WaitsFor { step_id: StepId(step.to_owned()), what: what.to_owned(), until: None }
    }

    #[test]
    fn the_same_wait_in_many_places_is_one_line_and_many_others_are_counted() {
        let mut waits: Vec<WaitsFor> = (0..49).map(|_| wait("nap", "a time")).collect();
        waits.push(wait("hold", "the event paid"));
        assert_eq!(lines(&waits), ["Waits for a time, in 49 places", "Waits for the event paid"]);
        let waits: Vec<WaitsFor> = (0..8).map(|n| wait("hold", &format!("the event {n}"))).collect();
        let lines = lines(&waits);
        assert_eq!((lines.len(), lines[5].as_str()), (6, "And for 3 more"));
        assert_eq!(super::lines(&[]), [""; 0]);
    }
}
