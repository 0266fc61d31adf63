//! One's own absences: when one is away, and who decides meanwhile.

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
use chrono::{DateTime, Days, Local, NaiveDate, TimeZone as _, Utc};
use shared_types::{
    api::absences::{Absence, NewAbsence},
    desktop::commands::{DeleteAbsence, EnterAbsence, ListAbsences},
};
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// The list, and the form for another.
#[component]
pub(super) fn Absences() -> Html {
    let reading = use_load((), |(), policy| bridge::ask(ListAbsences { policy }));
    let (from, until, delegate) = (use_node_ref(), use_node_ref(), use_node_ref());
    let failure = use_state(|| None::<String>);
    let toaster = use_context::<Toaster>();
    let onsubmit = {
        let (from, until, delegate, failure) =
            (from.clone(), until.clone(), delegate.clone(), failure.clone());
        let (again, toaster) = (reading.again.clone(), toaster.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let field = |node: &NodeRef| node.cast::<HtmlInputElement>();
            let (Some(first), Some(last), Some(whom)) = (field(&from), field(&until), field(&delegate))
            else {
                return;
            };
            let absence = match absence_of(&first.value(), &last.value(), &whom.value()) {
                Ok(absence) => absence,
                Err(says) => return failure.set(Some(says.to_owned())),
            };
            let (failure, again, toaster) = (failure.clone(), again.clone(), toaster.clone());
            spawn_local(async move {
                match bridge::ask(EnterAbsence { absence }).await {
                    Ok(_) => {
                        failure.set(None);
                        for field in [first, last, whom] {
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
        let rows: Vec<Html> = to_come.map(|absence| row(absence, &reading.again, toaster.as_ref())).collect();
        if rows.is_empty() {
            html! { <p class="muted">{ "You are there. While you are away, somebody you name can decide in your place." }</p> }
        } else {
            html! { <ul class="plain">{ rows }</ul> }
        }
    });
    html! {
        <section class="sect"><h2>{ "My absences" }</h2><div>
            { list }
            <form class="narrow" {onsubmit}>
                <label>{ "First day" }<input class="field" ref={from} type="date" name="absence-from" required=true /></label>
                <label>{ "Last day" }<input class="field" ref={until} type="date" name="absence-until" required=true /></label>
                <label>{ "Who decides for me" }<input class="field" ref={delegate} type="email" name="absence-delegate" placeholder="Nobody, or dee@example.com" /></label>
                if let Some(says) = &*failure { <p class="under bad" role="alert"><Glyph icon={Icon::Cross} /> { says }</p> }
                <p><button class="btn">{ "Enter absence" }</button></p>
            </form>
        </div></section>
    }
}

fn row(absence: &Absence, again: &Callback<()>, toaster: Option<&Toaster>) -> Html {
    let whom = absence
        .delegate_name
        .as_ref()
        .map_or_else(|| "nobody decides for you".to_owned(), |name| format!("{name} decides for you"));
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
            <span><b>{ format!("{} to {}", format::weekday(absence.from), format::weekday(absence.until)) }</b>{ format!(", {whom}") }</span>
            <button class="btn quiet push" onclick={delete}>{ "Delete" }</button></li>
    }
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
        assert!(absence_of("2026-12-25", "2026-12-24", "").is_err());
        assert!(absence_of("soon", "2026-12-24", "").is_err());
    }
}
