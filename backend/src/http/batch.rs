//! Many events in one request: each is taken or refused for itself, and answered in its place.

use super::{
    AppState, body,
    events::{look, read_event, started},
    idempotency::KEY,
    problem::{ApiError, ApiResult},
};
use crate::{
    auth::Caller,
    engine::{Accepted, Incoming},
};
use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
};
use futures_util::{StreamExt as _, stream};
use serde::Deserialize as _;
use serde_json::Value;
use shared_types::{
    api::{
        events::{BatchAnswer, BatchItem, EventAccepted, NewEvent},
        problem::{Code, Problem},
    },
    ids::EventId,
    workflow::Finding,
};
use std::collections::HashSet;

/// The most events of a batch.
const MAX_EVENTS: usize = 1000;
/// How many events are on their way to the database at once.
const AT_ONCE: usize = 64;

pub(super) async fn send(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    request: Request,
) -> ApiResult<(StatusCode, Json<BatchAnswer>)> {
    let bytes = body::read_bytes(request, &state).await?;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let values = if kind.contains("ndjson") { lines(&bytes) } else { list(&bytes)? };
    if values.len() > MAX_EVENTS {
        let detail = format!("A batch has at most {MAX_EVENTS} events; this has {}.", values.len());
        return Err(ApiError::new(Code::BatchTooLarge, detail));
    }
    let key = headers.get(KEY).and_then(|key| key.to_str().ok());
    let may_hold_zero = body::may_hold_zero(&bytes);
    let read = values.into_iter().enumerate().map(|(n, value)| {
        let value = value?;
        if may_hold_zero {
            body::refuse_zero_in(&value).map_err(|error| placed(n, error))?;
        }
        let mut new = parse(n, value)?;
        // Events without ids of their own have the request's, so that it can be sent again.
        if let (None, Some(key)) = (&new.id, key) {
            new.id = Some(format!("{key}:{n}"));
        }
        read_event(&caller, &HeaderMap::new(), new).map_err(|error| placed(n, error))
    });
    let read: Vec<Result<Incoming, ApiError>> = read.collect();
    let items = take_all(&state, &caller, read).await;
    Ok((StatusCode::ACCEPTED, Json(BatchAnswer { items })))
}

/// The events of a JSON array.
fn list(bytes: &[u8]) -> ApiResult<Vec<ApiResult<Value>>> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Array(list)) => Ok(list.into_iter().map(Ok).collect()),
        Ok(_) => Err(ApiError::new(
            Code::BodyUnreadable,
            "The body must be an array of events, or one event a line as application/x-ndjson.",
        )),
        Err(error) => Err(ApiError::new(Code::BodyUnreadable, format!("The body can't be read: {error}."))),
    }
}

/// The events of NDJSON: one a line, and one that can't be read spoils no other.
fn lines(bytes: &[u8]) -> Vec<ApiResult<Value>> {
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    lines
        .enumerate()
        .map(|(n, line)| {
            serde_json::from_slice(line).map_err(|error| {
                placed(n, ApiError::new(Code::BodyUnreadable, format!("The line can't be read: {error}.")))
            })
        })
        .collect()
}

fn parse(n: usize, value: Value) -> ApiResult<NewEvent> {
    NewEvent::deserialize(value)
        .map_err(|error| placed(n, ApiError::new(Code::BodyUnreadable, format!("The event: {error}."))))
}

/// The same problem, with the event's place in the batch.
fn placed(n: usize, error: ApiError) -> ApiError {
    let mut problem: Problem = error.into_problem();
    if problem.findings.is_empty() {
        let message = problem.detail.clone();
        problem.findings.push(Finding::error("event.bad", format!("/{n}"), message));
    }
    problem.into()
}

/// Takes them, many at once; one whose id came earlier in the batch after that one.
async fn take_all(
    state: &AppState,
    caller: &Caller,
    read: Vec<Result<Incoming, ApiError>>,
) -> Vec<BatchItem> {
    let mut seen: HashSet<EventId> = HashSet::new();
    let mut repeated = Vec::new();
    let mut first = Vec::new();
    let mut items: Vec<Option<BatchItem>> = read.iter().map(|_| None).collect();
    for (n, incoming) in read.into_iter().enumerate() {
        match incoming {
            Ok(incoming) if seen.insert(incoming.event.id.clone()) => first.push((n, incoming)),
            Ok(incoming) => repeated.push((n, incoming)),
            Err(error) => items[n] = Some(BatchItem::Refused(Box::new(error.into_problem()))),
        }
    }
    let taken =
        stream::iter(first).map(|(n, incoming)| async move { (n, take(state, caller, &incoming).await) });
    let mut taken = taken.buffer_unordered(AT_ONCE);
    while let Some((n, item)) = taken.next().await {
        items[n] = Some(item);
    }
    for (n, incoming) in repeated {
        items[n] = Some(take(state, caller, &incoming).await);
    }
    items.into_iter().flatten().collect()
}

async fn take(state: &AppState, caller: &Caller, incoming: &Incoming) -> BatchItem {
    match try_take(state, caller, incoming).await {
        Ok(accepted) => BatchItem::Taken(accepted),
        Err(error) => BatchItem::Refused(Box::new(error.into_problem())),
    }
}

async fn try_take(state: &AppState, caller: &Caller, incoming: &Incoming) -> ApiResult<EventAccepted> {
    let event_id = incoming.event.id.clone();
    let (duplicate, runs) = match state.engine.intake(caller.workspace, incoming).await? {
        Accepted::New(begun) => (false, begun.into_iter().map(|run| started(run.standing)).collect()),
        Accepted::Duplicate => (true, look(state, caller, &event_id).await?),
    };
    Ok(EventAccepted { event_id, duplicate, runs })
}
