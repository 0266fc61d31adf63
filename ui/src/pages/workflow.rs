//! One workflow: its steps as an outline, its source as written, what the checks say, and its webhook.

mod outline;
mod webhook;

use crate::{
    bridge,
    components::{
        confirm::Ask,
        findings::{Findings, count},
        icon::{Glyph, Icon},
        loading::{Stale, show},
        toast::{Toast, Toaster, act},
    },
    format,
    load::use_load,
    route::Route,
    shell_events::use_shell_event,
};
use outline::Outline;
use shared_types::{
    api::{Permission, Permissions, live::LiveKind, workflows::Workflow as Published},
    desktop::{
        Failure, ShellEvent,
        commands::{ArchiveWorkflow, ReadWorkflow, SaveWorkflow, SetWorkflowEnabled, StartWorkflow},
    },
    workflow::{Document, Finding, document::Trigger},
};
use web_sys::{ScrollIntoViewOptions, ScrollLogicalPosition};
use webhook::WebhookPanel;
use yew::prelude::*;
use yew_router::prelude::*;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) id: String,
}

#[component]
pub(crate) fn Workflow(props: &Props) -> Html {
    let reading = use_load(props.id.clone(), |id, policy| bridge::ask(ReadWorkflow { id, policy }));
    let again = reading.again.clone();
    let id = props.id.clone();
    use_shell_event(move |event| match event {
        ShellEvent::Changed { kind: LiveKind::WorkflowChanged, id: changed } if changed == id => {
            again.emit(());
        }
        ShellEvent::Changed { kind: LiveKind::Reset, .. } => again.emit(()),
        ShellEvent::Changed { .. }
        | ShellEvent::Connection(_)
        | ShellEvent::Outbox
        | ShellEvent::Session(_)
        | ShellEvent::Open(_)
        | ShellEvent::Leaving(_) => {}
    });
    let asking = use_state(|| None::<Published>);
    let acts = use_acts(reading.again.clone(), asking.clone());
    let line = use_state(|| None::<u64>);
    let go = {
        let line = line.clone();
        Callback::from(move |to: u64| line.set(Some(to)))
    };
    use_effect_with(*line, |line| {
        if let Some(line) = line {
            show_line(*line);
        }
    });
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
                        <pre class="src data" tabindex="0" role="region" aria-label="Source">{ source(&workflow.source, *line) }</pre>
                        if !workflow.findings.is_empty() {
                            <Findings summary={count(workflow.findings.len())} findings={listed(&workflow.findings)} {go} />
                        }
                    </div>
                </div>
            </>
        }
    });
    let question = asking.as_ref().map(|workflow| {
        let title = format!("Archive {}?", workflow.name);
        let says = "It leaves the list and starts no runs. Runs that are under way go on, and its history stays.";
        html! { <Ask {title} says={says.to_owned()} go="Archive" stay="Keep it" answer={acts.archive.clone()} /> }
    });
    html! { <main>{ page }{ question }</main> }
}

fn listed(findings: &[Finding]) -> Vec<(Finding, Option<String>)> {
    findings.iter().map(|finding| (finding.clone(), None)).collect()
}

/// Brings a line of the source into sight.
fn show_line(line: u64) {
    let document = web_sys::window().and_then(|window| window.document());
    let row = document
        .and_then(|document| document.query_selector(&format!(".src > :nth-child({line})")).ok().flatten());
    if let Some(row) = row {
        let middle = ScrollIntoViewOptions::new();
        middle.set_block(ScrollLogicalPosition::Center);
        row.scroll_into_view_with_scroll_into_view_options(&middle);
    }
}

/// What can be done to a workflow.
#[derive(Clone)]
struct Acts {
    toggle: Callback<(Published, bool)>,
    start: Callback<String>,
    /// Asks before it is archived.
    ask: Callback<Published>,
    /// Archives what was asked about, where the answer is true.
    archive: Callback<bool>,
}

#[hook]
fn use_acts(again: Callback<()>, asking: UseStateHandle<Option<Published>>) -> Acts {
    let (toaster, navigator) = (use_context::<Toaster>(), use_navigator());
    let toggle = {
        let toaster = toaster.clone();
        Callback::from(move |(workflow, enabled): (Published, bool)| {
            toggled(workflow, enabled, toaster.clone(), &again);
        })
    };
    let start = {
        let (toaster, navigator) = (toaster.clone(), navigator.clone());
        Callback::from(move |id: String| {
            let navigator = navigator.clone();
            act(
                bridge::ask(StartWorkflow { id, input: serde_json::Map::new() }),
                toaster.clone(),
                move |run| {
                    if let Some(navigator) = navigator {
                        navigator.push(&Route::Run { id: run.execution_id.to_string() });
                    }
                },
            );
        })
    };
    let ask = {
        let asking = asking.clone();
        Callback::from(move |workflow: Published| asking.set(Some(workflow)))
    };
    let archive = Callback::from(move |really: bool| {
        let workflow = (*asking).clone().filter(|_| really);
        asking.set(None);
        if let Some(workflow) = workflow {
            archived(workflow, toaster.clone(), navigator.clone());
        }
    });
    Acts { toggle, start, ask, archive }
}

/// Enables or disables a workflow, and says what that means, with a way back.
fn toggled(workflow: Published, enabled: bool, toaster: Option<Toaster>, again: &Callback<()>) {
    let again = again.clone();
    let id = workflow.workflow_id.to_string();
    act(bridge::ask(SetWorkflowEnabled { id, enabled }), toaster.clone(), move |_| {
        again.emit(());
        let says = if enabled {
            format!("{} is enabled: its trigger starts runs", workflow.name)
        } else {
            format!("{} is disabled: it starts no runs; those under way go on", workflow.name)
        };
        let back = {
            let (toaster, again) = (toaster.clone(), again.clone());
            Callback::from(move |()| toggled(workflow.clone(), !enabled, toaster.clone(), &again))
        };
        if let Some(toaster) = toaster {
            toaster.emit(Toast::done(says).or_undo(back));
        }
    });
}

/// Archives a workflow; taken back, it is published again as it was.
fn archived(workflow: Published, toaster: Option<Toaster>, navigator: Option<Navigator>) {
    let archiving =
        bridge::ask(ArchiveWorkflow { id: workflow.workflow_id.to_string(), etag: workflow.etag.clone() });
    act(archiving, toaster.clone(), move |()| {
        if let Some(navigator) = &navigator {
            navigator.push(&Route::Workflows);
        }
        let says = format!("{} is archived", workflow.name);
        let back = {
            let toaster = toaster.clone();
            Callback::from(move |()| {
                let (workflow, navigator) = (workflow.clone(), navigator.clone());
                act(published_again(workflow.clone()), toaster.clone(), move |()| {
                    if let Some(navigator) = navigator {
                        navigator.push(&Route::Workflow { id: workflow.workflow_id.to_string() });
                    }
                });
            })
        };
        if let Some(toaster) = toaster {
            toaster.emit(Toast::done(says).or_undo(back));
        }
    });
}

async fn published_again(workflow: Published) -> Result<(), Failure> {
    let again = bridge::ask(SaveWorkflow { id: None, text: workflow.source, base: None }).await?;
    if again.enabled != workflow.enabled {
        bridge::ask(SetWorkflowEnabled { id: workflow.workflow_id.to_string(), enabled: workflow.enabled })
            .await?;
    }
    Ok(())
}

fn head(workflow: &Published, document: Option<&Document>, acts: &Acts, rights: &Permissions) -> Html {
    let (icon, tone, word) =
        if workflow.enabled { (Icon::Tick, "ok", "Enabled") } else { (Icon::Slash, "muted", "Disabled") };
    let id = workflow.workflow_id.to_string();
    let toggle = {
        let (workflow, enabled) = (workflow.clone(), !workflow.enabled);
        acts.toggle.reform(move |_: MouseEvent| (workflow.clone(), enabled))
    };
    let start = acts.start.reform(move |_: MouseEvent| id.clone());
    let archive = {
        let workflow = workflow.clone();
        acts.ask.reform(move |_: MouseEvent| workflow.clone())
    };
    let by_hand = document.is_some_and(|document| matches!(document.trigger, Trigger::Manual { .. }))
        && workflow.enabled
        && rights.allow(Permission::ControlExecutions);
    html! {
        <div class="page-head">
            <div><h1>{ &workflow.name } <span class="state plain"><Glyph {icon} {tone} /> { word }</span></h1>
                <p class="muted">{ format!("{} · revision {}, published {} by {}", workflow.workflow_id, workflow.revision, format::clock(workflow.updated_at), workflow.updated_by) }</p></div>
            <span class="push"></span>
            if by_hand { <button class="btn primary" onclick={start}><Glyph icon={Icon::Play} /> { "Start" }</button> }
            if rights.allow(Permission::WriteWorkflows) { <Link<Route> to={Route::EditWorkflow { id: workflow.workflow_id.to_string() }}><span class="btn">{ "Edit" }</span></Link<Route>> }
            if rights.allow(Permission::ToggleWorkflows) { <button class="btn" onclick={toggle}>{ if workflow.enabled { "Disable" } else { "Enable" } }</button> }
            if rights.allow(Permission::WriteWorkflows) { <button class="btn quiet" onclick={archive}>{ "Archive" }</button> }
        </div>
    }
}

/// The source with its lines numbered, comments muted and values coloured, and one of them marked.
fn source(text: &str, marked: Option<u64>) -> Html {
    let line = |(n, line): (u64, &str)| {
        let (code, comment) = match line.find(" #").or_else(|| line.starts_with('#').then_some(0)) {
            Some(at) => line.split_at(at),
            None => (line, ""),
        };
        let (key, value) = match code.find(": ") {
            Some(at) => code.split_at(at + 1),
            None => (code, ""),
        };
        let class = (marked == Some(n)).then_some("is-shown");
        html! { <div {class}><span>{ key.to_owned() }<span class="v">{ value.to_owned() }</span><span class="c">{ comment.to_owned() }</span></span></div> }
    };
    (1..).zip(text.lines()).map(line).collect::<Html>()
}
