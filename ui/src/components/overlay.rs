//! What lies over the page and has to be answered or closed first: sheets, dialogs and menus.
//!
//! An open overlay holds the focus and takes every key. When it closes, the focus goes back to where it was.

use std::cell::RefCell;
use wasm_bindgen::JsCast as _;
use web_sys::{HtmlElement, KeyboardEvent};
use yew::prelude::*;

/// What in an overlay takes the focus.
const FOCUSABLE: &str = "button:not([disabled]), input, textarea, select, a[href], [tabindex='0']";

/// An overlay that is open.
struct Open {
    at: NodeRef,
    close: Callback<()>,
    /// A key besides Escape that closes it.
    key: Option<AttrValue>,
}

thread_local! {
    /// Those that are open, the uppermost last.
    static OPEN: RefCell<Vec<Open>> = const { RefCell::new(Vec::new()) };
}

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    /// What a screen reader calls it.
    pub(crate) name: AttrValue,
    /// Whether it asks something that has to be answered.
    #[prop_or_default]
    pub(crate) asks: bool,
    /// The id of what describes it.
    #[prop_or_default]
    pub(crate) described_by: Option<AttrValue>,
    /// Closes it: on Escape, and on a click beside it where it asks nothing.
    pub(crate) close: Callback<()>,
    /// A key besides Escape that closes it.
    #[prop_or_default]
    pub(crate) key_to_close: Option<AttrValue>,
    pub(crate) children: Html,
}

/// An overlay with its veil.
#[component]
pub(crate) fn Overlay(props: &Props) -> Html {
    let at = use_node_ref();
    let latest = use_mut_ref(|| props.close.clone());
    *latest.borrow_mut() = props.close.clone();
    {
        let (at, key) = (at.clone(), props.key_to_close.clone());
        use_effect_with((), move |()| {
            let before = focused();
            let close = Callback::from(move |()| {
                let close = latest.borrow().clone();
                close.emit(());
            });
            OPEN.with_borrow_mut(|open| open.push(Open { at: at.clone(), close, key }));
            if let Some(first) = inside(&at).first() {
                // What can't take the focus can still be clicked.
                let _ = first.focus();
            }
            move || {
                OPEN.with_borrow_mut(|open| open.retain(|other| other.at != at));
                if let Some(before) = before.filter(|before| before.is_connected()) {
                    let _ = before.focus();
                }
            }
        });
    }
    let beside = if props.asks { Callback::noop() } else { props.close.reform(|_: MouseEvent| ()) };
    let class = classes!("sheet", props.asks.then_some("ask"));
    html! {
        <div class="veil" onclick={beside}>
            <div {class} ref={at} role={if props.asks { "alertdialog" } else { "dialog" }} aria-modal="true"
                aria-label={props.name.clone()} aria-describedby={props.described_by.clone()}
                onclick={|event: MouseEvent| event.stop_propagation()}>
                { props.children.clone() }
            </div>
        </div>
    }
}

/// Lets the uppermost overlay take a press; false where none is open.
pub(crate) fn take(event: &KeyboardEvent) -> bool {
    let top =
        OPEN.with_borrow(|open| open.last().map(|top| (top.at.clone(), top.close.clone(), top.key.clone())));
    let Some((at, close, key)) = top else { return false };
    let pressed = event.key();
    if pressed == "Escape" || (key.as_deref() == Some(pressed.as_str()) && !event.repeat()) {
        event.prevent_default();
        close.emit(());
    } else if pressed == "Tab" {
        event.prevent_default();
        step(&inside(&at), event.shift_key());
    } else if pressed == "Enter" && (event.ctrl_key() || event.meta_key()) {
        // It submits on the page below; here it would press whichever button has the focus.
        event.prevent_default();
    }
    true
}

/// Moves the focus within an overlay, round and round.
fn step(within: &[HtmlElement], back: bool) {
    let Some(last) = within.len().checked_sub(1) else { return };
    let at = focused().and_then(|focused| within.iter().position(|element| *element == focused));
    let to = match (at, back) {
        (None, _) => 0,
        (Some(at), false) => {
            if at == last {
                0
            } else {
                at + 1
            }
        }
        (Some(at), true) => at.checked_sub(1).unwrap_or(last),
    };
    let _ = within[to].focus();
}

fn inside(at: &NodeRef) -> Vec<HtmlElement> {
    let Some(element) = at.cast::<HtmlElement>() else { return Vec::new() };
    let Ok(list) = element.query_selector_all(FOCUSABLE) else { return Vec::new() };
    (0..list.length()).filter_map(|n| list.item(n)?.dyn_into().ok()).collect()
}

fn focused() -> Option<HtmlElement> {
    let document = web_sys::window()?.document()?;
    document.active_element()?.dyn_into().ok()
}
