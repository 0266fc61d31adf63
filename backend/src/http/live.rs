//! What changes, as it changes.

use super::{
    AppState,
    params::Query,
    principal::{again, person},
    problem::{ApiError, ApiResult},
};
use crate::{
    auth::Principal,
    dispatch::{Numbered, RightsChanged},
};
use axum::{
    extract::{
        State,
        ws::{
            CloseCode, CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code,
            rejection::WebSocketUpgradeRejection,
        },
    },
    response::Response,
};
use shared_types::api::{
    Permission,
    live::{LiveKind, LiveMessage, LiveQuery},
    problem::Code,
};
use std::{sync::Arc, time::Duration};
use tokio::sync::broadcast::error::RecvError;

/// The largest message of a client, which has next to nothing to say, in bytes.
const MAX_MESSAGE: usize = 64 * 1024;
/// How often the line is tried, so that both sides learn when it is broken.
const PING: Duration = Duration::from_secs(15);
/// A line lasts this long at most; then the client comes again, with rights read anew.
const LONGEST: Duration = Duration::from_hours(1);

pub(super) async fn follow(
    State(state): State<AppState>,
    principal: Principal,
    Query(query): Query<LiveQuery>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> ApiResult<Response> {
    let user = person(&principal)?.user_id;
    let upgrade = upgrade.map_err(|_| {
        let detail =
            "This is a WebSocket; send Connection: Upgrade, Upgrade: websocket and Sec-WebSocket-Key.";
        ApiError::new(Code::RequestBad, detail)
    })?;
    let Some(line) = state.sockets.open(user) else {
        let detail = "You have the maximum number of live connections open; close one first.";
        return Err(ApiError::new(Code::TooManySockets, detail).retry_after(5));
    };
    let upgrade = upgrade.max_message_size(MAX_MESSAGE).max_frame_size(MAX_MESSAGE);
    Ok(upgrade.on_upgrade(move |socket| async move {
        let _line = line;
        // A client that goes away is no failure.
        let _ = tokio::time::timeout(LONGEST, serve(socket, state, principal, query.after)).await;
    }))
}

async fn serve(
    mut socket: WebSocket,
    state: AppState,
    mut principal: Principal,
    after: Option<u64>,
) -> Result<(), axum::Error> {
    let mut rights = state.dispatch.rights_changes();
    // They may have changed since the person was let in, before anybody listened.
    let mut in_doubt = true;
    let (missed, mut incoming) = state.dispatch.follow(principal.workspace, after);
    match missed {
        Some(missed) => {
            for numbered in missed.iter().filter(|numbered| is_for(&principal, numbered)) {
                send(&mut socket, &numbered.live()).await?;
            }
        }
        None => send(&mut socket, &reset(&state, &principal)).await?,
    }
    let mut ping = tokio::time::interval(PING);
    loop {
        if in_doubt {
            match again(&state, &principal).await {
                Ok(Some(now)) => (principal, in_doubt) = (now, false),
                Ok(None) => return close(socket, close_code::POLICY, "the session has ended").await,
                // Nobody can tell at the moment; it is asked again with the next ping at the latest.
                Err(_) => {}
            }
        }
        tokio::select! {
            () = state.stop.cancelled() => {
                return close(socket, close_code::AWAY, "the server stops; another answers").await;
            }
            received = incoming.recv() => match received {
                Ok(numbered) if is_for(&principal, &numbered) => send(&mut socket, &numbered.live()).await?,
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => send(&mut socket, &reset(&state, &principal)).await?,
                Err(RecvError::Closed) => return Ok(()),
            },
            changed = rights.recv() => in_doubt |= concerns(&changed, &principal),
            _ = ping.tick() => socket.send(Message::Ping(Vec::new().into())).await?,
            said = socket.recv() => match said {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
                Some(Ok(_)) => {}
            },
        }
    }
}

/// Whether a change of rights may be one of the caller's.
fn concerns(changed: &Result<RightsChanged, RecvError>, principal: &Principal) -> bool {
    match changed {
        Ok(RightsChanged::Of(user)) => principal.person().is_some_and(|person| person.user_id == *user),
        Ok(RightsChanged::OfAnybody) | Err(RecvError::Lagged(_) | RecvError::Closed) => true,
    }
}

/// Says why the line is closed.
async fn close(mut socket: WebSocket, code: CloseCode, reason: &'static str) -> Result<(), axum::Error> {
    let frame = CloseFrame { code, reason: reason.into() };
    socket.send(Message::Close(Some(frame))).await
}

fn reset(state: &AppState, principal: &Principal) -> LiveMessage {
    LiveMessage {
        n: state.dispatch.last(principal.workspace),
        kind: LiveKind::Reset,
        id: String::new(),
        at: state.clock.now(),
    }
}

async fn send(socket: &mut WebSocket, message: &LiveMessage) -> Result<(), axum::Error> {
    let text = serde_json::to_string(message).unwrap_or_default();
    socket.send(Message::Text(text.into())).await
}

/// Whether the caller may see what a message tells of.
fn is_for(principal: &Principal, numbered: &Arc<Numbered>) -> bool {
    let message = &numbered.message;
    let mine = message.to.is_none_or(|to| principal.person().is_some_and(|person| person.user_id == to));
    let may = match message.kind {
        LiveKind::ApprovalAsked | LiveKind::ApprovalChanged => principal.may(Permission::ReadApprovals),
        LiveKind::ExecutionChanged => principal.may(Permission::ReadExecutions),
        LiveKind::WorkflowChanged => principal.may(Permission::ReadWorkflows),
        LiveKind::Notice | LiveKind::Reset => true,
    };
    message.workspace == principal.workspace && mine && may
}
