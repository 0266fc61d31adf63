//! The trace as a tree: each visit of a step, in it its branches and items, those that failed first.

use crate::{
    components::{
        icon::{Glyph, Icon},
        states::step_icon,
        why_tree::WhyTree,
    },
    format,
    route::Route,
};
use shared_types::{
    machine::{
        LOADING,
        fact::StepState,
        trace::{LaneState, Moment, TraceLane, TraceNode},
    },
    workflow::number::Money,
};
use std::collections::BTreeSet;
use yew::prelude::*;
use yew_router::prelude::*;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) nodes: Vec<TraceNode>,
    /// Shows more items than now.
    pub(crate) more: Callback<()>,
    /// The money that the run is about.
    pub(crate) amount: Option<String>,
    pub(crate) currency: Option<String>,
}

/// How many items that failed are open from the start.
const OPEN_FAILED: usize = 3;

/// Which rows are open or shut otherwise than they begin.
type Turned = UseStateHandle<BTreeSet<String>>;

struct Rows<'p> {
    turned: &'p Turned,
    of: &'p Props,
}

#[component]
pub(crate) fn Tree(props: &Props) -> Html {
    let turned = use_state(BTreeSet::new);
    let rows = Rows { turned: &turned, of: props };
    html! {
        <div class="scroll trace data" role="tree" aria-label="Trace" data-rows="">
            { props.nodes.iter().map(|node| rows.node(node, "", 0)).collect::<Html>() }
        </div>
    }
}

impl Rows<'_> {
    fn turn(&self, key: &str) -> Callback<MouseEvent> {
        let (turned, key) = (self.turned.clone(), key.to_owned());
        Callback::from(move |event: MouseEvent| {
            event.stop_propagation();
            let mut next = (*turned).clone();
            if !next.remove(&key) {
                next.insert(key.clone());
            }
            turned.set(next);
        })
    }

    fn is_turned(&self, key: &str) -> bool {
        self.turned.contains(key)
    }

    fn node(&self, node: &TraceNode, above: &str, depth: usize) -> Html {
        let key = format!("{above}/{}:{}", node.step_id, node.visit);
        let is_open = self.is_turned(&key);
        // Every attempt that failed, as the timeline counts them; a single one is the row itself.
        let failed = |moment: &&Moment| matches!(moment.state, StepState::Retrying | StepState::Failed);
        let was_tried_again = node.moments.iter().any(|moment| moment.state == StepState::Retrying);
        let attempts = node.moments.iter().filter(failed).filter(|_| was_tried_again);
        let took = node.ended.map(|end| format::took(format::milliseconds(end - node.began)));
        let late = node.moments.iter().filter(|moment| moment.state == StepState::Late);
        html! {
            <>
                <Row state={node.state} name={format::step_name(&node.step_id)} reason={self.reason(node)} took={took}
                    at={node.began} {depth} {is_open} onclick={self.turn(&key)} mono={node.step_id.as_str() != LOADING}
                    step={Some(node.step_id.0.clone())} />
                if is_open { { self.detail(node, depth) } }
                { loads(node).map(|(name, moment)| sub_row(moment, name, depth)).collect::<Html>() }
                { attempts.map(|moment| sub_row(moment, format!("attempt {}", moment.attempt), depth)).collect::<Html>() }
                { node.lanes.iter().enumerate().map(|(n, lane)| self.lane(lane, n, &key, depth + 1)).collect::<Html>() }
                { self.folded(node, depth + 1) }
                { late.map(|moment| sub_row(moment, "came late".to_owned(), depth)).collect::<Html>() }
            </>
        }
    }

    /// A branch is open, and so are the first items that failed; every other is shut until somebody turns it.
    fn lane(&self, lane: &TraceLane, n: usize, above: &str, depth: usize) -> Html {
        let name = match (&lane.branch, lane.item) {
            (Some(branch), _) => format!("Branch {branch}"),
            (None, Some(item)) => format!("Item {item}"),
            (None, None) => String::new(),
        };
        let key = format!("{above}/{name}");
        let begins_open = lane.branch.is_some() || (lane.state == LaneState::Failed && n < OPEN_FAILED);
        let is_open = begins_open != self.is_turned(&key);
        let (state, reason) = match lane.state {
            LaneState::Failed => (StepState::Failed, lane.nodes.last().and_then(|node| node.reason.clone())),
            LaneState::Cancelled => (StepState::Cancelled, None),
            // How it stands is how its last step stands.
            LaneState::Open => (lane.nodes.last().map_or(StepState::Entered, |node| node.state), None),
            LaneState::Done => (StepState::Done, None),
            LaneState::Skipped => {
                (StepState::Skipped, lane.nodes.last().and_then(|node| node.reason.clone()))
            }
        };
        let Some(first) = lane.nodes.first() else { return Html::default() };
        let is_over = lane.nodes.iter().all(|node| node.ended.is_some());
        let end = lane.nodes.iter().filter_map(|node| node.ended).max().filter(|_| is_over);
        let took = end.map(|end| format::took(format::milliseconds(end - first.began)));
        html! {
            <>
                <Row {state} {name} reason={reason.filter(|_| !is_open)} {took} at={first.began} {depth} {is_open}
                    onclick={self.turn(&key)} mono={false} step={None::<String>} />
                if is_open { { lane.nodes.iter().map(|node| self.node(node, &key, depth + 1)).collect::<Html>() } }
            </>
        }
    }

    /// How many items aren't shown.
    fn folded(&self, node: &TraceNode, depth: usize) -> Html {
        let Some(tally) = node.tally.filter(|tally| tally.all > node.lanes.len()) else {
            return Html::default();
        };
        let hidden = tally.all - node.lanes.len();
        let more = self.of.more.reform(|_: MouseEvent| ());
        html! {
            <div class="step is-fold" style={format!("--depth: {depth}")}>
                <span></span><span></span>
                <span class="muted">{ format::count(hidden, "more item", "more items") }</span>
                <span class="muted">{ format!("{}, {} failed; those that failed come first.", format::count(tally.all, "item", "items"), tally.failed) }</span>
                <button class="btn quiet" onclick={more}>{ "Show more" }</button>
            </div>
        }
    }

    /// Why, with the run's amount as money.
    fn reason(&self, node: &TraceNode) -> Option<String> {
        let reason = node.reason.clone()?;
        let money = Money::of(self.of.amount.as_deref(), self.of.currency.as_deref());
        let Some((why, money)) = node.why.as_ref().zip(money) else { return Some(reason) };
        Some(reason.replace(&why.sentence(), &why.sentence_with(Some(money))))
    }

    /// What a step got and gave, why, and the run that it called.
    fn detail(&self, node: &TraceNode, depth: usize) -> Html {
        let side = |name: &'static str, value: Option<&serde_json::Value>| {
            value.map(|value| html! {
                <div><h3>{ name }</h3><pre>{ serde_json::to_string_pretty(value).unwrap_or_default() }</pre></div>
            })
        };
        let input = node.moments.iter().find_map(|moment| moment.input.as_ref());
        let output = node.moments.iter().rev().find_map(|moment| moment.output.as_ref());
        let called = input.and_then(|input| input.get("execution_id")).and_then(serde_json::Value::as_str);
        html! {
            <div class="io" style={format!("--depth: {depth}")}>
                if let Some(id) = called {
                    <div class="wide"><Link<Route> to={Route::Run { id: id.to_owned() }}><span class="btn"><Glyph icon={Icon::Open} tone="muted" /> { "Open the called run" }</span></Link<Route>></div>
                }
                { side("In", input) }
                { side("Out", output) }
                if let Some(why) = &node.why { <div><h3>{ "Why" }</h3><WhyTree why={why.clone()} amount={self.of.amount.clone()} currency={self.of.currency.clone()} /></div> }
            </div>
        }
    }
}

/// What came of each name that was loaded before the first step.
fn loads(node: &TraceNode) -> impl Iterator<Item = (String, &Moment)> {
    let loading = (node.step_id.as_str() == LOADING).then_some(&node.moments);
    loading.into_iter().flatten().filter_map(|moment| {
        let name = moment.output.as_ref()?.get("load")?.as_str()?;
        Some((name.to_owned(), moment))
    })
}

#[derive(Properties, PartialEq)]
struct RowProps {
    state: StepState,
    name: String,
    reason: Option<String>,
    took: Option<String>,
    at: chrono::DateTime<chrono::Utc>,
    depth: usize,
    is_open: bool,
    onclick: Callback<MouseEvent>,
    mono: bool,
    /// The step that it is a visit of.
    step: Option<String>,
}

#[component]
fn Row(props: &RowProps) -> Html {
    let (icon, tone) = step_icon(props.state);
    let word = format::step_word(props.state);
    let class = classes!("step", (props.is_open && props.step.is_some()).then_some("is-open"));
    let name = classes!("cut", props.mono.then_some("mono"));
    let reason = props.reason.as_deref().map(format::with_role_names).unwrap_or_default();
    html! {
        <div {class} style={format!("--depth: {}", props.depth)} role="treeitem" tabindex="0"
            aria-level={(props.depth + 1).to_string()} aria-expanded={props.is_open.to_string()}
            onclick={props.onclick.clone()} data-step={props.step.clone()} data-state={word}>
            <Glyph {icon} {tone} />
            <span>{ word }</span>
            <span class={name}>{ &props.name }</span>
            <span class="cut" title={reason.clone()}>{ reason.clone() }</span>
            <span class="num">{ props.took.clone() }</span>
            <span class="num muted" title={format::exact(props.at)}>{ format::clock(props.at) }</span>
        </div>
    }
}

fn sub_row(moment: &Moment, name: String, depth: usize) -> Html {
    let (icon, tone) = step_icon(moment.state);
    let reason = moment.reason.clone().unwrap_or_default();
    html! {
        <div class="step is-sub" style={format!("--depth: {depth}")}>
            <Glyph {icon} {tone} />
            <span>{ format::step_word(moment.state) }</span>
            <span class="mono cut">{ name }</span>
            <span class="cut muted" title={reason.clone()}>{ reason.clone() }</span>
            <span class="num">{ moment.duration_ms.map(format::took) }</span>
            <span class="num muted" title={format::exact(moment.at)}>{ format::clock(moment.at) }</span>
        </div>
    }
}
