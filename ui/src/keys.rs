//! The keyboard: single letters act only when no field has the focus.

use wasm_bindgen::{JsCast as _, closure::Closure};
use web_sys::{Document, HtmlElement, KeyboardEvent};
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

/// What a key does on every page: rows, tabs and the search field. True where it did something.
pub(crate) fn act_on_page(event: &KeyboardEvent) -> bool {
    let Some(document) = web_sys::window().and_then(|window| window.document()) else { return false };
    let focused = document.active_element().and_then(|element| element.dyn_into::<HtmlElement>().ok());
    if event.key() == "Escape" && is_typing() {
        return focused.is_some_and(|field| field.blur().is_ok());
    }
    match letter(event).as_deref() {
        Some("/") => first(&document, ".search input").is_some_and(|field| field.focus().is_ok()),
        Some("Enter" | "o") => {
            focused.filter(|row| row.matches(ROW).unwrap_or_default()).is_some_and(|row| {
                row.click();
                true
            })
        }
        Some("j") => step_to(&all(&document, ROWS), focused.as_ref(), 1),
        Some("k") => step_to(&all(&document, ROWS), focused.as_ref(), -1),
        Some("]") => turn(&all(&document, TABS), 1),
        Some("[") => turn(&all(&document, TABS), -1),
        Some(_) | None => false,
    }
}

/// What opens on Enter.
const ROW: &str = "tr[tabindex], [role=option][tabindex], [role=listitem][tabindex]";
/// The rows through which `j` and `k` move the focus; where a list has a selection, they move that instead.
const ROWS: &str = "[data-rows] [tabindex]";
const TABS: &str = "[role=tablist] [role=tab]";

/// Whether a row of such a list has the focus.
pub(crate) fn is_on_row() -> bool {
    let focused =
        web_sys::window().and_then(|window| window.document()).and_then(|document| document.active_element());
    focused.is_some_and(|element| element.matches(ROWS).unwrap_or_default())
}

fn first(document: &Document, selector: &str) -> Option<HtmlElement> {
    document.query_selector(selector).ok().flatten()?.dyn_into().ok()
}

fn all(document: &Document, selector: &str) -> Vec<HtmlElement> {
    let Ok(list) = document.query_selector_all(selector) else { return Vec::new() };
    (0..list.length()).filter_map(|n| list.item(n)?.dyn_into().ok()).collect()
}

/// Moves the focus from one row to another.
fn step_to(rows: &[HtmlElement], from: Option<&HtmlElement>, step: isize) -> bool {
    let Some(last) = rows.len().checked_sub(1) else { return false };
    let at = from.and_then(|from| rows.iter().position(|row| row == from));
    let to = at.map_or(0, |at| at.saturating_add_signed(step).min(last));
    rows[to].focus().is_ok()
}

/// Opens the next tab, or the one before.
fn turn(tabs: &[HtmlElement], step: isize) -> bool {
    let is_here = |tab: &HtmlElement| tab.get_attribute("aria-selected").as_deref() == Some("true");
    let Some(at) = tabs.iter().position(is_here) else { return false };
    let to = at.checked_add_signed(step).and_then(|to| tabs.get(to));
    to.is_some_and(|tab| {
        tab.click();
        true
    })
}

/// Whether a field has the focus.
fn is_typing() -> bool {
    let focused =
        web_sys::window().and_then(|window| window.document()).and_then(|document| document.active_element());
    focused.is_some_and(|element| {
        let tag = element.tag_name().to_lowercase();
        let editable = element.dyn_ref::<HtmlElement>().is_some_and(HtmlElement::is_content_editable);
        // A choice takes no letters.
        let is_choice = matches!(
            element.get_attribute("type").as_deref(),
            Some("radio" | "checkbox" | "button" | "submit")
        );
        (matches!(tag.as_str(), "input" | "textarea" | "select") && !is_choice) || editable
    })
}

/// Milliseconds since the page opened.
pub(crate) fn moment() -> f64 {
    web_sys::window().and_then(|window| window.performance()).map_or(0.0, |performance| performance.now())
}
