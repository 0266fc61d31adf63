//! One run: its result in words, and its trace, live while it runs.

use crate::{
    bridge,
    components::{
        icon::{Glyph, Icon},
        loading::{show, stale},
        states::{run_icon, step_icon},
        toast::{Toast, Toaster, Tone},
        why_tree::WhyTree,
    },
    load::use_load,
    told::use_told,
    words,
};
use shared_types::{
    api::executions::ExecutionDetail,
    desktop::Told,
    machine::{RunStatus, command::Fact},
};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) id: String,
}

/// The page.
#[component]
pub(crate) fn Run(props: &Props) -> Html {
    let reading = use_load(props.id.clone(), bridge::run);
    let (again, id) = (reading.again.clone(), props.id.clone());
    use_told(move |told| {
        if let Told::Changed { id: changed, .. } = told
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
                if let (Err(failure), Some(toaster)) = (bridge::cancel_run(id, None).await, toaster) {
                    toaster.emit(Toast { tone: Tone::Failed, text: failure.words() });
                }
                again.emit(());
            });
        })
    };
    let page = show(&reading.load, &reading.again, "the run", |loaded| {
        html! {
            <>
                { head(&loaded.data, &cancel) }
                <div class="notes">{ stale(loaded) }</div>
                <Trace trace={loaded.data.trace.clone()} />
            </>
        }
    });
    html! { <main>{ page }</main> }
}

fn head(detail: &ExecutionDetail, cancel: &Callback<MouseEvent>) -> Html {
    let run = &detail.execution;
    let (icon, tone) = run_icon(run.status, run.result);
    let word = words::run_word(run.status, run.result);
    let subject = run.subject.clone().unwrap_or_else(|| run.event_id.to_string());
    let took = run.ended_at.map_or_else(String::new, |end| {
        format!(" · took {}", words::took(words::milliseconds(end - run.started_at)))
    });
    let waits = run.waits_for.iter().map(|waits| {
        let until = waits.until.map(|until| format!(", until {}", words::clock(until))).unwrap_or_default();
        html! { <p class="note wait"><Glyph icon={Icon::Hourglass} /> { format!("Waits for {}{until}", waits.what) }</p> }
    });
    html! {
        <div class="page-head">
            <div class="data">
                <h1><Glyph {icon} {tone} /> { format!("{word}: {subject}") }</h1>
                <p class="muted">{ format!("{}, revision {} · started {}{took}", run.workflow_id, run.revision, words::clock(run.started_at)) }</p>
                if let Some(reason) = &run.reason { <p>{ reason }</p> }
                if let Some(error) = &run.error { <p class="bad">{ format!("{} at {}: {}", error.code, error.step, error.message) }</p> }
                { waits.collect::<Html>() }
            </div>
            <span class="push"></span>
            if run.status != RunStatus::Ended { <button class="btn" onclick={cancel.clone()}>{ "Cancel run" }</button> }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct TraceProps {
    trace: Vec<Fact>,
}

/// Every step with its state, reason, duration and time; one opened shows what it got and gave.
#[component]
fn Trace(props: &TraceProps) -> Html {
    let open = use_state(|| None::<u32>);
    let rows = props.trace.iter().map(|fact| {
        let is_open = *open == Some(fact.seq);
        let onclick = {
            let (open, seq) = (open.clone(), fact.seq);
            Callback::from(move |_: MouseEvent| open.set((*open != Some(seq)).then_some(seq)))
        };
        html! {
            <>
                { step(fact, is_open, onclick) }
                if is_open { { detail(fact) } }
            </>
        }
    });
    html! {
        <>
            <div class="tabs"><span class="tab" aria-selected="true">{ "Trace " }<span class="count">{ props.trace.len() }</span></span></div>
            <div class="scroll trace data" role="list" aria-label="Trace" data-rows="">{ rows.collect::<Html>() }</div>
        </>
    }
}

fn step(fact: &Fact, is_open: bool, onclick: Callback<MouseEvent>) -> Html {
    let (icon, tone) = step_icon(fact.state);
    let class = classes!("step", is_open.then_some("is-open"), (fact.attempt > 1).then_some("is-sub"));
    let reason = fact.reason.clone().unwrap_or_default();
    html! {
        <div {class} role="listitem" tabindex="0" {onclick} data-step={fact.step_id.0.clone()} data-state={words::step_word(fact.state)}>
            <Glyph {icon} {tone} />
            <span>{ words::step_word(fact.state) }</span>
            <span class="mono cut">{ &fact.step_id.0 }</span>
            <span class="cut" title={reason.clone()}>{ reason.clone() }</span>
            <span class="num">{ fact.duration_ms.map(words::took) }</span>
            <span class="num muted" title={words::exact(fact.at)}>{ words::clock(fact.at) }</span>
        </div>
    }
}

fn detail(fact: &Fact) -> Html {
    let side = |name: &'static str, value: &Option<serde_json::Value>| {
        value.as_ref().map(|value| html! {
            <div><h3>{ name }</h3><pre>{ serde_json::to_string_pretty(value).unwrap_or_default() }</pre></div>
        })
    };
    html! {
        <div class="io">
            { side("In", &fact.input) }
            { side("Out", &fact.output) }
            if let Some(why) = &fact.why { <div><h3>{ "Why" }</h3><WhyTree why={why.clone()} /></div> }
        </div>
    }
}
