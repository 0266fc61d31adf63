//! Times, amounts and states in the words of the screen.

pub(crate) use shared_types::card::words::{
    amount, label, question, request_word, role_or_name, value, verdict_word, with_role_names,
};

use chrono::{DateTime, Local, Utc};
use serde_json::Value;
use shared_types::{
    api::approvals::Approval,
    desktop::QueuedRequest,
    ids::StepId,
    machine::{LOADING, fact::StepState, result::RunResult, state::RunStatus},
    workflow::{approval::Verb, duration::in_words, number::grouped, template::as_text},
};

/// The time.
#[expect(clippy::disallowed_methods, reason = "this is where the pages' time comes from")]
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}

/// A span in milliseconds.
#[expect(clippy::cast_precision_loss, reason = "a run is far shorter than 2^52 ms")]
pub(crate) fn milliseconds(span: chrono::Duration) -> f64 {
    span.num_microseconds().map_or(0.0, |micros| micros as f64 / 1000.0)
}

/// The time of day, or with the day where it isn't today.
pub(crate) fn clock(at: DateTime<Utc>) -> String {
    let (local, today) = (at.with_timezone(&Local), now().with_timezone(&Local));
    if local.date_naive() == today.date_naive() {
        local.format("%H:%M:%S").to_string()
    } else {
        local.format("%-d\u{a0}%b %H:%M").to_string()
    }
}

/// The time of day without seconds.
pub(crate) fn hour(at: DateTime<Utc>) -> String {
    at.with_timezone(&Local).format("%H:%M").to_string()
}

/// The time of day, or with the day where it isn't today; for what is read in passing.
pub(crate) fn moment(at: DateTime<Utc>) -> String {
    let (local, today) = (at.with_timezone(&Local), now().with_timezone(&Local));
    if local.date_naive() == today.date_naive() { hour(at) } else { weekday(at) }
}

/// A time with its day of the week, for plans.
pub(crate) fn weekday(at: DateTime<Utc>) -> String {
    at.with_timezone(&Local).format("%a\u{a0}%-d\u{a0}%b\u{a0}%H:%M").to_string()
}

/// The whole of a time, with its zone, for a tooltip.
pub(crate) fn exact(at: DateTime<Utc>) -> String {
    at.with_timezone(&Local).format("%Y-%m-%d %H:%M:%S %:z").to_string()
}

/// How long until a deadline: `3 h`, `20 min`, or the day.
pub(crate) fn left(until: DateTime<Utc>) -> String {
    let span = until - now();
    match span.num_minutes() {
        past if past < 0 => "over".to_owned(),
        0 => "under 1\u{a0}min".to_owned(),
        minutes if minutes < 60 => format!("{minutes}\u{a0}min"),
        minutes if minutes < 48 * 60 => format!("{}\u{a0}h", minutes / 60),
        _ => until.with_timezone(&Local).format("%-d\u{a0}%b").to_string(),
    }
}

/// Whether less than a quarter of the time is left.
pub(crate) fn is_pressing(asked: DateTime<Utc>, until: DateTime<Utc>) -> bool {
    (until - now()) * 4 < until - asked
}

/// A deadline in a sentence.
pub(crate) fn deadline(until: DateTime<Utc>) -> String {
    let span = until - now();
    if span.num_seconds() <= 0 {
        return format!("The time was over at {}.", clock(until));
    }
    format!(
        "{} left, until {}.",
        in_words(chrono::Duration::minutes(span.num_minutes().max(1))),
        clock(until)
    )
}

/// Whether something is so old that it may mislead.
pub(crate) fn is_old(at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    (now - at).num_minutes() >= 60
}

/// How old something is: `18 min old`.
pub(crate) fn age(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let span = now - at;
    if span.num_minutes() < 1 {
        "just now".to_owned()
    } else {
        format!("{} old", in_words(chrono::Duration::minutes(span.num_minutes())))
    }
}

/// A duration in milliseconds as tables show it.
pub(crate) fn took(ms: f64) -> String {
    match ms {
        // The clock is read once for all that happens at once.
        ms if ms < 0.05 => "<\u{a0}1\u{a0}ms".to_owned(),
        ms if ms < 1.0 => format!("{ms:.1}\u{a0}ms"),
        ms if ms < 1000.0 => format!("{ms:.0}\u{a0}ms"),
        ms if ms < 60_000.0 => format!("{:.1}\u{a0}s", ms / 1000.0),
        #[expect(clippy::cast_possible_truncation, reason = "a run of centuries is shown cut")]
        ms => in_words(chrono::Duration::milliseconds(ms as i64)),
    }
}

/// `1 more item`, `1,980 more items`.
pub(crate) fn count(n: usize, one: &str, many: &str) -> String {
    format!("{} {}", grouped(&n.to_string()), if n == 1 { one } else { many })
}

/// What a request is about, for a row.
pub(crate) fn title(approval: &Approval) -> String {
    approval.subject.clone().unwrap_or_else(|| format!("{}, {}", approval.workflow_name, approval.step_id))
}

/// A value as a person would type it.
pub(crate) fn plain(value: &Value) -> String {
    as_text(value)
}

/// How a run stands, in a word.
pub(crate) fn run_word(status: RunStatus, result: Option<RunResult>) -> &'static str {
    match (status, result) {
        (RunStatus::Running, _) => "Running",
        (RunStatus::Waiting, _) => "Waiting",
        (RunStatus::Paused, _) => "Paused",
        (RunStatus::Ended, Some(RunResult::Allowed)) => "Allowed",
        (RunStatus::Ended, Some(RunResult::Blocked)) => "Blocked",
        (RunStatus::Ended, Some(RunResult::Failed)) => "Failed",
        (RunStatus::Ended, Some(RunResult::Cancelled)) => "Cancelled",
        (RunStatus::Ended, Some(RunResult::TimedOut)) => "Timed out",
        (RunStatus::Ended, Some(RunResult::Executed | RunResult::PendingApproval) | None) => "Executed",
    }
}

/// A step as people read it: by its id, and what is loaded before the first one in words.
pub(crate) fn step_name(step: &StepId) -> String {
    if step.as_str() == LOADING { "Loads the context".to_owned() } else { step.to_string() }
}

/// What became of a step, in a word.
pub(crate) fn step_word(state: StepState) -> &'static str {
    match state {
        StepState::Entered => "Begun",
        StepState::Waiting => "Waiting",
        StepState::Done => "Done",
        StepState::Failed => "Failed",
        StepState::Retrying => "Retrying",
        StepState::Cancelled => "Cancelled",
        StepState::Skipped => "Skipped",
        StepState::Late => "Late",
    }
}

/// What a decision is, in a word for a row: `Approved`.
pub(crate) fn decided(asks: &QueuedRequest) -> String {
    let decision = match asks {
        QueuedRequest::Decision(decision) => decision.decision,
        QueuedRequest::HandOver(handover) => return format!("Handed over to {}", handover.to),
        QueuedRequest::Snooze { until: Some(until) } => return format!("Snoozed until {}", weekday(*until)),
        QueuedRequest::Snooze { until: None } => return "Snoozed no longer".to_owned(),
    };
    let words = match decision {
        Verb::Approve => "Approved",
        Verb::Reject => "Rejected",
        Verb::RequestChanges => "Changes requested",
        Verb::ApproveWithEdits => "Approved with edits",
        Verb::Retract => "Taken back",
    };
    words.to_owned()
}

/// What somebody does, in a word: `approved`.
pub(crate) fn verb_word(verb: Verb) -> &'static str {
    verb.verdict().map_or("took your decision back", verdict_word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Duration;
    use serde_json::json;

    fn words(text: &str) -> String {
        text.replace('\u{a0}', " ")
    }

    #[test]
    fn durations_are_as_exact_as_they_are_long() {
        for (ms, says) in [
            (0.01, "< 1 ms"),
            (0.44, "0.4 ms"),
            (12.4, "12 ms"),
            (999.0, "999 ms"),
            (1_250.0, "1.2 s"),
            (59_900.0, "59.9 s"),
            (90_000.0, "1 min 30 s"),
        ] {
            assert_eq!(words(&took(ms)), says, "{ms}");
        }
    }

    #[test]
    fn a_deadline_is_said_by_what_is_left_of_it() {
        let says = |span: Duration| words(&left(now() + span + Duration::seconds(5)));
        assert_eq!(says(Duration::minutes(-5)), "over");
        assert_eq!(says(Duration::zero()), "under 1 min");
        assert_eq!(says(Duration::minutes(20)), "20 min");
        assert_eq!(says(Duration::hours(3)), "3 h");
        assert_eq!(says(Duration::hours(47)), "47 h");
    }

    #[test]
    fn the_last_quarter_presses() {
        let asked = |hours| now() - Duration::hours(hours);
        assert!(!is_pressing(asked(1), now() + Duration::hours(1)));
        assert!(is_pressing(asked(9), now() + Duration::hours(1)));
    }

    #[test]
    fn what_is_an_hour_old_says_so() {
        let now = now();
        for (minutes, old, says) in
            [(0, false, "just now"), (18, false, "18 min old"), (61, true, "1 h 1 min old")]
        {
            let at = now - Duration::minutes(minutes);
            assert_eq!((is_old(at, now), words(&age(at, now)).as_str()), (old, says));
        }
    }

    #[test]
    fn data_is_read_by_people() {
        for (data, says) in [
            (json!(null), "–"),
            (json!(true), "yes"),
            (json!(1_234_567.5), "1,234,567.5"),
            (json!([]), "none"),
            (json!(["a", 2]), "a\n2"),
            (
                json!({ "order_total": 1000, "note": "", "who": null, "lines": ["x", "y"] }),
                "Lines: x, y · Order total: 1,000",
            ),
        ] {
            assert_eq!(value(&data), says, "{data}");
        }
        assert_eq!((label("order_total").as_str(), label("").as_str()), ("Order total", ""));
    }

    #[test]
    fn one_is_one_and_many_are_grouped() {
        assert_eq!(count(1, "more item", "more items"), "1 more item");
        assert_eq!(count(0, "more item", "more items"), "0 more items");
        assert_eq!(count(1980, "more item", "more items"), "1,980 more items");
    }
}
