//! `j` and `k` move through the list.
//!
//! `WebKit` refuses more than 100 changes of the address within 30 s, and a held key makes thirty a second. So after some
//! moves in a short time the address follows only once the key is let go.

use crate::{
    keys::{moment, use_keys},
    route::Route,
};
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
/// How long after the last press the address follows, in milliseconds.
const PAUSE_MS: u32 = 200;

/// Which moves were made, and which is still to be.
#[derive(Default)]
struct Moves {
    /// When each changed the address.
    made: Vec<f64>,
    /// Where to go once the key is let go.
    next: Option<(usize, Timeout)>,
}

/// Moves through the list by its keys.
#[hook]
pub(super) fn use_moving(items: Rc<Vec<Approval>>, selected: Option<ApprovalId>, messages: bool) {
    let navigator = use_navigator();
    let moves = use_mut_ref(Moves::default);
    use_keys(View::List, move |action| {
        let step: isize = if action == Action::Previous { -1 } else { 1 };
        if messages || items.is_empty() || !matches!(action, Action::Next | Action::Previous) {
            return false;
        }
        let Some(navigator) = navigator.clone() else { return true };
        let at = selected.and_then(|id| items.iter().position(|approval| approval.approval_id == id));
        let at = moves.borrow().next.as_ref().map(|(to, _)| *to).or(at);
        let to = at.map_or(0, |at| at.saturating_add_signed(step)).min(items.len() - 1);
        let route = Route::Card { id: items[to].approval_id.to_string() };
        let now = moment();
        let mut known = moves.borrow_mut();
        known.made.retain(|made| now - made < COUNTED_MS);
        if known.made.len() < AT_ONCE {
            known.made.push(now);
            drop(known);
            navigator.push(&route);
            return true;
        }
        let later = moves.clone();
        let timer = Timeout::new(PAUSE_MS, move || {
            later.borrow_mut().next = None;
            navigator.push(&route);
        });
        known.next = Some((to, timer));
        true
    });
}
