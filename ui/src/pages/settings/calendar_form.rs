//! The form of one calendar: its zone, the open hours of each day, and the days that differ.

use crate::{
    bridge,
    components::{
        icon::{Glyph, Icon},
        toast::{Toast, Toaster},
    },
};
use shared_types::{
    desktop::{Failure, commands::SetCalendar},
    workflow::calendar::{Calendar, Holiday},
};
use std::collections::BTreeMap;
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlInputElement, HtmlTextAreaElement};
use yew::prelude::*;

/// Days of the week as calendars name them, and in words.
pub(super) const DAYS: [(&str, &str); 7] = [
    ("mon", "Monday"),
    ("tue", "Tuesday"),
    ("wed", "Wednesday"),
    ("thu", "Thursday"),
    ("fri", "Friday"),
    ("sat", "Saturday"),
    ("sun", "Sunday"),
];

#[derive(Properties, PartialEq)]
pub(super) struct Props {
    /// The calendar that is edited; none for a new one.
    #[prop_or_default]
    pub(super) calendar: Option<Calendar>,
    /// It is saved, or put away.
    pub(super) done: Callback<()>,
}

/// The form of one calendar; what was typed stays until it is saved or put away.
#[component]
pub(super) fn CalendarForm(props: &Props) -> Html {
    let faults = use_state(Vec::<String>::new);
    let typed = use_state(|| props.calendar.as_ref().map(fields_of).unwrap_or_default());
    let toaster = use_context::<Toaster>();
    let oninput = {
        let typed = typed.clone();
        Callback::from(move |event: InputEvent| {
            if let Some((name, value)) = written(&event) {
                let mut fields = (*typed).clone();
                fields.insert(name, value);
                typed.set(fields);
            }
        })
    };
    let onsubmit = {
        let (faults, done, typed) = (faults.clone(), props.done.clone(), typed.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let calendar = calendar_of(|name| typed.get(name).cloned().unwrap_or_default());
            let (faults, done, toaster) = (faults.clone(), done.clone(), toaster.clone());
            spawn_local(async move {
                match bridge::ask(SetCalendar { calendar }).await {
                    Ok(stored) => {
                        if let Some(toaster) = toaster {
                            let words =
                                format!("{} is set; open requests are counted anew", stored.calendar.name);
                            toaster.emit(Toast::done(words));
                        }
                        done.emit(());
                    }
                    Err(failure) => faults.set(says(&failure)),
                }
            });
        })
    };
    let value = |name: &str| typed.get(name).cloned().unwrap_or_default();
    let days = DAYS.iter().map(|(day, name)| {
        let field = format!("calendar-{day}");
        html! {
            <label>{ *name }<input class="field" type="text" value={value(&field)} name={field} placeholder="Closed" /></label>
        }
    });
    let days: Html = days.collect();
    let title = props
        .calendar
        .as_ref()
        .map_or_else(|| "New calendar".to_owned(), |known| format!("Edit {}", known.name));
    html! {
        <form class="narrow" {onsubmit} {oninput}>
            <h3>{ title }</h3>
            if props.calendar.is_none() {
                <label>{ "Name" }<input class="field mono" type="text" name="calendar-name" value={value("calendar-name")} placeholder="business_hours" required=true /></label>
            }
            <label>{ "Time zone" }<input class="field" type="text" name="calendar-timezone" value={value("calendar-timezone")} placeholder="Europe/Stockholm" required=true /></label>
            <fieldset><legend>{ "Open hours, such as 09:00-12:00, 13:00-17:00" }</legend>{ days }</fieldset>
            <label>{ "Days that differ, one a line: a date is closed, 2026-12-24 09:00-12:00 has hours of its own" }
                <textarea class="field mono" name="calendar-holidays" rows="5" value={value("calendar-holidays")} /></label>
            { faults.iter().map(|fault| html! { <p class="under bad" role="alert"><Glyph icon={Icon::Cross} /> { fault.clone() }</p> }).collect::<Html>() }
            <div class="row"><button class="btn primary" type="submit">{ "Save" }</button>
                <button class="btn" type="button" onclick={props.done.reform(|_: MouseEvent| ())}>{ "Cancel" }</button></div>
        </form>
    }
}

/// The fields of the form by name, as they stand for a calendar.
fn fields_of(calendar: &Calendar) -> BTreeMap<String, String> {
    let hours = calendar.hours.iter().map(|(day, hours)| (format!("calendar-{day}"), hours.join(", ")));
    let others = [
        ("calendar-name", calendar.name.clone()),
        ("calendar-timezone", calendar.timezone.clone()),
        ("calendar-holidays", lines(&calendar.holidays)),
    ];
    hours.chain(others.map(|(name, value)| (name.to_owned(), value))).collect()
}

/// The field that was typed in, and what it holds.
fn written(event: &InputEvent) -> Option<(String, String)> {
    if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
        return Some((input.name(), input.value()));
    }
    let area = event.target_dyn_into::<HtmlTextAreaElement>()?;
    Some((area.name(), area.value()))
}

/// What is wrong, each with its place where the server names it.
fn says(failure: &Failure) -> Vec<String> {
    if let Failure::Refused(problem) = failure
        && !problem.findings.is_empty()
    {
        return problem.findings.iter().map(|finding| finding.message.clone()).collect();
    }
    vec![failure.words()]
}

/// The calendar as it stands in the form.
fn calendar_of(field: impl Fn(&str) -> String) -> Calendar {
    let hours = DAYS.iter().filter_map(|(day, _)| {
        let spans = spans(&field(&format!("calendar-{day}")));
        (!spans.is_empty()).then(|| ((*day).to_owned(), spans))
    });
    Calendar {
        name: field("calendar-name").trim().to_owned(),
        timezone: field("calendar-timezone").trim().to_owned(),
        hours: hours.collect::<BTreeMap<_, _>>(),
        holidays: field("calendar-holidays").lines().filter_map(holiday).collect(),
    }
}

/// The spans of a day, between commas.
fn spans(text: &str) -> Vec<String> {
    text.split(',')
        .map(|span| span.replace(' ', "").replace('–', "-"))
        .filter(|span| !span.is_empty())
        .collect()
}

/// A day that differs, from a line.
fn holiday(line: &str) -> Option<Holiday> {
    let line = line.trim();
    let (date, hours) = line.split_once(' ').unwrap_or((line, ""));
    if date.is_empty() {
        return None;
    }
    let date = date.to_owned();
    Some(match spans(hours) {
        hours if hours.is_empty() => Holiday::Closed(date),
        hours => Holiday::Hours { date, hours },
    })
}

fn lines(holidays: &[Holiday]) -> String {
    let line = |holiday: &Holiday| match holiday {
        Holiday::Closed(date) => date.clone(),
        Holiday::Hours { date, hours } => format!("{date} {}", hours.join(", ")),
    };
    holidays.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_becomes_the_calendar_and_back() {
        let text = "2026-12-25\n\n 2026-12-24  09:00 – 11:00, 12:00-13:00\n2027-01-01";
        let calendar = calendar_of(|name| match name {
            "calendar-name" => "shop ".to_owned(),
            "calendar-timezone" => "Europe/Stockholm".to_owned(),
            "calendar-mon" => "09:00-12:00, 13:00 - 17:00".to_owned(),
            "calendar-holidays" => text.to_owned(),
            _ => String::new(),
        });
        assert_eq!(calendar.name, "shop");
        assert_eq!(calendar.hours["mon"], ["09:00-12:00", "13:00-17:00"]);
        assert_eq!(calendar.hours.len(), 1);
        assert_eq!(fields_of(&calendar)["calendar-mon"], "09:00-12:00, 13:00-17:00");
        assert_eq!(lines(&calendar.holidays), "2026-12-25\n2026-12-24 09:00-11:00, 12:00-13:00\n2027-01-01");
    }
}
