//! Documents that are tried: checked and simulated, and nothing stored.

use super::find;
use crate::{
    auth::Caller,
    clock,
    http::{
        AppState,
        body::{self, Body, Written},
        problem::{ApiError, ApiResult},
    },
    store::{self, people, rules, secrets, workflows},
};
use axum::{Json, extract::State};
use serde_json::Value;
use shared_types::{
    api::{
        problem::{Code, Problem},
        reading,
        workflows::{Findings, SimulateRequest},
    },
    ids::WorkspaceId,
    machine::{Definition, review::review, simulate::simulate as run_simulation, supported::unsupported},
    workflow::{
        Checked, Document, Format, Severity, bounds,
        check::Around,
        script::{ScriptItem, ScriptedResponse},
    },
};
use std::{collections::BTreeSet, sync::Arc};

pub(in crate::http) async fn validate(
    State(state): State<AppState>,
    caller: Caller,
    written: Written,
) -> ApiResult<Json<Findings>> {
    let around = around(&state, caller.workspace).await?;
    let findings = review(&written.text, written.format, &around).findings;
    Ok(Json(Findings { findings }))
}

pub(in crate::http) async fn simulate(
    State(state): State<AppState>,
    caller: Caller,
    Body(request): Body<SimulateRequest>,
) -> ApiResult<Json<Value>> {
    check_depths(&request)?;
    let (text, format) = match (&request.document, &request.workflow_id) {
        (Some(Value::String(text)), None) => (text.clone(), Format::Yaml),
        (Some(document), None) => (document.to_string(), Format::Json),
        (None, Some(id)) => {
            let stored = find(&state, &caller, id, None).await?;
            (stored.source, stored.format)
        }
        (_, _) => {
            return Err(ApiError::new(Code::FieldBad, "Send `document` or `workflow_id`, one of them."));
        }
    };
    let rules = {
        let mut conn = state.pool.acquire().await?;
        rules::all(&mut conn, caller.workspace).await?
    };
    let checked = review(&text, format, &Around::Unknown);
    let document = sound(&checked)?;
    let findings = unsupported(&document);
    if !findings.is_empty() {
        let detail = "The workflow holds what this server can't run yet.";
        return Err(Problem::new(Code::WorkflowUnsupported, detail).with_findings(findings).into());
    }
    let simulation = tokio::task::spawn_blocking(move || {
        run_simulation(&Arc::new(Definition::with_rules(document, rules)), &request.event, &request.script)
    });
    let simulation = simulation.await.map_err(|error| ApiError::new(Code::Internal, error.to_string()))?;
    Ok(Json(store::json(&simulation)))
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
                let at = format!("/script/{n}/response/body");
                if let Some(below) = bounds::too_deep(body, bounds::MAX_DEPTH) {
                    return Err(body::refused(vec![reading::too_deep(&format!("{at}{below}"))]));
                }
            }
            ScriptItem::Decide { .. } | ScriptItem::Effect { .. } | ScriptItem::Advance { .. } => {}
        }
    }
    Ok(())
}

/// The document, unless it has errors.
pub(super) fn sound(checked: &Checked) -> ApiResult<Document> {
    if let (Some(document), false) = (&checked.document, checked.has_errors()) {
        Ok(document.clone())
    } else if checked.findings.iter().any(|finding| finding.code == "text.zero") {
        Err(body::refused(checked.findings.clone()))
    } else {
        let errors = checked.findings.iter().filter(|f| f.severity == Severity::Error);
        let first = errors.clone().next().map(|finding| finding.message.clone()).unwrap_or_default();
        let detail = match errors.count() {
            0 | 1 => first,
            count => format!("{first} And {} more.", count - 1),
        };
        Err(Problem::new(Code::DocumentBad, detail).with_findings(checked.findings.clone()).into())
    }
}

/// What is set up around a workspace's workflows.
pub(super) async fn around(state: &AppState, workspace: WorkspaceId) -> ApiResult<Around> {
    let mut conn = state.pool.acquire().await?;
    let roles = people::roles(&mut conn, workspace).await?;
    let secrets: BTreeSet<String> =
        secrets::names(&mut conn, workspace).await?.into_iter().map(|secret| secret.name).collect();
    let rules = rules::all(&mut conn, workspace).await?;
    let workflows = workflows::neighbours(&mut conn, workspace).await?;
    Ok(Around::Known { roles, secrets, mail: state.mail, rules, workflows, now: clock::now() })
}
