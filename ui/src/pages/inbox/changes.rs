//! What changed of what is asked, for people: fields of the form by their label, what is sent by its step.

use crate::format;
use shared_types::approval::progress::FieldChange;
use yew::prelude::*;

/// How many changes are shown.
const SHOWN: usize = 5;

/// Each change as before → after.
pub(super) fn changes(changes: &[FieldChange]) -> Html {
    let shown = changes.iter().take(SHOWN).enumerate().map(|(n, change)| {
        let before = if n == 0 { " " } else { "; " };
        html! {
            <span class="change">{ format!("{before}{}: ", place(&change.pointer)) }<span class="was">{ format::value(&change.from) }</span>{ " → " }<b>{ format::value(&change.to) }</b></span>
        }
    });
    let more = changes.len().saturating_sub(SHOWN);
    html! { <>{ shown.collect::<Html>() }if more > 0 { <span class="change">{ format!(" and {more} more") }</span> }</> }
}

/// The place of a change: `Credit days`, `tell_shop sends body.credit_days`, `body.total`.
fn place(pointer: &str) -> String {
    let segments: Vec<String> =
        pointer.split('/').skip(1).map(|segment| segment.replace("~1", "/").replace("~0", "~")).collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        ["form", field] => format::label(field),
        ["effects", step, _, rest @ ..] if !rest.is_empty() => format!("{step} sends {}", rest.join(".")),
        ["effects", step, ..] => format!("what {step} sends"),
        [] => "all of it".to_owned(),
        other => other.join("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_named_as_people_know_it() {
        for (pointer, named) in [
            ("/form/credit_days", "Credit days"),
            ("/effects/tell_shop/0/body/credit_days", "tell_shop sends body.credit_days"),
            ("/effects/each:both.1.left/0", "what each:both.1.left sends"),
            ("/body/lines/1", "body.lines.1"),
            ("/body/a~1b", "body.a/b"),
            ("", "all of it"),
        ] {
            assert_eq!(place(pointer), named, "{pointer}");
        }
    }
}
