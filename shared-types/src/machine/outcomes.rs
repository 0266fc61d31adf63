//! What outcomes of calls come to: in words, as codes, and how long one waits that isn't made.

use super::input::Outcome;
use crate::workflow::{duration::in_words, test_script::ScriptedError};
use chrono::{DateTime, Duration, Utc};

pub(super) fn outcome_in_words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Answered(answer) => format!("Answered {}", answer.status),
        Outcome::Unanswered { message, .. }
        | Outcome::Refused { message, .. }
        | Outcome::Held { message, .. } => message.clone(),
    }
}

/// How long a call waits for a connector that takes none.
const MAX_HELD: Duration = Duration::hours(1);
/// The shortest time until it is asked again.
const MIN_HELD: Duration = Duration::seconds(1);

/// When a call is made that is held since then; none once it has waited long enough.
pub(super) fn held_until(
    since: DateTime<Utc>,
    until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let last = since + MAX_HELD;
    (now < last).then(|| until.max(now + MIN_HELD).min(last))
}

pub(super) fn waited_in_vain(message: &str) -> String {
    format!("{}; the call waited for {} and was given up.", message.trim_end_matches('.'), in_words(MAX_HELD))
}

pub(super) fn outcome_code(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Answered(answer) => format!("http.{}", answer.status),
        Outcome::Unanswered { error: ScriptedError::Timeout, .. } => "timeout".to_owned(),
        Outcome::Unanswered { error: ScriptedError::Connection, .. } => "connection".to_owned(),
        Outcome::Refused { code, .. } => code.clone(),
        Outcome::Held { .. } => "connector.unavailable".to_owned(),
    }
}
