//! What waits for somebody, and the card of one request. Looking at them changes nothing.

use super::{
    form::parameter,
    rendered::{PageError, page},
    visitor::Visitor,
};
use crate::{
    approvals,
    auth::page_session::fresh_token,
    http::{AppState, problem::ApiError},
};
use askama::Template;
use axum::{
    extract::{Path, State},
    http::{StatusCode, Uri},
    response::Response,
};
use chrono::NaiveDate;
use serde_json::{Map, Value};
use shared_types::{
    api::{
        Endpoint as _,
        approvals::{Approval, ApprovalField, ApprovalQuery, GetApproval, ListApprovals, Scope, Sort},
    },
    approval::decision::RequestStatus,
    card::{
        Card,
        words::{self, label, moment, question},
    },
    email,
    ids::ApprovalId,
    workflow::{
        approval::{FieldKind, Verb},
        evaluate::equal,
        template::as_text,
    },
};

/// How many requests the list shows.
const MAX_LISTED: usize = 50;

#[derive(Template)]
#[template(path = "waiting.html")]
struct Waiting<'a> {
    form_token: String,
    name: &'a str,
    requests: Vec<Row>,
    are_more: bool,
}

/// A request in the list.
struct Row {
    id: ApprovalId,
    question: String,
    workflow: String,
    deadline: Option<String>,
}

/// The page of a request.
#[derive(Template)]
#[template(path = "approval.html")]
struct CardPage<'a> {
    form_token: String,
    name: &'a str,
    card: Card,
    /// The colour of the outcome.
    tone: &'static str,
    deadline: Option<Moment>,
    stuck: Option<String>,
    cannot_because: Option<String>,
    /// What became of the form that was sent.
    problem: Option<String>,
    changes: Vec<String>,
    note: Option<&'static str>,
    key: String,
    seen: String,
    level: Option<String>,
    fields: Vec<Field>,
    takes_comment: bool,
    comment: &'a str,
    verbs: Vec<Button>,
}

/// A time for people and for programs.
struct Moment {
    machine: String,
    words: String,
}

/// A field of the request's form.
struct Field {
    id: String,
    name: String,
    label: String,
    required: bool,
    control: Control,
    /// What it holds.
    text: String,
    /// What is sent by a form that leaves it as it is.
    untouched: String,
    /// The name of that.
    untouched_name: String,
}

/// How a field is filled in.
enum Control {
    /// By one of these.
    Choice(Vec<Choice>),
    /// By an `input` of this type, for a keyboard of this kind.
    Input(&'static str, &'static str),
    /// By lines of text.
    Lines,
}

struct Choice {
    value: String,
    label: String,
    is_held: bool,
}

/// A button that decides.
struct Button {
    value: &'static str,
    label: &'static str,
    class: &'static str,
}

pub(super) async fn waiting(State(state): State<AppState>, visitor: Visitor) -> Result<Response, PageError> {
    visitor.needs(ListApprovals::ACCESS)?;
    let query = ApprovalQuery { scope: Some(Scope::Mine), sort: Some(Sort::Deadline), ..Default::default() };
    let parts = (&state.pool, &state.clock);
    let most = i64::try_from(MAX_LISTED).unwrap_or(i64::MAX);
    let found = approvals::list(parts, &visitor.principal, &query, None, most + 1).await?;
    let mut items = approvals::views(parts, &visitor.principal, found.items).await?;
    let are_more = items.len() > MAX_LISTED;
    items.truncate(MAX_LISTED);
    let requests = items.into_iter().map(|approval| Row {
        id: approval.approval_id,
        question: question(&approval),
        deadline: approval.expires_at.map(moment),
        workflow: approval.workflow_name,
    });
    let shown = Waiting {
        form_token: state.page_sessions.form_token(&visitor.cookie),
        name: visitor.name(),
        requests: requests.collect(),
        are_more,
    };
    Ok(page(StatusCode::OK, &shown))
}

pub(super) async fn show(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, PageError> {
    visitor.needs(GetApproval::ACCESS)?;
    let note = parameter(&uri, "done").is_some();
    show_card(&state, &visitor, &id, Shown { note, ..Shown::default() }).await
}

/// What a card shows besides the request: what came of the form that was sent, and what was written into it.
#[derive(Debug, Default)]
pub(super) struct Shown<'a> {
    pub(super) status: StatusCode,
    pub(super) problem: Option<String>,
    pub(super) changes: Vec<String>,
    /// Whether it says that their answer is recorded, where one is.
    pub(super) note: bool,
    pub(super) comment: &'a str,
    /// What was written into the form.
    pub(super) typed: Map<String, Value>,
    /// What was read when it was written, where that isn't what is shown now.
    pub(super) seen: Option<String>,
}

/// The request as its visitor sees it.
pub(super) async fn read(state: &AppState, visitor: &Visitor, id: &str) -> Result<Approval, PageError> {
    let id: ApprovalId = id.parse().map_err(|_| ApiError::not_found())?;
    let stored = approvals::find(&state.pool, &visitor.principal, id).await?;
    let stored = stored.ok_or_else(ApiError::not_found)?;
    let mut views = approvals::views((&state.pool, &state.clock), &visitor.principal, vec![stored]).await?;
    Ok(views.pop().ok_or_else(ApiError::not_found)?)
}

/// The card of a request.
pub(super) async fn show_card(
    state: &AppState,
    visitor: &Visitor,
    id: &str,
    shown: Shown<'_>,
) -> Result<Response, PageError> {
    let approval = read(state, visitor, id).await?;
    let card = Card::of(&approval);
    let is_open = approval.status == RequestStatus::Pending;
    let may = approval.you.as_ref().map(|you| you.may.as_slice()).unwrap_or_default();
    let decides = may.iter().any(|verb| verb.verdict().is_some());
    let fields = if may.contains(&Verb::ApproveWithEdits) { approval.form.as_slice() } else { &[] };
    let shown_card = CardPage {
        form_token: state.page_sessions.form_token(&visitor.cookie),
        name: visitor.name(),
        tone: tone(approval.status),
        deadline: card
            .deadline
            .map(|at| Moment { machine: at.format("%Y-%m-%dT%H:%MZ").to_string(), words: moment(at) }),
        stuck: approval.stuck.clone(),
        cannot_because: approval.cannot_because.clone().filter(|_| is_open && !decides),
        problem: shown.problem,
        changes: shown.changes,
        note: (shown.note && has_answered(&approval, visitor)).then_some("Your answer is recorded."),
        key: fresh_token(),
        seen: shown.seen.unwrap_or_else(|| approval.seen.clone()),
        level: approval.you.as_ref().and_then(|you| you.level.clone()),
        fields: fields.iter().map(|shown_field| field(shown_field, &shown.typed)).collect(),
        takes_comment: decides,
        comment: shown.comment,
        verbs: buttons(may),
        card,
    };
    Ok(page(shown.status, &shown_card))
}

/// Whether a decision of the visitor stands.
fn has_answered(approval: &Approval, visitor: &Visitor) -> bool {
    let own = visitor.principal.person().map_or("", |person| person.email.as_str());
    let mut made = approval.levels.iter().flat_map(|level| &level.decisions);
    made.any(|made| made.retracted_at.is_none() && email::is_same(&made.by, own))
}

fn tone(status: RequestStatus) -> &'static str {
    match status {
        RequestStatus::Approved => "ok",
        RequestStatus::Rejected | RequestStatus::ChangesRequested => "bad",
        RequestStatus::Expired => "wait",
        RequestStatus::Pending | RequestStatus::Withdrawn => "",
    }
}

/// Where edits are allowed, the one button approves with what the form holds.
fn buttons(may: &[Verb]) -> Vec<Button> {
    let shown = may.iter().filter_map(|verb| match verb {
        Verb::Approve => Some(Button { value: "approve", label: "Approve", class: "primary" }),
        Verb::Reject => Some(Button { value: "reject", label: "Reject", class: "danger" }),
        Verb::RequestChanges => {
            Some(Button { value: "request_changes", label: "Request changes", class: "" })
        }
        Verb::Retract => Some(Button { value: "retract", label: "Take back", class: "" }),
        // It is an approval of a form that was changed.
        Verb::ApproveWithEdits => None,
    });
    shown.collect()
}

/// The name of a field of the request in the form, so that none can have that of one of ours.
pub(super) fn field_name(name: &str) -> String {
    format!("field.{name}")
}

/// The name under which the form says what the page showed in a field.
pub(super) fn shown_name(name: &str) -> String {
    format!("shown.{name}")
}

fn field(shown: &ApprovalField, typed: &Map<String, Value>) -> Field {
    let held = typed.get(&shown.field.name).unwrap_or(&shown.value);
    let choices = choices(shown);
    let text_of = |value: &Value| match &choices {
        Some(choices) => {
            let chosen = choices.iter().find(|(_, choice)| equal(choice, value));
            chosen.map(|(sent, _)| sent.clone()).unwrap_or_default()
        }
        None if value.is_null() => String::new(),
        None => as_text(value),
    };
    let (text, untouched) = (text_of(held), text_of(&shown.value));
    let control = match &choices {
        Some(choices) => Control::Choice(
            choices
                .iter()
                .map(|(sent, choice)| Choice {
                    label: words::value(choice),
                    is_held: *sent == text,
                    value: sent.clone(),
                })
                .collect(),
        ),
        None => written(shown.field.kind, &text),
    };
    Field {
        id: format!("field-{}", shown.field.name),
        name: field_name(&shown.field.name),
        untouched_name: shown_name(&shown.field.name),
        label: label(&shown.field.name),
        required: shown.field.required,
        control,
        text,
        untouched,
    }
}

/// How a field is filled in that nothing is chosen for. A browser drops what is no day, and writes numbers in a way of its own:
/// these are texts.
fn written(kind: FieldKind, text: &str) -> Control {
    match kind {
        FieldKind::Date if text.is_empty() || text.parse::<NaiveDate>().is_ok() => {
            Control::Input("date", "text")
        }
        FieldKind::Number => Control::Input("text", "decimal"),
        FieldKind::Text => Control::Lines,
        FieldKind::Date | FieldKind::Boolean | FieldKind::Choice => Control::Input("text", "text"),
    }
}

/// What can be chosen in a field, each with what is sent for it; none where it is written.
fn choices(shown: &ApprovalField) -> Option<Vec<(String, Value)>> {
    match shown.field.kind {
        FieldKind::Choice => Some(
            shown
                .field
                .choices
                .iter()
                .enumerate()
                .map(|(n, choice)| (n.to_string(), choice.clone()))
                .collect(),
        ),
        FieldKind::Boolean => Some([true, false].map(|yes| (yes.to_string(), Value::Bool(yes))).into()),
        FieldKind::Text | FieldKind::Number | FieldKind::Date => None,
    }
}
