//! A decision that the server refused, on the card of its request.

use crate::components::icon::{Glyph, Icon};
use shared_types::{
    api::problem::Code,
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
                <span class="fill">{ format!("Yours was not recorded. {} What you wrote is kept in Outbox.", problem.detail) }</span>
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
