//! The steps as an outline: branches and bodies indented, links to follow, what nothing leads to greyed, and what each
//! did in the last runs.

use crate::{
    bridge,
    components::icon::{Glyph, Icon},
    format,
    load::{Load, use_load},
};
use chrono::{DateTime, Utc};
use shared_types::{
    api::workflows::{Activity, StepActivity},
    desktop::commands::ReadActivity,
    ids::StepId,
    workflow::{
        Document, Finding,
        outline::{Does, OutlineEntry, OutlineLine, outline, starts_on},
    },
};
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) document: Document,
    pub(crate) findings: Vec<Finding>,
    pub(crate) next_times: Vec<DateTime<Utc>>,
}

#[component]
pub(crate) fn Outline(props: &Props) -> Html {
    let chosen = use_state(|| None::<StepId>);
    let activity = use_load(props.document.workflow_id.to_string(), |id, policy| {
        bridge::ask(ReadActivity { id, policy })
    });
    let activity = if let Load::Ready(loaded) = &activity.load { Some(loaded.data.clone()) } else { None };
    let choose = {
        let chosen = chosen.clone();
        Callback::from(move |id: StepId| {
            // A link leads to its step, and shows it.
            let document = web_sys::window().and_then(|window| window.document());
            if let Some(row) = document.and_then(|document| document.get_element_by_id(&row_id(&id))) {
                row.scroll_into_view();
            }
            chosen.set(Some(id));
        })
    };
    let starts = starts_on(&props.document.trigger);
    let rows = outline(&props.document);
    let rows = rows.iter().map(|line| row(line, props, chosen.as_ref(), activity.as_ref(), &choose));
    let runs = activity.as_ref().map(|activity| activity.runs).filter(|runs| *runs > 0);
    let times = props.next_times.iter().map(|at| {
        html! { <li class="num" title={format::exact(*at)}>{ format::weekday(*at) }</li> }
    });
    html! {
        <nav class="outline" aria-label="Outline">
            <h2 class="label">{ "Starts on" }</h2>
            <div class="node"><Glyph icon={Icon::Bolt} /> <span class="cut" title={starts.clone()}>{ starts.clone() }</span></div>
            if !props.next_times.is_empty() {
                <h2 class="label">{ "Next ten times" }<span class="push count">{ "in your time zone" }</span></h2>
                <ul class="times">{ times.collect::<Html>() }</ul>
            }
            <h2 class="label">{ "Steps" }if let Some(runs) = runs { <span class="push count">{ if runs == 1 { "last run".to_owned() } else { format!("last {runs} runs") } }</span> }</h2>
            { rows.collect::<Html>() }
        </nav>
    }
}

fn row_id(id: &StepId) -> String {
    format!("outline-{id}")
}

fn row(
    line: &OutlineLine,
    props: &Props,
    chosen: Option<&StepId>,
    activity: Option<&Activity>,
    choose: &Callback<StepId>,
) -> Html {
    let style = format!("--depth: {}", line.depth);
    let (id, pointer, does, links) = match &line.entry {
        OutlineEntry::Lane(name) => {
            return html! { <div class="lane" {style}><span class="cut">{ name }</span></div> };
        }
        OutlineEntry::Step { id, pointer, does, links } => (id, pointer, does, links),
    };
    let is_greyed =
        props.findings.iter().any(|found| found.code == "step.unreachable" && found.pointer == *pointer);
    let class = classes!("node", is_greyed.then_some("is-greyed"));
    let links = links.iter().map(|(word, to)| {
        let onclick = {
            let to = to.clone();
            choose.reform(move |_: MouseEvent| to.clone())
        };
        html! {
            <div class="to" style={style.clone()}><span>{ word }</span>
                <button class="as-link" {onclick}>{ &to.0 }</button></div>
        }
    });
    let did = activity.and_then(|activity| activity.steps.iter().find(|step| step.step_id == *id));
    html! {
        <>
            <div {class} id={row_id(id)} style={style.clone()} aria-current={(chosen == Some(id)).then_some("true")} title={is_greyed.then_some("No step leads here")}>
                <Glyph icon={icon(*does)} /> <span class="mono cut" title={id.0.clone()}>{ &id.0 }</span>
                { did.map(counts) }
            </div>
            { links.collect::<Html>() }
        </>
    }
}

fn counts(did: &StepActivity) -> Html {
    let title = format!("Entered {} times, failed {} times", did.entered, did.failed);
    html! {
        <span class="push count" {title}>
            { did.entered }
            if did.failed > 0 { <span class="bad">{ format!(" · {} failed", did.failed) }</span> }
        </span>
    }
}

fn icon(does: Does) -> Icon {
    match does {
        Does::Chooses => Icon::Condition,
        Does::Asks => Icon::Person,
        Does::Allows => Icon::Tick,
        Does::Blocks => Icon::Bar,
        Does::Waits => Icon::Hourglass,
        Does::Spreads => Icon::Spread,
        Does::Calls => Icon::Workflows,
        Does::Fails => Icon::Cross,
        Does::Acts => Icon::Bolt,
    }
}
