//! Settings of this machine, one's invitations, absences and password, and the workspace's calendars.

mod absences;
mod calendar_form;
mod calendars;
mod invitations;
mod notifications;

use crate::{
    bridge,
    components::{
        confirm::{Ask, waiting_says, waiting_title},
        icon::{Glyph, Icon},
        toast::{Toast, Toaster},
    },
    format::now,
    load::{Load, use_load},
    route::Route,
    theme::show_theme,
};
use absences::Absences;
use calendars::Calendars;
use invitations::Invitations;
use notifications::NotificationSettings;
use shared_types::{
    api::{
        Page,
        auth::{PasswordChange, SignedIn},
        roles::Role,
    },
    desktop::{
        QueuedDecision, Settings as Chosen, Theme,
        commands::{ChangePassword, KeepSettings, ListRoles, ReadSettings, SignOut},
    },
    role::default_name,
};
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlInputElement;
use yew::prelude::*;
use yew_router::prelude::*;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) server: String,
    pub(crate) user: SignedIn,
    pub(crate) lasting: bool,
}

#[component]
pub(crate) fn Settings(props: &Props) -> Html {
    let chosen = use_state(Chosen::default);
    {
        let chosen = chosen.clone();
        use_effect_with((), move |()| {
            spawn_local(async move {
                if let Ok(settings) = bridge::ask(ReadSettings {}).await {
                    chosen.set(settings);
                }
            });
        });
    }
    let change = {
        let chosen = chosen.clone();
        Callback::from(move |settings: Chosen| {
            chosen.set(settings);
            show_theme(settings);
            // What could not be kept holds until the app is closed.
            spawn_local(async move { drop(bridge::ask(KeepSettings { settings }).await) });
        })
    };
    let named = use_load((), |(), policy| bridge::ask(ListRoles { policy }));
    let roles = in_words(&props.user.roles, &named.load);
    let asking = use_state(|| None::<usize>);
    let navigator = use_navigator();
    let leave = Callback::from(move |()| {
        // Whoever signs in next begins at the beginning.
        if let Some(navigator) = &navigator {
            navigator.replace(&Route::Inbox);
        }
        spawn_local(async { drop(bridge::ask(SignOut {}).await) });
    });
    let sign_out = {
        let (asking, leave) = (asking.clone(), leave.clone());
        Callback::from(move |_: MouseEvent| {
            let (asking, leave) = (asking.clone(), leave.clone());
            spawn_local(async move {
                let items = bridge::own_queued().await.unwrap_or_default();
                // What can still be undone is sent as one signs out.
                let waits = |item: &&QueuedDecision| {
                    item.state.waits() && item.undo_until.is_none_or(|until| until <= now())
                };
                match items.iter().filter(waits).count() {
                    0 => leave.emit(()),
                    waiting => asking.set(Some(waiting)),
                }
            });
        })
    };
    let answer = {
        let asking = asking.clone();
        Callback::from(move |really: bool| {
            asking.set(None);
            if really {
                leave.emit(());
            }
        })
    };
    html! {
        <main>
            <div class="page-head"><h1>{ "Settings" }</h1></div>
            <div class="scroll settings data">
                <section class="sect"><h2>{ "Account" }</h2><div>
                    <p><b>{ &props.user.name }</b>{ format!(", {}", props.user.email) }</p>
                    <p class="muted">{ format!("{} · {}", props.user.workspace, roles) }</p>
                    <p class="muted">{ &props.server }</p>
                    if !props.lasting {
                        <p class="note wait"><Glyph icon={Icon::Look} /> { "There is no keyring here, so this sign-in lasts until the app is closed." }</p>
                    }
                    <p><button class="btn" onclick={sign_out}>{ "Sign out" }</button></p>
                </div></section>
                <Invitations />
                <Absences own={props.user.email.clone()} />
                <Calendars />
                { appearance(*chosen, &change) }
                <NotificationSettings />
                { on_this_machine(*chosen, &change) }
                <PasswordForm />
            </div>
            if let Some(waiting) = *asking {
                <Ask title={waiting_title(waiting)} go="Sign out" {answer}
                    says={waiting_says(waiting, "you sign in here again")} />
            }
        </main>
    }
}

/// Somebody's roles as the workspace calls them.
fn in_words(roles: &[String], named: &Load<Page<Role>>) -> String {
    let name = |role: &String| match named {
        Load::Ready(loaded) => {
            loaded.data.items.iter().find(|known| known.role == *role).map(|known| known.name.clone())
        }
        Load::Waiting | Load::Failed(_) => None,
    };
    roles.iter().map(|role| name(role).unwrap_or_else(|| default_name(role))).collect::<Vec<_>>().join(", ")
}

fn appearance(chosen: Chosen, change: &Callback<Chosen>) -> Html {
    let themes = [(Theme::System, "As the system"), (Theme::Light, "Light"), (Theme::Dark, "Dark")];
    let choice = |(theme, name): (Theme, &'static str)| {
        let onchange = change.reform(move |_: Event| Chosen { theme, ..chosen });
        html! { <label class="choice"><input type="radio" name="theme" checked={chosen.theme == theme} {onchange} /> { name }</label> }
    };
    html! { <section class="sect"><h2>{ "Theme" }</h2><div>{ themes.map(choice).into_iter().collect::<Html>() }</div></section> }
}

fn on_this_machine(chosen: Chosen, change: &Callback<Chosen>) -> Html {
    let onchange = change.reform(move |_: Event| Chosen { notifications: !chosen.notifications, ..chosen });
    html! {
        <section class="sect"><h2>{ "On this machine" }</h2><div>
            <label class="choice"><input type="checkbox" name="notifications" checked={chosen.notifications} {onchange} />
                { " Raise notifications of the system" }</label>
        </div></section>
    }
}

/// Changing one's password.
#[component]
fn PasswordForm() -> Html {
    let (old, new) = (use_node_ref(), use_node_ref());
    let failure = use_state(|| None::<String>);
    let toaster = use_context::<Toaster>();
    let onsubmit = {
        let (old, new, failure) = (old.clone(), new.clone(), failure.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let field = |node: &NodeRef| node.cast::<HtmlInputElement>();
            let (Some(old), Some(new)) = (field(&old), field(&new)) else { return };
            let change = PasswordChange { old: old.value(), new: new.value() };
            let (failure, toaster) = (failure.clone(), toaster.clone());
            spawn_local(async move {
                match bridge::ask(ChangePassword { change }).await {
                    Ok(()) => {
                        failure.set(None);
                        old.set_value("");
                        new.set_value("");
                        if let Some(toaster) = toaster {
                            toaster.emit(Toast::done("The password is changed".to_owned()));
                        }
                    }
                    Err(refused) => failure.set(Some(refused.words())),
                }
            });
        })
    };
    html! {
        <section class="sect"><h2>{ "Password" }</h2>
            <form class="narrow" {onsubmit}>
                <label>{ "Current password" }<input class="field" ref={old} type="password" autocomplete="current-password" required=true /></label>
                <label>{ "New password, 10 characters at least" }<input class="field" ref={new} type="password" autocomplete="new-password" minlength="10" required=true /></label>
                if let Some(says) = &*failure { <p class="under bad" role="alert"><Glyph icon={Icon::Cross} /> { says }</p> }
                <p><button class="btn">{ "Change password" }</button></p>
            </form></section>
    }
}
