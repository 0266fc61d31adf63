//! Tokens of OAuth 2.0, kept until shortly before they end. However many calls need one, it is asked for once.

use sha2::{Digest as _, Sha256};
use shared_types::machine::Outcome;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};
use uuid::Uuid;

/// How many connectors' tokens are kept.
const MAX_KEPT: usize = 1_000;

/// For whom a token is: a revision of a connector, with the secret that it is asked for with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct TokenKey {
    connector: Uuid,
    revision: i32,
    /// A new secret needs a new token.
    secret: [u8; 32],
}

impl TokenKey {
    pub(super) fn new(connector: Uuid, revision: i32) -> Self {
        Self { connector, revision, secret: [0; 32] }
    }

    pub(super) fn of_secret(self, secret: &str) -> Self {
        Self { secret: Sha256::digest(secret).into(), ..self }
    }
}

/// A token, and when it is to be renewed.
type Kept = Arc<tokio::sync::Mutex<Option<(String, Instant)>>>;

/// The tokens that are kept.
#[derive(Debug, Default)]
pub(super) struct Tokens(Mutex<HashMap<TokenKey, Kept>>);

impl Tokens {
    /// The token of a key, asked for where none is kept or it is about to end. Whoever needs it meanwhile waits for the same.
    pub(super) async fn get<F: Future<Output = Result<(String, Instant), Outcome>>>(
        &self,
        key: TokenKey,
        fetch: impl FnOnce() -> F,
    ) -> Result<String, Outcome> {
        let kept = self.entry(key);
        let mut kept = kept.lock().await;
        if let Some((token, until)) = kept.as_ref()
            && Instant::now() < *until
        {
            return Ok(token.clone());
        }
        let (token, until) = fetch().await?;
        *kept = Some((token.clone(), until));
        Ok(token)
    }

    /// Forgets a token that isn't taken any more, unless another one is there by now.
    pub(super) async fn forget(&self, key: TokenKey, token: &str) {
        let kept = self.entry(key);
        let mut kept = kept.lock().await;
        if kept.as_ref().is_some_and(|(known, _)| known == token) {
            *kept = None;
        }
    }

    /// Forgets the tokens of a connector that isn't stored, and so never asks again.
    pub(super) fn remove_connector(&self, connector: Uuid) {
        lock(&self.0).retain(|key, _| key.connector != connector);
    }

    fn entry(&self, key: TokenKey) -> Kept {
        let mut entries = lock(&self.0);
        if entries.len() >= MAX_KEPT && !entries.contains_key(&key) {
            // Whoever uses one just now holds it.
            entries.retain(|_, kept| Arc::strong_count(kept) > 1);
        }
        Arc::clone(entries.entry(key).or_default())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
