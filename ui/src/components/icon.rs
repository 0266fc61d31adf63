//! Icons: drawn on a 16 px field with one round stroke, in the colour of the text beside them.

use yew::prelude::*;

macro_rules! icons {
    ($($name:ident = $path:literal;)*) => {
        /// An icon.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Icon { $($name,)* }

        impl Icon {
            fn path(self) -> &'static str {
                match self { $(Self::$name => $path,)* }
            }
        }
    };
}

icons! {
    Inbox = "M2.5 9h3.2l1 2.2h2.6l1-2.2h3.2M2.5 9l1.6-5.5h7.8L13.5 9v3.5a1 1 0 0 1-1 1h-9a1 1 0 0 1-1-1z";
    Workflows = "M2.5 2.5h4v4h-4zM9.5 9.5h4v4h-4zM4.5 6.5v3a2 2 0 0 0 2 2h3";
    Runs = "M2.5 4h11M2.5 8h5.5M2.5 12h4M10 8.6l4 2.4-4 2.4z";
    Outbox = "M2.5 10v2.5a1 1 0 0 0 1 1h9a1 1 0 0 0 1-1V10M8 10.5V3M4.8 6 8 2.8 11.2 6";
    Settings = "M2.5 5h5.7M11.8 5h1.7M2.5 11h1.7M7.8 11h5.7M10 3.2v3.6M6 9.2v3.6";
    Admin = "M8 2.25 13 4v3.75c0 2.9-2 5-5 6-3-1-5-3.1-5-6V4z";
    Person = "M8 7.7a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM3 13.3c.6-2.6 2.5-3.9 5-3.9s4.4 1.3 5 3.9";
    Tick = "M8 13.75a5.75 5.75 0 1 0 0-11.5 5.75 5.75 0 0 0 0 11.5zM5.5 8.2l1.8 1.8 3.2-3.8";
    Bar = "M8 13.75a5.75 5.75 0 1 0 0-11.5 5.75 5.75 0 0 0 0 11.5zM5.2 8h5.6";
    Hourglass = "M4 2.5h8M4 13.5h8M5.2 2.5V5L8 8l2.8-3V2.5M5.2 13.5V11L8 8l2.8 3v2.5";
    Dot = "M8 13.75a5.75 5.75 0 1 0 0-11.5 5.75 5.75 0 0 0 0 11.5zM8 9.2a1.2 1.2 0 1 0 0-2.4 1.2 1.2 0 0 0 0 2.4z";
    Cross = "M8 13.75a5.75 5.75 0 1 0 0-11.5 5.75 5.75 0 0 0 0 11.5zM6 6l4 4M10 6l-4 4";
    Slash = "M8 13.75a5.75 5.75 0 1 0 0-11.5 5.75 5.75 0 0 0 0 11.5zM4.1 11.9l7.8-7.8";
    Clock = "M8 13.75a5.75 5.75 0 1 0 0-11.5 5.75 5.75 0 0 0 0 11.5zM8 4.8V8l2.2 1.5";
    Retry = "M13 8a5 5 0 1 1-1.5-3.6M13 2.5V5h-2.5";
    Skip = "M3.5 4l4 4-4 4M8.5 4l4 4-4 4";
    Look = "M8 2.8 13.8 13H2.2zM8 6.8v2.8M8 11.2v.1";
    Condition = "M8 2.2 13.8 8 8 13.8 2.2 8z";
    Spread = "M2.25 8H5M5 8c2.25 0 1.75-4 4.25-4h4.25M5 8c2.25 0 1.75 4 4.25 4h4.25";
    Bolt = "M9 2.2 3.8 9h3.7L7 13.8 12.2 7H8.5z";
    Search = "M7 11.2a4.2 4.2 0 1 0 0-8.4 4.2 4.2 0 0 0 0 8.4zM10.2 10.2l3.3 3.3";
    Back = "M9.8 3.5 5.2 8l4.6 4.5";
    Forward = "M6.2 3.5 10.8 8l-4.6 4.5";
    Open = "M6.5 3.5h-3a1 1 0 0 0-1 1v8a1 1 0 0 0 1 1h8a1 1 0 0 0 1-1v-3M9.5 2.5h4v4M13.2 2.8 7.5 8.5";
    Close = "M4 4l8 8M12 4l-8 8";
    Play = "M5 3.2 12.5 8 5 12.8z";
    Yes = "M3.5 8.5l3 3 6-7";
    No = "M4.5 4.5l7 7M11.5 4.5l-7 7";
}

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) icon: Icon,
    #[prop_or_default]
    pub(crate) tone: Classes,
}

/// Draws an icon; the word beside it says what it means.
#[component]
pub(crate) fn Glyph(props: &Props) -> Html {
    html! {
        <svg class={classes!("i", props.tone.clone())} viewBox="0 0 16 16" aria-hidden="true">
            <path d={props.icon.path()} />
        </svg>
    }
}
