//! One operation: what it needs, tried once, and what came back.

use super::input::{InputForm, Typed, fields, input};
use crate::{
    bridge,
    components::{
        confirm::Ask,
        connection_banner::use_offline_reason,
        icon::{Glyph, Icon},
    },
    format,
};
use serde_json::Value;
use shared_types::{
    api::{
        Permission, Permissions,
        connectors::{ConnectorOperation, OperationTried},
    },
    desktop::{Failure, commands::TryOperation},
};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(super) struct Props {
    pub(super) connector: String,
    pub(super) operation: ConnectorOperation,
}

/// The state of a trial.
#[derive(Debug, Clone, PartialEq)]
enum TrialState {
    Untried,
    Trying,
    Tried(Box<Result<OperationTried, Failure>>),
}

#[component]
pub(super) fn Trial(props: &Props) -> Html {
    let operation = &props.operation;
    let typed = use_state(Typed::new);
    let trial = use_state(|| TrialState::Untried);
    let asked = use_state(|| false);
    let fields = use_memo(operation.input_schema.clone(), fields);
    let filled = input(&fields, &typed);
    let may_write = use_context::<Permissions>().is_some_and(|may| may.allow(Permission::ManageConnectors));
    let may_try = operation.safe || may_write;
    let offline = use_offline_reason();
    let send = {
        let (trial, filled) = (trial.clone(), filled.clone());
        let (name, operation) = (props.connector.clone(), operation.id.clone());
        Callback::from(move |()| {
            let Ok(input) = filled.clone() else { return };
            let (trial, name, operation) = (trial.clone(), name.clone(), operation.clone());
            trial.set(TrialState::Trying);
            spawn_local(async move {
                let tried = bridge::ask(TryOperation { name, operation, input }).await;
                trial.set(TrialState::Tried(Box::new(tried)));
            });
        })
    };
    let begin = {
        let (asked, send, is_safe) = (asked.clone(), send.clone(), operation.safe);
        Callback::from(move |_: MouseEvent| if is_safe { send.emit(()) } else { asked.set(true) })
    };
    let answer = {
        let asked = asked.clone();
        Callback::from(move |really: bool| {
            asked.set(false);
            if really {
                send.emit(());
            }
        })
    };
    let changed = {
        let typed = typed.clone();
        Callback::from(move |next: Typed| typed.set(next))
    };
    let is_trying = *trial == TrialState::Trying;
    html! {
        <>
            <div class="scroll"><div class="card-body">
                <div><h2 class="question data">{ &operation.id }</h2>
                    if !operation.summary.is_empty() { <p class="muted data">{ &operation.summary }</p> }
                    <p class="muted">{ if operation.safe { "It only reads." } else { "It may change something there." } }</p></div>
                <section aria-label="Input"><h3>{ "Input" }</h3><InputForm fields={(*fields).clone()} typed={(*typed).clone()} {changed} /></section>
                { answer_section(&trial) }
                { schemas(operation) }
            </div></div>
            <div class="foot">
                <button class="btn primary" disabled={filled.is_err() || is_trying || !may_try || offline.is_some()} title={offline} onclick={begin}>{ if is_trying { "Trying…" } else { "Try it" } }</button>
                if may_try { <span>{ "It makes a real call, for no run." }</span> } else { <span>{ "Only an administrator may try what changes something." }</span> }
            </div>
            if *asked {
                <Ask title={format!("Call {}?", operation.id)} go="Call it" stay="Don’t" {answer}
                    says="It may change something in the other system, and can’t be taken back from here." />
            }
        </>
    }
}

fn answer_section(trial: &TrialState) -> Html {
    let tried = match trial {
        TrialState::Untried => return Html::default(),
        TrialState::Trying => {
            return html! { <section aria-label="Answer" role="status"><h3>{ "Answer" }</h3><p class="muted">{ "Waiting for the answer…" }</p></section> };
        }
        TrialState::Tried(tried) => tried,
    };
    let body = match &**tried {
        Err(failure) => refused(failure),
        Ok(tried) => html! {
            <>
                <p class="row" role="status">{ headline(tried) }<span class="muted push">{ format::took(tried.took_ms.into()) }</span></p>
                if !tried.body.is_null() { <pre class="data note-box" tabindex="0">{ pretty(&tried.body) }</pre> }
                if !tried.headers.is_empty() { <details class="all"><summary>{ "Headers" }</summary><pre class="data">{ headers(tried) }</pre></details> }
                if !tried.request.is_null() { <details class="all"><summary>{ "What was sent" }</summary><pre class="data">{ pretty(&tried.request) }</pre></details> }
            </>
        },
    };
    html! { <section aria-label="Answer"><h3>{ "Answer" }</h3>{ body }</section> }
}

/// What doesn't fit, by field, or why nothing was sent.
fn refused(failure: &Failure) -> Html {
    let findings = failure.findings();
    if findings.is_empty() {
        return html! { <p class="row bad" role="alert"><Glyph icon={Icon::Cross} />{ failure.words() }</p> };
    }
    let row = |message: &String| html! { <li class="row bad"><Glyph icon={Icon::Cross} /><span class="data">{ message }</span></li> };
    html! { <ul role="alert">{ findings.iter().map(|finding| row(&finding.message)).collect::<Html>() }</ul> }
}

fn headline(tried: &OperationTried) -> Html {
    let (icon, tone, words) = match (&tried.error, tried.status) {
        (Some(error), _) => (Icon::Cross, "bad", error.clone()),
        (None, Some(status)) if (200..300).contains(&status) => {
            (Icon::Tick, "ok", format!("It answered {status}."))
        }
        (None, Some(status)) => (Icon::Cross, "bad", format!("It answered {status}.")),
        (None, None) => (Icon::Look, "wait", "It gave no answer.".to_owned()),
    };
    html! { <><Glyph {icon} {tone} /><span class="data">{ words }</span></> }
}

fn headers(tried: &OperationTried) -> String {
    let line = |(name, value): (&String, &Value)| format!("{name}: {}", format::plain(value));
    tried.headers.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn schemas(operation: &ConnectorOperation) -> Html {
    let of = |name: &'static str, schema: &Value| html! { <details class="all"><summary>{ name }</summary><pre class="data">{ pretty(schema) }</pre></details> };
    html! {
        <section aria-label="Schemas">
            { of("Schema of the input", &operation.input_schema) }
            { operation.output_schema.as_ref().map(|schema| of("Schema of the answer", schema)).unwrap_or_default() }
        </section>
    }
}

fn pretty(value: &Value) -> String {
    let text = value.as_str().map(str::to_owned);
    text.unwrap_or_else(|| serde_json::to_string_pretty(value).unwrap_or_default())
}
