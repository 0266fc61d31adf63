//! Passwords: Argon2id, on a thread where it may take its time, and only a few at once.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use std::{sync::Arc, thread};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zxcvbn::zxcvbn;

/// The shortest password.
pub const MIN_LENGTH: usize = 10;
/// The longest password, so that hashing it stays bounded.
pub const MAX_LENGTH: usize = 1000;
/// A password that is found in fewer guesses is common: its words, runs and repetitions stand in the lists of breached
/// passwords, with the usual digits and signs around them.
const COMMON_GUESSES: u64 = 100_000;
/// What is longer isn't common, and takes long to estimate.
const MAX_COMMON_LENGTH: usize = 40;
/// The most that are hashed at once; each takes 19 MB and a whole core.
const MOST_AT_ONCE: usize = 4;
/// How many may wait for their turn.
const WAITING: usize = 32;

/// Why a password is no good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Too short.
    #[error("a password needs {MIN_LENGTH} characters at least")]
    Short,
    /// Too long.
    #[error("a password has {MAX_LENGTH} characters at most")]
    Long,
    /// It is among the first that are tried anywhere.
    #[error(
        "this password is one of the most common ones, or close to one; take several words, or a longer one"
    )]
    Common,
    /// Whoever knows the person or the product would try it first.
    #[error("a password must be more than one's address, one's name or the product's name")]
    Guessable,
}

/// What is tried first everywhere.
const PRODUCT: [&str; 3] = ["intelligent workflows", "intelligent workflow", "iw server"];

/// Hashing failed.
#[derive(Debug, thiserror::Error)]
#[error("hashing a password failed: {0}")]
pub struct HashFailed(String);

/// Whether a password may be taken.
///
/// # Errors
/// It is too short, too long, or common.
pub fn check_strength(password: &str) -> Result<(), WeakPassword> {
    match password.chars().count() {
        short if short < MIN_LENGTH => Err(WeakPassword::Short),
        long if long > MAX_LENGTH => Err(WeakPassword::Long),
        length if length <= MAX_COMMON_LENGTH && zxcvbn(password, &[]).guesses() < COMMON_GUESSES => {
            Err(WeakPassword::Common)
        }
        _ => Ok(()),
    }
}

/// Whether a password may be taken by a person with this address and name.
pub fn check_for(password: &str, email: &str, name: &str) -> Result<(), WeakPassword> {
    check_strength(password)?;
    let local = email.split('@').next().unwrap_or_default();
    let core = letters(password);
    let is_word = |word: &str| !core.is_empty() && core == letters(word);
    if [email, local, name].into_iter().chain(PRODUCT).any(is_word) {
        return Err(WeakPassword::Guessable);
    }
    Ok(())
}

/// A text's letters, small: what is left when digits and signs are put around a word.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect()
}

/// Too many passwords wait to be hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the server checks as many passwords as it can; try again in a moment")]
pub struct Busy;

/// Whose password it is to be: those who are known here don't wait behind strangers without end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comer {
    /// Anybody.
    Stranger,
    /// Somebody who is signed in, or has signed in from there before.
    Known,
}

/// Hashes passwords, a few at once; the others wait, and no more than a few do.
#[derive(Debug, Clone)]
pub struct Hashing {
    turns: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
    known: Arc<Semaphore>,
}

/// A place in the queue, for one password.
#[derive(Debug)]
pub struct Place {
    turns: Arc<Semaphore>,
    place: OwnedSemaphorePermit,
}

impl Default for Hashing {
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let at_once = (cores / 2).clamp(1, MOST_AT_ONCE);
        let queue = || Arc::new(Semaphore::new(at_once + WAITING));
        Self { turns: Arc::new(Semaphore::new(at_once)), strangers: queue(), known: queue() }
    }
}

impl Hashing {
    /// A place in the queue.
    ///
    /// # Errors
    /// There is none left.
    pub fn queue(&self, comer: Comer) -> Result<Place, Busy> {
        let places = match comer {
            Comer::Stranger => &self.strangers,
            Comer::Known => &self.known,
        };
        let place = Arc::clone(places).try_acquire_owned().map_err(|_| Busy)?;
        Ok(Place { turns: Arc::clone(&self.turns), place })
    }
}

impl Place {
    /// The hash of a password with a salt of its own.
    pub async fn hash(self, password: String) -> Result<String, HashFailed> {
        self.work(move || hash_now(&password)).await?
    }

    /// Whether a password is the one that was hashed. Without a hash it takes as long and is not.
    pub async fn verify(self, password: String, hash: Option<String>) -> bool {
        // Of a password that nobody has, so that an unknown address takes as long as a wrong password.
        const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5bm9ib2R5bm9i$\
                              VvZMaCGuyRQWGKlgZ0sOPB9nDfbc0tOGhEvQZLRuN7w";
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| NOBODY.to_owned());
        let verify = move || {
            let parsed = PasswordHash::new(&hash);
            parsed.is_ok_and(|parsed| Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok())
        };
        self.work(verify).await.unwrap_or(false) && known
    }

    /// Does it when its turn comes. Turn and place last as long as the work, also where nobody waits for it any more.
    async fn work<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HashFailed> {
        let Self { turns, place } = self;
        let turn = turns.acquire_owned().await.map_err(|error| HashFailed(error.to_string()))?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop((turn, place));
            done
        });
        done.await.map_err(|error| HashFailed(error.to_string()))
    }
}

/// The hash of a password, on this thread: for commands.
pub fn hash_now(password: &str) -> Result<String, HashFailed> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string()).map_err(|error| HashFailed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_password_that_was_hashed_is_right() {
        let hashing = Hashing::default();
        let place = || hashing.queue(Comer::Stranger).unwrap();
        let hashed = place().hash("correct horse".into()).await.unwrap();
        assert!(place().verify("correct horse".into(), Some(hashed.clone())).await);
        assert!(!place().verify("wrong horse".into(), Some(hashed)).await);
        assert!(!place().verify("anything".into(), None).await);
    }

    #[test]
    fn a_password_is_more_than_what_everybody_knows_of_its_owner() {
        let check = |password: &str| check_for(password, "ina.berg@example.com", "Ina Maria Berg");
        for weak in ["ina.berg@example.com", "InaBerg2026!", "ina maria berg", "Intelligent-Workflows1"] {
            assert_eq!(check(weak), Err(WeakPassword::Guessable), "{weak}");
        }
        assert_eq!(check("short"), Err(WeakPassword::Short));
        for common in ["password123", "P@ssw0rd2026", "qwertyuiop", "1234567890", "aaaaaaaaaa", "letmein1234"]
        {
            assert_eq!(check(common), Err(WeakPassword::Common), "{common}");
        }
        let long = "ab".repeat(500);
        for good in ["ina likes her bike", "correct horse", "7yq-Kd2-wmp", long.as_str()] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn strangers_who_fill_their_queue_leave_room_for_those_who_are_known() {
        let hashing = Hashing::default();
        let strangers: Vec<Place> =
            std::iter::from_fn(|| hashing.queue(Comer::Stranger).ok()).take(1000).collect();
        assert!((WAITING..=WAITING + MOST_AT_ONCE).contains(&strangers.len()));
        assert!(hashing.queue(Comer::Known).is_ok());
        drop(strangers);
        assert!(hashing.queue(Comer::Stranger).is_ok());
    }
}
