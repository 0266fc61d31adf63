//! Completing a workflow's text while it is written.

use super::{Handle, connectors::connectors_of};
use crate::shell::Shell;
use shared_types::{
    desktop::{Completions, Failure, commands},
    workflow::Format,
};

impl Handle for commands::CompleteWorkflow {
    async fn handle(self, shell: &Shell) -> Result<Option<Completions>, Failure> {
        let Self { text, at } = self;
        let Some(known) = connectors_of(shell, &text).await else { return Ok(None) };
        let completing =
            tauri::async_runtime::spawn_blocking(move || known.complete(&text, Format::of(&text), at));
        completing.await.map_err(|error| Failure::Shell(error.to_string()))
    }
}
