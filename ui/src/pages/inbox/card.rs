//! The decision card: the question, how it stands, what follows, the evidence, why, who said what.

use super::{
    changes::changes,
    decide::Decide,
    evidence::facts,
    exact,
    form::Form,
    form_drafts, levels, queued_words,
    refused::{refused, unread_change},
};
use crate::{
    bridge,
    components::{
        icon::{Glyph, Icon},
        loading::{Stale, show},
        toast::Toast,
        why_tree::WhyTree,
    },
    format,
    load::{Load, use_load},
    route::Route,
    shell_events::use_shell_event,
};
use chrono::{DateTime, Utc};
use shared_types::{
    api::approvals::Approval,
    approval::decision::RequestStatus,
    desktop::{
        Loaded, QueuedDecision, ShellEvent,
        commands::{ReadApproval, SetInFront},
    },
    ids::ApprovalId,
    workflow::{approval::Verb, duration::in_words},
};
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;
use yew_router::prelude::*;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) id: ApprovalId,
    /// As the list has it, with the list's age: shown at once, until it is read.
    pub(crate) known: Option<Rc<Loaded<Approval>>>,
    pub(crate) queued: Vec<QueuedDecision>,
    /// The request is decided: the next one is shown.
    pub(crate) leave: Callback<ApprovalId>,
    /// What became of a decision, and the request where it is closed.
    pub(crate) said: Callback<(Toast, Option<Approval>)>,
}

#[component]
pub(crate) fn Card(props: &Props) -> Html {
    let id = props.id;
    let reading = use_load(id, |id, policy| bridge::ask(ReadApproval { id, policy }));
    let again = reading.again.clone();
    use_shell_event(move |event| match event {
        ShellEvent::Changed { id: changed, .. } if changed == id.to_string() || changed.is_empty() => {
            again.emit(());
        }
        ShellEvent::Outbox => again.emit(()),
        ShellEvent::Changed { .. }
        | ShellEvent::Connection(_)
        | ShellEvent::Session(_)
        | ShellEvent::Open(_)
        | ShellEvent::Leaving(_) => {}
    });
    use_effect_with(id, |id| {
        let id = id.to_string();
        // Only what is in front needs no notification; a shell that doesn't answer raises one too many.
        spawn_local(async move { drop(bridge::ask(SetInFront { id: Some(id) }).await) });
        || spawn_local(async { drop(bridge::ask(SetInFront { id: None }).await) })
    });
    // Typing in the form changes what the foot says.
    let redraw = use_force_update();
    let changed = Callback::from(move |()| redraw.force_update());
    let unread = unread_change(&props.queued, id);
    let load = match (&reading.load, &props.known) {
        (Load::Waiting, Some(known)) => Load::Ready(known.clone()),
        (load, _) => load.clone(),
    };
    show(&load, (&reading.again, &reading.cancel), "the request", |loaded| {
        let approval = &loaded.data;
        let on_its_way = queued_words(&props.queued, approval);
        html! {
            <>
                <div class="scroll"><div class="card-body data">
                    { head(approval) }
                    <Stale at={loaded.at} fresh={loaded.fresh} />
                    { refused(&props.queued, id, unread, &changed) }
                    { standing(approval) }
                    { stuck(approval) }
                    { effects(approval) }
                    if levels::are_telling(approval) { { section("Levels", levels::ladder(approval)) } }
                    if !approval.form.is_empty() {
                        { section("To fill in", html! { <Form approval={approval.clone()} may_edit={may_edit(approval)} changed={changed.clone()} /> }) }
                    }
                    { section("Evidence", facts(approval)) }
                    { why(approval) }
                    if !levels::are_telling(approval) { { said(approval) } }
                </div></div>
                <Decide approval={approval.clone()} on_its_way={on_its_way.clone()} edits={form_drafts::edits(id)} is_locked={unread.is_some()} leave={props.leave.clone()} said={props.said.clone()} />
            </>
        }
    })
}

fn may_edit(approval: &Approval) -> bool {
    approval.you.as_ref().is_some_and(|you| you.may.contains(&Verb::ApproveWithEdits))
}

/// Why nobody can decide, and that a request was put off.
fn stuck(approval: &Approval) -> Html {
    let snoozed = approval.snoozed_until.filter(|_| approval.status == RequestStatus::Pending);
    html! {
        <>
            if let Some(last) = approval.reopened.last().filter(|_| approval.status == RequestStatus::Pending) {
                <div class="banner is-wrapped" role="status"><Glyph icon={Icon::Look} tone="wait" />
                    <span class="fill">{ format!("Asked again {}: {}.", format::clock(last.at), last.because) }{ changes(&last.changes) }</span></div>
            }
            if let Some(why) = &approval.stuck {
                <div class="banner" role="status"><Glyph icon={Icon::Look} tone="wait" />
                    <span>{ format!("{why} The administrators have been told.") }</span></div>
            }
            if let Some(until) = snoozed {
                <div class="banner" role="status"><Glyph icon={Icon::Clock} tone="muted" />
                    <span>{ format!("Snoozed until {}, for you alone.", format::weekday(until)) }</span></div>
            }
        </>
    }
}

fn head(approval: &Approval) -> Html {
    html! {
        <div class="row top">
            <h2 class="question">{ format::question(approval) }</h2>
            <Link<Route> to={Route::Run { id: approval.execution_id.to_string() }}>
                <span class="btn quiet square" title="Open the run" aria-label="Open the run"><Glyph icon={Icon::Open} /></span>
            </Link<Route>>
        </div>
    }
}

fn standing(approval: &Approval) -> Html {
    let line =
        |icon: Icon, tone: &'static str, text: String| html! { <><Glyph {icon} {tone} /> <p>{ text }</p></> };
    let closed = match approval.status {
        RequestStatus::Pending => None,
        RequestStatus::Approved => Some((Icon::Tick, "ok")),
        RequestStatus::Rejected | RequestStatus::ChangesRequested => Some((Icon::Bar, "bad")),
        RequestStatus::Expired => Some((Icon::Clock, "wait")),
        RequestStatus::Withdrawn => Some((Icon::Slash, "muted")),
    };
    let closed = closed.map(|(icon, tone)| {
        let because =
            approval.withdrawn_because.as_ref().map(|because| format!(": {because}")).unwrap_or_default();
        let at = approval.closed_at.map(|at| format!(" {}", format::clock(at))).unwrap_or_default();
        line(icon, tone, format!("{}{at}{because}", format::request_word(approval.status)))
    });
    html! {
        <div class="standing">
            { closed.unwrap_or_default() }
            if approval.status == RequestStatus::Pending {
                { approval.expires_at.map(|until| line(Icon::Hourglass, deadline_tone(approval, until), deadline(approval, until))).unwrap_or_default() }
                { approval.still_needed.clone().map(|needed| line(Icon::Person, "muted", format!("Still needed: {}", format::with_role_names(&lower_first(&needed))))).unwrap_or_default() }
            }
        </div>
    }
}

/// `4 h of working time left, until Mon 30 Nov 10:30.`
fn deadline(approval: &Approval, until: DateTime<Utc>) -> String {
    match approval.working_seconds_left {
        Some(seconds) if until > format::now() => {
            let left = in_words(chrono::Duration::minutes((seconds / 60).max(1)));
            format!("{left} of working time left, until {}.", format::weekday(until))
        }
        Some(_) | None => format::deadline(until),
    }
}

fn deadline_tone(approval: &Approval, until: DateTime<Utc>) -> &'static str {
    let opened =
        approval.levels.iter().filter_map(|level| level.opened_at).max().unwrap_or(approval.asked_at);
    if format::is_pressing(opened, until) { "wait" } else { "muted" }
}

/// A sentence that goes on in the middle of another; names keep their capitals.
fn lower_first(sentence: &str) -> String {
    sentence.strip_prefix("One of").map_or_else(|| sentence.to_owned(), |rest| format!("one of{rest}"))
}

fn effects(approval: &Approval) -> Html {
    let side = |icon: Icon, tone: &'static str, name: &'static str, sentences: &[String]| {
        html! {
            <div><h3 class="row"><Glyph {icon} {tone} /> { name }</h3>
                { sentences.iter().map(|sentence| html! { <p>{ sentence }</p> }).collect::<Html>() }</div>
        }
    };
    html! {
        <div class="effects">
            { side(Icon::Tick, "ok", "If you approve", &approval.if_approved) }
            { side(Icon::Bar, "bad", "If you reject", &approval.if_rejected) }
            { exact::exact(approval) }
        </div>
    }
}

fn section(name: &'static str, content: Html) -> Html {
    html! { <section class="sect"><h3>{ name }</h3><div>{ content }</div></section> }
}

fn why(approval: &Approval) -> Html {
    let trees = approval.why.iter().map(|passed| html! { <WhyTree why={passed.why.clone()} amount={approval.amount.clone()} currency={approval.currency.clone()} /> });
    section(
        "Why it came to you",
        html! {
            <>
                if let Some(reason) = &approval.reason { <p>{ reason }</p> }
                { trees.collect::<Html>() }
                if let (RequestStatus::Pending, Some(because)) = (approval.status, &approval.cannot_because) { <p class="muted">{ because }</p> }
            </>
        },
    )
}

fn said(approval: &Approval) -> Html {
    let asked = approval
        .requester
        .as_ref()
        .map_or_else(|| "The workflow".to_owned(), |requester| requester.name.clone());
    let decisions = approval.levels.iter().flat_map(|level| &level.decisions).map(|made| {
        let comment = made.comment.as_ref().map(|comment| format!(": “{comment}”")).unwrap_or_default();
        html! {
            <li><span class="num muted" title={format::exact(made.at)}>{ format::hour(made.at) }</span>
                <span><b>{ &made.name }</b>{ format!(" {}{comment}", format::verdict_word(made.decision)) }</span></li>
        }
    });
    section(
        "Who said what",
        html! {
            <ul class="said">
                <li><span class="num muted" title={format::exact(approval.asked_at)}>{ format::hour(approval.asked_at) }</span>
                    <span><b>{ asked }</b>{ " asked." }</span></li>
                { decisions.collect::<Html>() }
            </ul>
        },
    )
}
