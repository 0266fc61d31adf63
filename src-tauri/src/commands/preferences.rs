//! How whoever is signed in wants to be told.

use super::Handle;
use crate::{client::Request, live, preferences, shell::Shell};
use shared_types::{
    api::{
        NoQuery,
        preferences::{NotificationPreferences, PutPreferences},
    },
    desktop::{Failure, Loaded, commands},
};

impl Handle for commands::ReadPreferences {
    async fn handle(self, shell: &Shell) -> Result<Loaded<NotificationPreferences>, Failure> {
        let Self { policy } = self;
        preferences::read(shell, policy).await
    }
}

impl Handle for commands::KeepPreferences {
    async fn handle(self, shell: &Shell) -> Result<NotificationPreferences, Failure> {
        let Self { preferences } = self;
        let call =
            Request::<PutPreferences> { path: &[], query: &NoQuery {}, body: &preferences, headers: &[] };
        let kept = shell.call(&call).await?;
        // Notifications follow it from now on, also for what waits already.
        let shell = shell.clone();
        tauri::async_runtime::spawn(async move { live::catch_up(&shell).await });
        Ok(kept)
    }
}
