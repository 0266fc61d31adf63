//! The timeline: to scale, a line for each step, branch and item; attempts that failed as ticks, waits hatched, the
//! moment while it runs. Its twin is a list.

use super::layout::{Bar, BarKind, Line, hidden, lines, mark_every, span};
use crate::format;
use chrono::{DateTime, Utc};
use gloo_timers::callback::Interval;
use shared_types::machine::trace::TraceNode;
use std::rc::Rc;
use wasm_bindgen::{JsCast as _, closure::Closure};
use web_sys::HtmlElement;
use yew::prelude::*;

/// A line's height, in pixels.
const LINE: f64 = 24.0;
/// The least breadth of a bar, in pixels.
const LEAST: f64 = 3.0;
/// How many lines above and below those in view are drawn too.
const SPARE: usize = 10;
const MAX_ZOOM: f64 = 4096.0;
/// How far the words beside a bar are from it, and from the edge.
const GAP: f64 = 8.0;
/// How broad a letter of these words is at most, in pixels.
const LETTER: f64 = 7.0;
/// How far the names are from the edge.
const EDGE: f64 = 24.0;
/// How often the moment moves, in milliseconds.
const TICK_MS: u32 = 1000;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) nodes: Vec<TraceNode>,
    /// Whether the run goes on.
    pub(crate) live: bool,
    /// Shows more items than now.
    pub(crate) more: Callback<()>,
}

/// What of the lines is in view.
#[derive(Debug, Clone, Copy, PartialEq)]
struct View {
    top: f64,
    height: f64,
    width: f64,
}

/// The timeline, or its list.
#[component]
pub(crate) fn Timeline(props: &Props) -> Html {
    let (zoom, as_list) = (use_state(|| 1.0f64), use_state(|| false));
    let view = use_state(|| View { top: 0.0, height: 600.0, width: 800.0 });
    let place = use_node_ref();
    let now = use_moment(props.live);
    let lines = use_memo(props.nodes.clone(), |nodes| lines(nodes));
    let hidden = hidden(&props.nodes);
    let look = {
        let (view, place) = (view.clone(), place.clone());
        Callback::from(move |()| {
            if let Some(element) = place.cast::<HtmlElement>() {
                let seen = View {
                    top: f64::from(element.scroll_top()),
                    height: f64::from(element.client_height()),
                    width: f64::from(element.client_width()),
                };
                if *view != seen && seen.width > 0.0 {
                    view.set(seen);
                }
            }
        })
    };
    {
        let look = look.clone();
        use_effect(move || look.emit(()));
    }
    use_resized(look.clone());
    let scrolled = look.reform(|_: Event| ());
    let by = |factor: f64| {
        let zoom = zoom.clone();
        Callback::from(move |_: MouseEvent| zoom.set((*zoom * factor).clamp(1.0, MAX_ZOOM)))
    };
    let fit = {
        let zoom = zoom.clone();
        Callback::from(move |_: MouseEvent| zoom.set(1.0))
    };
    let wheel = {
        let zoom = zoom.clone();
        Callback::from(move |event: WheelEvent| {
            if event.ctrl_key() || event.meta_key() {
                event.prevent_default();
                let factor = if event.delta_y() < 0.0 { 1.25 } else { 0.8 };
                zoom.set((*zoom * factor).clamp(1.0, MAX_ZOOM));
            }
        })
    };
    let twin = {
        let as_list = as_list.clone();
        Callback::from(move |_: MouseEvent| as_list.set(!*as_list))
    };
    let Some(span) = span(&lines, now) else {
        return html! { <div class="calm"><p>{ "No step was entered." }</p></div> };
    };
    html! {
        <section class="timeline" aria-label="Timeline">
            <div class="tools">
                <span class="legend"><i></i> { "Working" } <i class="waited"></i> { "Waiting" } <i class="attempt"></i> { "Failed attempt" }</span>
                <span class="push"></span>
                if hidden > 0 {
                    <span class="muted">{ format::count(hidden, "more item", "more items") }</span>
                    <button class="btn quiet" onclick={props.more.reform(|_: MouseEvent| ())}>{ "Show more" }</button>
                }
                <button class="btn quiet" onclick={by(0.5)} disabled={*zoom <= 1.0} aria-label="Zoom out">{ "−" }</button>
                <button class="btn quiet" onclick={fit} disabled={*zoom <= 1.0}>{ "Fit" }</button>
                <button class="btn quiet" onclick={by(2.0)} aria-label="Zoom in">{ "+" }</button>
                <button class="btn quiet" onclick={twin} aria-pressed={as_list.to_string()}>{ if *as_list { "As bars" } else { "As a list" } }</button>
            </div>
            if *as_list {
                <Twin {lines} {now} />
            } else {
                <div class="scroll gantt" ref={place} onscroll={scrolled} onwheel={wheel}>
                    <Drawn {lines} {now} {span} zoom={*zoom} view={*view} live={props.live} />
                </div>
            }
        </section>
    }
}

/// Calls back when the window gets another size.
#[hook]
fn use_resized(look: Callback<()>) {
    let latest = use_mut_ref(|| look.clone());
    *latest.borrow_mut() = look;
    use_effect_with((), move |()| {
        let handler = Closure::<dyn FnMut()>::new(move || {
            let look = latest.borrow().clone();
            look.emit(());
        });
        let window = web_sys::window();
        if let Some(window) = &window {
            // Listening to one's own window can't be refused.
            let _ = window.add_event_listener_with_callback("resize", handler.as_ref().unchecked_ref());
        }
        move || {
            if let Some(window) = window {
                let _ =
                    window.remove_event_listener_with_callback("resize", handler.as_ref().unchecked_ref());
            }
        }
    });
}

/// The time, moving while a run goes on.
#[hook]
fn use_moment(live: bool) -> DateTime<Utc> {
    let now = use_state(format::now);
    {
        let now = now.clone();
        use_effect_with(live, move |live| {
            let ticking = live.then(|| Interval::new(TICK_MS, move || now.set(format::now())));
            move || drop(ticking)
        });
    }
    *now
}

#[derive(Properties, PartialEq)]
struct DrawnProps {
    lines: Rc<Vec<Line>>,
    now: DateTime<Utc>,
    span: (DateTime<Utc>, DateTime<Utc>),
    zoom: f64,
    view: View,
    live: bool,
}

/// Times as places on the drawing.
struct Scale {
    from: DateTime<Utc>,
    per_ms: f64,
}

impl Scale {
    fn x(&self, at: DateTime<Utc>) -> f64 {
        format::milliseconds(at - self.from) * self.per_ms
    }
}

#[component]
fn Drawn(props: &DrawnProps) -> Html {
    const NAMES: f64 = 176.0;
    let (from, to) = props.span;
    let span_ms = format::milliseconds(to - from);
    let all = props.view.width - EDGE - NAMES - GAP;
    let ends: Vec<(f64, f64)> =
        props.lines.iter().filter_map(|line| end_and_words(line, from, props.now)).collect();
    let room = fitting(all, span_ms, &ends);
    let scale = Scale { from, per_ms: room * props.zoom / span_ms };
    // As far as the last word.
    let width = ends.iter().map(|(end, words)| end * scale.per_ms + words).fold(room * props.zoom, f64::max);
    let count = props.lines.len();
    #[expect(clippy::cast_precision_loss, reason = "far fewer lines than 2^52")]
    let height = count as f64 * LINE;
    let first = whole((props.view.top / LINE).floor()).saturating_sub(SPARE).min(count);
    let last = (whole((props.view.top + props.view.height) / LINE) + SPARE).min(count);
    let shown = || (first..last).map(|n| (n, &props.lines[n]));
    let names = shown().map(|(n, line)| {
        let class = classes!("cut", (!line.is_lane).then_some("mono"), (line.depth > 0).then_some("muted"));
        let style = format!("top: {}px; padding-left: {}px", top(n), line.depth * 12);
        html! { <span {class} {style} title={line.name.clone()}>{ &line.name }</span> }
    });
    let marks = axis(&scale, span_ms, room * props.zoom, NAMES);
    let lanes = shown().map(|(n, line)| drawn_line(line, n, &scale, props.now));
    let words = shown().filter_map(|(n, line)| beside(line, n, &scale, props.now));
    html! {
        <div class="gantt-all" style={format!("width: {}px", NAMES + width)}>
            <div class="axis"><i style={format!("width: {NAMES}px")}></i>{ marks }</div>
            <div class="names" style={format!("height: {height}px; width: {NAMES}px")}>{ names.collect::<Html>() }</div>
            <svg class="bars" role="img" aria-label="Timeline; its list says the same" width={width.to_string()} height={height.to_string()} style={format!("left: {NAMES}px")}>
                <defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><line x1="0" y1="0" x2="0" y2="6" /></pattern></defs>
                { lanes.collect::<Html>() }
                if props.live { <line class="now" x1={scale.x(props.now).to_string()} x2={scale.x(props.now).to_string()} y1="0" y2={height.to_string()} /> }
            </svg>
            <div class="beside" style={format!("left: {NAMES}px")}>{ words.collect::<Html>() }</div>
        </div>
    }
}

/// When a line's last bar ends, in milliseconds from the begin, and how broad the words beside it are.
fn end_and_words(line: &Line, from: DateTime<Utc>, now: DateTime<Utc>) -> Option<(f64, f64)> {
    let (end, words) = said_beside(line, now)?;
    #[expect(clippy::cast_precision_loss, reason = "a few words")]
    let breadth = words.chars().count() as f64 * LETTER;
    Some((format::milliseconds(end - from), LEAST + GAP + breadth))
}

/// How broad the whole span may be drawn, so that the words beside each bar still fit.
fn fitting(all: f64, span_ms: f64, ends: &[(f64, f64)]) -> f64 {
    let room = ends.iter().filter(|(end, _)| *end > 0.0).map(|(end, words)| (all - words) * span_ms / end);
    room.fold(all, f64::min).max(200.0)
}

/// A number of lines out of a number of pixels.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what fits before")]
fn whole(lines: f64) -> usize {
    lines.clamp(0.0, 1e9) as usize
}

#[expect(clippy::cast_precision_loss, reason = "far fewer lines than 2^52")]
fn top(n: usize) -> f64 {
    n as f64 * LINE
}

fn axis(scale: &Scale, span_ms: f64, width: f64, from: f64) -> Html {
    let every = mark_every(span_ms, (width / 110.0).max(2.0));
    let marks = whole(span_ms / every) + 1;
    let mark = |n: usize| {
        #[expect(clippy::cast_precision_loss, reason = "an axis has few marks")]
        let ms = n as f64 * every;
        let label = if n == 0 { format::clock(scale.from) } else { format!("+{}", distance(ms)) };
        html! { <span style={format!("left: {}px", from + (ms * scale.per_ms).round())}>{ label }</span> }
    };
    (0..marks.min(400)).map(mark).collect::<Html>()
}

/// A round distance on the axis: `10 s`, not `10.0 s`.
fn distance(ms: f64) -> String {
    if (1000.0..60_000.0).contains(&ms) && ms % 1000.0 < 0.5 {
        return format!("{:.0}\u{a0}s", ms / 1000.0);
    }
    if (1.0..1000.0).contains(&ms) { format!("{ms:.0}\u{a0}ms") } else { format::took(ms) }
}

fn drawn_line(line: &Line, n: usize, scale: &Scale, now: DateTime<Utc>) -> Html {
    let y = top(n);
    let bar = |bar: &Bar| {
        let from = scale.x(bar.from).round();
        let breadth = (scale.x(bar.to.unwrap_or(now)).round() - from).max(LEAST);
        let (class, inset) = match bar.kind {
            BarKind::Working => ("worked", 6.0),
            BarKind::Waiting => ("waited", 6.0),
            BarKind::Whole => ("whole", 10.0),
        };
        html! {
            <rect {class} x={from.to_string()} y={(y + inset).to_string()} width={breadth.to_string()} height={(LINE - 2.0 * inset).to_string()} rx="2" data-step={bar.step.clone()}>
                <title>{ in_words(bar, now) }</title>
            </rect>
        }
    };
    let tick = |at: &DateTime<Utc>| {
        let x = scale.x(*at).round();
        html! { <line class="attempt" x1={x.to_string()} x2={x.to_string()} y1={(y + 3.0).to_string()} y2={(y + LINE - 3.0).to_string()} /> }
    };
    html! { <g data-line={line.name.clone()}>{ line.bars.iter().map(bar).collect::<Html>() }{ line.ticks.iter().map(tick).collect::<Html>() }</g> }
}

/// The words beside the last bar of a line, and when it ends.
fn said_beside(line: &Line, now: DateTime<Utc>) -> Option<(DateTime<Utc>, String)> {
    let (first, last) = (line.bars.first()?, line.bars.last()?);
    let end = last.to.unwrap_or(now);
    let mut words = format::took(format::milliseconds(end - first.from));
    match line.ticks.len() {
        0 => {}
        1 => words.push_str(", 1 failed attempt"),
        n => words.extend([", ", &n.to_string(), " failed attempts"]),
    }
    if last.to.is_none() {
        words.push_str(" so far");
    }
    Some((end, words))
}

fn beside(line: &Line, n: usize, scale: &Scale, now: DateTime<Utc>) -> Option<Html> {
    let (end, words) = said_beside(line, now)?;
    let last = line.bars.last()?;
    let x = scale.x(end).max(scale.x(last.from) + LEAST).round() + GAP;
    Some(html! { <span style={format!("left: {x}px; top: {}px", top(n))}>{ words }</span> })
}

/// A bar as a sentence.
fn in_words(bar: &Bar, now: DateTime<Utc>) -> String {
    let what = match bar.kind {
        BarKind::Working => "worked",
        BarKind::Waiting => "waited",
        BarKind::Whole => "took",
    };
    let took = format::took(format::milliseconds(bar.to.unwrap_or(now) - bar.from));
    let end = bar.to.map_or_else(|| ", and goes on".to_owned(), |to| format!(" to {}", format::clock(to)));
    format!("{} {what} {took}, from {}{end}", bar.step, format::clock(bar.from))
}

#[derive(Properties, PartialEq)]
struct TwinProps {
    lines: Rc<Vec<Line>>,
    now: DateTime<Utc>,
}

/// The same as a list, line by line.
#[component]
fn Twin(props: &TwinProps) -> Html {
    let line = |line: &Line| {
        let bars = line.bars.iter().map(|bar| html! { <li>{ in_words(bar, props.now) }</li> });
        let name = if line.is_lane { format!("Branch or item {}", line.name) } else { line.name.clone() };
        html! { <li style={format!("--depth: {}", line.depth)}><b>{ name }</b><ul>{ bars.collect::<Html>() }</ul></li> }
    };
    html! { <div class="scroll"><ul class="twin data" aria-label="Timeline as a list">{ props.lines.iter().map(line).collect::<Html>() }</ul></div> }
}
