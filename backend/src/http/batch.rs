//! Many events in one request: each is taken or refused for itself, and answered in its place.

use super::{
    AppState, body,
    events::{look, read_event, started},
    idempotency,
    media::MediaType,
    problem::{ApiError, ApiResult},
};
use crate::{
    auth::Principal,
    engine::{Accepted, Incoming},
};
use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
};
use futures_util::{StreamExt as _, stream};
use serde_json::Value;
use shared_types::{
    api::{
        events::{BatchAnswer, BatchItem, EventAccepted, NewEvent},
        problem::{Code, Problem},
        reading,
    },
    ids::EventId,
    workflow::Finding,
};
use std::collections::BTreeMap;

/// The most events of a batch.
const MAX_EVENTS: usize = 1000;
/// How many events are on their way to the database at once.
const AT_ONCE: usize = 64;

pub(super) async fn send(
    State(state): State<AppState>,
    principal: Principal,
    headers: HeaderMap,
    request: Request,
) -> ApiResult<(StatusCode, Json<BatchAnswer>)> {
    let key = idempotency::key(&headers)?;
    let media = MediaType::of(&headers);
    let bytes = body::read_bytes(request, &state).await?;
    let values = match media {
        MediaType::NdJson => lines(&bytes),
        MediaType::Json | MediaType::Unnamed => list(&bytes)?,
        MediaType::Yaml | MediaType::Other(_) => {
            return Err(
                media.refused("an array as application/json, or one event a line as application/x-ndjson")
            );
        }
    };
    if values.len() > MAX_EVENTS {
        let detail = format!("A batch has at most {MAX_EVENTS} events; this has {}.", values.len());
        return Err(ApiError::new(Code::BatchTooLarge, detail));
    }
    let read = values.into_iter().enumerate().map(|(n, value)| {
        let read =
            value.and_then(|value| reading::read::<NewEvent>(value).map_err(body::refused)).and_then(|new| {
                // Events without ids of their own have the request's, so that it can be sent again.
                let key = key.as_ref().filter(|_| new.id.is_none()).map(|key| format!("{key}:{n}"));
                read_event(&state.clock, &principal, key, new)
            });
        read.map_err(|error| placed(n, error))
    });
    let read: Vec<Result<Incoming, ApiError>> = read.collect();
    let items = take_all(&state, &principal, read).await;
    Ok((StatusCode::ACCEPTED, Json(BatchAnswer { items })))
}

/// The events of a JSON array.
fn list(bytes: &[u8]) -> ApiResult<Vec<ApiResult<Value>>> {
    match body::json(bytes)? {
        Value::Array(list) => Ok(list.into_iter().map(Ok).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            Err(ApiError::new(
                Code::BodyUnreadable,
                "The body must be an array of events, or one event a line as application/x-ndjson.",
            ))
        }
    }
}

/// The events of NDJSON: one a line, and one that can't be read spoils no other.
fn lines(bytes: &[u8]) -> Vec<ApiResult<Value>> {
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    lines.map(body::json).collect()
}

/// The same problem, with each place in the batch instead of in the event.
fn placed(n: usize, error: ApiError) -> ApiError {
    let mut problem: Problem = error.into_problem();
    for finding in &mut problem.findings {
        finding.pointer = format!("/{n}{}", finding.pointer);
    }
    let message = problem.detail.clone();
    problem.findings.insert(0, Finding::error("event.bad", format!("/{n}"), message));
    problem.into()
}

/// Takes them, many at once; those that share an id one after the other.
async fn take_all(
    state: &AppState,
    principal: &Principal,
    read: Vec<Result<Incoming, ApiError>>,
) -> Vec<BatchItem> {
    let mut by_id: BTreeMap<EventId, Vec<(usize, Incoming)>> = BTreeMap::new();
    let mut items: Vec<Option<BatchItem>> = read.iter().map(|_| None).collect();
    for (n, incoming) in read.into_iter().enumerate() {
        match incoming {
            Ok(incoming) => by_id.entry(incoming.event.id.clone()).or_default().push((n, incoming)),
            Err(error) => items[n] = Some(refusal(error)),
        }
    }
    let mut groups: Vec<Vec<(usize, Incoming)>> = by_id.into_values().collect();
    // What came first in the batch is taken first, as far as events beside each other have an order.
    groups.sort_by_key(|group| group.first().map(|(n, _)| *n));
    let answers = stream::iter(groups).map(|group| take_group(state, principal, group));
    let mut answers = answers.buffer_unordered(AT_ONCE);
    while let Some(group) = answers.next().await {
        for (n, item) in group {
            items[n] = Some(item);
        }
    }
    items.into_iter().flatten().collect()
}

/// Takes the events of one id in their order. Once the id is taken, all others are answered from memory: the same
/// content is a duplicate of it, and other content is refused, as the database would have it.
async fn take_group(
    state: &AppState,
    principal: &Principal,
    group: Vec<(usize, Incoming)>,
) -> Vec<(usize, BatchItem)> {
    let mut items = Vec::with_capacity(group.len());
    let mut previous: Option<(Vec<u8>, EventAccepted)> = None;
    let mut refused: BTreeMap<Vec<u8>, Problem> = BTreeMap::new();
    for (n, incoming) in group {
        if let Some((hash, accepted)) = &previous {
            items.push((n, answer_again(*hash == incoming.content_hash, accepted)));
            continue;
        }
        if let Some(problem) = refused.get(&incoming.content_hash) {
            items.push((n, BatchItem::Refused(Box::new(problem.clone()))));
            continue;
        }
        match take(state, principal, &incoming).await {
            Ok(accepted) => {
                items.push((n, BatchItem::Taken(accepted.clone())));
                previous = Some((incoming.content_hash, EventAccepted { duplicate: true, ..accepted }));
            }
            Err(error) => {
                let problem = error.into_problem();
                items.push((n, BatchItem::Refused(Box::new(problem.clone()))));
                refused.insert(incoming.content_hash, problem);
            }
        }
    }
    items
}

fn answer_again(is_same: bool, accepted: &EventAccepted) -> BatchItem {
    if is_same {
        BatchItem::Taken(accepted.clone())
    } else {
        refusal(crate::engine::IntakeError::IdReused.into())
    }
}

fn refusal(error: ApiError) -> BatchItem {
    BatchItem::Refused(Box::new(error.into_problem()))
}

async fn take(state: &AppState, principal: &Principal, incoming: &Incoming) -> ApiResult<EventAccepted> {
    let event_id = incoming.event.id.clone();
    let (duplicate, runs) = match state.engine.intake(principal.workspace, incoming).await? {
        Accepted::New(begun) => (false, begun.into_iter().map(|run| started(run.summary)).collect()),
        Accepted::Duplicate => (true, look(state, principal, &event_id).await?),
    };
    Ok(EventAccepted { event_id, duplicate, runs })
}
