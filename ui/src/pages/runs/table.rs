//! The table: of thousands of rows, those in sight and a few around them are in the page.

use crate::{components::states::RunState, format, route::Route};
use shared_types::{api::executions::Execution, ids::WorkflowId};
use std::{ops::Range, rc::Rc};
use web_sys::HtmlElement;
use yew::prelude::*;
use yew_router::prelude::*;

/// A row's height in pixels, as the style sheet has it.
const ROW: usize = 40;
/// How many rows above and below those in sight are kept in the page.
const AROUND: usize = 30;
/// The rows in sight change in steps of so many, so that not every pixel of scrolling draws.
const STEP: usize = 10;

/// The rows in sight of a list, and what its scrolling calls.
#[hook]
pub(super) fn use_sight(count: usize, near_end: Callback<()>) -> (Range<usize>, Callback<Event>) {
    let sight = use_state_eq(|| 0..2 * AROUND);
    let onscroll = {
        let sight = sight.clone();
        Callback::from(move |event: Event| {
            let Some(pane) = event.target_dyn_into::<HtmlElement>() else { return };
            let rows = |pixels: i32| usize::try_from(pixels).unwrap_or_default() / ROW;
            let (first, height) = (rows(pane.scroll_top()), rows(pane.client_height()));
            let first = first.saturating_sub(AROUND) / STEP * STEP;
            let last = (first + height + 2 * AROUND + STEP).next_multiple_of(STEP);
            sight.set(first..last);
            if last >= count {
                near_end.emit(());
            }
        })
    };
    ((*sight).clone(), onscroll)
}

#[derive(Properties, PartialEq)]
pub(super) struct Props {
    pub(super) rows: Rc<Vec<Rc<Execution>>>,
    pub(super) sight: Range<usize>,
    pub(super) names: Vec<(WorkflowId, String)>,
}

/// The table.
#[component]
pub(super) fn Table(props: &Props) -> Html {
    let navigator = use_navigator();
    let count = props.rows.len();
    let (first, last) = (props.sight.start.min(count), props.sight.end.min(count));
    let rows = props.rows[first..last].iter().enumerate().map(|(n, run)| {
        let (navigator, id) = (navigator.clone(), run.execution_id.to_string());
        let onclick = Callback::from(move |_: MouseEvent| {
            if let Some(navigator) = &navigator {
                super::leave_for(&id);
                navigator.push(&Route::Run { id: id.clone() });
            }
        });
        row(run, first + n + 2, &props.names, onclick)
    });
    let space = |rows: usize| {
        (rows > 0).then(|| html! { <tr aria-hidden="true"><td class="space" colspan="4" style={format!("height:{}px", rows * ROW)}></td></tr> })
    };
    html! {
        <table class="table runs" role="grid" aria-rowcount={(count + 1).to_string()} data-rows="">
            <colgroup><col /><col /><col /><col /><col /><col /></colgroup>
            <thead><tr><th>{ "Result" }</th><th>{ "Workflow" }</th><th>{ "Subject and reason" }</th>
                <th class="num">{ "Started" }</th><th class="num">{ "Took" }</th><th class="num">{ "Amount" }</th></tr></thead>
            <tbody>{ space(first) }{ rows.collect::<Html>() }{ space(count - last) }</tbody>
        </table>
    }
}

fn row(
    run: &Execution,
    number: usize,
    names: &[(WorkflowId, String)],
    onclick: Callback<MouseEvent>,
) -> Html {
    let name = names
        .iter()
        .find(|(id, _)| *id == run.workflow_id)
        .map_or_else(|| run.workflow_id.to_string(), |(_, name)| name.clone());
    let subject = run.subject.clone().unwrap_or_else(|| run.event_id.to_string());
    let reason = run.reason.as_ref().map(|reason| format!(" · {reason}")).unwrap_or_default();
    let took = run.ended_at.map(|end| format::took(format::milliseconds(end - run.started_at)));
    let amount = format::amount(run.amount.as_deref(), run.currency.as_deref());
    html! {
        <tr tabindex="0" data-id={run.execution_id.to_string()} key={run.execution_id.to_string()} aria-rowindex={number.to_string()} {onclick}>
            <td><RunState status={run.status} result={run.result} /></td>
            <td title={name.clone()}>{ name.clone() }</td>
            <td title={format!("{subject}{reason}")}>{ subject.clone() }<span class="muted">{ reason.clone() }</span></td>
            <td class="num muted" title={format::exact(run.started_at)}>{ format::clock(run.started_at) }</td>
            <td class="num">{ took }</td>
            <td class="num" title={amount.clone()}>{ amount }</td>
        </tr>
    }
}
