//! The desktop app's shell: it owns everything that lasts or leaves the machine. The pages have no token, no
//! network and no file; they ask this program by commands and hear it by one event.

mod cache;
mod client;
mod clock;
mod close_guard;
mod commands;
mod host;
mod keyring_store;
mod known_connectors;
mod live;
mod looks;
mod notification;
mod notifications;
mod outbox;
mod pending_approvals;
mod preferences;
mod server_address;
mod session;
mod shell;
mod system_notifications;
#[cfg(test)]
mod tests;
mod window;

use host::Host as _;
use keyring_store::{KeyringStore, SystemKeyring};
use shell::Shell;
use std::{
    io::{BufRead as _, IsTerminal as _},
    sync::Arc,
};
use tauri::{AppHandle, Manager as _, WindowEvent};

fn main() -> anyhow::Result<()> {
    // The provider is chosen once; a second choice would be an error of this program.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    // Colours are for a terminal; in a file they are noise.
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(colours).with_target(false).init();
    let sign_in = std::env::args().any(|arg| arg == "--sign-in").then(read_sign_in).flatten();
    let app = tauri::Builder::default()
        .plugin(tauri_plugin_single_instance::init(|app, _, _| app.to_front()))
        .plugin(tauri_plugin_window_state::Builder::new().build())
        .plugin(tauri_plugin_notification::init())
        .on_window_event(|window, event| {
            if let WindowEvent::CloseRequested { api, .. } = event {
                api.prevent_close();
                tauri::async_runtime::spawn(asked_to_close(window.app_handle().clone()));
            }
        })
        .invoke_handler(tauri::generate_handler![commands::ask])
        .setup(move |app| {
            let folder = app.path().app_data_dir()?;
            let handle = app.handle().clone();
            let keyring = KeyringStore::new(Arc::new(SystemKeyring));
            let opening = Shell::open(Arc::new(handle), keyring, &folder);
            let shell = tauri::async_runtime::block_on(opening)?;
            app.manage(shell.clone());
            let settings = tauri::async_runtime::block_on(shell.cache().settings());
            window::open(app.handle(), settings.unwrap_or_default().theme)?;
            tauri::async_runtime::spawn(async move {
                shell.open_session(sign_in).await;
                tauri::async_runtime::spawn(outbox::run(shell.clone()));
                live::run(shell).await;
            });
            Ok(())
        })
        .build(tauri::generate_context!())?;
    app.run(|_, _| {});
    Ok(())
}

/// Closes, or has the pages ask.
async fn asked_to_close(app: AppHandle) {
    // Before the shell is open there is nothing that waits.
    let shell = app.try_state::<Shell>().map(|shell| shell.inner().clone());
    let closes = match &shell {
        Some(shell) => close_guard::closes(shell).await,
        None => true,
    };
    if closes {
        app.exit(0);
    }
}

/// A server and a one-time code, handed over on standard input so that no list of processes shows them.
fn read_sign_in() -> Option<(String, String)> {
    let mut lines = std::io::stdin().lock().lines();
    Some((lines.next()?.ok()?, lines.next()?.ok()?))
}
