//! The one place that asks the system for the time and fresh ids.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The time.
#[expect(clippy::disallowed_methods, reason = "this is where time comes from")]
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}

/// A fresh id that follows time.
#[expect(clippy::disallowed_methods, reason = "this is where ids come from")]
pub(crate) fn new_id() -> Uuid {
    Uuid::now_v7()
}
