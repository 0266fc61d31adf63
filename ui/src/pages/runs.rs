//! Runs: a table with filters.

mod filters;
mod listing;
mod table;

pub(crate) use filters::Filters;

use crate::{
    bridge,
    components::loading::{Empty, show, stale},
    keys::{is_on_row, letter, use_keys},
    load::{Load, use_calm, use_load},
    told::use_told,
};
use filters::{FilterRow, use_filters};
use listing::use_runs;
use shared_types::{api::live::LiveKind, desktop::Told, ids::WorkflowId};
use std::rc::Rc;
use table::{Table, use_sight};
use yew::prelude::*;

/// The page.
#[component]
pub(crate) fn Runs() -> Html {
    let (filters, change) = use_filters();
    // New rows wait while somebody reads: with the pointer or the focus on the table, or scrolled down.
    let is_over = use_mut_ref(|| false);
    let is_down = use_mut_ref(|| false);
    let is_calm = !*is_over.borrow() && !*is_down.borrow() && !is_on_row();
    let runs = use_runs(&filters, is_calm);
    let again = use_calm(runs.again.clone());
    use_told(move |told| {
        if matches!(told, Told::Changed { kind: LiveKind::ExecutionChanged | LiveKind::Reset, .. }) {
            again.emit(());
        }
    });
    let release = runs.release.clone();
    use_keys(move |event| {
        if letter(event).as_deref() == Some(".") {
            release.emit(());
        }
    });
    let names = use_names();
    let (sight, onscroll) = use_sight(runs.rows.len(), runs.older.clone());
    let onscroll = {
        let is_down = is_down.clone();
        Callback::from(move |event: Event| {
            let pane = event.target_dyn_into::<web_sys::HtmlElement>();
            *is_down.borrow_mut() = pane.is_some_and(|pane| pane.scroll_top() > 0);
            onscroll.emit(event);
        })
    };
    let over = |now: bool| {
        let is_over = is_over.clone();
        Callback::from(move |_: MouseEvent| *is_over.borrow_mut() = now)
    };
    let rows = Rc::new(runs.rows);
    let table = show(&runs.load, &runs.again, "runs", |loaded| {
        if rows.is_empty() {
            return empty(&filters, &change);
        }
        html! { <>{ stale(loaded) }<Table rows={rows.clone()} {sight} names={names.clone()} /></> }
    });
    html! {
        <main>
            <div class="page-head"><h1>{ "Runs" }</h1></div>
            <FilterRow filters={filters.clone()} names={names.clone()} change={change.clone()} />
            if runs.held > 0 { { pill(runs.held, &runs.release) } }
            <div class="scroll" {onscroll} onmouseenter={over(true)} onmouseleave={over(false)}>{ table }</div>
        </main>
    }
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
    let workflows = use_load((), |(), patience| bridge::workflows(patience));
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
