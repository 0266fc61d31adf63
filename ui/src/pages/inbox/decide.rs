//! Deciding: by mouse and by keyboard, with guards against a held key and a card that just appeared.
//!
//! A decision is shown before it is confirmed: the next card comes at once, and what was recorded is said when the server
//! says so.

use super::{comment_drafts, form, form_drafts, more::More};
use crate::{
    bridge,
    components::{
        icon::{Glyph, Icon},
        toast::Toast,
    },
    format,
    keys::{moment, use_keys},
    route::Route,
};
use serde_json::{Map, Value};
use shared_types::{
    api::approvals::{Approval, NewDecision},
    approval::decision::RequestStatus,
    desktop::{
        DecisionResult, Failure, QueuedDecision, QueuedDecisionState, UNDO_SECONDS, Withdrawn,
        commands::{DecideApproval, UndoDecision},
        keys::{Action, View},
    },
    ids::ApprovalId,
    workflow::approval::{Verb, Verdict},
};
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlElement, HtmlTextAreaElement};
use yew::prelude::*;
use yew_router::prelude::*;

/// A card that just appeared takes no key for this long, in milliseconds.
const GUARD_MS: f64 = 300.0;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) approval: Approval,
    pub(crate) on_its_way: Option<String>,
    /// What was changed in the form, and not sent.
    pub(crate) edits: Map<String, Value>,
    /// What is asked has changed, and the difference is still to be read.
    pub(crate) is_locked: bool,
    /// The request is decided: the next one is shown.
    pub(crate) leave: Callback<ApprovalId>,
    /// What became of a decision, and the request where it is closed.
    pub(crate) said: Callback<(Toast, Option<Approval>)>,
}

/// The foot of the card.
#[component]
pub(crate) fn Decide(props: &Props) -> Html {
    let id = props.approval.approval_id;
    // A reason that was begun is there again.
    let asking = use_state(|| comment_drafts::begun(id).map(|begun| begun.verdict));
    let is_empty = use_state(|| false);
    let busy = use_state(|| false);
    let appeared = use_mut_ref(moment);
    let (foot, reason) = (use_node_ref(), use_node_ref());
    let may = props.approval.can_decide && props.on_its_way.is_none() && !props.is_locked && !*busy;
    let send = use_sending(props, &busy, &asking, &is_empty);
    {
        let (asking, send, foot) = (asking.clone(), send.clone(), foot.clone());
        let is_asking = asking.is_some();
        let is_filled_in = form::faults(&props.approval, &props.edits).is_empty();
        use_keys(View::Card, move |action| {
            let Some(verdict) = verdict_of(action) else { return false };
            // Only where the card is what the person sees.
            if !may || is_asking || !is_in_sight(&foot) || moment() - *appeared.borrow() < GUARD_MS {
                return false;
            }
            if verdict == Verdict::Approve {
                if is_filled_in {
                    send.emit(verdict);
                }
            } else {
                ask(id, verdict, &asking);
            }
            true
        });
    }
    {
        let (asking, send) = (asking.clone(), send.clone());
        use_keys(View::Reason, move |action| match (action, *asking) {
            (Action::Submit, Some(verdict)) => {
                send.emit(verdict);
                true
            }
            _ => false,
        });
    }
    {
        let asking = asking.clone();
        use_keys(View::Page, move |action| {
            // The card stays; only the reason is put away, and kept.
            let puts_away = action == Action::Back && asking.is_some();
            if puts_away {
                asking.set(None);
            }
            puts_away
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
    let content = match *asking {
        Some(verdict) => reason_form(id, verdict, &reason, (*busy, *is_empty), &send, &asking),
        None => actions(props, may, &send, &asking),
    };
    let is_closed = props.approval.status != RequestStatus::Pending && props.on_its_way.is_none();
    let class = classes!("foot", (asking.is_some() && !is_closed).then_some("is-tall"));
    html! { <div {class} ref={foot}>{ content }</div> }
}

/// What a key of the card decides.
fn verdict_of(action: Action) -> Option<Verdict> {
    let verdicts = [
        (Action::Approve, Verdict::Approve),
        (Action::Reject, Verdict::Reject),
        (Action::RequestChanges, Verdict::RequestChanges),
    ];
    verdicts.into_iter().find_map(|(of, verdict)| (of == action).then_some(verdict))
}

/// Whether an element is on the screen.
fn is_in_sight(at: &NodeRef) -> bool {
    at.cast::<HtmlElement>().is_some_and(|element| element.offset_parent().is_some())
}

/// Asks for a reason; one that was begun for it is there again.
fn ask(id: ApprovalId, verdict: Verdict, asking: &UseStateHandle<Option<Verdict>>) {
    comment_drafts::begin(id, verdict);
    asking.set(Some(verdict));
}

/// Sends a decision, shows the next card, and says what became of it.
#[hook]
fn use_sending(
    props: &Props,
    busy: &UseStateHandle<bool>,
    asking: &UseStateHandle<Option<Verdict>>,
    is_empty: &UseStateHandle<bool>,
) -> Callback<Verdict> {
    let (approval, leave, said) = (props.approval.clone(), props.leave.clone(), props.said.clone());
    let (edits, navigator) = (props.edits.clone(), use_navigator());
    let go_back = Callback::from(move |id: ApprovalId| {
        if let Some(navigator) = &navigator {
            navigator.push(&Route::Card { id: id.to_string() });
        }
    });
    let (busy, asking, is_empty) = (busy.clone(), asking.clone(), is_empty.clone());
    Callback::from(move |verdict: Verdict| {
        if *busy {
            return;
        }
        let id = approval.approval_id;
        let begun = comment_drafts::begun(id).filter(|_| verdict != Verdict::Approve);
        let comment = begun.map(|begun| begun.text.trim().to_owned()).filter(|text| !text.is_empty());
        if verdict != Verdict::Approve && comment.is_none() {
            is_empty.set(true);
            return;
        }
        let edits = edits.clone();
        let is_edited = verdict == Verdict::Approve && !edits.is_empty();
        let decision = NewDecision {
            decision: if is_edited { Verb::ApproveWithEdits } else { verdict.into() },
            level: approval.you.as_ref().and_then(|you| you.level.clone()),
            comment,
            edits: is_edited.then_some(edits),
            seen: Some(approval.seen.clone()),
            decided_at: None,
        };
        let (busy, said, title) = (busy.clone(), said.clone(), format::title(&approval));
        busy.set(true);
        is_empty.set(false);
        asking.set(None);
        leave.emit(id);
        let undo = undo_of(id, title.clone(), &said, &go_back);
        let waits = format!("{title}: {} is sent in {UNDO_SECONDS} s", noun(verdict));
        said.emit((Toast::queued(waits).or_undo_for(undo, UNDO_SECONDS * 1000), None));
        spawn_local(async move {
            let decide = DecideApproval { id, title: title.clone(), decision, can_undo: true };
            let answer = bridge::ask(decide).await;
            // What is recorded is decided: until the card says so, a second press does nothing.
            if !matches!(answer, Ok(DecisionResult::Recorded(_))) {
                busy.set(false);
            }
            if matches!(answer, Ok(DecisionResult::Recorded(_) | DecisionResult::Queued(_))) {
                comment_drafts::forget(id);
                form_drafts::forget(id);
            }
            // Whoever undid it was told.
            if !matches!(answer, Ok(DecisionResult::Undone)) {
                said.emit(outcome(&title, verdict, answer));
            }
        });
    })
}

/// Takes a decision back that isn't sent yet, and shows the request again.
fn undo_of(
    id: ApprovalId,
    title: String,
    said: &Callback<(Toast, Option<Approval>)>,
    go_back: &Callback<ApprovalId>,
) -> Callback<()> {
    let (said, go_back) = (said.clone(), go_back.clone());
    Callback::from(move |()| {
        let (title, said, go_back) = (title.clone(), said.clone(), go_back.clone());
        spawn_local(async move {
            let toast = match bridge::ask(UndoDecision { id }).await {
                Ok(Withdrawn::Gone) => {
                    go_back.emit(id);
                    Toast::done(format!("{title}: undone, nothing was sent"))
                }
                Ok(Withdrawn::NotThere | Withdrawn::RecordedBefore { .. }) => {
                    Toast::failed(format!("{title}: too late to undo, it was sent"))
                }
                Err(failure) => Toast::failed(failure.words()),
            };
            said.emit((toast, None));
        });
    })
}

/// A decision as a noun.
fn noun(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Approve | Verdict::ApproveWithEdits => "approval",
        Verdict::Reject => "rejection",
        Verdict::RequestChanges => "request for changes",
    }
}

/// What became of a decision, in words; never "done" before the server says so.
pub(super) fn outcome(
    title: &str,
    verdict: Verdict,
    answer: Result<DecisionResult, Failure>,
) -> (Toast, Option<Approval>) {
    let what = noun(verdict);
    let not_recorded = |why: &str| Toast::failed(format!("{title}: your {what} was not recorded. {why}"));
    match answer {
        Ok(DecisionResult::Recorded(approval)) => {
            let at = format::hour(approval.closed_at.unwrap_or_else(format::now));
            let waits = approval
                .still_needed
                .as_ref()
                .map(|needed| format!(". Still needed: {}", format::with_role_names(needed)));
            (
                Toast::done(format!("{title}: {what} recorded {at}{}", waits.unwrap_or_default())),
                Some(*approval),
            )
        }
        Ok(DecisionResult::Queued(QueuedDecision {
            state: QueuedDecisionState::Recorded { at }, ..
        })) => (Toast::done(format!("{title}: {what} recorded {}", format::hour(at))), None),
        Ok(DecisionResult::Queued(_) | DecisionResult::Undone) => {
            (Toast::queued(format!("{title}: {what} queued, not yet recorded")), None)
        }
        Ok(DecisionResult::Rejected(item)) => match item.state {
            QueuedDecisionState::Rejected { problem } => (not_recorded(&problem.detail), None),
            QueuedDecisionState::Queued
            | QueuedDecisionState::Sending
            | QueuedDecisionState::Recorded { .. } => (not_recorded(""), None),
        },
        Err(failure) => (not_recorded(&failure.words()), None),
    }
}

fn actions(
    props: &Props,
    may: bool,
    send: &Callback<Verdict>,
    asking: &UseStateHandle<Option<Verdict>>,
) -> Html {
    let approval = &props.approval;
    let id = approval.approval_id;
    if approval.status != RequestStatus::Pending && props.on_its_way.is_none() {
        return html! { <span>{ approval.cannot_because.clone().unwrap_or_default() }</span> };
    }
    let begin = |verdict: Verdict| {
        let asking = asking.clone();
        Callback::from(move |_: MouseEvent| ask(id, verdict, &asking))
    };
    let approve = send.reform(|_: MouseEvent| Verdict::Approve);
    let can = |verb: Verb| {
        props.on_its_way.is_none() && approval.you.as_ref().is_some_and(|you| you.may.contains(&verb))
    };
    let says = says(props);
    let class = if may { "btn primary" } else { "btn" };
    let is_edited = !props.edits.is_empty();
    let approves = if is_edited { "Approve with edits " } else { "Approve " };
    let is_filled_in = form::faults(approval, &props.edits).is_empty();
    let may_reject = may || (can(Verb::Reject) && !props.is_locked);
    let decide = html! {
        <>
            <button {class} disabled={!may || !is_filled_in} onclick={approve}>{ approves }<kbd>{ "a" }</kbd></button>
            <button class="btn" disabled={!may_reject} onclick={begin(Verdict::Reject)}>{ "Reject " }<kbd>{ "r" }</kbd></button>
            <button class="btn" disabled={!may} onclick={begin(Verdict::RequestChanges)}>{ "Request changes " }<kbd>{ "c" }</kbd></button>
        </>
    };
    html! {
        <>
            // Whoever has decided can only take that back.
            if can(Verb::Retract) { <TakeBack approval={approval.clone()} said={props.said.clone()} /> } else { { decide } }
            <More approval={approval.clone()} {may} leave={props.leave.clone()} said={props.said.clone()} />
            <span class="note push" title={says.clone()}>if props.on_its_way.is_some() { <Glyph icon={Icon::Outbox} /> }<span class="cut">{ says.clone() }</span></span>
        </>
    }
}

/// What the foot says: what is on its way, why the person can't decide, or for whom they sign.
fn says(props: &Props) -> String {
    if let Some(words) = &props.on_its_way {
        return words.clone();
    }
    if let Some(because) = &props.approval.cannot_because {
        return because.clone();
    }
    let Some(you) = props.approval.you.as_ref().filter(|you| !you.represents.is_empty()) else {
        return form::faults(&props.approval, &props.edits)
            .first()
            .map(|fault| format!("{} {}", format::label(&fault.field), fault.message))
            .unwrap_or_default();
    };
    let each = you.represents.iter().map(|other| match other.away_until {
        Some(until) => format!("{}, away until {}", other.name, format::weekday(until)),
        None => other.name.clone(),
    });
    format!("You sign for {}.", each.collect::<Vec<_>>().join("; "))
}

#[derive(Properties, PartialEq)]
struct TakeBackProps {
    approval: Approval,
    said: Callback<(Toast, Option<Approval>)>,
}

/// Takes the person's own decision back, while its level is open.
#[component]
fn TakeBack(props: &TakeBackProps) -> Html {
    let busy = use_state(|| false);
    let onclick = {
        let (approval, said, busy) = (props.approval.clone(), props.said.clone(), busy.clone());
        Callback::from(move |_: MouseEvent| {
            if *busy {
                return;
            }
            busy.set(true);
            let (id, title) = (approval.approval_id, format::title(&approval));
            let decision = NewDecision {
                decision: Verb::Retract,
                level: approval.you.as_ref().and_then(|you| you.level.clone()),
                comment: None,
                edits: None,
                seen: None,
                decided_at: None,
            };
            let (said, busy) = (said.clone(), busy.clone());
            spawn_local(async move {
                let answer =
                    bridge::ask(DecideApproval { id, title: title.clone(), decision, can_undo: false }).await;
                busy.set(false);
                let (toast, after) = outcome(&title, Verdict::Approve, answer);
                let toast = if after.is_some() {
                    Toast::done(format!("{title}: your decision is taken back"))
                } else {
                    toast
                };
                said.emit((toast, after));
            });
        })
    };
    html! { <button class="btn" disabled={*busy} {onclick}>{ "Take back" }</button> }
}

fn reason_form(
    id: ApprovalId,
    verdict: Verdict,
    reason: &NodeRef,
    (busy, is_empty): (bool, bool),
    send: &Callback<Verdict>,
    asking: &UseStateHandle<Option<Verdict>>,
) -> Html {
    let (label, name, class) = match verdict {
        Verdict::Reject => ("Why do you reject it?", "Reject", "btn danger"),
        Verdict::RequestChanges => ("What has to change?", "Request changes", "btn primary"),
        Verdict::Approve | Verdict::ApproveWithEdits => ("A comment", "Approve", "btn primary"),
    };
    let cancel = {
        let asking = asking.clone();
        Callback::from(move |_: MouseEvent| asking.set(None))
    };
    let submit = send.reform(move |_: MouseEvent| verdict);
    let typed = Callback::from(move |event: InputEvent| {
        if let Some(field) = event.target_dyn_into::<HtmlTextAreaElement>() {
            comment_drafts::write(id, verdict, field.value());
        }
    });
    let begun = comment_drafts::begun(id).map(|begun| begun.text).unwrap_or_default();
    html! {
        <>
            <label class="fill">{ label }
                <textarea class="field" ref={reason.clone()} rows="2" name="reason" required=true maxlength="10000"
                    aria-invalid={is_empty.then_some("true")} aria-describedby={is_empty.then_some("reason-missing")}
                    placeholder="Shown to whoever asked" oninput={typed} value={begun} />
                if is_empty { <span class="under bad" id="reason-missing" role="alert"><Glyph icon={Icon::Cross} />
                    { " Write a reason; whoever asked reads it." }</span> }
            </label>
            <div class="row">
                <button {class} disabled={busy} onclick={submit}>{ name }{ " " }<kbd>{ "Ctrl ↵" }</kbd></button>
                <button class="btn" onclick={cancel}>{ "Back " }<kbd>{ "Esc" }</kbd></button>
            </div>
        </>
    }
}
