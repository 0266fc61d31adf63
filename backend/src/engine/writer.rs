//! Writes what many runs did in few transactions.
//!
//! While one batch commits, the next gathers: under load a commit carries many changes, and a lone one
//! waits for nobody.

use super::recheck::Recheck;
use crate::store::{
    self, StoreError,
    commit::{Change, Committed, NewEvent},
};
use shared_types::ids::ExecutionId;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, PgPool};
use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::{Mutex, OwnedMutexGuard, mpsc, oneshot};
use uuid::Uuid;

/// How many jobs a batch takes.
const BATCH: usize = 256;
/// How many jobs have to wait for a second batch to commit beside the first.
const MANY: usize = 128;
/// A job of more bytes is written by itself, beside the others: the database takes long over it.
const LARGE: usize = 256 * 1024;
/// How many times as long as a large job took the next one waits where others write meanwhile: large ones take a tenth
/// of the time.
const REST: u32 = 9;
/// How long a writer tries to reach the database.
const CONNECT: Duration = Duration::from_secs(5);
/// A connection that was not used for this long may have broken meanwhile.
const RESTED: Duration = Duration::from_millis(500);
/// How many jobs may wait before their senders do.
const QUEUE: usize = 4096;

/// What belongs together: an event with the runs that it starts, or a change.
#[derive(Debug, Default)]
pub(super) struct Job {
    pub(super) events: Vec<NewEvent>,
    pub(super) changes: Vec<Arc<Change>>,
}

/// What of a job was written.
#[derive(Debug, Default)]
pub(super) struct BatchResult {
    pub(super) events: HashSet<Uuid>,
    pub(super) runs: HashSet<ExecutionId>,
    pub(super) stale: HashSet<Uuid>,
    pub(super) outclaimed: HashSet<ExecutionId>,
}

impl Job {
    /// How many bytes it writes, about.
    fn bytes(&self) -> usize {
        self.changes.iter().map(|change| change.bytes()).sum()
    }
}

type Reply = oneshot::Sender<store::Result<BatchResult>>;

/// Takes jobs; its tasks end with it.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: mpsc::Sender<(Job, Reply)>,
    large: mpsc::Sender<(Job, Reply)>,
    /// How many jobs that aren't large were given.
    small: Arc<AtomicU32>,
}

impl Writer {
    pub(super) fn new(pool: &PgPool, recheck: &Arc<Recheck>) -> Self {
        let (jobs, receiver) = mpsc::channel(QUEUE);
        let (large, large_receiver) = mpsc::channel(QUEUE);
        tokio::spawn(run(pool.clone(), receiver, Arc::clone(recheck)));
        let small = Arc::<AtomicU32>::default();
        on_own_thread(run_large(pool.clone(), large_receiver, Arc::clone(&small), Arc::clone(recheck)));
        Self { jobs, large, small }
    }

    /// Writes a job and says what of it was written.
    pub(super) async fn write(&self, job: Job) -> store::Result<BatchResult> {
        let (reply, answer) = oneshot::channel();
        let gone = || StoreError::Database(sqlx::Error::WorkerCrashed);
        let is_large = job.bytes() > LARGE;
        if !is_large {
            self.small.fetch_add(1, Ordering::Relaxed);
        }
        let line = if is_large { &self.large } else { &self.jobs };
        line.send((job, reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

/// Gathers jobs while the first line commits, and gives them to it as soon as it is free: the more a commit
/// carries, the less each job costs. Only when many wait is a second line used.
async fn run(pool: PgPool, mut jobs: mpsc::Receiver<(Job, Reply)>, recheck: Arc<Recheck>) {
    let line = || Arc::new(Mutex::new(BatchConnection::new(&pool, &recheck)));
    let (first, second) = (line(), line());
    let mut batch = Vec::with_capacity(BATCH);
    let mut open = true;
    while open {
        let line = loop {
            let waiting = batch.len();
            tokio::select! {
                biased;
                count = jobs.recv_many(&mut batch, BATCH - waiting), if open && waiting < BATCH => {
                    open = count > 0;
                }
                line = Arc::clone(&first).lock_owned(), if waiting > 0 => break line,
                line = Arc::clone(&second).lock_owned(), if waiting >= MANY => break line,
                else => return,
            }
        };
        let full = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
        tokio::spawn(write(line, full));
    }
}

/// Does something on a thread and a runtime of its own: sending megabytes to the database takes a thread milliseconds, in
/// which it serves nobody else.
fn on_own_thread(work: impl Future<Output = ()> + Send + 'static) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::warn!(%error, "large changes are written by the threads that serve");
            tokio::spawn(work);
            return;
        }
    };
    let thread = std::thread::Builder::new().name("large-changes".to_owned());
    if let Err(error) = thread.spawn(move || runtime.block_on(work)) {
        tracing::error!(%error, "large changes can't be written: there is no thread for them");
    }
}

/// Writes large jobs, one after the other. Where others write as well it rests between them.
async fn run_large(
    pool: PgPool,
    mut jobs: mpsc::Receiver<(Job, Reply)>,
    small: Arc<AtomicU32>,
    recheck: Arc<Recheck>,
) {
    let line = Arc::new(Mutex::new(BatchConnection::new(&pool, &recheck)));
    while let Some(job) = jobs.recv().await {
        let (before, begun) = (small.load(Ordering::Relaxed), Instant::now());
        write(Arc::clone(&line).lock_owned().await, vec![job]).await;
        if small.load(Ordering::Relaxed) != before {
            tokio::time::sleep(begun.elapsed() * REST).await;
        }
    }
}

async fn write(mut line: OwnedMutexGuard<BatchConnection>, batch: Vec<(Job, Reply)>) {
    let (jobs, replies): (Vec<Job>, Vec<Reply>) = batch.into_iter().unzip();
    match line.write(&jobs).await {
        Ok(committed) => {
            for (job, reply) in jobs.iter().zip(replies) {
                let _ = reply.send(Ok(part(job, &committed)));
            }
        }
        Err(error) if error.is_unreachable() || (jobs.len() == 1 && !error.is_conflict()) => {
            answer_all(replies, error);
        }
        // One of them can't be written; each is tried by itself, so that it spoils no other.
        Err(_) => {
            for (job, reply) in jobs.iter().zip(replies) {
                let written = line.write(std::slice::from_ref(job)).await;
                let _ = reply.send(written.map(|committed| part(job, &committed)));
            }
        }
    }
}

fn answer_all(replies: Vec<Reply>, error: StoreError) {
    let mut replies = replies.into_iter();
    if let Some(first) = replies.next() {
        let _ = first.send(Err(error));
    }
    for reply in replies {
        let _ = reply.send(Err(StoreError::Database(sqlx::Error::WorkerCrashed)));
    }
}

/// A writer's own connection: its statements are planned once, and stay warm.
struct BatchConnection {
    pool: PgPool,
    /// With when it was last used.
    open: Option<(PgConnection, Instant)>,
    recheck: Arc<Recheck>,
}

impl BatchConnection {
    fn new(pool: &PgPool, recheck: &Arc<Recheck>) -> Self {
        Self { pool: pool.clone(), open: None, recheck: Arc::clone(recheck) }
    }

    async fn write(&mut self, jobs: &[Job]) -> store::Result<Committed> {
        let mut conn = self.take().await?;
        let committed = write_batch(&mut conn, jobs).await;
        // A broken connection isn't used again. The commit may have succeeded all the same: nobody here knows, so the
        // runs of this server are checked.
        if committed.as_ref().is_err_and(StoreError::is_unreachable) {
            self.recheck.request();
        } else {
            self.open = Some((conn, Instant::now()));
        }
        committed
    }

    /// The connection; one that has rested is asked first whether it still stands.
    async fn take(&mut self) -> store::Result<PgConnection> {
        if let Some((mut conn, used)) = self.open.take()
            && (used.elapsed() < RESTED || is_usable(&mut conn).await)
        {
            return Ok(conn);
        }
        self.connect().await
    }

    async fn connect(&self) -> store::Result<PgConnection> {
        let options = self.pool.connect_options().as_ref().clone();
        // Rows are found by their keys and in no other way, however small a table was when this was planned.
        let options = options.options([
            ("plan_cache_mode", "force_generic_plan"),
            ("enable_seqscan", "off"),
            ("enable_hashjoin", "off"),
            ("enable_mergejoin", "off"),
            // What a batch holds stays in memory. A temporary file of megabytes would be written out with the next commit's
            // log, and every commit would wait for it.
            ("work_mem", "256MB"),
        ]);
        let connecting = async {
            let mut conn = options.connect().await?;
            store::commit::compress_fast(&mut conn).await?;
            Ok::<_, sqlx::Error>(conn)
        };
        let connected = tokio::time::timeout(CONNECT, connecting).await;
        Ok(connected.map_err(|_| sqlx::Error::PoolTimedOut)??)
    }
}

/// Whether a connection that has rested still answers.
async fn is_usable(conn: &mut PgConnection) -> bool {
    tokio::time::timeout(CONNECT, conn.ping()).await.is_ok_and(|answer| answer.is_ok())
}

async fn write_batch(conn: &mut PgConnection, jobs: &[Job]) -> store::Result<Committed> {
    let events: Vec<&NewEvent> = jobs.iter().flat_map(|job| &job.events).collect();
    let changes: Vec<&Change> = jobs.iter().flat_map(|job| &job.changes).map(Arc::as_ref).collect();
    let mut transaction = conn.begin().await?;
    let committed = store::commit::commit(&mut transaction, &events, &changes).await?;
    #[cfg(feature = "faults")]
    crate::faults::point();
    transaction.commit().await?;
    #[cfg(feature = "faults")]
    {
        crate::faults::point();
        if crate::faults::loses_answer() {
            return Err(StoreError::Database(sqlx::Error::WorkerCrashed));
        }
    }
    metrics::histogram!("iw_batch_changes").record(count(changes.len()));
    Ok(committed)
}

#[expect(clippy::cast_precision_loss, reason = "a batch is far below 2^52 changes")]
fn count(number: usize) -> f64 {
    number as f64
}

fn part(job: &Job, committed: &Committed) -> BatchResult {
    let runs = |among: &HashSet<ExecutionId>| {
        job.changes.iter().map(|change| change.execution_id()).filter(|id| among.contains(id)).collect()
    };
    BatchResult {
        events: job.events.iter().map(|event| event.id).filter(|id| committed.events.contains(id)).collect(),
        runs: runs(&committed.runs),
        outclaimed: runs(&committed.outclaimed),
        stale: job.events.iter().map(|event| event.id).filter(|id| committed.stale.contains(id)).collect(),
    }
}
