//! One rule: written, tried, saved as a version; and where it is asked.

use crate::{
    bridge,
    components::{
        findings::{Findings, count},
        loading::{Stale, show},
        source_editor::{Order, SourceEditor},
        toast::{Toast, Toaster},
        why_tree::WhyTree,
    },
    format,
    load::use_load,
    route::Route,
};
use gloo_timers::callback::Timeout;
use shared_types::{
    api::{
        Permission, Permissions,
        rules::{RuleTried, StoredRule},
    },
    desktop::{
        Failure,
        commands::{DeleteRule, ReadRule, SaveRule, TryRule},
    },
    workflow::Severity,
};
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlTextAreaElement;
use yew::prelude::*;
use yew_router::prelude::*;

/// How long after the last key the text is checked, in milliseconds.
const PAUSE_MS: u32 = 350;

const STARTER: &str = "rule_id: large_order\nname: Large order\ncondition: { expr: \"order.total >= 10000\" }\ntests:\n  - name: a large one\n    given: { payload: { order: { total: 12000 } } }\n    expect: true\n";
const PAYLOAD: &str = "{ \"order\": { \"total\": 12000 } }";

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    /// Nothing for a new one.
    pub(crate) id: Option<String>,
}

#[component]
pub(crate) fn Rule(props: &Props) -> Html {
    let Some(id) = props.id.clone() else {
        return html! { <main><Bench text={STARTER.to_owned()} rule={None::<StoredRule>} again={Callback::noop()} /></main> };
    };
    html! { <Stored {id} /> }
}

#[derive(Properties, PartialEq)]
struct StoredProps {
    id: String,
}

#[component]
fn Stored(props: &StoredProps) -> Html {
    let reading = use_load(props.id.clone(), |id, policy| bridge::ask(ReadRule { id, policy }));
    let page = show(&reading.load, (&reading.again, &reading.cancel), "the rule", |loaded| {
        let text = loaded.data.source.clone();
        let key = loaded.data.etag.clone();
        html! { <><Stale at={loaded.at} fresh={loaded.fresh} /><Bench {key} {text} rule={Some(loaded.data.clone())} again={reading.again.clone()} /></> }
    });
    html! { <main>{ page }</main> }
}

/// What is tried first: what the rule's first test brings.
fn payload(rule: Option<&StoredRule>) -> String {
    let Some(rule) = rule else { return PAYLOAD.to_owned() };
    let given = rule.document.tests.first().map(|test| &test.given.payload);
    given.and_then(|payload| serde_json::to_string_pretty(payload).ok()).unwrap_or_else(|| "{}".to_owned())
}

#[derive(Properties, PartialEq)]
struct BenchProps {
    text: String,
    rule: Option<StoredRule>,
    again: Callback<()>,
}

/// The text with its findings, what it says of a payload, and where it is asked.
#[component]
fn Bench(props: &BenchProps) -> Html {
    let text = use_state(|| props.text.clone());
    let tried = use_state(|| None::<Result<RuleTried, Failure>>);
    let payload = use_state(|| payload(props.rule.as_ref()));
    {
        let tried = tried.clone();
        use_effect_with(((*text).clone(), (*payload).clone()), move |(text, payload)| {
            let (text, payload) = (text.clone(), payload.clone());
            let timer = Timeout::new(PAUSE_MS, move || {
                spawn_local(async move { tried.set(Some(bridge::ask(TryRule { text, payload }).await)) });
            });
            move || drop(timer)
        });
    }
    let changed = {
        let text = text.clone();
        Callback::from(move |next: String| text.set(next))
    };
    let input = {
        let payload = payload.clone();
        Callback::from(move |event: InputEvent| {
            payload.set(event.target_unchecked_into::<HtmlTextAreaElement>().value());
        })
    };
    let findings = match &*tried {
        Some(Ok(tried)) => tried.findings.clone(),
        Some(Err(_)) | None => Vec::new(),
    };
    let listed: Vec<_> = findings.iter().map(|finding| (finding.clone(), None)).collect();
    let order = use_state(|| None::<(u32, Order)>);
    let go = {
        let order = order.clone();
        Callback::from(move |line: u64| {
            let n = order.as_ref().map_or(0, |(n, _)| *n) + 1;
            order.set(Some((n, Order::Go(line))));
        })
    };
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let rights = use_context::<Permissions>().unwrap_or_default();
    let may_write = rights.allow(Permission::WriteWorkflows);
    let (save, delete) = use_acts(props.rule.as_ref(), (*text).clone(), props.again.clone());
    let name = props.rule.as_ref().map_or("New rule", |rule| rule.document.name.as_str());
    html! {
        <>
            <div class="page-head">
                <div><h1>{ name.to_owned() }</h1><p class="muted">{ standing(props.rule.as_ref()) }</p></div>
                <span class="push"></span>
                if may_write && props.rule.is_some() { <button class="btn quiet" onclick={delete}>{ "Delete" }</button> }
                if may_write { <button class="btn primary" disabled={errors > 0 || *text == props.text && props.rule.is_some()} onclick={save}>{ "Save" }</button> }
            </div>
            <div class="bench is-editing">
                <div class="editor">
                    <SourceEditor text={props.text.clone()} {changed} findings={findings.clone()} order={(*order).clone()} />
                    if !findings.is_empty() { <Findings summary={count(findings.len())} findings={listed} {go} /> }
                </div>
                <section class="try" aria-label="Try it">
                    <label class="label">{ "Payload" }</label>
                    <textarea class="field mono" rows="7" aria-label="Payload" value={(*payload).clone()} oninput={input} />
                    { verdict(tried.as_ref()) }
                    { used(props.rule.as_ref()) }
                </section>
            </div>
        </>
    }
}

fn standing(rule: Option<&StoredRule>) -> String {
    rule.map_or_else(
        || "Not saved yet".to_owned(),
        |rule| {
            format!(
                "{} · version {}, written {} by {}",
                rule.rule_id,
                rule.version,
                format::clock(rule.updated_at),
                rule.updated_by
            )
        },
    )
}

#[hook]
fn use_acts(
    rule: Option<&StoredRule>,
    text: String,
    again: Callback<()>,
) -> (Callback<MouseEvent>, Callback<MouseEvent>) {
    let (toaster, navigator) = (use_context::<Toaster>(), use_navigator());
    let of = rule.map(|rule| (rule.rule_id.clone(), rule.etag.clone()));
    let stored = rule.map(|rule| rule.source.clone()).unwrap_or_default();
    let say = move |toast: Toast| {
        if let Some(toaster) = &toaster {
            toaster.emit(toast);
        }
    };
    let save = {
        let (of, say, navigator) = (of.clone(), say.clone(), navigator.clone());
        Callback::from(move |_: MouseEvent| {
            let (id, base) = of.clone().unzip();
            let (text, say, navigator, again) = (text.clone(), say.clone(), navigator.clone(), again.clone());
            spawn_local(async move {
                match bridge::ask(SaveRule { id, text, base }).await {
                    Ok(saved) => {
                        say(Toast::done(format!("Saved as version {}", saved.version)));
                        if let Some(navigator) = navigator {
                            navigator.replace(&Route::Rule { id: saved.rule_id });
                        }
                        again.emit(());
                    }
                    Err(failure) => say(Toast::failed(failure.words())),
                }
            });
        })
    };
    let delete = Callback::from(move |_: MouseEvent| {
        let Some((id, etag)) = of.clone() else { return };
        let (say, navigator, text) = (say.clone(), navigator.clone(), stored.clone());
        spawn_local(async move {
            if let Err(failure) = bridge::ask(DeleteRule { id: id.clone(), etag }).await {
                say(Toast::failed(failure.words()));
                return;
            }
            if let Some(navigator) = &navigator {
                navigator.push(&Route::Rules);
            }
            let done = Toast::done(format!("The rule {id} is deleted"));
            say(done.or_undo(put_back(text, say.clone(), navigator)));
        });
    });
    (save, delete)
}

/// Writes a rule that was deleted again.
fn put_back(
    text: String,
    say: impl Fn(Toast) + Clone + 'static,
    navigator: Option<Navigator>,
) -> Callback<()> {
    Callback::from(move |()| {
        let (text, say, navigator) = (text.clone(), say.clone(), navigator.clone());
        spawn_local(async move {
            match (bridge::ask(SaveRule { id: None, text, base: None }).await, navigator) {
                (Ok(saved), Some(navigator)) => navigator.push(&Route::Rule { id: saved.rule_id }),
                (Ok(_), None) => {}
                (Err(failure), _) => say(Toast::failed(failure.words())),
            }
        });
    })
}

/// What the rule says of the payload.
fn verdict(tried: Option<&Result<RuleTried, Failure>>) -> Html {
    match tried {
        None => Html::default(),
        Some(Err(failure)) => html! { <p class="bad">{ failure.words() }</p> },
        Some(Ok(tried)) => match (tried.result, &tried.why) {
            (Some(holds), Some(why)) => html! {
                <div class="verdict"><p>{ if holds { "It holds" } else { "It doesn’t hold" } }</p><WhyTree why={why.clone()} /></div>
            },
            (_, _) => html! { <p class="muted">{ "The rule is evaluated once it has no errors." }</p> },
        },
    }
}

/// The workflows that ask the rule.
fn used(rule: Option<&StoredRule>) -> Html {
    let Some(rule) = rule else { return Html::default() };
    let by = rule.used_by.iter().map(|by| {
        let version = by.version.map_or_else(|| "as it stands".to_owned(), |version| format!("version {version}"));
        html! {
            <li class="row"><Link<Route> to={Route::Workflow { id: by.workflow_id.to_string() }}><span class="link">{ by.workflow_id.to_string() }</span></Link<Route>>
                <span class="push muted">{ version }</span></li>
        }
    });
    html! {
        <>
            <h2 class="label">{ "Where used" }</h2>
            if rule.used_by.is_empty() { <p class="muted">{ "No workflow asks it." }</p> }
            <ul>{ by.collect::<Html>() }</ul>
        </>
    }
}
