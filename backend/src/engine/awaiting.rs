//! Waits and events find each other in either order: whoever commits second looks for the first.

use super::{ApplyError, Engine, Given};
use crate::store::{self, events, waits, waits::Wait};
use shared_types::{
    ids::{ExecutionId, WorkspaceId},
    machine::{Event, Input, command::Awaited},
};
use uuid::Uuid;

const PART: i64 = 200;

/// An event was written: looks for the waits that it ends.
pub(super) async fn offer(engine: &Engine, workspace: WorkspaceId, event: &Event) {
    let found = async {
        let mut conn = engine.0.pool.acquire().await?;
        waits::for_type(&mut conn, workspace, &event.kind).await
    };
    match found.await {
        Ok(waits) => {
            for wait in waits.into_iter().filter(|wait| wait.awaited.fits(event)) {
                give(engine, workspace, wait.execution_id, &wait.awaited, event).await;
            }
        }
        Err(error) => tracing::warn!(event.id = %event.id, %error, "waits will be looked for again"),
    }
}

/// A wait was written: looks for an event that came before it, the oldest first.
pub(super) async fn look_back(
    engine: &Engine,
    workspace: WorkspaceId,
    execution_id: ExecutionId,
    awaited: Awaited,
) {
    let wait = Wait { workspace, execution_id, since: execution_id.0, awaited };
    if let Err(error) = look(engine, &wait).await {
        tracing::warn!(run.id = %execution_id, %error, "events will be looked for again");
    }
}

async fn look(engine: &Engine, wait: &Wait) -> store::Result<()> {
    let mut after = wait.since;
    loop {
        let part = {
            let mut conn = engine.0.pool.acquire().await?;
            events::since(&mut conn, wait.workspace, &wait.awaited.event, after, PART).await?
        };
        let Some((last, _)) = part.last() else { return Ok(()) };
        after = *last;
        for (_, event) in part.iter().filter(|(_, event)| wait.awaited.fits(event)) {
            if give(engine, wait.workspace, wait.execution_id, &wait.awaited, event).await {
                return Ok(());
            }
        }
    }
}

/// Gives an event to a run; true where it took it, or doesn't wait any more.
async fn give(
    engine: &Engine,
    workspace: WorkspaceId,
    execution_id: ExecutionId,
    awaited: &Awaited,
    event: &Event,
) -> bool {
    let input = Input::EventArrived { place: awaited.place.clone(), event: event.clone() };
    match engine.apply(workspace, execution_id, &Given::just(input)).await {
        Ok(_) => true,
        // It took this event before, or started with it; a later one may do.
        Err(ApplyError::Refused(_)) => false,
        Err(error) => {
            tracing::warn!(run.id = %execution_id, %error, "an awaited event will be offered again");
            true
        }
    }
}

/// Looks once more for what every open wait waits for: a server that died may have committed one side and
/// never looked for the other. At the start, and when another server was found dead.
pub(super) async fn look_again(engine: Engine) {
    let mut after = Uuid::nil();
    while !engine.0.stop.is_cancelled() {
        let part = async {
            let mut conn = engine.0.pool.acquire().await?;
            waits::all_after(&mut conn, after, PART).await
        };
        let Ok(part) = part.await else { return };
        let Some(last) = part.last() else { return };
        after = last.execution_id.0;
        for wait in &part {
            if let Err(error) = look(&engine, wait).await {
                tracing::warn!(run.id = %wait.execution_id, %error, "looking for an awaited event failed");
            }
        }
    }
}
