//! The shell's one state: the session, what lasts, and how the line stands.

use crate::{
    alerts::Alerts,
    cache::Cache,
    client::{Call, Client, Document},
    clock, keyring_store, live, outbox,
    session::Sessions,
};
use chrono::{DateTime, Utc};
use serde::{Serialize, de::DeserializeOwned};
use shared_types::{
    api::{Endpoint, HttpMethod, auth::LoginRequest},
    desktop::{Connection, Failure, Loaded, Patience, SessionView, TOLD, Told},
    email::normal_form,
};
use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicUsize},
    time::Duration,
};
use tauri::{AppHandle, Emitter as _, Manager as _};
use tokio::sync::Notify;

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
    app: AppHandle,
    pub(crate) cache: Cache,
    client: Client,
    sessions: Sessions,
    alerts: Alerts,
    connection: Mutex<Connection>,
    session_changed: Notify,
    outbox_changed: Notify,
    line_doubted: Notify,
    /// How often it was asked to look at all that waits, since the look that goes on began.
    catching_up: AtomicUsize,
    sending: tokio::sync::Mutex<()>,
}

impl Shell {
    pub(crate) async fn open(app: AppHandle, folder: &Path) -> anyhow::Result<Self> {
        Ok(Self(Arc::new(Inner {
            app,
            cache: Cache::open(folder).await?,
            client: Client::new()?,
            sessions: Sessions::default(),
            alerts: Alerts::default(),
            connection: Mutex::new(Connection::Reconnecting),
            session_changed: Notify::new(),
            outbox_changed: Notify::new(),
            line_doubted: Notify::new(),
            catching_up: AtomicUsize::new(0),
            sending: tokio::sync::Mutex::new(()),
        })))
    }

    /// Signs in as asked, or takes up where the app last left off; then follows what changes.
    pub(crate) async fn begin(self, sign_in: Option<(String, String)>) {
        match sign_in {
            Some((server, code)) => {
                let login = LoginRequest { code: Some(code), ..LoginRequest::default() };
                if let Err(failure) = self.sign_in(&server, &login).await {
                    tracing::warn!(failure = failure.words(), "signing in by code failed");
                    self.take_up().await;
                }
            }
            None => self.take_up().await,
        }
        tauri::async_runtime::spawn(outbox::run(self.clone()));
        live::run(self).await;
    }

    async fn take_up(&self) {
        let Some(kept) = keyring_store::read().await else { return self.tell_session().await };
        match self.0.sessions.take_up(&self.0.client, &kept).await {
            Ok(view) => self.entered(view).await,
            Err(Failure::Offline) => {
                if let Ok(Some(user)) = self.0.cache.setting(USER).await {
                    let view = self.0.sessions.take_up_offline(&kept, user).await;
                    self.entered(view).await;
                }
            }
            Err(failure) => {
                keyring_store::forget().await;
                let view = SessionView::SignedOut { server: kept.server, because: Some(failure.words()) };
                self.tell(&Told::Session(view));
            }
        }
    }

    pub(crate) async fn sign_in(&self, server: &str, login: &LoginRequest) -> Result<SessionView, Failure> {
        let server = server.trim().trim_end_matches('/');
        let device = match &login.email {
            Some(email) => self.0.cache.setting(&device_of(server, email)).await.ok().flatten(),
            None => None,
        };
        let login = LoginRequest { device, ..login.clone() };
        let (view, device) = self.0.sessions.sign_in(&self.0.client, server, &login).await?;
        if let (SessionView::SignedIn { user, .. }, Some(device)) = (&view, device) {
            self.remember(&device_of(server, &user.email), &device).await;
        }
        self.entered(view.clone()).await;
        Ok(view)
    }

    async fn entered(&self, view: SessionView) {
        if let SessionView::SignedIn { server, user, .. } = &view {
            self.remember(LAST_SERVER, server).await;
            self.remember(USER, user).await;
        }
        self.tell(&Told::Session(view));
        self.0.session_changed.notify_waiters();
        self.0.outbox_changed.notify_one();
    }

    pub(crate) async fn sign_out(&self) {
        self.0.sessions.sign_out(&self.0.client).await;
        self.0.alerts.withdraw_all();
        self.tell_session().await;
        self.0.session_changed.notify_waiters();
    }

    /// The session ended on the server: the person has to sign in again.
    async fn ended(&self, why: &Failure) {
        keyring_store::forget().await;
        let server = self.last_server().await;
        self.0.sessions.sign_out(&self.0.client).await;
        self.tell(&Told::Session(SessionView::SignedOut { server, because: Some(why.words()) }));
        self.0.session_changed.notify_waiters();
    }

    async fn tell_session(&self) {
        let view = self.session().await;
        self.tell(&Told::Session(view));
    }

    pub(crate) async fn session(&self) -> SessionView {
        let server = self.last_server().await;
        self.0.sessions.view(&server).await
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

    pub(crate) fn cache(&self) -> &Cache {
        &self.0.cache
    }

    pub(crate) fn alerts(&self) -> &Alerts {
        &self.0.alerts
    }

    pub(crate) fn session_changed(&self) -> &Notify {
        &self.0.session_changed
    }

    pub(crate) fn outbox_changed(&self) -> &Notify {
        &self.0.outbox_changed
    }

    /// How often it was asked to look at all that waits, since the look that goes on began.
    pub(crate) fn catching_up(&self) -> &AtomicUsize {
        &self.0.catching_up
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
        let entered = self.0.sessions.enter(&self.0.client).await?;
        Ok((entered.server, entered.token))
    }

    /// Which server and person what is kept belongs to.
    pub(crate) async fn scope(&self) -> Result<String, Failure> {
        let (server, user) = self.0.sessions.who().await.ok_or(Failure::SignedOut)?;
        Ok(format!("{server} {} {}", user.workspace, user.user_id))
    }

    /// Calls an endpoint as whoever is signed in.
    pub(crate) async fn call<E: Endpoint>(&self, call: &Call<'_, E>) -> Result<E::Response, Failure> {
        let answer = self.call_as_signed_in(call).await;
        if matches!(answer, Err(Failure::Offline)) {
            // The line may still look alive where the server hangs.
            self.0.line_doubted.notify_waiters();
        }
        answer
    }

    async fn call_as_signed_in<E: Endpoint>(&self, call: &Call<'_, E>) -> Result<E::Response, Failure> {
        let entered = match self.0.sessions.enter(&self.0.client).await {
            Ok(entered) => entered,
            Err(failure @ Failure::Refused(_)) => {
                self.ended(&failure).await;
                return Err(Failure::SignedOut);
            }
            Err(failure) => return Err(failure),
        };
        let answer = self.0.client.call(&entered.server, Some(&entered.token), call).await;
        match answer {
            Err(Failure::Refused(problem)) if problem.status == 401 => {
                // Its clock and ours may differ; a fresh token settles it.
                self.0.sessions.expire().await;
                let entered = match self.0.sessions.enter(&self.0.client).await {
                    Ok(entered) => entered,
                    Err(failure @ Failure::Refused(_)) => {
                        self.ended(&failure).await;
                        return Err(Failure::SignedOut);
                    }
                    Err(failure) => return Err(failure),
                };
                self.0.client.call(&entered.server, Some(&entered.token), call).await
            }
            answer => answer,
        }
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
        patience: Patience,
        call: &Call<'_, E>,
    ) -> Result<Loaded<E::Response>, Failure>
    where
        E: Endpoint,
        E::Response: Serialize + DeserializeOwned,
    {
        debug_assert_eq!(E::METHOD, HttpMethod::Get);
        self.read_as(key, patience, self.call(call)).await
    }

    /// Takes an answer and keeps it under a key, or gives what was last kept where the server doesn't answer.
    pub(crate) async fn read_as<T: Serialize + DeserializeOwned>(
        &self,
        key: &str,
        patience: Patience,
        answer: impl Future<Output = Result<T, Failure>>,
    ) -> Result<Loaded<T>, Failure> {
        let scope = self.scope().await?;
        let mut answer = std::pin::pin!(answer);
        let at_once = match patience {
            Patience::Little => tokio::time::timeout(AT_ONCE, &mut answer).await.ok(),
            Patience::Full => None,
        };
        let answered = if let Some(answered) = at_once {
            answered
        } else {
            if patience == Patience::Little
                && let Some(seen) = self.seen(&scope, key).await
            {
                return Ok(seen);
            }
            answer.await
        };
        match answered {
            Ok(data) => {
                let at = clock::now();
                if let Err(error) = self.0.cache.keep(&scope, key, &data, at).await {
                    tracing::warn!(%error, key, "what was seen could not be kept");
                }
                Ok(Loaded { data, at, fresh: true })
            }
            Err(Failure::Offline) => self.seen(&scope, key).await.ok_or(Failure::Offline),
            Err(failure) => Err(failure),
        }
    }

    async fn seen<T: DeserializeOwned>(&self, scope: &str, key: &str) -> Option<Loaded<T>> {
        let seen: Option<(T, DateTime<Utc>)> = self.0.cache.seen(scope, key).await.ok().flatten();
        seen.map(|(data, at)| Loaded { data, at, fresh: false })
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
        self.tell(&Told::Connection(now));
        if now == Connection::Live {
            self.0.outbox_changed.notify_one();
        }
    }

    /// Tells the pages.
    pub(crate) fn tell(&self, told: &Told) {
        if let Err(error) = self.0.app.emit(TOLD, told) {
            tracing::warn!(%error, "the pages could not be told");
        }
    }

    /// The app, for its plugins.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn app(&self) -> &AppHandle {
        &self.0.app
    }

    /// Opens a page, with the window in front.
    pub(crate) fn open_page(&self, path: &str) {
        to_front(&self.0.app);
        self.tell(&Told::Open(path.to_owned()));
    }
}

/// Where the mark is kept that a server gave this machine for a person: it lets nobody in, it only says that this
/// person has signed in from here.
fn device_of(server: &str, email: &str) -> String {
    format!("device {server} {}", normal_form(email))
}

/// Brings the window to the front.
pub(crate) fn to_front(app: &AppHandle) {
    if let Some(window) = app.get_webview_window("main") {
        // A window manager may refuse; the page is opened all the same.
        let _ = window.show();
        let _ = window.unminimize();
        let _ = window.set_focus();
    }
}
