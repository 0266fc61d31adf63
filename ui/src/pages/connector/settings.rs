//! A connector's settings as a form: where the system is, how it lets us in, what it offers; compared before they are saved.

mod auth;
mod draft;

use super::preview::{Compared, Preview};
use crate::{
    bridge,
    components::{
        connection_banner::use_offline_reason,
        icon::{Glyph, Icon},
        source_editor::SourceEditor,
        toast::{Toast, Toaster},
    },
    route::Route,
};
use auth::AuthFields;
use draft::{Change, Draft, KINDS};
use gloo_timers::callback::Timeout;
use shared_types::{
    api::{
        Permission, Permissions,
        connectors::{Connector, OfferedAuth},
    },
    desktop::commands::{PreviewConnector, SaveConnector},
};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{HtmlInputElement, HtmlSelectElement, HtmlTextAreaElement};
use yew::prelude::*;
use yew_router::prelude::*;

/// How long after the last key it is compared, in milliseconds.
const PAUSE_MS: u32 = 600;

#[derive(Properties, PartialEq)]
pub(super) struct Props {
    /// Nothing for a new one.
    pub(super) connector: Option<Connector>,
    pub(super) again: Callback<()>,
}

#[component]
pub(super) fn Settings(props: &Props) -> Html {
    let draft = use_reducer(|| Draft::of(props.connector.as_ref()));
    let compared = use_state(|| Compared::None);
    let may_write = use_context::<Permissions>().is_some_and(|may| may.allow(Permission::ManageConnectors));
    let compare = use_comparing(&draft, &compared, may_write);
    let base = use_state(|| props.connector.as_ref().map(|connector| connector.etag.clone()));
    let save = use_saving(&draft, &base, props.again.clone());
    let set = {
        let draft = draft.dispatcher();
        Callback::from(move |change: Change| draft.dispatch(change))
    };
    let has_errors = !matches!(&*compared, Some(Ok(_)));
    let editor = {
        let set = set.clone();
        Callback::from(move |more: String| set.emit(Change::of(|draft| draft.more = more)))
    };
    let more = use_memo(draft.replaced, |_| draft.more.clone());
    let offline = use_offline_reason();
    html! {
        <>
            { overtaken(props.connector.as_ref(), &base, &set) }
            <div class="bench is-editing">
                <div class="editor scroll">
                    <form class="fields pad" onsubmit={|event: SubmitEvent| event.prevent_default()}>
                        { place(&draft, &set, props.connector.is_some(), !may_write) }
                        <AuthFields auth={draft.auth.clone()} kind={draft.kind.clone()} disabled={!may_write} offered={offered(&compared)}
                            changed={set.reform(|auth| Change::of(|draft: &mut Draft| draft.auth = auth))} />
                        { limits(&draft, &set, !may_write) }
                        { document(&draft, &set, props.connector.is_some(), !may_write) }
                    </form>
                    <h3 class="pad">{ "What it offers: operations, records, and what context.load takes from it" }</h3>
                    <div class="more-source"><SourceEditor key={draft.replaced} text={(*more).clone()} changed={editor} findings={Vec::new()} order={None} /></div>
                </div>
                <section class="try" aria-label="What saving changes">
                    <Preview compared={(*compared).clone()} is_new={props.connector.is_none()} is_ready={draft.is_ready()} ask={draft.asks_the_server().then_some(compare)} />
                </section>
            </div>
            <div class="foot"><button class="btn primary" disabled={has_errors || !may_write || offline.is_some()} title={offline} onclick={save}>{ if props.connector.is_some() { "Save revision" } else { "Add connector" } }</button>
                if !may_write { <span>{ "Only an administrator writes connectors." }</span> }</div>
        </>
    }
}

/// Compares what is written with what is stored, a moment after the last key. A server of tools is asked for them only when the
/// callback is called: it would be sent the secret, and half of an address is somebody else's.
#[hook]
fn use_comparing(
    draft: &UseReducerHandle<Draft>,
    compared: &UseStateHandle<Compared>,
    may_write: bool,
) -> Callback<()> {
    let round = use_mut_ref(|| 0u32);
    let compare = {
        let (round, compared, draft) = (round.clone(), compared.clone(), draft.clone());
        Callback::from(move |()| {
            let (round, compared, form) = (round.clone(), compared.clone(), draft.form());
            let this = *round.borrow();
            spawn_local(async move {
                let answer = bridge::ask(PreviewConnector { form }).await;
                // What was typed meanwhile makes another answer.
                if *round.borrow() == this {
                    compared.set(Some(answer));
                }
            });
        })
    };
    {
        let (compare, compared) = (compare.clone(), compared.clone());
        use_effect_with(((**draft).clone(), may_write), move |(draft, may_write)| {
            *round.borrow_mut() += 1;
            compared.set(None);
            let is_compared = draft.is_ready() && *may_write && !draft.asks_the_server();
            let timer = is_compared.then(|| Timeout::new(PAUSE_MS, move || compare.emit(())));
            move || drop(timer)
        });
    }
    compare
}

#[hook]
fn use_saving(
    draft: &UseReducerHandle<Draft>,
    base: &UseStateHandle<Option<String>>,
    again: Callback<()>,
) -> Callback<MouseEvent> {
    let (toaster, navigator) = (use_context::<Toaster>(), use_navigator());
    let (draft, base) = (draft.clone(), (**base).clone());
    Callback::from(move |_: MouseEvent| {
        let (form, base, again) = (draft.form(), base.clone(), again.clone());
        let (toaster, navigator) = (toaster.clone(), navigator.clone());
        spawn_local(async move {
            let toast = match bridge::ask(SaveConnector { form, base }).await {
                Ok(saved) => {
                    again.emit(());
                    if let Some(navigator) = navigator {
                        navigator.push(&Route::Connector { name: saved.name.clone() });
                    }
                    Toast::done(format!("{} is saved as revision {}", saved.name, saved.revision))
                }
                Err(failure) => Toast::failed(failure.words()),
            };
            if let Some(toaster) = toaster {
                toaster.emit(toast);
            }
        });
    })
}

/// The ways in which the system lets callers in, as its document says.
fn offered(compared: &Compared) -> Vec<OfferedAuth> {
    match compared {
        Some(Ok(preview)) => preview.offered_auth.clone(),
        Some(Err(_)) | None => Vec::new(),
    }
}

/// That somebody else wrote a revision meanwhile, and which of both is to stay.
fn overtaken(
    connector: Option<&Connector>,
    base: &UseStateHandle<Option<String>>,
    set: &Callback<Change>,
) -> Html {
    let Some(connector) =
        connector.filter(|connector| base.as_deref().is_some_and(|base| base != connector.etag))
    else {
        return Html::default();
    };
    let on_theirs = {
        let (base, etag) = (base.clone(), connector.etag.clone());
        Callback::from(move |()| base.set(Some(etag.clone())))
    };
    let keep = on_theirs.reform(|_: MouseEvent| ());
    let take = {
        let (set, theirs) = (set.clone(), connector.clone());
        Callback::from(move |_: MouseEvent| {
            let theirs = theirs.clone();
            set.emit(Change::of(move |draft| draft.take(&theirs)));
            on_theirs.emit(());
        })
    };
    html! {
        <div class="banner is-wrapped" role="status"><Glyph icon={Icon::Look} tone="wait" />
            <span class="fill">{ format!("{} wrote revision {} meanwhile. What you typed is still here.", connector.updated_by, connector.revision) }</span>
            <div class="row"><button class="btn" onclick={take}>{ "Take theirs" }</button><button class="btn" onclick={keep}>{ "Keep mine" }</button></div></div>
    }
}

/// Where the system is.
fn place(draft: &Draft, set: &Callback<Change>, is_stored: bool, disabled: bool) -> Html {
    let name = {
        let set = set.clone();
        Callback::from(move |event: InputEvent| {
            let name = event.target_unchecked_into::<HtmlInputElement>().value();
            set.emit(Change::of(|draft| draft.name = name));
        })
    };
    let kind = {
        let set = set.clone();
        Callback::from(move |event: Event| {
            let kind = event.target_unchecked_into::<HtmlSelectElement>().value();
            set.emit(Change::of(move |draft| draft.become_kind(&kind)));
        })
    };
    let option = |(value, word): &(&'static str, &'static str)| html! { <option value={*value} selected={draft.kind == *value}>{ *word }</option> };
    let rows = draft.places().iter().map(|(key, label, hint)| {
        let (set, key) = (set.clone(), *key);
        let oninput = Callback::from(move |event: InputEvent| {
            let typed = event.target_unchecked_into::<HtmlInputElement>().value();
            set.emit(Change::of(move |draft| draft.set_setting(key, &typed)));
        });
        let id = format!("connector-{key}");
        html! {
            <><label for={id.clone()}>{ *label }</label>
                <div class="row"><input class="field" {id} {disabled} placeholder={*hint} value={draft.setting(key)} {oninput} /></div></>
        }
    });
    html! {
        <>
            <label for="connector-name">{ "Name" }</label>
            <div><input class="field" id="connector-name" disabled={disabled || is_stored} placeholder="crm" value={draft.name.clone()} oninput={name} />
                if !is_stored { <p class="under muted">{ "Workflows write it before its operations, as in crm.create_ticket." }</p> }</div>
            <label for="connector-kind">{ "Kind" }</label>
            <div class="row"><select class="field" id="connector-kind" disabled={disabled || is_stored} onchange={kind}>{ KINDS.iter().map(option).collect::<Html>() }</select></div>
            { rows.collect::<Html>() }
            if draft.kind == "sql" { { encryption(draft, set, disabled) } }
        </>
    }
}

fn encryption(draft: &Draft, set: &Callback<Change>, disabled: bool) -> Html {
    let is_off = draft.setting("tls") == "off";
    let onchange = set.reform(move |_: Event| {
        Change::of(move |draft| draft.set_setting("tls", if is_off { "verify" } else { "off" }))
    });
    html! {
        <><label for="connector-tls">{ "Encryption" }</label>
            <div><label class="choice"><input type="checkbox" id="connector-tls" {disabled} checked={!is_off} {onchange} />{ " The connection is encrypted, and the certificate is checked" }</label></div></>
    }
}

fn limits(draft: &Draft, set: &Callback<Change>, disabled: bool) -> Html {
    let field = |key: &'static str, label: &'static str| {
        let oninput = set.reform(move |event: InputEvent| {
            let typed = event.target_unchecked_into::<HtmlInputElement>().value();
            Change::of(move |draft| draft.set_limit(key, &typed))
        });
        html! { <label class="row"><input class="field num short" inputmode="numeric" aria-label={label} placeholder="any" {disabled} value={draft.limit(key)} {oninput} /><span class="muted">{ label }</span></label> }
    };
    html! {
        <><label>{ "At most" }</label><div class="row wrapped">{ field("concurrency", "calls at once") }{ field("per_second", "calls a second") }</div></>
    }
}

/// The document that is imported.
fn document(draft: &Draft, set: &Callback<Change>, is_stored: bool, disabled: bool) -> Html {
    if draft.kind == "mcp" {
        return html! { <><label>{ "Tools" }</label><p class="muted">{ "The server is asked for them when you press the button at the right, and when this is saved." }</p></> };
    }
    if draft.kind != "openapi" {
        return Html::default();
    }
    let chosen = {
        let set = set.clone();
        Callback::from(move |event: Event| {
            let input = event.target_unchecked_into::<HtmlInputElement>();
            let Some(file) = input.files().and_then(|files| files.get(0)) else { return };
            let set = set.clone();
            spawn_local(async move {
                let text = JsFuture::from(file.text()).await.ok().and_then(|text| text.as_string());
                input.set_value("");
                if let Some(text) = text {
                    set.emit(Change::of(move |draft| draft.document = text.into()));
                }
            });
        })
    };
    let pasted = {
        set.reform(move |event: InputEvent| {
            let document = event.target_unchecked_into::<HtmlTextAreaElement>().value();
            Change::of(move |draft| draft.document = document.into())
        })
    };
    let stays = if is_stored {
        "The one that was imported stays unless you give another"
    } else {
        "Paste it here, as JSON or YAML"
    };
    let remove = set.reform(|event: MouseEvent| {
        event.prevent_default();
        Change::of(|draft| draft.document = "".into())
    });
    html! {
        <><label for="connector-document">{ "OpenAPI document" }</label>
            <div><p class="row"><label class="btn file">{ "Choose a file…" }<input type="file" name="document" accept=".json,.yaml,.yml" {disabled} onchange={chosen} /></label>
                    <span class="muted">{ size(&draft.document) }</span>
                    if !draft.document.is_empty() { <button class="btn quiet" type="button" onclick={remove}>{ "Remove" }</button> }</p>
                if let Some(text) = draft.document_text() {
                    <textarea class="field mono" id="connector-document" rows="4" {disabled} placeholder={stays} value={text.to_string()} oninput={pasted} />
                }</div></>
    }
}

fn size(document: &str) -> String {
    if document.is_empty() { String::new() } else { format!("{} KB", document.len().div_ceil(1024)) }
}
