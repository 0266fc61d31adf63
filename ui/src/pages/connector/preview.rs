//! What saving a connector would change, and what was found in it.

use crate::{
    components::icon::{Glyph, Icon},
    format,
    route::Route,
};
use shared_types::{
    api::connectors::ConnectorPreview,
    desktop::Failure,
    workflow::{Finding, Severity},
};
use yew::prelude::*;
use yew_router::prelude::*;

/// How many names of one kind are listed.
const MAX_LISTED: usize = 50;

/// What comparing came to; none while it isn't known.
pub(super) type Compared = Option<Result<ConnectorPreview, Failure>>;

#[derive(Properties, PartialEq)]
pub(super) struct Props {
    pub(super) compared: Compared,
    pub(super) is_new: bool,
    /// Whether enough is written to be compared.
    pub(super) is_ready: bool,
    /// Compares, where that isn't done by itself.
    pub(super) ask: Option<Callback<()>>,
}

#[component]
pub(super) fn Preview(props: &Props) -> Html {
    let body = match &props.compared {
        None if props.is_ready && props.ask.is_some() => ask(props.ask.as_ref()),
        None if props.is_ready => html! { <p class="muted" role="status">{ "Comparing…" }</p> },
        None => {
            html! { <p class="muted">{ "Name it and say where it is; then what it offers stands here." }</p> }
        }
        Some(Ok(preview)) => differences(preview, props.is_new),
        Some(Err(failure)) if failure.findings().is_empty() => {
            html! { <p class="row bad" role="alert"><Glyph icon={Icon::Cross} /><span class="data">{ failure.words() }</span></p> }
        }
        Some(Err(failure)) => found(failure.findings()),
    };
    html! { <><h2 class="label">{ if props.is_new { "What it will offer" } else { "What saving changes" } }</h2>{ body }</> }
}

fn ask(ask: Option<&Callback<()>>) -> Html {
    let onclick = ask.map(|ask| ask.reform(|_: MouseEvent| ()));
    html! {
        <><p class="muted">{ "The server is called with the secret to ask for its tools." }</p>
            <p><button class="btn" {onclick}>{ "Ask for its tools" }</button></p></>
    }
}

fn differences(preview: &ConnectorPreview, is_new: bool) -> Html {
    let ConnectorPreview { added, changed, removed, used_by, findings, .. } = preview;
    let is_same = added.is_empty() && changed.is_empty() && removed.is_empty();
    html! {
        <>
            if is_same { <p class="row" role="status"><Glyph icon={Icon::Tick} tone="ok" />{ if is_new { "No operation yet." } else { "The operations stay as they are." } }</p> }
            { names("appear", added, Icon::Tick, "ok") }
            { names("change", changed, Icon::Look, "wait") }
            { names("go", removed, Icon::Cross, "bad") }
            if !used_by.is_empty() {
                <h3>{ "Workflows that use what changes or goes" }</h3>
                <ul>{ used_by.iter().map(|used| html! {
                    <li class="row"><Link<Route> to={Route::Workflow { id: used.workflow_id.to_string() }}><span class="link">{ used.workflow_id.to_string() }</span></Link<Route>>
                        <span class="muted cut push" title={used.operation.clone()}>{ &used.operation }</span></li>
                }).collect::<Html>() }</ul>
            }
            { found(findings) }
        </>
    }
}

fn names(verb: &str, names: &[String], icon: Icon, tone: &'static str) -> Html {
    if names.is_empty() {
        return Html::default();
    }
    let more = names.len().saturating_sub(MAX_LISTED);
    let verb = if names.len() == 1 { format!("{verb}s") } else { verb.to_owned() };
    let verb = if verb == "gos" { "goes".to_owned() } else { verb };
    html! {
        <details class="all" open={names.len() <= 8}>
            <summary class="row"><Glyph {icon} {tone} />{ format!("{} {verb}", format::count(names.len(), "operation", "operations")) }</summary>
            <ul class="mono data">{ names.iter().take(MAX_LISTED).map(|name| html! { <li>{ name }</li> }).collect::<Html>() }</ul>
            if more > 0 { <p class="muted">{ format!("and {more} more") }</p> }
        </details>
    }
}

fn found(findings: &[Finding]) -> Html {
    if findings.is_empty() {
        return Html::default();
    }
    let row = |finding: &Finding| {
        let (icon, tone) = match finding.severity {
            Severity::Error => (Icon::Cross, "bad"),
            Severity::Unsupported | Severity::Warning => (Icon::Look, "wait"),
        };
        html! {
            <li class="row top"><Glyph {icon} {tone} /><span class="data">{ &finding.message }<br /><span class="mono muted">{ &finding.pointer }</span></span></li>
        }
    };
    html! {
        <><h3>{ format::count(findings.len(), "finding", "findings") }</h3>
            <ul class="found">{ findings.iter().take(MAX_LISTED).map(row).collect::<Html>() }</ul></>
    }
}
