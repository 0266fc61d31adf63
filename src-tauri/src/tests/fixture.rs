//! What stands around the shell in its tests: a server, a desktop and a keyring that do as the test says.

use crate::{
    clock, commands,
    host::Host,
    keyring_store::{KeyringStore, Secret},
    notification::{Notification, PendingSummary},
    outbox,
    shell::Shell,
};
use axum::{
    Router,
    body::to_bytes,
    extract::{
        RawQuery, Request, State,
        ws::{Message, WebSocketUpgrade},
    },
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
    routing::get,
};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use shared_types::{
    api::{
        approvals::NewDecision,
        auth::LoginRequest,
        live::{LiveKind, LiveMessage},
    },
    desktop::{
        DecisionResult, Failure, OutboxItem, QueuedDecision, SessionView, ShellEvent, Theme,
        commands::Command,
    },
    ids::ApprovalId,
    workflow::approval::Verb,
};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Condvar, Mutex},
    time::Duration,
};
use tokio::sync::{
    Semaphore,
    mpsc::{self, UnboundedSender},
    watch,
};
use uuid::Uuid;

/// How long a condition may take; nothing waits so long where it holds.
pub(super) const LONG: Duration = Duration::from_secs(20);

/// What a server heard.
#[derive(Debug, Clone)]
pub(super) struct Heard {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    /// Whose token it came with.
    pub(super) by: String,
    pub(super) body: Value,
}

pub(super) type Answers = Arc<dyn Fn(Heard) -> BoxFuture<'static, Response> + Send + Sync>;

/// A server that signs anybody in, and answers all else as the test says.
pub(super) struct Server {
    pub(super) address: String,
    pub(super) heard: Arc<Mutex<Vec<Heard>>>,
    /// The live lines that were opened: what each asked for, and what is said on it; dropping that hangs up.
    pub(super) lines: Lines,
}

type Lines = Arc<Mutex<Vec<(String, Option<UnboundedSender<LiveMessage>>)>>>;

impl Server {
    pub(super) async fn start(
        answers: impl Fn(Heard) -> BoxFuture<'static, Response> + Send + Sync + 'static,
    ) -> Self {
        let heard = Arc::default();
        let state: (Answers, Arc<Mutex<Vec<Heard>>>) = (Arc::new(answers), Arc::clone(&heard));
        let lines = Lines::default();
        let live = get(live_line).with_state(Arc::clone(&lines));
        let app = Router::new().fallback(answer).with_state(state).route("/api/v1/live", live);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, heard, lines }
    }

    /// A server that answers each path as the list says, and 404 else.
    pub(super) async fn with(answers: impl IntoIterator<Item = (&'static str, Value)>) -> Self {
        let answers: BTreeMap<&str, Value> = answers.into_iter().collect();
        Self::start(move |heard| {
            let answer = answers.get(heard.path.as_str()).cloned();
            Box::pin(async move {
                answer.map_or_else(|| problem(404, "not_found"), |value| axum::Json(value).into_response())
            })
        })
        .await
    }

    /// Says something on the live line that was opened last.
    pub(super) fn say(&self, n: u64, kind: LiveKind, id: &str) {
        let lines = self.lines.lock().unwrap();
        let (_, line) = lines.last().unwrap();
        line.as_ref().unwrap().send(LiveMessage { n, kind, id: id.to_owned(), at: clock::now() }).unwrap();
    }

    /// Hangs up the live line that was opened last.
    pub(super) fn hang_up(&self) {
        self.lines.lock().unwrap().last_mut().unwrap().1 = None;
    }

    /// What was sent to a path that ends so, in order.
    pub(super) fn sent(&self, end: &str) -> Vec<Heard> {
        let heard = self.heard.lock().unwrap();
        heard.iter().filter(|heard| heard.path.ends_with(end)).cloned().collect()
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

async fn live_line(
    upgrade: WebSocketUpgrade,
    RawQuery(query): RawQuery,
    State(lines): State<Lines>,
) -> Response {
    let (sender, mut said) = mpsc::unbounded_channel();
    lines.lock().unwrap().push((query.unwrap_or_default(), Some(sender)));
    upgrade.on_upgrade(async move |mut socket| {
        while let Some(message) = said.recv().await {
            let text = serde_json::to_string(&message).unwrap();
            if socket.send(Message::Text(text.into())).await.is_err() {
                return;
            }
        }
    })
}

pub(super) async fn answer(
    State((answers, log)): State<(Answers, Arc<Mutex<Vec<Heard>>>)>,
    request: Request,
) -> Response {
    let by = request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
    let by = by.unwrap_or_default().trim_start_matches("Bearer ").to_owned();
    let path = request.uri().path().trim_start_matches("/api/v1/").to_owned();
    let method = request.method().to_string();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let headers = request.headers().clone();
    let body = to_bytes(request.into_body(), usize::MAX).await.unwrap();
    let text = String::from_utf8(body.to_vec()).unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    let heard = Heard { method, path, query, headers, by, body };
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

/// A request as the server has it.
pub(super) fn request(id: ApprovalId, status: &str) -> Value {
    json!({
        "approval_id": id, "execution_id": Uuid::nil(), "workflow_id": "w", "workflow_name": "W", "step_id": "ask",
        "status": status, "subject": "Order 1", "reason": null, "amount": null, "currency": null, "entity": null,
        "entity_id": null, "data": {}, "requester": null, "asked_at": "2026-03-01T10:00:00Z", "expires_at": null,
        "closed_at": null, "levels": [], "still_needed": null, "can_decide": true, "cannot_because": null,
        "why": [], "if_approved": [], "if_rejected": [], "seen": "1",
    })
}

pub(super) fn approval(id: ApprovalId, status: &str) -> Response {
    axum::Json(request(id, status)).into_response()
}

pub(super) fn problem(status: u16, code: &str) -> Response {
    let body = json!({ "type": "about:blank", "title": code, "status": status, "detail": "As the test says.", "code": code });
    (StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response()
}

pub(super) fn unavailable() -> Response {
    problem(503, "unavailable")
}

/// The decision to approve.
pub(super) fn approve() -> NewDecision {
    NewDecision {
        decision: Verb::Approve,
        level: None,
        comment: None,
        edits: None,
        seen: None,
        decided_at: None,
    }
}

/// A desktop that keeps what it was told.
#[derive(Default)]
pub(super) struct Recorder {
    pub(super) events: Mutex<Vec<ShellEvent>>,
    pub(super) shown: Mutex<Vec<Notification>>,
    pub(super) together: Mutex<Vec<watch::Receiver<PendingSummary>>>,
    pub(super) fronted: Mutex<usize>,
    pub(super) painted: Mutex<Vec<Theme>>,
    pub(super) downloads: Mutex<Option<PathBuf>>,
    pub(super) has_ended: Mutex<bool>,
}

impl Host for Arc<Recorder> {
    fn publish(&self, event: &ShellEvent) {
        self.events.lock().unwrap().push(event.clone());
    }

    fn to_front(&self) {
        *self.fronted.lock().unwrap() += 1;
    }

    fn notify(&self, notification: Notification) {
        self.shown.lock().unwrap().push(notification);
    }

    fn notify_together(&self, updates: watch::Receiver<PendingSummary>) {
        self.together.lock().unwrap().push(updates);
    }

    fn paint(&self, theme: Theme) {
        self.painted.lock().unwrap().push(theme);
    }

    fn downloads(&self) -> Option<PathBuf> {
        self.downloads.lock().unwrap().clone()
    }

    fn exit(&self) {
        *self.has_ended.lock().unwrap() = true;
    }
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
        Self::open_in(tempfile::tempdir().unwrap(), Arc::new(keyring)).await
    }

    /// The app started again, on the same machine.
    pub(super) async fn reopened(self) -> Self {
        Self::open_in(self.folder, self.keyring).await
    }

    async fn open_in(folder: tempfile::TempDir, keyring: Arc<Memory>) -> Self {
        let recorder = Arc::<Recorder>::default();
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
        let decision = approve();
        let id = ApprovalId(clock::new_id());
        outbox::decide(&self.shell, id, title.to_owned(), decision, false).await.unwrap()
    }

    /// Asks as a page does.
    pub(super) async fn ask<C: Command>(&self, command: C) -> Result<C::Answer, Failure> {
        let args = serde_json::to_value(&command).unwrap();
        let answer = commands::dispatch(&self.shell, C::NAME, args).await?;
        Ok(serde_json::from_str(&answer).unwrap())
    }

    /// The events that the pages heard.
    pub(super) fn events(&self) -> Vec<ShellEvent> {
        self.recorder.events.lock().unwrap().clone()
    }

    /// The ids of the requests whose notifications are shown and not withdrawn.
    pub(super) fn notified(&self) -> Vec<String> {
        let shown = self.recorder.shown.lock().unwrap();
        shown.iter().filter(|one| !one.withdrawn.is_cancelled()).map(|one| one.id.clone()).collect()
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
