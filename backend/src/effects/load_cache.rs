//! Answers that were loaded, kept for others that may take one of that age. This is all that knows where they are kept: in
//! this server's memory, within a bound of bytes.

use chrono::{DateTime, Utc};
use moka::sync::Cache;
use serde_json::Value;
use shared_types::{ids::WorkspaceId, workflow::context::weight};
use std::sync::Arc;
use uuid::Uuid;

/// About how many bytes of answers are kept.
const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// An answer that is larger, in bytes, isn't kept: a few of them would take the place of all others.
const MAX_ANSWER: u64 = 1024 * 1024;

/// Whose answer it is: that of an operation, in a revision of its connector since the last purge, to an input.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct CacheKey {
    pub(super) workspace: WorkspaceId,
    pub(super) connector: Uuid,
    pub(super) revision: i32,
    pub(super) purges: i32,
    pub(super) operation: String,
    /// The input, as JSON.
    pub(super) input: String,
}

/// An answer that is kept.
#[derive(Debug, Clone)]
pub(super) struct KeptAnswer {
    /// What counts of the answer.
    pub(super) value: Arc<Value>,
    /// When the call that gave it began, in UTC: it is no newer than that.
    pub(super) since: DateTime<Utc>,
}

/// The answers that are kept; clones share them.
#[derive(Debug, Clone)]
pub(super) struct LoadCache(Cache<CacheKey, KeptAnswer>);

impl Default for LoadCache {
    fn default() -> Self {
        let weigher = |key: &CacheKey, answer: &KeptAnswer| {
            let bytes = weight(&answer.value) + (key.operation.len() + key.input.len() + 200) as u64;
            u32::try_from(bytes).unwrap_or(u32::MAX)
        };
        Self(Cache::builder().max_capacity(MAX_BYTES).weigher(weigher).build())
    }
}

impl LoadCache {
    /// The answer of a key, if one is kept that is at most so old, in milliseconds.
    pub(super) fn get(&self, key: &CacheKey, now: DateTime<Utc>, max_age_ms: i64) -> Option<KeptAnswer> {
        // An age of nothing takes none, also within one tick of the clock.
        self.0.get(key).filter(|kept| max_age_ms > 0 && (now - kept.since).num_milliseconds() <= max_age_ms)
    }

    /// Keeps an answer instead of an older one.
    pub(super) fn put(&self, key: CacheKey, answer: KeptAnswer) {
        if weight(&answer.value) > MAX_ANSWER {
            return;
        }
        if self.0.get(&key).is_none_or(|kept| kept.since <= answer.since) {
            self.0.insert(key, answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Duration;
    use serde_json::json;

    fn key(input: &str) -> CacheKey {
        CacheKey {
            workspace: WorkspaceId(Uuid::nil()),
            connector: Uuid::nil(),
            revision: 1,
            purges: 0,
            operation: "get_customer".to_owned(),
            input: input.to_owned(),
        }
    }

    fn answer(value: Value, since: DateTime<Utc>) -> KeptAnswer {
        KeptAnswer { value: Arc::new(value), since }
    }

    #[test]
    fn an_answer_is_given_until_it_is_older_than_is_wanted_and_never_replaced_by_an_older_one() {
        let cache = LoadCache::default();
        let begun = DateTime::UNIX_EPOCH + Duration::days(20_000);
        cache.put(key("1"), answer(json!({ "tier": "gold" }), begun));
        let at = |seconds: i64, max_age: i64| {
            let kept = cache.get(&key("1"), begun + Duration::seconds(seconds), max_age * 1000);
            kept.map(|kept| (*kept.value).clone())
        };
        assert_eq!(at(60, 60), Some(json!({ "tier": "gold" })));
        assert_eq!(at(61, 60), None);
        assert_eq!(at(0, 0), None, "who takes none that is kept gets none");
        assert_eq!(at(61, 300), Some(json!({ "tier": "gold" })), "it is kept for whoever takes older ones");
        cache.put(key("1"), answer(json!("late"), begun - Duration::seconds(5)));
        assert_eq!(at(61, 300), Some(json!({ "tier": "gold" })));
        for other in [
            key("2"),
            CacheKey { revision: 2, ..key("1") },
            CacheKey { purges: 1, ..key("1") },
            CacheKey { operation: "other".to_owned(), ..key("1") },
            CacheKey { workspace: WorkspaceId(Uuid::max()), ..key("1") },
            CacheKey { connector: Uuid::max(), ..key("1") },
        ] {
            assert!(cache.get(&other, begun, 1000).is_none(), "{other:?}");
        }
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let cache = LoadCache::default();
        let begun = DateTime::UNIX_EPOCH;
        cache.put(key("large"), answer(json!("x".repeat(2 * 1024 * 1024)), begun));
        assert!(cache.get(&key("large"), begun, 1000).is_none());
        let half = "x".repeat(512 * 1024);
        for n in 0..400 {
            cache.put(key(&n.to_string()), answer(json!(half), begun));
        }
        cache.0.run_pending_tasks();
        assert!(cache.0.weighted_size() <= MAX_BYTES, "{}", cache.0.weighted_size());
    }
}
