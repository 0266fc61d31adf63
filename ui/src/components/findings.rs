//! What the checks say of a text: each finding leads to its line, and has its fix as a button.

use super::icon::{Glyph, Icon};
use shared_types::workflow::{Finding, Severity};
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    /// What stands above them.
    pub(crate) summary: AttrValue,
    /// Each with the text that its fix gives, where there is one.
    pub(crate) findings: Vec<(Finding, Option<String>)>,
    /// Shows a line of the text.
    pub(crate) go: Callback<u64>,
    /// Puts another text in place of this one.
    #[prop_or_default]
    pub(crate) mend: Callback<String>,
}

/// The findings in the order of the checks, below their summary.
#[component]
pub(crate) fn Findings(props: &Props) -> Html {
    let rows = props.findings.iter().map(|(finding, mended)| row(finding, mended.as_ref(), props));
    html! {
        <section class="finds" aria-label="Findings">
            <h2 class="label">{ props.summary.clone() }</h2>
            { rows.collect::<Html>() }
        </section>
    }
}

fn row(finding: &Finding, mended: Option<&String>, props: &Props) -> Html {
    let (icon, tone) = match finding.severity {
        Severity::Error => (Icon::Cross, "bad"),
        Severity::Unsupported | Severity::Warning => (Icon::Look, "wait"),
    };
    let line = finding.line;
    let go = props.go.reform(move |_: MouseEvent| line);
    let fix = mended.map(|text| {
        let text = text.clone();
        let onclick = props.mend.reform(move |_: MouseEvent| text.clone());
        html! { <button class="btn" {onclick}>{ "Fix" }</button> }
    });
    html! {
        <div class="finding"><Glyph {icon} {tone} />
            <button class="as-link finding-go" title={finding.message.clone()} onclick={go}>
                <span class="cut">{ with_names(&finding.message) }</span><span class="num muted">{ format!("line {line}") }</span>
            </button>{ fix }</div>
    }
}

/// `1 finding`, `3 findings`.
pub(crate) fn count(findings: usize) -> String {
    if findings == 1 { "1 finding".to_owned() } else { format!("{findings} findings") }
}

/// Names between backticks, as names.
fn with_names(message: &str) -> Html {
    let part = |(n, part): (usize, &str)| {
        if n % 2 == 0 {
            html! { { part } }
        } else {
            html! { <code class="mono">{ part }</code> }
        }
    };
    message.split('`').enumerate().map(part).collect()
}
