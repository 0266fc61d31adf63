//! The session's refresh token in the system's keyring; where there is none, it lasts as long as the app.
//!
//! A locked keyring answers when its prompt is answered, which may be never: nobody waits for it longer than a few seconds.

use keyring::v1::Entry;
use serde::{Deserialize, Serialize};
use std::{
    sync::{Arc, mpsc},
    time::Duration,
};
use tokio::sync::oneshot;

const SERVICE: &str = "intelligent-workflows";
const ENTRY: &str = "session";
/// How long the keyring may take before the app goes on without it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);

/// What is kept of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredSession {
    /// The server's address.
    pub(crate) server: String,
    /// For the next access token.
    pub(crate) refresh_token: String,
    /// Whose it is; an older version didn't keep it.
    #[serde(default)]
    pub(crate) scope: Option<String>,
}

/// Where one text is kept secret.
pub(crate) trait Secret: Send + Sync + 'static {
    /// What was kept, if anything.
    fn read(&self) -> Option<String>;
    /// Keeps a text; false where there is no place for it.
    fn keep(&self, text: &str) -> bool;
    /// Forgets what was kept.
    fn forget(&self);
}

/// The system's keyring.
#[derive(Debug)]
pub(crate) struct SystemKeyring;

/// Something to do with the secret.
type Job = Box<dyn FnOnce(&dyn Secret) + Send>;

/// The kept session. What is asked is done in order, on a thread of its own.
pub(crate) struct KeyringStore {
    jobs: mpsc::Sender<Job>,
}

/// What reading the kept session came to within a few seconds.
pub(crate) enum Read {
    /// What was kept, if anything.
    Done(Option<StoredSession>),
    /// The keyring waits for its prompt; it answers here.
    Locked(oneshot::Receiver<Option<StoredSession>>),
}

impl Secret for SystemKeyring {
    fn read(&self) -> Option<String> {
        Entry::new(SERVICE, ENTRY).and_then(|entry| entry.get_password()).ok()
    }

    fn keep(&self, text: &str) -> bool {
        match Entry::new(SERVICE, ENTRY).and_then(|entry| entry.set_password(text)) {
            Ok(()) => true,
            Err(error) => {
                tracing::info!(%error, "there is no keyring; the sign-in lasts as long as the app");
                false
            }
        }
    }

    fn forget(&self) {
        // Where nothing was kept there is nothing to forget.
        let _ = Entry::new(SERVICE, ENTRY).and_then(|entry| entry.delete_credential());
    }
}

impl KeyringStore {
    /// A store over a place for secrets.
    pub(crate) fn new(secret: Arc<dyn Secret>) -> Self {
        let (jobs, asked) = mpsc::channel::<Job>();
        std::thread::spawn(move || {
            for job in asked {
                job(&*secret);
            }
        });
        Self { jobs }
    }

    /// What was kept, if anything.
    pub(crate) async fn read(&self) -> Read {
        let mut answer = self.ask(|secret| serde_json::from_str(&secret.read()?).ok());
        match tokio::time::timeout(PATIENCE, &mut answer).await {
            Ok(kept) => Read::Done(kept.ok().flatten()),
            Err(_) => Read::Locked(answer),
        }
    }

    /// Keeps a session; false where there is no keyring, or where it is locked.
    pub(crate) async fn keep(&self, session: StoredSession) -> bool {
        let text = serde_json::to_string(&session).unwrap_or_default();
        let answer = self.ask(move |secret| secret.keep(&text));
        matches!(tokio::time::timeout(PATIENCE, answer).await, Ok(Ok(true)))
    }

    /// Forgets what was kept, as soon as the keyring lets it.
    pub(crate) fn forget(&self) {
        drop(self.ask(Secret::forget));
    }

    fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&dyn Secret) -> T + Send + 'static,
    ) -> oneshot::Receiver<T> {
        let (answer, answered) = oneshot::channel();
        // Whoever asked may have gone on without the answer.
        let job = Box::new(move |secret: &dyn Secret| drop(answer.send(ask(secret))));
        // The thread ends with the app.
        let _ = self.jobs.send(job);
        answered
    }
}
