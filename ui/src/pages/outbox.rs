//! Everything that is not yet on the server, how it stands, and what can be done about it.

use crate::{
    bridge,
    components::{
        icon::{Glyph, Icon},
        loading::Empty,
    },
    route::Route,
    told::use_told,
    words,
};
use shared_types::desktop::{Outgoing, OutgoingState, Told};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;
use yew_router::prelude::*;

/// The page.
#[component]
pub(crate) fn Outbox() -> Html {
    let items = use_state(Vec::<Outgoing>::new);
    let read = {
        let items = items.clone();
        Callback::from(move |()| {
            let items = items.clone();
            spawn_local(async move {
                if let Ok(mut all) = bridge::outbox().await {
                    all.reverse();
                    items.set(all);
                }
            });
        })
    };
    {
        let read = read.clone();
        use_effect_with((), move |()| read.emit(()));
    }
    use_told(move |told| {
        if told == Told::Outbox {
            read.emit(());
        }
    });
    let retry = Callback::from(|_: MouseEvent| spawn_local(async { drop(bridge::outbox_retry().await) }));
    html! {
        <main>
            <div class="page-head"><div><h1>{ "Outbox" }</h1>
                <p class="muted">{ "What you decided and the server has not recorded yet. It is sent by itself when the server answers." }</p></div>
                <span class="push"></span>
                <button class="btn" onclick={retry}><Glyph icon={Icon::Retry} tone="muted" /> { "Send now" }</button></div>
            <div class="scroll list-page">
                if items.is_empty() { <Empty says="Everything is on the server." /> }
                { items.iter().map(row).collect::<Html>() }
            </div>
        </main>
    }
}

fn row(item: &Outgoing) -> Html {
    let (icon, tone, state, detail) = match &item.state {
        OutgoingState::Queued => (Icon::Outbox, "", "Queued, not yet recorded".to_owned(), None),
        OutgoingState::Sending => (Icon::Outbox, "run", "Sending".to_owned(), None),
        OutgoingState::Recorded { at } => (Icon::Tick, "ok", format!("Recorded {}", words::hour(*at)), None),
        OutgoingState::Lost { problem } => {
            (Icon::Cross, "bad", "Not recorded".to_owned(), Some(problem.detail.clone()))
        }
    };
    let id = item.id;
    let discard = Callback::from(move |_: MouseEvent| {
        spawn_local(async move { drop(bridge::outbox_discard(id).await) });
    });
    let comment = item.decision.comment.as_ref().map(|comment| format!(": “{comment}”")).unwrap_or_default();
    html! {
        <div class="out" key={id.to_string()}>
            <Glyph {icon} {tone} />
            <div>
                <p><Link<Route> to={Route::Card { id: item.approval_id.to_string() }}><b>{ &item.title }</b></Link<Route>>
                    { format!(", you {}{comment}", words::verb_word(item.decision.decision)) }</p>
                <p class="muted">{ format!("{state}. Decided at {}.", words::clock(item.decided_at)) }
                    if let Some(detail) = detail { { format!(" {detail} What you wrote is kept here.") } }</p>
            </div>
            <button class="btn quiet push" onclick={discard}>
                { if matches!(item.state, OutgoingState::Queued) { "Withdraw" } else { "Discard" } }</button>
        </div>
    }
}
