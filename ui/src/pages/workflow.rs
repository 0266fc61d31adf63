//! One workflow: its steps as an outline, its source as written, what the checks say, and its webhook.

mod outline;
mod webhook;

use super::edit::findings::with_names;
use crate::{
    bridge,
    components::{
        icon::{Glyph, Icon},
        loading::{Stale, show},
        toast::{Toast, Toaster, Tone},
    },
    load::use_load,
    route::Route,
    told::use_told,
    words,
};
use outline::Outline;
use shared_types::{
    api::{Permission, Permissions, live::LiveKind, workflows::Workflow as Published},
    desktop::{Failure, Told},
    workflow::{Document, Finding, Severity, document::Trigger},
};
use std::future::Future;
use wasm_bindgen_futures::spawn_local;
use webhook::WebhookPanel;
use yew::prelude::*;
use yew_router::prelude::*;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) id: String,
}

/// The page.
#[component]
pub(crate) fn Workflow(props: &Props) -> Html {
    let reading = use_load(props.id.clone(), bridge::workflow);
    let again = reading.again.clone();
    let id = props.id.clone();
    use_told(move |told| match told {
        Told::Changed { kind: LiveKind::WorkflowChanged, id: changed } if changed == id => again.emit(()),
        Told::Changed { kind: LiveKind::Reset, .. } => again.emit(()),
        Told::Changed { .. }
        | Told::Connection(_)
        | Told::Outbox
        | Told::Session(_)
        | Told::Open(_)
        | Told::Leaving(_) => {}
    });
    let acts = use_acts(reading.again.clone());
    let rights = use_context::<Permissions>().unwrap_or_default();
    let page = show(&reading.load, (&reading.again, &reading.cancel), "the workflow", |loaded| {
        let workflow = &loaded.data;
        let document: Option<Document> = serde_json::from_value(workflow.document.clone()).ok();
        html! {
            <>
                { head(workflow, document.as_ref(), &acts, &rights) }
                <div class="notes"><Stale at={loaded.at} fresh={loaded.fresh} /></div>
                <div class="bench">
                    if let Some(document) = &document {
                        <Outline document={document.clone()} findings={workflow.findings.clone()} next_times={workflow.next_times.clone()} />
                    }
                    <div class="editor">
                        if document.as_ref().is_some_and(|document| matches!(document.trigger, Trigger::Webhook { .. })) {
                            <WebhookPanel id={workflow.workflow_id.to_string()} may_write={rights.allow(Permission::WriteWorkflows)} />
                        }
                        <pre class="src data" tabindex="0" role="region" aria-label="Source">{ source(&workflow.source) }</pre>
                        { findings(&workflow.findings) }
                    </div>
                </div>
            </>
        }
    });
    html! { <main>{ page }</main> }
}

/// What can be done to a workflow.
#[derive(Clone)]
struct Acts {
    toggle: Callback<(String, bool)>,
    start: Callback<String>,
    archive: Callback<(String, String)>,
}

/// Does something, and says what went wrong.
fn act<T: 'static>(
    doing: impl Future<Output = Result<T, Failure>> + 'static,
    toaster: Option<Toaster>,
    done: impl FnOnce(T) + 'static,
) {
    spawn_local(async move {
        match (doing.await, toaster) {
            (Ok(value), _) => done(value),
            (Err(failure), Some(toaster)) => {
                toaster.emit(Toast { tone: Tone::Failed, text: failure.words() });
            }
            (Err(_), None) => {}
        }
    });
}

#[hook]
fn use_acts(again: Callback<()>) -> Acts {
    let (toaster, navigator) = (use_context::<Toaster>(), use_navigator());
    let toggle = {
        let toaster = toaster.clone();
        Callback::from(move |(id, enabled): (String, bool)| {
            let again = again.clone();
            act(bridge::toggle_workflow(id, enabled), toaster.clone(), move |_| again.emit(()));
        })
    };
    let start = {
        let (toaster, navigator) = (toaster.clone(), navigator.clone());
        Callback::from(move |id: String| {
            let navigator = navigator.clone();
            act(bridge::start_workflow(id, serde_json::Map::new()), toaster.clone(), move |run| {
                if let Some(navigator) = navigator {
                    navigator.push(&Route::Run { id: run.execution_id.to_string() });
                }
            });
        })
    };
    let archive = Callback::from(move |(id, etag): (String, String)| {
        let navigator = navigator.clone();
        act(bridge::archive_workflow(id, etag), toaster.clone(), move |()| {
            if let Some(navigator) = navigator {
                navigator.push(&Route::Workflows);
            }
        });
    });
    Acts { toggle, start, archive }
}

fn head(workflow: &Published, document: Option<&Document>, acts: &Acts, rights: &Permissions) -> Html {
    let (icon, tone, word) =
        if workflow.enabled { (Icon::Tick, "ok", "Enabled") } else { (Icon::Slash, "muted", "Disabled") };
    let id = workflow.workflow_id.to_string();
    let toggle = {
        let (id, enabled) = (id.clone(), !workflow.enabled);
        acts.toggle.reform(move |_: MouseEvent| (id.clone(), enabled))
    };
    let start = {
        let id = id.clone();
        acts.start.reform(move |_: MouseEvent| id.clone())
    };
    let archive = {
        let etag = workflow.etag.clone();
        acts.archive.reform(move |_: MouseEvent| (id.clone(), etag.clone()))
    };
    let by_hand = document.is_some_and(|document| matches!(document.trigger, Trigger::Manual { .. }))
        && workflow.enabled
        && rights.allow(Permission::ControlExecutions);
    html! {
        <div class="page-head">
            <div><h1>{ &workflow.name } <span class="state plain"><Glyph {icon} {tone} /> { word }</span></h1>
                <p class="muted">{ format!("{} · revision {}, published {} by {}", workflow.workflow_id, workflow.revision, words::clock(workflow.updated_at), workflow.updated_by) }</p></div>
            <span class="push"></span>
            if by_hand { <button class="btn primary" onclick={start}><Glyph icon={Icon::Play} /> { "Start" }</button> }
            if rights.allow(Permission::WriteWorkflows) { <Link<Route> to={Route::EditWorkflow { id: workflow.workflow_id.to_string() }}><span class="btn">{ "Edit" }</span></Link<Route>> }
            if rights.allow(Permission::ToggleWorkflows) { <button class="btn" onclick={toggle}>{ if workflow.enabled { "Disable" } else { "Enable" } }</button> }
            if rights.allow(Permission::WriteWorkflows) { <button class="btn quiet" onclick={archive}>{ "Archive" }</button> }
        </div>
    }
}

/// The source with its lines numbered, comments muted and values coloured.
fn source(text: &str) -> Html {
    let line = |line: &str| {
        let (code, comment) = match line.find(" #").or_else(|| line.starts_with('#').then_some(0)) {
            Some(at) => line.split_at(at),
            None => (line, ""),
        };
        let (key, value) = match code.find(": ") {
            Some(at) => code.split_at(at + 1),
            None => (code, ""),
        };
        html! { <div><span>{ key.to_owned() }<span class="v">{ value.to_owned() }</span><span class="c">{ comment.to_owned() }</span></span></div> }
    };
    text.lines().map(line).collect::<Html>()
}

fn findings(findings: &[Finding]) -> Html {
    if findings.is_empty() {
        return Html::default();
    }
    let row = |finding: &Finding| {
        let (icon, tone) = match finding.severity {
            Severity::Error => (Icon::Cross, "bad"),
            Severity::Unsupported | Severity::Warning => (Icon::Look, "wait"),
        };
        html! {
            <div class="finding"><Glyph {icon} {tone} /> <span class="cut" title={finding.message.clone()}>{ with_names(&finding.message) }</span>
                <span class="push num muted">{ format!("line {}", finding.line) }</span></div>
        }
    };
    html! { <section class="finds" aria-label="Findings"><h2 class="label">{ if findings.len() == 1 { "1 finding".to_owned() } else { format!("{} findings", findings.len()) } }</h2>{ findings.iter().map(row).collect::<Html>() }</section> }
}
