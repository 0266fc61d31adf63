//! Events: what other systems tell.

use super::{
    AppState,
    body::{self, Body},
    idempotency,
    params::Query,
    problem::{ApiError, ApiResult},
};
use crate::{
    auth::{Principal, Who},
    clock::Clock,
    engine::{Accepted, AcceptedRun, Incoming, RunSummary, Starts},
    store::{approvals, executions},
};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use sha2::{Digest, Sha256};
use shared_types::{
    api::{
        events::{EventAccepted, NewEvent, StartedRun, WaitQuery},
        problem::Code,
    },
    email,
    email::EmailAddress,
    ids::EventId,
    machine::{Event, RunStatus},
    requester::{Requester, RequesterKind},
    workflow::{Span, check::is_own_event},
};
use std::{sync::Arc, time::Duration};

/// The longest wait.
const MAX_WAIT: Duration = Duration::from_mins(1);

pub(super) async fn send(
    State(state): State<AppState>,
    principal: Principal,
    headers: HeaderMap,
    Query(query): Query<WaitQuery>,
    Body(new): Body<NewEvent>,
) -> ApiResult<(StatusCode, Json<EventAccepted>)> {
    let wait = query.wait.as_deref().map(read_wait).transpose()?;
    let incoming = read_event(&state.clock, &principal, idempotency::key(&headers)?, new)?;
    let accepted = state.engine.intake(principal.workspace, &incoming).await?;
    let event_id = incoming.event.id.clone();
    let mut watches = Vec::new();
    let (duplicate, mut runs) = match accepted {
        Accepted::New(begun) => {
            let runs = begun.into_iter().map(|AcceptedRun { summary: standing, watch }| {
                watches.extend(watch);
                started(standing)
            });
            (false, runs.collect())
        }
        Accepted::Duplicate => {
            let mut runs = Box::pin(look(&state, &principal, &event_id)).await?;
            let is_running = |run: &&StartedRun| run.status == RunStatus::Running;
            let ids = runs.iter().filter(is_running).map(|run| run.execution_id);
            watches.extend(ids.map(|id| state.engine.watch(principal.workspace, id)));
            if wait.is_some() && !watches.is_empty() {
                // A run may have settled before it was watched.
                runs = Box::pin(look(&state, &principal, &event_id)).await?;
            }
            (true, runs)
        }
    };
    if let Some(wait) = wait {
        let mut settling: FuturesUnordered<_> =
            watches.iter_mut().map(async |watch| (watch.id(), watch.settled().await)).collect();
        let all_settled = async {
            while let Some((id, summary)) = settling.next().await {
                let run = runs.iter_mut().find(|run| run.execution_id == id);
                if let (Some(run), Some(summary)) = (run, summary) {
                    *run = started(summary);
                }
            }
        };
        // What has settled by then is answered; the rest is still running.
        let _ = tokio::time::timeout(wait, all_settled).await;
    }
    let settled = runs.iter().all(|run| run.status != RunStatus::Running);
    let status = if wait.is_some() && settled { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(EventAccepted { event_id, duplicate, runs })))
}

/// What the ids of events begin with that the server itself makes of due times and of webhooks' messages: a sender
/// that took one first would keep that from starting.
const OWN_IDS: [&str; 2] = ["schedule:", "webhook:"];

fn read_wait(text: &str) -> ApiResult<Duration> {
    let span: Span =
        text.parse().map_err(|error| ApiError::new(Code::QueryUnreadable, format!("`wait`: {error}.")))?;
    Ok(span.duration().to_std().unwrap_or_default().min(MAX_WAIT))
}

/// Reads an event that was sent, whose `Idempotency-Key` is another spelling of its id.
pub(super) fn read_event(
    clock: &Clock,
    principal: &Principal,
    key: Option<String>,
    new: NewEvent,
) -> ApiResult<Incoming> {
    if new.kind.contains(char::is_whitespace) {
        let detail = format!("`type` is \"{}\"; it must have no spaces, such as order.created.", new.kind);
        return Err(ApiError::new(Code::FieldBad, detail));
    }
    body::check_depth(&new.payload, "/payload")?;
    if is_own_event(&new.kind) {
        let detail = format!("{} is a type that only the server itself publishes; take another.", new.kind);
        return Err(ApiError::new(Code::EventReserved, detail));
    }
    let id = match (new.id.clone(), key) {
        (Some(id), Some(key)) if id != key => {
            return Err(ApiError::new(
                Code::EventIdTwice,
                "`id` and Idempotency-Key both give the event's id, but they differ.",
            ));
        }
        (Some(id), _) | (None, Some(id)) => id,
        (None, None) => clock.new_id().to_string(),
    };
    if let Some(own) = OWN_IDS.iter().find(|own| id.starts_with(**own)) {
        let detail = format!("`id` must not begin with `{own}`: those ids are the server's own.");
        return Err(ApiError::new(Code::FieldBad, detail));
    }
    let requester = requester(principal, new.requester.as_deref())?;
    let content = (&new.kind, &new.source, &new.requester, &new.time, &new.payload);
    let content =
        serde_json::to_vec(&content).map_err(|error| ApiError::new(Code::Internal, error.to_string()))?;
    let content_hash = Sha256::digest(&content).to_vec();
    let event = Event {
        kind: new.kind,
        id: EventId(id),
        source: new.source,
        time: new.time.unwrap_or_else(|| clock.now()),
        requester: Some(requester),
        payload: new.payload,
    };
    let starts = match &principal.who {
        Who::Key(key) => key.workflows.clone().map_or(Starts::Listening, Starts::ListeningOf),
        Who::Person(_) => Starts::Listening,
    };
    Ok(Incoming { event: Arc::new(event), content_hash, starts, audit: None })
}

/// A person's event is theirs; a key's may name somebody by address.
fn requester(principal: &Principal, named: Option<&str>) -> ApiResult<Requester> {
    let Some(named) = named else { return Ok(principal.requester()) };
    match &principal.who {
        Who::Person(person) if email::is_same(named, &person.email) => Ok(principal.requester()),
        Who::Person(_) => {
            Err(ApiError::new(Code::RequesterBad, "`requester` is whoever is signed in; leave it out."))
        }
        Who::Key(_) => {
            let address: EmailAddress = named
                .parse()
                .map_err(|error| ApiError::new(Code::RequesterBad, format!("`requester`: {error}.")))?;
            let email = address.to_string();
            Ok(Requester { kind: RequesterKind::Person, name: email.clone(), email: Some(email) })
        }
    }
}

pub(super) fn started(RunSummary { execution: run, open_request }: RunSummary) -> StartedRun {
    StartedRun {
        execution_id: run.execution_id,
        workflow_id: run.workflow_id,
        status: run.status,
        result: run.result,
        reason: run.reason,
        approval_id: open_request,
    }
}

/// The runs that an event started, as they stand.
pub(super) async fn look(
    state: &AppState,
    principal: &Principal,
    event: &EventId,
) -> ApiResult<Vec<StartedRun>> {
    let mut conn = state.pool.acquire().await?;
    let mut runs = executions::started_by(&mut conn, principal.workspace, event).await?;
    // A key for some workflows isn't told of the runs of others.
    runs.retain(|run| principal.may_touch(&run.workflow_id));
    let ids: Vec<_> = runs.iter().map(|run| run.execution_id).collect();
    let open = approvals::open_of(&mut conn, principal.workspace, &ids).await?;
    let started = runs.into_iter().map(|run| StartedRun {
        approval_id: open.get(&run.execution_id).copied(),
        execution_id: run.execution_id,
        workflow_id: run.workflow_id,
        status: run.status,
        result: run.result,
        reason: run.reason,
    });
    Ok(started.collect())
}
