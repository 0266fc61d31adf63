//! Matches events to waits, in either order: whoever commits second looks for the first.

use super::{
    Engine, Mutation,
    record::{Recorded, record},
};
use crate::store::{self, events, waits, waits::Wait};
use futures_util::{StreamExt as _, stream};
use shared_types::{
    ids::{ExecutionId, WorkspaceId},
    machine::{Event, Input, event::AwaitedEvent},
};
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

const PART: i64 = 200;
/// How many events are looked for at once.
const BATCH: usize = 512;
/// How many runs take one event at once.
const AT_ONCE: usize = 32;
/// The pause before a question that failed is asked again.
const PAUSE: Duration = Duration::from_secs(1);

/// An event that was committed and may match a wait.
#[derive(Debug)]
pub(super) struct Offer {
    pub(super) workspace: WorkspaceId,
    pub(super) event: Arc<Event>,
}

/// Looks for waits that events match: one query for all events that came during the last one.
pub(super) async fn run(engine: Engine) {
    let mut offers = engine.0.offered.lock().await;
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        tokio::select! {
            biased;
            count = offers.recv_many(&mut batch, BATCH) => if count == 0 { return },
            () = engine.0.stop.cancelled() => return,
        }
        while let Err(error) = offer(&engine, &batch).await {
            tracing::warn!(%error, "waits will be looked for again");
            if !error.is_unreachable() {
                break;
            }
            if !pause(&engine).await {
                return;
            }
        }
        batch.clear();
    }
}

async fn offer(engine: &Engine, batch: &[Offer]) -> store::Result<()> {
    let events: Vec<_> = batch.iter().map(|offer| (offer.workspace, offer.event.as_ref())).collect();
    let waits = {
        let mut conn = engine.0.pool.acquire().await?;
        waits::for_events(&mut conn, &events).await?
    };
    for Offer { workspace, event } in batch {
        let is_for = |wait: &&Wait| wait.workspace == *workspace && wait.awaited.fits(event);
        let fitting: Vec<Wait> = waits.iter().filter(is_for).cloned().collect();
        if !fitting.is_empty() {
            engine.0.tasks.spawn(deliver_to_all(engine.clone(), fitting, Arc::clone(event)));
        }
    }
    Ok(())
}

async fn deliver_to_all(engine: Engine, waits: Vec<Wait>, event: Arc<Event>) {
    let gives = stream::iter(waits).for_each_concurrent(AT_ONCE, |wait| {
        let (engine, event) = (&engine, &event);
        async move {
            deliver(engine, &wait, None, event).await;
        }
    });
    gives.await;
}

/// Looks for an event that came before a new wait, the oldest first.
pub(super) async fn match_earlier_events(
    engine: &Engine,
    workspace: WorkspaceId,
    execution_id: ExecutionId,
    awaited: AwaitedEvent,
) {
    let since = waits::first_that_counts(execution_id, &awaited);
    let wait = Wait { workspace, execution_id, since, awaited };
    while let Err(error) = find_earlier(engine, &wait).await {
        tracing::warn!(run.id = %execution_id, %error, "events will be looked for again");
        if !error.is_unreachable() || !pause(engine).await {
            return;
        }
    }
}

/// Waits before something is tried again; false when the server stops, and whoever starts next looks again for
/// what every open wait waits for.
async fn pause(engine: &Engine) -> bool {
    tokio::select! {
        () = engine.0.stop.cancelled() => false,
        () = tokio::time::sleep(PAUSE) => true,
    }
}

async fn find_earlier(engine: &Engine, wait: &Wait) -> store::Result<()> {
    let mut after = wait.since;
    loop {
        let part = {
            let mut conn = engine.0.pool.acquire().await?;
            events::since(&mut conn, wait.workspace, &wait.awaited.event, after, PART).await?
        };
        let Some((last, _)) = part.last() else { return Ok(()) };
        after = *last;
        for (id, event) in part.iter().filter(|(_, event)| wait.awaited.fits(event)) {
            // Ids follow time: this tells what came before the run started.
            let claimed = (*id < wait.execution_id.0).then_some(*id);
            if deliver(engine, wait, claimed, event).await {
                return Ok(());
            }
        }
    }
}

/// Gives an event to a run, which claims it where it came before the run started; true where the run took it, or can't
/// be written now.
async fn deliver(engine: &Engine, wait: &Wait, claimed_event: Option<Uuid>, event: &Arc<Event>) -> bool {
    let input = Input::EventArrived { place: wait.awaited.place.clone(), event: Arc::clone(event) };
    let mutation = Mutation { claimed_event, ..Mutation::of_input(input) };
    // A run that took this event before, or started with it, or finds it claimed, may take a later one.
    record(engine, wait.workspace, wait.execution_id, &mutation).await != Recorded::Unwanted
}

/// Looks once more for what every open wait waits for: a server that died may have committed one side and
/// never looked for the other. At the start, and when another server was found dead.
pub(super) async fn match_all_waits(engine: Engine) {
    let mut after = (ExecutionId(Uuid::nil()), None);
    while !engine.0.stop.is_cancelled() {
        let part = async {
            let mut conn = engine.0.pool.acquire().await?;
            waits::all_after(&mut conn, (after.0, after.1.as_ref()), PART).await
        };
        let part = match part.await {
            Ok(part) => part,
            Err(error) => {
                tracing::warn!(%error, "open waits will be looked at again");
                return engine.0.recheck.request();
            }
        };
        let Some(last) = part.last() else { return };
        after = (last.execution_id, Some(last.awaited.place.clone()));
        for wait in &part {
            if let Err(error) = find_earlier(&engine, wait).await {
                tracing::warn!(run.id = %wait.execution_id, %error, "an awaited event will be looked for again");
                engine.0.recheck.request();
            }
        }
    }
}
