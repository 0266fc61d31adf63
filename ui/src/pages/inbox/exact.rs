//! The exact bytes that an approval sends, behind a fold.

use crate::format;
use shared_types::api::approvals::{Approval, ApprovalEffect};
use yew::prelude::*;

/// The fold; nothing where an approval sends nothing that is known.
pub(super) fn exact(approval: &Approval) -> Html {
    if approval.effects.is_empty() {
        return Html::default();
    }
    let later = approval.effects.iter().any(|effect| !effect.at_the_time.is_empty());
    html! {
        <details class="all">
            <summary>{ format!("{}, exact bytes", format::count(approval.effects.len(), "message or call", "messages and calls")) }
                if later { <span class="muted">{ " · some of it is filled in when it is sent" }</span> }</summary>
            { approval.effects.iter().map(effect).collect::<Html>() }
        </details>
    }
}

fn effect(effect: &ApprovalEffect) -> Html {
    let bytes = match &effect.request {
        Some(request) => serde_json::to_string_pretty(request).unwrap_or_default(),
        None => "Too large to be shown here; its hash is part of what you approve.".to_owned(),
    };
    let later = effect.at_the_time.join(", ");
    let place =
        effect.lanes.as_deref().map(|lanes| format!(" · {}", lanes_in_words(lanes))).unwrap_or_default();
    html! {
        <div class="exact">
            <p class="muted">{ format!("{} · {}{place}", effect.step_id, kind_in_words(&effect.kind)) }
                if !later.is_empty() { { format!(" · filled in when it is sent: {later}") } }</p>
            <pre tabindex="0" role="region" aria-label={format!("Exact bytes of {}", effect.step_id)}>{ bytes }</pre>
        </div>
    }
}

/// What an effect is, where its type isn't a word of people.
fn kind_in_words(kind: &str) -> &str {
    match kind {
        "call" => "runs a workflow",
        "workflow_revision" => "the revision that it runs",
        "called_below" => "the revisions that it leads to",
        "rule_version" => "the version of a rule that is asked",
        kind => kind,
    }
}

/// `each.1.0:both.1.left` as `item 1 of each, branch left of both`.
fn lanes_in_words(lanes: &str) -> String {
    let lane = |lane: &str| {
        let mut parts = lane.splitn(3, '.');
        let (step, lane) = (parts.next().unwrap_or_default(), parts.nth(1).unwrap_or_default());
        match lane.parse::<u32>() {
            Ok(item) => format!("item {} of {step}", item + 1),
            Err(_) => format!("branch {lane} of {step}"),
        }
    };
    lanes.split(':').map(lane).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_and_items_are_said_in_words() {
        assert_eq!(lanes_in_words("both.1.left:each.1.0"), "branch left of both, item 1 of each");
    }
}
