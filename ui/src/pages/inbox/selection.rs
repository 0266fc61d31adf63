//! Which request is shown, and how one gets from one to the next: by `j` and `k`, and by deciding.
//!
//! `WebKit` refuses more than 100 changes of the address within 30 s, and a held key makes thirty a second. The card is
//! always shown at once; after some moves in a short time the address follows only once there is a pause.

use super::Tab;
use crate::keys::{moment, use_keys};
use gloo_timers::callback::Timeout;
use shared_types::{
    api::approvals::Approval,
    desktop::keys::{Action, View},
    ids::ApprovalId,
};
use std::rc::Rc;
use yew::prelude::*;
use yew_router::prelude::*;

/// How long moves are counted, in milliseconds.
const COUNTED_MS: f64 = 30_000.0;
/// How many moves change the address at once in that time: half of what is allowed, the rest is for others.
const AT_ONCE: usize = 50;
/// How long after the last move the address follows, in milliseconds.
const PAUSE_MS: u32 = 200;

/// The moves of the last 30 s.
#[derive(Default)]
struct Moves {
    /// When each changed the address.
    made: Vec<f64>,
    /// The address that follows after a pause.
    later: Option<Timeout>,
}

/// A request that is shown before the address names it.
#[derive(Clone, Copy, PartialEq)]
struct Ahead {
    /// What the address names meanwhile: when it names another, somebody went there.
    address: Option<ApprovalId>,
    shown: ApprovalId,
}

/// Which request is shown, and the way to another one.
pub(super) struct Selection {
    pub(super) shown: Option<ApprovalId>,
    pub(super) go_to: Callback<ApprovalId>,
}

/// The selection, whose `address` names one request or none; the list's keys move it.
#[hook]
pub(super) fn use_selection(items: Rc<Vec<Approval>>, address: Option<ApprovalId>, tab: Tab) -> Selection {
    let navigator = use_navigator();
    let moves = use_mut_ref(Moves::default);
    // Beside the state, so that a second key before the next drawing goes on from the first.
    let latest = use_mut_ref(|| None::<Ahead>);
    let redraw = use_force_update();
    if latest.borrow().is_some_and(|ahead| ahead.address != address) {
        *latest.borrow_mut() = None;
        moves.borrow_mut().later = None;
    }
    let go_to = {
        let latest = latest.clone();
        Callback::from(move |id: ApprovalId| {
            let Some(navigator) = navigator.clone() else { return };
            *latest.borrow_mut() = Some(Ahead { address, shown: id });
            redraw.force_update();
            let now = moment();
            let mut known = moves.borrow_mut();
            known.made.retain(|made| now - made < COUNTED_MS);
            let route = tab.route(Some(id));
            if known.made.len() < AT_ONCE {
                known.made.push(now);
                known.later = None;
                drop(known);
                navigator.push(&route);
            } else {
                known.later = Some(Timeout::new(PAUSE_MS, move || navigator.push(&route)));
            }
        })
    };
    let ahead = *latest.borrow();
    let shown = ahead.map(|ahead| ahead.shown).or(address);
    {
        let go_to = go_to.clone();
        use_keys(View::List, move |action| {
            if tab == Tab::Messages || items.is_empty() || !matches!(action, Action::Next | Action::Previous)
            {
                return false;
            }
            let step: isize = if action == Action::Previous { -1 } else { 1 };
            let shown = latest.borrow().map(|ahead| ahead.shown).or(address);
            let at = shown.and_then(|id| items.iter().position(|approval| approval.approval_id == id));
            let to = at.map_or(0, |at| at.saturating_add_signed(step)).min(items.len() - 1);
            go_to.emit(items[to].approval_id);
            true
        });
    }
    Selection { shown, go_to }
}
