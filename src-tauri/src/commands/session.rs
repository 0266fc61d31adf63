//! Signing in and out, and the settings of this machine.

use super::Handle;
use crate::{client::Request, close_guard, outbox, shell::Shell};
use shared_types::{
    api::{
        NoQuery, Page,
        auth::{ChangePassword, LoginRequest},
        roles::{ListRoles, Role},
    },
    desktop::{Connection, Failure, Loaded, SessionView, Settings, commands},
};

impl Handle for commands::ReadSession {
    async fn handle(self, shell: &Shell) -> Result<SessionView, Failure> {
        Ok(shell.session().await)
    }
}

impl Handle for commands::SignIn {
    async fn handle(self, shell: &Shell) -> Result<SessionView, Failure> {
        let Self { server, email, password, workspace } = self;
        let login = LoginRequest {
            email: Some(email),
            password: Some(password),
            workspace,
            ..LoginRequest::default()
        };
        shell.sign_in(&server, &login).await
    }
}

impl Handle for commands::SignOut {
    async fn handle(self, shell: &Shell) -> Result<(), Failure> {
        outbox::send_held(shell).await;
        shell.sign_out().await;
        Ok(())
    }
}

impl Handle for commands::Leave {
    async fn handle(self, shell: &Shell) -> Result<(), Failure> {
        let Self { really } = self;
        if really {
            shell.host().exit();
        } else {
            close_guard::stay(shell);
        }
        Ok(())
    }
}

impl Handle for commands::ChangePassword {
    async fn handle(self, shell: &Shell) -> Result<(), Failure> {
        let Self { change } = self;
        let call = Request::<ChangePassword> { path: &[], query: &NoQuery {}, body: &change, headers: &[] };
        shell.call(&call).await.map(|_| ())
    }
}

impl Handle for commands::ListRoles {
    async fn handle(self, shell: &Shell) -> Result<Loaded<Page<Role>>, Failure> {
        let Self { policy } = self;
        let call = Request::<ListRoles>::at(&[]);
        shell.read("roles", policy, &call).await
    }
}

impl Handle for commands::ReadSettings {
    async fn handle(self, shell: &Shell) -> Result<Settings, Failure> {
        shell.cache().settings().await.map_err(|error| Failure::Shell(error.to_string()))
    }
}

impl Handle for commands::KeepSettings {
    async fn handle(self, shell: &Shell) -> Result<(), Failure> {
        let Self { settings } = self;
        shell.host().paint(settings.theme);
        let kept = shell.cache().set_setting("settings", &settings).await;
        kept.map_err(|error| Failure::Shell(format!("The settings can't be kept: {error}.")))
    }
}

impl Handle for commands::ReadConnection {
    async fn handle(self, shell: &Shell) -> Result<Connection, Failure> {
        Ok(shell.connection())
    }
}
