//! Runs: a table with filters.

use crate::{
    bridge,
    components::{
        icon::{Glyph, Icon},
        loading::{Empty, show, stale},
        states::RunState,
    },
    load::use_load,
    route::Route,
    told::use_told,
    words,
};
use shared_types::{
    api::{
        executions::{Execution, ExecutionQuery},
        live::LiveKind,
    },
    desktop::Told,
    ids::WorkflowId,
    machine::state::{RunResult, RunStatus},
};
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;
use yew_router::prelude::*;

/// The page.
#[component]
pub(crate) fn Runs() -> Html {
    let query = use_state(|| ExecutionQuery { limit: Some(100), ..ExecutionQuery::default() });
    let reading = use_load((*query).clone(), bridge::runs);
    let workflows = use_load((), |()| bridge::workflows());
    let again = reading.again.clone();
    use_told(move |told| {
        if matches!(told, Told::Changed { kind: LiveKind::ExecutionChanged | LiveKind::Reset, .. }) {
            again.emit(());
        }
    });
    let names: Vec<(WorkflowId, String)> = match &workflows.load {
        crate::load::Load::Ready(loaded) => {
            loaded.data.items.iter().map(|w| (w.workflow_id.clone(), w.name.clone())).collect()
        }
        crate::load::Load::Waiting | crate::load::Load::Failed(_) => Vec::new(),
    };
    let change = {
        let query = query.clone();
        Callback::from(move |next: ExecutionQuery| query.set(next))
    };
    let is_filtered = *query != ExecutionQuery { limit: Some(100), ..ExecutionQuery::default() };
    let table = show(&reading.load, &reading.again, "runs", |loaded| {
        if loaded.data.items.is_empty() {
            let says = if is_filtered { "No runs match these filters." } else { "No runs yet." };
            return html! { <Empty {says}>if !is_filtered { <p>{ "A run begins when an event comes that a workflow listens for." }</p> }</Empty> };
        }
        html! { <>{ stale(loaded) }<Table items={loaded.data.items.clone()} names={names.clone()} /></> }
    });
    html! {
        <main>
            <div class="page-head"><h1>{ "Runs" }</h1></div>
            { filters(&query, &names, &change, is_filtered) }
            <div class="scroll">{ table }</div>
        </main>
    }
}

fn filters(
    query: &ExecutionQuery,
    names: &[(WorkflowId, String)],
    change: &Callback<ExecutionQuery>,
    is_filtered: bool,
) -> Html {
    let text = |event: &Event| {
        event.target_dyn_into::<HtmlInputElement>().map(|input| input.value()).unwrap_or_default()
    };
    let chosen = |event: &Event| {
        event.target_dyn_into::<HtmlSelectElement>().map(|select| select.value()).unwrap_or_default()
    };
    let some = |value: String| Some(value).filter(|value| !value.is_empty());
    let with = |update: fn(&mut ExecutionQuery, Option<String>)| {
        let query = query.clone();
        change.reform(move |event: Event| {
            let value = some(if event.target_dyn_into::<HtmlSelectElement>().is_some() {
                chosen(&event)
            } else {
                text(&event)
            });
            let mut next = query.clone();
            update(&mut next, value);
            next
        })
    };
    let clear =
        change.reform(|_: MouseEvent| ExecutionQuery { limit: Some(100), ..ExecutionQuery::default() });
    let statuses = [("", "Any state"), ("running", "Running"), ("waiting", "Waiting"), ("ended", "Ended")];
    let results = [
        ("", "Any result"),
        ("allowed", "Allowed"),
        ("blocked", "Blocked"),
        ("executed", "Executed"),
        ("failed", "Failed"),
        ("cancelled", "Cancelled"),
        ("timed_out", "Timed out"),
    ];
    let options = |list: &[(&'static str, &'static str)], current: &str| {
        list.iter().map(|(value, name)| html! { <option value={*value} selected={*value == current}>{ *name }</option> }).collect::<Html>()
    };
    let current_workflow = query.workflow_id.as_ref().map_or("", WorkflowId::as_str);
    html! {
        <div class="filters">
            <label class="field search"><Glyph icon={Icon::Search} tone="muted" />
                <input placeholder="Search subject or id" value={query.q.clone().unwrap_or_default()} onchange={with(|query, value| query.q = value)} /></label>
            <select class="field" aria-label="Workflow" onchange={with(|query, value| query.workflow_id = value.map(WorkflowId))}>
                <option value="">{ "All workflows" }</option>
                { names.iter().map(|(id, name)| html! { <option value={id.0.clone()} selected={id.as_str() == current_workflow}>{ name }</option> }).collect::<Html>() }
            </select>
            <select class="field" aria-label="State" onchange={with(|query, value| query.status = value.and_then(|v| word(&v)))}>
                { options(&statuses, query.status.map_or("", RunStatus::as_str)) }</select>
            <select class="field" aria-label="Result" onchange={with(|query, value| query.result = value.and_then(|v| word(&v)))}>
                { options(&results, query.result.map_or("", RunResult::as_str)) }</select>
            if is_filtered { <button class="btn quiet" onclick={clear}>{ "Clear" }</button> }
        </div>
    }
}

fn word<T: serde::de::DeserializeOwned>(word: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).ok()
}

#[derive(Properties, PartialEq)]
struct TableProps {
    items: Vec<Execution>,
    names: Vec<(WorkflowId, String)>,
}

/// The table.
#[component]
fn Table(props: &TableProps) -> Html {
    let navigator = use_navigator();
    let rows = props.items.iter().map(|run| {
        let (navigator, id) = (navigator.clone(), run.execution_id.to_string());
        let onclick = Callback::from(move |_: MouseEvent| {
            if let Some(navigator) = &navigator {
                navigator.push(&Route::Run { id: id.clone() });
            }
        });
        row(run, &props.names, onclick)
    });
    html! {
        <table class="table runs" role="grid" aria-rowcount={props.items.len().to_string()}>
            <colgroup><col /><col /><col /><col /><col /><col /></colgroup>
            <thead><tr><th>{ "Result" }</th><th>{ "Workflow" }</th><th>{ "Subject and reason" }</th>
                <th class="num">{ "Started" }</th><th class="num">{ "Took" }</th><th class="num">{ "Amount" }</th></tr></thead>
            <tbody>{ rows.collect::<Html>() }</tbody>
        </table>
    }
}

fn row(run: &Execution, names: &[(WorkflowId, String)], onclick: Callback<MouseEvent>) -> Html {
    let name = names
        .iter()
        .find(|(id, _)| *id == run.workflow_id)
        .map_or_else(|| run.workflow_id.to_string(), |(_, name)| name.clone());
    let subject = run.subject.clone().unwrap_or_else(|| run.event_id.to_string());
    let reason = run.reason.as_ref().map(|reason| format!(" · {reason}")).unwrap_or_default();
    let took = run.ended_at.map(|end| words::took(milliseconds(end - run.started_at)));
    let amount = words::amount(run.amount.as_deref(), run.currency.as_deref());
    html! {
        <tr tabindex="0" key={run.execution_id.to_string()} {onclick}>
            <td><RunState status={run.status} result={run.result} /></td>
            <td>{ name }</td>
            <td title={format!("{subject}{reason}")}>{ subject.clone() }<span class="muted">{ reason.clone() }</span></td>
            <td class="num muted" title={words::exact(run.started_at)}>{ words::clock(run.started_at) }</td>
            <td class="num">{ took }</td>
            <td class="num">{ amount }</td>
        </tr>
    }
}

/// A span in milliseconds.
#[expect(clippy::cast_precision_loss, reason = "a run is far shorter than 2^52 ms")]
pub(crate) fn milliseconds(span: chrono::Duration) -> f64 {
    span.num_microseconds().map_or(0.0, |micros| micros as f64 / 1000.0)
}
