//! Whether and when an effect that failed is tried again.

use super::input::{Outcome, Stamp};
use crate::workflow::{
    step::{Backoff, Retry, RetryOn},
    test_script::ScriptedError,
};
use chrono::{DateTime, Duration, Utc};

/// How long one attempt may take where the step doesn't say.
pub(super) const DEFAULT_TIMEOUT_MS: u64 = 30_000;
const DEFAULT_DELAY_MS: i64 = 1000;
const DEFAULT_MAX_DELAY_MS: i64 = 300_000;
/// The longest `Retry-After` that is heeded.
const MAX_RETRY_AFTER_MS: i64 = 24 * 3_600_000;
const DEFAULT_RETRY_ON: [RetryOn; 4] =
    [RetryOn::Timeout, RetryOn::Connection, RetryOn::ServerErrors, RetryOn::Status(429)];

/// How long to wait before the next attempt; `None` where there is none.
pub(super) fn delay(
    retry: Option<&Retry>,
    attempt: u32,
    outcome: &Outcome,
    stamp: &Stamp,
) -> Option<Duration> {
    let retry = retry?;
    let retry_on = retry.retry_on.as_deref().unwrap_or(&DEFAULT_RETRY_ON);
    if attempt >= retry.max_attempts || !retry_on.iter().any(|on| covers(*on, outcome)) {
        return None;
    }
    let base = retry.delay.as_ref().map_or(DEFAULT_DELAY_MS, crate::workflow::Span::millis);
    let max = retry.max_delay.as_ref().map_or(DEFAULT_MAX_DELAY_MS, crate::workflow::Span::millis);
    let grown = match retry.backoff.unwrap_or(Backoff::Fixed) {
        Backoff::Fixed => base,
        Backoff::Linear => base.saturating_mul(i64::from(attempt)),
        Backoff::Exponential => base.saturating_mul(2i64.saturating_pow(attempt - 1)),
    };
    let mut millis = grown.min(max);
    if retry.jitter == Some(true) {
        // Half to all of the delay, from the input's own random bits, so that a replay draws the same.
        let draw = i64::try_from(stamp.id.as_u128() & 0x3ff).unwrap_or_default();
        millis = millis / 2 + (millis / 2) * draw / 0x3ff;
    }
    let asked = retry_after(outcome, stamp.at).map_or(0, |asked| asked.num_milliseconds());
    Some(Duration::milliseconds(millis.max(asked)))
}

fn covers(on: RetryOn, outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Answered(answer) => match on {
            RetryOn::Any => true,
            RetryOn::ServerErrors => (500..600).contains(&answer.status),
            RetryOn::Status(status) => status == answer.status,
            RetryOn::Timeout | RetryOn::Connection => false,
        },
        Outcome::Unanswered { error: ScriptedError::Timeout, .. } => {
            matches!(on, RetryOn::Timeout | RetryOn::Any)
        }
        Outcome::Unanswered { error: ScriptedError::Connection, .. } => {
            matches!(on, RetryOn::Connection | RetryOn::Any)
        }
        // Trying again would not help; what is held wasn't tried.
        Outcome::Refused { .. } | Outcome::Held { .. } => false,
    }
}

/// How long an answer asks to be left alone, by `Retry-After`: seconds, or an HTTP date (RFC 9110, 10.2.3); a day at most.
pub fn retry_after(outcome: &Outcome, now: DateTime<Utc>) -> Option<Duration> {
    let Outcome::Answered(answer) = outcome else { return None };
    let text = answer.headers.get("retry-after")?.as_str()?;
    let millis = match text.parse::<i64>() {
        Ok(seconds) => seconds.saturating_mul(1000),
        Err(_) => (DateTime::parse_from_rfc2822(text).ok()?.with_timezone(&Utc) - now).num_milliseconds(),
    };
    Some(Duration::milliseconds(millis.clamp(0, MAX_RETRY_AFTER_MS)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::input::Answer;
    use serde_json::json;

    fn outcome(status: u16, headers: serde_json::Value) -> Outcome {
        let serde_json::Value::Object(headers) = headers else { panic!("a map") };
        Outcome::Answered(Answer { status, headers, body: serde_json::Value::Null, record_id: None })
    }

    fn millis(retry: serde_json::Value, attempt: u32, outcome: &Outcome) -> Option<i64> {
        let retry: Retry = serde_json::from_value(retry).unwrap();
        let stamp = Stamp::new("2026-03-01T10:00:00Z".parse().unwrap(), uuid::Uuid::from_u128(0x3ff));
        delay(Some(&retry), attempt, outcome, &stamp).map(|delay| delay.num_milliseconds())
    }

    #[test]
    fn delays_grow_as_the_document_says_up_to_the_longest() {
        let busy = outcome(503, json!({}));
        for (backoff, expected) in [
            ("fixed", [2000, 2000, 2000]),
            ("linear", [2000, 4000, 5000]),
            ("exponential", [2000, 4000, 5000]),
        ] {
            let retry = json!({"max_attempts": 4, "backoff": backoff, "delay": "2s", "max_delay": "5s"});
            let delays = [1, 2, 3].map(|attempt| millis(retry.clone(), attempt, &busy).unwrap());
            assert_eq!(delays, expected, "{backoff}");
            assert_eq!(millis(retry, 4, &busy), None, "max_attempts counts them all");
        }
    }

    #[test]
    fn only_what_the_document_names_is_tried_again_and_retry_after_is_heeded() {
        let retry = json!({"max_attempts": 3});
        assert_eq!(millis(retry.clone(), 1, &outcome(404, json!({}))), None);
        assert_eq!(millis(retry.clone(), 1, &outcome(429, json!({"retry-after": "7"}))), Some(7000));
        let date = json!({"retry-after": "Sun, 01 Mar 2026 10:00:09 GMT"});
        assert_eq!(millis(retry, 1, &outcome(503, date)), Some(9000));
        assert_eq!(
            millis(json!({"max_attempts": 3, "retry_on": [404]}), 1, &outcome(404, json!({}))),
            Some(1000)
        );
        let refused = Outcome::Refused { code: "x".into(), message: "x".into() };
        assert_eq!(millis(json!({"max_attempts": 3, "retry_on": ["*"]}), 1, &refused), None);
    }
}
