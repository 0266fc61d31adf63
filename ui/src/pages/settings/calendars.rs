//! The calendars in which deadlines are counted: everybody reads them, whoever may sets them.

use super::calendar_form::{CalendarForm, DAYS};
use crate::{
    bridge,
    components::{
        loading::show,
        toast::{Toast, Toaster, act},
    },
    format,
    load::use_load,
};
use shared_types::{
    api::{Permission, Permissions, calendars::StoredCalendar},
    desktop::commands::{DeleteCalendar, ImportHolidays, ListCalendars},
    workflow::calendar::Calendar,
};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// What is edited.
#[derive(Debug, Clone, PartialEq)]
enum Editing {
    New,
    Stored(Calendar),
}

/// The list, and the form of one of them.
#[component]
pub(super) fn Calendars() -> Html {
    let may = use_context::<Permissions>().is_some_and(|may| may.allow(Permission::ManageCalendars));
    let reading = use_load((), |(), policy| bridge::ask(ListCalendars { policy }));
    let editing = use_state(|| None::<Editing>);
    let toaster = use_context::<Toaster>();
    let done = {
        let (editing, again) = (editing.clone(), reading.again.clone());
        Callback::from(move |()| {
            editing.set(None);
            again.emit(());
        })
    };
    let list = show(&reading.load, (&reading.again, &reading.cancel), "the calendars", |loaded| {
        let rows = loaded.data.items.iter().map(|stored| {
            let edit = {
                let (editing, calendar) = (editing.clone(), stored.calendar.clone());
                Callback::from(move |_: MouseEvent| editing.set(Some(Editing::Stored(calendar.clone()))))
            };
            // A form that was filled in before the holidays of a file came in would take them out again.
            row(stored, may.then_some(edit), &done, toaster.as_ref())
        });
        if loaded.data.items.is_empty() {
            html! { <p class="muted">{ "There is no calendar yet. With one, deadlines run in open hours and on working days only." }</p> }
        } else {
            html! { <ul class="calendars">{ rows.collect::<Html>() }</ul> }
        }
    });
    let begin = {
        let editing = editing.clone();
        Callback::from(move |_: MouseEvent| editing.set(Some(Editing::New)))
    };
    html! {
        <section class="sect"><h2>{ "Calendars" }</h2><div>
            { list }
            { match &*editing {
                Some(Editing::Stored(calendar)) => html! { <CalendarForm key={calendar.name.clone()} calendar={calendar.clone()} done={done.clone()} /> },
                Some(Editing::New) => html! { <CalendarForm key="" done={done.clone()} /> },
                None if may => html! { <p><button class="btn" onclick={begin}>{ "New calendar" }</button></p> },
                None => Html::default(),
            } }
        </div></section>
    }
}

fn row(
    stored: &StoredCalendar,
    edit: Option<Callback<MouseEvent>>,
    again: &Callback<()>,
    toaster: Option<&Toaster>,
) -> Html {
    let calendar = &stored.calendar;
    let used = match stored.used_by.as_slice() {
        [] => "no workflow counts in it".to_owned(),
        [one] => format!("{one} counts in it"),
        several => format!("{} count in it", several.join(", ")),
    };
    let holidays = format::count(calendar.holidays.len(), "holiday", "holidays");
    html! {
        <li key={calendar.name.clone()}>
            <div class="row"><b class="mono">{ &calendar.name }</b>
                if let Some(edit) = edit {
                    <span class="row push">
                        <label class="btn quiet file">{ "Import holidays…" }
                            <input type="file" name="holidays" accept=".ics,text/calendar" onchange={import(&calendar.name, again, toaster)} /></label>
                        <button class="btn quiet" onclick={edit}>{ "Edit" }</button>
                        <button class="btn quiet" disabled={!stored.used_by.is_empty()} title={(!stored.used_by.is_empty()).then(|| used.clone())}
                            onclick={delete(&calendar.name, again, toaster)}>{ "Delete" }</button>
                    </span>
                }
            </div>
            <p class="muted">{ format!("{} · {} · {holidays} · {used}", week(calendar), calendar.timezone) }</p>
        </li>
    }
}

/// The week in words: `Mon–Fri 09:00-17:00`.
fn week(calendar: &Calendar) -> String {
    let of = |day: &str| calendar.hours.get(day).map(|hours| hours.join(", ")).unwrap_or_default();
    let short = |n: usize| DAYS[n].1.get(..3).unwrap_or_default();
    let mut spans: Vec<(usize, usize, String)> = Vec::new();
    for (n, (day, _)) in DAYS.iter().enumerate() {
        let hours = of(day);
        match spans.last_mut() {
            Some((_, last, same)) if *same == hours => *last = n,
            _ => spans.push((n, n, hours)),
        }
    }
    let words = spans.into_iter().filter(|(_, _, hours)| !hours.is_empty()).map(|(first, last, hours)| {
        if first == last {
            format!("{} {hours}", short(first))
        } else {
            format!("{}–{} {hours}", short(first), short(last))
        }
    });
    words.collect::<Vec<_>>().join("; ")
}

fn delete(name: &str, again: &Callback<()>, toaster: Option<&Toaster>) -> Callback<MouseEvent> {
    let (name, again, toaster) = (name.to_owned(), again.clone(), toaster.cloned());
    Callback::from(move |_: MouseEvent| {
        let (again, say, gone) = (again.clone(), toaster.clone(), name.clone());
        act(bridge::ask(DeleteCalendar { name: name.clone() }), toaster.clone(), move |()| {
            if let Some(say) = say {
                say.emit(Toast::done(format!("The calendar {gone} is deleted")));
            }
            again.emit(());
        });
    })
}

/// Takes the holidays of a file that the person chooses.
fn import(name: &str, again: &Callback<()>, toaster: Option<&Toaster>) -> Callback<Event> {
    let (name, again, toaster) = (name.to_owned(), again.clone(), toaster.cloned());
    Callback::from(move |event: Event| {
        let Some(input) = event.target_dyn_into::<HtmlInputElement>() else { return };
        let Some(chosen) = input.files().and_then(|files| files.get(0)) else { return };
        let (name, again, toaster) = (name.clone(), again.clone(), toaster.clone());
        spawn_local(async move {
            let text = JsFuture::from(chosen.text()).await.ok().and_then(|text| text.as_string());
            // The same file can be chosen again.
            input.set_value("");
            let toast = match text {
                None => Toast::failed("The file can't be read."),
                Some(file) => match bridge::ask(ImportHolidays { name, file }).await {
                    Ok(imported) => Toast::done(taken(imported.days, imported.left_out, &imported.until)),
                    Err(failure) => Toast::failed(failure.words()),
                },
            };
            if let Some(toaster) = toaster {
                toaster.emit(toast);
            }
            again.emit(());
        });
    })
}

/// `12 holidays taken from the file, up to 2032-12-31; 1 entry left out, not whole days`.
fn taken(days: usize, left_out: usize, until: &str) -> String {
    let taken = format!("{} taken from the file, up to {until}", format::count(days, "holiday", "holidays"));
    match left_out {
        0 => taken,
        left_out => {
            format!("{taken}; {} left out, not whole days", format::count(left_out, "entry", "entries"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_week_is_said_in_spans_of_days() {
        let hours = |days: &[&str], hours: &[&str]| {
            let hours: Vec<String> = hours.iter().map(|&span| span.to_owned()).collect();
            days.iter().map(|&day| (day.to_owned(), hours.clone())).collect::<BTreeMap<_, _>>()
        };
        let mut open = hours(&["mon", "tue", "wed", "thu"], &["09:00-12:00", "13:00-17:00"]);
        open.extend(hours(&["sat"], &["10:00-12:00"]));
        let calendar =
            Calendar { name: "c".to_owned(), timezone: "UTC".to_owned(), hours: open, holidays: Vec::new() };
        assert_eq!(week(&calendar), "Mon–Thu 09:00-12:00, 13:00-17:00; Sat 10:00-12:00");
    }
}
