//! The keyboard: every press is looked up in the table of keys and handed to the view that takes it.
//!
//! There is one listener. While an overlay is open it takes every press, and no view below it hears of one.

use crate::components::overlay;
use shared_types::desktop::keys::{Action, GO, View, binding};
use std::cell::{Cell, RefCell};
use wasm_bindgen::{JsCast as _, closure::Closure};
use web_sys::{Document, HtmlElement, KeyboardEvent};
use yew::prelude::*;

/// A view that takes keys, the last one shown last. It says whether it did something.
struct Taker {
    id: u64,
    view: View,
    take: Callback<Action, bool>,
}

thread_local! {
    static TAKERS: RefCell<Vec<Taker>> = const { RefCell::new(Vec::new()) };
    static NEXT: Cell<u64> = const { Cell::new(0) };
    /// Whether the last press was the first of two.
    static GOING: Cell<bool> = const { Cell::new(false) };
}

/// Listens to the keyboard, as long as the component lives.
#[hook]
pub(crate) fn use_keyboard() {
    use_effect_with((), |()| {
        let handler = Closure::<dyn FnMut(KeyboardEvent)>::new(|event: KeyboardEvent| pressed(&event));
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

/// Takes the keys of a view, as long as the component lives; the callback says whether it did something.
#[hook]
pub(crate) fn use_keys(view: View, take: impl Fn(Action) -> bool + 'static) {
    let latest = use_mut_ref(|| Callback::from(|_: Action| false));
    *latest.borrow_mut() = Callback::from(take);
    use_effect_with(view, move |view| {
        let take = Callback::from(move |action: Action| {
            let take = latest.borrow().clone();
            take.emit(action)
        });
        let id = NEXT.replace(NEXT.get() + 1);
        TAKERS.with_borrow_mut(|takers| takers.push(Taker { id, view: *view, take }));
        move || TAKERS.with_borrow_mut(|takers| takers.retain(|taker| taker.id != id))
    });
}

fn pressed(event: &KeyboardEvent) {
    if overlay::take(event) {
        GOING.set(false);
        return;
    }
    let going = GOING.replace(false);
    let Some(press) = press_of(event, going) else { return };
    if press == GO {
        GOING.set(!is_typing());
        return;
    }
    let Some(binding) = binding(&press) else { return };
    if (event.repeat() && !binding.action.repeats()) || (is_typing() && !binding.action.acts_in_fields()) {
        return;
    }
    // A view that acts may leave the page or open another, so the list isn't borrowed while it does.
    let takers: Vec<Callback<Action, bool>> = TAKERS.with_borrow(|takers| {
        takers
            .iter()
            .rev()
            .filter(|taker| taker.view == binding.view)
            .map(|taker| taker.take.clone())
            .collect()
    });
    if takers.iter().any(|take| take.emit(binding.action)) {
        event.prevent_default();
    }
}

/// A press as the table names it.
fn press_of(event: &KeyboardEvent, going: bool) -> Option<String> {
    let key = event.key();
    match (event.ctrl_key() || event.meta_key(), event.alt_key(), going) {
        (true, false, _) => Some(format!("Ctrl+{key}")),
        (false, false, true) => Some(format!("{GO} {key}")),
        (false, false, false) => Some(key),
        (_, true, _) => None,
    }
}

/// What a key does on any page that has rows, tabs or a search field. True where it did something.
pub(crate) fn act_on_page(action: Action) -> bool {
    let Some(document) = web_sys::window().and_then(|window| window.document()) else { return false };
    let focused = document.active_element().and_then(|element| element.dyn_into::<HtmlElement>().ok());
    match action {
        Action::Back => is_typing() && focused.is_some_and(|field| field.blur().is_ok()),
        Action::Search => first(&document, ".search input").is_some_and(|field| field.focus().is_ok()),
        Action::Open => focused.filter(|row| row.matches(ROW).unwrap_or_default()).is_some_and(|row| {
            row.click();
            true
        }),
        Action::Next => step_to(&all(&document, ROWS), focused.as_ref(), 1),
        Action::Previous => step_to(&all(&document, ROWS), focused.as_ref(), -1),
        Action::TabAfter => turn(&all(&document, TABS), 1),
        Action::TabBefore => turn(&all(&document, TABS), -1),
        Action::Mark
        | Action::ShowNew
        | Action::Approve
        | Action::Reject
        | Action::RequestChanges
        | Action::Edit
        | Action::Snooze
        | Action::Submit
        | Action::Save
        | Action::Undo
        | Action::Inbox
        | Action::Workflows
        | Action::Runs
        | Action::Outbox
        | Action::Settings
        | Action::Keys => false,
    }
}

/// What opens on Enter.
const ROW: &str =
    "tr[tabindex], [role=option][tabindex], [role=listitem][tabindex], [role=treeitem][tabindex]";
/// The rows through which `j` and `k` move the focus; where a list has a selection, they move that instead.
const ROWS: &str = "[data-rows] [tabindex]";
const TABS: &str = "[role=tablist] [role=tab], nav.tabs a";

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
    let is_here = |tab: &HtmlElement| {
        tab.has_attribute("aria-current") || tab.get_attribute("aria-selected").as_deref() == Some("true")
    };
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
