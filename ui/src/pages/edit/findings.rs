//! What the checks say of the text, each with its fix as a button.

use crate::components::{
    icon::{Glyph, Icon},
    source_editor::Order,
};
use shared_types::{
    desktop::Review,
    workflow::{Finding, Severity},
};
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) review: Review,
    pub(crate) give: Callback<Order>,
}

/// The findings.
#[component]
pub(crate) fn Findings(props: &Props) -> Html {
    let rows =
        props.review.findings.iter().map(|(finding, mended)| row(finding, mended.as_ref(), &props.give));
    html! {
        <section class="finds" aria-label="Findings">
            <h2 class="label">{ summary(&props.review) }</h2>
            { rows.collect::<Html>() }
        </section>
    }
}

fn summary(review: &Review) -> String {
    let count = |severity| review.findings.iter().filter(|(finding, _)| finding.severity == severity).count();
    let plural = |n: usize, word: &str| if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") };
    match (count(Severity::Error), count(Severity::Unsupported), count(Severity::Warning)) {
        (0, 0, 0) => "No findings".to_owned(),
        (0, 0, warnings) => plural(warnings, "warning"),
        (0, unsupported, _) => {
            format!("{} can’t run on this server yet: it is saved disabled", plural(unsupported, "part"))
        }
        (errors, _, warnings) => {
            let keep = if errors == 1 { "keeps" } else { "keep" };
            let also =
                if warnings == 0 { String::new() } else { format!(" · {}", plural(warnings, "warning")) };
            format!("{} {keep} it from being saved{also}", plural(errors, "error"))
        }
    }
}

fn row(finding: &Finding, mended: Option<&String>, give: &Callback<Order>) -> Html {
    let (icon, tone) = match finding.severity {
        Severity::Error => (Icon::Cross, "bad"),
        Severity::Unsupported | Severity::Warning => (Icon::Look, "wait"),
    };
    let line = finding.line;
    let go = give.reform(move |_: MouseEvent| Order::Go(line));
    let fix = mended.map(|text| {
        let text = text.clone();
        let onclick = give.reform(move |_: MouseEvent| Order::Write(text.clone()));
        html! { <button class="btn" {onclick}>{ "Fix" }</button> }
    });
    html! {
        <div class="finding"><Glyph {icon} {tone} />
            <span class="cut" title={finding.message.clone()} onclick={go}>{ with_names(&finding.message) }</span>
            <span class="push num muted">{ format!("line {line}") }</span>{ fix }</div>
    }
}

/// Names between backticks, as names.
pub(crate) fn with_names(message: &str) -> Html {
    let part = |(n, part): (usize, &str)| {
        if n % 2 == 0 {
            html! { { part } }
        } else {
            html! { <code class="mono">{ part }</code> }
        }
    };
    message.split('`').enumerate().map(part).collect()
}
