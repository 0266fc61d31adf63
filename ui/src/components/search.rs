//! The field to look for something in a list that is all there; what was typed stays when one comes back to the list.

use super::icon::{Glyph, Icon};
use std::{cell::RefCell, collections::BTreeMap};
use web_sys::HtmlInputElement;
use yew::prelude::*;

thread_local! {
    /// What was last looked for, by list.
    static LAST: RefCell<BTreeMap<&'static str, String>> = const { RefCell::new(BTreeMap::new()) };
}

/// What is looked for in a list.
#[derive(Clone, PartialEq)]
pub(crate) struct Search {
    list: &'static str,
    text: UseStateHandle<String>,
}

/// Forgets what was looked for: whoever signs in next begins at the beginning.
pub(crate) fn forget() {
    LAST.take();
}

/// Looks for something in a list, with what was last looked for there.
#[hook]
pub(crate) fn use_search(list: &'static str) -> Search {
    let text = use_state(|| LAST.with_borrow(|last| last.get(list).cloned().unwrap_or_default()));
    Search { list, text }
}

impl Search {
    /// Whether every word is found in one of the texts.
    pub(crate) fn finds(&self, texts: &[&str]) -> bool {
        let is_in = |word: &str| texts.iter().any(|text| text.to_lowercase().contains(word));
        self.text.to_lowercase().split_whitespace().all(is_in)
    }

    /// What was typed.
    pub(crate) fn text(&self) -> &str {
        self.text.trim()
    }

    fn set(&self, text: String) {
        LAST.with_borrow_mut(|last| last.insert(self.list, text.clone()));
        self.text.set(text);
    }

    /// The field to type into; `/` gives it the focus.
    pub(crate) fn field(&self) -> Html {
        let typed = self.clone();
        let oninput = Callback::from(move |event: InputEvent| {
            if let Some(field) = event.target_dyn_into::<HtmlInputElement>() {
                typed.set(field.value());
            }
        });
        html! {
            <label class="field search"><Glyph icon={Icon::Search} tone="muted" />
                <input aria-label="Search" placeholder={format!("Search {}", self.list)} value={(*self.text).clone()} {oninput} /><kbd>{ "/" }</kbd></label>
        }
    }

    /// That nothing is found, and the way back to all.
    pub(crate) fn nothing(&self) -> Html {
        let search = self.clone();
        let clear = Callback::from(move |_: MouseEvent| search.set(String::new()));
        html! {
            <div class="calm"><p>{ format!("No {} match “{}”.", self.list, self.text()) }</p>
                <button class="btn" onclick={clear}>{ "Clear" }</button></div>
        }
    }
}
