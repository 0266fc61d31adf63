//! Failed sign-ins slow the next ones down, per account and per address.

use crate::store::{self, sessions};
use chrono::{DateTime, Duration, Utc};
use sqlx::PgConnection;

/// How many failures are free.
const FREE: i32 = 5;
/// After this long without a failure the count starts anew.
const FORGET_MINUTES: i64 = 15;
/// The longest delay, in seconds.
const MAX_DELAY: i64 = 15 * 60;

/// How long a sign-in must still wait; nothing where it may be tried.
pub async fn must_wait(
    conn: &mut PgConnection,
    email: &str,
    address: Option<&str>,
    now: DateTime<Utc>,
) -> store::Result<Option<Duration>> {
    let mut longest = None;
    for subject in subjects(email, address) {
        if let Some((failures, last_at)) = sessions::failures(conn, &subject).await? {
            longest = longest.max(remaining(failures, last_at, now));
        }
    }
    Ok(longest)
}

/// Counts a failure.
pub async fn count(
    conn: &mut PgConnection,
    email: &str,
    address: Option<&str>,
    now: DateTime<Utc>,
) -> store::Result<()> {
    let forget_before = now - Duration::minutes(FORGET_MINUTES);
    for subject in subjects(email, address) {
        sessions::count_failure(conn, &subject, now, forget_before).await?;
    }
    Ok(())
}

/// Forgets an account's failures: the right password was given.
pub async fn forget(conn: &mut PgConnection, email: &str) -> store::Result<()> {
    sessions::forget_failures(conn, &format!("account:{}", email.to_lowercase())).await
}

fn subjects(email: &str, address: Option<&str>) -> Vec<String> {
    let account = format!("account:{}", email.to_lowercase());
    std::iter::once(account).chain(address.map(|address| format!("address:{address}"))).collect()
}

/// After the free failures: 2 s, 4 s, 8 s, … up to the longest.
fn remaining(failures: i32, last_at: DateTime<Utc>, now: DateTime<Utc>) -> Option<Duration> {
    if failures < FREE || now - last_at >= Duration::minutes(FORGET_MINUTES) {
        return None;
    }
    let doublings = u32::try_from(failures - FREE + 1).unwrap_or_default().min(20);
    let delay = Duration::seconds((1i64 << doublings).min(MAX_DELAY));
    Some(last_at + delay - now).filter(|left| *left > Duration::zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_after_the_free_failures_and_end_with_time() {
        let now: DateTime<Utc> = "2026-03-01T10:00:00Z".parse().unwrap();
        let left = |failures, seconds| {
            remaining(failures, now - Duration::seconds(seconds), now).map(|d| d.num_seconds())
        };
        assert_eq!(left(4, 0), None);
        assert_eq!(left(5, 0), Some(2));
        assert_eq!(left(7, 1), Some(7));
        assert_eq!(left(7, 8), None);
        assert_eq!(left(60, 0), Some(MAX_DELAY));
        assert_eq!(left(60, FORGET_MINUTES * 60), None);
    }
}
