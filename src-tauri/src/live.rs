//! The live line: a socket that is opened again whenever it breaks, and takes up where it left off.

use crate::{
    client::Request,
    clock, pending_approvals,
    preferences::{self, NotifyAt},
    shell::Shell,
};
use chrono::{DateTime, Utc};
use futures_util::{SinkExt as _, StreamExt as _};
use shared_types::{
    api::{
        approvals::{Approval, GetApproval},
        live::{LiveKind, LiveMessage},
    },
    approval::decision::RequestStatus,
    desktop::{CachePolicy, Connection, Failure, ShellEvent},
};
use std::time::Duration;
use tokio::time::Instant;
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Bytes, Message, client::IntoClientRequest as _, http::HeaderValue},
};

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// The server pings more often than this; a line that is silent for longer is broken.
const SILENCE: Duration = Duration::from_secs(40);

/// How long it may take to answer where the line is doubted.
const ANSWER: Duration = Duration::from_secs(1);

/// How long it is at most until the clock is looked at again.
const SLICE: Duration = Duration::from_mins(1);

/// How long the server may take to open a line.
const CONNECT: Duration = Duration::from_secs(5);

/// Why a line ended.
enum Ended {
    Broken,
    /// The server doesn't answer on it.
    Silent,
    SessionChanged,
}

/// Follows what changes, as long as the app runs.
pub(crate) async fn run(shell: Shell) {
    let mut last = None;
    let mut pause = FIRST_PAUSE;
    loop {
        let changed = shell.session_changed().notified();
        if shell.who().is_err() {
            last = None;
            changed.await;
            continue;
        }
        match follow(&shell, &mut last, &mut pause).await {
            Ok(Ended::SessionChanged) => {
                last = None;
                continue;
            }
            Ok(Ended::Broken) => shell.set_connection(Connection::Reconnecting),
            Ok(Ended::Silent) | Err(()) => shell.lost(),
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = shell.session_changed().notified() => {}
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Opens a line and follows it until it ends; an error where none could be opened.
async fn follow(shell: &Shell, last: &mut Option<u64>, pause: &mut Duration) -> Result<Ended, ()> {
    let (server, token) = shell.token().await.map_err(|_| ())?;
    let after = last.map(|n| format!("?after={n}")).unwrap_or_default();
    let url = format!("{}/api/v1/live{after}", server.replacen("http", "ws", 1));
    let mut request = url.into_client_request().map_err(|_| ())?;
    let bearer = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| ())?;
    request.headers_mut().insert("authorization", bearer);
    let connected = tokio::time::timeout(CONNECT, connect_async(request)).await;
    let (mut line, _) = connected.map_err(|_| ())?.map_err(|_| ())?;
    shell.heard();
    shell.set_connection(Connection::Live);
    *pause = FIRST_PAUSE;
    // What was missed before the line was up is read anew.
    let catching_up = shell.clone();
    tauri::async_runtime::spawn(async move { catch_up(&catching_up).await });
    shell.publish(&ShellEvent::Changed { kind: LiveKind::Reset, id: String::new() });
    // When the server has to have said something.
    let mut silent_at = Instant::now() + SILENCE;
    loop {
        tokio::select! {
            () = shell.session_changed().notified() => return Ok(Ended::SessionChanged),
            () = shell.line_doubted().notified() => {
                if line.send(Message::Ping(Bytes::new())).await.is_err() {
                    return Ok(Ended::Broken);
                }
                silent_at = silent_at.min(Instant::now() + ANSWER);
            }
            said = tokio::time::timeout_at(silent_at, line.next()) => match said {
                Ok(Some(Ok(Message::Text(text)))) => {
                    shell.heard();
                    silent_at = Instant::now() + SILENCE;
                    if let Ok(message) = serde_json::from_str::<LiveMessage>(&text) {
                        *last = Some(message.n);
                        heard(shell, message);
                    }
                }
                Ok(Some(Ok(Message::Close(_)) | Err(_)) | None) => return Ok(Ended::Broken),
                Err(_) => return Ok(Ended::Silent),
                Ok(Some(Ok(_))) => {
                    shell.heard();
                    silent_at = Instant::now() + SILENCE;
                }
            },
        }
    }
}

/// Takes a message. Those of one request are handled one after the other, so that what is shown last is what is true
/// last; those that come while one is handled are answered by one look more.
pub(crate) fn heard(shell: &Shell, message: LiveMessage) {
    match message.kind {
        LiveKind::ApprovalAsked | LiveKind::ApprovalChanged => {
            if shell.looks().begin(&message) {
                tauri::async_runtime::spawn(look_until_done(shell.clone(), message));
            }
        }
        LiveKind::Reset => {
            let shell = shell.clone();
            tauri::async_runtime::spawn(async move {
                catch_up(&shell).await;
                shell.publish(&ShellEvent::Changed { kind: message.kind, id: message.id });
            });
        }
        LiveKind::ExecutionChanged | LiveKind::WorkflowChanged | LiveKind::Notice => {
            shell.publish(&ShellEvent::Changed { kind: message.kind, id: message.id });
        }
    }
}

async fn look_until_done(shell: Shell, mut message: LiveMessage) {
    loop {
        look(&shell, &message.id).await;
        let id = message.id.clone();
        shell.publish(&ShellEvent::Changed { kind: message.kind, id: message.id });
        match shell.looks().next(&id) {
            Some(next) => message = next,
            None => return,
        }
    }
}

/// Looks at a request that was asked or changed: a notification is raised, or withdrawn.
async fn look(shell: &Shell, id: &str) {
    let path: &[&str] = &[id];
    let call = Request::<GetApproval>::at(path);
    match shell.read(&format!("approval/{id}"), CachePolicy::NetworkOnly, &call).await {
        Ok(loaded) => alert(shell, &loaded.data).await,
        Err(Failure::Refused(_)) => shell.notifications().withdraw(id),
        Err(failure) => tracing::debug!(failure = failure.words(), "a request could not be looked at"),
    }
}

async fn alert(shell: &Shell, approval: &Approval) {
    let id = approval.approval_id.to_string();
    if approval.status == RequestStatus::Pending && approval.can_decide {
        let Ok((scope, _)) = shell.who() else { return };
        match preferences::notify_at(shell, approval).await {
            NotifyAt::Now => shell.notifications().raise(&scope, approval).await,
            NotifyAt::After(until) => look_again_at(shell, until),
            NotifyAt::Never => {}
        }
    } else {
        shell.notifications().withdraw(&id);
    }
}

/// Looks at all that waits again when quiet hours end.
fn look_again_at(shell: &Shell, until: DateTime<Utc>) {
    if !shell.looks().wants_again_at(until) {
        return;
    }
    let shell = shell.clone();
    tauri::async_runtime::spawn(async move {
        // In slices, since time that a machine sleeps doesn't count for one that is waited for.
        while clock::now() < until {
            let left = (until - clock::now()).to_std().unwrap_or_default();
            tokio::time::sleep(left.min(SLICE)).await;
        }
        shell.looks().again(until);
        catch_up(&shell).await;
    });
}

/// Looks at all that waits for the person: after a start, after the line was broken, and when messages were
/// missed. What is asked while one look goes on is answered by one more.
pub(crate) async fn catch_up(shell: &Shell) {
    if !shell.looks().begin_all() {
        return;
    }
    loop {
        let asked = shell.looks().all_asked();
        // What was last seen of it holds where it can't be read.
        drop(preferences::read(shell, CachePolicy::NetworkOnly).await);
        let shown = shell.notifications().shown_ids();
        if let Ok(waiting) = pending_approvals::ask(shell).await {
            let ids = waiting.iter().map(|approval| approval.approval_id.to_string());
            shell.notifications().withdraw_others(&shown, ids);
            for approval in &waiting {
                alert(shell, approval).await;
            }
        }
        if shell.looks().end_all(asked) {
            return;
        }
    }
}
