//! API keys: 256 random bits behind `iw_`, stored as their hash, remembered for a moment.

use super::token_hash;
use crate::{clock, store};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use shared_types::{api::keys::Key, ids::WorkspaceId};
use sqlx::PgPool;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long a key is remembered: as long another server may take to learn of a revocation.
const REMEMBER: Duration = Duration::from_secs(2);
const MAX_REMEMBERED: usize = 10_000;

/// A fresh key's text.
pub fn fresh() -> String {
    format!("iw_{}", URL_SAFE_NO_PAD.encode(clock::random::<32>()))
}

/// The keys that were used a moment ago.
#[derive(Debug, Clone, Default)]
pub struct RecentKeys(Arc<Mutex<HashMap<Vec<u8>, Remembered>>>);

#[derive(Debug, Clone)]
struct Remembered {
    key: Arc<(WorkspaceId, Key)>,
    at: Instant,
}

impl RecentKeys {
    /// The key with this text that still works.
    pub async fn find(
        &self,
        pool: &PgPool,
        text: &str,
        now: DateTime<Utc>,
    ) -> store::Result<Option<Arc<(WorkspaceId, Key)>>> {
        let hash = token_hash(text);
        if let Some(known) = self.lock().get(&hash).filter(|known| known.at.elapsed() < REMEMBER) {
            let still_works = known.key.1.expires_at.is_none_or(|until| until > now);
            return Ok(still_works.then(|| Arc::clone(&known.key)));
        }
        Box::pin(self.read(pool, hash, now)).await
    }

    async fn read(
        &self,
        pool: &PgPool,
        hash: Vec<u8>,
        now: DateTime<Utc>,
    ) -> store::Result<Option<Arc<(WorkspaceId, Key)>>> {
        let mut conn = pool.acquire().await?;
        let Some(found) = store::keys::find(&mut conn, &hash, now).await? else {
            self.lock().remove(&hash);
            return Ok(None);
        };
        let key = Arc::new(found);
        let mut recent = self.lock();
        if recent.len() >= MAX_REMEMBERED {
            recent.clear();
        }
        recent.insert(hash, Remembered { key: Arc::clone(&key), at: Instant::now() });
        Ok(Some(key))
    }

    /// Forgets a key: it was revoked.
    pub fn forget(&self, hash: &[u8]) {
        self.lock().remove(hash);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Vec<u8>, Remembered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
