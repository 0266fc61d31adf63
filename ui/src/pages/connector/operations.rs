//! The operations of a connector: found at the left, tried at the right.

use super::trial::Trial;
use crate::{
    bridge,
    components::{
        loading::{Empty, show},
        search::use_search,
    },
    load::use_load,
};
use shared_types::{
    api::connectors::{Connector, ConnectorOperation},
    desktop::commands::ListOperations,
};
use yew::prelude::*;

/// How many are drawn at once; of more, some words find the rest.
const MAX_SHOWN: usize = 200;

#[derive(Properties, PartialEq)]
pub(super) struct Props {
    pub(super) connector: Connector,
}

#[component]
pub(super) fn Operations(props: &Props) -> Html {
    // A new revision has others.
    let key = (props.connector.name.clone(), props.connector.revision);
    let reading =
        use_load(key, |(name, revision), policy| bridge::ask(ListOperations { name, revision, policy }));
    let chosen = use_state(|| None::<String>);
    let search = use_search("operations");
    show(&reading.load, (&reading.again, &reading.cancel), "the operations", |loaded| {
        let all = &loaded.data;
        if all.is_empty() {
            return html! { <Empty says="No operations."><p>{ "The settings say what can be called." }</p></Empty> };
        }
        let found: Vec<&ConnectorOperation> =
            all.iter().filter(|operation| search.finds(&[&operation.id, &operation.summary])).collect();
        let open = chosen.as_ref().and_then(|id| all.iter().find(|operation| operation.id == *id));
        let open = open.or_else(|| found.first().copied());
        let more = found.len().saturating_sub(MAX_SHOWN);
        let rows = found.iter().take(MAX_SHOWN).map(|operation| {
            let (chosen, id) = (chosen.clone(), operation.id.clone());
            let onclick = Callback::from(move |_: MouseEvent| chosen.set(Some(id.clone())));
            row(operation, open.is_some_and(|open| open.id == operation.id), onclick)
        });
        html! {
            <div class="split has-trial">
                <div class="pane">
                    <div class="pane-head">{ search.field() }</div>
                    <div class="scroll">
                        if found.is_empty() { { search.nothing() } }
                        <ul class="rows" role="listbox" aria-label="Operations" data-rows="">{ rows.collect::<Html>() }</ul>
                        if more > 0 { <p class="note muted pad">{ format!("{more} more; search to find them.") }</p> }
                    </div>
                </div>
                if let Some(operation) = open {
                    <div class="pane card"><Trial key={operation.id.clone()} connector={props.connector.name.clone()} operation={operation.clone()} /></div>
                }
            </div>
        }
    })
}

fn row(operation: &ConnectorOperation, is_open: bool, onclick: Callback<MouseEvent>) -> Html {
    let summary = if operation.summary.is_empty() { "No description" } else { operation.summary.as_str() };
    html! {
        <li class="item" role="option" tabindex="0" aria-selected={is_open.to_string()} key={operation.id.clone()} {onclick} title={operation.summary.clone()}>
            <div><span class="cut">{ &operation.id }</span>if operation.safe { <span class="muted">{ "reads" }</span> }</div>
            <div><span class="cut">{ summary.to_owned() }</span></div>
        </li>
    }
}
