//! Where the backend's time, its ids and its randomness come from. The time is passed to whoever needs it, so that tests
//! move it; ids follow it.

use chrono::{DateTime, SubsecRound as _, Utc};
use shared_types::machine::Stamp;
use std::{
    fmt::Debug,
    sync::{Arc, Mutex, PoisonError},
};
use uuid::{ContextV7, Timestamp, Uuid};

/// Tells the time.
pub trait TimeSource: Debug + Send + Sync {
    /// The time.
    fn now(&self) -> DateTime<Utc>;
}

/// The system's time.
#[derive(Debug)]
struct SystemTime;

impl TimeSource for SystemTime {
    #[expect(clippy::disallowed_methods, reason = "this is where time comes from")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// A clock; clones share it.
#[derive(Debug, Clone)]
pub struct Clock {
    source: Arc<dyn TimeSource>,
    /// Keeps ids of one millisecond in order.
    ids: Arc<Mutex<ContextV7>>,
}

impl Default for Clock {
    fn default() -> Self {
        Self::of(SystemTime)
    }
}

impl Clock {
    /// A clock that tells the time of a source; the default one tells the system's.
    pub fn of(source: impl TimeSource + 'static) -> Self {
        Self { source: Arc::new(source), ids: Arc::new(Mutex::new(ContextV7::new())) }
    }

    /// The time, in whole microseconds: as exact as the database keeps it.
    pub fn now(&self) -> DateTime<Utc> {
        self.source.now().trunc_subsecs(6)
    }

    /// A fresh id that follows time.
    pub fn new_id(&self) -> Uuid {
        let now = self.source.now();
        let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
        let context = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        Uuid::new_v7(Timestamp::from_unix(&*context, seconds, now.timestamp_subsec_nanos()))
    }

    /// The stamp of something that happens.
    pub fn stamp(&self) -> Stamp {
        Stamp::new(self.now(), self.new_id())
    }
}

/// The least id that follows a time.
pub fn first_id_at(time: DateTime<Utc>) -> Uuid {
    let millis = u64::try_from(time.timestamp_millis()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid()
}

/// Random bytes for keys and tokens, from the system's generator.
pub fn random<const N: usize>() -> [u8; N] {
    rand::random()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Duration;

    #[derive(Debug)]
    struct Fixed(Mutex<DateTime<Utc>>);

    impl TimeSource for Arc<Fixed> {
        fn now(&self) -> DateTime<Utc> {
            *self.0.lock().unwrap()
        }
    }

    #[test]
    fn ids_follow_the_time_that_is_passed_and_each_other() {
        let fixed = Arc::new(Fixed(Mutex::new(DateTime::UNIX_EPOCH + Duration::days(20_000))));
        let clock = Clock::of(Arc::clone(&fixed));
        let mut ids: Vec<Uuid> = (0..1000).map(|_| clock.new_id()).collect();
        assert!(ids.is_sorted(), "ids of one moment are in their order");
        assert!(ids[0] >= first_id_at(clock.now()));
        *fixed.0.lock().unwrap() += Duration::days(3);
        let later = first_id_at(clock.now());
        assert!(ids.iter().all(|id| *id < later));
        ids.push(clock.new_id());
        assert!(ids.is_sorted() && ids[1000] >= later);
    }
}
