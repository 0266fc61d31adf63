//! Trying a workflow with a sample event: the simulator runs in the shell, and nothing is sent from here.

use crate::{
    bridge,
    components::{
        icon::{Glyph, Icon},
        states::step_icon,
    },
    words,
};
use serde_json::Value;
use shared_types::machine::command::StepState;
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlTextAreaElement;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) text: String,
    /// An event to begin with.
    pub(crate) sample: Option<String>,
}

/// The panel.
#[component]
pub(crate) fn Trying(props: &Props) -> Html {
    let (event, script) = (use_node_ref(), use_node_ref());
    let got = use_state(|| None::<Result<Value, String>>);
    // Only the first one: from then on the field is the author's.
    let first = use_mut_ref(|| None::<String>);
    if first.borrow().is_none() {
        first.borrow_mut().clone_from(&props.sample);
    }
    let first = first.borrow().clone();
    let key = if first.is_some() { "with a sample" } else { "empty" };
    let onclick = {
        let (event, script, got, text) = (event.clone(), script.clone(), got.clone(), props.text.clone());
        Callback::from(move |_: MouseEvent| {
            let written = |node: &NodeRef| {
                node.cast::<HtmlTextAreaElement>().map(|field| field.value()).unwrap_or_default()
            };
            let (event, script, got, text) = (written(&event), written(&script), got.clone(), text.clone());
            spawn_local(async move {
                got.set(Some(bridge::try_it(text, event, script).await.map_err(|failure| failure.words())));
            });
        })
    };
    html! {
        <section class="try" aria-label="Try it">
            <label class="label">{ "Event" }</label>
            <textarea class="field mono" {key} ref={event} rows="9" aria-label="Event" defaultvalue={first} />
            <label class="label">{ "Then" }</label>
            <textarea class="field mono" ref={script} rows="3" aria-label="Script" placeholder={r#"[{ "decide": "approve" }]"#} />
            <p><button class="btn" {onclick}><Glyph icon={Icon::Play} tone="muted" /> { "Try it" }</button></p>
            { match &*got {
                None => html! { <p class="muted">{ "Runs on this machine; nothing is sent." }</p> },
                Some(Err(words)) => html! { <p class="bad">{ words }</p> },
                Some(Ok(simulation)) => shown(simulation),
            } }
        </section>
    }
}

fn shown(simulation: &Value) -> Html {
    let list = |key: &str| simulation[key].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let steps = list("steps").into_iter().map(|step| {
        let state: StepState = serde_json::from_value(step["state"].clone()).unwrap_or(StepState::Done);
        let (icon, tone) = step_icon(state);
        html! { <div class="path"><Glyph {icon} {tone} /><span class="mono">{ text(&step["id"]) }</span><span class="muted">{ text(&step["reason"]) }</span></div> }
    });
    let effects = list("effects").len();
    let unused = list("unused").into_iter().map(|unused| html! { <p class="wait">{ format!("Entry {} of the script: {}", unused["index"], text(&unused["why"])) }</p> });
    let verdict = words::label(simulation["result"].as_str().unwrap_or("no_result_yet"));
    let effects = match effects {
        0 => "Nothing would be sent.".to_owned(),
        1 => "1 effect would go out.".to_owned(),
        n => format!("{n} effects would go out."),
    };
    let reason = simulation["reason"].as_str().map(|reason| html! { <p>{ reason }</p> });
    html! {
        <>
            { steps.collect::<Html>() }
            <div class="verdict"><p>{ verdict }</p>{ reason }<p class="muted">{ effects }</p></div>
            { unused.collect::<Html>() }
        </>
    }
}
