//! Reads and checks what clients write, beside the threads that serve requests.
//!
//! A document, a rule or an expression may take seconds to read, check and try. Each such piece of work runs on a
//! thread of its own, of which there are only a few at once; others wait in a short queue, and whoever would wait too
//! long is told to come back. A workspace has at most half of the threads and of the queue, so that one that sends
//! many large documents keeps nobody else waiting.

use shared_types::ids::WorkspaceId;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// How many pieces of work may wait or run, for each thread that runs them.
const QUEUE: usize = 16;
/// How long a client waits for its turn and for the work together.
const PATIENCE: Duration = Duration::from_secs(10);
/// The stack of a thread that works, in bytes. What is read nests at most as deep as the readers let it; in a debug
/// build each level takes some tens of kilobytes.
const STACK: usize = 16 * 1024 * 1024;
/// The most workspaces whose shares are remembered while they have nothing to do.
const IDLE_SHARES: usize = 1_000;

/// Why a piece of work has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotReviewed {
    /// Too much is waiting already.
    #[error("too many documents are waiting to be checked")]
    Full,
    /// It waited or worked too long. The work itself is bounded, and ends without anybody who waits for it.
    #[error("checking took too long")]
    Late,
    /// The work panicked, or no thread could be started.
    #[error("checking failed")]
    Failed,
}

/// The threads that read and check, and who may use them; clones share them.
#[derive(Debug, Clone)]
pub struct Reviews(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    threads: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    size: usize,
    patience: Duration,
    shares: Mutex<HashMap<WorkspaceId, Share>>,
}

/// What one workspace may use at once.
#[derive(Debug, Clone)]
struct Share {
    threads: Arc<Semaphore>,
    queue: Arc<Semaphore>,
}

impl Default for Reviews {
    fn default() -> Self {
        Self::of_size(thread::available_parallelism().map_or(2, usize::from).max(2), PATIENCE)
    }
}

impl Reviews {
    /// So many threads at once, and so long for each piece of work with its waiting.
    fn of_size(size: usize, patience: Duration) -> Self {
        Self(Arc::new(Inner {
            threads: Arc::new(Semaphore::new(size)),
            queue: Arc::new(Semaphore::new(size * QUEUE)),
            size,
            patience,
            shares: Mutex::default(),
        }))
    }

    /// Does a piece of work of a workspace on a thread of its own.
    ///
    /// # Errors
    /// When too much is waiting already, it takes too long, or it panics.
    pub async fn run<T: Send + 'static>(
        &self,
        workspace: WorkspaceId,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NotReviewed> {
        let share = self.share(workspace);
        let _in_share = share.queue.try_acquire_owned().map_err(|_| NotReviewed::Full)?;
        let _in_queue = Arc::clone(&self.0.queue).try_acquire_owned().map_err(|_| NotReviewed::Full)?;
        let begun = Instant::now();
        let done = tokio::time::timeout(self.0.patience, async {
            // The workspace's own permit comes first, so that who waits for it holds back nobody else.
            let own = share.threads.acquire_owned().await.map_err(|_| NotReviewed::Failed)?;
            let thread =
                Arc::clone(&self.0.threads).acquire_owned().await.map_err(|_| NotReviewed::Failed)?;
            on_a_thread(work, (own, thread))?.await.map_err(|_| NotReviewed::Failed)
        });
        let done = done.await.unwrap_or(Err(NotReviewed::Late));
        metrics::histogram!("iw_review_seconds").record(begun.elapsed().as_secs_f64());
        if let Err(error) = &done {
            tracing::warn!(%workspace, %error, "a document was not checked");
        }
        done
    }

    fn share(&self, workspace: WorkspaceId) -> Share {
        let mut shares = self.0.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if shares.len() >= IDLE_SHARES {
            // Whoever waits or works holds a semaphore of the share.
            shares.retain(|_, share| {
                Arc::strong_count(&share.queue) > 1 || Arc::strong_count(&share.threads) > 1
            });
        }
        let half = (self.0.size / 2).max(1);
        let fresh = || Share {
            threads: Arc::new(Semaphore::new(half)),
            queue: Arc::new(Semaphore::new(half * QUEUE)),
        };
        shares.entry(workspace).or_insert_with(fresh).clone()
    }
}

/// Starts a thread that works and holds the permits until it is done, also where nobody waits for it any more.
fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
    permits: (OwnedSemaphorePermit, OwnedSemaphorePermit),
) -> Result<oneshot::Receiver<T>, NotReviewed> {
    let (done, result) = oneshot::channel();
    let started = thread::Builder::new().name("review".to_owned()).stack_size(STACK).spawn(move || {
        let _permits = permits;
        // Nobody may be there any more to take it.
        let _ = done.send(work());
    });
    match started {
        Ok(_) => Ok(result),
        Err(error) => {
            tracing::error!(%error, "no thread could be started to check a document");
            Err(NotReviewed::Failed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use uuid::Uuid;

    fn workspace(n: u128) -> WorkspaceId {
        WorkspaceId(Uuid::from_u128(n))
    }

    #[tokio::test]
    async fn a_workspace_that_takes_all_it_may_keeps_no_other_waiting() {
        let reviews = Reviews::of_size(2, PATIENCE);
        let (end, wait) = mpsc::channel::<()>();
        let (begun, has_begun) = oneshot::channel();
        let busy = reviews.clone();
        let long = tokio::spawn(async move {
            busy.run(workspace(1), move || {
                let _ = begun.send(());
                let _ = wait.recv();
                1
            })
            .await
        });
        has_begun.await.unwrap();
        let waiting = reviews.clone();
        let second = tokio::spawn(async move { waiting.run(workspace(1), || 2).await });
        assert_eq!(reviews.run(workspace(2), || 3).await, Ok(3));
        assert!(!second.is_finished());
        end.send(()).unwrap();
        assert_eq!(long.await.unwrap(), Ok(1));
        assert_eq!(second.await.unwrap(), Ok(2));
    }

    #[tokio::test]
    async fn work_that_panics_fails_alone() {
        let reviews = Reviews::of_size(2, PATIENCE);
        let failed: Result<(), _> = reviews.run(workspace(1), || std::panic::panic_any("no")).await;
        assert_eq!(failed, Err(NotReviewed::Failed));
        assert_eq!(reviews.run(workspace(1), || 2).await, Ok(2));
    }

    #[tokio::test]
    async fn who_would_wait_too_long_is_told_so() {
        let reviews = Reviews::of_size(2, Duration::from_millis(20));
        let (end, wait) = mpsc::channel::<()>();
        let late = reviews.run(workspace(1), move || {
            let _ = wait.recv();
        });
        assert_eq!(late.await, Err(NotReviewed::Late));
        drop(end);
    }

    #[tokio::test]
    async fn what_waits_is_bounded() {
        let reviews = Reviews::of_size(2, PATIENCE);
        let permits: Vec<_> =
            (0..QUEUE).map(|_| reviews.share(workspace(1)).queue.try_acquire_owned().unwrap()).collect();
        assert_eq!(reviews.run(workspace(1), || 1).await, Err(NotReviewed::Full));
        assert_eq!(reviews.run(workspace(2), || 2).await, Ok(2));
        drop(permits);
        assert_eq!(reviews.run(workspace(1), || 3).await, Ok(3));
    }
}
