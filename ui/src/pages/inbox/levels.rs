//! The levels of a request as a short ladder: who decided, for whom, when, what they said; and who is still needed.

use crate::{
    components::icon::{Glyph, Icon},
    format,
};
use serde_json::{Map, Value};
use shared_types::{
    api::approvals::{Approval, ApprovalDecision, ApprovalLevel, LevelStatus},
    approval::quorum::Quorum,
};
use yew::prelude::*;

/// Whether a request's levels say more than who decided.
pub(super) fn are_telling(approval: &Approval) -> bool {
    let is_plain = |level: &ApprovalLevel| {
        level.quorum.places() <= 1
            && level.handovers.is_empty()
            && level.escalates_at.is_none()
            && level.escalated_at.is_none()
    };
    approval.levels.len() > 1 || !approval.form.is_empty() || !approval.levels.iter().all(is_plain)
}

/// The ladder.
pub(super) fn ladder(approval: &Approval) -> Html {
    let steps = approval.levels.iter().map(step);
    html! { <ol class="ladder">{ steps.collect::<Html>() }</ol> }
}

fn step(level: &ApprovalLevel) -> Html {
    let (icon, tone) = match level.status {
        LevelStatus::Waiting => (Icon::Dot, "muted"),
        LevelStatus::Open => (Icon::Hourglass, "wait"),
        LevelStatus::Approved => (Icon::Tick, "ok"),
        LevelStatus::Rejected | LevelStatus::ChangesRequested => (Icon::Bar, "bad"),
        LevelStatus::Expired => (Icon::Clock, "wait"),
        LevelStatus::Withdrawn => (Icon::Slash, "muted"),
    };
    let handovers = level.handovers.iter().map(|handover| {
        let said = handover.comment.as_ref().map(|comment| format!(": “{comment}”")).unwrap_or_default();
        html! {
            <p>{ format!("{} handed this over to {}{said}", handover.from_name, handover.to_name) }
                <span class="muted" title={format::exact(handover.at)}>{ format!(" {}", format::hour(handover.at)) }</span></p>
        }
    });
    let needed = level.still_needed.as_ref().map(|needed| {
        html! {
            <p>{ format::with_role_names(needed) }<span class="muted">{ times(level) }</span></p>
        }
    });
    let named = format::role_or_name(&level.name);
    html! {
        <li><Glyph {icon} {tone} /><div>
            <b>{ named }</b><span class="muted">{ format!(" {}", how_far(level)) }</span>
            { level.decisions.iter().map(decision).collect::<Html>() }
            { handovers.collect::<Html>() }
            { needed.unwrap_or_default() }
        </div></li>
    }
}

/// `1 of 2, open since 11:02`; `Then`, for one that is still to come.
fn how_far(level: &ApprovalLevel) -> String {
    let places = level.quorum.places();
    let parts = match &level.quorum {
        Quorum::Count(_) => format!("{} of {places}", level.filled),
        Quorum::ByEntry(entries) => {
            let each: Vec<String> = entries
                .iter()
                .map(|(entry, n)| format!("{n} {}", format::role_or_name(entry.name())))
                .collect();
            format!("{} of {places} ({})", level.filled, each.join(", "))
        }
    };
    match (level.status, level.opened_at) {
        (LevelStatus::Open, Some(at)) => format!("{parts}, open since {}", format::moment(at)),
        (LevelStatus::Waiting, _) => format!("{places} needed, asked next"),
        (LevelStatus::Open, None)
        | (
            LevelStatus::Approved
            | LevelStatus::Rejected
            | LevelStatus::ChangesRequested
            | LevelStatus::Expired
            | LevelStatus::Withdrawn,
            _,
        ) => parts,
    }
}

/// When people were and are reminded, and who is asked besides, and when.
fn times(level: &ApprovalLevel) -> String {
    let others = || {
        let names: Vec<String> =
            level.escalate_to.iter().map(|entry| format::role_or_name(entry.name())).collect();
        names.join(" and ")
    };
    let reminded = level.reminded_at.map(|at| format!(" Reminded {}.", format::moment(at)));
    let escalated = match (level.escalated_at, level.escalates_at) {
        (Some(at), _) => Some(format!(" {} asked too since {}.", others(), format::moment(at))),
        (None, Some(at)) => Some(format!(" {} asked too from {}.", others(), format::moment(at))),
        (None, None) => None,
    };
    [reminded, escalated].into_iter().flatten().collect()
}

fn decision(made: &ApprovalDecision) -> Html {
    let stands_for = made.stands_for_name.as_ref().or(made.stands_for.as_ref());
    let stands_for = stands_for.map(|other| format!(" for {other}")).unwrap_or_default();
    let said = made.comment.as_ref().map(|comment| format!(": “{comment}”")).unwrap_or_default();
    let gone = match (made.retracted_at, made.superseded_at) {
        (Some(at), _) => Some(format!(" Taken back {}.", format::hour(at))),
        (None, Some(_)) => Some(" Something else is asked since.".to_owned()),
        (None, None) => None,
    };
    let class = gone.is_some().then_some("was");
    html! {
        <p><span {class}>{ format!("{} {}", made.name, format::verdict_word(made.decision)) }{ stands_for }
            <span class="muted" title={format::exact(made.at)}>{ format!(" {}", format::hour(made.at)) }</span>{ said }</span>
            { made.edits.as_ref().map(|edits| edited(made, edits)).unwrap_or_default() }
            if let Some(gone) = gone { <span class="muted">{ gone }</span> }</p>
    }
}

/// What an edit made of the fields: `Credit days: 30 → 14`; without what they held before where that wasn't kept.
fn edited(made: &ApprovalDecision, edits: &Map<String, Value>) -> Html {
    let each = edits.iter().map(|(name, value)| {
        let before = made.edited_from.as_ref().map(|before| format::value(before.get(name).unwrap_or(&Value::Null)));
        html! {
            <span class="change">{ format!(" {}: ", format::label(name)) }
                if let Some(before) = before { <span class="was">{ before }</span> }{ " → " }<b>{ format::value(value) }</b></span>
        }
    });
    each.collect()
}
