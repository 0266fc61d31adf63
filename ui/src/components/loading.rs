//! One way to show what is read: not yet, empty, failed, or there with its age.

use super::icon::{Glyph, Icon};
use crate::{load::Load, words};
use shared_types::desktop::{Failure, Loaded};
use yew::prelude::*;

/// Shows what is read. A skeleton comes only after a moment (by the stylesheet), so that nothing flickers.
pub(crate) fn show<T: 'static>(
    load: &Load<T>,
    again: &Callback<()>,
    what: &str,
    ready: impl FnOnce(&Loaded<T>) -> Html,
) -> Html {
    match load {
        Load::Waiting => html! { <Skeleton /> },
        Load::Ready(loaded) => ready(loaded),
        Load::Failed(failure) => failed(failure, again, what),
    }
}

fn failed(failure: &Failure, again: &Callback<()>, what: &str) -> Html {
    let onclick = again.reform(|_: MouseEvent| ());
    html! {
        <div class="calm" role="alert">
            <p class="row"><Glyph icon={Icon::Cross} tone="bad" /> { format!("Couldn’t load {what}.") }</p>
            <p class="muted">{ failure.words() }</p>
            <p class="muted">{ "Your decisions are safe in Outbox." }</p>
            <button class="btn" {onclick}><Glyph icon={Icon::Retry} tone="muted" /> { "Retry" }</button>
        </div>
    }
}

/// A place where something will be.
#[component]
pub(crate) fn Skeleton() -> Html {
    html! {
        <div class="skeleton" aria-busy="true" aria-label="Loading">
            { (0..4).map(|_| html! { <div><i class="wide"></i><i class="short"></i><i class="half"></i></div> }).collect::<Html>() }
        </div>
    }
}

#[derive(Properties, PartialEq)]
pub(crate) struct EmptyProps {
    pub(crate) says: AttrValue,
    #[prop_or_default]
    pub(crate) children: Html,
}

/// What an empty list means, and the next step.
#[component]
pub(crate) fn Empty(props: &EmptyProps) -> Html {
    html! { <div class="calm"><p>{ props.says.clone() }</p><div class="muted">{ props.children.clone() }</div></div> }
}

/// Says that what is shown is what was last seen.
pub(crate) fn stale<T>(loaded: &Loaded<T>) -> Html {
    if loaded.fresh {
        return Html::default();
    }
    let class = if (words::now() - loaded.at).num_minutes() >= 60 { "note wait" } else { "note muted" };
    html! {
        <p {class} role="status"><Glyph icon={Icon::Clock} /> { format!("As of {}, {}", words::hour(loaded.at), words::age(loaded.at)) }</p>
    }
}
