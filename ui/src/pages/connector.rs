//! One connector: its operations to try, its last calls, its settings.

mod calls;
mod input;
mod operations;
mod preview;
mod settings;
mod trial;

use crate::{
    bridge,
    components::{
        confirm::Ask,
        connection_banner::use_offline_reason,
        icon::{Glyph, Icon},
        loading::{Stale, show},
        tab_link::TabLink,
        toast::{Toast, Toaster, act},
    },
    format,
    load::{use_load, use_polling},
    pages::connectors::{kind_word, state},
    route::Route,
};
use calls::Calls;
use operations::Operations;
use settings::Settings;
use shared_types::{
    api::{
        Permission, Permissions,
        connectors::{Connector as Stored, ConnectorChecked, HealthState},
    },
    desktop::{
        Failure,
        commands::{CheckConnector, DeleteConnector, PurgeConnector, ReadConnector},
    },
};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;
use yew_router::prelude::*;

/// What of a connector is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tab {
    /// The list of operations, and a form to try the selected one.
    Operations,
    /// Its last calls.
    Calls,
    /// What an administrator wrote of it.
    Settings,
}

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) name: String,
    pub(crate) tab: Tab,
}

#[component]
pub(crate) fn Connector(props: &Props) -> Html {
    let reading = use_load(props.name.clone(), |name, policy| bridge::ask(ReadConnector { name, policy }));
    use_polling(reading.again.clone());
    let page = show(&reading.load, (&reading.again, &reading.cancel), "the connector", |loaded| {
        let connector = loaded.data.clone();
        let body = match props.tab {
            Tab::Operations => html! { <Operations connector={connector.clone()} /> },
            Tab::Calls => html! { <Calls name={connector.name.clone()} /> },
            Tab::Settings => {
                html! { <Settings connector={Some(connector.clone())} again={reading.again.clone()} /> }
            }
        };
        html! {
            <>
                <Head connector={connector.clone()} again={reading.again.clone()} />
                <div class="notes"><Stale at={loaded.at} fresh={loaded.fresh} />{ ailing(&connector) }</div>
                { tabs(&connector.name, props.tab) }
                { body }
            </>
        }
    });
    html! { <main key={props.name.clone()}>{ page }</main> }
}

/// A connector that isn't there yet.
#[component]
pub(crate) fn NewConnector() -> Html {
    html! {
        <main>
            <div class="page-head"><div><h1>{ "New connector" }</h1><p class="muted">{ "Not saved yet" }</p></div></div>
            <Settings connector={None::<Stored>} again={Callback::noop()} />
        </main>
    }
}

fn tabs(name: &str, here: Tab) -> Html {
    let tab = |tab: Tab, to: Route, word: &'static str| html! { <TabLink {to} is_here={here == tab}>{ word }</TabLink> };
    let name = name.to_owned();
    html! {
        <nav class="tabs" aria-label="Connector">
            { tab(Tab::Operations, Route::Connector { name: name.clone() }, "Operations") }
            { tab(Tab::Calls, Route::ConnectorCalls { name: name.clone() }, "Calls") }
            { tab(Tab::Settings, Route::ConnectorSettings { name }, "Settings") }
        </nav>
    }
}

/// Why its calls wait, and until when.
fn ailing(connector: &Stored) -> Html {
    let health = &connector.health;
    if health.state == HealthState::Well {
        return Html::default();
    }
    let until = health.held_until.map(|until| format!(" The next one is made at {}.", format::hour(until)));
    html! {
        <p class="row wait" role="status"><Glyph icon={Icon::Hourglass} />
            <span>{ health.because.clone().unwrap_or_default() }{ until.unwrap_or_default() }{ " Runs wait meanwhile and go on by themselves." }</span></p>
    }
}

#[derive(Properties, PartialEq)]
struct HeadProps {
    connector: Stored,
    again: Callback<()>,
}

/// Its name and standing, and what can be done with it as a whole.
#[component]
fn Head(props: &HeadProps) -> Html {
    let connector = &props.connector;
    let may_write = use_context::<Permissions>().is_some_and(|may| may.allow(Permission::ManageConnectors));
    let checked = use_state(|| None::<Result<ConnectorChecked, Failure>>);
    let checking = use_state(|| false);
    let offline = use_offline_reason();
    let check = {
        let (checked, checking, name) = (checked.clone(), checking.clone(), connector.name.clone());
        Callback::from(move |_: MouseEvent| {
            let (checked, checking, name) = (checked.clone(), checking.clone(), name.clone());
            checking.set(true);
            spawn_local(async move {
                checked.set(Some(bridge::ask(CheckConnector { name }).await));
                checking.set(false);
            });
        })
    };
    html! {
        <>
            <div class="page-head">
                <div><h1>{ &connector.name }</h1><p class="muted data">{ standing(connector) }</p>
                    <p class="row">{ state(&connector.health) }{ used_by(connector) }</p></div>
                <span class="push"></span>
                if may_write {
                    <Purge name={connector.name.clone()} />
                    <Delete connector={connector.clone()} />
                    <button class="btn" disabled={*checking || offline.is_some()} title={offline} onclick={check}>{ if *checking { "Checking…" } else { "Check" } }</button>
                }
            </div>
            if let Some(checked) = &*checked { <div class="notes">{ said(checked) }</div> }
        </>
    }
}

fn standing(connector: &Stored) -> String {
    format!(
        "{} · {} · {} · revision {}, written {} by {}",
        kind_word(connector.spec.kind.name()),
        connector.base_url,
        format::count(connector.operation_count, "operation", "operations"),
        connector.revision,
        format::clock(connector.updated_at),
        connector.updated_by
    )
}

fn used_by(connector: &Stored) -> Html {
    if connector.used_by.is_empty() {
        return html! { <span class="muted">{ "No enabled workflow uses it." }</span> };
    }
    let link = |id: &shared_types::ids::WorkflowId| {
        let to = Route::Workflow { id: id.to_string() };
        html! { <Link<Route> {to}><span class="link">{ id.to_string() }</span></Link<Route>> }
    };
    html! { <><span class="muted">{ "Used by" }</span>{ connector.used_by.iter().map(link).collect::<Html>() }</> }
}

/// What a check came to.
fn said(checked: &Result<ConnectorChecked, Failure>) -> Html {
    let (icon, tone, text) = match checked {
        Err(failure) => (Icon::Cross, "bad", failure.words()),
        Ok(checked) => {
            let took = format!("{} It took {}.", checked.detail, format::took(checked.took_ms.into()));
            match (checked.answers, checked.let_in) {
                (true, Some(true)) => (Icon::Tick, "ok", took),
                (true, None) => (Icon::Look, "wait", took),
                (_, _) => (Icon::Cross, "bad", took),
            }
        }
    };
    html! { <p class="row" role="status"><Glyph {icon} {tone} /><span class="data">{ text }</span></p> }
}

#[derive(Properties, PartialEq)]
struct PurgeProps {
    name: String,
}

/// Forgets what was loaded: the next run asks anew.
#[component]
fn Purge(props: &PurgeProps) -> Html {
    let toaster = use_context::<Toaster>();
    let name = props.name.clone();
    let onclick = Callback::from(move |_: MouseEvent| {
        let say = toaster.clone();
        act(bridge::ask(PurgeConnector { name: name.clone() }), toaster.clone(), move |()| {
            if let Some(say) = say {
                say.emit(Toast::done("What was loaded is forgotten; the next run asks anew"));
            }
        });
    });
    let offline = use_offline_reason();
    let title = offline.unwrap_or("Answers that were kept for context.load don’t count any more");
    html! { <button class="btn quiet" disabled={offline.is_some()} {title} {onclick}>{ "Forget loaded answers" }</button> }
}

#[derive(Properties, PartialEq)]
struct DeleteProps {
    connector: Stored,
}

/// Deletes it, once asked: its revisions can't be brought back.
#[component]
fn Delete(props: &DeleteProps) -> Html {
    let (toaster, navigator) = (use_context::<Toaster>(), use_navigator());
    let asked = use_state(|| false);
    let name = props.connector.name.clone();
    let is_used = !props.connector.used_by.is_empty();
    let begin = {
        let asked = asked.clone();
        Callback::from(move |_: MouseEvent| asked.set(true))
    };
    let answer = {
        let (asked, name) = (asked.clone(), name.clone());
        Callback::from(move |really: bool| {
            asked.set(false);
            if !really {
                return;
            }
            let (say, navigator, gone) = (toaster.clone(), navigator.clone(), name.clone());
            act(bridge::ask(DeleteConnector { name: name.clone() }), toaster.clone(), move |()| {
                if let Some(navigator) = navigator {
                    navigator.push(&Route::Connectors);
                }
                if let Some(say) = say {
                    say.emit(Toast::done(format!("The connector {gone} is deleted")));
                }
            });
        })
    };
    let used = is_used.then_some("Enabled workflows use it; change or disable them first");
    let title = used.or(use_offline_reason());
    html! {
        <>
            <button class="btn quiet" disabled={title.is_some()} {title} onclick={begin}>{ "Delete…" }</button>
            if *asked {
                <Ask title={format!("Delete the connector {name}?")} go="Delete connector" stay="Keep it" {answer}
                    says="No enabled workflow uses it. Its operations and what was imported go with it; runs that ended keep their traces." />
            }
        </>
    }
}
