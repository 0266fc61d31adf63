//! A decision that a form brings.

use super::{
    approval::{Shown, field_name, read, show_card, shown_name},
    form::Form,
    rendered::{PageError, private},
    visitor::Visitor,
};
use crate::{
    approvals::{self, DecideError},
    http::{
        AppState, body, idempotency,
        problem::{ApiError, ApiResult},
    },
};
use axum::{
    extract::{Path, Request, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use serde_json::{Map, Value, json};
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
        let error = ApiError::new(Code::FieldBad, "Press one of the buttons.");
        return refused_card(&state, &visitor, &id, &form, typed, error).await;
    };
    let is_edit = verb == Verb::Approve && !typed.is_empty();
    // Held against the same rules as a decision by the API.
    let sent = json!({
        "decision": if is_edit { Verb::ApproveWithEdits } else { verb }, "level": form.some("level"),
        "comment": form.some("comment"), "edits": is_edit.then_some(&typed), "seen": form.some("seen"),
    });
    let decided = match (body::of_value::<NewDecision>(sent), key(&form)) {
        (Ok(new), Ok(key)) => carried_through(&state, &visitor, before.approval_id, new, key).await?,
        (Err(error), _) | (_, Err(error)) => Err(error),
    };
    match decided {
        Ok(()) => Ok(private(Redirect::to(&format!("/a/{id}?done=1")).into_response())),
        Err(error) => refused_card(&state, &visitor, &id, &form, typed, error).await,
    }
}

/// The card with why a decision wasn't taken, and what was written.
async fn refused_card(
    state: &AppState,
    visitor: &Visitor,
    id: &str,
    form: &Form,
    typed: Map<String, Value>,
    error: ApiError,
) -> Result<Response, PageError> {
    let problem = error.into_problem();
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if status.is_server_error() || status == StatusCode::NOT_FOUND {
        return Err(PageError::from(problem));
    }
    let changes = changes_of(&problem);
    // Whoever was told what changed reads it now; before that, the form stays one of what was read.
    let is_changed = problem.code == Code::ApprovalChanged.as_str();
    let seen = form.some("seen").filter(|_| !is_changed);
    let told = if changes.is_empty() {
        problem.detail
    } else {
        // The sentences stand below it as a list.
        "What is asked has changed since you read it. Look at it again.".to_owned()
    };
    let comment = form.text("comment");
    let shown = Shown { status, problem: Some(told), changes, note: false, comment, typed, seen };
    show_card(state, visitor, id, shown).await
}

/// The key under which a form decides once.
fn key(form: &Form) -> ApiResult<Option<String>> {
    form.some("key").map(|key| idempotency::checked_key(key.as_bytes())).transpose()
}

/// A decision is carried through, also where the browser goes away.
async fn carried_through(
    state: &AppState,
    visitor: &Visitor,
    id: ApprovalId,
    new: NewDecision,
    key: Option<String>,
) -> Result<ApiResult<()>, PageError> {
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
        Ok(decided) => Ok(decided.map(drop).map_err(ApiError::from)),
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(ApiError::new(Code::Internal, "The server is stopping.").into()),
    }
}

fn verb(text: &str) -> Option<Verb> {
    serde_json::from_value(Value::String(text.to_owned())).ok()
}

/// What was written into the request's own fields: those that differ from what the page showed in them. A browser sends all of
/// them, so that what a colleague changed meanwhile isn't an edit of whoever only presses a button.
fn typed(approval: &Approval, form: &Form) -> Map<String, Value> {
    let own = approval.form.iter().filter_map(|shown| {
        let name = &shown.field.name;
        let text = form.lines(&field_name(name));
        let is_touched = form.has(&field_name(name)) && text != form.lines(&shown_name(name));
        is_touched.then(|| (name.clone(), typed_value(shown, &text)))
    });
    own.collect()
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
