//! Passwords: Argon2id, on a thread where it may take its time.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};

/// The shortest password.
pub const MIN_LENGTH: usize = 10;
/// The longest password, so that hashing it stays bounded.
const MAX_LENGTH: usize = 1000;

/// Why a password is no good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Too short.
    #[error("a password needs {MIN_LENGTH} characters at least")]
    Short,
    /// Too long.
    #[error("a password has {MAX_LENGTH} characters at most")]
    Long,
}

/// Hashing failed.
#[derive(Debug, thiserror::Error)]
#[error("hashing a password failed: {0}")]
pub struct HashFailed(String);

/// Whether a password may be taken.
pub fn check_strength(password: &str) -> Result<(), WeakPassword> {
    match password.chars().count() {
        short if short < MIN_LENGTH => Err(WeakPassword::Short),
        long if long > MAX_LENGTH => Err(WeakPassword::Long),
        _ => Ok(()),
    }
}

/// The hash of a password with a salt of its own.
pub async fn hash(password: String) -> Result<String, HashFailed> {
    let hashed = tokio::task::spawn_blocking(move || hash_now(&password)).await;
    hashed.map_err(|error| HashFailed(error.to_string()))?
}

/// The same on this thread: for commands.
pub fn hash_now(password: &str) -> Result<String, HashFailed> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string()).map_err(|error| HashFailed(error.to_string()))
}

/// Whether a password is the one that was hashed. Without a hash it takes as long and is not.
pub async fn verify(password: String, hash: Option<String>) -> bool {
    // Of a password that nobody has, so that an unknown address takes as long as a wrong password.
    const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5bm9ib2R5bm9i$\
                          VvZMaCGuyRQWGKlgZ0sOPB9nDfbc0tOGhEvQZLRuN7w";
    let known = hash.is_some();
    let hash = hash.unwrap_or_else(|| NOBODY.to_owned());
    let verified = tokio::task::spawn_blocking(move || {
        let parsed = PasswordHash::new(&hash);
        parsed.is_ok_and(|parsed| Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok())
    });
    verified.await.unwrap_or(false) && known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_password_that_was_hashed_is_right() {
        let hashed = hash("correct horse".into()).await.unwrap();
        assert!(verify("correct horse".into(), Some(hashed.clone())).await);
        assert!(!verify("wrong horse".into(), Some(hashed)).await);
        assert!(!verify("anything".into(), None).await);
    }
}
