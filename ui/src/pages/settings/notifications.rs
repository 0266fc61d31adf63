//! How one is told: by which ways, and when not.

use crate::{
    bridge,
    components::{
        icon::{Glyph, Icon},
        loading::{Stale, show},
        toast::{Toast, Toaster},
    },
    load::use_load,
};
use shared_types::{
    api::preferences::{AppPreference, MessagePreference, NotificationPreferences, QuietHours},
    desktop::commands::{KeepPreferences, ReadPreferences},
    preferences::Quiet,
    workflow::calendar::DAYS,
};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

/// What people call the days of [`DAYS`].
const DAY_NAMES: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// The section of the settings: what was said, to be changed and saved.
#[component]
pub(super) fn NotificationSettings() -> Html {
    let reading = use_load((), |(), policy| bridge::ask(ReadPreferences { policy }));
    let form = show(&reading.load, (&reading.again, &reading.cancel), "how you are told", |loaded| {
        html! {
            <>
                <Stale at={loaded.at} fresh={loaded.fresh} />
                <Form said={loaded.data.clone()} kept={reading.again.clone()} />
            </>
        }
    });
    html! { <section class="sect"><h2>{ "How I am told" }</h2><div>{ form }</div></section> }
}

#[derive(Properties, PartialEq)]
struct Props {
    /// What they said.
    said: NotificationPreferences,
    /// It was kept.
    kept: Callback<()>,
}

#[component]
fn Form(props: &Props) -> Html {
    let written = use_state(|| props.said.clone());
    {
        let written = written.clone();
        use_effect_with(props.said.clone(), move |said| written.set(said.clone()));
    }
    let failure = use_state(|| None::<String>);
    let toaster = use_context::<Toaster>();
    let change = {
        let (written, failure) = (written.clone(), failure.clone());
        Callback::from(move |said: NotificationPreferences| {
            failure.set(None);
            written.set(said);
        })
    };
    let onsubmit = {
        let (written, failure, kept) = (written.clone(), failure.clone(), props.kept.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            if let Some(Err(fault)) = written.quiet_hours.as_ref().map(Quiet::of) {
                return failure.set(Some(without_field(&fault.to_string())));
            }
            let preferences = (*written).clone();
            let (failure, kept, toaster) = (failure.clone(), kept.clone(), toaster.clone());
            spawn_local(async move {
                match bridge::ask(KeepPreferences { preferences }).await {
                    Ok(_) => {
                        if let Some(toaster) = toaster {
                            toaster.emit(Toast::done("How you are told is saved".to_owned()));
                        }
                        kept.emit(());
                    }
                    Err(refused) => failure.set(Some(refused.words())),
                }
            });
        })
    };
    let is_changed = *written != props.said;
    html! {
        <form class="narrow" {onsubmit}>
            { in_the_app(&written, &change) }
            { by_mail(&written, &change) }
            { quiet_hours(&written, &change) }
            if let Some(says) = &*failure { <p class="under bad" role="alert"><Glyph icon={Icon::Cross} /> { says }</p> }
            <p><button class="btn" disabled={!is_changed}>{ "Save" }</button></p>
        </form>
    }
}

/// A fault without the name that the API has for its field: the form shows where it stands.
fn without_field(fault: &str) -> String {
    let says = fault.split_once(": ").map_or(fault, |(_, says)| says);
    let mut letters = says.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect()) + "."
}

fn in_the_app(said: &NotificationPreferences, change: &Callback<NotificationPreferences>) -> Html {
    let is_told = said.app == AppPreference::All;
    let said = said.clone();
    let onchange = change.reform(move |_: Event| NotificationPreferences {
        app: if is_told { AppPreference::None } else { AppPreference::All },
        ..said.clone()
    });
    html! {
        <label class="choice"><input type="checkbox" name="told-app" checked={is_told} {onchange} />
            { " By notifications of the app" }</label>
    }
}

fn by_mail(said: &NotificationPreferences, change: &Callback<NotificationPreferences>) -> Html {
    let choices = [
        (MessagePreference::All, "all", "Everything that waits for me"),
        (MessagePreference::Urgent, "urgent", "Only what is urgent"),
        (MessagePreference::None, "none", "Nothing"),
    ];
    let options = choices.iter().map(|(choice, value, name)| {
        html! { <option value={*value} selected={said.mail == *choice}>{ *name }</option> }
    });
    let options: Html = options.collect();
    let (said, change) = (said.clone(), change.clone());
    let onchange = Callback::from(move |event: Event| {
        let Some(select) = event.target_dyn_into::<HtmlSelectElement>() else { return };
        let picked = choices.iter().find(|(_, value, _)| *value == select.value());
        let Some((mail, ..)) = picked else { return };
        change.emit(NotificationPreferences { mail: *mail, ..said.clone() });
    });
    html! {
        <label>{ "By mail" }<select class="field" name="told-mail" {onchange}>{ options }</select>
            <span class="muted">{ "Urgent is a deadline within two hours, or an escalation." }</span></label>
    }
}

fn quiet_hours(said: &NotificationPreferences, change: &Callback<NotificationPreferences>) -> Html {
    let toggle = {
        let said = said.clone();
        change.reform(move |_: Event| NotificationPreferences {
            quiet_hours: said.quiet_hours.is_none().then(nights),
            ..said.clone()
        })
    };
    let set = {
        let (said, change) = (said.clone(), change.clone());
        Callback::from(move |hours: QuietHours| {
            change.emit(NotificationPreferences { quiet_hours: Some(hours), ..said.clone() });
        })
    };
    html! {
        <>
            <label class="choice"><input type="checkbox" name="quiet" checked={said.quiet_hours.is_some()} onchange={toggle} />
                { " Quiet hours: what comes then follows when they end" }</label>
            if let Some(hours) = &said.quiet_hours {
                <fieldset><legend>{ "Quiet hours" }</legend>
                    { text("From", "quiet-from", &hours.from, &set, hours, |hours, from| hours.from = from) }
                    { text("Until", "quiet-until", &hours.until, &set, hours, |hours, until| hours.until = until) }
                    { text("Time zone", "quiet-zone", &hours.timezone, &set, hours, |hours, zone| hours.timezone = zone) }
                </fieldset>
                <div class="choices" role="group" aria-label="Days on which they begin">{ days(hours, &set) }</div>
                { urgent(hours, &set) }
            }
        </>
    }
}

/// Every night, where one is.
fn nights() -> QuietHours {
    QuietHours {
        from: "22:00".to_owned(),
        until: "07:00".to_owned(),
        timezone: own_zone(),
        days: None,
        urgent: false,
    }
}

/// The time zone of this machine.
fn own_zone() -> String {
    let options = js_sys::Intl::DateTimeFormat::default().resolved_options();
    let zone = js_sys::Reflect::get(&options, &JsValue::from_str("timeZone"));
    zone.ok().and_then(|zone| zone.as_string()).unwrap_or_else(|| "UTC".to_owned())
}

fn text(
    label: &'static str,
    name: &'static str,
    value: &str,
    set: &Callback<QuietHours>,
    hours: &QuietHours,
    put: fn(&mut QuietHours, String),
) -> Html {
    let (set, hours) = (set.clone(), hours.clone());
    let oninput = Callback::from(move |event: InputEvent| {
        let Some(input) = event.target_dyn_into::<HtmlInputElement>() else { return };
        let mut hours = hours.clone();
        put(&mut hours, input.value());
        set.emit(hours);
    });
    html! { <label>{ label }<input class="field" type="text" {name} value={value.to_owned()} {oninput} /></label> }
}

fn days(hours: &QuietHours, set: &Callback<QuietHours>) -> Html {
    let is_named = |day: &str| hours.days.as_ref().is_none_or(|days| days.iter().any(|named| named == day));
    let choice = |(day, name): (&&'static str, &&'static str)| {
        let all: Vec<String> =
            DAYS.iter().filter(|other| is_named(other) != (*other == day)).map(|d| (*d).to_owned()).collect();
        let (set, hours) = (set.clone(), hours.clone());
        let onchange = Callback::from(move |_: Event| {
            let days = Some(all.clone()).filter(|days| days.len() < DAYS.len());
            set.emit(QuietHours { days, ..hours.clone() });
        });
        html! { <label class="choice"><input type="checkbox" name={format!("quiet-{day}")} checked={is_named(day)} {onchange} />{ format!(" {name}") }</label> }
    };
    DAYS.iter().zip(&DAY_NAMES).map(choice).collect()
}

fn urgent(hours: &QuietHours, set: &Callback<QuietHours>) -> Html {
    let hours = hours.clone();
    let checked = hours.urgent;
    let onchange = set.reform(move |_: Event| QuietHours { urgent: !hours.urgent, ..hours.clone() });
    html! {
        <label class="choice"><input type="checkbox" name="quiet-urgent" {checked} {onchange} />
            { " What is urgent comes through" }</label>
    }
}
