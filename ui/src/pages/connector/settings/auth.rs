//! How a system lets us in: its kind, whom we are, and the secret by its name.

use crate::{
    bridge,
    components::toast::{Toast, Toaster, act},
    load::{Load, use_load},
};
use serde_json::{Map, Value};
use shared_types::{
    api::connectors::OfferedAuth,
    desktop::commands::{ListSecrets, SetSecret},
};
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

const TYPES: [(&str, &str); 6] = [
    ("none", "It asks nothing"),
    ("bearer", "Bearer token"),
    ("basic", "User and password"),
    ("header", "Header"),
    ("query", "Query parameter"),
    ("oauth2_client_credentials", "OAuth 2, client credentials"),
];

/// The fields of a type besides the secret: key, label, example.
fn fields(kind: &str) -> &'static [(&'static str, &'static str, &'static str)] {
    match kind {
        "basic" => &[("username", "User", "workflows")],
        "header" => &[("name", "Header", "X-Api-Key")],
        "query" => &[("name", "Parameter", "api_key")],
        "oauth2_client_credentials" => &[
            ("token_url", "Token address", "https://login.example.com/oauth/token"),
            ("client_id", "Client id", "workflows"),
            ("scopes", "Scopes", "read write"),
        ],
        _ => &[],
    }
}

#[derive(Properties, PartialEq)]
pub(super) struct Props {
    pub(super) auth: Map<String, Value>,
    /// The kind of the connector: a database knows users and passwords only.
    pub(super) kind: String,
    pub(super) disabled: bool,
    /// What the system's document offers.
    pub(super) offered: Vec<OfferedAuth>,
    pub(super) changed: Callback<Map<String, Value>>,
}

#[component]
pub(super) fn AuthFields(props: &Props) -> Html {
    let auth = &props.auth;
    let kind = auth.get("type").and_then(Value::as_str).unwrap_or("none").to_owned();
    let secrets = use_load((), |(), policy| bridge::ask(ListSecrets { policy }));
    let names: Vec<String> = match &secrets.load {
        Load::Ready(loaded) => loaded.data.items.iter().map(|secret| secret.name.clone()).collect(),
        Load::Waiting | Load::Failed(_) => Vec::new(),
    };
    let pick = {
        let (auth, changed) = (auth.clone(), props.changed.clone());
        Callback::from(move |event: Event| {
            let kind = event.target_unchecked_into::<HtmlSelectElement>().value();
            let mut next = Map::from_iter([("type".to_owned(), Value::from(kind.as_str()))]);
            if kind != "none" {
                next.extend(auth.get("secret").map(|secret| ("secret".to_owned(), secret.clone())));
                next.entry("secret").or_insert_with(|| "".into());
            }
            changed.emit(next);
        })
    };
    let of_database = |value: &str| props.kind != "sql" || value == "basic" || value == "none";
    let types = TYPES.iter().filter(|(value, _)| of_database(value));
    let option = |(value, word): &(&'static str, &'static str)| html! { <option value={*value} selected={kind == *value}>{ *word }</option> };
    let rows = fields(&kind).iter().map(|(key, label, hint)| row(props, key, label, hint));
    let secret = auth.get("secret").and_then(Value::as_str).unwrap_or_default().to_owned();
    let named = {
        let (auth, changed) = (auth.clone(), props.changed.clone());
        Callback::from(move |event: InputEvent| {
            let mut next = auth.clone();
            next.insert(
                "secret".to_owned(),
                event.target_unchecked_into::<HtmlInputElement>().value().into(),
            );
            changed.emit(next);
        })
    };
    let disabled = props.disabled;
    html! {
        <>
            <label for="auth-type">{ "Lets us in by" }</label>
            <div><select class="field" id="auth-type" {disabled} onchange={pick}>{ types.map(option).collect::<Html>() }</select>
                if kind == "none" && !props.offered.is_empty() { <div class="row wrapped under"><span class="muted">{ "The document offers" }</span>{ props.offered.iter().map(|offered| offer(props, offered)).collect::<Html>() }</div> }</div>
            { rows.collect::<Html>() }
            if kind != "none" {
                <label for="auth-secret">{ "Secret" }</label>
                <div><div class="row"><input class="field" id="auth-secret" list="secret-names" placeholder="crm_token" autocomplete="off" {disabled} value={secret.clone()} oninput={named} />
                        <span class="muted">{ standing(&secret, &names) }</span></div>
                    <datalist id="secret-names">{ names.iter().map(|name| html! { <option value={name.clone()} /> }).collect::<Html>() }</datalist>
                    if !secret.is_empty() && !disabled { <SecretValue key={secret.clone()} name={secret.clone()} again={secrets.again.clone()} /> }
                </div>
            }
        </>
    }
}

/// A way that the document offers, to be taken; one that this server can't go is told.
fn offer(props: &Props, offered: &OfferedAuth) -> Html {
    let title = (!offered.description.is_empty()).then(|| offered.description.clone());
    let auth = offered.auth.as_ref().and_then(|auth| serde_json::to_value(auth).ok());
    let Some(Value::Object(auth)) = auth else {
        return html! { <span class="muted" {title}>{ format!("{} (it can’t be done from here)", offered.name) }</span> };
    };
    let kind = auth.get("type").and_then(Value::as_str).unwrap_or_default();
    let word = TYPES.iter().find(|(value, _)| *value == kind).map_or("", |(_, word)| *word);
    let onclick = props.changed.reform(move |event: MouseEvent| {
        event.prevent_default();
        auth.clone()
    });
    html! { <button class="btn" type="button" disabled={props.disabled} {title} {onclick}>{ format!("{word}: {}", offered.name) }</button> }
}

fn standing(secret: &str, names: &[String]) -> &'static str {
    if secret.is_empty() {
        "Its name; the value is kept apart and never shown"
    } else if names.iter().any(|name| name == secret) {
        "It is set"
    } else {
        "It isn’t set yet"
    }
}

fn row(props: &Props, key: &'static str, label: &'static str, hint: &'static str) -> Html {
    let value = match props.auth.get(key) {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        Some(value) => value.as_str().unwrap_or_default().to_owned(),
        None => String::new(),
    };
    let (auth, changed) = (props.auth.clone(), props.changed.clone());
    let oninput = Callback::from(move |event: InputEvent| {
        let typed = event.target_unchecked_into::<HtmlInputElement>().value();
        let mut next = auth.clone();
        next.insert(key.to_owned(), Value::from(typed));
        changed.emit(next);
    });
    let id = format!("auth-{key}");
    html! {
        <><label for={id.clone()}>{ label }</label>
            <div class="row"><input class="field" {id} disabled={props.disabled} placeholder={hint} {value} {oninput} /></div></>
    }
}

#[derive(Properties, PartialEq)]
struct SecretProps {
    name: String,
    again: Callback<()>,
}

/// Sets the value of the secret; it leaves the field as soon as it is kept.
#[component]
fn SecretValue(props: &SecretProps) -> Html {
    let field = use_node_ref();
    let toaster = use_context::<Toaster>();
    let onclick = {
        let (field, name, again) = (field.clone(), props.name.clone(), props.again.clone());
        Callback::from(move |event: MouseEvent| {
            event.prevent_default();
            let Some(input) = field.cast::<HtmlInputElement>() else { return };
            let value = input.value();
            if value.is_empty() {
                return;
            }
            let (say, again, name) = (toaster.clone(), again.clone(), name.clone());
            act(bridge::ask(SetSecret { name: name.clone(), value }), toaster.clone(), move |()| {
                input.set_value("");
                again.emit(());
                if let Some(say) = say {
                    say.emit(Toast::done(format!("The secret {name} is set")));
                }
            });
        })
    };
    html! {
        <div class="row under"><input class="field" type="password" autocomplete="new-password" aria-label={format!("Value of {}", props.name)} placeholder="Set or replace its value" ref={field} />
            <button class="btn" type="button" {onclick}>{ "Set secret" }</button></div>
    }
}
