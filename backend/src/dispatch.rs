//! Telling clients and other servers what changed.
//!
//! Each server sends what changed, gathered for a moment, over the database's `NOTIFY`, outside the
//! transactions that changed it. One of the servers, the publisher, numbers the messages of each workspace and
//! sends them on; every server keeps a window of them, so that a client can take up where it left off.

mod publisher;
mod replay_buffer;
mod waking;

pub use waking::{Loop, PostgresWaking, Waking};

use crate::{
    clock::Clock,
    store::{self, sessions::RIGHTS_CHANGED},
};
use chrono::{DateTime, Utc};
use replay_buffer::Windows;
use serde::{Deserialize, Serialize};
use shared_types::{
    api::live::{LiveKind, LiveMessage},
    ids::{UserId, WorkspaceId},
};
use sqlx::{PgPool, postgres::PgListener};
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;
use waking::WAKE;

const UNNUMBERED: &str = "iw_live";
const NUMBERED: &str = "iw_live_numbered";
/// The most that a notification's payload may hold, with room to spare below PostgreSQL's 8,000 bytes.
const MAX_PAYLOAD: usize = 7000;
/// The pause after messages were sent, in which the next gather.
const PAUSE: Duration = Duration::from_millis(20);
/// More runs than this that change within a pause are a flood.
const FLOOD: usize = 200;
/// The pause in a flood.
const CALM: Duration = Duration::from_millis(500);
/// How many messages may wait to be sent; the state is read from the database anyway.
const QUEUE: usize = 8192;
/// How many changes of rights an open line may fall behind; then it is looked at in any case.
const RIGHTS_QUEUE: usize = 256;

/// Something changed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DispatchMessage {
    /// The workspace that it belongs to.
    #[serde(rename = "w")]
    pub workspace: WorkspaceId,
    /// What kind of change.
    #[serde(rename = "k")]
    pub kind: LiveKind,
    /// Id of what changed.
    #[serde(rename = "i")]
    pub id: String,
    /// For whom alone.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub to: Option<UserId>,
}

/// A message with its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Numbered {
    /// Its number in the workspace.
    pub n: u64,
    /// When it was numbered.
    pub at: DateTime<Utc>,
    /// The message.
    #[serde(flatten)]
    pub message: DispatchMessage,
}

impl Numbered {
    /// As clients get it.
    pub fn live(&self) -> LiveMessage {
        LiveMessage { n: self.n, kind: self.message.kind, id: self.message.id.clone(), at: self.at }
    }
}

/// Whose rights may have changed, so that an open line has to be looked at again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RightsChanged {
    /// This person's.
    Of(UserId),
    /// Anybody's: changes may have been missed.
    OfAnybody,
}

/// Tells and listens; clones share it.
#[derive(Debug, Clone)]
pub struct Dispatch {
    outgoing: mpsc::Sender<DispatchMessage>,
    /// The workspaces whose messages the queue had no room for.
    dropped: Arc<Mutex<BTreeSet<WorkspaceId>>>,
    windows: Arc<Mutex<Windows>>,
    incoming: broadcast::Sender<Arc<Numbered>>,
    rights: broadcast::Sender<RightsChanged>,
    waking: Arc<PostgresWaking>,
    clock: Clock,
}

impl Dispatch {
    /// Begins to tell and to listen, until `stop`. Those who wake loops here are heard with the rest.
    pub fn start(pool: PgPool, clock: Clock, waking: Arc<PostgresWaking>, stop: CancellationToken) -> Self {
        let (outgoing, queue) = mpsc::channel(QUEUE);
        let (incoming, _) = broadcast::channel(QUEUE);
        let (rights, _) = broadcast::channel(RIGHTS_QUEUE);
        let dispatch = Self {
            outgoing,
            dropped: Arc::default(),
            windows: Arc::default(),
            incoming,
            rights,
            waking,
            clock: clock.clone(),
        };
        tokio::spawn(send(pool.clone(), queue, Arc::clone(&dispatch.dropped), stop.clone()));
        tokio::spawn(listen(pool.clone(), dispatch.clone(), stop.clone()));
        tokio::spawn(publisher::run(pool, clock, stop));
        dispatch
    }

    /// Tells what changed, soon.
    pub fn tell(&self, messages: impl IntoIterator<Item = DispatchMessage>) {
        for message in messages {
            // A full queue loses messages, never state: its clients are told to read what they show anew.
            if let Err(lost) = self.outgoing.try_send(message) {
                let workspace = lost.into_inner().workspace;
                self.dropped.lock().unwrap_or_else(PoisonError::into_inner).insert(workspace);
            }
        }
    }

    /// What came after a number and is still known, and everything from here on.
    ///
    /// `None` where that number isn't known any more: the client has to read everything anew.
    pub fn follow(
        &self,
        workspace: WorkspaceId,
        after: Option<u64>,
    ) -> (Option<Vec<Arc<Numbered>>>, broadcast::Receiver<Arc<Numbered>>) {
        let windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let receiver = self.incoming.subscribe();
        let missed = match after {
            Some(after) => windows.after(workspace, after),
            None => Some(Vec::new()),
        };
        (missed, receiver)
    }

    /// What changes in any workspace, from here on.
    pub fn changes(&self) -> broadcast::Receiver<Arc<Numbered>> {
        self.incoming.subscribe()
    }

    /// The number of the last message of a workspace.
    pub fn last(&self, workspace: WorkspaceId) -> u64 {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner).last(workspace)
    }

    /// Whose rights may have changed, from here on.
    pub fn rights_changes(&self) -> broadcast::Receiver<RightsChanged> {
        self.rights.subscribe()
    }

    fn rights_changed(&self, payload: &str) {
        let changed = payload.parse().map_or(RightsChanged::OfAnybody, RightsChanged::Of);
        // Nobody may be listening.
        let _ = self.rights.send(changed);
    }

    fn arrived(&self, numbered: Numbered) {
        let numbered = Arc::new(numbered);
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.push(Arc::clone(&numbered));
        // Nobody may be listening.
        let _ = self.incoming.send(numbered);
    }

    /// Messages may have been lost: every client of this server has to read everything anew.
    fn lost(&self) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        for (workspace, n) in windows.forget() {
            let message = DispatchMessage { workspace, kind: LiveKind::Reset, id: String::new(), to: None };
            let _ = self.incoming.send(Arc::new(Numbered { n, at: self.clock.now(), message }));
        }
        let _ = self.rights.send(RightsChanged::OfAnybody);
    }
}

/// Sends what changed: the first message at once, and what comes in the pause after it together.
async fn send(
    pool: PgPool,
    mut queue: mpsc::Receiver<DispatchMessage>,
    dropped: Arc<Mutex<BTreeSet<WorkspaceId>>>,
    stop: CancellationToken,
) {
    let mut gathered = Vec::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            count = queue.recv_many(&mut gathered, QUEUE) => if count == 0 { return },
        }
        let (mut messages, flooded) = coalesce(std::mem::take(&mut gathered));
        let dropped = std::mem::take(&mut *dropped.lock().unwrap_or_else(PoisonError::into_inner));
        messages.extend(dropped.into_iter().map(reset));
        for payload in payloads(&messages) {
            let sent = async {
                let mut conn = pool.acquire().await?;
                store::notify(&mut conn, UNNUMBERED, &payload).await
            };
            if let Err(error) = sent.await {
                tracing::debug!(%error, "live messages were not sent");
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(if flooded { CALM } else { PAUSE }) => {}
        }
    }
}

/// Each message once; in a workspace where very many runs changed, one `reset` stands for all of these, and true
/// says so: nobody can follow them one by one, and whoever looks reads the state anew.
fn coalesce(messages: Vec<DispatchMessage>) -> (Vec<DispatchMessage>, bool) {
    let mut runs: BTreeMap<WorkspaceId, usize> = BTreeMap::new();
    let mut seen = HashSet::new();
    let mut once: Vec<DispatchMessage> =
        messages.into_iter().filter(|message| seen.insert(message.clone())).collect();
    for message in once.iter().filter(|message| message.kind == LiveKind::ExecutionChanged) {
        *runs.entry(message.workspace).or_default() += 1;
    }
    runs.retain(|_, count| *count > FLOOD);
    once.retain(|message| {
        message.kind != LiveKind::ExecutionChanged || !runs.contains_key(&message.workspace)
    });
    once.extend(runs.keys().copied().map(reset));
    (once, !runs.is_empty())
}

/// Whoever follows a workspace has to read anew.
fn reset(workspace: WorkspaceId) -> DispatchMessage {
    DispatchMessage { workspace, kind: LiveKind::Reset, id: String::new(), to: None }
}

/// Messages as JSON lists that fit into a notification each.
fn payloads<T: Serialize>(messages: &[T]) -> Vec<String> {
    let mut payloads = Vec::new();
    let mut current = String::new();
    for message in messages {
        let json = serde_json::to_string(message).unwrap_or_default();
        if !current.is_empty() && current.len() + json.len() + 2 > MAX_PAYLOAD {
            payloads.push(format!("[{current}]"));
            current.clear();
        }
        if !current.is_empty() {
            current.push(',');
        }
        current.push_str(&json);
    }
    if !current.is_empty() {
        payloads.push(format!("[{current}]"));
    }
    payloads
}

async fn listen(pool: PgPool, dispatch: Dispatch, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match listener(&pool, &[NUMBERED, RIGHTS_CHANGED, WAKE]).await {
            Ok(mut listener) => {
                dispatch.lost();
                loop {
                    let received = tokio::select! {
                        () = stop.cancelled() => return,
                        received = listener.try_recv() => received,
                    };
                    let Ok(Some(notification)) = received else { break };
                    if notification.channel() == RIGHTS_CHANGED {
                        dispatch.rights_changed(notification.payload());
                        continue;
                    }
                    if notification.channel() == WAKE {
                        dispatch.waking.arrived(notification.payload());
                        continue;
                    }
                    for numbered in
                        serde_json::from_str::<Vec<Numbered>>(notification.payload()).unwrap_or_default()
                    {
                        dispatch.arrived(numbered);
                    }
                }
            }
            Err(error) => tracing::debug!(%error, "listening for live messages is tried again"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(Duration::from_millis(500)) => {}
        }
    }
}

async fn listener(pool: &PgPool, channels: &[&str]) -> Result<PgListener, sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen_all(channels.iter().copied()).await?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: LiveKind, id: usize) -> DispatchMessage {
        DispatchMessage {
            workspace: WorkspaceId(uuid::Uuid::from_u128(1)),
            kind,
            id: id.to_string(),
            to: None,
        }
    }

    #[test]
    fn a_message_is_sent_once_and_a_flood_of_runs_as_one_reset() {
        let few = vec![message(LiveKind::ExecutionChanged, 1); 300];
        assert_eq!(coalesce(few), (vec![message(LiveKind::ExecutionChanged, 1)], false));
        let mut many: Vec<DispatchMessage> =
            (0..300).map(|n| message(LiveKind::ExecutionChanged, n)).collect();
        many.push(message(LiveKind::ApprovalAsked, 7));
        let (sent, flooded) = coalesce(many);
        let kinds: Vec<LiveKind> = sent.iter().map(|message| message.kind).collect();
        assert_eq!((kinds, flooded), (vec![LiveKind::ApprovalAsked, LiveKind::Reset], true));
    }

    #[test]
    fn messages_are_cut_into_payloads_that_fit() {
        let message = DispatchMessage {
            workspace: WorkspaceId(uuid::Uuid::from_u128(1)),
            kind: LiveKind::ExecutionChanged,
            id: "x".repeat(60),
            to: None,
        };
        let payloads = payloads(&vec![message; 200]);
        assert!(payloads.len() > 1 && payloads.iter().all(|payload| payload.len() <= MAX_PAYLOAD + 2));
        let read: usize =
            payloads.iter().map(|p| serde_json::from_str::<Vec<DispatchMessage>>(p).unwrap().len()).sum();
        assert_eq!(read, 200);
    }
}
