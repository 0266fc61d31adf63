//! Why a condition is true or false, as a tree with the values seen.

use super::icon::{Glyph, Icon};
use shared_types::workflow::evaluate::{GroupOp, Why};
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) why: Why,
}

/// The tree.
#[component]
pub(crate) fn WhyTree(props: &Props) -> Html {
    html! { <ul class="tree" role="tree">{ node(&props.why) }</ul> }
}

fn node(why: &Why) -> Html {
    let (icon, tone) = if why.holds() { (Icon::Yes, "ok") } else { (Icon::No, "muted") };
    let (words, below) = match why {
        Why::Group { op, of, .. } => {
            let words = match op {
                GroupOp::And => "All of these hold:",
                GroupOp::Or => "One of these holds:",
                GroupOp::Not => "This doesn’t hold:",
            };
            (html! { words }, of.iter().map(node).collect::<Html>())
        }
        Why::Leaf { field, .. } => {
            let sentence = why.sentence();
            let rest = sentence.strip_prefix(field.as_str()).unwrap_or(&sentence).to_owned();
            (html! { <><code>{ field.clone() }</code>{ rest }</> }, Html::default())
        }
    };
    let class = if why.holds() { "" } else { "muted" };
    let has_below = matches!(why, Why::Group { .. });
    html! {
        <li role="treeitem" aria-selected="false">
            <Glyph {icon} {tone} /> <span {class}>{ words }</span>
            if has_below { <ul role="group">{ below }</ul> }
        </li>
    }
}
