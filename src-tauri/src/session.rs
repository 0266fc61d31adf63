//! Who is signed in: tokens are refreshed here and seen by nobody else.
//!
//! Who it is can be asked at any time: nothing that waits for the network or the keyring holds the session.

use crate::{
    client::{Client, Request},
    clock,
    keyring_store::{KeyringStore, StoredSession},
};
use chrono::{DateTime, Duration, Utc};
use shared_types::{
    api::{
        Endpoint, NoQuery,
        auth::{Login, LoginRequest, Logout, Refresh, RefreshRequest, Session, SignedIn},
    },
    desktop::{Failure, SessionView},
};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// An access token is refreshed this long before it runs out.
const AHEAD_SECONDS: i64 = 30;

/// Which server, workspace and person something belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope(String);

/// The session of whoever is signed in, if anybody is.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    active: Mutex<Option<Active>>,
    /// Only one refresh at a time.
    refreshing: tokio::sync::Mutex<()>,
}

#[derive(Debug, Clone)]
struct Active {
    server: String,
    access_token: String,
    until: DateTime<Utc>,
    refresh_token: String,
    user: SignedIn,
    lasting: bool,
}

/// A session as other parts see it.
#[derive(Debug, Clone)]
pub(crate) struct Entered {
    pub(crate) server: String,
    pub(crate) token: String,
    /// Whose it is.
    pub(crate) scope: Scope,
}

impl Scope {
    /// What a person of a server's workspace keeps.
    pub(crate) fn of(server: &str, user: &SignedIn) -> Self {
        Self(format!("{server} {} {}", user.workspace, user.user_id))
    }

    /// A scope as it was kept.
    pub(crate) fn kept(text: String) -> Self {
        Self(text)
    }

    /// As it is kept.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The server's address.
    pub(crate) fn server(&self) -> &str {
        self.0.split(' ').next().unwrap_or_default()
    }
}

impl Sessions {
    /// Signs in; also gives the mark of this machine, to be sent with the next sign-in.
    pub(crate) async fn sign_in(
        &self,
        client: &Client,
        keyring: &KeyringStore,
        server: &str,
        login: &LoginRequest,
    ) -> Result<(SessionView, Option<String>), Failure> {
        let call = Request::<Login> { path: &[], query: &NoQuery {}, body: login, headers: &[] };
        let mut session = client.call(server, None, &call).await?;
        let device = session.device.take();
        let view = self.put(take(keyring, server, session, false).await);
        Ok((view, device))
    }

    /// Takes up the session that was kept when the app last ran.
    pub(crate) async fn take_up(
        &self,
        client: &Client,
        keyring: &KeyringStore,
        kept: &StoredSession,
    ) -> Result<SessionView, Failure> {
        let session = refresh(client, &kept.server, &kept.refresh_token).await?;
        Ok(self.put(take(keyring, &kept.server, session, true).await))
    }

    /// A session whose server doesn't answer yet: what was seen can be shown.
    pub(crate) fn take_up_offline(&self, kept: &StoredSession, user: SignedIn) -> SessionView {
        self.put(Active {
            server: kept.server.clone(),
            access_token: String::new(),
            until: DateTime::UNIX_EPOCH,
            refresh_token: kept.refresh_token.clone(),
            user,
            lasting: true,
        })
    }

    /// Who is signed in, without asking the server.
    pub(crate) fn who(&self) -> Option<(Scope, SignedIn)> {
        self.active().as_ref().map(|active| (active.scope(), active.user.clone()))
    }

    /// How it looks to the pages.
    pub(crate) fn view(&self, last_server: &str) -> SessionView {
        match &*self.active() {
            Some(active) => active.view(),
            None => SessionView::SignedOut { server: last_server.to_owned(), because: None },
        }
    }

    /// The session with a token that works; refreshed where it runs out.
    pub(crate) async fn enter(&self, client: &Client, keyring: &KeyringStore) -> Result<Entered, Failure> {
        if let Some(entered) = self.entered()? {
            return Ok(entered);
        }
        let _one = self.refreshing.lock().await;
        // Somebody else may have refreshed it meanwhile.
        if let Some(entered) = self.entered()? {
            return Ok(entered);
        }
        let Some(old) = self.active().clone() else { return Err(Failure::SignedOut) };
        let session = refresh(client, &old.server, &old.refresh_token).await?;
        let fresh = take(keyring, &old.server, session, old.lasting).await;
        let entered = fresh.entered();
        let now = {
            let mut active = self.active();
            if active.as_ref().is_some_and(|now| now.refresh_token == old.refresh_token) {
                *active = Some(fresh);
                return Ok(entered);
            }
            active.clone()
        };
        // Signed out, or somebody else signed in, while the server was asked: what was kept is not for the next start.
        match now {
            Some(now) => drop(keyring.keep(now.kept()).await),
            None => keyring.forget(),
        }
        Err(Failure::SignedOut)
    }

    /// The token ran out before its time: the next call gets a fresh one.
    pub(crate) fn expire(&self, token: &str) {
        if let Some(active) = self.active().as_mut().filter(|active| active.access_token == token) {
            active.until = DateTime::UNIX_EPOCH;
        }
    }

    /// Signs out; the server is told if it answers.
    pub(crate) async fn sign_out(&self, client: &Client, keyring: &KeyringStore) {
        let active = self.active().take();
        keyring.forget();
        if let Some(active) = active {
            let body = RefreshRequest { refresh_token: active.refresh_token };
            let call = Request::<Logout> { path: &[], query: &NoQuery {}, body: &body, headers: &[] };
            // The session ends by itself if this doesn't arrive.
            let _ = client.call(&active.server, None, &call).await;
        }
    }

    fn put(&self, session: Active) -> SessionView {
        let view = session.view();
        *self.active() = Some(session);
        view
    }

    /// The session where its token still works; an error where nobody is signed in.
    fn entered(&self) -> Result<Option<Entered>, Failure> {
        let active = self.active();
        let current = active.as_ref().ok_or(Failure::SignedOut)?;
        let works = current.until > clock::now() + Duration::seconds(AHEAD_SECONDS);
        Ok(works.then(|| current.entered()))
    }

    fn active(&self) -> MutexGuard<'_, Option<Active>> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Active {
    fn scope(&self) -> Scope {
        Scope::of(&self.server, &self.user)
    }

    fn kept(&self) -> StoredSession {
        StoredSession {
            server: self.server.clone(),
            refresh_token: self.refresh_token.clone(),
            scope: Some(self.scope().0),
        }
    }

    fn entered(&self) -> Entered {
        Entered { server: self.server.clone(), token: self.access_token.clone(), scope: self.scope() }
    }

    fn view(&self) -> SessionView {
        SessionView::SignedIn { server: self.server.clone(), user: self.user.clone(), lasting: self.lasting }
    }
}

/// Holds a fresh session, and keeps its refresh token before anything else is done with it.
async fn take(keyring: &KeyringStore, server: &str, session: Session, was_lasting: bool) -> Active {
    let seconds = i64::try_from(session.expires_in).unwrap_or_default();
    let mut active = Active {
        server: server.to_owned(),
        access_token: session.access_token,
        until: clock::now() + Duration::seconds(seconds),
        refresh_token: session.refresh_token,
        user: session.user,
        lasting: was_lasting,
    };
    active.lasting |= keyring.keep(active.kept()).await;
    active
}

async fn refresh(
    client: &Client,
    server: &str,
    token: &str,
) -> Result<<Refresh as Endpoint>::Response, Failure> {
    let body = RefreshRequest { refresh_token: token.to_owned() };
    let call = Request::<Refresh> { path: &[], query: &NoQuery {}, body: &body, headers: &[] };
    client.call(server, None, &call).await
}
