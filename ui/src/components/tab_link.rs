//! A tab that is a page of its own: a link among others, of which the one to this page is marked.

use crate::route::Route;
use yew::prelude::*;
use yew_router::prelude::*;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) to: Route,
    /// Whether it is this page.
    pub(crate) is_here: bool,
    pub(crate) children: Html,
}

/// A link that looks like a tab; `aria-current` marks the page that is open.
#[component]
pub(crate) fn TabLink(props: &Props) -> Html {
    let navigator = use_navigator();
    let href = props.to.to_path();
    let onclick = {
        let to = props.to.clone();
        Callback::from(move |event: MouseEvent| {
            event.prevent_default();
            if let Some(navigator) = &navigator {
                navigator.push(&to);
            }
        })
    };
    html! {
        <a class="tab" {href} {onclick} aria-current={props.is_here.then_some("page")}>{ props.children.clone() }</a>
    }
}
