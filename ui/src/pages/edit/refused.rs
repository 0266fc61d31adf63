//! Why a workflow was not saved; where somebody else published meanwhile, what they changed and the choice.

use crate::{
    bridge,
    components::icon::{Glyph, Icon},
};
use shared_types::desktop::{ComparedLine, Failure, LineOf};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

/// What the person chose.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Choice {
    /// The revision to build on from here.
    pub(super) etag: String,
    /// Their text, where it is taken; else mine stays.
    pub(super) source: Option<String>,
}

#[derive(Properties, PartialEq)]
pub(super) struct Props {
    pub(super) failure: Failure,
    pub(super) mine: String,
    pub(super) chosen: Callback<Choice>,
}

/// The failure, with the choice where there is one.
#[component]
pub(super) fn Refused(props: &Props) -> Html {
    let theirs = theirs(&props.failure);
    let lines = use_state(Vec::<ComparedLine>::new);
    {
        let (lines, theirs, mine) = (lines.clone(), theirs.clone(), props.mine.clone());
        use_effect_with(props.failure.clone(), move |_| {
            if let Some(source) = theirs.and_then(|choice| choice.source) {
                spawn_local(async move {
                    // Without the comparison there is still the choice.
                    lines.set(bridge::compare(mine, source).await.unwrap_or_default());
                });
            }
        });
    }
    let choices = theirs.map(|theirs| {
        let keep = Choice { etag: theirs.etag.clone(), source: None };
        let choose = |choice: Choice| props.chosen.reform(move |_: MouseEvent| choice.clone());
        html! {
            <><button class="btn" onclick={choose(keep)}>{ "Keep mine" }</button>
            <button class="btn" onclick={choose(theirs)}>{ "Take theirs" }</button></>
        }
    });
    html! {
        <div class="notes">
            <div class="banner" role="alert"><Glyph icon={Icon::Look} tone="wait" />
                <span class="fill">{ format!("Not saved. {} Your draft is kept on this machine.", props.failure.words()) }</span>{ choices }</div>
            if !lines.is_empty() {
                <div class="compared data" role="region" aria-label="What differs">
                    <p class="muted">{ "− yours, + theirs" }</p>
                    <pre>{ lines.iter().map(line).collect::<Html>() }</pre>
                </div>
            }
        </div>
    }
}

/// The revision of somebody else, as the server's refusal carries it.
fn theirs(failure: &Failure) -> Option<Choice> {
    let Failure::Refused(problem) = failure else { return None };
    let changed = problem.more.get("changed").filter(|_| problem.status == 412)?;
    let text = |key: &str| changed.get(key).and_then(serde_json::Value::as_str).map(str::to_owned);
    Some(Choice { etag: text("etag")?, source: text("source") })
}

fn line(line: &ComparedLine) -> Html {
    let (class, mark) = match line.of {
        LineOf::Both => ("", " "),
        LineOf::Mine => ("mine", "−"),
        LineOf::Theirs => ("theirs", "+"),
        LineOf::Gap => ("gap", "⋯"),
    };
    html! { <span {class}>{ format!("{mark} {}\n", line.text) }</span> }
}
