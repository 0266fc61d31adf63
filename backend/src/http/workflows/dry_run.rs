//! Documents that are tried: checked and simulated, and nothing stored.

use super::find;
use crate::{
    auth::Principal,
    http::{
        AppState,
        body::{self, Body, DocumentBody},
        problem::{ApiError, ApiResult},
    },
    publishing::require_valid,
    store::{self, calendars, rules},
};
use axum::{Json, extract::State};
use serde_json::Value;
use shared_types::{
    api::{
        problem::{Code, Problem},
        reading,
        workflows::{Findings, SimulateRequest},
    },
    machine::{
        Definition, review::review as review_by_itself, simulate::simulate as run_simulation,
        supported::unsupported,
    },
    workflow::{
        Format, bounds, calendar,
        check::Environment,
        rule::asked_rules,
        test_script::{ScriptItem, ScriptedResponse},
    },
};
use std::sync::Arc;

pub(in crate::http) async fn validate(
    State(state): State<AppState>,
    principal: Principal,
    written: DocumentBody,
) -> ApiResult<Json<Findings>> {
    let findings =
        state.publishing.review(principal.workspace, &written.text, written.format).await?.findings;
    Ok(Json(Findings { findings }))
}

pub(in crate::http) async fn simulate(
    State(state): State<AppState>,
    principal: Principal,
    Body(request): Body<SimulateRequest>,
) -> ApiResult<Json<Value>> {
    check_depths(&request)?;
    let faults = calendar::faults(&request.calendars, "/calendars");
    if !faults.is_empty() {
        let detail = "The calendars have errors; see `findings`.";
        return Err(Problem::new(Code::CalendarBad, detail).with_findings(faults).into());
    }
    let (text, format) = match (&request.document, &request.workflow_id) {
        (Some(Value::String(text)), None) => (text.clone(), Format::Yaml),
        (Some(document), None) => (document.to_string(), Format::Json),
        (None, Some(id)) => {
            let stored = find(&state, &principal, id, None).await?;
            (stored.source, stored.format)
        }
        (_, _) => {
            return Err(ApiError::new(Code::FieldBad, "Send `document` or `workflow_id`, one of them."));
        }
    };
    let reviewed = state.reviews.run(principal.workspace, move || {
        let checked = review_by_itself(&text, format, &Environment::Unknown);
        let asked =
            checked.document.as_ref().map(|document| asked_rules(document).into_keys().collect::<Vec<_>>());
        (checked, asked.unwrap_or_default())
    });
    let (checked, asked) = reviewed.await?;
    let document = require_valid(&checked)?;
    let findings = unsupported(&document);
    if !findings.is_empty() {
        let detail = "The workflow has parts that this server can't run yet.";
        return Err(Problem::new(Code::WorkflowUnsupported, detail).with_findings(findings).into());
    }
    let (definition, calendars) = {
        let mut conn = state.pool.acquire().await?;
        let definition =
            Definition::with_rules(document, rules::some(&mut conn, principal.workspace, &asked).await?);
        // The workspace's own calendars, where the caller brings none.
        let calendars = if request.calendars.is_empty() {
            calendars::named(&mut conn, principal.workspace, &definition.needs_at_start().calendars).await?
        } else {
            request.calendars.clone()
        };
        (definition, calendars)
    };
    let simulation = state.reviews.run(principal.workspace, move || {
        store::json(&run_simulation(&Arc::new(definition), &request.event, &request.script, &calendars))
    });
    Ok(Json(simulation.await?))
}

/// Refuses values of the event and the script that nest too deep.
fn check_depths(request: &SimulateRequest) -> ApiResult<()> {
    body::check_depth(&request.event.payload, "/event/payload")?;
    for (n, item) in request.script.iter().enumerate() {
        match item {
            ScriptItem::Event { event } => {
                body::check_depth(&event.payload, &format!("/script/{n}/event/payload"))?;
            }
            ScriptItem::Decide { edits: Some(edits), .. } => {
                body::check_depth(edits, &format!("/script/{n}/edits"))?;
            }
            ScriptItem::Effect { response: Some(ScriptedResponse { body: Some(body), .. }), .. } => {
                check_depth_of(body, &format!("/script/{n}/response/body"))?;
            }
            ScriptItem::Load { response: Some(response), .. } => {
                check_depth_of(response, &format!("/script/{n}/response"))?;
            }
            ScriptItem::Decide { .. }
            | ScriptItem::Away { .. }
            | ScriptItem::Delegate { .. }
            | ScriptItem::Effect { .. }
            | ScriptItem::Load { response: None, .. }
            | ScriptItem::Advance { .. } => {}
        }
    }
    Ok(())
}

fn check_depth_of(value: &Value, at: &str) -> ApiResult<()> {
    match bounds::too_deep(value, bounds::MAX_DEPTH) {
        Some(below) => Err(body::refused(vec![reading::too_deep(&format!("{at}{below}"))])),
        None => Ok(()),
    }
}
