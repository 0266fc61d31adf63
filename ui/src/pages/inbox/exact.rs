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
                if later { <span class="muted">{ " · what the decision brings is filled in when it is sent" }</span> }</summary>
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
    html! {
        <div class="exact">
            <p class="muted">{ format!("{} · {}", effect.step_id, effect.kind) }
                if !later.is_empty() { { format!(" · filled in when it is sent: {later}") } }</p>
            <pre tabindex="0" role="region" aria-label={format!("Exact bytes of {}", effect.step_id)}>{ bytes }</pre>
        </div>
    }
}
