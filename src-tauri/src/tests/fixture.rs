//! What stands around the shell in its tests: a server, a desktop and a keyring that do as the test says.

use crate::{
    clock,
    host::{Host, Notification},
    keyring_store::{KeyringStore, Secret},
    notifications::PendingSummary,
    outbox,
    shell::Shell,
};
use axum::{
    Router,
    body::to_bytes,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use shared_types::{
    api::{approvals::NewDecision, auth::LoginRequest},
    desktop::{DecisionResult, OutboxItem, QueuedDecision, SessionView, ShellEvent},
    ids::ApprovalId,
    workflow::approval::Verdict,
};
use std::{
    sync::{Arc, Condvar, Mutex},
    time::Duration,
};
use tokio::sync::{Semaphore, watch};
use uuid::Uuid;

/// How long a condition may take; nothing waits so long where it holds.
pub(super) const LONG: Duration = Duration::from_secs(20);

/// What a server heard.
#[derive(Debug, Clone)]
pub(super) struct Heard {
    pub(super) path: String,
    /// Whose token it came with.
    pub(super) by: String,
    pub(super) body: Value,
}

pub(super) type Answers = Arc<dyn Fn(Heard) -> BoxFuture<'static, Response> + Send + Sync>;

/// A server that signs anybody in, and answers all else as the test says.
pub(super) struct Server {
    pub(super) address: String,
    pub(super) heard: Arc<Mutex<Vec<Heard>>>,
}

impl Server {
    pub(super) async fn start(
        answers: impl Fn(Heard) -> BoxFuture<'static, Response> + Send + Sync + 'static,
    ) -> Self {
        let heard = Arc::default();
        let state: (Answers, Arc<Mutex<Vec<Heard>>>) = (Arc::new(answers), Arc::clone(&heard));
        let app = Router::new().fallback(answer).with_state(state);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, heard }
    }

    /// A server that hangs at each call until it is let through a gate.
    pub(super) async fn gated(
        gate: &Arc<Semaphore>,
        answer: impl Fn() -> Response + Copy + Send + Sync + 'static,
    ) -> Self {
        let gate = Arc::clone(gate);
        Self::start(move |_| {
            let gate = Arc::clone(&gate);
            Box::pin(async move {
                gate.acquire().await.unwrap().forget();
                answer()
            })
        })
        .await
    }

    /// Who sent something to a path that ends so, in order.
    pub(super) fn senders(&self, end: &str) -> Vec<String> {
        let heard = self.heard.lock().unwrap();
        heard.iter().filter(|heard| heard.path.ends_with(end)).map(|heard| heard.by.clone()).collect()
    }
}

pub(super) async fn answer(
    State((answers, log)): State<(Answers, Arc<Mutex<Vec<Heard>>>)>,
    request: Request,
) -> Response {
    let by = request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
    let by = by.unwrap_or_default().trim_start_matches("Bearer ").to_owned();
    let path = request.uri().path().trim_start_matches("/api/v1/").to_owned();
    let body = to_bytes(request.into_body(), usize::MAX).await.unwrap();
    let heard = Heard { path, by, body: serde_json::from_slice(&body).unwrap_or_default() };
    log.lock().unwrap().push(heard.clone());
    if heard.path == "auth/login" {
        let email = heard.body["email"].as_str().unwrap();
        return axum::Json(session(email.split('@').next().unwrap(), 3600)).into_response();
    }
    if heard.path == "auth/logout" {
        return StatusCode::NO_CONTENT.into_response();
    }
    answers(heard).await
}

/// A session whose access token is the person's name.
pub(super) fn session(name: &str, expires_in: u64) -> Value {
    json!({
        "access_token": name, "expires_in": expires_in, "refresh_token": format!("refresh-{name}"),
        "user": {
            "user_id": Uuid::from_u128(name.bytes().map(u128::from).sum()), "email": format!("{name}@example.com"),
            "name": name, "roles": ["operator"], "workspace": "Shop",
        },
    })
}

pub(super) fn approval(id: ApprovalId, status: &str) -> Response {
    axum::Json(json!({
        "approval_id": id, "execution_id": Uuid::nil(), "workflow_id": "w", "workflow_name": "W", "step_id": "ask",
        "status": status, "subject": "Order 1", "reason": null, "amount": null, "currency": null, "entity": null,
        "entity_id": null, "data": {}, "requester": null, "asked_at": "2026-03-01T10:00:00Z", "expires_at": null,
        "closed_at": null, "levels": [], "still_needed": null, "can_decide": true, "cannot_because": null,
        "why": [], "if_approved": [], "if_rejected": [], "seen": "1",
    }))
    .into_response()
}

pub(super) fn unavailable() -> Response {
    let problem = json!({ "type": "about:blank", "title": "Unavailable", "status": 503, "detail": "Not now.", "code": "unavailable" });
    (StatusCode::SERVICE_UNAVAILABLE, axum::Json(problem)).into_response()
}

/// A desktop that keeps what it was told.
#[derive(Default)]
pub(super) struct Recorder {
    pub(super) events: Mutex<Vec<ShellEvent>>,
    pub(super) shown: Mutex<Vec<Notification>>,
}

impl Host for Arc<Recorder> {
    fn publish(&self, event: &ShellEvent) {
        self.events.lock().unwrap().push(event.clone());
    }

    fn to_front(&self) {}

    fn notify(&self, _: &Shell, notification: Notification) {
        self.shown.lock().unwrap().push(notification);
    }

    fn notify_together(&self, _: &Shell, _: watch::Receiver<PendingSummary>) {}
}

/// A keyring in memory, which can be locked.
#[derive(Default)]
pub(super) struct Memory {
    pub(super) text: Mutex<Option<String>>,
    pub(super) is_locked: Mutex<bool>,
    pub(super) unlocked: Condvar,
}

impl Memory {
    pub(super) fn open(&self) {
        let locked = self.is_locked.lock().unwrap();
        drop(self.unlocked.wait_while(locked, |locked| *locked).unwrap());
    }

    pub(super) fn unlock(&self) {
        *self.is_locked.lock().unwrap() = false;
        self.unlocked.notify_all();
    }
}

impl Secret for Arc<Memory> {
    fn read(&self) -> Option<String> {
        self.open();
        self.text.lock().unwrap().clone()
    }

    fn keep(&self, text: &str) -> bool {
        self.open();
        *self.text.lock().unwrap() = Some(text.to_owned());
        true
    }

    fn forget(&self) {
        self.open();
        *self.text.lock().unwrap() = None;
    }
}

/// A shell with all that is around it.
pub(super) struct App {
    pub(super) shell: Shell,
    pub(super) recorder: Arc<Recorder>,
    pub(super) keyring: Arc<Memory>,
    pub(super) folder: tempfile::TempDir,
}

impl App {
    pub(super) async fn open() -> Self {
        Self::open_with(Memory::default()).await
    }

    pub(super) async fn open_with(keyring: Memory) -> Self {
        let (recorder, keyring) = (Arc::<Recorder>::default(), Arc::new(keyring));
        let folder = tempfile::tempdir().unwrap();
        let store = KeyringStore::new(Arc::new(Arc::clone(&keyring)));
        let shell = Shell::open(Arc::new(Arc::clone(&recorder)), store, folder.path()).await.unwrap();
        Self { shell, recorder, keyring, folder }
    }

    pub(super) async fn sign_in(&self, server: &Server, name: &str) {
        let login = LoginRequest {
            email: Some(format!("{name}@example.com")),
            password: Some("p".to_owned()),
            ..LoginRequest::default()
        };
        self.shell.sign_in(&server.address, &login).await.unwrap();
    }

    pub(super) async fn decide(&self, title: &str) -> DecisionResult {
        let decision = NewDecision {
            decision: Verdict::Approve,
            comment: None,
            edits: None,
            seen: None,
            decided_at: None,
        };
        let id = ApprovalId(clock::new_id());
        outbox::decide(&self.shell, id, title.to_owned(), decision).await.unwrap()
    }

    pub(super) async fn items(&self) -> Vec<OutboxItem> {
        outbox::list(&self.shell).await.unwrap()
    }

    pub(super) async fn own(&self) -> Vec<QueuedDecision> {
        let own = |item| if let OutboxItem::Own(item) = item { Some(item) } else { None };
        self.items().await.into_iter().filter_map(own).collect()
    }

    pub(super) fn published_sessions(&self) -> Vec<SessionView> {
        let event = self.recorder.events.lock().unwrap();
        event
            .iter()
            .filter_map(|event| if let ShellEvent::Session(view) = event { Some(view.clone()) } else { None })
            .collect()
    }
}

pub(super) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(LONG, waiting).await.is_ok(), "{what}");
}
