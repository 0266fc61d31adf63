//! The Outbox: decisions are kept before they are sent, and sent until the server has recorded or refused them.

use crate::{client::Call, clock, shell::Shell};
use shared_types::{
    api::{
        NoQuery,
        approvals::{Approval, Decide, NewDecision},
    },
    desktop::{Decided, Failure, Outgoing, OutgoingState, Told},
    ids::ApprovalId,
};
use std::time::Duration;
use uuid::Uuid;

/// How often it is tried while the server doesn't answer.
const PAUSE: Duration = Duration::from_secs(3);

/// Decides: keeps the decision, then sends it.
pub(crate) async fn decide(
    shell: &Shell,
    approval_id: ApprovalId,
    title: String,
    decision: NewDecision,
) -> Result<Decided, Failure> {
    let scope = shell.scope().await?;
    let decided_at = clock::now();
    let decision = NewDecision { decided_at: Some(decided_at), ..decision };
    let item = Outgoing {
        id: clock::new_id(),
        approval_id,
        title,
        decision,
        decided_at,
        state: OutgoingState::Queued,
    };
    keep(shell, &scope, &item).await?;
    let _one = shell.sending().lock().await;
    match send(shell, &scope, item).await? {
        (item, Some(approval)) => {
            shell.cache().drop_outgoing(item.id).await.map_err(failed)?;
            shell.tell(&Told::Outbox);
            Ok(Decided::Recorded(Box::new(approval)))
        }
        (item, None) => match item.state {
            OutgoingState::Lost { .. } => Ok(Decided::Lost(item)),
            OutgoingState::Queued | OutgoingState::Sending | OutgoingState::Recorded { .. } => {
                Ok(Decided::Queued(item))
            }
        },
    }
}

/// Sends what is queued whenever the server may answer, as long as the app runs.
pub(crate) async fn run(shell: Shell) {
    loop {
        let waiting = flush(&shell).await;
        tokio::select! {
            () = shell.outbox_changed().notified() => {}
            () = tokio::time::sleep(PAUSE), if waiting => {}
        }
    }
}

/// Sends what is queued; whether something still waits.
async fn flush(shell: &Shell) -> bool {
    let Ok(scope) = shell.scope().await else { return false };
    let queued = shell.cache().outgoing(&scope).await.unwrap_or_default();
    let mut waiting = false;
    for item in queued {
        if !matches!(item.state, OutgoingState::Queued | OutgoingState::Sending) {
            continue;
        }
        let _one = shell.sending().lock().await;
        match send(shell, &scope, item).await {
            Ok((item, _)) => waiting |= item.state == OutgoingState::Queued,
            Err(failure) => {
                tracing::warn!(failure = failure.words(), "the Outbox could not be written");
                waiting = true;
            }
        }
    }
    waiting
}

/// Sends one decision under its key, and keeps what came of it.
async fn send(
    shell: &Shell,
    scope: &str,
    mut item: Outgoing,
) -> Result<(Outgoing, Option<Approval>), Failure> {
    item.state = OutgoingState::Sending;
    keep(shell, scope, &item).await?;
    let id = item.approval_id.to_string();
    let headers = [("Idempotency-Key", item.id.to_string())];
    let call = Call::<Decide> { path: &[&id], query: &NoQuery {}, body: &item.decision, headers: &headers };
    let answer = shell.call(&call).await;
    item.state = match &answer {
        Ok(approval) => {
            let recorded = approval.closed_at.unwrap_or_else(clock::now);
            OutgoingState::Recorded { at: recorded }
        }
        Err(Failure::Refused(problem)) => OutgoingState::Lost { problem: problem.clone() },
        Err(Failure::Offline | Failure::SignedOut | Failure::Shell(_)) => OutgoingState::Queued,
    };
    keep(shell, scope, &item).await?;
    Ok((item, answer.ok()))
}

async fn keep(shell: &Shell, scope: &str, item: &Outgoing) -> Result<(), Failure> {
    shell.cache().put_outgoing(scope, item).await.map_err(failed)?;
    shell.tell(&Told::Outbox);
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn failed(error: sqlx::Error) -> Failure {
    Failure::Shell(format!("The Outbox can't be written, so nothing was sent: {error}."))
}

/// Everything in the Outbox.
pub(crate) async fn list(shell: &Shell) -> Result<Vec<Outgoing>, Failure> {
    let scope = shell.scope().await?;
    shell.cache().outgoing(&scope).await.map_err(failed)
}

/// Takes a decision out of the Outbox: it is sent no more.
pub(crate) async fn discard(shell: &Shell, id: Uuid) -> Result<(), Failure> {
    let _one = shell.sending().lock().await;
    shell.cache().drop_outgoing(id).await.map_err(failed)?;
    shell.tell(&Told::Outbox);
    Ok(())
}
