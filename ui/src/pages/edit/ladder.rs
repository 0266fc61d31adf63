//! The dates of those who are asked, if they were asked now: reminders, escalation, expiry.

use crate::{
    components::icon::{Glyph, Icon},
    format,
};
use shared_types::machine::ladder::LadderLevel;
use yew::prelude::*;

/// A row for each level with a deadline.
pub(super) fn ladder(levels: &[LadderLevel]) -> Html {
    if levels.is_empty() {
        return Html::default();
    }
    let rows = levels.iter().map(|level| {
        html! {
            <li key={format!("{} {}", level.step_id, level.level)}>
                <b>{ &level.level }</b><span class="muted">{ format!(" at {}: ", level.step_id) }</span>{ dates(level) }</li>
        }
    });
    html! {
        <section class="finds" aria-label="Deadlines">
            <h2 class="label">{ "Deadlines, if each level opened now" }</h2>
            <ul class="deadlines">{ rows.collect::<Html>() }</ul>
        </section>
    }
}

fn dates(level: &LadderLevel) -> Html {
    if let (false, Some(calendar)) = (level.is_counted, &level.calendar) {
        return html! { <span><Glyph icon={Icon::Look} tone="wait" />{ format!(" the calendar {calendar} isn’t known here, so nothing is counted") }</span> };
    }
    let mut parts = Vec::new();
    if !level.reminders.is_empty() {
        let each: Vec<String> = level.reminders.iter().map(|at| format::weekday(*at)).collect();
        let more = if level.more_reminders { ", and so on" } else { "" };
        parts.push(format!("reminds {}{more}", each.join(", ")));
    }
    if let Some(at) = level.escalates_at {
        parts.push(format!("asks {} too {}", level.escalate_to.join(", "), format::weekday(at)));
    }
    parts.push(match level.expires_at {
        Some(at) => format!("expires {}", format::weekday(at)),
        None => "doesn’t expire".to_owned(),
    });
    let calendar = level.calendar.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
    html! { <span>{ format!("{}{calendar}", parts.join("; ")) }</span> }
}
