//! States: an icon in its colour, with its word.

use super::icon::{Glyph, Icon};
use crate::format;
use shared_types::machine::{fact::StepState, result::RunResult, state::RunStatus};
use yew::prelude::*;

/// A run's icon and its colour.
pub(crate) fn run_icon(status: RunStatus, result: Option<RunResult>) -> (Icon, &'static str) {
    match (status, result) {
        (RunStatus::Running, _) => (Icon::Dot, "run"),
        (RunStatus::Waiting | RunStatus::Paused, _) => (Icon::Hourglass, "wait"),
        (RunStatus::Ended, Some(RunResult::Blocked)) => (Icon::Bar, "bad"),
        (RunStatus::Ended, Some(RunResult::Failed)) => (Icon::Cross, "bad"),
        (RunStatus::Ended, Some(RunResult::Cancelled)) => (Icon::Slash, "muted"),
        (RunStatus::Ended, Some(RunResult::TimedOut)) => (Icon::Clock, "wait"),
        (
            RunStatus::Ended,
            Some(RunResult::Allowed | RunResult::Executed | RunResult::PendingApproval) | None,
        ) => (Icon::Tick, "ok"),
    }
}

/// A step's icon and its colour.
pub(crate) fn step_icon(state: StepState) -> (Icon, &'static str) {
    match state {
        StepState::Entered => (Icon::Dot, "run"),
        StepState::Waiting => (Icon::Hourglass, "wait"),
        StepState::Done => (Icon::Tick, "ok"),
        StepState::Failed => (Icon::Cross, "bad"),
        StepState::Retrying => (Icon::Retry, "wait"),
        StepState::Cancelled => (Icon::Slash, "muted"),
        StepState::Skipped => (Icon::Skip, "muted"),
        StepState::Late => (Icon::Clock, "muted"),
    }
}

#[derive(Properties, PartialEq)]
pub(crate) struct RunStateProps {
    pub(crate) status: RunStatus,
    pub(crate) result: Option<RunResult>,
}

/// How a run stands.
#[component]
pub(crate) fn RunState(props: &RunStateProps) -> Html {
    let (icon, tone) = run_icon(props.status, props.result);
    html! {
        <span class="state"><Glyph {icon} {tone} /> { format::run_word(props.status, props.result) }</span>
    }
}
