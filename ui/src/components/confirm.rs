//! A question that has to be answered before anything else.

use super::overlay::Overlay;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    /// What is asked.
    pub(crate) title: String,
    /// What is safe, and what happens.
    pub(crate) says: String,
    /// The verb that goes on.
    pub(crate) go: AttrValue,
    /// The verb that doesn't.
    #[prop_or(AttrValue::Static("Stay"))]
    pub(crate) stay: AttrValue,
    /// True to go on.
    pub(crate) answer: Callback<bool>,
}

/// The question; the safe answer has the focus, and Escape gives it.
#[component]
pub(crate) fn Ask(props: &Props) -> Html {
    let answer = |really: bool| props.answer.reform(move |_: MouseEvent| really);
    html! {
        <Overlay name={props.title.clone()} asks={true} described_by="ask-says" close={props.answer.reform(|()| false)}>
            <h2>{ &props.title }</h2>
            <p id="ask-says">{ &props.says }</p>
            <div class="row">
                <button class="btn push" onclick={answer(false)}>{ props.stay.clone() }</button>
                <button class="btn" onclick={answer(true)}>{ props.go.clone() }</button>
            </div>
        </Overlay>
    }
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
