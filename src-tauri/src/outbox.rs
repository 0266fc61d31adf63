//! The Outbox: decisions, and what else is done with a request, are kept before they are sent, and sent until the server has
//! recorded or refused them.
//!
//! A decision belongs to its person on its server, and is sent in her session only. What is sent is read and marked in one
//! step, so that what was withdrawn before is never sent.

use crate::{cache::OutboxRow, client::Request, clock, session::Scope, shell::Shell};
use shared_types::{
    api::{
        NoQuery,
        approvals::{
            Approval, Decide, DelegateApproval, NewDecision, NewSnooze, SnoozeApproval, UnsnoozeApproval,
        },
    },
    desktop::{
        DecisionResult, Failure, OutboxItem, QueuedDecision, QueuedDecisionState, QueuedRequest, ShellEvent,
        UNDO_SECONDS, Withdrawn,
    },
    ids::ApprovalId,
};
use std::{path::Path, time::Duration};
use uuid::Uuid;

/// How often it is tried while the server doesn't answer.
const PAUSE: Duration = Duration::from_secs(3);
/// How long whoever leaves waits for what is sent.
const HURRY: Duration = Duration::from_secs(3);
/// How long a decision is held, so that it can be undone.
const UNDO: Duration = Duration::from_secs(UNDO_SECONDS as u64);

/// What came of sending one decision.
enum Sent {
    /// It was withdrawn, or its person isn't signed in: nothing was sent.
    Not,
    /// The server recorded it.
    Recorded(Box<Approval>),
    /// The server refused it, or didn't answer.
    Kept(Box<QueuedDecision>),
}

/// Decides: keeps the decision, then sends it; one that can be undone some seconds later.
pub(crate) async fn decide(
    shell: &Shell,
    approval_id: ApprovalId,
    title: String,
    decision: NewDecision,
    can_undo: bool,
) -> Result<DecisionResult, Failure> {
    let decision = NewDecision { decided_at: Some(clock::now()), ..decision };
    ask(shell, approval_id, title, QueuedRequest::Decision(decision), can_undo).await
}

/// Asks the server for something: keeps it, then sends it.
pub(crate) async fn ask(
    shell: &Shell,
    approval_id: ApprovalId,
    title: String,
    asks: QueuedRequest,
    can_undo: bool,
) -> Result<DecisionResult, Failure> {
    let (scope, person) = shell.who()?;
    let decided_at = clock::now();
    let item = QueuedDecision {
        id: clock::new_id(),
        approval_id,
        title,
        asks,
        decided_at,
        undo_until: can_undo.then(|| decided_at + chrono::Duration::seconds(UNDO_SECONDS.into())),
        state: QueuedDecisionState::Queued,
    };
    // Only the last one can be undone.
    shell.hurried().notify_waiters();
    let hurried = shell.hurried().notified();
    shell.cache().insert_queued(&scope, &person.name, &item).await.map_err(failed)?;
    shell.publish(&ShellEvent::Outbox);
    if can_undo {
        tokio::select! {
            () = hurried => {}
            () = tokio::time::sleep(UNDO) => {}
        }
    }
    let sent = if is_behind(shell, &scope, &item).await? {
        flush(shell, Held::Kept).await;
        Sent::Not
    } else {
        send(shell, &scope, item.id).await?
    };
    match sent {
        Sent::Recorded(approval) => {
            shell.cache().delete_queued(&item.id.to_string()).await.map_err(failed)?;
            shell.publish(&ShellEvent::Outbox);
            Ok(DecisionResult::Recorded(approval))
        }
        Sent::Kept(item) if matches!(item.state, QueuedDecisionState::Rejected { .. }) => {
            Ok(DecisionResult::Rejected(*item))
        }
        Sent::Kept(item) => Ok(DecisionResult::Queued(*item)),
        // It was undone, or sent with all that waits.
        Sent::Not => Ok(match kept(shell, item.id).await? {
            Some(kept) => DecisionResult::Queued(kept),
            None => DecisionResult::Undone,
        }),
    }
}

/// Whether something that was done earlier with the same request still waits.
async fn is_behind(shell: &Shell, scope: &Scope, item: &QueuedDecision) -> Result<bool, Failure> {
    let rows = shell.cache().outbox().await.map_err(failed)?;
    let own = rows.into_iter().filter(|row| row.scope == *scope).filter_map(|row| row.item);
    let mut earlier = own.take_while(|other| other.id != item.id);
    Ok(earlier.any(|other| other.approval_id == item.approval_id && other.state.waits()))
}

/// A row of the Outbox, where it is still there.
async fn kept(shell: &Shell, id: Uuid) -> Result<Option<QueuedDecision>, Failure> {
    let rows = shell.cache().outbox().await.map_err(failed)?;
    Ok(rows.into_iter().filter_map(|row| row.item).find(|item| item.id == id))
}

/// Takes back what can still be undone; what was sent before stays.
pub(crate) async fn undo(shell: &Shell, approval_id: ApprovalId) -> Result<Withdrawn, Failure> {
    let (scope, _) = shell.who()?;
    let undone = {
        let _one = shell.sending().lock().await;
        let rows = shell.cache().outbox().await.map_err(failed)?;
        let own = rows.into_iter().filter(|row| row.scope == scope).filter_map(|row| row.item);
        let held = own.into_iter().rfind(|item| item.approval_id == approval_id && is_held(item));
        if let Some(item) = &held {
            shell.cache().delete_queued(&item.id.to_string()).await.map_err(failed)?;
        }
        held.is_some()
    };
    shell.hurried().notify_waiters();
    shell.publish(&ShellEvent::Outbox);
    Ok(if undone { Withdrawn::Gone } else { Withdrawn::NotThere })
}

/// Whether something isn't sent yet, since it can still be undone. A clock that was set back doesn't hold it for long.
fn is_held(item: &QueuedDecision) -> bool {
    let left = item.undo_until.map(|until| until - clock::now());
    item.state == QueuedDecisionState::Queued
        && left.is_some_and(|left| {
            left > chrono::Duration::zero() && left <= chrono::Duration::seconds(UNDO_SECONDS.into())
        })
}

/// Sends what can still be undone, and all that waits: the person says so.
pub(crate) async fn send_now(shell: &Shell) {
    shell.hurried().notify_waiters();
    flush(shell, Held::Sent).await;
}

/// Sends what can still be undone: the app is being closed, or the person signs out. A server that doesn't answer keeps
/// nobody for long.
pub(crate) async fn send_held(shell: &Shell) {
    let sending = async {
        let Ok((scope, _)) = shell.who() else { return };
        let rows = shell.cache().outbox().await.unwrap_or_default();
        let own = rows.into_iter().filter(|row| row.scope == scope).filter_map(|row| row.item);
        let held: Vec<QueuedDecision> = own.filter(is_held).collect();
        shell.hurried().notify_waiters();
        for item in held {
            let sent = match is_behind(shell, &scope, &item).await {
                Ok(true) => continue,
                Ok(false) => send(shell, &scope, item.id).await,
                Err(failure) => Err(failure),
            };
            if let Err(failure) = sent {
                tracing::warn!(failure = failure.words(), "the Outbox could not be written");
            }
        }
    };
    // What isn't sent by then waits in the Outbox.
    let _ = tokio::time::timeout(HURRY, sending).await;
}

/// Sends what is queued whenever the server may answer, as long as the app runs.
pub(crate) async fn run(shell: Shell) {
    loop {
        let waiting = flush(&shell, Held::Kept).await;
        tokio::select! {
            () = shell.outbox_changed().notified() => {}
            () = tokio::time::sleep(PAUSE), if waiting => {}
        }
    }
}

/// What becomes of a decision that can still be undone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    Kept,
    Sent,
}

/// Sends what the person who is signed in has queued; whether something of hers still waits.
pub(crate) async fn flush(shell: &Shell, held: Held) -> bool {
    let Ok((scope, _)) = shell.who() else { return false };
    let mut waiting = false;
    // What was done later with a request isn't sent before what was done earlier.
    let mut held_up: Vec<ApprovalId> = Vec::new();
    for row in shell.cache().outbox().await.unwrap_or_default() {
        let Some(item) = row.item.filter(|item| row.scope == scope && item.state.waits()) else { continue };
        if (held == Held::Kept && is_held(&item)) || held_up.contains(&item.approval_id) {
            waiting = true;
            continue;
        }
        match send(shell, &scope, item.id).await {
            Ok(Sent::Kept(item)) if item.state == QueuedDecisionState::Queued => {
                waiting = true;
                held_up.push(item.approval_id);
            }
            Ok(Sent::Kept(_) | Sent::Recorded(_) | Sent::Not) => {}
            Err(failure) => {
                tracing::warn!(failure = failure.words(), "the Outbox could not be written");
                waiting = true;
            }
        }
    }
    waiting
}

/// Sends one decision under its key in its person's session, and keeps what came of it.
async fn send(shell: &Shell, scope: &Scope, id: Uuid) -> Result<Sent, Failure> {
    let _one = shell.sending().lock().await;
    let Some(mut item) = shell.cache().take_queued(scope, id).await.map_err(failed)? else {
        return Ok(Sent::Not);
    };
    shell.publish(&ShellEvent::Outbox);
    let approval = item.approval_id.to_string();
    let headers = [("Idempotency-Key", item.id.to_string())];
    let path: &[&str] = &[&approval];
    let answer = match &item.asks {
        QueuedRequest::Decision(body) => {
            let call = Request::<Decide> { path, query: &NoQuery {}, body, headers: &headers };
            shell.call_of(scope, &call).await
        }
        QueuedRequest::HandOver(body) => {
            let call = Request::<DelegateApproval> { path, query: &NoQuery {}, body, headers: &headers };
            shell.call_of(scope, &call).await
        }
        QueuedRequest::Snooze { until: Some(until) } => {
            let body = &NewSnooze { until: *until };
            let call = Request::<SnoozeApproval> { path, query: &NoQuery {}, body, headers: &[] };
            shell.call_of(scope, &call).await
        }
        QueuedRequest::Snooze { until: None } => {
            shell.call_of(scope, &Request::<UnsnoozeApproval>::at(path)).await
        }
    };
    item.state = match &answer {
        Ok(approval) => {
            let recorded = approval.closed_at.unwrap_or_else(clock::now);
            QueuedDecisionState::Recorded { at: recorded }
        }
        Err(Failure::Refused(problem)) => QueuedDecisionState::Rejected { problem: problem.clone() },
        Err(
            Failure::Offline
            | Failure::SignedOut
            | Failure::Cancelled
            | Failure::Input(_)
            | Failure::Shell(_),
        ) => QueuedDecisionState::Queued,
    };
    shell.cache().update_queued(&item).await.map_err(failed)?;
    shell.publish(&ShellEvent::Outbox);
    Ok(match answer {
        Ok(approval) => Sent::Recorded(Box::new(approval)),
        Err(_) => Sent::Kept(Box::new(item)),
    })
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn failed(error: sqlx::Error) -> Failure {
    Failure::Shell(format!("The Outbox can't be written, so nothing was sent: {error}."))
}

/// Everything in the Outbox of this machine: what others decided only by whom it waits for.
pub(crate) async fn list(shell: &Shell) -> Result<Vec<OutboxItem>, Failure> {
    let (scope, _) = shell.who()?;
    let rows = shell.cache().outbox().await.map_err(failed)?;
    Ok(rows.into_iter().filter_map(|row| shown(&scope, row)).collect())
}

fn shown(scope: &Scope, row: OutboxRow) -> Option<OutboxItem> {
    let is_own = row.scope == *scope;
    match row.item {
        Some(item) if is_own => Some(OutboxItem::Own(item)),
        Some(item) => item.state.waits().then(|| OutboxItem::OfAnother {
            person: row.person.clone(),
            server: row.scope.server().to_owned(),
            decided_at: row.kept_at,
        }),
        None if is_own => {
            Some(OutboxItem::Unreadable { id: row.id, decided_at: row.kept_at, text: row.text })
        }
        None => Some(OutboxItem::OfAnother {
            person: row.person.clone(),
            server: row.scope.server().to_owned(),
            decided_at: row.kept_at,
        }),
    }
}

/// How many decisions of whoever is signed in wait for the server.
pub(crate) async fn waiting(shell: &Shell) -> usize {
    let Ok(items) = list(shell).await else { return 0 };
    items.iter().filter(|item| matches!(item, OutboxItem::Own(item) if item.state.waits())).count()
}

/// Takes a decision out of the Outbox: what wasn't sent before is never sent.
pub(crate) async fn withdraw(shell: &Shell, id: &str) -> Result<Withdrawn, Failure> {
    let (scope, _) = shell.who()?;
    // One that is on its way is waited for, so that its answer is known.
    let _one = shell.sending().lock().await;
    let rows = shell.cache().outbox().await.map_err(failed)?;
    let Some(row) = rows.into_iter().find(|row| row.id == id && row.scope == scope) else {
        return Ok(Withdrawn::NotThere);
    };
    shell.cache().delete_queued(id).await.map_err(failed)?;
    shell.publish(&ShellEvent::Outbox);
    Ok(match row.item.map(|item| item.state) {
        Some(QueuedDecisionState::Recorded { at }) => Withdrawn::RecordedBefore { at },
        Some(
            QueuedDecisionState::Queued | QueuedDecisionState::Sending | QueuedDecisionState::Rejected { .. },
        )
        | None => Withdrawn::Gone,
    })
}

/// Writes a decision as it is kept into a folder, for somebody who can read it; the file's path.
pub(crate) async fn export(shell: &Shell, id: &str, folder: &Path) -> Result<String, Failure> {
    let (scope, _) = shell.who()?;
    let rows = shell.cache().outbox().await.map_err(failed)?;
    let Some(row) = rows.into_iter().find(|row| row.id == id && row.scope == scope) else {
        return Err(Failure::Shell("The Outbox doesn't hold this decision any more.".to_owned()));
    };
    let name: String = row.id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    let path = folder.join(format!("decision-{name}.json"));
    let unwritten =
        |error: std::io::Error| Failure::Shell(format!("{} can't be written: {error}.", path.display()));
    tokio::fs::create_dir_all(folder).await.map_err(unwritten)?;
    tokio::fs::write(&path, row.text).await.map_err(unwritten)?;
    Ok(path.display().to_string())
}
