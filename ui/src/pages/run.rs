//! One run: its result in words, its trace as a tree, and its timeline, live while it runs.

mod layout;
mod timeline;
mod tree;
mod waits;

use crate::{
    bridge,
    components::{
        icon::{Glyph, Icon},
        loading::{Stale, show},
        states::run_icon,
        toast::{Toast, Toaster},
    },
    format,
    load::{Reading, use_load, use_throttle},
    route::Route,
    shell_events::use_shell_event,
};
use shared_types::{
    api::executions::{Execution, ExecutionDetail, TraceTree},
    desktop::{
        ShellEvent,
        commands::{CancelRun, ReadRun, ReadRunTree},
    },
    machine::{RunError, RunStatus},
};
use timeline::Timeline;
use tree::Tree;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;
use yew_router::prelude::*;

/// How many items of a foreach are shown at first, and at most.
const ITEMS: u32 = 20;
const MAX_ITEMS: u32 = 2000;

/// What of a run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tab {
    Trace,
    Timeline,
}

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) id: String,
}

#[component]
pub(crate) fn Run(props: &Props) -> Html {
    let reading = use_load(props.id.clone(), |id, policy| bridge::ask(ReadRun { id, policy }));
    let (items, tab) = (use_state(|| ITEMS), use_state(|| Tab::Trace));
    let key = (props.id.clone(), *items);
    let tree = use_load(key, |(id, items), policy| bridge::ask(ReadRunTree { id, items, policy }));
    let id = props.id.clone();
    let again = {
        let (run, tree) = (reading.again.clone(), tree.again.clone());
        use_throttle(Callback::from(move |()| {
            run.emit(());
            tree.emit(());
        }))
    };
    use_shell_event(move |event| {
        if let ShellEvent::Changed { id: changed, .. } = event
            && (changed == id || changed.is_empty())
        {
            again.emit(());
        }
    });
    let toaster = use_context::<Toaster>();
    let cancel = {
        let (id, again) = (props.id.clone(), reading.again.clone());
        Callback::from(move |_: MouseEvent| {
            let (id, again, toaster) = (id.clone(), again.clone(), toaster.clone());
            spawn_local(async move {
                if let (Err(failure), Some(toaster)) =
                    (bridge::ask(CancelRun { id, reason: None }).await, toaster)
                {
                    toaster.emit(Toast::failed(failure.words()));
                }
                again.emit(());
            });
        })
    };
    let page = show(&reading.load, (&reading.again, &reading.cancel), "the run", |loaded| {
        html! {
            <>
                { head(&loaded.data, &cancel) }
                <div class="notes"><Stale at={loaded.at} fresh={loaded.fresh} /></div>
                { body(&tree, &tab, &items, &loaded.data.execution) }
            </>
        }
    });
    html! { <main>{ page }</main> }
}

/// The tabs, and what the one that is chosen shows.
fn body(
    tree: &Reading<TraceTree>,
    tab: &UseStateHandle<Tab>,
    items: &UseStateHandle<u32>,
    run: &Execution,
) -> Html {
    let choice = |which: Tab, name: &'static str| {
        let tab = tab.clone();
        let is_here = *tab == which;
        let onclick = Callback::from(move |_: MouseEvent| tab.set(which));
        html! { <button class="tab" role="tab" aria-selected={is_here.to_string()} {onclick}>{ name }</button> }
    };
    let more = {
        let items = items.clone();
        Callback::from(move |()| items.set((*items * 10).min(MAX_ITEMS)))
    };
    html! {
        <>
            <div class="tabs" role="tablist">{ choice(Tab::Trace, "Trace") }{ choice(Tab::Timeline, "Timeline") }</div>
            { show(&tree.load, (&tree.again, &tree.cancel), "the trace", |loaded| match **tab {
                Tab::Trace => html! { <Tree nodes={loaded.data.nodes.clone()} {more} amount={run.amount.clone()} currency={run.currency.clone()} /> },
                Tab::Timeline => html! { <Timeline nodes={loaded.data.nodes.clone()} live={run.status != RunStatus::Ended} {more} /> },
            }) }
        </>
    }
}

fn head(detail: &ExecutionDetail, cancel: &Callback<MouseEvent>) -> Html {
    let run = &detail.execution;
    let (icon, tone) = run_icon(run.status, run.result);
    let word = format::run_word(run.status, run.result);
    let subject = run.subject.clone().unwrap_or_else(|| run.event_id.to_string());
    let took = run.ended_at.map_or_else(String::new, |end| {
        format!(" · took {}", format::took(format::milliseconds(end - run.started_at)))
    });
    let waits = waits::lines(&run.waits_for).into_iter().map(|line| {
        html! { <p class="note wait cut"><Glyph icon={Icon::Hourglass} /> { format::with_role_names(&line) }</p> }
    });
    html! {
        <div class="page-head">
            <div class="data">
                <h1><Glyph {icon} {tone} /> { format!("{word}: {subject}") }</h1>
                <p class="muted">{ format!("{}, revision {} · started {}{took}", run.workflow_id, run.revision, format::clock(run.started_at)) }</p>
                if let Some(reason) = run.reason.as_ref().filter(|reason| !is_said_by(run.error.as_ref(), reason)) { <p>{ reason }</p> }
                if let Some(by) = &detail.called_by {
                    <p class="muted">{ "Called by " }<Link<Route> to={Route::Run { id: by.execution_id.to_string() }}><span class="link">{ format!("the run at {}", by.step_id) }</span></Link<Route>></p>
                }
                if let Some(error) = &run.error { <p class="bad">{ fault(error) }</p> }
                <div class="waits">{ waits.collect::<Html>() }</div>
            </div>
            <span class="push"></span>
            if run.status != RunStatus::Ended { <button class="btn" onclick={cancel.clone()}>{ "Cancel run" }</button> }
        </div>
    }
}

/// Whether what went wrong says this already.
fn is_said_by(error: Option<&RunError>, reason: &str) -> bool {
    error.is_some_and(|error| error.message == reason)
}

/// What went wrong, with the step where it was one's.
fn fault(error: &RunError) -> String {
    let place = error.step.as_ref().map(|step| format!("At {step}: ")).unwrap_or_default();
    format!("{place}{} ({})", error.message.trim_end_matches('.'), error.code)
}
