//! Why a condition is true or false, as a tree with the values seen.

use super::icon::{Glyph, Icon};
use shared_types::workflow::{
    evaluate::{GroupOp, Why},
    number::Money,
};
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) why: Why,
    /// The money at stake, so that a figure that is this amount is written as money.
    #[prop_or_default]
    pub(crate) amount: Option<String>,
    #[prop_or_default]
    pub(crate) currency: Option<String>,
}

#[component]
pub(crate) fn WhyTree(props: &Props) -> Html {
    let money = Money::of(props.amount.as_deref(), props.currency.as_deref());
    html! { <ul class="tree" role="tree">{ node(&props.why, money) }</ul> }
}

fn node(why: &Why, money: Option<Money<'_>>) -> Html {
    let (icon, tone) = if why.holds() { (Icon::Yes, "ok") } else { (Icon::No, "muted") };
    let (words, below) = match why {
        Why::Group { op, of, .. } => {
            let words = match op {
                GroupOp::And => "All of these hold:",
                GroupOp::Or => "One of these holds:",
                GroupOp::Not => "This doesn’t hold:",
            };
            (html! { words }, of.iter().map(|part| node(part, money)).collect::<Html>())
        }
        Why::Leaf { field, .. } => {
            let sentence = why.sentence_with(money);
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
