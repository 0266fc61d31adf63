//! The requests that are marked to be decided together: of one step of one workflow, and open.

use super::is_open;
use crate::{components::toast::Toast, keys::use_keys};
use shared_types::{
    api::approvals::Approval,
    desktop::{
        QueuedDecision,
        keys::{Action, View},
    },
    ids::ApprovalId,
};
use std::{collections::BTreeSet, rc::Rc};
use yew::prelude::*;

/// What is marked, and the ways to change it.
#[derive(Clone, PartialEq)]
pub(super) struct Marks {
    /// Those that are marked and still open.
    pub(super) marked: Rc<BTreeSet<ApprovalId>>,
    /// Marks a request, or not any more.
    pub(super) toggle: Callback<ApprovalId>,
    /// Marks nothing any more.
    pub(super) clear: Callback<()>,
}

/// The marks among these rows; `x` marks the selected one.
#[hook]
pub(super) fn use_marks(
    items: &Rc<Vec<Approval>>,
    selected: Option<ApprovalId>,
    queued: &[QueuedDecision],
    say: &Callback<Toast>,
) -> Marks {
    let kept = use_state(BTreeSet::<ApprovalId>::new);
    let is_markable = |id: &ApprovalId| {
        items.iter().any(|approval| approval.approval_id == *id && is_open(approval, queued))
    };
    let marked: Rc<BTreeSet<ApprovalId>> =
        Rc::new(kept.iter().filter(|id| is_markable(id)).copied().collect());
    let toggle = {
        let (items, queued, kept) = (items.clone(), queued.to_vec(), kept.clone());
        let (marked, say) = (marked.clone(), say.clone());
        Callback::from(move |id: ApprovalId| {
            let mut next = (*marked).clone();
            if !next.remove(&id) {
                match may_be_marked(&items, &queued, &marked, id) {
                    Ok(()) => drop(next.insert(id)),
                    Err(why) => say.emit(Toast::failed(why)),
                }
            }
            kept.set(next);
        })
    };
    {
        let toggle = toggle.clone();
        use_keys(View::List, move |action| {
            let Some(id) = selected.filter(|_| action == Action::Mark) else { return false };
            toggle.emit(id);
            true
        });
    }
    let clear = Callback::from(move |()| kept.set(BTreeSet::new()));
    Marks { marked, toggle, clear }
}

/// Whether a request can be decided together with those that are marked, or why not.
fn may_be_marked(
    items: &[Approval],
    queued: &[QueuedDecision],
    marked: &BTreeSet<ApprovalId>,
    id: ApprovalId,
) -> Result<(), &'static str> {
    let find = |id: &ApprovalId| items.iter().find(|approval| approval.approval_id == *id);
    let Some(approval) = find(&id).filter(|approval| is_open(approval, queued)) else {
        return Err("You can't decide this request, so it can't be selected.");
    };
    match marked.iter().find_map(find) {
        Some(first) if (&first.workflow_id, &first.step_id) != (&approval.workflow_id, &approval.step_id) => {
            Err("Only requests of one step of one workflow are decided together.")
        }
        Some(_) | None => Ok(()),
    }
}
