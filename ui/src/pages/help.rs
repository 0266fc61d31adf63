//! The keys, on `?`.

use crate::components::{
    icon::{Glyph, Icon},
    overlay::Overlay,
};
use shared_types::desktop::keys::{BINDINGS, View};
use yew::prelude::*;

/// The views in the order of the list, with what stands above their keys.
const VIEWS: [(View, &str); 6] = [
    (View::Card, "Deciding"),
    (View::Reason, "With a reason"),
    (View::List, "In a list"),
    (View::Runs, "Runs"),
    (View::Editor, "Editing"),
    (View::Page, "Everywhere"),
];

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) close: Callback<()>,
}

#[component]
pub(crate) fn Help(props: &Props) -> Html {
    let close = props.close.reform(|_: MouseEvent| ());
    html! {
        <Overlay name="Keys" close={props.close.clone()} key_to_close="?">
            <div class="row"><h2>{ "Keys" }</h2>
                <button class="btn quiet square push" aria-label="Close" onclick={close}><Glyph icon={Icon::Close} /></button></div>
            <div class="keys-list">{ VIEWS.iter().map(|(view, name)| group(*view, name)).collect::<Html>() }</div>
        </Overlay>
    }
}

fn group(view: View, name: &'static str) -> Html {
    let rows = BINDINGS.iter().filter(|binding| binding.view == view).map(|binding| {
        let keys = binding.keys.iter().map(|press| shown(press)).collect::<Html>();
        html! { <><dt>{ keys }</dt><dd>{ binding.says }</dd></> }
    });
    html! { <section><h3>{ name }</h3><dl>{ rows.collect::<Html>() }</dl></section> }
}

/// A press as keyboards have it.
fn shown(press: &'static str) -> Html {
    let key = |key: &str| match key {
        "Escape" => "Esc".to_owned(),
        "Enter" => "↵".to_owned(),
        "s" if press.starts_with("Ctrl+") => "S".to_owned(),
        key => key.to_owned(),
    };
    let keys = press.split([' ', '+']).map(|part| html! { <kbd>{ key(part) }</kbd> });
    html! { <span class="press">{ keys.collect::<Html>() }</span> }
}
