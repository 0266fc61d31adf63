//! The keyboard: single letters act only when no field has the focus.

use wasm_bindgen::{JsCast as _, closure::Closure};
use web_sys::{HtmlElement, KeyboardEvent};
use yew::prelude::*;

/// Calls back with each key that is pressed, as long as the component lives.
#[hook]
pub(crate) fn use_keys(callback: impl Fn(&KeyboardEvent) + 'static) {
    let latest = use_mut_ref(|| Callback::from(|_: KeyboardEvent| {}));
    *latest.borrow_mut() = Callback::from(move |event: KeyboardEvent| callback(&event));
    use_effect_with((), move |()| {
        let handler = Closure::<dyn FnMut(KeyboardEvent)>::new(move |event: KeyboardEvent| {
            let callback = latest.borrow().clone();
            callback.emit(event);
        });
        let window = web_sys::window();
        if let Some(window) = &window {
            // Listening to one's own window can't be refused.
            let _ = window.add_event_listener_with_callback("keydown", handler.as_ref().unchecked_ref());
        }
        move || {
            if let Some(window) = window {
                let _ =
                    window.remove_event_listener_with_callback("keydown", handler.as_ref().unchecked_ref());
            }
        }
    });
}

/// The letter of a plain key press, unless a field has the focus or the key is held down.
pub(crate) fn letter(event: &KeyboardEvent) -> Option<String> {
    let with_modifier = event.ctrl_key() || event.meta_key() || event.alt_key();
    if with_modifier || event.repeat() || is_typing() {
        return None;
    }
    Some(event.key())
}

/// Whether a field has the focus.
fn is_typing() -> bool {
    let focused =
        web_sys::window().and_then(|window| window.document()).and_then(|document| document.active_element());
    focused.is_some_and(|element| {
        let tag = element.tag_name().to_lowercase();
        let editable = element.dyn_ref::<HtmlElement>().is_some_and(HtmlElement::is_content_editable);
        matches!(tag.as_str(), "input" | "textarea" | "select") || editable
    })
}

/// Milliseconds since the page opened.
pub(crate) fn moment() -> f64 {
    web_sys::window().and_then(|window| window.performance()).map_or(0.0, |performance| performance.now())
}
