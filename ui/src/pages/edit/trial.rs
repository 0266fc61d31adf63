//! Trying a workflow with a sample event, one happening after the other: the simulator runs in the shell, shows where
//! the run stands in all its branches, and what could happen next; nothing is sent from here.

use crate::{
    bridge,
    components::{
        icon::{Glyph, Icon},
        states::step_icon,
    },
    format,
};
use serde_json::Value;
use shared_types::{desktop::commands::TryWorkflow, machine::fact::StepState};
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlTextAreaElement;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) text: String,
    /// An event to begin with.
    pub(crate) sample: Option<String>,
}

#[component]
pub(crate) fn Trying(props: &Props) -> Html {
    let event = use_node_ref();
    // What happens, as entries of a script.
    let script = use_state(Vec::<Value>::new);
    let got = use_state(|| None::<Result<Value, String>>);
    // Only the first one: from then on the field is the author's.
    let first = use_mut_ref(|| None::<String>);
    if first.borrow().is_none() {
        first.borrow_mut().clone_from(&props.sample);
    }
    let first = first.borrow().clone();
    let key = if first.is_some() { "with a sample" } else { "empty" };
    let play: Rc<dyn Fn(Vec<Value>)> = {
        let (event, got, text, script) = (event.clone(), got.clone(), props.text.clone(), script.clone());
        Rc::new(move |happens: Vec<Value>| {
            let field = event.cast::<HtmlTextAreaElement>();
            let event = field.map(|field| field.value()).unwrap_or_default();
            let (got, text) = (got.clone(), text.clone());
            script.set(happens.clone());
            spawn_local(async move {
                let happens = Value::Array(happens).to_string();
                got.set(Some(
                    bridge::ask(TryWorkflow { text, event, script: happens })
                        .await
                        .map_err(|failure| failure.words()),
                ));
            });
        })
    };
    let start = {
        let play = Rc::clone(&play);
        Callback::from(move |_: MouseEvent| play(Vec::new()))
    };
    let back = {
        let (play, script) = (Rc::clone(&play), script.clone());
        Callback::from(move |_: MouseEvent| {
            let mut fewer = (*script).clone();
            fewer.pop();
            play(fewer);
        })
    };
    let next = {
        let (play, script) = (Rc::clone(&play), script.clone());
        Callback::from(move |item: Value| {
            let mut more = (*script).clone();
            more.push(item);
            play(more);
        })
    };
    html! {
        <section class="try" aria-label="Try it">
            <label class="label">{ "Event" }</label>
            <textarea class="field mono" {key} ref={event} rows="9" aria-label="Event" defaultvalue={first} />
            <p class="row"><button class="btn" onclick={start}><Glyph icon={Icon::Play} tone="muted" /> { if matches!(&*got, Some(Ok(_))) { "Start over" } else { "Try it" } }</button>
                if !script.is_empty() { <button class="btn quiet" onclick={back}>{ "Back one" }</button> }</p>
            { match &*got {
                None => html! { <p class="muted">{ "Runs on this machine; nothing is sent." }</p> },
                Some(Err(words)) => html! { <p class="bad">{ words }</p> },
                Some(Ok(simulation)) => shown(simulation, &next),
            } }
        </section>
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn shown(simulation: &Value, next: &Callback<Value>) -> Html {
    let choices = list(&simulation["choices"]);
    let steps = list(&simulation["steps"]);
    let rows = steps.iter().map(|step| {
        let is_waiting = step["state"] == "waiting";
        let own = choices.iter().filter(|choice| is_waiting && choice["step"] == step["id"]);
        row(step, own.map(|choice| button(choice, next)).collect::<Html>())
    });
    let for_all = choices.iter().filter(|choice| choice["step"].is_null());
    let unused = list(&simulation["unused"]).iter().map(|unused| {
        html! { <p class="wait">{ format!("{}: {}", unused["index"], text(&unused["why"])) }</p> }
    });
    let verdict = format::label(simulation["result"].as_str().unwrap_or(match text(&simulation["status"]) {
        "waiting" => "it waits",
        _ => "no result yet",
    }));
    let effects = match list(&simulation["effects"]).len() {
        0 => "Nothing would be sent.".to_owned(),
        1 => "1 effect would go out.".to_owned(),
        n => format!("{n} effects would go out."),
    };
    let reason = simulation["reason"].as_str().map(|reason| html! { <p>{ reason }</p> });
    html! {
        <>
            <h2 class="label">{ "Path" }</h2>
            { rows.collect::<Html>() }
            <p class="row">{ for_all.map(|choice| button(choice, next)).collect::<Html>() }</p>
            <h2 class="label">{ "So far" }</h2>
            <div class="verdict"><p>{ verdict }</p>{ reason }<p class="muted">{ effects }</p></div>
            { unused.collect::<Html>() }
        </>
    }
}

/// A step of the path, in its branch or item, with what could happen to it.
fn row(step: &Value, choices: Html) -> Html {
    let state: StepState = serde_json::from_value(step["state"].clone()).unwrap_or(StepState::Done);
    let (icon, tone) = step_icon(state);
    let within = list(&step["within"]);
    let lane = within.last().map(|inside| match inside["branch"].as_str() {
        Some(branch) => branch.to_owned(),
        None => format!("item {}", inside["item"]),
    });
    html! {
        <div class="path" style={format!("--depth: {}", within.len())}><Glyph {icon} {tone} />
            <span class="row"><span class="mono">{ text(&step["id"]) }</span>{ lane.map(|lane| html! { <span class="muted cut">{ lane }</span> }) }</span>
            <span><span class="muted">{ text(&step["reason"]) }</span><span class="choices">{ choices }</span></span></div>
    }
}

fn button(choice: &Value, next: &Callback<Value>) -> Html {
    let item = choice["item"].clone();
    let onclick = next.reform(move |_: MouseEvent| item.clone());
    html! { <button class="btn" {onclick}>{ text(&choice["label"]) }</button> }
}
