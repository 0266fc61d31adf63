//! Toasts: what just happened, said once, and gone after a while.

use super::icon::{Glyph, Icon};
use crate::keys::use_keys;
use gloo_timers::callback::Timeout;
use shared_types::desktop::{
    Failure,
    keys::{Action, View},
};
use std::future::Future;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

const SHOWN_MS: u32 = 6000;
/// What can be undone stays longer.
const UNDO_MS: u32 = 10_000;

/// What just happened.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Toast {
    tone: Tone,
    text: String,
    /// Takes it back.
    undo: Option<Callback<()>>,
    /// How long it is shown, in milliseconds.
    shown_ms: u32,
}

impl Toast {
    /// Something was done.
    pub(crate) fn done(text: impl Into<String>) -> Self {
        Self { tone: Tone::Done, text: text.into(), undo: None, shown_ms: SHOWN_MS }
    }

    /// Something is kept until the server answers.
    pub(crate) fn queued(text: impl Into<String>) -> Self {
        Self { tone: Tone::Queued, text: text.into(), undo: None, shown_ms: SHOWN_MS }
    }

    /// Something was not done.
    pub(crate) fn failed(text: impl Into<String>) -> Self {
        Self { tone: Tone::Failed, text: text.into(), undo: None, shown_ms: SHOWN_MS }
    }

    /// What it says.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether it says that something was not done.
    pub(crate) fn is_failed(&self) -> bool {
        self.tone == Tone::Failed
    }

    /// The same, with a way back.
    pub(crate) fn or_undo(self, undo: Callback<()>) -> Self {
        self.or_undo_for(undo, UNDO_MS)
    }

    /// The same, with a way back for some milliseconds.
    pub(crate) fn or_undo_for(self, undo: Callback<()>, shown_ms: u32) -> Self {
        Self { undo: Some(undo), shown_ms, ..self }
    }
}

/// How it is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tone {
    Done,
    Queued,
    Failed,
}

/// Shows toasts; any page can emit one.
pub(crate) type Toaster = Callback<Toast>;

/// Does something, and says what went wrong.
pub(crate) fn act<T: 'static>(
    doing: impl Future<Output = Result<T, Failure>> + 'static,
    toaster: Option<Toaster>,
    done: impl FnOnce(T) + 'static,
) {
    spawn_local(async move {
        match (doing.await, toaster) {
            (Ok(value), _) => done(value),
            (Err(failure), Some(toaster)) => toaster.emit(Toast::failed(failure.words())),
            (Err(_), None) => {}
        }
    });
}

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) toast: Option<Toast>,
    pub(crate) gone: Callback<()>,
}

/// The toast that is shown.
#[component]
pub(crate) fn ToastView(props: &Props) -> Html {
    {
        let gone = props.gone.clone();
        use_effect_with(props.toast.clone(), move |toast| {
            let timer = toast.as_ref().map(|toast| Timeout::new(toast.shown_ms, move || gone.emit(())));
            move || drop(timer)
        });
    }
    let close = props.gone.reform(|_: MouseEvent| ());
    let undo = props.toast.as_ref().and_then(|toast| toast.undo.clone()).map(|undo| {
        let gone = props.gone.clone();
        Callback::from(move |()| {
            gone.emit(());
            undo.emit(());
        })
    });
    {
        let undo = undo.clone();
        use_keys(View::Page, move |action| {
            let undo = undo.as_ref().filter(|_| action == Action::Undo);
            undo.map(|undo| undo.emit(())).is_some()
        });
    }
    let undo = undo.map(|undo| undo.reform(|_: MouseEvent| ()));
    let live = match &props.toast {
        Some(Toast { tone: Tone::Failed, .. }) => "assertive",
        Some(_) | None => "polite",
    };
    html! {
        <div class="toasts" aria-live={live}>
            if let Some(toast) = &props.toast {
                <div class="toast">
                    { match toast.tone {
                        Tone::Done => html! { <Glyph icon={Icon::Tick} tone="ok" /> },
                        Tone::Queued => html! { <Glyph icon={Icon::Outbox} /> },
                        Tone::Failed => html! { <Glyph icon={Icon::Cross} tone="bad" /> },
                    } }
                    <span>{ &toast.text }</span>
                    if let Some(undo) = undo { <button class="btn quiet" onclick={undo}>{ "Undo " }<kbd>{ "z" }</kbd></button> }
                    <button class="btn quiet square" aria-label="Close" onclick={close}><Glyph icon={Icon::Close} /></button>
                </div>
            }
        </div>
    }
}
