//! Signing in.

use crate::{
    bridge,
    components::icon::{Glyph, Icon},
};
use shared_types::desktop::{Failure, commands::SignIn};
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) server: String,
    pub(crate) because: Option<String>,
}

/// The page to sign in.
#[component]
pub(crate) fn SignInPage(props: &Props) -> Html {
    let (email, password) = (use_node_ref(), use_node_ref());
    let server = use_state(|| props.server.clone());
    let workspace = use_node_ref();
    let workspaces = use_state(Vec::<String>::new);
    let failure = use_state(|| props.because.clone());
    let busy = use_state(|| false);
    {
        let failure = failure.clone();
        use_effect_with(props.because.clone(), move |because| failure.set(because.clone()));
    }
    {
        let email = email.clone();
        use_effect_with((), move |()| {
            if let Some(field) = email.cast::<HtmlInputElement>() {
                // A field that can't take the focus can still be clicked.
                let _ = field.focus();
            }
        });
    }
    let onsubmit = {
        let (server, email, password, workspace) =
            (server.clone(), email.clone(), password.clone(), workspace.clone());
        let (failure, busy, workspaces) = (failure.clone(), busy.clone(), workspaces.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let text = |node: &NodeRef| {
                node.cast::<HtmlInputElement>().map(|input| input.value()).unwrap_or_default()
            };
            let chosen = workspace.cast::<HtmlSelectElement>().map(|select| select.value());
            let with = SignIn {
                server: (*server).clone(),
                email: text(&email),
                password: text(&password),
                workspace: chosen,
            };
            let (failure, busy, workspaces) = (failure.clone(), busy.clone(), workspaces.clone());
            busy.set(true);
            spawn_local(async move {
                if let Err(refused) = bridge::ask(with).await {
                    workspaces.set(named_workspaces(&refused));
                    failure.set(Some(refused.words()));
                }
                busy.set(false);
            });
        })
    };
    let typed = {
        let server = server.clone();
        Callback::from(move |event: InputEvent| {
            if let Some(field) = event.target_dyn_into::<HtmlInputElement>() {
                server.set(field.value());
            }
        })
    };
    html! {
        <main class="sign-in">
            <form {onsubmit}>
                <h1>{ "Intelligent Workflows" }</h1>
                <label>{ "Server" }<input class="field" name="server" value={(*server).clone()} oninput={typed} required=true /></label>
                <label>{ "Email" }<input class="field" ref={email} name="email" type="email" autocomplete="username" required=true /></label>
                <label>{ "Password" }<input class="field" ref={password} name="password" type="password" autocomplete="current-password" required=true /></label>
                if !workspaces.is_empty() {
                    <label>{ "Workspace" }
                        <select class="field" ref={workspace} name="workspace">
                            { workspaces.iter().map(|name| html! { <option>{ name }</option> }).collect::<Html>() }
                        </select>
                    </label>
                }
                if let Some(says) = &*failure {
                    <p class="under bad" role="alert"><Glyph icon={Icon::Cross} /> { says }</p>
                }
                <button class="btn primary" disabled={*busy}>{ if *busy { "Signing in…" } else { "Sign in" } }</button>
            </form>
        </main>
    }
}

/// The workspaces among which somebody has to choose.
fn named_workspaces(failure: &Failure) -> Vec<String> {
    let Failure::Refused(problem) = failure else { return Vec::new() };
    let names = problem.more.get("workspaces").and_then(serde_json::Value::as_array);
    names.into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned)).collect()
}
