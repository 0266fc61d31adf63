//! A person starts a run, with an input that fits the workflow's form.

use super::find;
use crate::{
    audit,
    auth::Principal,
    engine::{Accepted, Incoming, Starts},
    http::{
        AppState,
        body::{self, Body},
        idempotency::IdempotencyKey,
        params::Path,
        problem::{ApiError, ApiResult},
    },
    store::{self, executions},
};
use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Map, Value, json};
use shared_types::{
    api::{
        executions::Execution,
        problem::{Code, Problem},
        workflows::ManualStart,
    },
    ids::{EventId, WorkflowId},
    machine::Event,
    workflow::{Finding, approval::FormField, document::Trigger, finding::escape_segment},
};
use std::sync::Arc;

/// Holds an input against a form.
fn fits(form: &[FormField], input: &Map<String, Value>) -> ApiResult<()> {
    let faults = FormField::faults(form, input);
    let findings: Vec<Finding> = faults
        .iter()
        .map(|fault| {
            let pointer = format!("/input/{}", escape_segment(&fault.field));
            Finding::error("field.bad", pointer, fault.to_string())
        })
        .collect();
    match findings.first() {
        Some(first) => {
            Err(Problem::new(Code::InputBad, first.message.clone()).with_findings(findings).into())
        }
        None => Ok(()),
    }
}

pub(in crate::http) async fn start(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<WorkflowId>,
    claim: IdempotencyKey,
    Body(start): Body<ManualStart>,
) -> ApiResult<(StatusCode, Json<Execution>)> {
    let stored = find(&state, &principal, &id, None).await?;
    let trigger = stored.document.get("trigger").cloned().unwrap_or_default();
    let trigger: Trigger = store::read("workflow_revisions", "document", trigger)?;
    let Trigger::Manual { form } = &trigger else {
        return Err(ApiError::new(
            Code::WorkflowNotManual,
            "The workflow's trigger isn't `manual`, so it can't be started by hand.",
        ));
    };
    body::check_depth(&start.input, "/input")?;
    fits(form, &start.input)?;
    let event = Event {
        kind: "manual".to_owned(),
        // The same request has the same event, and an event starts nothing twice.
        id: EventId(format!(
            "manual:{}",
            claim.stable_id().unwrap_or_else(|| state.clock.new_id().to_string())
        )),
        source: None,
        time: state.clock.now(),
        requester: Some(principal.requester()),
        payload: start.input,
    };
    let event_id = event.id.clone();
    let incoming = Incoming {
        event: Arc::new(event),
        content_hash: claim.request_hash(),
        starts: Starts::Only(id.clone()),
        audit: Some(audit::entry(
            &state.clock,
            &principal,
            "execution.started",
            "",
            json!({ "workflow_id": id }),
        )),
    };
    let run = match state.engine.intake(principal.workspace, &incoming).await? {
        Accepted::New(mut runs) => runs.pop().map(|run| run.summary.execution),
        Accepted::Duplicate => {
            let mut conn = state.pool.acquire().await?;
            executions::started_by(&mut conn, principal.workspace, &event_id).await?.pop()
        }
    };
    Ok((StatusCode::CREATED, Json(run.ok_or_else(ApiError::not_found)?)))
}
