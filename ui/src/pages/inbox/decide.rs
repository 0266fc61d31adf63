//! Deciding: by mouse and by keyboard, with guards against a held key and a card that just appeared.

use crate::{
    bridge,
    components::{
        icon::{Glyph, Icon},
        toast::{Toast, Tone},
    },
    keys::{letter, moment, use_keys},
    words,
};
use shared_types::{
    api::approvals::{Approval, NewDecision},
    desktop::{Decided, Failure, OutgoingState},
    ids::ApprovalId,
    machine::command::RequestStatus,
    workflow::script::Verb,
};
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlTextAreaElement;
use yew::prelude::*;

/// A card that just appeared takes no key for this long, in milliseconds.
const GUARD_MS: f64 = 300.0;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) approval: Approval,
    pub(crate) on_its_way: Option<String>,
    pub(crate) decided: Callback<(ApprovalId, Toast)>,
}

/// The foot of the card.
#[component]
pub(crate) fn Decide(props: &Props) -> Html {
    let asking = use_state(|| None::<Verb>);
    let busy = use_state(|| false);
    let appeared = use_mut_ref(moment);
    let reason = use_node_ref();
    let may = props.approval.can_decide && props.on_its_way.is_none() && !*busy;
    let send = use_sending(props, &busy, &asking, &reason);
    {
        let (asking, send) = (asking.clone(), send.clone());
        use_keys(move |event| {
            if event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) {
                if let Some(verb) = *asking
                    && !event.repeat()
                {
                    event.prevent_default();
                    send.emit(verb);
                }
                return;
            }
            if event.key() == "Escape" && asking.is_some() {
                // The card stays; only the reason is put away.
                event.stop_immediate_propagation();
                asking.set(None);
                return;
            }
            let verb = match letter(event).as_deref() {
                Some("a") => Verb::Approve,
                Some("r") => Verb::Reject,
                Some("c") => Verb::RequestChanges,
                Some(_) | None => return,
            };
            if !may || moment() - *appeared.borrow() < GUARD_MS {
                return;
            }
            event.prevent_default();
            if verb == Verb::Approve { send.emit(verb) } else { asking.set(Some(verb)) }
        });
    }
    {
        let reason = reason.clone();
        use_effect_with(*asking, move |asking| {
            if let (Some(_), Some(field)) = (asking, reason.cast::<HtmlTextAreaElement>()) {
                // A field that can't take the focus can still be clicked.
                let _ = field.focus();
            }
        });
    }
    match *asking {
        Some(verb) => reason_form(verb, &reason, *busy, &send, &asking),
        None => actions(props, may, &send, &asking),
    }
}

/// Sends a decision, and says what became of it.
#[hook]
fn use_sending(
    props: &Props,
    busy: &UseStateHandle<bool>,
    asking: &UseStateHandle<Option<Verb>>,
    reason: &NodeRef,
) -> Callback<Verb> {
    let (approval, decided) = (props.approval.clone(), props.decided.clone());
    let (busy, asking, reason) = (busy.clone(), asking.clone(), reason.clone());
    Callback::from(move |verb: Verb| {
        if *busy {
            return;
        }
        let comment = reason.cast::<HtmlTextAreaElement>().map(|field| field.value().trim().to_owned());
        let comment = comment.filter(|comment| !comment.is_empty());
        if verb != Verb::Approve && comment.is_none() {
            return;
        }
        let decision = NewDecision {
            decision: verb,
            comment,
            edits: None,
            seen: Some(approval.seen.clone()),
            decided_at: None,
        };
        let (busy, asking, decided, approval) =
            (busy.clone(), asking.clone(), decided.clone(), approval.clone());
        busy.set(true);
        spawn_local(async move {
            let answer = bridge::decide(approval.approval_id, words::title(&approval), decision).await;
            busy.set(false);
            if !matches!(answer, Err(_) | Ok(Decided::Lost(_))) {
                asking.set(None);
            }
            decided.emit((approval.approval_id, outcome(answer)));
        });
    })
}

/// What became of a decision, in words; never "done" before the server says so.
fn outcome(answer: Result<Decided, Failure>) -> Toast {
    match answer {
        Ok(Decided::Recorded(approval)) => {
            let at = approval.closed_at.unwrap_or_else(words::now);
            Toast { tone: Tone::Done, text: format!("Recorded {}", words::hour(at)) }
        }
        Ok(Decided::Queued(_)) => Toast { tone: Tone::Queued, text: "Queued, not yet recorded".to_owned() },
        Ok(Decided::Lost(item)) => {
            let why = match item.state {
                OutgoingState::Lost { problem } => problem.detail,
                OutgoingState::Queued | OutgoingState::Sending | OutgoingState::Recorded { .. } => {
                    String::new()
                }
            };
            Toast { tone: Tone::Failed, text: format!("Not recorded. {why}") }
        }
        Err(failure) => Toast { tone: Tone::Failed, text: failure.words() },
    }
}

fn actions(props: &Props, may: bool, send: &Callback<Verb>, asking: &UseStateHandle<Option<Verb>>) -> Html {
    let ask = |verb: Verb| {
        let asking = asking.clone();
        Callback::from(move |_: MouseEvent| asking.set(Some(verb)))
    };
    let approve = send.reform(|_: MouseEvent| Verb::Approve);
    let says = match (&props.on_its_way, &props.approval.cannot_because) {
        (Some(words), _) => words.clone(),
        (None, Some(because)) => because.clone(),
        (None, None) => String::new(),
    };
    let class = if may { "btn primary" } else { "btn" };
    if props.approval.status != RequestStatus::Pending && props.on_its_way.is_none() {
        return html! { <div class="foot"><span>{ says }</span></div> };
    }
    html! {
        <div class="foot">
            <button {class} disabled={!may} onclick={approve}>{ "Approve " }<kbd>{ "a" }</kbd></button>
            <button class="btn" disabled={!may} onclick={ask(Verb::Reject)}>{ "Reject " }<kbd>{ "r" }</kbd></button>
            <button class="btn" disabled={!may} onclick={ask(Verb::RequestChanges)}>{ "Request changes " }<kbd>{ "c" }</kbd></button>
            <span class="cut note push">if props.on_its_way.is_some() { <Glyph icon={Icon::Outbox} /> }{ says }</span>
        </div>
    }
}

fn reason_form(
    verb: Verb,
    reason: &NodeRef,
    busy: bool,
    send: &Callback<Verb>,
    asking: &UseStateHandle<Option<Verb>>,
) -> Html {
    let (label, name) = match verb {
        Verb::Reject => ("Why do you reject it?", "Reject"),
        Verb::RequestChanges => ("What has to change?", "Request changes"),
        Verb::Approve | Verb::ApproveWithEdits => ("A comment", "Approve"),
    };
    let cancel = {
        let asking = asking.clone();
        Callback::from(move |_: MouseEvent| asking.set(None))
    };
    let submit = send.reform(move |_: MouseEvent| verb);
    html! {
        <div class="foot is-tall">
            <label class="fill">{ label }
                <textarea class="field" ref={reason.clone()} rows="2" name="reason" required=true placeholder="Shown to whoever asked" /></label>
            <button class="btn primary" disabled={busy} onclick={submit}>{ name }{ " " }<kbd>{ "Ctrl ↵" }</kbd></button>
            <button class="btn" onclick={cancel}>{ "Back " }<kbd>{ "Esc" }</kbd></button>
        </div>
    }
}
