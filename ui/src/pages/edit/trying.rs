//! Trying a workflow with a sample event: the simulator runs in the shell, and nothing is sent from here.

use crate::{
    bridge,
    components::{
        icon::{Glyph, Icon},
        states::step_icon,
    },
};
use serde_json::Value;
use shared_types::machine::command::StepState;
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlTextAreaElement;
use yew::prelude::*;

const EVENT: &str = "{\n  \"type\": \"order.created\",\n  \"payload\": {\n    \"order\": { \"id\": \"A-1\", \"total\": 12400 }\n  }\n}";

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) text: String,
}

/// The panel.
#[component]
pub(crate) fn Trying(props: &Props) -> Html {
    let (event, script) = (use_node_ref(), use_node_ref());
    let got = use_state(|| None::<Result<Value, String>>);
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
            <textarea class="field mono" ref={event} rows="7" aria-label="Event" defaultvalue={EVENT} />
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
    let verdict = simulation["result"].as_str().unwrap_or("no result yet").replace('_', " ");
    html! {
        <>
            { steps.collect::<Html>() }
            <div class="verdict"><p>{ verdict }</p>
                <p class="muted">{ format!("{} {effects} effects would go out.", text(&simulation["reason"])) }</p></div>
            { unused.collect::<Html>() }
        </>
    }
}
