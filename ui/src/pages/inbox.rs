//! What waits for me: the list, the card beside it, and messages.

mod card;
mod decide;
mod list;
mod messages;

use crate::{
    bridge,
    components::{
        loading::{Empty, show, stale},
        toast::{Toast, Toaster, Tone},
    },
    keys::{letter, use_keys},
    load::use_load,
    route::Route,
    told::use_told,
};
use card::Card;
use list::List;
use messages::Messages;
use shared_types::{
    api::{approvals::Approval, live::LiveKind},
    desktop::{Outgoing, OutgoingState, Patience, Told},
    ids::ApprovalId,
};
use std::{cell::RefCell, collections::BTreeMap, rc::Rc};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;
use yew_router::prelude::*;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) selected: Option<String>,
    pub(crate) messages: bool,
}

/// The page.
#[component]
pub(crate) fn Inbox(props: &Props) -> Html {
    let reading = use_load((), |(), patience| bridge::waiting(patience));
    let outgoing = use_outgoing();
    // A row that was decided, here or by another, stays where it is until the person goes elsewhere.
    let kept = use_mut_ref(BTreeMap::<ApprovalId, Approval>::new);
    use_refreshing(&kept, &reading.again);
    let items: Rc<Vec<Approval>> = match &reading.load {
        crate::load::Load::Ready(loaded) => Rc::new(merge(&loaded.data, &mut kept.borrow_mut())),
        crate::load::Load::Waiting | crate::load::Load::Failed(_) => Rc::default(),
    };
    let selected: Option<ApprovalId> = props.selected.as_deref().and_then(|id| id.parse().ok());
    use_moving(items.clone(), selected, props.messages);
    let next = use_next(items.clone());
    let pane = show(&reading.load, &reading.again, "approvals", |loaded| {
        html! {
            <>
                { stale(loaded) }
                if items.is_empty() {
                    <Empty says="Nothing waits for you."><p>{ "A request appears here the moment somebody needs your decision." }</p></Empty>
                } else {
                    <List items={items.clone()} {selected} outgoing={(*outgoing).clone()} />
                }
            </>
        }
    });
    let waiting = items.iter().filter(|approval| approval.can_decide).count();
    let class = if selected.is_some() { "split has-card" } else { "split" };
    html! {
        <main {class}>
            <section class="pane" aria-label="Inbox">
                <div class="pane-head"><h1>{ "Inbox" }</h1></div>
                { tabs(props.messages, waiting) }
                <div class="scroll">
                    if props.messages { <Messages /> } else { { pane } }
                </div>
                <div class="foot"><span class="keys"><kbd>{ "j" }</kbd><kbd>{ "k" }</kbd>{ " Move" }</span>
                    <span class="keys push"><kbd>{ "?" }</kbd>{ " Keys" }</span></div>
            </section>
            <article class="pane card" aria-label="Decision">
                if let Some(id) = selected {
                    <Card {id} key={id.to_string()} outgoing={(*outgoing).clone()} decided={next} />
                } else if !props.messages && !items.is_empty() {
                    <Empty says="Choose a request to read it." />
                }
            </article>
        </main>
    }
}

fn tabs(messages: bool, waiting: usize) -> Html {
    let tab = |to: Route, name: &'static str, count: usize, is_here: bool| {
        html! {
            <Link<Route> {to}><span role="tab" class="tab" aria-selected={is_here.to_string()}>
                { name } if count > 0 { <span class="count">{ count }</span> }
            </span></Link<Route>>
        }
    };
    html! {
        <div class="tabs" role="tablist">
            { tab(Route::Inbox, "Mine", waiting, !messages) }
            { tab(Route::Messages, "Messages", 0, messages) }
        </div>
    }
}

/// What waits now, in its order, among what was shown before and is decided since.
fn merge(now: &[Approval], kept: &mut BTreeMap<ApprovalId, Approval>) -> Vec<Approval> {
    let waits = |id: &ApprovalId| now.iter().any(|approval| approval.approval_id == *id);
    for (id, approval) in kept.iter_mut() {
        if !waits(id) {
            approval.can_decide = false;
        }
    }
    for approval in now {
        kept.insert(approval.approval_id, approval.clone());
    }
    let mut all: Vec<Approval> = kept.values().cloned().collect();
    // By deadline, what has none last; then by the money at stake, then by age.
    let deadline = |approval: &Approval| (approval.expires_at.is_none(), approval.expires_at);
    all.sort_by(|a, b| {
        let by_money = || money(b).total_cmp(&money(a));
        deadline(a).cmp(&deadline(b)).then_with(by_money).then_with(|| a.asked_at.cmp(&b.asked_at))
    });
    all
}

/// The money at stake, as far as numbers of different currencies can be compared at all.
fn money(approval: &Approval) -> f64 {
    approval.amount.as_deref().and_then(|amount| amount.parse().ok()).unwrap_or_default()
}

type Kept = Rc<RefCell<BTreeMap<ApprovalId, Approval>>>;

/// Reads anew when something changes; a request that was shown and is decided is read once more, for its end.
#[hook]
fn use_refreshing(kept: &Kept, again: &Callback<()>) {
    let (kept, again) = (kept.clone(), again.clone());
    use_told(move |told| match told {
        Told::Changed { kind: LiveKind::ApprovalChanged, id } => {
            let (kept, again) = (kept.clone(), again.clone());
            spawn_local(async move {
                let known = id.parse().ok().filter(|id| kept.borrow().contains_key(id));
                if let Some(id) = known
                    && let Ok(loaded) = bridge::approval(id, Patience::Full).await
                {
                    kept.borrow_mut().insert(id, loaded.data);
                }
                again.emit(());
            });
        }
        Told::Changed { kind: LiveKind::ApprovalAsked | LiveKind::Reset, .. } | Told::Outbox => {
            again.emit(());
        }
        Told::Changed { .. } | Told::Connection(_) | Told::Session(_) | Told::Open(_) | Told::Leaving(_) => {}
    });
}

/// What is on its way to the server.
#[hook]
fn use_outgoing() -> UseStateHandle<Vec<Outgoing>> {
    let outgoing = use_state(Vec::new);
    let read = {
        let outgoing = outgoing.clone();
        Callback::from(move |()| {
            let outgoing = outgoing.clone();
            spawn_local(async move {
                if let Ok(items) = bridge::outbox().await {
                    outgoing.set(items);
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
    outgoing
}

/// `j` and `k` move through the list.
#[hook]
fn use_moving(items: Rc<Vec<Approval>>, selected: Option<ApprovalId>, messages: bool) {
    let navigator = use_navigator();
    use_keys(move |event| {
        let step: isize = match letter(event).as_deref() {
            Some("j") => 1,
            Some("k") => -1,
            Some(_) | None => return,
        };
        if messages || items.is_empty() {
            return;
        }
        let at = selected.and_then(|id| items.iter().position(|approval| approval.approval_id == id));
        let last = items.len() - 1;
        let to = at.map_or(0, |at| at.saturating_add_signed(step).min(last));
        if let Some(navigator) = &navigator {
            navigator.push(&Route::Card { id: items[to].approval_id.to_string() });
        }
    });
}

/// After a decision: says what became of it, and selects the next request.
#[hook]
fn use_next(items: Rc<Vec<Approval>>) -> Callback<(ApprovalId, Toast)> {
    let navigator = use_navigator();
    let toaster = use_context::<Toaster>();
    Callback::from(move |(id, toast): (ApprovalId, Toast)| {
        let failed = toast.tone == Tone::Failed;
        if let Some(toaster) = &toaster {
            toaster.emit(toast);
        }
        let at = items.iter().position(|approval| approval.approval_id == id).unwrap_or_default();
        let open = |approval: &&Approval| approval.can_decide && approval.approval_id != id;
        let next = items[at.min(items.len())..].iter().find(open).or_else(|| items.iter().find(open));
        if let (false, Some(navigator), Some(next)) = (failed, &navigator, next) {
            navigator.push(&Route::Card { id: next.approval_id.to_string() });
        }
    })
}

/// How a decision on its way stands, in words.
pub(super) fn outgoing_words(outgoing: &[Outgoing], id: ApprovalId) -> Option<String> {
    let item = outgoing.iter().rev().find(|item| item.approval_id == id)?;
    match &item.state {
        OutgoingState::Queued => Some("queued, not yet recorded".to_owned()),
        OutgoingState::Sending => Some("sending".to_owned()),
        OutgoingState::Recorded { at } => Some(format!("recorded {}", crate::words::hour(*at))),
        // The card says what happened; where the request is still open, it can be decided again.
        OutgoingState::Lost { .. } => None,
    }
}
