//! The shell's one state: the session, what lasts, and how the line stands.

use crate::{
    cache::Cache,
    client::{Client, Document, Request},
    clock,
    host::Host,
    keyring_store::{KeyringStore, Read, StoredSession},
    known_connectors::RecentConnectors,
    looks::Looks,
    notifications::Notifications,
    server_address::server_address,
    session::{Entered, Scope, Sessions},
};
use chrono::{DateTime, Utc};
use serde::{Serialize, de::DeserializeOwned};
use shared_types::{
    api::{
        Endpoint, HttpMethod,
        auth::{LoginRequest, SignedIn},
    },
    desktop::{CachePolicy, Connection, Failure, Loaded, SessionView, ShellEvent},
    email::normal_form,
};
use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;

/// How long an answer may take before the line is looked at.
const DOUBT: Duration = Duration::from_secs(1);
/// How long what was last seen is held back for an answer.
const AT_ONCE: Duration = Duration::from_millis(300);
const LAST_SERVER: &str = "server";
const DEFAULT_SERVER: &str = "http://127.0.0.1:7400";
/// Who was signed in, so that what was seen can be shown before the server answers.
const USER: &str = "user";

/// The shell; clones share it.
#[derive(Clone)]
pub(crate) struct Shell(Arc<Inner>);

struct Inner {
    host: Arc<dyn Host>,
    cache: Cache,
    client: Client,
    keyring: KeyringStore,
    sessions: Sessions,
    notifications: Notifications,
    connection: Mutex<Connection>,
    session_changed: Notify,
    outbox_changed: Notify,
    /// What can still be undone is to be sent at once.
    hurried: Notify,
    line_doubted: Notify,
    /// When the server was last heard.
    heard_at: Mutex<DateTime<Utc>>,
    looks: Looks,
    /// Whether the last session is still being looked for.
    opening: AtomicBool,
    /// Whether the person was asked if the window is to be closed.
    close_asked: AtomicBool,
    sending: tokio::sync::Mutex<()>,
    recent_connectors: RecentConnectors,
}

impl Shell {
    pub(crate) async fn open(
        host: Arc<dyn Host>,
        keyring: KeyringStore,
        folder: &Path,
    ) -> anyhow::Result<Self> {
        let cache = Cache::open(folder).await?;
        Ok(Self(Arc::new(Inner {
            notifications: Notifications::new(Arc::clone(&host), cache.clone()),
            host,
            cache,
            client: Client::new()?,
            keyring,
            sessions: Sessions::default(),
            connection: Mutex::new(Connection::Reconnecting),
            session_changed: Notify::new(),
            outbox_changed: Notify::new(),
            hurried: Notify::new(),
            line_doubted: Notify::new(),
            heard_at: Mutex::new(clock::now()),
            looks: Looks::default(),
            opening: AtomicBool::new(true),
            close_asked: AtomicBool::new(false),
            sending: tokio::sync::Mutex::new(()),
            recent_connectors: RecentConnectors::default(),
        })))
    }

    /// Signs in as asked, or takes up where the app last left off.
    pub(crate) async fn open_session(&self, sign_in: Option<(String, String)>) {
        match sign_in {
            Some((server, code)) => {
                let login = LoginRequest { code: Some(code), ..LoginRequest::default() };
                if let Err(failure) = self.sign_in(&server, &login).await {
                    tracing::warn!(failure = failure.words(), "signing in by code failed");
                    self.restore_session().await;
                }
            }
            None => self.restore_session().await,
        }
    }

    /// Takes up the kept session. Where the keyring is locked the person may sign in meanwhile; an answer that comes later
    /// is taken up unless she did.
    async fn restore_session(&self) {
        let kept = match self.0.keyring.read().await {
            Read::Done(kept) => kept,
            Read::Locked(answer) => {
                let server = self.last_server().await;
                self.show(SessionView::KeyringLocked { server });
                let shell = self.clone();
                tauri::async_runtime::spawn(async move {
                    let kept = answer.await.ok().flatten();
                    if shell.who().is_err() {
                        shell.restore_stored_session(kept).await;
                    }
                });
                return;
            }
        };
        self.restore_stored_session(kept).await;
    }

    async fn restore_stored_session(&self, kept: Option<StoredSession>) {
        let Some(kept) = kept else { return self.publish_session().await };
        // What was seen is shown before the server is asked: it may hang.
        let user: Option<SignedIn> = self.0.cache.setting(USER).await.ok().flatten();
        if let Some(user) =
            user.filter(|user| kept.scope.as_deref() == Some(Scope::of(&kept.server, user).as_str()))
        {
            let view = self.0.sessions.take_up_offline(&kept, user);
            self.signed_in(view).await;
            return;
        }
        match self.0.sessions.take_up(&self.0.client, &self.0.keyring, &kept).await {
            Ok(view) => self.signed_in(view).await,
            Err(failure) => {
                if failure != Failure::Offline {
                    self.0.keyring.forget();
                }
                let view = SessionView::SignedOut { server: kept.server, because: Some(failure.words()) };
                self.show(view);
            }
        }
    }

    pub(crate) async fn sign_in(&self, server: &str, login: &LoginRequest) -> Result<SessionView, Failure> {
        let server = &server_address(server)?;
        let device = match &login.email {
            Some(email) => self.0.cache.setting(&device_of(server, email)).await.ok().flatten(),
            None => None,
        };
        let login = LoginRequest { device, ..login.clone() };
        let signed_in = self.0.sessions.sign_in(&self.0.client, &self.0.keyring, server, &login).await;
        let (view, device) = signed_in.map_err(|failure| {
            let is_silent = failure == Failure::Offline;
            let says = || format!("Nothing answers at {server}. Check the address and the network.");
            if is_silent { Failure::Input(says()) } else { failure }
        })?;
        if let (SessionView::SignedIn { user, .. }, Some(device)) = (&view, device) {
            self.remember(&device_of(server, &user.email), &device).await;
        }
        self.signed_in(view.clone()).await;
        Ok(view)
    }

    async fn signed_in(&self, view: SessionView) {
        if let SessionView::SignedIn { server, user, .. } = &view {
            self.remember(LAST_SERVER, server).await;
            self.remember(USER, user).await;
        }
        self.show(view);
        self.0.session_changed.notify_waiters();
        self.0.outbox_changed.notify_one();
    }

    pub(crate) async fn sign_out(&self) {
        self.0.sessions.sign_out(&self.0.client, &self.0.keyring).await;
        self.0.notifications.withdraw_all();
        self.publish_session().await;
        self.0.session_changed.notify_waiters();
    }

    /// The session ended on the server: the person has to sign in again.
    async fn session_ended(&self, why: &Failure) {
        let server = self.last_server().await;
        self.0.sessions.sign_out(&self.0.client, &self.0.keyring).await;
        self.show(SessionView::SignedOut { server, because: Some(why.words()) });
        self.0.session_changed.notify_waiters();
    }

    /// Says who is signed in.
    fn show(&self, view: SessionView) {
        self.0.opening.store(false, Ordering::SeqCst);
        self.publish(&ShellEvent::Session(view));
    }

    async fn publish_session(&self) {
        let view = self.0.sessions.view(&self.last_server().await);
        self.show(view);
    }

    pub(crate) async fn session(&self) -> SessionView {
        if self.0.opening.load(Ordering::SeqCst) {
            return SessionView::Opening;
        }
        let server = self.last_server().await;
        self.0.sessions.view(&server)
    }

    async fn last_server(&self) -> String {
        let server = self.0.cache.setting(LAST_SERVER).await.ok().flatten();
        server.unwrap_or_else(|| DEFAULT_SERVER.to_owned())
    }

    async fn remember<T: Serialize>(&self, key: &str, value: &T) {
        if let Err(error) = self.0.cache.set_setting(key, value).await {
            tracing::warn!(%error, key, "a setting could not be kept");
        }
    }

    /// The connectors that were lately read for a text.
    pub(crate) fn recent_connectors(&self) -> &RecentConnectors {
        &self.0.recent_connectors
    }

    pub(crate) fn cache(&self) -> &Cache {
        &self.0.cache
    }

    pub(crate) fn notifications(&self) -> &Notifications {
        &self.0.notifications
    }

    pub(crate) fn session_changed(&self) -> &Notify {
        &self.0.session_changed
    }

    pub(crate) fn hurried(&self) -> &Notify {
        &self.0.hurried
    }

    pub(crate) fn outbox_changed(&self) -> &Notify {
        &self.0.outbox_changed
    }

    pub(crate) fn looks(&self) -> &Looks {
        &self.0.looks
    }

    /// Whether the person was asked if the window is to be closed.
    pub(crate) fn close_asked(&self) -> &AtomicBool {
        &self.0.close_asked
    }

    /// Told when a call got no answer.
    pub(crate) fn line_doubted(&self) -> &Notify {
        &self.0.line_doubted
    }

    /// Lets one decision be sent at a time.
    pub(crate) fn sending(&self) -> &tokio::sync::Mutex<()> {
        &self.0.sending
    }

    pub(crate) async fn token(&self) -> Result<(String, String), Failure> {
        let entered = self.0.sessions.enter(&self.0.client, &self.0.keyring).await?;
        Ok((entered.server, entered.token))
    }

    /// Who is signed in, and what is kept under that.
    pub(crate) fn who(&self) -> Result<(Scope, SignedIn), Failure> {
        self.0.sessions.who().ok_or(Failure::SignedOut)
    }

    /// Calls an endpoint as whoever is signed in.
    pub(crate) async fn call<E: Endpoint>(&self, call: &Request<'_, E>) -> Result<E::Response, Failure> {
        self.call_doubting(None, call).await
    }

    /// Calls an endpoint in the session of one person and no other.
    pub(crate) async fn call_of<E: Endpoint>(
        &self,
        scope: &Scope,
        call: &Request<'_, E>,
    ) -> Result<E::Response, Failure> {
        self.call_doubting(Some(scope), call).await
    }

    async fn call_doubting<E: Endpoint>(
        &self,
        only: Option<&Scope>,
        call: &Request<'_, E>,
    ) -> Result<E::Response, Failure> {
        let mut answer = std::pin::pin!(self.call_as_signed_in(only, call));
        // The line may still look alive where the server hangs.
        let answer = if let Ok(answer) = tokio::time::timeout(DOUBT, &mut answer).await {
            answer
        } else {
            self.0.line_doubted.notify_waiters();
            answer.await
        };
        match answer {
            Err(Failure::Offline) => self.0.line_doubted.notify_waiters(),
            Ok(_) | Err(Failure::Refused(_)) => self.heard(),
            Err(Failure::SignedOut | Failure::Cancelled | Failure::Input(_) | Failure::Shell(_)) => {}
        }
        answer
    }

    async fn call_as_signed_in<E: Endpoint>(
        &self,
        only: Option<&Scope>,
        call: &Request<'_, E>,
    ) -> Result<E::Response, Failure> {
        let entered = self.enter(only).await?;
        let answer = self.0.client.call(&entered.server, Some(&entered.token), call).await;
        match answer {
            Err(Failure::Refused(problem)) if problem.status == 401 => {
                // Its clock and ours may differ; a fresh token settles it.
                self.0.sessions.expire(&entered.token);
                let entered = self.enter(only).await?;
                self.0.client.call(&entered.server, Some(&entered.token), call).await
            }
            answer => answer,
        }
    }

    /// The session with a token that works, where it is the asked person's.
    async fn enter(&self, only: Option<&Scope>) -> Result<Entered, Failure> {
        if only.is_some_and(|scope| self.who().is_ok_and(|(now, _)| now != *scope)) {
            return Err(Failure::SignedOut);
        }
        let entered = match self.0.sessions.enter(&self.0.client, &self.0.keyring).await {
            Err(failure @ Failure::Refused(_)) => {
                self.session_ended(&failure).await;
                return Err(Failure::SignedOut);
            }
            entered => entered?,
        };
        if only.is_some_and(|scope| entered.scope != *scope) {
            return Err(Failure::SignedOut);
        }
        Ok(entered)
    }

    /// Lets the token count as run out.
    #[cfg(test)]
    pub(crate) async fn expire_token(&self) -> Result<(), Failure> {
        let (_, token) = self.token().await?;
        self.0.sessions.expire(&token);
        Ok(())
    }

    /// Sends a document as whoever is signed in.
    pub(crate) async fn send_document<E: Endpoint>(
        &self,
        path: &[&str],
        document: &Document<'_>,
    ) -> Result<E::Response, Failure> {
        let (server, token) = self.token().await?;
        self.0.client.send_document::<E>(&server, &token, path, document).await
    }

    /// Reads something, or what was last seen of it where the server doesn't answer.
    pub(crate) async fn read<E>(
        &self,
        key: &str,
        policy: CachePolicy,
        call: &Request<'_, E>,
    ) -> Result<Loaded<E::Response>, Failure>
    where
        E: Endpoint,
        E::Response: Serialize + DeserializeOwned,
    {
        debug_assert_eq!(E::METHOD, HttpMethod::Get);
        self.read_as(key, policy, self.call(call)).await
    }

    /// Takes an answer and keeps it under a key, or gives what was last kept where the server doesn't answer.
    pub(crate) async fn read_as<T: Serialize + DeserializeOwned>(
        &self,
        key: &str,
        policy: CachePolicy,
        answer: impl Future<Output = Result<T, Failure>>,
    ) -> Result<Loaded<T>, Failure> {
        let (scope, _) = self.who()?;
        let mut answer = std::pin::pin!(answer);
        let at_once = match policy {
            CachePolicy::CacheFirst => tokio::time::timeout(AT_ONCE, &mut answer).await.ok(),
            CachePolicy::NetworkOnly => None,
        };
        let answered = if let Some(answered) = at_once {
            answered
        } else {
            if policy == CachePolicy::CacheFirst
                && let Some(seen) = self.cached(&scope, key).await
            {
                return Ok(seen);
            }
            answer.await
        };
        match answered {
            Ok(data) => {
                let at = clock::now();
                if let Err(error) = self.0.cache.put(&scope, key, &data, at).await {
                    tracing::warn!(%error, key, "what was seen could not be kept");
                }
                Ok(Loaded { data, at, fresh: true })
            }
            Err(Failure::Offline) => self.cached(&scope, key).await.ok_or(Failure::Offline),
            Err(failure) => Err(failure),
        }
    }

    /// What was last seen under a key, if anything was.
    pub(crate) async fn known<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        let (scope, _) = self.who().ok()?;
        self.cached(&scope, key).await.map(|seen| seen.data)
    }

    async fn cached<T: DeserializeOwned>(&self, scope: &Scope, key: &str) -> Option<Loaded<T>> {
        let seen: Option<(T, DateTime<Utc>)> = self.0.cache.get(scope, key).await.ok().flatten();
        seen.map(|(data, at)| Loaded { data, at, fresh: false })
    }

    /// The server was heard just now.
    pub(crate) fn heard(&self) {
        *self.0.heard_at.lock().unwrap_or_else(PoisonError::into_inner) = clock::now();
    }

    /// Says that the server doesn't answer: what is shown is from when it was last heard.
    pub(crate) fn lost(&self) {
        if !matches!(self.connection(), Connection::Offline { .. }) {
            let since = *self.0.heard_at.lock().unwrap_or_else(PoisonError::into_inner);
            self.set_connection(Connection::Offline { since });
        }
    }

    pub(crate) fn connection(&self) -> Connection {
        *self.0.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says how the line stands, if that is new.
    pub(crate) fn set_connection(&self, now: Connection) {
        {
            let mut known = self.0.connection.lock().unwrap_or_else(PoisonError::into_inner);
            if *known == now {
                return;
            }
            *known = now;
        }
        self.publish(&ShellEvent::Connection(now));
        if now == Connection::Live {
            self.0.outbox_changed.notify_one();
        }
    }

    /// Tells the pages.
    pub(crate) fn publish(&self, event: &ShellEvent) {
        self.0.host.publish(event);
    }

    /// The desktop around the shell.
    pub(crate) fn host(&self) -> &dyn Host {
        &*self.0.host
    }
}

/// Where the mark is kept that a server gave this machine for a person: it lets nobody in, it only says that this
/// person has signed in from here.
fn device_of(server: &str, email: &str) -> String {
    format!("device {server} {}", normal_form(email))
}
