//! The strip above every page: back and forward, and how the line to the server stands.

use super::icon::{Glyph, Icon};
use crate::{clock::use_now, format};
use shared_types::desktop::Connection;
use yew::prelude::*;

/// Why what needs the server can't be done now; nothing where it can.
#[hook]
pub(crate) fn use_offline_reason() -> Option<&'static str> {
    match use_context::<Connection>() {
        Some(Connection::Offline { .. }) => Some("The server doesn’t answer; this needs it"),
        Some(Connection::Live | Connection::Reconnecting) | None => None,
    }
}

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) connection: Connection,
}

#[component]
pub(crate) fn Strip(props: &Props) -> Html {
    let now = use_now();
    let travel = |forward: bool| {
        Callback::from(move |_: MouseEvent| {
            if let Some(history) = web_sys::window().and_then(|window| window.history().ok()) {
                // At the end of the history there is nowhere to go.
                let _ = if forward { history.forward() } else { history.back() };
            }
        })
    };
    let (class, says) = match props.connection {
        Connection::Live => ("live", "Live".to_owned()),
        Connection::Reconnecting => ("live is-off", "Reconnecting…".to_owned()),
        Connection::Offline { since } => {
            let class = if format::is_old(since, now) { "live is-off is-old" } else { "live is-off" };
            (class, format!("Offline, data from {} ({})", format::hour(since), format::age(since, now)))
        }
    };
    html! {
        <header class="strip" data-tauri-drag-region="true">
            <button class="btn quiet square" aria-label="Back" onclick={travel(false)}><Glyph icon={Icon::Back} /></button>
            <button class="btn quiet square" aria-label="Forward" onclick={travel(true)}><Glyph icon={Icon::Forward} /></button>
            <span class="fill"></span>
            <span {class} role="status">{ says }</span>
        </header>
    }
}
