//! Toasts: what just happened, said once, and gone after a while.

use super::icon::{Glyph, Icon};
use gloo_timers::callback::Timeout;
use yew::prelude::*;

const SHOWN_MS: u32 = 6000;

/// What just happened.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Toast {
    pub(crate) tone: Tone,
    pub(crate) text: String,
}

/// How it is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Done,
    Queued,
    Failed,
}

/// Shows toasts; any page can emit one.
pub(crate) type Toaster = Callback<Toast>;

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
            let timer = toast.is_some().then(|| Timeout::new(SHOWN_MS, move || gone.emit(())));
            move || drop(timer)
        });
    }
    let close = props.gone.reform(|_: MouseEvent| ());
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
                    <button class="btn quiet square" aria-label="Close" onclick={close}><Glyph icon={Icon::Close} /></button>
                </div>
            }
        </div>
    }
}
