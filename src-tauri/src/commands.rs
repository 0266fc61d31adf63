//! What the pages may ask: each command has its handler, and most forward to the server.

mod approvals;
mod calendars;
mod completion;
mod connectors;
mod drafts;
mod invitations;
mod preferences;
mod rules;
mod runs;
mod session;
mod webhooks;
mod workflows;

use crate::shell::Shell;
use serde_json::Value;
use shared_types::{
    desktop::{
        Failure,
        commands::{self, Command},
    },
    for_each_command,
};
use tauri::{State, ipc::Response};

/// Answers a command.
pub(crate) trait Handle: Command {
    /// Does what is asked.
    fn handle(self, shell: &Shell) -> impl Future<Output = Result<Self::Answer, Failure>> + Send;
}

/// The one command that the window may call: it carries all others.
#[tauri::command]
pub(crate) async fn ask(shell: State<'_, Shell>, command: String, args: Value) -> Result<Response, Failure> {
    dispatch(&shell, &command, args).await.map(Response::new)
}

macro_rules! dispatch {
    ($($name:ident)*) => {
        /// Hands a command to its handler; the answer as JSON.
        pub(crate) async fn dispatch(shell: &Shell, command: &str, args: Value) -> Result<String, Failure> {
            match command {
                $(commands::$name::NAME => Box::pin(answer::<commands::$name>(shell, args)).await,)*
                unknown => Err(Failure::Shell(format!("The shell has no command {unknown}."))),
            }
        }
    };
}

for_each_command!(dispatch);

async fn answer<C: Handle>(shell: &Shell, args: Value) -> Result<String, Failure> {
    let command: C = serde_json::from_value(args)
        .map_err(|error| Failure::Shell(format!("{} can't be read: {error}.", C::NAME)))?;
    let answer = command.handle(shell).await?;
    serde_json::to_string(&answer)
        .map_err(|error| Failure::Shell(format!("The answer to {} can't be written: {error}.", C::NAME)))
}
