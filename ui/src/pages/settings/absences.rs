//! Absences: when one is away, and who decides meanwhile. An administrator sees and enters everybody's.

use crate::{
    bridge,
    components::{
        icon::{Glyph, Icon},
        loading::show,
        toast::{Toast, Toaster},
    },
    format,
    load::use_load,
};
use chrono::{DateTime, Days, Local, NaiveDate, NaiveTime, TimeZone as _, Utc};
use shared_types::{
    api::{
        Permission, Permissions,
        absences::{Absence, NewAbsence},
    },
    desktop::commands::{DeleteAbsence, EnterAbsence, ListAbsences},
};
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlInputElement;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(super) struct Props {
    /// The address of whoever is signed in.
    pub(super) own: String,
}

/// The list, and the form for another.
#[component]
pub(super) fn Absences(props: &Props) -> Html {
    let everybody = use_context::<Permissions>().is_some_and(|may| may.allow(Permission::ManageUsers));
    let reading = use_load(everybody, |everybody, policy| bridge::ask(ListAbsences { everybody, policy }));
    let (from, until, delegate) = (use_node_ref(), use_node_ref(), use_node_ref());
    let who = use_node_ref();
    let failure = use_state(|| None::<String>);
    let toaster = use_context::<Toaster>();
    let onsubmit = {
        let (from, until, delegate, failure) =
            (from.clone(), until.clone(), delegate.clone(), failure.clone());
        let who = who.clone();
        let (again, toaster) = (reading.again.clone(), toaster.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let field = |node: &NodeRef| node.cast::<HtmlInputElement>();
            let (Some(first), Some(last), Some(whom)) = (field(&from), field(&until), field(&delegate))
            else {
                return;
            };
            let other = field(&who);
            let email = other.as_ref().map(|field| field.value().trim().to_owned());
            let absence = match absence_of(&first.value(), &last.value(), &whom.value()) {
                Ok(absence) => NewAbsence { email: email.filter(|address| !address.is_empty()), ..absence },
                Err(says) => return failure.set(Some(says.to_owned())),
            };
            let (failure, again, toaster) = (failure.clone(), again.clone(), toaster.clone());
            spawn_local(async move {
                match bridge::ask(EnterAbsence { absence }).await {
                    Ok(_) => {
                        failure.set(None);
                        for field in [first, last, whom].into_iter().chain(other) {
                            field.set_value("");
                        }
                        if let Some(toaster) = toaster {
                            toaster.emit(Toast::done("The absence is entered".to_owned()));
                        }
                        again.emit(());
                    }
                    Err(refused) => failure.set(Some(refused.words())),
                }
            });
        })
    };
    let list = show(&reading.load, (&reading.again, &reading.cancel), "your absences", |loaded| {
        let now = format::now();
        let to_come = loaded.data.items.iter().filter(|absence| absence.until > now);
        let rows: Vec<Html> =
            to_come.map(|absence| row(absence, &props.own, &reading.again, toaster.as_ref())).collect();
        if rows.is_empty() && everybody {
            html! { <p class="muted">{ "Nobody is away. Whoever is away can name somebody who decides in their place." }</p> }
        } else if rows.is_empty() {
            html! { <p class="muted">{ "You are there. While you are away, somebody you name can decide in your place." }</p> }
        } else {
            html! { <ul class="plain">{ rows }</ul> }
        }
    });
    html! {
        <section class="sect"><h2>{ if everybody { "Absences" } else { "My absences" } }</h2><div>
            { list }
            <form class="narrow" {onsubmit}>
                if everybody {
                    <label>{ "Who is away" }<input class="field" ref={who} type="email" name="absence-who" placeholder="You, or eva@example.com" /></label>
                }
                <label>{ "First day" }<input class="field" ref={from} type="date" name="absence-from" required=true /></label>
                <label>{ "Last day" }<input class="field" ref={until} type="date" name="absence-until" required=true /></label>
                <label>{ if everybody { "Who decides meanwhile" } else { "Who decides for me" } }<input class="field" ref={delegate} type="email" name="absence-delegate" placeholder="Nobody, or dee@example.com" /></label>
                if let Some(says) = &*failure { <p class="under bad" role="alert"><Glyph icon={Icon::Cross} /> { says }</p> }
                <p><button class="btn">{ "Enter absence" }</button></p>
            </form>
        </div></section>
    }
}

fn row(absence: &Absence, own: &str, again: &Callback<()>, toaster: Option<&Toaster>) -> Html {
    let (who, for_whom) =
        if absence.email == own { (None, "you") } else { (Some(absence.name.clone()), "them") };
    let by = absence.delegate_name.as_deref().unwrap_or("nobody");
    let whom = format!("{by} decides for {for_whom}");
    let delete = {
        let (id, again, toaster) = (absence.absence_id, again.clone(), toaster.cloned());
        Callback::from(move |_: MouseEvent| {
            let (again, toaster) = (again.clone(), toaster.clone());
            spawn_local(async move {
                let says = match bridge::ask(DeleteAbsence { id }).await {
                    Ok(()) => Toast::done("The absence is deleted".to_owned()),
                    Err(failure) => Toast::failed(format!("It wasn't deleted. {}", failure.words())),
                };
                if let Some(toaster) = toaster {
                    toaster.emit(says);
                }
                again.emit(());
            });
        })
    };
    html! {
        <li class="row" key={absence.absence_id.to_string()}>
            <span>if let Some(who) = who { { format!("{who}: ") } }<b>{ span(absence.from, absence.until) }</b>{ format!(", {whom}") }</span>
            <button class="btn quiet push" onclick={delete}>{ "Delete" }</button></li>
    }
}

/// `24 Dec 2026 to 6 Jan 2027` for whole days; with the times of day otherwise.
fn span(from: DateTime<Utc>, until: DateTime<Utc>) -> String {
    let (from, until) = (from.with_timezone(&Local), until.with_timezone(&Local));
    let is_morning = |at: DateTime<Local>| at.time() == NaiveTime::MIN;
    if !is_morning(from) || !is_morning(until) {
        let moment = |at: DateTime<Local>| at.format("%-d\u{a0}%b\u{a0}%Y %H:%M").to_string();
        return format!("{} to {}", moment(from), moment(until));
    }
    let day = |day: NaiveDate| day.format("%-d\u{a0}%b\u{a0}%Y").to_string();
    let (first, last) = (from.date_naive(), until.date_naive() - Days::new(1));
    if first == last { day(first) } else { format!("{} to {}", day(first), day(last)) }
}

/// An absence of whole days, as they are typed; in the time of this machine.
fn absence_of(first: &str, last: &str, delegate: &str) -> Result<NewAbsence, &'static str> {
    let day =
        |text: &str| text.trim().parse::<NaiveDate>().map_err(|_| "Write two days, such as 2026-12-24.");
    let (first, last) = (day(first)?, day(last)?);
    if last < first {
        return Err("The last day is before the first; swap them.");
    }
    let morning = |day: NaiveDate| -> Result<DateTime<Utc>, &'static str> {
        let local = day.and_hms_opt(0, 0, 0).and_then(|at| Local.from_local_datetime(&at).earliest());
        local
            .map(|at| at.with_timezone(&Utc))
            .ok_or("This day doesn't begin at midnight here; take the next.")
    };
    let after = last.checked_add_days(Days::new(1)).ok_or("The last day is too late.")?;
    let delegate = Some(delegate.trim().to_owned()).filter(|address| !address.is_empty());
    Ok(NewAbsence { from: morning(first)?, until: morning(after)?, delegate, note: None, email: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absence_is_of_whole_days_and_its_last_day_belongs_to_it() {
        let absence = absence_of("2026-12-24", "2026-12-24", " ").unwrap();
        let hours = (absence.until - absence.from).num_hours();
        assert!((23..=25).contains(&hours), "{hours}");
        assert_eq!(absence.delegate, None);
        assert_eq!(span(absence.from, absence.until), "24\u{a0}Dec\u{a0}2026");
        let long = absence_of("2026-12-24", "2027-01-06", "").unwrap();
        assert_eq!(span(long.from, long.until), "24\u{a0}Dec\u{a0}2026 to 6\u{a0}Jan\u{a0}2027");
        assert!(absence_of("2026-12-25", "2026-12-24", "").is_err());
        assert!(absence_of("soon", "2026-12-24", "").is_err());
    }
}
