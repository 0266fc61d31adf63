//! The last calls of a connector, newest first.

use crate::{
    bridge,
    components::{
        icon::{Glyph, Icon},
        loading::{Empty, Stale, show},
    },
    format,
    load::{use_load, use_polling},
    route::Route,
};
use shared_types::{api::connectors::ConnectorCall, desktop::commands::ListConnectorCalls};
use yew::prelude::*;
use yew_router::prelude::*;

#[derive(Properties, PartialEq)]
pub(super) struct Props {
    pub(super) name: String,
}

#[component]
pub(super) fn Calls(props: &Props) -> Html {
    let reading =
        use_load(props.name.clone(), |name, policy| bridge::ask(ListConnectorCalls { name, policy }));
    use_polling(reading.again.clone());
    let table = show(&reading.load, (&reading.again, &reading.cancel), "the calls", |loaded| {
        if loaded.data.items.is_empty() {
            return html! { <Empty says="No calls yet."><p>{ "Those of runs and trials are listed here, also the ones that failed." }</p></Empty> };
        }
        html! {
            <>
                <Stale at={loaded.at} fresh={loaded.fresh} />
                <table class="table calls" role="grid" data-rows="">
                    <colgroup><col /><col /><col /><col /><col /></colgroup>
                    <thead><tr><th>{ "When" }</th><th>{ "Operation" }</th><th>{ "Came to" }</th><th>{ "For" }</th><th class="num">{ "Took" }</th></tr></thead>
                    <tbody>{ loaded.data.items.iter().map(row).collect::<Html>() }</tbody>
                </table>
            </>
        }
    });
    let again = reading.again.reform(|_: MouseEvent| ());
    html! {
        <>
            <div class="filters"><span class="push"></span><button class="btn quiet" onclick={again}><Glyph icon={Icon::Retry} tone="muted" />{ "Look again" }</button></div>
            <div class="scroll">{ table }</div>
        </>
    }
}

fn row(call: &ConnectorCall) -> Html {
    let came_to = match (&call.error, call.status) {
        (Some(error), _) => {
            html! { <span class="state" title={error.clone()}><Glyph icon={Icon::Cross} tone="bad" /><span class="cut">{ error }</span></span> }
        }
        (None, status) => {
            let word = status.map_or_else(|| "Answered".to_owned(), |status| format!("Answered {status}"));
            html! { <span class="state"><Glyph icon={Icon::Tick} tone="ok" />{ word }</span> }
        }
    };
    let of = match call.execution_id {
        Some(id) => {
            html! { <Link<Route> to={Route::Run { id: id.to_string() }}><span class="link">{ "a run" }</span></Link<Route>> }
        }
        None => html! { <span class="muted">{ "a trial" }</span> },
    };
    html! {
        <tr tabindex="0">
            <td class="muted" title={format::exact(call.at)}>{ format::clock(call.at) }</td>
            <td title={call.operation.clone()}>{ &call.operation }</td>
            <td>{ came_to }</td><td>{ of }</td>
            <td class="num muted">{ format::took(call.took_ms.into()) }</td>
        </tr>
    }
}
