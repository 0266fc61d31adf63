//! Signing in and out, and the settings of this machine.

use crate::{client::Request, close_guard, shell::Shell, window};
use shared_types::{
    api::{
        NoBody, NoQuery, Page,
        auth::{ChangePassword, LoginRequest, PasswordChange},
        roles::{ListRoles, Role},
    },
    desktop::{CachePolicy, Connection, Failure, Loaded, SessionView, Settings, SignIn},
};
use tauri::State;

#[tauri::command]
pub(crate) async fn session(shell: State<'_, Shell>) -> Result<SessionView, Failure> {
    Ok(shell.session().await)
}

#[tauri::command]
pub(crate) async fn sign_in(shell: State<'_, Shell>, with: SignIn) -> Result<SessionView, Failure> {
    let login = LoginRequest {
        email: Some(with.email),
        password: Some(with.password),
        workspace: with.workspace,
        ..LoginRequest::default()
    };
    shell.sign_in(&with.server, &login).await
}

#[tauri::command]
pub(crate) async fn sign_out(shell: State<'_, Shell>) -> Result<(), Failure> {
    shell.sign_out().await;
    Ok(())
}

/// The person answered whether to close the window.
#[tauri::command]
pub(crate) async fn leave(app: tauri::AppHandle, really: bool) -> Result<(), Failure> {
    if really {
        app.exit(0);
    } else {
        close_guard::stay();
    }
    Ok(())
}

#[tauri::command]
pub(crate) async fn change_password(shell: State<'_, Shell>, change: PasswordChange) -> Result<(), Failure> {
    let call = Request::<ChangePassword> { path: &[], query: &NoQuery {}, body: &change, headers: &[] };
    shell.call(&call).await.map(|_| ())
}

/// The roles of the workspace, as it calls them.
#[tauri::command]
pub(crate) async fn roles(
    shell: State<'_, Shell>,
    policy: CachePolicy,
) -> Result<Loaded<Page<Role>>, Failure> {
    let call = Request::<ListRoles> { path: &[], query: &NoQuery {}, body: &NoBody {}, headers: &[] };
    shell.read("roles", policy, &call).await
}

#[tauri::command]
pub(crate) async fn settings(shell: State<'_, Shell>) -> Result<Settings, Failure> {
    shell.cache().settings().await.map_err(|error| Failure::Shell(error.to_string()))
}

#[tauri::command]
pub(crate) async fn set_settings(
    app: tauri::AppHandle,
    shell: State<'_, Shell>,
    settings: Settings,
) -> Result<(), Failure> {
    window::paint(&app, settings.theme);
    let kept = shell.cache().set_setting("settings", &settings).await;
    kept.map_err(|error| Failure::Shell(format!("The settings can't be kept: {error}.")))
}

#[tauri::command]
pub(crate) async fn connection(shell: State<'_, Shell>) -> Result<Connection, Failure> {
    Ok(shell.connection())
}
