//! What else can be done with a request: hand it over, put it off.

use crate::{
    bridge,
    components::{
        icon::{Glyph, Icon},
        overlay::Overlay,
        toast::Toast,
    },
    format,
    keys::use_keys,
};
use chrono::{DateTime, Datelike as _, Duration, Local, TimeZone as _, Utc};
use shared_types::{
    api::approvals::{Approval, NewHandover},
    desktop::{
        DecisionResult, Failure, QueuedDecisionState,
        commands::{HandOver, SnoozeRequest, WithdrawQueued},
        keys::{Action, View},
    },
    ids::ApprovalId,
};
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlInputElement;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(super) struct Props {
    pub(super) approval: Approval,
    pub(super) may: bool,
    /// The request leaves the list: the next one is shown.
    pub(super) leave: Callback<ApprovalId>,
    /// What became of it.
    pub(super) said: Callback<(Toast, Option<Approval>)>,
}

/// The button with its menu, and the sheet that asks to whom a request is handed.
#[component]
pub(super) fn More(props: &Props) -> Html {
    let (open, handing) = (use_state(|| false), use_state(|| false));
    let snooze = {
        let (approval, leave, said) = (props.approval.clone(), props.leave.clone(), props.said.clone());
        let open = open.clone();
        Callback::from(move |until: Option<DateTime<Utc>>| {
            open.set(false);
            let (id, title) = (approval.approval_id, format::title(&approval));
            if until.is_some() {
                leave.emit(id);
            }
            let said = said.clone();
            spawn_local(async move {
                let answer = bridge::ask(SnoozeRequest { id, title: title.clone(), until }).await;
                let done = match until {
                    Some(until) => format!("snoozed until {}", format::weekday(until)),
                    None => "snoozed no longer".to_owned(),
                };
                said.emit((outcome_of(&title, &done, answer).0, None));
            });
        })
    };
    {
        let (snooze, may) = (snooze.clone(), props.may);
        use_keys(View::Card, move |action| {
            let takes = action == Action::Snooze && may;
            if takes {
                snooze.emit(Some(format::now() + Duration::hours(1)));
            }
            takes
        });
    }
    let toggle = {
        let open = open.clone();
        Callback::from(move |_: MouseEvent| open.set(!*open))
    };
    let choices = snoozes(format::now().with_timezone(&Local)).into_iter().map(|(name, until)| {
        let onclick = snooze.reform(move |_: MouseEvent| Some(until));
        html! { <button class="btn quiet" role="menuitem" {onclick}>{ name }</button> }
    });
    let choices: Html = choices.collect();
    let hand = {
        let (open, handing) = (open.clone(), handing.clone());
        Callback::from(move |_: MouseEvent| {
            open.set(false);
            handing.set(true);
        })
    };
    let close = {
        let handing = handing.clone();
        Callback::from(move |()| handing.set(false))
    };
    let back = props.approval.snoozed_until.map(|_| snooze.reform(|_: MouseEvent| None));
    html! {
        <span class="menu-at">
            <button class="btn quiet" aria-haspopup="menu" aria-expanded={open.to_string()} disabled={!props.may} onclick={toggle}>{ "More" }</button>
            if *open {
                <div class="menu" role="menu" aria-label="More">
                    <button class="btn quiet" role="menuitem" onclick={hand}>{ "Hand over…" }</button>
                    { choices }
                    if let Some(back) = back { <button class="btn quiet" role="menuitem" onclick={back}>{ "Snooze no longer" }</button> }
                </div>
            }
            if *handing { <HandOverSheet approval={props.approval.clone()} {close} leave={props.leave.clone()} said={props.said.clone()} /> }
        </span>
    }
}

/// What became of it, in words; never "done" before the server says so.
fn outcome_of(title: &str, done: &str, answer: Result<DecisionResult, Failure>) -> (Toast, Option<Approval>) {
    let not_done = |why: &str| Toast::failed(format!("{title}: not {done}. {why}"));
    match answer {
        Ok(DecisionResult::Recorded(after)) => (Toast::done(format!("{title}: {done}")), Some(*after)),
        Ok(DecisionResult::Queued(_) | DecisionResult::Undone) => {
            (Toast::queued(format!("{title}: {done}, queued and not yet recorded")), None)
        }
        Ok(DecisionResult::Rejected(item)) => match item.state {
            QueuedDecisionState::Rejected { problem } => (not_done(&problem.detail), None),
            QueuedDecisionState::Queued
            | QueuedDecisionState::Sending
            | QueuedDecisionState::Recorded { .. } => (not_done(""), None),
        },
        Err(failure) => (not_done(&failure.words()), None),
    }
}

/// In an hour, tomorrow morning, next Monday morning.
fn snoozes(now: DateTime<Local>) -> Vec<(&'static str, DateTime<Utc>)> {
    let morning = |days: i64| {
        let day = (now + Duration::days(days)).date_naive();
        let local = day.and_hms_opt(9, 0, 0).and_then(|at| Local.from_local_datetime(&at).earliest());
        local.map(|at| at.with_timezone(&Utc))
    };
    let to_monday = 7 - i64::from(now.weekday().num_days_from_monday());
    let mut choices = vec![("Snooze for an hour", now.with_timezone(&Utc) + Duration::hours(1))];
    choices.extend(morning(1).map(|at| ("Snooze until tomorrow, 9:00", at)));
    choices.extend(morning(to_monday).map(|at| ("Snooze until Monday, 9:00", at)));
    choices
}

#[derive(Properties, PartialEq)]
struct SheetProps {
    approval: Approval,
    close: Callback<()>,
    leave: Callback<ApprovalId>,
    said: Callback<(Toast, Option<Approval>)>,
}

/// Asks to whom a request is handed, and why.
#[component]
fn HandOverSheet(props: &SheetProps) -> Html {
    let (to, comment) = (use_node_ref(), use_node_ref());
    let failed = use_state(|| None::<String>);
    let submit = {
        let (to, comment, failed, props_of) = (
            to.clone(),
            comment.clone(),
            failed.clone(),
            (props.approval.clone(), props.close.clone(), props.leave.clone(), props.said.clone()),
        );
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let text = |at: &NodeRef| {
                at.cast::<HtmlInputElement>().map(|input| input.value().trim().to_owned()).unwrap_or_default()
            };
            let (address, said_why) = (text(&to), text(&comment));
            if address.is_empty() {
                failed.set(Some("Write the address of a person.".to_owned()));
                return;
            }
            let (approval, close, leave, said) = props_of.clone();
            let failed = failed.clone();
            spawn_local(async move {
                let (id, title) = (approval.approval_id, format::title(&approval));
                let comment = Some(said_why).filter(|text| !text.is_empty());
                let handover = NewHandover { to: address.clone(), comment };
                match bridge::ask(HandOver { id, title: title.clone(), handover }).await {
                    // What the server refuses is mended here, and not in the Outbox.
                    Ok(DecisionResult::Rejected(item)) => {
                        drop(bridge::ask(WithdrawQueued { id: item.id.to_string() }).await);
                        if let QueuedDecisionState::Rejected { problem } = item.state {
                            failed.set(Some(problem.detail.clone()));
                        }
                    }
                    answer => {
                        close.emit(());
                        leave.emit(id);
                        said.emit(outcome_of(&title, &format!("handed over to {address}"), answer));
                    }
                }
            });
        })
    };
    html! {
        <Overlay name="Hand over" asks={true} described_by="hand-says" close={props.close.clone()}>
            <form onsubmit={submit}>
                <h2>{ "Hand over" }</h2>
                <p id="hand-says">{ "Somebody else decides this request in your place. You can't take it back; they can hand it over again." }</p>
                <label>{ "To" }<input class="field" type="email" name="to" ref={to} placeholder="cy@example.com" aria-invalid={failed.as_ref().map(|_| "true")} /></label>
                <label>{ "Why" }<input class="field" type="text" name="comment" ref={comment} placeholder="Optional, shown on the card" maxlength="10000" /></label>
                if let Some(failed) = &*failed { <p class="under bad" role="alert"><Glyph icon={Icon::Cross} />{ " " }{ failed }</p> }
                <div class="row">
                    <button class="btn push" type="button" onclick={props.close.reform(|_: MouseEvent| ())}>{ "Cancel" }</button>
                    <button class="btn primary" type="submit">{ "Hand over" }</button>
                </div>
            </form>
        </Overlay>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_put_off_to_a_morning_that_is_still_to_come() {
        let now = Local::now();
        for (name, until) in snoozes(now) {
            assert!(until > now.with_timezone(&Utc), "{name}: {until}");
        }
        let monday = snoozes(now)[2].1.with_timezone(&Local);
        assert_eq!(monday.weekday(), chrono::Weekday::Mon);
    }
}
