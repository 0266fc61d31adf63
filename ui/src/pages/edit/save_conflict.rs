//! Why a workflow was not saved; where somebody else published meanwhile, what each changed and the choice.

use crate::{
    bridge,
    components::icon::{Glyph, Icon},
};
use shared_types::desktop::{ComparedLine, Comparison, Failure, LineOf, Merged, commands::CompareWorkflow};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

/// What the person chose.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Choice {
    /// The revision to build on from here.
    pub(super) etag: String,
    /// The text that is taken in place of mine; else mine stays.
    pub(super) source: Option<String>,
}

#[derive(Properties, PartialEq)]
pub(super) struct Props {
    /// The workflow; nothing for a new one.
    pub(super) id: Option<String>,
    /// The etag of the revision that mine began from.
    pub(super) base: Option<String>,
    pub(super) failure: Failure,
    pub(super) mine: String,
    pub(super) chosen: Callback<Choice>,
}

/// The failure, with the choice where there is one.
#[component]
pub(super) fn Refused(props: &Props) -> Html {
    let theirs = theirs(&props.failure);
    let compared = use_comparison(props, theirs.as_ref());
    let choices = theirs.map(|theirs| {
        let choose = |source: Option<String>| {
            let choice = Choice { etag: theirs.etag.clone(), source };
            props.chosen.reform(move |_: MouseEvent| choice.clone())
        };
        let both = compared.as_ref().map(|compared| match &compared.both {
            Merged::Clean(both) => html! {
                <button class="btn primary" onclick={choose(Some(both.clone()))} title="No line was changed by both">{ "Take both" }</button>
            },
            Merged::Marked(both) => html! {
                <button class="btn primary" onclick={choose(Some(both.clone()))} title="Both changed the same lines; they are marked in the text">{ "Take both, and mark what differs" }</button>
            },
        });
        html! {
            <>{ both }
            <button class="btn" onclick={choose(None)} title="What they changed is undone">{ "Keep only mine" }</button>
            <button class="btn" onclick={choose(theirs.source.clone())} title="What you changed is undone">{ "Take only theirs" }</button></>
        }
    });
    html! {
        <div class="notes">
            <div class="banner is-wrapped" role="alert"><Glyph icon={Icon::Look} tone="wait" />
                <span class="fill">{ format!("Not saved. {} Your draft is kept on this machine.", props.failure.words()) }</span>
                <span class="row">{ choices }</span></div>
            if let Some(compared) = &*compared {
                <div class="compared data" role="region" aria-label="What differs" tabindex="0">
                    { side("What you changed", &compared.mine) }
                    { side("What they changed", &compared.theirs) }
                </div>
            }
        </div>
    }
}

/// What each made of the revision that mine began from, once it is read.
#[hook]
fn use_comparison(props: &Props, theirs: Option<&Choice>) -> UseStateHandle<Option<Comparison>> {
    let compared = use_state(|| None::<Comparison>);
    let asked = theirs.and_then(|choice| choice.source.clone()).and_then(|theirs| {
        let revision = props.base.as_deref()?.trim_matches(['"', 'r']).parse::<i32>().ok()?;
        Some((props.id.clone()?, revision, props.mine.clone(), theirs))
    });
    {
        let compared = compared.clone();
        use_effect_with(props.failure.clone(), move |_| {
            compared.set(None);
            if let Some((id, revision, mine, theirs)) = asked {
                spawn_local(async move {
                    // Without the comparison there is still the choice.
                    compared.set(bridge::ask(CompareWorkflow { id, revision, mine, theirs }).await.ok());
                });
            }
        });
    }
    compared
}

/// The revision of somebody else, as the server's refusal carries it.
fn theirs(failure: &Failure) -> Option<Choice> {
    let Failure::Refused(problem) = failure else { return None };
    let changed = problem.more.get("changed").filter(|_| problem.status == 412)?;
    let text = |key: &str| changed.get(key).and_then(serde_json::Value::as_str).map(str::to_owned);
    Some(Choice { etag: text("etag")?, source: text("source") })
}

fn side(name: &'static str, lines: &[ComparedLine]) -> Html {
    html! {
        <section><h2 class="label">{ name }</h2>
            if lines.is_empty() { <p class="muted">{ "Nothing" }</p> }
            <pre>{ lines.iter().map(line).collect::<Html>() }</pre></section>
    }
}

fn line(line: &ComparedLine) -> Html {
    let (class, mark) = match line.of {
        LineOf::Both => ("", " "),
        LineOf::Before => ("before", "−"),
        LineOf::After => ("after", "+"),
        LineOf::Gap => ("gap", "⋯"),
    };
    html! { <span {class}>{ format!("{mark} {}\n", line.text) }</span> }
}
