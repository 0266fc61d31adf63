//! A question that has to be answered before anything else.

use wasm_bindgen::{JsCast as _, closure::Closure};
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    /// What is asked.
    pub(crate) title: String,
    /// What is safe, and what happens.
    pub(crate) says: String,
    /// The verb that goes on.
    pub(crate) go: AttrValue,
    /// True to go on.
    pub(crate) answer: Callback<bool>,
}

/// The question; the safe answer has the focus, and Escape gives it.
#[component]
pub(crate) fn Ask(props: &Props) -> Html {
    let (stay, go) = (use_node_ref(), use_node_ref());
    use_only_here(stay.clone(), go.clone(), props.answer.reform(|()| false));
    {
        let stay = stay.clone();
        use_effect_with((), move |()| {
            if let Some(button) = stay.cast::<web_sys::HtmlElement>() {
                // A button that can't take the focus can still be clicked.
                let _ = button.focus();
            }
        });
    }
    let answer = |really: bool| props.answer.reform(move |_: MouseEvent| really);
    html! {
        <div class="veil">
            <div class="sheet ask" role="alertdialog" aria-modal="true" aria-labelledby="ask-title" aria-describedby="ask-says">
                <h2 id="ask-title">{ &props.title }</h2>
                <p id="ask-says">{ &props.says }</p>
                <div class="row">
                    <button class="btn push" ref={stay} onclick={answer(false)}>{ "Stay" }</button>
                    <button class="btn" ref={go} onclick={answer(true)}>{ props.go.clone() }</button>
                </div>
            </div>
        </div>
    }
}

/// While the question is open no key goes below it: Tab moves between its answers, Escape stays.
#[hook]
fn use_only_here(stay: NodeRef, go: NodeRef, escape: Callback<()>) {
    use_effect_with((), move |()| {
        let handler = Closure::<dyn FnMut(KeyboardEvent)>::new(move |event: KeyboardEvent| {
            event.stop_propagation();
            match event.key().as_str() {
                "Escape" => escape.emit(()),
                "Tab" => {
                    event.prevent_default();
                    let focused = web_sys::window()
                        .and_then(|window| window.document())
                        .and_then(|document| document.active_element());
                    let is_at_stay = focused.is_some() && focused == stay.cast::<web_sys::Element>();
                    let next = if is_at_stay { &go } else { &stay };
                    if let Some(button) = next.cast::<web_sys::HtmlElement>() {
                        // A button that can't take the focus can still be clicked.
                        let _ = button.focus();
                    }
                }
                _ => {}
            }
        });
        let window = web_sys::window();
        let listen = |window: &web_sys::Window| {
            // Before everybody else. Listening to one's own window can't be refused.
            let _ = window.add_event_listener_with_callback_and_bool(
                "keydown",
                handler.as_ref().unchecked_ref(),
                true,
            );
        };
        if let Some(window) = &window {
            listen(window);
        }
        move || {
            if let Some(window) = window {
                let _ = window.remove_event_listener_with_callback_and_bool(
                    "keydown",
                    handler.as_ref().unchecked_ref(),
                    true,
                );
            }
        }
    });
}

/// What waits for the server, as a question.
pub(crate) fn waiting_title(count: usize) -> String {
    match count {
        1 => "One decision is not on the server yet".to_owned(),
        many => format!("{many} decisions are not on the server yet"),
    }
}

/// That nothing is lost, and when it goes on.
pub(crate) fn waiting_says(count: usize, when: &str) -> String {
    match count {
        1 => format!("It stays on this machine, and is sent when {when}."),
        _ => format!("They stay on this machine, and are sent when {when}."),
    }
}
