//! What waits for me: the list, the card beside it, and messages.

mod bulk;
mod card;
mod changes;
mod comment_drafts;
mod decide;
mod evidence;
mod exact;
mod form;
mod form_drafts;
mod levels;
mod list;
mod marks;
mod messages;
mod more;
mod order;
mod refused;
mod selection;
mod tabs;
mod totals;

pub(crate) use tabs::Tab;

use crate::{
    bridge,
    components::{
        loading::{Empty, Stale, show},
        search::{Search, use_search},
        toast::{Toast, Toaster},
    },
    load::{Load, use_load},
    shell_events::use_shell_event,
};
use bulk::Bulk;
use card::Card;
use list::List;
use marks::use_marks;
use messages::Messages;
use order::{Order, use_order};
use selection::{Selection, use_selection};
use shared_types::{
    api::{
        approvals::{Approval, Scope},
        live::LiveKind,
    },
    approval::decision::RequestStatus,
    desktop::{
        CachePolicy, Loaded, QueuedDecision, QueuedDecisionState, ShellEvent,
        commands::{ListRequests, ReadApproval},
    },
    ids::ApprovalId,
};
use std::{cell::RefCell, collections::BTreeMap, rc::Rc};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    #[prop_or_default]
    pub(crate) selected: Option<String>,
    pub(crate) tab: Tab,
}

#[component]
pub(crate) fn Inbox(props: &Props) -> Html {
    let (tab, messages) = (props.tab, props.tab == Tab::Messages);
    let reading = use_load(tab.scope(), |scope, policy| bridge::ask(ListRequests { scope, policy }));
    let (order, order_field) = use_order();
    let is_mine = tab.scope() == Scope::Mine;
    let queued = use_queued();
    // A row that was decided, here or by another, stays where it is until the person goes elsewhere.
    let kept = use_mut_ref(BTreeMap::<ApprovalId, Approval>::new);
    use_refreshing(&kept, &reading.again);
    let items: Rc<Vec<Approval>> = match &reading.load {
        Load::Ready(loaded) => Rc::new(shown(&loaded.data, (tab, order), &mut kept.borrow_mut())),
        Load::Waiting | Load::Failed(_) => Rc::default(),
    };
    let waiting = items.iter().filter(|approval| is_open(approval, &queued)).count();
    let search = use_search("requests");
    let items: Rc<Vec<Approval>> = if search.text().is_empty() {
        items
    } else {
        Rc::new(items.iter().filter(|approval| is_found(&search, approval)).cloned().collect())
    };
    let address: Option<ApprovalId> = props.selected.as_deref().and_then(|id| id.parse().ok());
    let Selection { shown: selected, go_to } = use_selection(items.clone(), address, tab);
    let leave = leaving(items.clone(), &queued, go_to.clone());
    let said = use_said(&kept, &reading.again);
    let toaster = use_context::<Toaster>().unwrap_or_else(Callback::noop);
    let marks = use_marks(&items, selected, &queued, &toaster);
    let together = use_state(|| None::<Vec<Approval>>);
    let sheet = sheet(&together, &marks.clear, &kept, &reading.again);
    let open_sheet = {
        let (items, marked, together) = (items.clone(), marks.marked.clone(), together.clone());
        Callback::from(move |_: MouseEvent| {
            let is_marked = |approval: &&Approval| marked.contains(&approval.approval_id);
            together.set(Some(items.iter().filter(is_marked).cloned().collect()));
        })
    };
    let pane = show(&reading.load, (&reading.again, &reading.cancel), "approvals", |loaded| {
        html! {
            <>
                <Stale at={loaded.at} fresh={loaded.fresh} />
                if items.is_empty() && !search.text().is_empty() {
                    { search.nothing() }
                } else if items.is_empty() {
                    <Empty says={tab.when_empty().0}><p>{ tab.when_empty().1 }</p></Empty>
                } else {
                    <List items={items.clone()} {selected} go_to={go_to.clone()} queued={(*queued).clone()} marked={marks.marked.clone()} toggle={marks.toggle.clone()} />
                }
            </>
        }
    });
    let class = if selected.is_some() { "split has-card" } else { "split" };
    html! {
        <main {class}>
            <section class="pane" aria-label="Inbox">
                <div class="pane-head"><h1>{ "Inbox" }</h1><span class="push"></span>if !messages { { search.field() } }</div>
                { tabs::tabs(tab, if is_mine { waiting } else { 0 }) }
                <div class="scroll">
                    if messages { <Messages /> } else { { pane } }
                </div>
                if !marks.marked.is_empty() {
                    <div class="foot marks"><span role="status">{ format!("{} selected", marks.marked.len()) }</span>
                        <button class="btn push" onclick={marks.clear.reform(|_: MouseEvent| ())}>{ "Clear" }</button>
                        <button class="btn" onclick={open_sheet}>{ "Decide together…" }</button></div>
                }
                <div class="foot">if matches!(tab, Tab::Mine | Tab::Others | Tab::Snoozed) { { order_field } }
                    if !messages { <span class="keys"><kbd>{ "j" }</kbd><kbd>{ "k" }</kbd>{ " Move" }</span><span class="keys"><kbd>{ "x" }</kbd>{ " Select" }</span> }
                    <span class="keys push"><kbd>{ "?" }</kbd>{ " Keys" }</span></div>
            </section>
            <article class="pane card" aria-label="Decision">
                if let Some(id) = selected {
                    <Card {id} key={id.to_string()} known={known_of(&reading.load, id)} queued={(*queued).clone()} {leave} {said} />
                } else if !messages && !items.is_empty() {
                    <Empty says="Choose a request to read it." />
                }
            </article>
            { sheet }
        </main>
    }
}

/// The sheet on which several are decided, while it is open.
fn sheet(
    together: &UseStateHandle<Option<Vec<Approval>>>,
    clear: &Callback<()>,
    kept: &Kept,
    again: &Callback<()>,
) -> Html {
    let Some(approvals) = (**together).clone() else { return Html::default() };
    let recorded = {
        let kept = kept.clone();
        Callback::from(move |after: Approval| drop(kept.borrow_mut().insert(after.approval_id, after)))
    };
    let close = {
        let (together, clear, again) = (together.clone(), clear.clone(), again.clone());
        Callback::from(move |()| {
            together.set(None);
            clear.emit(());
            again.emit(());
        })
    };
    html! { <Bulk {approvals} {recorded} {close} /> }
}

/// Whether a request is one that is looked for: by what it is about, its workflow, who asked, or its amount.
fn is_found(search: &Search, approval: &Approval) -> bool {
    let who = approval.requester.as_ref().map(|requester| requester.name.as_str());
    let texts = [
        approval.subject.as_deref(),
        Some(approval.workflow_name.as_str()),
        who,
        approval.amount.as_deref(),
        approval.entity_id.as_deref(),
        approval.reason.as_deref(),
    ];
    search.finds(&texts.map(Option::unwrap_or_default))
}

/// The rows of a tab. What waits for the person stays where it is after it was decided; the other tabs show what is read,
/// what is open in the order that was chosen and what is closed by its end.
fn shown(
    now: &[Approval],
    (tab, order): (Tab, Order),
    kept: &mut BTreeMap<ApprovalId, Approval>,
) -> Vec<Approval> {
    match tab {
        Tab::Mine | Tab::Messages => merge(now, order, kept),
        Tab::Others | Tab::Snoozed => {
            let mut all = now.to_vec();
            order.sort(&mut all);
            all
        }
        Tab::Decided => {
            let mut all = now.to_vec();
            all.sort_by_key(|approval| std::cmp::Reverse(approval.closed_at));
            all
        }
    }
}

/// What waits now, in its order, among what was shown before and is decided since.
fn merge(now: &[Approval], order: Order, kept: &mut BTreeMap<ApprovalId, Approval>) -> Vec<Approval> {
    let waits = |id: &ApprovalId| now.iter().any(|approval| approval.approval_id == *id);
    for (id, approval) in kept.iter_mut() {
        if !waits(id) {
            approval.can_decide = false;
        }
    }
    for approval in now {
        let is_closed = |known: &Approval| {
            known.status != RequestStatus::Pending && approval.status == RequestStatus::Pending
        };
        // What is closed stays closed, also where a list that was read before comes after its end.
        if !kept.get(&approval.approval_id).is_some_and(is_closed) {
            kept.insert(approval.approval_id, approval.clone());
        }
    }
    let mut all: Vec<Approval> = kept.values().cloned().collect();
    order.sort(&mut all);
    all
}

type Kept = Rc<RefCell<BTreeMap<ApprovalId, Approval>>>;

/// Reads anew when something changes; a request that was shown and is decided is read once more, for its end.
#[hook]
fn use_refreshing(kept: &Kept, again: &Callback<()>) {
    let (kept, again) = (kept.clone(), again.clone());
    use_shell_event(move |event| match event {
        ShellEvent::Changed { kind: LiveKind::ApprovalChanged, id } => {
            let (kept, again) = (kept.clone(), again.clone());
            spawn_local(async move {
                let known = id.parse().ok().filter(|id| kept.borrow().contains_key(id));
                if let Some(id) = known
                    && let Ok(loaded) =
                        bridge::ask(ReadApproval { id, policy: CachePolicy::NetworkOnly }).await
                {
                    kept.borrow_mut().insert(id, loaded.data);
                }
                again.emit(());
            });
        }
        ShellEvent::Changed { kind: LiveKind::ApprovalAsked | LiveKind::Reset, .. } | ShellEvent::Outbox => {
            again.emit(());
        }
        ShellEvent::Changed { .. }
        | ShellEvent::Connection(_)
        | ShellEvent::Session(_)
        | ShellEvent::Open(_)
        | ShellEvent::Leaving(_) => {}
    });
}

/// What is on its way to the server.
#[hook]
fn use_queued() -> UseStateHandle<Vec<QueuedDecision>> {
    let queued = use_state(Vec::new);
    let read = {
        let queued = queued.clone();
        Callback::from(move |()| {
            let queued = queued.clone();
            spawn_local(async move {
                if let Ok(items) = bridge::own_queued().await {
                    queued.set(items);
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
    queued
}

/// Leaves a request that is decided for the next one that waits, at once.
fn leaving(
    items: Rc<Vec<Approval>>,
    queued: &[QueuedDecision],
    go_to: Callback<ApprovalId>,
) -> Callback<ApprovalId> {
    let queued = queued.to_vec();
    Callback::from(move |id: ApprovalId| {
        let at = items.iter().position(|approval| approval.approval_id == id).unwrap_or_default();
        let open = |approval: &&Approval| is_open(approval, &queued) && approval.approval_id != id;
        let next = items[at.min(items.len())..].iter().find(open).or_else(|| items.iter().find(open));
        if let Some(next) = next {
            go_to.emit(next.approval_id);
        }
    })
}

/// Says what became of a decision; a request that it closed is shown so before any list says it.
#[hook]
fn use_said(kept: &Kept, again: &Callback<()>) -> Callback<(Toast, Option<Approval>)> {
    let toaster = use_context::<Toaster>();
    let (kept, again) = (kept.clone(), again.clone());
    Callback::from(move |(toast, closed): (Toast, Option<Approval>)| {
        if let Some(closed) = closed {
            kept.borrow_mut().insert(closed.approval_id, closed);
        }
        if let Some(toaster) = &toaster {
            toaster.emit(toast);
        }
        again.emit(());
    })
}

/// A request that waits, as the list was read with it, with the list's age.
fn known_of(list: &Load<Vec<Approval>>, id: ApprovalId) -> Option<Rc<Loaded<Approval>>> {
    let Load::Ready(loaded) = list else { return None };
    let known = loaded.data.iter().find(|approval| approval.approval_id == id)?;
    Some(Rc::new(Loaded { data: known.clone(), at: loaded.at, fresh: loaded.fresh }))
}

/// Whether a request waits for a decision: one that is decided and on its way doesn't.
pub(crate) fn is_open(approval: &Approval, queued: &[QueuedDecision]) -> bool {
    let is_decided = queued.iter().any(|item| item.approval_id == approval.approval_id && item.state.waits());
    approval.can_decide && !is_decided
}

/// How a decision on its way stands, in words.
pub(super) fn queued_words(queued: &[QueuedDecision], approval: &Approval) -> Option<String> {
    let id = approval.approval_id;
    let item = queued.iter().rev().find(|item| item.approval_id == id)?;
    let decided = crate::format::decided(&item.asks);
    match &item.state {
        QueuedDecisionState::Queued if item.undo_until.is_some_and(|until| until > crate::format::now()) => {
            Some(format!("{decided}: sent in a moment"))
        }
        QueuedDecisionState::Queued => Some(format!("{decided}: queued, not yet recorded")),
        QueuedDecisionState::Sending => Some(format!("{decided}: sending")),
        // What was recorded before holds nobody up: the request may be theirs to decide again.
        QueuedDecisionState::Recorded { .. } if approval.can_decide => None,
        QueuedDecisionState::Recorded { at } => {
            Some(format!("{decided}: recorded {}", crate::format::hour(*at)))
        }
        // The card says what happened; where the request is still open, it can be decided again.
        QueuedDecisionState::Rejected { .. } => None,
    }
}
