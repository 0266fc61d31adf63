//! One clock for the whole window: what shows an age shows it anew as time passes.

use chrono::{DateTime, Utc};
use gloo_timers::callback::Interval;
use yew::prelude::*;

/// How often ages are shown anew, in milliseconds.
const TICK_MS: u32 = 5_000;

/// The time as the window shows it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Now(DateTime<Utc>);

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) children: Html,
}

/// Gives the time to all within.
#[component]
pub(crate) fn Clock(props: &Props) -> Html {
    let now = use_state(crate::format::now);
    {
        let now = now.clone();
        use_effect_with((), move |()| {
            let ticks = Interval::new(TICK_MS, move || now.set(crate::format::now()));
            move || drop(ticks)
        });
    }
    html! { <ContextProvider<Now> context={Now(*now)}>{ props.children.clone() }</ContextProvider<Now>> }
}

/// The time; whoever asks is drawn anew as it passes.
#[hook]
pub(crate) fn use_now() -> DateTime<Utc> {
    // What was read after the last tick isn't from the future.
    let ticked = use_context::<Now>().map(|now| now.0);
    let now = crate::format::now();
    ticked.map_or(now, |ticked| ticked.max(now))
}
