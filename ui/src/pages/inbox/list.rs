//! The rows of what waits.

use super::queued_words;
use crate::{
    components::icon::{Glyph, Icon},
    format,
};
use shared_types::{
    api::approvals::{Approval, LevelStatus},
    approval::decision::RequestStatus,
    desktop::QueuedDecision,
    ids::ApprovalId,
};
use std::{collections::BTreeSet, rc::Rc};
use wasm_bindgen::JsCast as _;
use web_sys::{HtmlElement, ScrollIntoViewOptions, ScrollLogicalPosition};
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) items: Rc<Vec<Approval>>,
    pub(crate) selected: Option<ApprovalId>,
    pub(crate) go_to: Callback<ApprovalId>,
    pub(crate) queued: Vec<QueuedDecision>,
    /// Those that are decided together.
    pub(crate) marked: Rc<BTreeSet<ApprovalId>>,
    /// Marks one, or not any more.
    pub(crate) toggle: Callback<ApprovalId>,
}

#[component]
pub(crate) fn List(props: &Props) -> Html {
    let list = use_node_ref();
    {
        let list = list.clone();
        use_effect_with(props.selected, move |_| show_selected(&list));
    }
    // One row is a tab stop: the selected one, or the first.
    let stop = props.selected.or_else(|| props.items.first().map(|approval| approval.approval_id));
    let rows = props.items.iter().map(|approval| {
        let id = approval.approval_id;
        let (go_to, toggle) = (props.go_to.clone(), props.toggle.clone());
        let onclick = Callback::from(move |event: MouseEvent| {
            if event.ctrl_key() || event.meta_key() {
                toggle.emit(id);
            } else {
                go_to.emit(id);
            }
        });
        let is_selected = props.selected == Some(approval.approval_id);
        let is_stop = stop == Some(approval.approval_id);
        let words = queued_words(&props.queued, approval);
        let at = Place { is_selected, is_stop, is_marked: props.marked.contains(&id) };
        row(approval, at, words.as_ref(), onclick)
    });
    html! { <div class="rows" ref={list} role="listbox" aria-label="Approvals I can decide">{ rows.collect::<Html>() }</div> }
}

/// How a row stands in the list.
#[derive(Clone, Copy)]
struct Place {
    is_selected: bool,
    /// The one row that the Tab key reaches.
    is_stop: bool,
    is_marked: bool,
}

fn row(approval: &Approval, at: Place, on_its_way: Option<&String>, onclick: Callback<MouseEvent>) -> Html {
    let is_done = !approval.can_decide || on_its_way.is_some();
    let class = classes!("item", is_done.then_some("is-done"), at.is_marked.then_some("is-marked"));
    let amount = format::amount(approval.amount.as_deref(), approval.currency.as_deref());
    let who = approval.requester.as_ref().map(|requester| requester.name.clone()).unwrap_or_default();
    let below = match (on_its_way, approval.can_decide) {
        (Some(words), _) => html! { <span class="cut"><Glyph icon={Icon::Outbox} /> { words }</span> },
        (None, false) => {
            let word = closed_words(approval);
            let icon = match approval.status {
                RequestStatus::Pending => Icon::Person,
                RequestStatus::Approved => Icon::Tick,
                RequestStatus::Rejected | RequestStatus::ChangesRequested => Icon::Bar,
                RequestStatus::Expired => Icon::Clock,
                RequestStatus::Withdrawn => Icon::Slash,
            };
            html! { <span class="cut"><Glyph {icon} /> { word }</span> }
        }
        (None, true) => {
            html! { <span class="cut">{ format!("{} · {}", approval.workflow_name, special(approval).unwrap_or(who)) }</span> }
        }
    };
    let time = approval.expires_at.filter(|_| !is_done).map(|until| {
        let pressing = format::is_pressing(approval.asked_at, until);
        let class = if pressing { "num wait" } else { "num" };
        html! {
            <span {class} title={format::exact(until)}>
                if pressing { <Glyph icon={Icon::Hourglass} /> } { format::left(until) }
            </span>
        }
    });
    let id = approval.approval_id.to_string();
    html! {
        <div {class} role="option" tabindex={if at.is_stop { "0" } else { "-1" }} title={format::title(approval)} key={id.clone()} data-id={id} aria-selected={at.is_selected.to_string()} aria-checked={at.is_marked.then_some("true")} {onclick}>
            <div><span class="cut">if at.is_marked { <Glyph icon={Icon::Yes} /> }{ format::title(approval) }</span><span class="num amount" title={amount.clone()}>{ amount }</span></div>
            <div>{ below }{ time }</div>
        </div>
    }
}

/// What is special about a request: for whom one decides, that it is stuck, or which level it is at.
fn special(approval: &Approval) -> Option<String> {
    if let Some(first) = approval.you.as_ref().and_then(|you| you.represents.first()) {
        return Some(format!("for {}", first.name));
    }
    let at = approval.levels.iter().position(|level| level.status == LevelStatus::Open)?;
    (approval.levels.len() > 1).then(|| format!("level {} of {}", at + 1, approval.levels.len()))
}

/// Brings the selected row into sight, with the focus where the list had it.
fn show_selected(list: &NodeRef) {
    let Some(list) = list.cast::<HtmlElement>() else { return };
    let Some(row) = list.query_selector("[aria-selected=true]").ok().flatten() else { return };
    let nearest = ScrollIntoViewOptions::new();
    nearest.set_block(ScrollLogicalPosition::Nearest);
    row.scroll_into_view_with_scroll_into_view_options(&nearest);
    let focused =
        web_sys::window().and_then(|window| window.document()).and_then(|document| document.active_element());
    let had_focus = focused.is_some_and(|focused| list.contains(Some(&focused)));
    if let (true, Ok(row)) = (had_focus, row.dyn_into::<HtmlElement>()) {
        let _ = row.focus();
    }
}

/// How a request that was decided ended: `Approved by Bo Ek, 14:02`.
fn closed_words(approval: &Approval) -> String {
    let word = format::request_word(approval.status);
    let made = approval.levels.iter().flat_map(|level| &level.decisions).next_back();
    if approval.status == RequestStatus::Pending {
        return match &approval.still_needed {
            Some(needed) => format!("{} · {}", approval.workflow_name, format::with_role_names(needed)),
            None => "Not yours to decide any more".to_owned(),
        };
    }
    made.map_or_else(|| word.to_owned(), |made| format!("{word} by {}, {}", made.name, format::hour(made.at)))
}
