//! Workflows: a list.

use crate::{
    bridge,
    components::{
        icon::{Glyph, Icon},
        loading::{Empty, Stale, show},
        search::{Search, use_search},
        tab_link::TabLink,
    },
    format,
    load::use_load,
    route::Route,
    shell_events::use_shell_event,
};
use shared_types::{
    api::{Permission, Permissions, live::LiveKind, workflows::WorkflowSummary},
    desktop::{ShellEvent, commands::ListWorkflows},
};
use yew::prelude::*;
use yew_router::prelude::*;

#[component]
pub(crate) fn Workflows() -> Html {
    let reading = use_load((), |(), policy| bridge::ask(ListWorkflows { policy }));
    let again = reading.again.clone();
    use_shell_event(move |event| {
        if matches!(event, ShellEvent::Changed { kind: LiveKind::WorkflowChanged | LiveKind::Reset, .. }) {
            again.emit(());
        }
    });
    let navigator = use_navigator();
    let rights = use_context::<Permissions>().unwrap_or_default();
    let search = use_search("workflows");
    let may_write = rights.allow(Permission::WriteWorkflows);
    let table = show(&reading.load, (&reading.again, &reading.cancel), "workflows", |loaded| {
        if loaded.data.items.is_empty() {
            return nothing_yet(may_write);
        }
        let found: Vec<&WorkflowSummary> =
            loaded.data.items.iter().filter(|workflow| is_found(&search, workflow)).collect();
        if found.is_empty() {
            return search.nothing();
        }
        let rows = found.into_iter().map(|workflow| {
            let (navigator, id) = (navigator.clone(), workflow.workflow_id.to_string());
            let onclick = Callback::from(move |_: MouseEvent| {
                if let Some(navigator) = &navigator {
                    navigator.push(&Route::Workflow { id: id.clone() });
                }
            });
            row(workflow, onclick)
        });
        html! {
            <>
                <Stale at={loaded.at} fresh={loaded.fresh} />
                <table class="table workflows" role="grid" data-rows="">
                    <colgroup><col /><col /><col /><col /><col /><col /></colgroup>
                    <thead><tr><th>{ "Workflow" }</th><th>{ "State" }</th><th>{ "Starts on" }</th>
                        <th class="num">{ "Runs, 24 h" }</th><th class="num">{ "Failed" }</th><th class="num">{ "Published" }</th></tr></thead>
                    <tbody>{ rows.collect::<Html>() }</tbody>
                </table>
            </>
        }
    });
    html! { <main><div class="page-head"><h1>{ "Workflows" }</h1><span class="push"></span>{ search.field() }if may_write { <Link<Route> to={Route::NewWorkflow}><span class="btn">{ "New workflow" }</span></Link<Route>> }</div>{ tabs(&Route::Workflows) }<div class="scroll">{ table }</div></main> }
}

fn is_found(search: &Search, workflow: &WorkflowSummary) -> bool {
    let texts = [
        workflow.name.as_str(),
        workflow.workflow_id.as_str(),
        workflow.trigger.as_str(),
        workflow.description.as_deref().unwrap_or_default(),
    ];
    search.finds(&texts)
}

/// What a workflow is for, and how the first one is made.
fn nothing_yet(may_write: bool) -> Html {
    html! {
        <Empty says="No workflows yet.">
            <p>{ "A workflow decides what happens when something comes: it allows or blocks, calls other systems, and asks people." }</p>
            if may_write {
                <p><Link<Route> to={Route::NewWorkflow}><span class="btn">{ "Write the first one" }</span></Link<Route>></p>
            } else {
                <p>{ "Somebody with the role author or admin can write one." }</p>
            }
        </Empty>
    }
}

/// Workflows, and the rules that they share.
pub(crate) fn tabs(here: &Route) -> Html {
    let tab = |to: Route, name: &'static str| {
        let is_here = to == *here;
        html! { <TabLink {to} {is_here}>{ name }</TabLink> }
    };
    html! { <nav class="tabs" aria-label="Workflows and rules">{ tab(Route::Workflows, "Workflows") }{ tab(Route::Rules, "Rules") }</nav> }
}

fn row(workflow: &WorkflowSummary, onclick: Callback<MouseEvent>) -> Html {
    let (icon, tone, word) =
        if workflow.enabled { (Icon::Tick, "ok", "Enabled") } else { (Icon::Slash, "muted", "Disabled") };
    let description = workflow.description.as_ref().map(|text| format!(" · {text}")).unwrap_or_default();
    html! {
        <tr tabindex="0" key={workflow.workflow_id.to_string()} {onclick}>
            <td title={format!("{}{description}", workflow.name)}>{ &workflow.name }<span class="muted">{ description.clone() }</span></td>
            <td><span class="state"><Glyph {icon} {tone} /> { word }</span></td>
            <td title={workflow.trigger.clone()}>{ &workflow.trigger }</td>
            <td class="num">{ workflow.runs_24h }</td>
            <td class="num">{ workflow.failed_24h }</td>
            <td class="num muted" title={format::exact(workflow.updated_at)}>{ format::clock(workflow.updated_at) }</td>
        </tr>
    }
}
