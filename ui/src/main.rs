//! The desktop app's pages.

use yew::prelude::*;

#[component]
fn App() -> Html {
    html! { <main>{ "Intelligent Workflows" }</main> }
}

fn main() {
    yew::Renderer::<App>::new().render();
}
