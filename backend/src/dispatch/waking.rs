//! Waking the loops that perform and watch the time, wherever they run.

use crate::{role::Role, store};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use std::{
    collections::BTreeSet,
    fmt::Debug,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// The channel on which servers wake each other; its payload is a [`Loop`] as JSON.
pub(super) const WAKE: &str = "iw_wake";
/// The pause after others were woken, in which more reasons gather.
const PAUSE: Duration = Duration::from_millis(5);

/// A loop that can be woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loop {
    /// It claims open work that nobody performs.
    Claims,
    /// It fires timers.
    Timers,
    /// It starts the runs of published events.
    Published,
    /// It starts the runs of schedules.
    Schedules,
    /// It sends messages out.
    Deliveries,
    /// It looks at open requests again.
    Environment,
}

/// Wakes loops. A wake is a hint: each loop looks by itself now and then, so a lost one costs time and nothing else.
pub trait Waking: Debug + Send + Sync {
    /// Wakes a loop, on this server where it runs here, else on the others.
    fn wake(&self, which: Loop);

    /// Returns once the loop is woken on this server; at once if it was woken since the last time.
    fn woken(&self, which: Loop) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// Wakes within the process, and other servers over PostgreSQL's `NOTIFY`.
#[derive(Debug)]
pub struct PostgresWaking {
    /// Whether the loops run on this server.
    runs_loops: bool,
    loops: [Notify; 6],
    /// The loops of other servers that are to be woken.
    others: Mutex<BTreeSet<Loop>>,
    others_wait: Notify,
}

impl PostgresWaking {
    /// What wakes for a server of this role, until `stop`.
    pub fn start(pool: PgPool, role: Role, stop: CancellationToken) -> Arc<Self> {
        let waking = Arc::new(Self {
            runs_loops: role.performs(),
            loops: Default::default(),
            others: Mutex::default(),
            others_wait: Notify::new(),
        });
        if !role.performs() {
            tokio::spawn(wake_others(Arc::clone(&waking), pool, stop));
        }
        waking
    }

    /// Another server wakes a loop here.
    pub(super) fn arrived(&self, payload: &str) {
        if let Ok(which) = serde_json::from_str(payload) {
            self.notify(which).notify_one();
        }
    }

    fn notify(&self, which: Loop) -> &Notify {
        let [claims, timers, published, schedules, deliveries, environment] = &self.loops;
        match which {
            Loop::Claims => claims,
            Loop::Timers => timers,
            Loop::Published => published,
            Loop::Schedules => schedules,
            Loop::Deliveries => deliveries,
            Loop::Environment => environment,
        }
    }

    fn take_others(&self) -> BTreeSet<Loop> {
        std::mem::take(&mut *self.others.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Waking for PostgresWaking {
    fn wake(&self, which: Loop) {
        if self.runs_loops {
            self.notify(which).notify_one();
        } else {
            self.others.lock().unwrap_or_else(PoisonError::into_inner).insert(which);
            self.others_wait.notify_one();
        }
    }

    fn woken(&self, which: Loop) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.notify(which).notified())
    }
}

async fn wake_others(waking: Arc<PostgresWaking>, pool: PgPool, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = waking.others_wait.notified() => {}
        }
        for which in waking.take_others() {
            let payload = serde_json::to_string(&which).unwrap_or_default();
            let sent = async {
                let mut conn = pool.acquire().await?;
                store::notify(&mut conn, WAKE, &payload).await
            };
            if let Err(error) = sent.await {
                tracing::debug!(%error, "another server was not woken; it looks by itself");
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}
