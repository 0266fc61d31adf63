//! The session's refresh token in the system's keyring; where there is none, it lasts as long as the app.

use keyring::v1::Entry;
use serde::{Deserialize, Serialize};

const SERVICE: &str = "intelligent-workflows";
const ENTRY: &str = "session";

/// What is kept of a session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeptSession {
    /// The server's address.
    pub(crate) server: String,
    /// For the next access token.
    pub(crate) refresh_token: String,
}

/// What was kept, if anything.
pub(crate) async fn read() -> Option<KeptSession> {
    let read = || {
        let text = Entry::new(SERVICE, ENTRY).and_then(|entry| entry.get_password()).ok()?;
        serde_json::from_str(&text).ok()
    };
    tauri::async_runtime::spawn_blocking(read).await.ok().flatten()
}

/// Keeps a session; false where there is no keyring.
pub(crate) async fn keep(session: KeptSession) -> bool {
    let keep = move || {
        let text = serde_json::to_string(&session).unwrap_or_default();
        Entry::new(SERVICE, ENTRY).and_then(|entry| entry.set_password(&text))
    };
    match tauri::async_runtime::spawn_blocking(keep).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::info!(%error, "there is no keyring; the sign-in lasts as long as the app");
            false
        }
        Err(_) => false,
    }
}

/// Forgets what was kept.
pub(crate) async fn forget() {
    let forget = || Entry::new(SERVICE, ENTRY).and_then(|entry| entry.delete_credential());
    // Where nothing was kept there is nothing to forget.
    let _ = tauri::async_runtime::spawn_blocking(forget).await;
}
