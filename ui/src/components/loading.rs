//! One way to show what is read: not yet, empty, failed, or there with its age.

use super::icon::{Glyph, Icon};
use crate::{clock::use_now, format, load::Load};
use chrono::{DateTime, Utc};
use shared_types::desktop::{Failure, Loaded};
use yew::prelude::*;

/// Shows what is read. A skeleton comes only after a moment (by the stylesheet), so that nothing flickers.
pub(crate) fn show<T: 'static>(
    load: &Load<T>,
    (again, cancel): (&Callback<()>, &Callback<()>),
    what: &str,
    ready: impl FnOnce(&Loaded<T>) -> Html,
) -> Html {
    match load {
        Load::Waiting => html! { <Skeleton cancel={cancel.clone()} /> },
        Load::Ready(loaded) => ready(loaded),
        Load::Failed(failure) => failed(failure, again, what),
    }
}

fn failed(failure: &Failure, again: &Callback<()>, what: &str) -> Html {
    let onclick = again.reform(|_: MouseEvent| ());
    let retry = html! {
        <button class="btn" {onclick}><Glyph icon={Icon::Retry} tone="muted" /> { "Retry" }</button>
    };
    let (headline, detail, helps) = match failure {
        Failure::Refused(problem) if problem.status == 404 => (
            format!("There is no longer {what} here."),
            "It was removed, or the link is wrong.".to_owned(),
            Html::default(),
        ),
        Failure::Refused(problem) if problem.status == 403 => {
            (format!("You may not see {what}."), problem.detail.clone(), Html::default())
        }
        Failure::Offline => (
            format!("Couldn’t load {what}."),
            format!("{} What you decide meanwhile is kept in Outbox and sent later.", failure.words()),
            retry,
        ),
        Failure::Cancelled => (format!("Loading {what} was cancelled."), String::new(), retry),
        Failure::Refused(_) | Failure::SignedOut | Failure::Input(_) | Failure::Shell(_) => {
            (format!("Couldn’t load {what}."), failure.words(), retry)
        }
    };
    html! {
        <div class="calm" role="alert">
            <p class="row"><Glyph icon={Icon::Cross} tone="bad" /> { headline }</p>
            if !detail.is_empty() { <p class="muted">{ detail }</p> }
            { helps }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct SkeletonProps {
    cancel: Callback<()>,
}

/// A place where something will be. What takes long says so and can be cancelled (the stylesheet waits two seconds).
#[component]
fn Skeleton(props: &SkeletonProps) -> Html {
    let cancel = props.cancel.reform(|_: MouseEvent| ());
    html! {
        <>
            <div class="skeleton" role="status" aria-busy="true" aria-label="Loading">
                { (0..4).map(|_| html! { <div><i class="wide"></i><i class="short"></i><i class="half"></i></div> }).collect::<Html>() }
            </div>
            <div class="calm takes-long"><progress aria-label="Loading"></progress>
                <p class="muted">{ "The server takes long to answer." }</p>
                <button class="btn" onclick={cancel}>{ "Cancel" }</button></div>
        </>
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

#[derive(Properties, PartialEq)]
pub(crate) struct StaleProps {
    /// When it came from the server.
    pub(crate) at: DateTime<Utc>,
    /// Whether that was just now.
    pub(crate) fresh: bool,
}

/// Says that what is shown is what was last seen, and how old it is by now.
#[component]
pub(crate) fn Stale(props: &StaleProps) -> Html {
    let now = use_now();
    if props.fresh {
        return Html::default();
    }
    let class = if format::is_old(props.at, now) { "note wait" } else { "note muted" };
    html! {
        <p {class} role="status"><Glyph icon={Icon::Clock} /> { format!("As of {}, {}", format::hour(props.at), format::age(props.at, now)) }</p>
    }
}
