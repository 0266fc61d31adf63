//! Everything that is not yet on the server, how it stands, and what can be done about it.

use crate::{
    bridge,
    components::{
        icon::{Glyph, Icon},
        loading::Empty,
        toast::{Toast, Toaster},
    },
    format,
    route::Route,
    shell_events::use_shell_event,
};
use chrono::{DateTime, Utc};
use shared_types::desktop::{
    Failure, OutboxItem, QueuedDecision, QueuedDecisionState, QueuedRequest, ShellEvent, Withdrawn,
    commands::{ExportQueued, ListOutbox, RetryOutbox, WithdrawQueued},
};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;
use yew_router::prelude::*;

#[component]
pub(crate) fn Outbox() -> Html {
    let items = use_state(Vec::<OutboxItem>::new);
    let toaster = use_context::<Toaster>().unwrap_or_default();
    let read = {
        let items = items.clone();
        Callback::from(move |()| {
            let items = items.clone();
            spawn_local(async move {
                if let Ok(mut all) = bridge::ask(ListOutbox {}).await {
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
    use_shell_event(move |event| {
        if event == ShellEvent::Outbox {
            read.emit(());
        }
    });
    let retry =
        Callback::from(|_: MouseEvent| spawn_local(async { drop(bridge::ask(RetryOutbox {}).await) }));
    let waits = items.iter().any(|item| matches!(item, OutboxItem::Own(item) if item.state.waits()));
    html! {
        <main>
            <div class="page-head"><div><h1>{ "Outbox" }</h1>
                <p class="muted">{ "What you decided, handed over or snoozed that the server has not recorded yet. It is sent automatically when the server answers." }</p></div>
                <span class="push"></span>
                <button class="btn" disabled={!waits} onclick={retry}><Glyph icon={Icon::Retry} tone="muted" /> { "Send now" }</button></div>
            <div class="scroll list-page">
                if items.is_empty() { <Empty says="Everything is on the server." /> }
                { items.iter().map(|item| row(item, &toaster)).collect::<Html>() }
            </div>
        </main>
    }
}

fn row(item: &OutboxItem, toaster: &Toaster) -> Html {
    match item {
        OutboxItem::Own(item) => own(item, toaster),
        OutboxItem::OfAnother { person, server, decided_at } => of_another(person, server, *decided_at),
        OutboxItem::Unreadable { id, decided_at, text } => unreadable(id, *decided_at, text, toaster),
    }
}

fn own(item: &QueuedDecision, toaster: &Toaster) -> Html {
    let (icon, tone, state, detail) = match &item.state {
        QueuedDecisionState::Queued => (Icon::Outbox, "", "Queued, not yet recorded".to_owned(), None),
        QueuedDecisionState::Sending => (Icon::Outbox, "run", "Sending".to_owned(), None),
        QueuedDecisionState::Recorded { at } => {
            (Icon::Tick, "ok", format!("Recorded {}", format::hour(*at)), None)
        }
        QueuedDecisionState::Rejected { problem } => {
            (Icon::Cross, "bad", "Not recorded".to_owned(), Some(problem.detail.clone()))
        }
    };
    let verdict = match item.state {
        QueuedDecisionState::Queued | QueuedDecisionState::Sending => "Withdraw",
        QueuedDecisionState::Recorded { .. } => "Remove",
        QueuedDecisionState::Rejected { .. } => "Discard",
    };
    let (what, comment) = match &item.asks {
        QueuedRequest::Decision(decision) => {
            (format::verb_word(decision.decision).to_owned(), &decision.comment)
        }
        QueuedRequest::HandOver(handover) => {
            (format!("handed it over to {}", handover.to), &handover.comment)
        }
        QueuedRequest::Snooze { until: Some(until) } => {
            (format!("snoozed it until {}", format::weekday(*until)), &None)
        }
        QueuedRequest::Snooze { until: None } => ("snoozed it no longer".to_owned(), &None),
    };
    let comment = comment.as_ref().map(|comment| format!(": “{comment}”")).unwrap_or_default();
    html! {
        <div class="out" key={item.id.to_string()}>
            <Glyph {icon} {tone} />
            <div class="data">
                <p><Link<Route> to={Route::Card { id: item.approval_id.to_string() }}><b>{ &item.title }</b></Link<Route>>
                    { format!(", you {what}{comment}") }</p>
                <p class="muted">{ format!("{state}. Decided at {}.", format::clock(item.decided_at)) }
                    if let Some(detail) = detail { { format!(" {detail} What you wrote is kept here.") } }</p>
            </div>
            <button class="btn quiet push" onclick={withdraw(item.id.to_string(), item.title.clone(), toaster)}>{ verdict }</button>
        </div>
    }
}

fn of_another(person: &str, server: &str, decided_at: Option<DateTime<Utc>>) -> Html {
    let whose = if person.is_empty() { "somebody else" } else { person };
    html! {
        <div class="out">
            <Glyph icon={Icon::Person} tone="muted" />
            <div><p>{ format!("A decision of {whose}") }</p>
                <p class="muted">{ format!("It waits until {whose} signs in at {server}.{}", decided(decided_at)) }</p></div>
        </div>
    }
}

fn unreadable(id: &str, decided_at: Option<DateTime<Utc>>, text: &str, toaster: &Toaster) -> Html {
    let export = {
        let (id, toaster) = (id.to_owned(), toaster.clone());
        Callback::from(move |_: MouseEvent| {
            let (id, toaster) = (id.clone(), toaster.clone());
            spawn_local(async move {
                let toast = match bridge::ask(ExportQueued { id }).await {
                    Ok(path) => Toast::done(format!("Written to {path}")),
                    Err(failure) => failed(&failure),
                };
                toaster.emit(toast);
            });
        })
    };
    html! {
        <div class="out" key={id.to_owned()}>
            <Glyph icon={Icon::Look} tone="wait" />
            <div class="data"><p><b>{ "A decision that this version can’t read" }</b></p>
                <p class="muted">{ format!("It is kept as it is, and not sent.{}", decided(decided_at)) }</p>
                <details><summary>{ "As it is kept" }</summary><pre class="mono">{ text.to_owned() }</pre></details></div>
            <div class="row push">
                <button class="btn quiet" onclick={export}>{ "Export" }</button>
                <button class="btn quiet" onclick={withdraw(id.to_owned(), "It".to_owned(), toaster)}>{ "Discard" }</button>
            </div>
        </div>
    }
}

fn decided(at: Option<DateTime<Utc>>) -> String {
    at.map(|at| format!(" Decided at {}.", format::clock(at))).unwrap_or_default()
}

/// Takes a decision out, and says what that came to where it isn't what was asked.
fn withdraw(id: String, title: String, toaster: &Toaster) -> Callback<MouseEvent> {
    let toaster = toaster.clone();
    Callback::from(move |_: MouseEvent| {
        let (id, title, toaster) = (id.clone(), title.clone(), toaster.clone());
        spawn_local(async move {
            match bridge::ask(WithdrawQueued { id }).await {
                Ok(Withdrawn::Gone | Withdrawn::NotThere) => {}
                Ok(Withdrawn::RecordedBefore { at }) => {
                    toaster
                        .emit(Toast::done(format!("{title} was recorded before, at {}", format::hour(at))));
                }
                Err(failure) => toaster.emit(failed(&failure)),
            }
        });
    })
}

fn failed(failure: &Failure) -> Toast {
    Toast::failed(failure.words())
}
