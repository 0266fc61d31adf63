//! A decision that a form brings.

use super::{
    approval::{Shown, field_name, read, show_card},
    form::Form,
    rendered::{PageError, private},
    visitor::Visitor,
};
use crate::{
    approvals::{self, DecideError},
    http::{AppState, problem::ApiError},
    store::approvals::StoredApproval,
};
use axum::{
    extract::{Path, Request, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use serde_json::{Map, Value};
use shared_types::{
    api::{
        Endpoint as _,
        approvals::{Approval, ApprovalField, Decide, NewDecision},
        problem::{Code, Problem},
    },
    card::words::{label, value},
    ids::ApprovalId,
    workflow::approval::{FieldKind, Verb},
};
use tracing::Instrument as _;

pub(super) async fn decide(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, PageError> {
    let form = Form::read(&state, Some(&visitor.cookie), request).await?;
    visitor.needs(Decide::ACCESS)?;
    let before = read(&state, &visitor, &id).await?;
    let typed = typed(&before, &form);
    let Some(verb) = verb(form.text("decision")) else {
        let shown = Shown { comment: form.text("comment"), typed, ..refused("Press one of the buttons.") };
        return show_card(&state, &visitor, &id, shown).await;
    };
    let edits = changed(&before, &typed);
    let is_edit = verb == Verb::Approve && !edits.is_empty();
    let new = NewDecision {
        decision: if is_edit { Verb::ApproveWithEdits } else { verb },
        level: form.some("level"),
        comment: form.some("comment"),
        edits: is_edit.then_some(edits),
        seen: form.some("seen"),
        decided_at: None,
    };
    match carried_through(&state, &visitor, before.approval_id, new, form.some("key")).await? {
        Ok(_) => Ok(private(Redirect::to(&format!("/a/{id}?done=1")).into_response())),
        Err(error) => {
            let problem = ApiError::from(error).into_problem();
            let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            if status.is_server_error() || status == StatusCode::NOT_FOUND {
                return Err(PageError::from(problem));
            }
            let changes = changes_of(&problem);
            // The sentences stand below it as a list.
            let told = if changes.is_empty() {
                problem.detail
            } else {
                "What is asked has changed since you read it. Look at it again.".to_owned()
            };
            let comment = form.text("comment");
            let shown = Shown { status, problem: Some(told), changes, note: None, comment, typed };
            show_card(&state, &visitor, &id, shown).await
        }
    }
}

/// A decision is carried through, also where the browser goes away.
async fn carried_through(
    state: &AppState,
    visitor: &Visitor,
    id: ApprovalId,
    new: NewDecision,
    key: Option<String>,
) -> Result<Result<StoredApproval, DecideError>, PageError> {
    let (state, principal) = (state.clone(), visitor.principal.clone());
    let decided = tokio::spawn(
        async move {
            let Some(person) = principal.person() else { return Err(DecideError::NotFound) };
            let parts = (&state.pool, &state.clock, &state.engine);
            approvals::decide(parts, &principal, person, id, &new, key).await
        }
        .in_current_span(),
    );
    match decided.await {
        Ok(decided) => Ok(decided),
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(ApiError::new(Code::Internal, "The server is stopping.").into()),
    }
}

fn refused(why: &str) -> Shown<'static> {
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    Shown { status, problem: Some(why.to_owned()), ..Shown::default() }
}

fn verb(text: &str) -> Option<Verb> {
    serde_json::from_value(Value::String(text.to_owned())).ok()
}

/// What the form holds of the request's own fields.
fn typed(approval: &Approval, form: &Form) -> Map<String, Value> {
    let own = approval.form.iter().filter(|shown| form.has(&field_name(&shown.field.name)));
    own.map(|shown| (shown.field.name.clone(), typed_value(shown, form.text(&field_name(&shown.field.name)))))
        .collect()
}

fn typed_value(shown: &ApprovalField, text: &str) -> Value {
    match shown.field.kind {
        FieldKind::Choice => {
            let chosen = text.parse().ok().and_then(|n: usize| shown.field.choices.get(n));
            chosen.cloned().unwrap_or_default()
        }
        kind @ (FieldKind::Text | FieldKind::Number | FieldKind::Boolean | FieldKind::Date) => {
            kind.typed(text)
        }
    }
}

/// The fields that hold something else than before.
fn changed(approval: &Approval, typed: &Map<String, Value>) -> Map<String, Value> {
    let held = |name: &str| {
        approval.form.iter().find(|shown| shown.field.name == name).map(|shown| shown.value.clone())
    };
    let changed = typed.iter().filter(|(name, value)| held(name).as_ref() != Some(*value));
    changed.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// What became different of a request since it was read, as sentences.
fn changes_of(problem: &Problem) -> Vec<String> {
    let changes =
        problem.more.get("changes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let sentence = |change: &Value| {
        let name = change["pointer"].as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default();
        format!("{}: {}, before {}", label(name), value(&change["to"]), value(&change["from"]))
    };
    changes.iter().map(sentence).collect()
}
