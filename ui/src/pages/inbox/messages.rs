//! Messages that workflows sent.

use crate::{
    bridge,
    components::loading::{Empty, Stale, show},
    format,
    load::use_load,
    route::Route,
    shell_events::use_shell_event,
};
use shared_types::{
    api::{live::LiveKind, notices::Notice},
    desktop::{
        ShellEvent,
        commands::{ListNotices, MarkNoticeRead},
    },
};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;
use yew_router::prelude::*;

/// The messages, newest first.
#[component]
pub(crate) fn Messages() -> Html {
    let reading = use_load((), |(), policy| bridge::ask(ListNotices { policy }));
    let again = reading.again.clone();
    use_shell_event(move |event| {
        if matches!(event, ShellEvent::Changed { kind: LiveKind::Notice | LiveKind::Reset, .. }) {
            again.emit(());
        }
    });
    let navigator = use_navigator();
    show(&reading.load, (&reading.again, &reading.cancel), "messages", |loaded| {
        if loaded.data.items.is_empty() {
            return html! { <Empty says="No messages."><p>{ "What workflows tell you is kept here." }</p></Empty> };
        }
        let rows = loaded.data.items.iter().map(|notice| {
            let (navigator, again, target) = (navigator.clone(), reading.again.clone(), target(notice));
            let id = notice.notice_id.to_string();
            let onclick = Callback::from(move |_: MouseEvent| {
                let (again, id) = (again.clone(), id.clone());
                spawn_local(async move {
                    // Unread it stays, if the server doesn't answer.
                    let _ = bridge::ask(MarkNoticeRead { id }).await;
                    again.emit(());
                });
                if let (Some(navigator), Some(target)) = (&navigator, &target) {
                    navigator.push(target);
                }
            });
            let class = classes!("item", notice.read_at.is_some().then_some("is-done"));
            html! {
                <div {class} role="option" tabindex="0" aria-selected="false" key={notice.notice_id.to_string()} {onclick}>
                    <div><span class="cut" title={notice.message.clone()}>{ &notice.message }</span></div>
                    <div><span class="cut">{ notice.subject.clone().unwrap_or_default() }</span>
                        <span class="num" title={format::exact(notice.at)}>{ format::clock(notice.at) }</span></div>
                </div>
            }
        });
        html! { <><Stale at={loaded.at} fresh={loaded.fresh} /><div class="rows" role="listbox" aria-label="Messages" data-rows="">{ rows.collect::<Html>() }</div></> }
    })
}

/// What a message tells of.
fn target(notice: &Notice) -> Option<Route> {
    match (notice.approval_id, notice.execution_id) {
        (Some(id), _) => Some(Route::Card { id: id.to_string() }),
        (None, Some(id)) => Some(Route::Run { id: id.to_string() }),
        (None, None) => None,
    }
}
