//! The keys, on `?`.

use crate::components::icon::{Glyph, Icon};
use yew::prelude::*;

const KEYS: [(&str, &str); 15] = [
    ("j  k", "Move in a list"),
    ("Enter  o", "Open"),
    ("Esc", "Back"),
    ("/", "Search"),
    (".", "Show new runs"),
    ("[  ]", "Tab before, next tab"),
    ("a", "Approve"),
    ("r", "Reject, with a reason"),
    ("c", "Request changes, with a reason"),
    ("Ctrl ↵", "Submit the reason"),
    ("g i", "Inbox"),
    ("g w", "Workflows"),
    ("g r", "Runs"),
    ("g o", "Outbox"),
    ("g ,", "Settings"),
];

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) close: Callback<()>,
}

/// The keys.
#[component]
pub(crate) fn Help(props: &Props) -> Html {
    let close = props.close.reform(|_: MouseEvent| ());
    let rows = KEYS.iter().map(|(keys, says)| {
        let keys = keys.split("  ").map(|key| html! { <kbd>{ key }</kbd> }).collect::<Html>();
        html! { <><dt>{ keys }</dt><dd>{ *says }</dd></> }
    });
    html! {
        <div class="veil" onclick={close.clone()}>
            <div class="sheet" role="dialog" aria-label="Keys" aria-modal="true" onclick={|event: MouseEvent| event.stop_propagation()}>
                <div class="row"><h2>{ "Keys" }</h2>
                    <button class="btn quiet square push" aria-label="Close" onclick={close}><Glyph icon={Icon::Close} /></button></div>
                <dl class="keys-list">{ rows.collect::<Html>() }</dl>
            </div>
        </div>
    }
}
