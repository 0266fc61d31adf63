//! The one place that asks the system for the time, fresh ids and randomness.

use chrono::{DateTime, SubsecRound as _, Utc};
use shared_types::machine::Stamp;
use uuid::Uuid;

/// The time, in whole microseconds: as exact as the database keeps it.
#[expect(clippy::disallowed_methods, reason = "this is where time comes from")]
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

/// A fresh id that follows time.
#[expect(clippy::disallowed_methods, reason = "this is where ids come from")]
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}

/// The least id that follows a time.
pub fn first_id_at(time: DateTime<Utc>) -> Uuid {
    let millis = u64::try_from(time.timestamp_millis()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid()
}

/// The stamp of something that happens.
pub fn stamp() -> Stamp {
    Stamp { at: now(), id: new_id() }
}

/// Random bytes for keys and tokens, from the system's generator.
pub fn random<const N: usize>() -> [u8; N] {
    rand::random()
}
