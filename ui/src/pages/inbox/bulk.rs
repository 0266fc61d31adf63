//! Deciding several requests together: what they come to, one decision for all, and what became of each.

use super::{
    decide::outcome,
    totals::{Share, shares, totals},
};
use crate::{
    bridge,
    components::{
        icon::{Glyph, Icon},
        overlay::Overlay,
        toast::Toast,
    },
    format,
};
use shared_types::{
    api::approvals::{Approval, NewDecision},
    desktop::commands::DecideApproval,
    ids::ApprovalId,
    workflow::approval::Verdict,
};
use std::{cell::Cell, collections::BTreeMap, rc::Rc};
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlTextAreaElement;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(super) struct Props {
    /// Those that are decided together, as they were when the sheet was opened.
    pub(super) approvals: Vec<Approval>,
    /// The server recorded a decision: the request as it stands then.
    pub(super) recorded: Callback<Approval>,
    pub(super) close: Callback<()>,
}

/// What became of each.
type Outcomes = BTreeMap<ApprovalId, Toast>;

/// The sheet: what they come to and one decision for all; once it is sent, the outcome of each.
#[component]
pub(super) fn Bulk(props: &Props) -> Html {
    let reason = use_node_ref();
    let needs_reason = use_state(|| false);
    let outcomes = use_state(Outcomes::new);
    let sending = use_state(|| false);
    // Closing the sheet sends no more of them.
    let stopped = use_memo((), |()| Cell::new(false));
    let decide = {
        let (reason, needs_reason) = (reason.clone(), needs_reason.clone());
        let (outcomes, sending, stopped) = (outcomes.clone(), sending.clone(), stopped.clone());
        let (approvals, recorded) = (props.approvals.clone(), props.recorded.clone());
        Callback::from(move |verdict: Verdict| {
            let comment = reason.cast::<HtmlTextAreaElement>().map(|field| field.value().trim().to_owned());
            let comment = comment.filter(|text| !text.is_empty());
            if verdict != Verdict::Approve && comment.is_none() {
                needs_reason.set(true);
                return;
            }
            sending.set(true);
            let all = Sending {
                approvals: approvals.clone(),
                verdict,
                comment,
                recorded: recorded.clone(),
                stopped: stopped.clone(),
            };
            let (outcomes, sending) = (outcomes.clone(), sending.clone());
            spawn_local(async move {
                send(all, |so_far| outcomes.set(so_far)).await;
                sending.set(false);
            });
        })
    };
    let close = {
        let (close, stopped) = (props.close.clone(), stopped.clone());
        Callback::from(move |()| {
            stopped.set(true);
            close.emit(());
        })
    };
    let count = props.approvals.len();
    let of = |verdict: Verdict| decide.reform(move |_: MouseEvent| verdict);
    let close_by_button = close.reform(|_: MouseEvent| ());
    html! {
        <Overlay name="Decide together" asks={true} described_by="bulk-says" {close}>
            <div class="bulk">
            <h2>{ format!("Decide {} together", format::count(count, "request", "requests")) }</h2>
            <p id="bulk-says">{ what(&props.approvals) }</p>
            { sums(&props.approvals) }
            { each(&props.approvals, &outcomes) }
            if *sending {
                <div class="row"><span class="muted" role="status">{ format!("{} of {count} sent", outcomes.len()) }</span>
                    <button class="btn push" onclick={close_by_button}>{ "Send no more" }</button></div>
            } else if outcomes.is_empty() {
                <label>{ "Reason, for each of them" }
                    <textarea class="field" name="together" rows="2" ref={reason} maxlength="10000" aria-invalid={needs_reason.then_some("true")} /></label>
                if *needs_reason { <p class="under bad" role="alert"><Glyph icon={Icon::Cross} />{ " Write a reason; whoever asked reads it." }</p> }
                <div class="row">
                    <button class="btn push" onclick={close_by_button}>{ "Cancel" }</button>
                    <button class="btn" onclick={of(Verdict::Reject)}>{ format!("Reject {count}") }</button>
                    <button class="btn primary" onclick={of(Verdict::Approve)}>{ format!("Approve {count}") }</button>
                </div>
            } else {
                <div class="row"><button class="btn primary push" onclick={close_by_button}>{ "Close" }</button></div>
            }
            </div>
        </Overlay>
    }
}

/// A decision for several requests.
struct Sending {
    approvals: Vec<Approval>,
    verdict: Verdict,
    comment: Option<String>,
    recorded: Callback<Approval>,
    stopped: Rc<Cell<bool>>,
}

/// Sends them one after the other, each by the Outbox, so that each has its own outcome and none is lost.
async fn send(all: Sending, told: impl Fn(Outcomes)) {
    let mut outcomes = Outcomes::new();
    for approval in &all.approvals {
        if all.stopped.get() {
            return;
        }
        let (id, title) = (approval.approval_id, format::title(approval));
        let decision = NewDecision {
            decision: all.verdict.into(),
            level: approval.you.as_ref().and_then(|you| you.level.clone()),
            comment: all.comment.clone(),
            edits: None,
            seen: Some(approval.seen.clone()),
            decided_at: None,
        };
        let answer =
            bridge::ask(DecideApproval { id, title: title.clone(), decision, can_undo: false }).await;
        let (toast, after) = outcome(&title, all.verdict, answer);
        if let Some(after) = after {
            all.recorded.emit(after);
        }
        outcomes.insert(id, toast);
        told(outcomes.clone());
    }
}

/// Of which step they are, and how many.
fn what(approvals: &[Approval]) -> String {
    let Some(first) = approvals.first() else { return String::new() };
    format!("{}, step {}. Each is recorded by itself.", first.workflow_name, first.step_id)
}

/// The totals, a row a currency.
fn sums(approvals: &[Approval]) -> Html {
    let rows = totals(&approvals.iter().collect::<Vec<_>>()).into_iter().map(|total| {
        let currency = Some(total.currency.as_str()).filter(|currency| !currency.is_empty());
        let sum = format::amount(total.sum.as_deref(), currency);
        html! {
            <div class="row total"><span>{ format!("Total of {}", total.count) }</span>
                <b class="num push">{ sum.unwrap_or_else(|| "Too large to be added".to_owned()) }</b></div>
        }
    });
    rows.collect()
}

/// A row for each: its amount drawn beside the others, and what became of it.
fn each(approvals: &[Approval], outcomes: &Outcomes) -> Html {
    let shares = shares(&approvals.iter().collect::<Vec<_>>());
    let rows = approvals.iter().map(|approval| {
        let id = approval.approval_id;
        row(approval, shares.get(&id).copied(), outcomes.get(&id))
    });
    html! { <ul class="together" tabindex="0" aria-label="Requests">{ rows.collect::<Html>() }</ul> }
}

fn row(approval: &Approval, share: Option<Share>, outcome: Option<&Toast>) -> Html {
    let amount = format::amount(approval.amount.as_deref(), approval.currency.as_deref());
    let width = share.map(|share| format!("width: {:.1}%", share.of_largest * 100.0));
    let large = share.and_then(|share| share.times_median);
    let title = format::title(approval);
    // The row names the request already.
    let said = outcome.map(|outcome| outcome.text().trim_start_matches(&format!("{title}: ")).to_owned());
    html! {
        <li key={approval.approval_id.to_string()}>
            <div class="row"><span class="cut" title={title.clone()}>{ title }</span><span class="num push">{ amount }</span></div>
            if let Some(width) = width {
                <div class={classes!("bar", large.map(|_| "is-large"))}><span style={width}></span></div>
            }
            if let Some(times) = large {
                <span class="under wait"><Glyph icon={Icon::Look} />{ format!(" {times:.1} times the median of these") }</span>
            }
            if let Some(outcome) = outcome {
                <span class={classes!("under", outcome.is_failed().then_some("bad"))} role="status">{ said }</span>
            }
        </li>
    }
}
