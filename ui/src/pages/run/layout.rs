//! Where the bars of a timeline stand: pure, so that it is tested without a window.

use crate::format;
use chrono::{DateTime, Utc};
use shared_types::machine::{
    fact::StepState,
    trace::{TraceLane, TraceNode},
};

/// One line of a timeline: a step, or a branch or an item with all its steps.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) depth: usize,
    pub(crate) is_lane: bool,
    pub(crate) bars: Vec<Bar>,
    /// Attempts that failed, and another followed or none did.
    pub(crate) ticks: Vec<DateTime<Utc>>,
}

/// A stretch of time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bar {
    pub(crate) step: String,
    pub(crate) kind: BarKind,
    pub(crate) from: DateTime<Utc>,
    /// Nothing while it goes on.
    pub(crate) to: Option<DateTime<Utc>>,
    pub(crate) state: StepState,
}

/// What a stretch of time was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BarKind {
    /// Something was done.
    Working,
    /// For people, events, times, or another attempt.
    Waiting,
    /// The whole of a step in which others stand.
    Whole,
}

/// The lines of a trace, from the first step to the last.
pub(crate) fn lines(nodes: &[TraceNode]) -> Vec<Line> {
    let mut lines = Vec::new();
    for node in nodes {
        step(node, 0, &mut lines);
    }
    lines
}

/// How many items a trace has besides those that it holds.
pub(crate) fn hidden(nodes: &[TraceNode]) -> usize {
    let of = |node: &TraceNode| {
        let own = node.tally.map_or(0, |tally| tally.all.saturating_sub(node.lanes.len()));
        own + node.lanes.iter().map(|lane| hidden(&lane.nodes)).sum::<usize>()
    };
    nodes.iter().map(of).sum()
}

fn step(node: &TraceNode, depth: usize, lines: &mut Vec<Line>) {
    let (bars, ticks) = if node.lanes.is_empty() { stretches(node) } else { (vec![whole(node)], Vec::new()) };
    let name = format::step_name(&node.step_id);
    let name = if node.visit > 1 { format!("{name} ({})", node.visit) } else { name };
    lines.push(Line { name, depth, is_lane: false, bars, ticks });
    for inner in &node.lanes {
        lane(inner, depth + 1, lines);
    }
}

/// A branch or an item: its steps on one line, and what stands in them below it.
fn lane(lane: &TraceLane, depth: usize, lines: &mut Vec<Line>) {
    let name = match (&lane.branch, lane.item) {
        (Some(branch), _) => branch.clone(),
        (None, item) => format!("item {}", item.unwrap_or_default()),
    };
    let mut line = Line { name, depth, is_lane: true, bars: Vec::new(), ticks: Vec::new() };
    for node in lane.nodes.iter().filter(|node| node.state != StepState::Skipped) {
        if node.lanes.is_empty() {
            let (bars, ticks) = stretches(node);
            line.bars.extend(bars);
            line.ticks.extend(ticks);
        } else {
            line.bars.push(whole(node));
        }
    }
    lines.push(line);
    for node in &lane.nodes {
        for inner in &node.lanes {
            self::lane(inner, depth + 1, lines);
        }
    }
}

fn whole(node: &TraceNode) -> Bar {
    let step = node.step_id.to_string();
    Bar { step, kind: BarKind::Whole, from: node.began, to: node.ended, state: node.state }
}

/// What a step did, stretch by stretch, and where attempts failed.
fn stretches(node: &TraceNode) -> (Vec<Bar>, Vec<DateTime<Utc>>) {
    let (mut bars, mut ticks) = (Vec::new(), Vec::new());
    let mut bar = |kind, from, to| {
        bars.push(Bar { step: node.step_id.to_string(), kind, from, to, state: node.state });
    };
    let mut at = node.began;
    let mut waits = false;
    for moment in node.moments.iter().filter(|moment| moment.state != StepState::Late) {
        match moment.state {
            StepState::Entered => at = moment.at,
            StepState::Waiting => {
                at = moment.at;
                waits = true;
            }
            StepState::Done | StepState::Failed | StepState::Retrying if !waits => {
                let took = moment.duration_ms.unwrap_or_default();
                #[expect(clippy::cast_possible_truncation, reason = "a call takes far less than 2^63 µs")]
                let begun = moment.at - chrono::Duration::microseconds((took * 1000.0) as i64);
                // Before the first attempt it was on its way; between attempts it waited.
                if begun > at && at != node.began {
                    bar(BarKind::Waiting, at, Some(begun));
                }
                bar(BarKind::Working, begun.max(at), Some(moment.at));
                if moment.state != StepState::Done {
                    ticks.push(moment.at);
                }
                at = moment.at;
            }
            StepState::Done | StepState::Failed | StepState::Cancelled | StepState::Retrying => {
                let kind = if waits { BarKind::Waiting } else { BarKind::Working };
                bar(kind, at, Some(moment.at));
                waits = false;
                at = moment.at;
            }
            StepState::Skipped | StepState::Late => {}
        }
    }
    if node.ended.is_none() {
        let is_waiting = waits || node.state == StepState::Retrying;
        bar(if is_waiting { BarKind::Waiting } else { BarKind::Working }, at, None);
    }
    (bars, ticks)
}

/// The whole span of some lines; what goes on reaches to `now`.
pub(crate) fn span(lines: &[Line], now: DateTime<Utc>) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let bars = || lines.iter().flat_map(|line| &line.bars);
    let from = bars().map(|bar| bar.from).min()?;
    let to = bars().map(|bar| bar.to.unwrap_or(now)).max()?;
    // A run that took no time at all still has a breadth.
    Some((from, to.max(from + chrono::Duration::milliseconds(1))))
}

/// Round distances for an axis of so many milliseconds: the step between its marks.
pub(crate) fn mark_every(span_ms: f64, marks: f64) -> f64 {
    const STEPS: [f64; 31] = [
        1.0,
        2.0,
        5.0,
        10.0,
        20.0,
        50.0,
        100.0,
        200.0,
        500.0,
        1e3,
        2e3,
        5e3,
        10e3,
        15e3,
        30e3,
        60e3,
        120e3,
        300e3,
        600e3,
        900e3,
        1_800e3,
        3_600e3,
        7_200e3,
        14_400e3,
        21_600e3,
        43_200e3,
        86_400e3,
        172_800e3,
        604_800e3,
        1_209_600e3,
        2_592_000e3,
    ];
    STEPS.into_iter().find(|step| span_ms / step <= marks).unwrap_or(span_ms / marks.max(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_types::machine::trace::{LaneState, Moment, Tally};

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    fn node(id: &str, moments: &[(i64, StepState, Option<f64>)], lanes: Vec<TraceLane>) -> TraceNode {
        let last = moments.last().unwrap();
        let is_over = matches!(last.1, StepState::Done | StepState::Failed | StepState::Cancelled);
        TraceNode {
            step_id: id.into(),
            visit: 1,
            state: last.1,
            began: at(moments[0].0),
            ended: is_over.then(|| at(last.0)),
            reason: None,
            why: None,
            moments: moments
                .iter()
                .map(|(seconds, state, duration_ms)| Moment {
                    seq: 0,
                    at: at(*seconds),
                    attempt: 1,
                    state: *state,
                    duration_ms: *duration_ms,
                    reason: None,
                    input: None,
                    output: None,
                })
                .collect(),
            tally: (!lanes.is_empty()).then(Tally::default),
            lanes,
        }
    }

    fn bars(line: &Line) -> Vec<(BarKind, i64, Option<i64>)> {
        let seconds = |time: DateTime<Utc>| (time - at(0)).num_seconds();
        line.bars.iter().map(|bar| (bar.kind, seconds(bar.from), bar.to.map(seconds))).collect()
    }

    #[test]
    fn a_call_that_is_tried_again_works_waits_and_works_with_a_tick_where_it_failed() {
        use BarKind::{Waiting, Working};
        use StepState::{Done, Entered, Retrying};
        let call = node(
            "call",
            &[(0, Entered, None), (2, Retrying, Some(2000.0)), (7, Done, Some(1000.0))],
            Vec::new(),
        );
        let lines = lines(&[call]);
        assert_eq!(bars(&lines[0]), [(Working, 0, Some(2)), (Waiting, 2, Some(6)), (Working, 6, Some(7))]);
        assert_eq!(lines[0].ticks, [at(2)]);
    }

    #[test]
    fn branches_have_a_line_each_and_what_goes_on_reaches_to_now() {
        use BarKind::{Waiting, Whole, Working};
        use StepState::{Done, Entered, Waiting as Waits};
        let lane = |branch: &str, nodes| TraceLane {
            branch: Some(branch.into()),
            item: None,
            state: LaneState::Open,
            nodes,
        };
        let both = node(
            "both",
            &[(0, Entered, None)],
            vec![
                lane(
                    "a",
                    vec![
                        node("call", &[(0, Entered, None), (1, Done, Some(1000.0))], Vec::new()),
                        node("ask", &[(1, Waits, None)], Vec::new()),
                    ],
                ),
                lane("b", vec![node("nap", &[(0, Waits, None), (4, Done, Some(4000.0))], Vec::new())]),
            ],
        );
        let lines = lines(&[both]);
        let names: Vec<(&str, usize)> = lines.iter().map(|line| (line.name.as_str(), line.depth)).collect();
        assert_eq!(names, [("both", 0), ("a", 1), ("b", 1)]);
        assert_eq!(bars(&lines[0]), [(Whole, 0, None)]);
        assert_eq!(bars(&lines[1]), [(Working, 0, Some(1)), (Waiting, 1, None)]);
        assert_eq!(bars(&lines[2]), [(Waiting, 0, Some(4))]);
        assert_eq!(span(&lines, at(9)), Some((at(0), at(9))));
    }

    #[test]
    fn an_axis_has_round_marks() {
        assert!((mark_every(7_000.0, 8.0) - 1e3).abs() < 1.0);
        assert!((mark_every(3.0 * 86_400e3, 8.0) - 43_200e3).abs() < 1.0);
    }
}
