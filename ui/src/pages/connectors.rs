//! Connectors: a list with how their calls go.

use crate::{
    bridge,
    components::{
        icon::{Glyph, Icon},
        loading::{Empty, Stale, show},
        search::use_search,
    },
    format,
    load::{use_load, use_polling},
    route::Route,
};
use shared_types::{
    api::{
        Permission, Permissions,
        connectors::{Connector, ConnectorHealth, HealthState},
    },
    desktop::commands::ListConnectors,
};
use yew::prelude::*;
use yew_router::prelude::*;

#[component]
pub(crate) fn Connectors() -> Html {
    let reading = use_load((), |(), policy| bridge::ask(ListConnectors { policy }));
    use_polling(reading.again.clone());
    let navigator = use_navigator();
    let search = use_search("connectors");
    let may_write = use_context::<Permissions>().is_some_and(|may| may.allow(Permission::ManageConnectors));
    let table = show(&reading.load, (&reading.again, &reading.cancel), "connectors", |loaded| {
        if loaded.data.items.is_empty() {
            return nothing_yet(may_write);
        }
        let is_found = |connector: &&Connector| {
            search.finds(&[&connector.name, &connector.base_url, connector.spec.kind.name()])
        };
        let found: Vec<&Connector> = loaded.data.items.iter().filter(is_found).collect();
        if found.is_empty() {
            return search.nothing();
        }
        let rows = found.into_iter().map(|connector| {
            let (navigator, name) = (navigator.clone(), connector.name.clone());
            let onclick = Callback::from(move |_: MouseEvent| {
                if let Some(navigator) = &navigator {
                    navigator.push(&Route::Connector { name: name.clone() });
                }
            });
            row(connector, onclick)
        });
        html! {
            <>
                <Stale at={loaded.at} fresh={loaded.fresh} />
                <table class="table connectors" role="grid" data-rows="">
                    <colgroup><col /><col /><col /><col /><col /><col /><col /></colgroup>
                    <thead><tr><th>{ "Connector" }</th><th>{ "State" }</th><th>{ "Kind" }</th>
                        <th class="num">{ "Calls, 1 h" }</th><th class="num">{ "Failed" }</th>
                        <th class="num">{ "p95" }</th><th class="num">{ "Used by" }</th></tr></thead>
                    <tbody>{ rows.collect::<Html>() }</tbody>
                </table>
            </>
        }
    });
    html! {
        <main>
            <div class="page-head"><h1>{ "Admin" }</h1><span class="push"></span>
                { search.field() }
                if may_write { <Link<Route> to={Route::NewConnector}><span class="btn primary">{ "Add connector" }</span></Link<Route>> }</div>
            <nav class="tabs" aria-label="Admin"><a class="tab" aria-current="page">{ "Connectors" }</a></nav>
            <div class="scroll">{ table }</div>
        </main>
    }
}

fn nothing_yet(may_write: bool) -> Html {
    html! {
        <Empty says="No connectors yet.">
            <p>{ "A connector is another system, described once. Workflows call its operations and load what they need from it." }</p>
            if may_write {
                <p><Link<Route> to={Route::NewConnector}><span class="btn">{ "Add the first one" }</span></Link<Route>></p>
            } else {
                <p>{ "An administrator adds them." }</p>
            }
        </Empty>
    }
}

fn row(connector: &Connector, onclick: Callback<MouseEvent>) -> Html {
    let health = &connector.health;
    let failed = if health.failures > 0 { "num bad" } else { "num muted" };
    html! {
        <tr tabindex="0" key={connector.name.clone()} {onclick}>
            <td title={connector.base_url.clone()}>{ &connector.name }<span class="muted">{ format!(" · {}", connector.base_url) }</span></td>
            <td>{ state(health) }</td>
            <td class="muted">{ kind_word(connector.spec.kind.name()) }</td>
            <td class="num">{ health.calls }</td>
            <td class={failed}>{ health.failures }</td>
            <td class="num muted">{ health.p95_ms.map_or_else(|| "–".to_owned(), took) }</td>
            <td class="num muted" title={used_by(connector)}>{ connector.used_by.len() }</td>
        </tr>
    }
}

fn took(ms: u64) -> String {
    format::took(u32::try_from(ms).unwrap_or(u32::MAX).into())
}

fn used_by(connector: &Connector) -> String {
    connector.used_by.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// How a connector's calls go, with the reason where they wait.
pub(super) fn state(health: &ConnectorHealth) -> Html {
    match health.state {
        HealthState::Well => {
            html! { <span class="state"><Glyph icon={Icon::Tick} tone="ok" /> { "Well" }</span> }
        }
        HealthState::Ailing => {
            html! { <span class="state" title={health.because.clone()}><Glyph icon={Icon::Hourglass} tone="wait" /> { "Ailing" }</span> }
        }
    }
}

/// A kind as people call it.
pub(super) fn kind_word(kind: &str) -> &str {
    match kind {
        "openapi" => "OpenAPI",
        "http" => "HTTP",
        "sql" => "PostgreSQL",
        "mcp" => "MCP server",
        other => other,
    }
}
