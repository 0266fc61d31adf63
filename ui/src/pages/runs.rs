//! Runs: a table with filters.

mod filters;
mod listing;
mod table;

pub(crate) use filters::Filters;

use crate::{
    bridge,
    components::loading::{Empty, Stale, show},
    keys::{is_on_row, use_keys},
    load::{Load, use_load, use_throttle},
    shell_events::use_shell_event,
};
use filters::{FilterRow, use_filters};
use gloo_timers::callback::Timeout;
use listing::use_runs;
use shared_types::{
    api::live::LiveKind,
    desktop::{
        ShellEvent,
        commands::ListWorkflows,
        keys::{Action, View},
    },
    ids::WorkflowId,
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use table::{Table, use_sight};
use wasm_bindgen::JsCast as _;
use web_sys::HtmlElement;
use yew::prelude::*;

#[component]
pub(crate) fn Runs() -> Html {
    let (filters, change) = use_filters();
    // New rows wait while somebody reads: with the pointer or the focus on the table, or scrolled down.
    let is_over = use_mut_ref(|| false);
    let is_down = use_mut_ref(|| false);
    let is_calm = !*is_over.borrow() && !*is_down.borrow() && !is_on_row();
    let runs = use_runs(&filters, is_calm);
    let again = use_throttle(runs.again.clone());
    use_shell_event(move |event| {
        if matches!(event, ShellEvent::Changed { kind: LiveKind::ExecutionChanged | LiveKind::Reset, .. }) {
            again.emit(());
        }
    });
    let release = runs.release.clone();
    use_keys(View::Runs, move |action| {
        if action == Action::ShowNew {
            release.emit(());
        }
        action == Action::ShowNew
    });
    let names = use_names();
    let (sight, onscroll) = use_sight(runs.rows.len(), runs.older.clone());
    let onscroll = {
        let is_down = is_down.clone();
        Callback::from(move |event: Event| {
            let pane = event.target_dyn_into::<web_sys::HtmlElement>();
            let top = pane.map_or(0, |pane| pane.scroll_top());
            *is_down.borrow_mut() = top > 0;
            LEFT_AT.set(top);
            onscroll.emit(event);
        })
    };
    let pane = use_node_ref();
    use_coming_back(&pane, runs.rows.len());
    let over = |now: bool| {
        let is_over = is_over.clone();
        Callback::from(move |_: MouseEvent| *is_over.borrow_mut() = now)
    };
    let rows = Rc::new(runs.rows);
    let table = show(&runs.load, (&runs.again, &runs.cancel), "runs", |loaded| {
        if rows.is_empty() {
            return empty(&filters, &change);
        }
        html! { <><Stale at={loaded.at} fresh={loaded.fresh} /><Table rows={rows.clone()} {sight} names={names.clone()} /></> }
    });
    html! {
        <main>
            <div class="page-head"><h1>{ "Runs" }</h1></div>
            <FilterRow filters={filters.clone()} names={names.clone()} change={change.clone()} />
            if runs.held > 0 { { pill(runs.held, &runs.release) } }
            <div class="scroll" ref={pane} {onscroll} onmouseenter={over(true)} onmouseleave={over(false)}>{ table }</div>
        </main>
    }
}

thread_local! {
    /// How far down the list was when it was left.
    static LEFT_AT: Cell<i32> = const { Cell::new(0) };
    /// The run that was opened from it.
    static OPENED: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// The run that the list is left for.
fn leave_for(id: &str) {
    OPENED.replace(Some(id.to_owned()));
}

/// Puts the list back to where it was left, with the focus on the run that was opened, as soon as its rows are there.
#[hook]
fn use_coming_back(pane: &NodeRef, rows: usize) {
    let pane = pane.clone();
    let left_at = use_mut_ref(|| Some(LEFT_AT.get()));
    let opened = use_mut_ref(|| OPENED.take());
    use_effect_with(rows, move |rows| {
        let Some(pane) = pane.cast::<HtmlElement>().filter(|_| *rows > 0) else { return };
        if let Some(top) = left_at.take() {
            pane.set_scroll_top(top);
        }
        let Some(id) = opened.borrow().clone() else { return };
        // The row comes into the page with the scrolling, one drawing later.
        let opened = opened.clone();
        Timeout::new(0, move || {
            let row = pane.query_selector(&format!("tr[data-id='{id}']")).ok().flatten();
            if let Some(row) = row.and_then(|row| row.dyn_into::<HtmlElement>().ok()) {
                opened.take();
                let _ = row.focus();
            }
        })
        .forget();
    });
}

/// New runs that wait to be shown.
fn pill(held: usize, release: &Callback<()>) -> Html {
    let onclick = release.reform(|_: MouseEvent| ());
    html! { <div class="pill" role="status"><button class="btn" {onclick}>{ format!("{held} new") }<kbd>{ "." }</kbd></button></div> }
}

fn empty(filters: &Filters, change: &Callback<Filters>) -> Html {
    if filters.are_set() {
        let clear = change.reform(|_: MouseEvent| Filters::default());
        return html! { <Empty says="No runs match these filters."><p><button class="btn" onclick={clear}>{ "Clear" }</button></p></Empty> };
    }
    html! { <Empty says="No runs yet."><p>{ "A run begins when an event comes that a workflow listens for." }</p></Empty> }
}

/// The workflows by their ids, for people.
#[hook]
fn use_names() -> Vec<(WorkflowId, String)> {
    let workflows = use_load((), |(), policy| bridge::ask(ListWorkflows { policy }));
    match &workflows.load {
        Load::Ready(loaded) => {
            loaded.data.items.iter().map(|w| (w.workflow_id.clone(), w.name.clone())).collect()
        }
        Load::Waiting | Load::Failed(_) => Vec::new(),
    }
}

/// A choice as its type.
fn word<T: serde::de::DeserializeOwned>(word: Option<String>) -> Option<T> {
    serde_json::from_value(serde_json::Value::String(word?)).ok()
}
