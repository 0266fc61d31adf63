//! A decision that the server refused, on the card of its request.

use super::changes::changes;
use crate::components::icon::{Glyph, Icon};
use shared_types::{
    api::problem::{Code, Problem},
    approval::progress::FieldChange,
    desktop::{QueuedDecision, QueuedDecisionState},
    ids::ApprovalId,
};
use std::{cell::RefCell, collections::BTreeSet};
use uuid::Uuid;
use yew::prelude::*;

thread_local! {
    /// The refused decisions whose difference the person has read.
    static READ: RefCell<BTreeSet<Uuid>> = const { RefCell::new(BTreeSet::new()) };
}

/// The last decision of a request, where it was refused as something else was asked by then, and the person hasn't said
/// that they read the difference: until they do, nothing is decided.
pub(super) fn unread_change(queued: &[QueuedDecision], id: ApprovalId) -> Option<Uuid> {
    let last = queued.iter().rev().find(|item| item.approval_id == id)?;
    let QueuedDecisionState::Rejected { problem } = &last.state else { return None };
    let is_unread = READ.with_borrow(|read| !read.contains(&last.id));
    (problem.code == Code::ApprovalChanged.as_str() && is_unread).then_some(last.id)
}

/// Why the server refused it; where something else is asked by then, with the difference.
fn why(problem: &Problem) -> Html {
    let changed = problem.more.get("changes").cloned();
    let changed: Vec<FieldChange> =
        changed.and_then(|changed| serde_json::from_value(changed).ok()).unwrap_or_default();
    if changed.is_empty() {
        return html! { { format!("Yours was not recorded. {}", problem.detail) } };
    }
    html! { <>{ "Yours was not recorded: what is asked has changed since you read it." }{ changes(&changed) }{ "." }</> }
}

/// A decision that the server refused: what happened, and that nothing written is gone.
pub(super) fn refused(
    queued: &[QueuedDecision],
    id: ApprovalId,
    unread: Option<Uuid>,
    changed: &Callback<()>,
) -> Html {
    let last = queued.iter().rev().find(|item| item.approval_id == id);
    match last.map(|item| &item.state) {
        Some(QueuedDecisionState::Rejected { problem }) => html! {
            <div class="banner is-wrapped" role="alert"><Glyph icon={Icon::Look} tone="wait" />
                <span class="fill">{ why(problem) }{ " What you wrote is kept in Outbox." }</span>
                if let Some(item) = unread {
                    <button class="btn push" onclick={changed.reform(move |_: MouseEvent| {
                        READ.with_borrow_mut(|read| read.insert(item));
                    })}>{ "I have read it" }</button>
                }</div>
        },
        Some(
            QueuedDecisionState::Queued | QueuedDecisionState::Sending | QueuedDecisionState::Recorded { .. },
        )
        | None => Html::default(),
    }
}
