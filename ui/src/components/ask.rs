//! A question that has to be answered before anything else.

use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    /// What is asked.
    pub(crate) title: String,
    /// What is safe, and what happens.
    pub(crate) says: String,
    /// The verb that goes on.
    pub(crate) go: AttrValue,
    /// True to go on.
    pub(crate) answer: Callback<bool>,
}

/// The question; the safe answer has the focus, and Escape gives it.
#[component]
pub(crate) fn Ask(props: &Props) -> Html {
    let stay = use_node_ref();
    {
        let stay = stay.clone();
        use_effect_with((), move |()| {
            if let Some(button) = stay.cast::<web_sys::HtmlElement>() {
                // A button that can't take the focus can still be clicked.
                let _ = button.focus();
            }
        });
    }
    let answer = |really: bool| props.answer.reform(move |_: MouseEvent| really);
    let onkeydown = {
        let answer = props.answer.clone();
        Callback::from(move |event: KeyboardEvent| {
            // Nothing below the question hears a key.
            event.stop_propagation();
            if event.key() == "Escape" {
                answer.emit(false);
            }
        })
    };
    html! {
        <div class="veil" {onkeydown}>
            <div class="sheet ask" role="alertdialog" aria-modal="true" aria-labelledby="ask-title" aria-describedby="ask-says">
                <h2 id="ask-title">{ &props.title }</h2>
                <p id="ask-says">{ &props.says }</p>
                <div class="row">
                    <button class="btn push" ref={stay} onclick={answer(false)}>{ "Stay" }</button>
                    <button class="btn" onclick={answer(true)}>{ props.go.clone() }</button>
                </div>
            </div>
        </div>
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
